//! File permissions in octal: `0644`, `1777`.

use nom::Parser;
use nom::bytes::complete::take_while1;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// Three or four octal digits.
pub fn file_mode(text: &str) -> Result<u32, LiteralError> {
    whole("a file mode", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, u32> {
    let octal = take_while1(|c: char| c.is_digit(8));
    let (rest, digits) = match expect("an octal digit (0 to 7)", octal).parse(input) {
        Ok(found) => found,
        Err(_) if input.contains(['=', '+', 'r', 'w', 'x']) => {
            return Fault::said(input, input.len(), "a symbolic mode")
                .help("write it in octal: 0644 is u=rw,go=r")
                .fatal();
        }
        Err(error) => return Err(error),
    };
    if rest.starts_with(['8', '9']) {
        let message = format!("`{}` is not an octal digit (0 to 7)", &rest[..1]);
        return Fault::said(rest, 1, message).fatal();
    }
    if rest.is_empty() && !(3..=4).contains(&digits.len()) {
        return Fault::said(input, digits.len(), "a file mode has three or four octal digits")
            .help("0644 lets everyone read and the owner write, 0600 the owner alone")
            .fatal();
    }
    // At most four octal digits: this always fits.
    Ok((rest, u32::from_str_radix(digits, 8).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn modes() {
        let texts = ["0644", "755", "0684", "64", "00644", "u=rw", "", "0644 "];
        insta::assert_snapshot!(show(&texts, super::file_mode), @r"
        0644
          = 420
        755
          = 493
        0684
          ^ `8` is not an octal digit (0 to 7)
        64
        ^^ a file mode has three or four octal digits
          help: 0644 lets everyone read and the owner write, 0600 the owner alone
        00644
        ^^^^^ a file mode has three or four octal digits
          help: 0644 lets everyone read and the owner write, 0600 the owner alone
        u=rw
        ^^^^ a symbolic mode
          help: write it in octal: 0644 is u=rw,go=r

        ^ an empty string is not a file mode
        0644 
            ^ not a file mode: expected the end, found ` `
        ");
    }
}
