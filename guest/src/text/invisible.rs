//! Invisible Unicode characters that are stripped from untrusted text.

/// Characters that a reader does not see but a program does: control and format characters, zero-width and direction
/// marks, fillers, tag characters, variation selectors, private use. Text can be hidden with them, or hide among them.
pub fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | ' '..='~' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' => true,
        '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{fffe}'.. => {
            // Above the first plane only some.
            match c {
                '\u{13430}'..='\u{1345f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' => true,
                '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' => true,
                '\u{10000}'..='\u{dffff}' => false,
                _ => true,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_on_the_list_and_letters_are_not() {
        for c in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{ad}',
            '\u{200b}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{fffc}',
            '\u{e000}',
            '\u{13430}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{f0000}',
            '\u{10fffd}',
            '\u{3164}',
            '\u{61c}',
        ] {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in " a~žß€あ한字😀🏽\u{301}\n\t\u{fffd}".chars() {
            assert!(!is_invisible(c), "{c:?}");
        }
    }
}
