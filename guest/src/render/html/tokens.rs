//! HTML tokenizer: tags, text and comments as slices of the source, in linear time.
//!
//! It differs from a browser's in doubt only: `<` that begins no complete tag is text, so that what people write in
//! angle brackets is not lost.

use std::{borrow::Cow, collections::HashSet};

use super::elements;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Start(Tag<'a>),
    /// The element's name in lower case, and the tag as written.
    End(Cow<'a, str>, &'a str),
    /// Text as written, entities not decoded.
    Text(&'a str),
    /// What an element holds that can hold no elements: `script`, `style`, `title`, `textarea` …
    Raw(&'a str),
    /// A comment that never ends, and all that follows it.
    OpenComment(&'a str),
    Comment,
    Doctype,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tag<'a> {
    /// In lower case.
    pub(super) name: Cow<'a, str>,
    attributes: &'a str,
    /// The tag as written.
    pub(super) source: &'a str,
}

impl<'a> Tag<'a> {
    /// The decoded value of an attribute; empty if it has none. The first of a name counts.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| htmlize::unescape_attribute(value))
    }

    pub(super) fn has_values(&self) -> bool {
        self.attributes().any(|(_, value)| !value.is_empty())
    }

    pub(super) fn has_attributes(&self) -> bool {
        self.attributes().next().is_some()
    }

    fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| is_blank(c) || c == '/');
            if rest.is_empty() {
                return None;
            }
            // A name may begin with `=`.
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| is_blank(*c) || matches!(c, '=' | '/'))
                .map_or(rest.len(), |(at, _)| at);
            let (key, after) = rest.split_at(end);
            let Some(after) = after.trim_start_matches(is_blank).strip_prefix('=') else {
                rest = after;
                return Some((key, ""));
            };
            let after = after.trim_start_matches(is_blank);
            let quoted = ['"', '\'']
                .into_iter()
                .find_map(|quote| after.strip_prefix(quote).and_then(|inner| inner.split_once(quote)));
            let (value, after) = quoted.unwrap_or_else(|| after.split_at(after.find(is_blank).unwrap_or(after.len())));
            rest = after;
            Some((key, value))
        })
    }
}

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// Elements whose content is no mark-up.
const RAW: &[&str] = &["iframe", "noembed", "script", "style", "textarea", "title", "xmp"];

pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let last = |what: &str| source.rfind(what).unwrap_or(0);
    let mut scanner = Scanner {
        source,
        at: 0,
        last_gt: last(">"),
        last_quotes: [last("\""), last("'")],
        last_comment_end: last("--").max(1),
        no_end: HashSet::new(),
        wasted: 0,
    };
    let mut out = Vec::new();
    while scanner.at < source.len() {
        scanner.step(&mut out);
    }
    out
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
    /// Where the last of a kind is, so that what has no end is not looked for again and again.
    last_gt: usize,
    last_quotes: [usize; 2],
    last_comment_end: usize,
    /// Elements that are not closed any more.
    no_end: HashSet<&'static str>,
    /// Bytes that were read as a tag and turned out to be none.
    wasted: usize,
}

impl<'a> Scanner<'a> {
    fn step(&mut self, out: &mut Vec<Token<'a>>) {
        let rest = &self.source[self.at..];
        let Some(open) = rest.find('<') else {
            self.at = self.source.len();
            return out.push(Token::Text(rest));
        };
        if open > 0 {
            out.push(Token::Text(&rest[..open]));
            self.at += open;
        }
        let start = self.at;
        let token = self.markup();
        match token {
            Some(Token::Start(tag)) => {
                let raw = RAW.iter().copied().find(|name| *name == tag.name);
                out.push(Token::Start(tag));
                if let Some(name) = raw {
                    self.raw(name, out);
                }
            }
            Some(token) => out.push(token),
            None => {
                self.at = start + 1;
                let next = self.source[self.at..]
                    .find('<')
                    .map_or(self.source.len(), |next| self.at + next);
                self.at = next;
                out.push(Token::Text(&self.source[start..next]));
            }
        }
    }

    fn raw(&mut self, name: &'static str, out: &mut Vec<Token<'a>>) {
        if self.no_end.contains(name) {
            return;
        }
        let mut from = self.at;
        while let Some(found) = self.source[from..].find("</") {
            let at = from + found;
            let tail = &self.source.as_bytes()[at + 2..];
            if tail.len() >= name.len() && tail[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
                out.push(Token::Raw(&self.source[self.at..at]));
                self.at = at;
                return;
            }
            from = at + 2;
        }
        self.no_end.insert(name);
    }

    /// What begins at `<`; nothing if it is text.
    fn markup(&mut self) -> Option<Token<'a>> {
        let rest = &self.source[self.at..];
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' if rest.starts_with("<!--") => Some(self.comment(rest)),
            b'!' => {
                let is_doctype = bytes
                    .get(2..9)
                    .is_some_and(|name| name.eq_ignore_ascii_case(b"doctype"));
                if !is_doctype && bytes.get(2) != Some(&b'[') {
                    return None;
                }
                let end = self.gt(rest)?;
                if rest[1..end].contains('<') {
                    return None;
                }
                self.at += end + 1;
                Some(if is_doctype { Token::Doctype } else { Token::Comment })
            }
            b'?' if bytes.get(2..5).is_some_and(|name| name.eq_ignore_ascii_case(b"xml")) => {
                let end = self.gt(rest)?;
                if rest[1..end].contains('<') {
                    return None;
                }
                self.at += end + 1;
                Some(Token::Comment)
            }
            b'/' if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                let end = self.gt(rest)?;
                let inner = &rest[2..end];
                if inner.contains('<') {
                    return None;
                }
                let name = inner.split(|c: char| is_blank(c) || c == '/').next()?;
                self.at += end + 1;
                Some(Token::End(lower(name), &rest[..=end]))
            }
            c if c.is_ascii_alphabetic() => self.start(rest),
            _ => None,
        }
    }

    /// Where the next `>` is.
    fn gt(&self, rest: &str) -> Option<usize> {
        if self.at >= self.last_gt { None } else { rest.find('>') }
    }

    fn comment(&mut self, rest: &'a str) -> Token<'a> {
        let inner = &rest[4..];
        for empty in [">", "->"] {
            if inner.starts_with(empty) {
                self.at += 4 + empty.len();
                return Token::Comment;
            }
        }
        let end = if self.at + 2 >= self.last_comment_end {
            None
        } else {
            inner.match_indices("--").find_map(|(at, _)| {
                ["-->", "--!>"]
                    .into_iter()
                    .find(|end| inner[at..].starts_with(end))
                    .map(|end| at + end.len())
            })
        };
        match end {
            Some(end) => {
                self.at += 4 + end;
                Token::Comment
            }
            None => {
                self.at = self.source.len();
                Token::OpenComment(inner)
            }
        }
    }

    fn start(&mut self, rest: &'a str) -> Option<Token<'a>> {
        if self.at >= self.last_gt {
            return None;
        }
        let bytes = rest.as_bytes();
        let name_end = 1 + bytes[1..]
            .iter()
            .position(|c| c.is_ascii_whitespace() || matches!(c, b'/' | b'>' | b'<'))?;
        // A tag of an unknown name is words in angle brackets perhaps: quotes in it are no values.
        let quotes = self.wasted < self.source.len() * 8;
        let mut i = name_end;
        let mut after_equals = false;
        let end = loop {
            match *bytes.get(i)? {
                b'>' => break i,
                b'<' => {
                    self.wasted += i;
                    return None;
                }
                quote @ (b'"' | b'\'') if after_equals && quotes => {
                    let last = self.last_quotes[usize::from(quote == b'\'')];
                    after_equals = false;
                    if self.at + i < last {
                        i += 1 + bytes[i + 1..].iter().position(|c| *c == quote)?;
                    }
                }
                b'=' => after_equals = true,
                c if c.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            i += 1;
        };
        self.at += end + 1;
        let attributes = &rest[name_end..end];
        Some(Token::Start(Tag {
            name: lower(&rest[1..name_end]),
            attributes,
            source: &rest[..=end],
        }))
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|c| c.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether a text is HTML: it has tags that nobody writes in plain text, or elements that are closed.
pub(super) fn is_html(tokens: &[Token]) -> bool {
    let mut open: HashSet<&str> = HashSet::new();
    let mut unknown_open: HashSet<&str> = HashSet::new();
    let (mut sure, mut words, mut xml) = (false, false, false);
    for token in tokens {
        match token {
            Token::Doctype => return true,
            Token::Start(tag) => match elements::find(&tag.name) {
                Some(element) => match element.evidence {
                    elements::Evidence::Tag => sure |= is_typical(tag),
                    elements::Evidence::Closed => {
                        sure |= tag.has_values() && tag.attribute("href").or(tag.attribute("style")).is_some();
                        open.insert(&tag.name);
                    }
                    elements::Evidence::Word => {
                        open.insert(&tag.name);
                    }
                },
                None => {
                    unknown_open.insert(&tag.name);
                }
            },
            Token::End(name, _) => match elements::find(name) {
                Some(element) if open.contains(&**name) => match element.evidence {
                    elements::Evidence::Word => words = true,
                    _ => sure = true,
                },
                // `</p>` alone is what a cut left of a page.
                Some(element) => sure |= element.evidence == elements::Evidence::Tag,
                None => xml |= unknown_open.contains(&**name) && !name.contains(':'),
            },
            _ => {}
        }
    }
    sure || (words && !xml)
}

/// `<p>`, `<br/>` and `<div class="x">` are tags; `<li kolo>` is words.
fn is_typical(tag: &Tag) -> bool {
    match &*tag.name {
        "input" => tag.has_values(),
        "img" => tag.attribute("src").is_some() || tag.attribute("alt").is_some(),
        _ => !tag.has_attributes() || tag.has_values(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(source: &str) -> Vec<String> {
        tokens(source)
            .iter()
            .map(|token| match token {
                Token::Start(tag) => format!("<{}", tag.name),
                Token::End(name, _) => format!("/{name}"),
                Token::Text(text) => format!("'{text}"),
                Token::Raw(text) => format!("raw {text}"),
                Token::OpenComment(text) => format!("open {text}"),
                Token::Comment => "comment".to_owned(),
                Token::Doctype => "doctype".to_owned(),
            })
            .collect()
    }

    #[test]
    fn tags_text_and_comments_are_told_apart() {
        assert_eq!(
            names("<!DOCTYPE html><P class='a>b'>x <!-- c --> y</P><br/>"),
            ["doctype", "<p", "'x ", "comment", "' y", "/p", "<br"]
        );
        assert_eq!(
            names("<style>a > b {}</STYLE>x"),
            ["<style", "raw a > b {}", "/style", "'x"]
        );
    }

    #[test]
    fn what_begins_no_tag_is_text() {
        assert_eq!(
            names("a < b <3 </3 <- <budget <b>"),
            ["'a ", "'< b ", "'<3 ", "'</3 ", "'<- ", "'<budget ", "<b"]
        );
        assert_eq!(names("x <!-- never"), ["'x ", "open  never"]);
        assert_eq!(names("<a href=\"x>y"), ["<a", "'y"]);
    }

    #[test]
    fn attributes_are_read_in_every_spelling() {
        let tokens = tokens("<a HREF = 'x&amp;y' b=c/d e disabled>");
        let Some(Token::Start(tag)) = tokens.first() else {
            panic!("{tokens:?}")
        };
        for (name, value) in [("href", "x&y"), ("b", "c/d"), ("e", ""), ("disabled", "")] {
            assert_eq!(tag.attribute(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(tag.attribute("c"), None);
    }

    #[test]
    fn html_is_told_from_plain_text_by_its_elements() {
        for html in [
            "<p>a",
            "a<br>b",
            "<b>x</b>",
            "<!doctype html>x",
            "<a href='x'>y",
            "<address>x</address>",
            "x</div>",
        ] {
            assert!(is_html(&tokens(html)), "{html}");
        }
        for plain in [
            "a <b and c> d",
            "<cislo smlouvy>",
            "<id>4711</id>",
            "<order><address>x</address></order>",
            "if (a<b && c>d)",
            "<https://pay.cz/p>",
            "<i> i",
            "List<String>",
            "a@b.cz <a@b.cz>",
        ] {
            assert!(!is_html(&tokens(plain)), "{plain}");
        }
    }
}
