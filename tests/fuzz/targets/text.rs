//! Fuzz target: any text through HTML and mail rendering is sanitized and stays inside its quote.
#![no_main]

use guest::{
    render::{
        html::{self, Hidden},
        mail,
    },
    text,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let hidden = if source.len() % 2 == 0 { Hidden::LeftOut } else { Hidden::Marked };
    let cleaned = text::clean(&html::to_text(source, hidden));
    assert_eq!(text::clean(&cleaned), cleaned, "cleaning is done after one time");
    let breaks = ['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'];
    let quoted = text::quote(&cleaned, "  ");
    assert!(
        quoted
            .split(breaks)
            .all(|line| line.is_empty() || line.starts_with("  >")),
        "{quoted:?}"
    );
    assert!(!text::line(source).contains(breaks));
    let folded = mail::fold(&cleaned, cleaned.len() % 2 == 1);
    let filled = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(filled(&folded.text) + folded.quoted + folded.signature <= filled(&cleaned));
    let cut = text::cut(&cleaned, 20);
    assert!(cut == cleaned || cut.contains("[+"), "what is cut is told");
});
