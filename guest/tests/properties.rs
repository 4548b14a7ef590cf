//! What holds for any text: nothing panics, nothing splits a character, nothing escapes its quote or its path segment.

use guest::{
    daktela::query,
    date,
    model::{
        args::{self, Args},
        param,
    },
    render::{html, mail},
    text,
};
use proptest::prelude::*;

/// Everything that some reader takes for the end of a line.
const BREAKS: [char; 7] = ['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'];
const UNSEEN: [char; 4] = ['\r', '\0', '\u{2028}', '\u{202e}'];

/// Any text, and text that looks like mark-up and mail.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<a href=\"",
        "\">",
        "<script>",
        "</script>",
        "<td>",
        "<tr>",
        "<br",
        "<!--",
        "-->",
        "&amp;",
        "&#x202e;",
        "> ",
        "\r\n",
        "\n-- \n",
        "On 3 May 2026 Jan wrote:\n",
        "Dne 3. 5. 2026 napsal(a):\n",
        "From: x\nSent: y\nTo: z\nSubject: w\n",
        "žluť",
        "\u{202e}",
        "\u{2028}",
        "\0",
        "]( ",
        " · ",
        "<a@b.cz>",
        "<pre>",
        "<title>",
        "</head>",
        "<body>",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop_oneof![pieces.prop_map(str::to_owned), any::<String>()], 0..12)
            .prop_map(|p| p.concat())
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_cleaned(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let source = String::from_utf8_lossy(&bytes);
        let cleaned = html::to_text(&source, html::Hidden::LeftOut);
        mail::fold(&cleaned, false);
        prop_assert!(!cleaned.contains(UNSEEN));
        prop_assert_eq!(text::clean(&cleaned), cleaned);
    }

    #[test]
    fn a_quote_cannot_be_left(source in texts()) {
        let quoted = text::quote(&html::to_text(&source, html::Hidden::LeftOut), "  ");
        prop_assert!(quoted.split(BREAKS).all(|line| line.is_empty() || line.starts_with("  >")));
    }

    #[test]
    fn a_line_stays_one_line(source in texts()) {
        prop_assert!(!text::line(&source).contains(BREAKS));
    }

    #[test]
    fn a_cut_keeps_whole_characters_and_counts_the_rest(source in texts(), max in 0usize..60) {
        let cut = text::cut(&source, max);
        match cut.rsplit_once("[+").filter(|_| source.chars().count() > max) {
            Some((kept, rest)) => {
                let missing: usize = rest.trim_end_matches(" characters]").parse().expect("a number");
                prop_assert_eq!(kept.trim_end_matches(" … ").chars().count() + missing, source.chars().count());
            }
            None => prop_assert_eq!(cut, source),
        }
    }

    #[test]
    fn folding_loses_no_line_uncounted(source in texts()) {
        let cleaned = text::clean(&source);
        let folded = mail::fold(&cleaned, false);
        let filled = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
        // The mark of a signature and lines across are neither text nor signature.
        let is_mark = |line: &str| line.len() > 1 && line.trim_matches(['-', '_', '=', '*', '—', '–', '─']).is_empty();
        let marks = cleaned.lines().filter(|line| is_mark(line.trim())).count();
        let counted = filled(&folded.text) + folded.quoted + folded.signature;
        prop_assert!(counted <= filled(&cleaned) && counted + marks >= filled(&cleaned));
    }

    #[test]
    fn a_name_stays_one_segment(name in any::<String>()) {
        let path = query::record_path("tickets", &name, &[]);
        prop_assert_eq!(path.is_some(), query::is_plain_name(&name));
        let path = path.unwrap_or_else(|| "/api/v6/tickets/x.json".to_owned());
        let inner = path.strip_prefix("/api/v6/tickets/").and_then(|path| path.strip_suffix(".json")).expect("one segment");
        prop_assert!(inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'%')));
    }

    /// However a server on the way decodes it.
    #[test]
    fn a_name_leads_nowhere_else(parts in prop::collection::vec(prop::sample::select(vec!["..", ".", "/", "%2e", "%2F", "\\", "%5c", ";", "x", "%25"]), 0..8)) {
        let name = parts.concat();
        let Some(mut path) = query::record_path("tickets", &name, &[]) else { return Ok(()) };
        for _ in 0..4 {
            let decoded = path.replace("%2E", ".").replace("%2e", ".").replace("%2F", "/").replace("%2f", "/")
                .replace("%5C", "/").replace("%5c", "/").replace("%3B", ";").replace("%25", "%");
            prop_assert!(!decoded.split('/').any(|part| matches!(part.split(';').next(), Some("." | ".."))), "{}", name);
            path = decoded;
        }
    }

    #[test]
    fn any_arguments_are_answered(json in texts()) {
        let params = [param::STAGE, param::DATE_FROM, param::TICKET.required(), param::take(50, 200), param::SKIP];
        if let Err(error) = Args::check(&params, &json) {
            prop_assert!(!error.text().is_empty());
        }
        args::ticket_id(&json);
    }

    #[test]
    fn a_date_is_complete_or_refused(text in "[0-9TZ: +.-]{0,25}") {
        if let Ok(date) = date::parse(&text, date::Bound::From) {
            prop_assert_eq!(date.len(), 19, "{}", date);
        }
    }
}
