//! Escaping of Markdown and HTML in untrusted text, so that a client loads no picture and shows no disguised link.

use std::borrow::Cow;

/// Names of elements that browsers know. Sorted.
#[rustfmt::skip]
const ELEMENTS: &[&str] = &[
    "a", "abbr", "address", "animate", "applet", "area", "article", "aside", "audio", "b", "base", "basefont",
    "bdi", "bdo", "bgsound", "big", "blink", "blockquote", "body", "br", "button", "canvas", "caption", "center",
    "cite", "code", "col", "colgroup", "command", "content", "data", "datalist", "dd", "defs", "del", "details",
    "dfn", "dialog", "dir", "div", "dl", "dt", "element", "em", "embed", "fencedframe", "fieldset", "figcaption",
    "figure", "font", "footer", "foreignobject", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6",
    "head", "header", "hgroup", "hr", "html", "i", "iframe", "image", "img", "input", "ins", "isindex", "kbd",
    "keygen", "label", "legend", "li", "link", "listing", "main", "map", "mark", "marquee", "math", "menu",
    "menuitem", "meta", "meter", "nav", "nobr", "noembed", "noframes", "noscript", "object", "ol", "optgroup",
    "option", "output", "p", "param", "path", "picture", "plaintext", "portal", "pre", "progress", "q", "rb", "rp",
    "rt", "rtc", "ruby", "s", "samp", "script", "search", "section", "select", "set", "shadow", "slot", "small",
    "source", "spacer", "span", "strike", "strong", "style", "sub", "summary", "sup", "svg", "table", "tbody", "td",
    "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "track", "tt", "u", "ul", "use", "var",
    "video", "wbr", "xml", "xmp",
];

/// Text of others in which nothing works as Markdown or HTML that a client would follow without being told: pictures,
/// links whose text hides where they lead, tags. The characters stay; a blank takes their meaning.
pub fn defuse(text: &str) -> Cow<'_, str> {
    if !text.contains(['[', '<']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    // `[name]: address` at the start of a line defines what `[name]` leads to.
    let (mut at_start, mut definition) = (true, false);
    let mut rest = text;
    while let Some(at) = rest.find(['[', ']', '<', '\n']) {
        let (before, after) = rest.split_at(at);
        at_start &= before.chars().all(|c| " >-*+.)".contains(c) || c.is_ascii_digit());
        out.push_str(before);
        rest = &after[1..];
        match after.as_bytes()[0] {
            b'[' => {
                definition = std::mem::take(&mut at_start);
                if out.ends_with('!') {
                    out.push(' ');
                }
                out.push('[');
            }
            b']' => {
                out.push(']');
                if rest.starts_with(['(', '[']) || (definition && rest.starts_with(':')) {
                    out.push(' ');
                }
            }
            b'<' => {
                out.push('<');
                if is_tag(rest) {
                    out.push(' ');
                } else if let Some(address) = autolink(rest) {
                    out.push(' ');
                    out.push_str(address);
                    out.push(' ');
                    rest = &rest[address.len()..];
                }
            }
            _ => {
                out.push('\n');
                (at_start, definition) = (true, false);
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How far a tag is looked at.
const TAG_CHARS: usize = 2_000;

/// Whether what follows `<` is a tag that a client may act upon. Words in angle brackets are none.
fn is_tag(rest: &str) -> bool {
    let (closes, inner) = match rest.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, rest),
    };
    if rest.starts_with(['!', '?']) {
        return true;
    }
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':'));
    let name = &inner[..end.unwrap_or(inner.len())];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let tail = &inner[name.len()..inner.floor_char_boundary(TAG_CHARS.max(name.len()))];
    if !tail.is_empty() && !tail.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')) {
        return false;
    }
    let attributes = tail.split(['>', '<']).next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let known = ELEMENTS.binary_search(&lower.as_str()).is_ok();
    let is_letter = lower.len() == 1;
    // `<b && c>` compares.
    let is_words = attributes
        .chars()
        .any(|c| !c.is_alphanumeric() && !" \n/-_.:=\"'".contains(c));
    attributes.contains('=') || (known && (closes || !is_letter || !is_words)) || name.contains('-')
}

/// `https://…` up to the `>` that ends it.
fn autolink(rest: &str) -> Option<&str> {
    let colon = rest.bytes().take(32).position(|c| c == b':')?;
    let scheme = &rest[..colon];
    let is_scheme = colon > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>'))
        .unwrap_or(rest.len());
    (is_scheme && end > colon + 1).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_links_and_tags_do_not_work() {
        for (text, defused) in [
            ("![x](https://e.example/p.png)", "! [x] (https://e.example/p.png)"),
            ("[bank](https://e.example)", "[bank] (https://e.example)"),
            (
                "[bank][1]\n[1]: https://e.example",
                "[bank] [1]\n[1] : https://e.example",
            ),
            ("> - [1]: https://e.example", "> - [1] : https://e.example"),
            ("<https://e.example/x> now", "< https://e.example/x > now"),
            ("<img src=x>", "< img src=x>"),
            ("</blockquote><script>", "< /blockquote>< script>"),
            ("<x style='background:url(//e)'>", "< x style='background:url(//e)'>"),
            ("<!-- x", "< !-- x"),
            ("<b>x</b>", "< b>x< /b>"),
            ("<javascript:alert(1)>", "< javascript:alert(1) >"),
            ("<svg/onload=x>", "< svg/onload=x>"),
        ] {
            assert_eq!(defuse(text), defused);
            assert_eq!(defuse(defused), defused, "again");
        }
    }

    #[test]
    fn the_names_are_sorted() {
        assert!(ELEMENTS.is_sorted());
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "a [1] b",
            "at no start [note]: x",
            "if (a<b && c>d)",
            "<Jmeno>, <cislo smlouvy>",
            "<jan@b.cz>",
            "1 < 2 <3",
            "List<String>",
            "[x] done",
            "12:30 [Jan]: hello",
            "https://e.example/?a=1&b=2",
        ] {
            assert_eq!(defuse(text), text);
        }
    }
}
