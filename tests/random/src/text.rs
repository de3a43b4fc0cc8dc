//! Shrinking a text that the generators did not make.

/// A shorter text that still fails, found with at most `tries` questions: pieces of it are left out,
/// large ones first.
pub fn shrink_text(text: &str, mut tries: usize, fails: impl Fn(&str) -> bool) -> String {
    let mut best: Vec<char> = text.chars().collect();
    let mut size = best.len() / 2;
    while size > 0 {
        let mut start = 0;
        let before = best.len();
        while start < best.len() && tries > 0 {
            let end = (start + size).min(best.len());
            let shorter: Vec<char> = best[..start].iter().chain(&best[end..]).copied().collect();
            tries -= 1;
            if fails(&shorter.iter().collect::<String>()) {
                best = shorter;
            } else {
                start = end;
            }
        }
        if tries == 0 {
            break;
        }
        if best.len() == before || size > 1 {
            size /= 2;
        }
    }
    best.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::shrink_text;

    #[test]
    fn keeps_what_fails() {
        let text = "let a = [ 1 2 3 ]; in builtins.head (é ++ a)";
        assert_eq!(shrink_text(text, 1000, |text| text.contains("é ++")), "é ++");
    }
}
