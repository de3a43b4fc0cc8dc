//! A data key split over key groups: Shamir's scheme over GF(2^8) with the polynomial 0x11B, byte by byte.
//!
//! A share is the values of the bytes' polynomials at one point, and that point as its last byte.

use aes_gcm::aead::OsRng;
use aes_gcm::aead::rand_core::RngCore;
use zeroize::Zeroizing;

use crate::error::Error;

/// One part of a key.
pub(crate) type Share = Zeroizing<Vec<u8>>;

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        // Without branches on secret bits.
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (0x1b & carry);
        b >>= 1;
    }
    product
}

/// a^254, which is 1/a; 0 for 0.
fn invert(a: u8) -> u8 {
    let mut power = a;
    let mut result = 1;
    for _ in 0..7 {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    result
}

/// The key that shares make together.
pub(crate) fn combine(shares: &[Share]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let damaged = |what: &str| Error::Shares { what: what.to_owned() };
    let mut points = Vec::new();
    for share in shares {
        let (x, ys) = share.split_last().ok_or_else(|| damaged("one is empty"))?;
        if *x == 0 || points.iter().any(|(other, _)| other == x) {
            return Err(damaged("two are of the same point"));
        }
        points.push((*x, ys));
    }
    let length = points.first().map_or(0, |(_, ys)| ys.len());
    if length == 0 || points.iter().any(|(_, ys)| ys.len() != length) {
        return Err(damaged("they differ in length"));
    }
    let mut key = Zeroizing::new(vec![0; length]);
    for (x, ys) in &points {
        let mut weight = 1;
        for (other, _) in points.iter().filter(|(other, _)| other != x) {
            weight = multiply(weight, multiply(*other, invert(other ^ x)));
        }
        for (byte, y) in key.iter_mut().zip(*ys) {
            *byte ^= multiply(*y, weight);
        }
    }
    Ok(key)
}

/// As many shares as there are groups, any `threshold` of which make the key.
pub(crate) fn split(key: &[u8], groups: usize, threshold: usize) -> Result<Vec<Share>, Error> {
    if threshold < 2 || threshold > groups || groups > 255 {
        let what = format!("{threshold} of {groups} groups cannot be what is needed");
        return Err(Error::Shares { what });
    }
    let mut shares: Vec<Share> = (1..=groups).map(|_| Share::default()).collect();
    let mut slopes = Zeroizing::new(vec![0; threshold - 1]);
    for byte in key {
        OsRng.fill_bytes(&mut slopes);
        for (share, x) in shares.iter_mut().zip(1..=255) {
            // Horner, from the highest power down to the byte itself.
            let y = slopes.iter().fold(0, |sum, slope| multiply(sum ^ slope, x));
            share.push(y ^ byte);
        }
    }
    for (share, x) in shares.iter_mut().zip(1..=255) {
        share.push(x);
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_inverse() {
        assert!((1..=255).all(|a| multiply(a, invert(a)) == 1));
        assert_eq!(multiply(0x57, 0x83), 0xc1, "the example of FIPS 197");
    }

    #[test]
    fn enough_shares_make_the_key_and_fewer_do_not() {
        let key: Vec<u8> = (0..32).collect();
        let shares = split(&key, 5, 3).expect("shares");
        let of = |which: &[usize]| -> Vec<Share> {
            which.iter().map(|at| shares[*at].clone()).collect()
        };
        for which in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
            assert_eq!(*combine(&of(&which)).expect("a key"), key);
        }
        assert_eq!(*combine(&shares).expect("a key"), key);
        assert_ne!(*combine(&of(&[0, 1])).expect("something"), key);
        assert!(combine(&of(&[1, 1])).is_err());
    }
}
