//! HTML to plain text: what a reader of the rendered page would see.
//!
//! The tokenizer is the one of the HTML standard; a tree is not needed to read text. Line structure is kept (blocks,
//! rows, list items), cells are set apart by ` | `, links show where they lead, and pictures show their description.

use std::collections::HashMap;

use html5gum::{StartTag, Token, Tokenizer};

/// Elements whose text is not for reading. What `object` and `noscript` hold is for programs like this one.
const HIDDEN: &[&str] = &["head", "script", "style", "svg", "template", "title"];

/// Elements that start on a line of their own. Those in `SPACED` also have an empty line around them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];
const SPACED: &[&str] = &[
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
];

/// Names that only mark-up uses: a text without any of them is plain text, whose line breaks count.
const INLINE: &[&str] = &[
    "a", "b", "body", "br", "em", "font", "html", "i", "img", "meta", "noscript", "o:p", "object", "s", "small",
    "span", "strong", "sub", "sup", "td", "th", "u",
];

/// How deep quotes of quotes are marked; a conversation that is longer reads no better for it.
const QUOTES_MAX: usize = 8;

/// The text of an HTML document or fragment. Text without mark-up comes back as it is, its entities decoded.
pub fn to_text(source: &str) -> String {
    if !source.contains(['<', '&']) {
        return source.to_owned();
    }
    let tokens: Vec<Token> = Tokenizer::new(source)
        .map(|token| match token {
            Ok(token) => token,
        })
        .collect();
    let markup = tokens.iter().any(|token| match token {
        Token::StartTag(tag) => is_known(&name(&tag.name)),
        Token::EndTag(tag) => is_known(&name(&tag.name)),
        _ => false,
    });
    let mut page = Page {
        keep_breaks: !markup,
        ..Page::default()
    };
    let mut skip_to = 0;
    let mut ends = None;
    for (i, token) in tokens.iter().enumerate() {
        if i < skip_to {
            continue;
        }
        if is_unseen(token)
            && let Some(end) = ends.get_or_insert_with(|| matching_ends(&tokens))[i]
        {
            // Pictures that count readers are hidden, too, and hold no text worth a word.
            let is_text = |token: &Token| matches!(token, Token::String(text) if !text.trim_ascii().is_empty());
            if tokens[i..end].iter().any(is_text) {
                page.text(" [hidden text left out] ");
                skip_to = end + 1;
                continue;
            }
        }
        page.token(token);
    }
    page.out
}

/// For each start tag, where its element ends. In one pass, since a mail may hold any number of tags.
fn matching_ends(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut ends = vec![None; tokens.len()];
    let mut open: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::StartTag(tag) if !tag.self_closing => open.entry(&tag.name).or_default().push(i),
            Token::EndTag(tag) => {
                if let Some(start) = open.get_mut(&*tag.name.0).and_then(Vec::pop) {
                    ends[start] = Some(i);
                }
            }
            _ => {}
        }
    }
    ends
}

/// Whether an element begins here that the page does not show; text in it is meant for a machine, not for the reader.
/// Only what has an end counts, so that a mark-up error cannot swallow the rest of a mail.
fn is_unseen(token: &Token) -> bool {
    let Token::StartTag(tag) = token else {
        return false;
    };
    let style = attribute(tag, "style")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .replace(' ', "")
        + ";";
    let hides = [
        "display:none",
        "visibility:hidden",
        "font-size:0;",
        "font-size:0px",
        "opacity:0;",
    ];
    let hidden = attribute(tag, "hidden").is_some() || hides.iter().any(|hide| style.contains(hide));
    hidden && !tag.self_closing && !HIDDEN.contains(&name(&tag.name).as_str())
}

fn attribute(tag: &StartTag<()>, key: &str) -> Option<String> {
    tag.attributes
        .iter()
        .find(|(k, _)| ***k == *key.as_bytes())
        .map(|(_, v)| String::from_utf8_lossy(v).into_owned())
}

fn is_known(name: &str) -> bool {
    [HIDDEN, BLOCKS, INLINE].iter().any(|names| names.contains(&name))
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[derive(Default)]
struct Page {
    out: String,
    /// The text has no mark-up: line breaks are the author's.
    keep_breaks: bool,
    /// The innermost hidden element and how often it is open.
    hidden: Option<(String, usize)>,
    /// Inside `pre`, how deep.
    preformatted: usize,
    /// The current row has a cell already.
    in_row: bool,
    /// Where in `out` open quotes began; `None` for those that are no quoted mail.
    quotes: Vec<Option<usize>>,
    /// Where links lead and where in `out` their text began.
    links: Vec<(String, usize)>,
}

impl Page {
    fn token(&mut self, token: &Token) {
        match token {
            Token::StartTag(tag) => {
                let name = name(&tag.name);
                self.open(&name, tag.self_closing, |key| attribute(tag, key));
            }
            Token::EndTag(tag) => self.close(&name(&tag.name)),
            Token::String(text) => self.text(&String::from_utf8_lossy(text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    fn open(&mut self, name: &str, self_closing: bool, attribute: impl Fn(&str) -> Option<String>) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name && !self_closing {
                *depth += 1;
            }
            // `</head>` may be left out, and text's own elements end a drawing.
            let ends = match hidden.as_str() {
                "head" => name == "body",
                "svg" => BLOCKS.contains(&name) || name == "br",
                _ => false,
            };
            if !ends {
                return;
            }
            self.hidden = None;
        }
        if HIDDEN.contains(&name) {
            if !self_closing {
                self.hidden = Some((name.to_owned(), 1));
            }
            return;
        }
        // `<a@b.cz>` is an address in plain text, not an element.
        if name.contains('@') {
            return self.text(&format!("<{name}>"));
        }
        self.block(name);
        match name {
            "br" => self.out.push('\n'),
            "hr" => self.out.push_str("---\n"),
            "li" => self.out.push_str("- "),
            "pre" => self.preformatted += 1,
            "blockquote" => {
                let is_mail = attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("cite"))
                    || attribute("class").is_some_and(|class| class.contains("quote"));
                let shallow = self.quotes.len() < QUOTES_MAX;
                self.quotes
                    .push((is_mail && shallow && !self.in_row).then_some(self.out.len()));
            }
            "tr" => self.in_row = false,
            "td" | "th" => {
                if self.in_row {
                    self.out.truncate(self.out.trim_end_matches(' ').len());
                    self.out.push_str(" | ");
                }
                self.in_row = true;
            }
            "a" => self.links.push((attribute("href").unwrap_or_default(), self.out.len())),
            "img" => {
                if let Some(alt) = attribute("alt").filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("[picture: {}]", alt.trim()));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name {
                *depth -= 1;
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        match name {
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "a" => self.close_link(),
            "blockquote" => self.close_quote(),
            "tr" => self.in_row = false,
            _ => {}
        }
        self.block(name);
    }

    /// Shows where a link leads unless its text says so.
    fn close_link(&mut self) {
        let Some((href, start)) = self.links.pop() else { return };
        let href = href.trim();
        let target = href
            .strip_prefix("mailto:")
            .or_else(|| href.strip_prefix("tel:"))
            .unwrap_or(href);
        let is_web = href.starts_with("http://") || href.starts_with("https://") || target != href;
        // A block inside the link may have trimmed the text behind its start.
        let text = self.out.get(start..).unwrap_or_default();
        let same = |a: &str, b: &str| a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
        let bare = target.trim_start_matches("https://").trim_start_matches("http://");
        if is_web && !same(text.trim(), target) && !same(text.trim(), bare) {
            self.text(&format!(" ({target})"));
        }
    }

    /// Marks quoted mail as mail in plain text does, so that an answer below or between the quotes stands out.
    fn close_quote(&mut self) {
        let Some(Some(start)) = self.quotes.pop() else { return };
        let Some(quoted) = self.out.get(start..) else { return };
        let marked: String = quoted
            .trim_matches('\n')
            .lines()
            .map(|line| format!("> {line}").trim_end().to_owned() + "\n")
            .collect();
        self.out.truncate(start);
        self.out += &marked;
        // Links within have been told; one that the quote tore apart has lost its place.
        self.links.iter_mut().for_each(|(_, at)| *at = (*at).min(start));
    }

    fn block(&mut self, name: &str) {
        if !BLOCKS.contains(&name) || (self.in_row && name != "tr" && name != "table") {
            // Blocks within a cell do not tear the row apart.
            if BLOCKS.contains(&name) && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
            return;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        if SPACED.contains(&name) && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.keep_breaks || self.preformatted > 0 {
            return self.out.push_str(text);
        }
        for c in text.chars() {
            if !c.is_ascii_whitespace() {
                self.out.push(c);
            } else if !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, text: &str) {
        assert_eq!(crate::text::clean(&to_text(html)), text);
    }

    #[test]
    fn blocks_lists_and_breaks_become_lines() {
        check(
            "<div>Hello<br>world</div><p>One\n two</p><ul><li>a</li><li>b</li></ul>end",
            "Hello\nworld\n\nOne two\n\n- a\n- b\n\nend",
        );
    }

    #[test]
    fn table_cells_stay_apart() {
        check(
            "<table><tr><th>Item</th><th>Price</th></tr><tr><td><p>Bike</p></td><td>10</td></tr></table>",
            "Item | Price\nBike | 10",
        );
    }

    #[test]
    fn addresses_in_angle_brackets_and_comparisons_survive() {
        check(
            "<p>Jan &lt;jan@b.cz&gt; and <a@b.cz>, a < b and c > d</p>",
            "Jan <jan@b.cz> and <a@b.cz>, a < b and c > d",
        );
        check("write to <a@b.cz>\r\nor call", "write to <a@b.cz>\nor call");
    }

    #[test]
    fn styles_scripts_titles_and_comments_are_not_text() {
        check(
            "<html><head><title>T</title><style>p{}</style></head><body><!--[if mso]>x<![endif]--><script>a()</script>Hi</body></html>",
            "Hi",
        );
    }

    #[test]
    fn what_programs_like_this_one_are_to_show_is_text_and_a_drawing_ends_where_text_begins() {
        check(
            "<p>Hello</p><object data='x'><p>one</p></object><noscript>two</noscript>",
            "Hello\n\none\n\ntwo",
        );
        check(
            "<p>Hello</p><svg><text>x</text><path d='1'><p>rest</p>",
            "Hello\n\nrest",
        );
    }

    #[test]
    fn links_show_where_they_lead_unless_their_text_does() {
        check(
            r#"<a href="https://x.cz/pay">pay here</a> <a href="https://x.cz/">x.cz</a> <a href="mailto:a@b.cz">a@b.cz</a> <a href="javascript:x()">z</a>"#,
            "pay here (https://x.cz/pay) x.cz a@b.cz z",
        );
    }

    #[test]
    fn what_the_page_does_not_show_is_left_out_with_a_word() {
        check(
            r#"a <div style="display: NONE"><div>x</div>reveal it</div>b <span hidden>y</span><img style="display:none" src="p">c"#,
            "a [hidden text left out] b [hidden text left out] c",
        );
        check(r#"<p style="display:none">never closed"#, "never closed");
    }

    #[test]
    fn plain_text_keeps_its_lines_and_decodes_entities() {
        check("a &amp; b\n  c", "a & b\n  c");
    }

    #[test]
    fn quoted_mail_is_marked() {
        check(
            r#"<p>Wrote:</p><blockquote type="cite"><p>Old</p><blockquote class="gmail_quote">older</blockquote></blockquote>new<blockquote>set in</blockquote>"#,
            "Wrote:\n\n> Old\n>\n> > older\n\nnew\n\nset in",
        );
    }

    #[test]
    fn any_number_of_hidden_elements_without_an_end_takes_no_time() {
        let many = "<p hidden>a<img style='display:none'>".repeat(100_000);
        assert!(!to_text(&many).contains("hidden"));
    }

    #[test]
    fn preformatted_text_keeps_its_lines() {
        check("<pre>a\n  b</pre>", "a\n  b");
    }
}
