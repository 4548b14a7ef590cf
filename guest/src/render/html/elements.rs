//! Table of HTML elements: which of them break lines, which hold no text, and which tell HTML from plain text.

/// How an element is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Inline,
    /// Inline, but apart from its neighbours: labels and buttons.
    Apart,
    Block,
    /// A block with an empty line around it.
    Spaced,
    /// What it holds is no text of the page.
    NoText,
}

/// How much a tag of this name says about a text being HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// People write such words in angle brackets, too: only beside other evidence.
    Word,
    /// When it is closed.
    Closed,
    /// Always, when the tag is well formed.
    Tag,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) layout: Layout,
    pub(super) evidence: Evidence,
    pub(super) void: bool,
}

pub(super) fn find(name: &str) -> Option<&'static Element> {
    ELEMENTS
        .binary_search_by(|element| element.name.cmp(name))
        .ok()
        .map(|at| &ELEMENTS[at])
}

const fn element(name: &'static str, layout: Layout, evidence: Evidence) -> Element {
    Element {
        name,
        layout,
        evidence,
        void: false,
    }
}

const fn void(name: &'static str, layout: Layout, evidence: Evidence) -> Element {
    Element {
        name,
        layout,
        evidence,
        void: true,
    }
}

use Evidence::{Closed, Tag, Word};
use Layout::{Apart, Block, Inline, NoText, Spaced};

/// Sorted by name.
const ELEMENTS: &[Element] = &[
    element("a", Inline, Closed),
    element("abbr", Inline, Word),
    element("acronym", Inline, Word),
    element("address", Block, Word),
    element("applet", Inline, Word),
    void("area", Inline, Word),
    element("article", Block, Word),
    element("aside", Block, Word),
    element("audio", Inline, Word),
    element("b", Inline, Closed),
    void("base", NoText, Word),
    element("bdi", Inline, Word),
    element("bdo", Inline, Word),
    element("big", Inline, Closed),
    element("blink", Inline, Word),
    element("blockquote", Spaced, Tag),
    element("body", Inline, Tag),
    void("br", Inline, Tag),
    element("button", Apart, Word),
    element("canvas", Inline, Word),
    element("caption", Block, Word),
    element("center", Block, Closed),
    element("cite", Inline, Word),
    element("code", Inline, Word),
    void("col", Inline, Word),
    element("colgroup", Inline, Word),
    element("data", Inline, Word),
    element("datalist", Inline, Word),
    element("dd", Block, Word),
    element("del", Inline, Closed),
    element("details", Block, Word),
    element("dfn", Inline, Word),
    element("dialog", Block, Word),
    element("dir", Spaced, Word),
    element("div", Block, Tag),
    element("dl", Block, Word),
    element("dt", Block, Word),
    element("em", Inline, Closed),
    void("embed", Inline, Word),
    element("fieldset", Block, Word),
    element("figcaption", Block, Word),
    element("figure", Block, Word),
    element("font", Inline, Closed),
    element("footer", Block, Word),
    element("form", Block, Word),
    void("frame", Inline, Word),
    element("frameset", Block, Word),
    element("h1", Spaced, Closed),
    element("h2", Spaced, Closed),
    element("h3", Spaced, Closed),
    element("h4", Spaced, Closed),
    element("h5", Spaced, Closed),
    element("h6", Spaced, Closed),
    element("head", Inline, Tag),
    element("header", Block, Word),
    element("hgroup", Block, Word),
    void("hr", Block, Tag),
    element("html", Inline, Tag),
    element("i", Inline, Closed),
    element("iframe", NoText, Word),
    void("img", Inline, Tag),
    void("input", Apart, Tag),
    element("ins", Inline, Closed),
    element("kbd", Inline, Word),
    element("label", Apart, Word),
    element("legend", Block, Word),
    element("li", Block, Tag),
    void("link", NoText, Word),
    element("main", Block, Word),
    element("map", Inline, Word),
    element("mark", Inline, Word),
    element("marquee", Block, Word),
    element("math", Inline, Word),
    element("menu", Spaced, Word),
    void("meta", NoText, Tag),
    element("meter", Inline, Word),
    element("nav", Block, Word),
    element("nobr", Inline, Closed),
    element("noembed", NoText, Word),
    element("noframes", Block, Word),
    element("noscript", Inline, Word),
    element("object", Inline, Word),
    element("ol", Spaced, Tag),
    element("optgroup", Block, Word),
    element("option", Block, Word),
    element("output", Apart, Word),
    element("p", Spaced, Tag),
    void("param", NoText, Word),
    element("picture", Inline, Word),
    element("pre", Spaced, Closed),
    element("progress", Inline, Word),
    element("q", Inline, Word),
    element("rp", Inline, Word),
    element("rt", Inline, Word),
    element("ruby", Inline, Word),
    element("s", Inline, Closed),
    element("samp", Inline, Word),
    element("script", NoText, Closed),
    element("search", Block, Word),
    element("section", Block, Word),
    element("select", Block, Word),
    element("small", Inline, Closed),
    void("source", NoText, Word),
    element("span", Inline, Tag),
    element("strike", Inline, Closed),
    element("strong", Inline, Closed),
    element("style", NoText, Closed),
    element("sub", Inline, Closed),
    element("summary", Block, Word),
    element("sup", Inline, Closed),
    element("svg", Inline, Word),
    element("table", Spaced, Tag),
    element("tbody", Block, Closed),
    element("td", Block, Tag),
    element("template", Inline, Word),
    element("textarea", Block, Word),
    element("tfoot", Block, Closed),
    element("th", Block, Tag),
    element("thead", Block, Closed),
    element("time", Inline, Word),
    element("title", NoText, Word),
    element("tr", Block, Tag),
    void("track", NoText, Word),
    element("tt", Inline, Closed),
    element("u", Inline, Closed),
    element("ul", Spaced, Tag),
    element("var", Inline, Word),
    element("video", Inline, Word),
    void("wbr", Inline, Word),
    element("xmp", Spaced, Word),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ELEMENTS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(find("blockquote").map(|found| found.layout), Some(Spaced));
        assert_eq!(find("jmeno"), None);
    }
}
