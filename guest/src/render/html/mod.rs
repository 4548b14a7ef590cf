//! HTML to plain text: what a reader of the rendered page sees.
//!
//! Tokens, tree, style and layout are passes of their own; each takes linear time and none is recursive. Line structure
//! is kept (blocks, rows of short cells, lists, quotes), links show where they lead, and pictures leave a trace. Text
//! that the page hides is never dropped without a word.

mod elements;
mod layout;
pub mod marks;
mod style;
mod tokens;
mod tree;

#[cfg(test)]
mod tests;

use crate::{text, unicode};

/// What becomes of text that the page hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// `[hidden text left out]` stands in its place.
    LeftOut,
    /// It stands in `[hidden text: …]`.
    Marked,
}

/// The clean text of an HTML document or fragment. Text without mark-up comes back as it is, its entities decoded.
pub fn to_text(source: &str, hidden: Hidden) -> String {
    let text = to_marked_text(source, hidden);
    if text.contains([marks::CITED, marks::BARE, marks::ORIGINAL]) {
        text.replace([marks::CITED, marks::BARE, marks::ORIGINAL], "")
    } else {
        text
    }
}

/// As `to_text`, with the marks of quoted mail at the start of lines.
pub fn to_marked_text(source: &str, hidden: Hidden) -> String {
    if !source.contains('<') {
        return text::clean(&decode_plain(source));
    }
    let tokens = tokens::tokens(source);
    if !tokens::is_html(&tokens) {
        return text::clean(&decode_plain(source));
    }
    let (nodes, sheets) = tree::build(tokens);
    let mut sheet = style::Sheet::default();
    for css in sheets {
        sheet.add(css);
    }
    let plan = layout::plan(&nodes, &sheet);
    let written = layout::write(&nodes, &plan, hidden, has_plain_half(&nodes));
    text::tidy(&unicode::nfc(&written))
}

/// Whether text that stands in no element has lines of its own: a plain text that something appended HTML to.
fn has_plain_half(nodes: &[tree::Node]) -> bool {
    let mut has_lines = false;
    let (mut ink, mut broken) = (false, false);
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        match (&node.kind, node.name()) {
            (_, "br" | "html" | "head" | "body") => return false,
            (tree::Kind::Text(text), _) => {
                for c in text.chars() {
                    if c == '\n' {
                        broken = ink;
                    } else if !c.is_whitespace() {
                        has_lines |= broken;
                        ink = true;
                    }
                }
            }
            _ => (ink, broken) = (false, false),
        }
        at = node.end;
    }
    has_lines
}

/// Decodes entities that end in a semicolon; others are parts of web addresses.
fn decode_plain(source: &str) -> String {
    const NAME_MAX: usize = 33;
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest[1..]
            .bytes()
            .take(NAME_MAX)
            .take_while(|c| c.is_ascii_alphanumeric() || *c == b'#')
            .count();
        if name > 0 && rest.as_bytes().get(name + 1) == Some(&b';') {
            out.push_str(&htmlize::unescape(&rest[..name + 2]));
            rest = &rest[name + 2..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}
