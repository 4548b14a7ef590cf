//! What holds for the text of any mail: plain text passes unchanged, no visible word of a page is lost, and time is linear.

use std::{
    fs,
    sync::LazyLock,
    time::{Duration, Instant},
};

use guest::{
    render::{
        html::{self, Hidden},
        mail,
    },
    text,
};
use proptest::prelude::*;

/// Plain text with what people write: angle brackets, ampersands, addresses, quotes.
fn plain_texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "Dobrý den,",
        " ",
        "\n",
        "\n\n",
        "<jmeno>",
        "<https://pay.example/1?a=1&currency=2>",
        "a < b",
        "c > d",
        "if (a<b && c>d)",
        "List<String>",
        "<id>4711</id>",
        "&",
        "&copy=1",
        "?id=1&section=2",
        "<cislo smlouvy>",
        "<3",
        "<- ",
        "> ",
        "Jan <jan@b.cz>",
        "žluťoučký",
        "1. ",
        "- ",
        "(c)",
        "\"x\"",
        "<order><code>1</code></order>",
        "5<6",
        "</3",
        "<>",
        "<!",
        "é",
        "😀",
    ]);
    prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
}

/// Pages with numbered words, and of each word whether it can be seen.
#[derive(Clone, Debug)]
enum Page {
    Word,
    Element(&'static str, &'static str, Vec<Page>),
}

fn pages() -> impl Strategy<Value = Page> {
    let elements = prop::sample::select(vec![
        "div",
        "p",
        "span",
        "b",
        "table",
        "tr",
        "td",
        "li",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "a href='https://x.example'",
        "h1",
        "label",
        "button",
        "sup",
        "del",
        "font",
        "th",
        "option",
        "center",
        "section",
        "td colspan=2",
        "o:p",
        "q",
        "dd",
        "i",
    ]);
    let styles = prop::sample::select(vec![
        "",
        "",
        "",
        "font-size:0",
        "font-size:13px",
        "visibility:visible",
        "display:block",
        "display:inline",
        "color:red",
        "white-space:pre-wrap",
        "line-height:0",
        "max-height:90px;overflow:hidden",
        "text-decoration:line-through",
    ]);
    Just(Page::Word).prop_recursive(6, 60, 5, move |inner| {
        (elements.clone(), styles.clone(), prop::collection::vec(inner, 1..5))
            .prop_map(|(name, style, children)| Page::Element(name, style, children))
    })
}

fn write(page: &Page, seen: bool, out: &mut String, words: &mut Vec<(String, bool)>) {
    match page {
        Page::Word => {
            let word = format!("word{}x", words.len());
            out.push_str(&word);
            words.push((word, seen));
        }
        Page::Element(name, style, children) => {
            let seen = match *style {
                "font-size:0" => false,
                "font-size:13px" => true,
                _ => seen,
            };
            *out += &format!("<{name} style='{style}'>");
            for child in children {
                write(child, seen, out, words);
            }
            *out += &format!("</{}>", name.split(' ').next().unwrap_or_default());
        }
    }
}

proptest! {
    #[test]
    fn plain_text_passes_unchanged(source in plain_texts()) {
        prop_assert_eq!(html::to_text(&source, Hidden::LeftOut), text::clean(&source));
    }

    #[test]
    fn every_visible_word_of_a_page_appears(page in pages()) {
        let (mut source, mut words) = ("<div>start</div>".to_owned(), Vec::new());
        write(&page, true, &mut source, &mut words);
        let shown = html::to_text(&source, Hidden::LeftOut);
        let whole = html::to_text(&source, Hidden::Marked);
        for (word, seen) in words {
            prop_assert!(!seen || shown.contains(&word), "{} of {} in {}", word, source, shown);
            prop_assert!(whole.contains(&word), "{} of {} in {}", word, source, whole);
        }
    }
}

/// The time that this thread has computed, so that a busy machine does not count; where the system does not say, the clock's.
fn cpu_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// How long a mail takes, at the best of three.
fn measure(source: &str) -> Duration {
    (0..3)
        .map(|_| {
            let start = cpu_time();
            let folded = mail::body(source, None);
            let shown = text::defuse(&folded.text);
            assert!(!shown.contains('\0'));
            cpu_time().saturating_sub(start)
        })
        .min()
        .unwrap_or_default()
}

#[test]
fn time_grows_with_the_text_and_no_faster() {
    let bytes = 8_000;
    for (open, middle, close) in [
        ("<b hidden>", "", "</b>"),
        ("<a>", "x", "<blockquote type=cite>x</blockquote>"),
        ("<div>", "x", "</div>"),
        ("<blockquote>", "x", "</blockquote>"),
        ("<table><tr><td>", "x", "</td></tr></table>"),
        ("<ol reversed><li>", "x", "</li></ol>"),
        ("<i><td>", "x", "</i>"),
        ("<p>Text of a line</p>\n", "", ""),
        ("<div style='display:none'>a</div>", "", ""),
        ("<style>.a{display:none}</style><p class=a>x</p>", "", ""),
        ("<", "", ""),
        ("<a b='", "", ""),
        ("<a b='\"<", "", ""),
        ("<!--", "", ""),
        ("<x ", "", ""),
        ("&amp", "", ""),
        ("<textarea>", "", ""),
        ("<script>", "", ""),
        ("</", "", ""),
        ("From: a <a@b.cz>\n", "", ""),
        ("From: a@b.cz\nSent: 1. 1. 2025 10:12\n", "", ""),
        ("On 3 May 2026 at 10:12 Jan <jan@b.cz> wrote:\n", "", ""),
        ("> a\nb\n", "", ""),
        ("--\n", "", ""),
        ("a\n\n", "", ""),
        ("[a](b) <c> ", "", ""),
        ("[", "", ""),
        ("<c", "", ""),
        ("10:12 2025 a@b.cz ", "", ""),
        ("<span style='color:red'>a</span>", "", ""),
    ] {
        let text = |bytes: usize| {
            let count = bytes / (open.len() + close.len());
            format!("{}{middle}{}", open.repeat(count), close.repeat(count))
        };
        // Quadratic time would be sixteen times as much. Other work on the machine only adds to a time, so the least of
        // many tries is compared.
        let (mut once, mut more) = (Duration::MAX, Duration::MAX);
        let is_linear = (0..25).any(|_| {
            once = once.min(measure(&text(bytes)));
            more = more.min(measure(&text(4 * bytes)));
            more < once.max(Duration::from_millis(5)) * 10
        });
        assert!(is_linear, "{open:?} takes more than linear time");
    }
}
