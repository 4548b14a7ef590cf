//! Tree builder: elements and texts in document order, with end tags implied as browsers imply them. Without recursion,
//! in linear time.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    elements::{self, Element, Layout},
    tokens::{Tag, Token},
};

pub(super) struct Node<'a> {
    pub(super) kind: Kind<'a>,
    /// Number of the node after the last that is within this one.
    pub(super) end: usize,
    /// An element whose end was seen or goes without saying.
    pub(super) closed: bool,
}

pub(super) enum Kind<'a> {
    Text(Cow<'a, str>),
    /// What follows a comment's start without an end.
    Comment(&'a str),
    Element(Tag<'a>, Option<&'static Element>),
}

impl<'a> Node<'a> {
    pub(super) fn name(&self) -> &str {
        match &self.kind {
            Kind::Element(tag, _) => &tag.name,
            _ => "",
        }
    }
}

/// The nodes of a page, and what its `<style>` elements hold.
pub(super) fn build<'a>(tokens: Vec<Token<'a>>) -> (Vec<Node<'a>>, Vec<&'a str>) {
    let ends: HashSet<String> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::End(name, _) if elements::find(name).is_none() => Some(name.to_string()),
            _ => None,
        })
        .collect();
    let mut builder = Builder {
        ends,
        ..Builder::default()
    };
    let mut sheets = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => builder.text(htmlize::unescape(text)),
            Token::OpenComment(text) => builder.leaf(Kind::Comment(text)),
            Token::Raw(text) => match builder.innermost() {
                "style" => sheets.push(text),
                "textarea" => builder.leaf(Kind::Text(htmlize::unescape(text))),
                "xmp" => builder.leaf(Kind::Text(Cow::Borrowed(text))),
                _ => {}
            },
            Token::Start(tag) => builder.start(tag),
            Token::End(name, source) => builder.end(&name, source),
            Token::Comment | Token::Doctype => {}
        }
    }
    builder.pop_to(0, false);
    (builder.nodes, sheets)
}

#[derive(Default)]
struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    /// Numbers of the open elements.
    stack: Vec<usize>,
    /// Where in the stack elements of a name are open.
    open: HashMap<String, Vec<usize>>,
    /// Where in the stack tables and their cells are open: what begins in one ends in it.
    tables: Vec<usize>,
    cells: Vec<usize>,
    lists: Vec<usize>,
    /// Unknown elements that have an end tag.
    ends: HashSet<String>,
}

impl<'a> Builder<'a> {
    fn innermost(&self) -> &str {
        self.stack.last().map_or("", |at| self.nodes[*at].name())
    }

    fn leaf(&mut self, kind: Kind<'a>) {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node {
            kind,
            end,
            closed: true,
        });
    }

    fn text(&mut self, text: Cow<'a, str>) {
        if self.innermost() == "head" && !text.trim_ascii().is_empty() {
            self.close("head", 0);
        }
        self.leaf(Kind::Text(text));
    }

    fn start(&mut self, tag: Tag<'a>) {
        let element = elements::find(&tag.name);
        if element.is_none() && self.is_words(&tag) {
            return self.text(Cow::Borrowed(tag.source));
        }
        if self.open.get("head").is_some_and(|open| !open.is_empty())
            && !matches!(
                &*tag.name,
                "base" | "link" | "meta" | "noscript" | "script" | "style" | "template" | "title" | "xml"
            )
            && element.is_some()
        {
            self.close("head", 0);
        }
        let cell = self.cells.last().map_or(0, |at| at + 1);
        let table = self.tables.last().map_or(0, |at| at + 1);
        let list = self.lists.last().map_or(0, |at| at + 1).max(cell);
        match &*tag.name {
            "li" => self.close("li", list),
            "dd" | "dt" => {
                self.close("dd", list);
                self.close("dt", list);
            }
            "option" | "optgroup" => self.close("option", cell),
            "a" => self.close("a", cell),
            "tr" => self.close("tr", table),
            "td" | "th" => {
                self.close("td", table);
                self.close("th", table);
            }
            "tbody" | "thead" | "tfoot" => {
                for part in ["tbody", "thead", "tfoot"] {
                    self.close(part, table);
                }
            }
            _ => {}
        }
        let is_block = element.is_some_and(|element| matches!(element.layout, Layout::Block | Layout::Spaced));
        let in_table = matches!(
            &*tag.name,
            "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption" | "option" | "optgroup"
        );
        if is_block && !in_table {
            self.close("p", cell);
        }
        let is_leaf = element.map_or(tag.source.ends_with("/>"), |element| element.void);
        let position = self.stack.len();
        if !is_leaf {
            match &*tag.name {
                "table" => self.tables.push(position),
                "td" | "th" | "caption" => self.cells.push(position),
                "ul" | "ol" | "menu" | "dir" | "dl" => self.lists.push(position),
                _ => {}
            }
            self.open.entry(tag.name.to_string()).or_default().push(position);
            self.stack.push(self.nodes.len());
        }
        self.leaf(Kind::Element(tag, element));
    }

    /// Whether a tag of an unknown name is something in angle brackets: an address, a placeholder.
    fn is_words(&self, tag: &Tag) -> bool {
        let name = &*tag.name;
        if name.contains(['@', '.']) || name.ends_with(':') {
            return true;
        }
        if let Some((space, _)) = name.split_once(':') {
            return space.len() > 4 || matches!(space, "tel" | "sms" | "sip" | "fax" | "ftp" | "http");
        }
        !self.ends.contains(name) && !tag.has_values() && !tag.source.ends_with("/>")
    }

    fn end(&mut self, name: &str, source: &'a str) {
        let scope = match name {
            "table" | "body" | "html" => 0,
            "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption" => self.tables.last().map_or(0, |at| at + 1),
            _ => self.cells.last().map_or(0, |at| at + 1),
        };
        if !self.open.contains_key(name) && elements::find(name).is_none() && !name.contains(':') {
            return self.text(Cow::Borrowed(source));
        }
        if name == "br" || (name == "p" && self.open.get("p").is_none_or(Vec::is_empty)) {
            return; // Browsers make an empty element of it.
        }
        self.close(name, scope);
    }

    /// Closes the innermost open element of a name, if it is open within a scope.
    fn close(&mut self, name: &str, scope: usize) {
        if let Some(position) = self.open.get(name).and_then(|open| open.last()).copied()
            && position >= scope
        {
            self.pop_to(position, true);
        }
    }

    fn pop_to(&mut self, position: usize, closed: bool) {
        let end = self.nodes.len();
        for at in self.stack.drain(position..) {
            self.nodes[at].end = end;
            self.nodes[at].closed = closed;
            if let Some(open) = self.open.get_mut(self.nodes[at].name()) {
                open.pop();
            }
        }
        for marks in [&mut self.tables, &mut self.cells, &mut self.lists] {
            while marks.last().is_some_and(|at| *at >= position) {
                marks.pop();
            }
        }
    }
}
