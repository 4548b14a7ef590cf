//! Layout: lines of text out of a page's nodes, with quotes marked by `> `, rows of tables, lists and links.

use std::collections::{HashMap, HashSet};

use super::{
    Hidden,
    elements::Layout,
    marks,
    style::{self, Declared, Display, Seen, Sheet, Style, WhiteSpace},
    tokens::Tag,
    tree::{Kind, Node},
};
use crate::text;

/// How deep quotes and lists are marked; what is nested deeper reads no better for it.
const QUOTES_MAX: usize = 8;
const LISTS_MAX: usize = 8;

/// A cell of this many characters is no cell of a table that is read across.
const CELL_CHARS: usize = 160;
const ROW_CHARS: usize = 400;

/// What is decided about each node before anything is written.
pub(super) struct Plan {
    styles: Vec<Style>,
    displays: Vec<Option<Display>>,
    /// Rows that are written as `a | b`.
    rows: HashSet<usize>,
    /// Their cells, but those of columns that are empty in the whole table.
    cells: HashSet<usize>,
    /// How many items a list has.
    items: HashMap<usize, i64>,
    quotes: HashMap<usize, Quote>,
    /// Elements that begin an original message, as mail programs mark it.
    originals: HashSet<usize>,
    /// There is nothing to see on the page but what is hidden.
    all_hidden: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    /// As mail programs mark the mail that is answered.
    Cited,
    /// Any other quotation.
    Bare,
    /// Mail that is answered, not set in.
    Container,
    /// An indented passage of the author's.
    Indent,
}

pub(super) fn plan(nodes: &[Node], sheet: &Sheet) -> Plan {
    let mut plan = Plan {
        styles: Vec::with_capacity(nodes.len()),
        displays: Vec::with_capacity(nodes.len()),
        rows: HashSet::new(),
        cells: HashSet::new(),
        items: HashMap::new(),
        quotes: HashMap::new(),
        originals: HashSet::new(),
        all_hidden: false,
    };
    let mut open: Vec<usize> = Vec::new();
    let mut dry = DryRun::default();
    let mut lists: Vec<usize> = Vec::new();
    let (mut seen, mut hidden) = (false, false);
    let mut skipped = 0;
    for (at, node) in nodes.iter().enumerate() {
        while let Some(last) = open.last().copied()
            && nodes[last].end <= at
        {
            open.pop();
            dry.leave(
                last,
                &nodes[last],
                is_block(&nodes[last], plan.displays[last]),
                &mut plan,
            );
        }
        while lists.last().is_some_and(|last| nodes[*last].end <= at) {
            lists.pop();
        }
        let parent = open.last().map_or_else(Style::default, |last| plan.styles[*last]);
        match &node.kind {
            Kind::Element(tag, _) => {
                let (style, declared) = element_style(node, tag, sheet, &parent);
                let name = &*tag.name;
                let attribute = |name: &str| tag.attribute(name).unwrap_or_default();
                if name == "blockquote" {
                    plan.quotes
                        .insert(at, quote(&attribute("type"), &attribute("class"), &declared));
                } else if matches!(name, "div" | "span" | "section") {
                    let (id, class) = (attribute("id"), attribute("class"));
                    if marks::CONTAINERS
                        .iter()
                        .any(|known| id.contains(known) || class.contains(known))
                    {
                        plan.quotes.insert(at, Quote::Container);
                    } else if marks::ORIGINALS
                        .iter()
                        .any(|known| id.contains(known) || class.contains(known))
                        || declared.has_line_above()
                    {
                        plan.originals.insert(at);
                    }
                }
                plan.styles.push(style);
                plan.displays.push(style::display(&declared));
                if name == "img" && style.seen() == Seen::Yes && picture(tag).is_some() {
                    dry.text(1);
                    seen = true;
                }
                match name {
                    "ol" | "ul" => lists.push(at),
                    "li" => {
                        if let Some(list) = lists.last() {
                            *plan.items.entry(*list).or_default() += 1;
                        }
                    }
                    _ => {}
                }
                if is_no_text(node) {
                    skipped = skipped.max(node.end);
                }
                dry.enter(at, node, is_block(node, plan.displays[at]));
                if node.end > at + 1 {
                    open.push(at);
                } else {
                    dry.leave(at, node, is_block(node, plan.displays[at]), &mut plan);
                }
            }
            Kind::Text(text) => {
                plan.styles.push(parent);
                plan.displays.push(None);
                let chars = text.chars().filter(|c| is_ink(*c)).count();
                if chars > 0 && at >= skipped {
                    if parent.seen() == Seen::No {
                        hidden = true;
                    } else {
                        dry.text(chars);
                        if parent.space != WhiteSpace::Collapse && text.trim().contains('\n') {
                            dry.text_lines();
                        }
                        seen = true;
                    }
                }
            }
            Kind::Comment(_) => {
                plan.styles.push(parent);
                plan.displays.push(None);
                hidden = true;
            }
        }
    }
    while let Some(last) = open.pop() {
        dry.leave(
            last,
            &nodes[last],
            is_block(&nodes[last], plan.displays[last]),
            &mut plan,
        );
    }
    plan.all_hidden = hidden && !seen;
    plan
}

/// An element that holds no text of the page. One that never ends is not believed to be one.
fn is_no_text(node: &Node) -> bool {
    if !node.closed {
        return false;
    }
    match &node.kind {
        Kind::Element(_, Some(element)) => element.layout == Layout::NoText,
        Kind::Element(tag, None) => tag.name == "xml",
        _ => false,
    }
}

fn is_block(node: &Node, display: Option<Display>) -> bool {
    match &node.kind {
        Kind::Element(tag, element) => match (display, element.map(|element| element.layout)) {
            (Some(Display::None), _) => false,
            (Some(Display::Block), layout) => layout != Some(Layout::NoText) && tag.name != "img",
            (Some(Display::Inline | Display::Apart), _) => {
                matches!(&*tag.name, "tr" | "td" | "th" | "table" | "blockquote")
            }
            (_, Some(Layout::Block | Layout::Spaced)) => true,
            _ => false,
        },
        _ => false,
    }
}

/// A character that leaves a mark on the page.
fn is_ink(c: char) -> bool {
    !c.is_whitespace() && !text::is_invisible(c)
}

fn element_style(node: &Node, tag: &Tag, sheet: &Sheet, parent: &Style) -> (Style, Declared) {
    let is_special = matches!(
        &*tag.name,
        "del" | "s" | "strike" | "template" | "datalist" | "pre" | "textarea" | "xmp" | "sup"
    );
    let is_plain = !tag.has_attributes() && sheet.is_empty() && !is_special;
    if is_plain && !matches!(&node.kind, Kind::Element(_, Some(element)) if element.layout == Layout::NoText) {
        return (*parent, Declared::default());
    }
    let mut own = Declared::default();
    if tag.has_attributes() {
        let colour = if tag.name == "font" {
            tag.attribute("color")
        } else {
            None
        };
        style::presentational(
            &mut own,
            colour.as_deref(),
            tag.attribute("bgcolor").as_deref(),
            tag.attribute("background").is_some(),
        );
        if tag.attribute("hidden").is_some() {
            style::hide(&mut own);
        }
    }
    let is_open_style = matches!(&node.kind, Kind::Element(_, Some(element)) if element.layout == Layout::NoText);
    if is_open_style || matches!(&*tag.name, "template" | "datalist") {
        style::hide(&mut own);
    }
    if matches!(&*tag.name, "del" | "s" | "strike") {
        style::strike(&mut own);
    }
    let (exact, perhaps) = sheet.find(
        &tag.name,
        tag.attribute("id").as_deref(),
        tag.attribute("class").as_deref(),
    );
    let mut declared = style::cascade(exact, &own);
    if let Some(inline) = tag.attribute("style") {
        declared = style::cascade(style::declarations(&inline), &declared);
    }
    let mut style = parent.of_child(&declared, &perhaps, node.closed);
    match &*tag.name {
        "pre" | "textarea" | "xmp" if style.space == WhiteSpace::Collapse => style.space = WhiteSpace::Keep,
        "sup" => style.raised = true,
        _ => {}
    }
    (style, declared)
}

fn quote(kind: &str, class: &str, declared: &Declared) -> Quote {
    let class = class.to_ascii_lowercase();
    if kind.trim().eq_ignore_ascii_case("cite") || class.contains("quote") || class.contains("cite") {
        Quote::Cited
    } else if declared.is_indent() {
        Quote::Indent
    } else {
        Quote::Bare
    }
}

/// The layout without writing: which cells are one short line, so that rows of such cells are written across.
#[derive(Default)]
struct DryRun {
    line: usize,
    breaks: bool,
    chars: usize,
    /// Lists, quotes and the like so far.
    structures: usize,
    tables: Vec<Table>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    used: Vec<bool>,
    cell: Option<(usize, usize, usize)>,
}

struct Row {
    node: usize,
    /// Node, whether something stands in it, column.
    cells: Vec<(usize, bool, usize)>,
    columns: usize,
    chars: usize,
    fits: bool,
}

impl DryRun {
    fn text(&mut self, chars: usize) {
        if std::mem::take(&mut self.breaks) {
            self.line += 1;
        }
        self.chars += chars;
    }

    fn text_lines(&mut self) {
        self.line += 1;
    }

    fn enter(&mut self, at: usize, node: &Node, block: bool) {
        self.breaks |= block || node.name() == "br";
        match node.name() {
            "li" | "blockquote" | "pre" | "hr" | "textarea" | "select" => self.structures += 1,
            "table" => self.tables.push(Table::default()),
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.rows.push(Row {
                        node: at,
                        cells: Vec::new(),
                        columns: 0,
                        chars: 0,
                        fits: true,
                    });
                }
            }
            "td" | "th" => {
                let state = (self.line, self.chars, self.structures);
                if let Some(table) = self.tables.last_mut() {
                    table.cell = Some(state);
                    self.breaks = true;
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, at: usize, node: &Node, block: bool, plan: &mut Plan) {
        self.breaks |= block;
        match node.name() {
            "td" | "th" => {
                let Some(table) = self.tables.last_mut() else { return };
                let (Some((line, chars, structures)), Some(row)) = (table.cell.take(), table.rows.last_mut()) else {
                    return;
                };
                let filled = self.chars > chars;
                let cell_chars = self.chars - chars;
                let column = row.columns;
                row.cells.push((at, filled, column));
                row.columns += match &node.kind {
                    Kind::Element(tag, _) => tag
                        .attribute("colspan")
                        .and_then(|span| span.trim().parse().ok())
                        .unwrap_or(1_usize)
                        .clamp(1, 50),
                    _ => 1,
                };
                row.chars += cell_chars;
                row.fits &= self.line - line <= 1 && structures == self.structures && cell_chars <= CELL_CHARS;
                if filled {
                    if table.used.len() <= column {
                        table.used.resize(column + 1, false);
                    }
                    table.used[column] = true;
                }
            }
            "table" => {
                let Some(table) = self.tables.pop() else { return };
                for row in table.rows {
                    let filled = row.cells.iter().filter(|(_, filled, _)| *filled).count();
                    if !row.fits || filled < 2 || row.chars > ROW_CHARS {
                        continue;
                    }
                    plan.rows.insert(row.node);
                    let used = |column: usize| table.used.get(column).is_some_and(|used| *used);
                    plan.cells.extend(
                        row.cells
                            .iter()
                            .filter(|(_, _, column)| used(*column))
                            .map(|(cell, ..)| *cell),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Writes a page.
pub(super) fn write(nodes: &[Node], plan: &Plan, hidden: Hidden, keep_top_lines: bool) -> String {
    let mut writer = Writer {
        show_hidden: hidden == Hidden::Marked || plan.all_hidden,
        ..Writer::default()
    };
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < nodes.len() {
        while let Some(last) = open.last().copied()
            && nodes[last].end <= at
        {
            open.pop();
            writer.leave(last, &nodes[last], plan);
        }
        let node = &nodes[at];
        match &node.kind {
            Kind::Text(text) => {
                let style = &plan.styles[at];
                let space = if keep_top_lines && open.is_empty() {
                    WhiteSpace::KeepLines
                } else {
                    style.space
                };
                writer.text(text, style, space);
            }
            Kind::Comment(text) => writer.veiled(text, Seen::Doubtful),
            Kind::Element(tag, _) => {
                if is_no_text(node) {
                    at = node.end;
                    continue;
                }
                writer.enter(at, node, tag, plan);
                if node.end > at + 1 {
                    open.push(at);
                } else {
                    writer.leave(at, node, plan);
                }
            }
        }
        at += 1;
    }
    while let Some(last) = open.pop() {
        writer.leave(last, &nodes[last], plan);
    }
    writer.close_struck();
    writer.unveil();
    writer.out
}

/// What stands before a line within a quote or a list item.
struct Prefix {
    node: usize,
    /// Of the first line, if that has not been written.
    first: Option<String>,
    rest: String,
}

struct List {
    number: i64,
    step: i64,
    kind: Numbering,
}

#[derive(Clone, Copy)]
enum Numbering {
    None,
    Decimal,
    Letters(bool),
    Roman(bool),
}

struct Link {
    node: usize,
    target: String,
    start: usize,
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line breaks that come before the next character.
    breaks: usize,
    /// A blank that comes before it.
    blank: bool,
    /// Something stands on the current line.
    in_line: bool,
    prefixes: Vec<Prefix>,
    /// Open quotes, and how many of them are mail; quotes of the last line.
    quotes: usize,
    cited: usize,
    line_quotes: usize,
    lists: Vec<List>,
    links: Vec<Link>,
    /// The row that is written across, and the separators that come before its next character.
    row: Option<usize>,
    separators: usize,
    in_cell: bool,
    struck: bool,
    raised: bool,
    /// The last that was written is where a link leads.
    after_target: bool,
    /// A remark about hidden text is open; it was the last that was written.
    veil: bool,
    remarked: bool,
    show_hidden: bool,
    /// An original message begins on the next line.
    original: bool,
}

impl Writer {
    fn enter(&mut self, at: usize, node: &Node, tag: &Tag, plan: &Plan) {
        let style = &plan.styles[at];
        self.border(at, node, plan);
        if plan.originals.contains(&at) {
            self.original = true;
        }
        match plan.quotes.get(&at) {
            Some(Quote::Cited | Quote::Bare) => {
                self.quotes += 1;
                self.cited += usize::from(plan.quotes.get(&at) == Some(&Quote::Cited));
                if self.quotes <= QUOTES_MAX {
                    self.prefix(at, None, "> ");
                }
            }
            Some(Quote::Container) => {
                self.break_lines(1);
                self.cited += 1;
            }
            Some(Quote::Indent) | None => {}
        }
        match &*tag.name {
            "br" => self.line_break(style),
            "hr" if style.seen() == Seen::Yes && self.row.is_none() => {
                self.ink("---");
                self.break_lines(1);
            }
            "ul" | "ol" | "menu" | "dir" => self.lists.push(list(at, tag, plan)),
            "li" => self.item(at, tag),
            "dd" => self.prefix(at, None, "  "),
            "tr" if plan.rows.contains(&at) && self.row.is_none() => {
                self.row = Some(at);
                self.separators = 0;
                self.in_cell = false;
            }
            "td" | "th" if self.row.is_some() && plan.cells.contains(&at) => {
                self.separators += usize::from(self.in_cell);
                self.in_cell = true;
            }
            "q" => self.text("“", style, style.space),
            "a" => self.links.push(Link {
                node: at,
                target: tag.attribute("href").and_then(|href| target(&href)).unwrap_or_default(),
                start: self.out.len(),
            }),
            "img" => self.text(&picture(tag).unwrap_or_default(), style, WhiteSpace::Collapse),
            "input" => self.text(&input(tag).unwrap_or_default(), style, WhiteSpace::Collapse),
            _ => {}
        }
    }

    fn leave(&mut self, at: usize, node: &Node, plan: &Plan) {
        let style = &plan.styles[at];
        match node.name() {
            "a" => self.close_link(at, style),
            "q" => self.text("”", style, style.space),
            "ul" | "ol" | "menu" | "dir" => {
                self.lists.pop();
            }
            "tr" if self.row == Some(at) => {
                self.row = None;
                self.separators = 0;
                self.break_lines(1);
            }
            _ => {}
        }
        self.border(at, node, plan);
        if let Some(quote) = plan.quotes.get(&at) {
            self.quotes -= usize::from(matches!(quote, Quote::Cited | Quote::Bare));
            self.cited -= usize::from(matches!(quote, Quote::Cited | Quote::Container));
            self.break_lines(1);
        }
        while self.prefixes.last().is_some_and(|prefix| prefix.node == at) {
            self.prefixes.pop();
        }
    }

    /// What sets an element apart from the one before and the one after.
    fn border(&mut self, at: usize, node: &Node, plan: &Plan) {
        let Kind::Element(tag, element) = &node.kind else {
            return;
        };
        let layout = element.map(|element| element.layout);
        let shown = plan.displays[at];
        if plan.styles[at].is_gone() {
            self.blank |= is_block(node, shown) || shown == Some(Display::None);
        } else if is_block(node, shown) {
            let nested = match &*tag.name {
                "ul" | "ol" | "menu" | "dir" | "dl" => !self.lists.is_empty(),
                // An item's first paragraph stands beside its mark.
                "p" | "table" => self.prefixes.last().is_some_and(|prefix| prefix.first.is_some()),
                _ => false,
            };
            self.break_lines(if layout == Some(Layout::Spaced) && !nested {
                2
            } else {
                1
            });
        } else if layout == Some(Layout::Apart)
            || shown == Some(Display::Apart)
            || (shown == Some(Display::Inline) && matches!(layout, Some(Layout::Block | Layout::Spaced)))
        {
            self.blank = true;
        }
    }

    fn break_lines(&mut self, count: usize) {
        if self.row.is_some() {
            self.blank = true;
        } else if !self.out.is_empty() {
            self.breaks = self.breaks.max(count);
        }
    }

    fn line_break(&mut self, style: &Style) {
        if self.row.is_some() {
            self.blank = true;
        } else if style.seen() != Seen::No && !self.out.is_empty() {
            self.breaks += 1;
        }
    }

    fn prefix(&mut self, node: usize, first: Option<String>, rest: &str) {
        self.prefixes.push(Prefix {
            node,
            first,
            rest: rest.to_owned(),
        });
    }

    fn item(&mut self, at: usize, tag: &Tag) {
        let deep = self.lists.len() > LISTS_MAX;
        let mark = match self.lists.last_mut() {
            Some(list) => {
                if let Some(value) = tag.attribute("value").and_then(|value| value.trim().parse().ok()) {
                    list.number = value;
                }
                let number = list.number;
                list.number = list.number.saturating_add(list.step);
                numbered(number, list.kind)
            }
            None => "- ".to_owned(),
        };
        let indent = if deep { 0 } else { mark.chars().count() };
        self.prefix(at, Some(mark), &" ".repeat(indent));
    }

    fn text(&mut self, text: &str, style: &Style, space: WhiteSpace) {
        let seen = style.seen();
        if seen != Seen::Yes {
            return self.veiled(text, seen);
        }
        if !text.chars().any(is_ink) {
            return self.write(text, space);
        }
        self.unveil();
        if self.struck && !style.struck {
            self.close_struck();
        }
        if style.struck && !self.struck {
            self.blank |= text.starts_with(char::is_whitespace);
            self.lead();
            self.out.push_str("~~");
            self.struck = true;
            return self.write(text.trim_start(), space);
        }
        if style.raised
            && !self.raised
            && text.starts_with(|c: char| c.is_ascii_digit())
            && !self.blank
            && self.breaks == 0
            && self.separators == 0
            && self.out.ends_with(char::is_alphanumeric)
        {
            self.out.push('^');
        }
        self.raised = style.raised;
        self.write(text, space);
    }

    /// Text that is hidden, or may be: a remark in its place, or the text within a remark.
    fn veiled(&mut self, text: &str, seen: Seen) {
        if !text.chars().any(is_ink) {
            self.blank = true;
            return;
        }
        self.close_struck();
        if seen == Seen::No && !self.show_hidden {
            if !self.remarked {
                self.unveil();
                self.blank = true;
                self.ink("[hidden text left out]");
                self.remarked = true;
            }
            self.blank = true;
            return;
        }
        if !self.veil {
            self.blank = true;
            self.ink("[hidden text: ");
            self.veil = true;
            return self.write(text.trim_start(), WhiteSpace::Collapse);
        }
        self.write(text, WhiteSpace::Collapse);
    }

    fn unveil(&mut self) {
        if std::mem::take(&mut self.veil) {
            self.out.push(']');
            self.blank = true;
        }
    }

    fn close_struck(&mut self) {
        if std::mem::take(&mut self.struck) {
            self.out.push_str("~~");
        }
    }

    fn write(&mut self, text: &str, space: WhiteSpace) {
        let keeps = space != WhiteSpace::Collapse && self.row.is_none();
        for c in text.chars() {
            match c {
                '\n' if keeps => self.breaks += usize::from(!self.out.is_empty()),
                '\r' if keeps => {}
                c if c.is_whitespace() => {
                    if keeps && space == WhiteSpace::Keep {
                        self.lead();
                        self.out.push(' ');
                    } else {
                        self.blank = true;
                    }
                }
                c if text::is_invisible(c) => {}
                c => {
                    self.blank |= std::mem::take(&mut self.after_target) && (c.is_alphanumeric() || c == '[');
                    self.lead();
                    self.out.push(c);
                    self.remarked = false;
                }
            }
        }
    }

    fn ink(&mut self, text: &str) {
        self.lead();
        self.out.push_str(text);
        self.remarked = false;
        self.after_target = false;
    }

    /// Writes what comes before the next character: line breaks, marks of quotes and lists, separators, a blank.
    fn lead(&mut self) {
        if self.breaks > 0 || !self.in_line {
            let struck = self.struck;
            self.close_struck();
            self.begin_line();
            if struck {
                self.out.push_str("~~");
                self.struck = true;
            }
            self.separators = 0;
        } else if self.separators > 0 {
            self.out.push_str(&" | ".repeat(self.separators));
            self.separators = 0;
        } else if self.blank {
            self.out.push(' ');
        }
        self.blank = false;
        self.in_line = true;
    }

    fn begin_line(&mut self) {
        let quotes = self.quotes.min(QUOTES_MAX);
        if self.breaks > 1 {
            // The empty line belongs to the quotes that go on.
            let within = "> ".repeat(self.line_quotes.min(quotes));
            self.out.push('\n');
            self.out.push_str(within.trim_end());
        }
        if self.breaks > 0 {
            self.out.push('\n');
        }
        self.breaks = 0;
        self.line_quotes = quotes;
        if std::mem::take(&mut self.original) {
            self.out.push(marks::ORIGINAL);
        }
        if self.cited > 0 {
            self.out.push(marks::CITED);
        } else if quotes > 0 {
            self.out.push(marks::BARE);
        }
        for prefix in &mut self.prefixes {
            match prefix.first.take() {
                Some(first) => self.out.push_str(&first),
                None => self.out.push_str(&prefix.rest),
            }
        }
    }

    /// Shows where a link leads unless its text says so.
    fn close_link(&mut self, at: usize, style: &Style) {
        let Some(link) = self.links.pop_if(|link| link.node == at) else {
            return;
        };
        let text = self.out.get(link.start..).unwrap_or_default().trim();
        if link.target.is_empty() || text.is_empty() || (style.seen() == Seen::No && !self.show_hidden) {
            return;
        }
        let same = |a: &str, b: &str| a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
        let bare = link.target.trim_start_matches("https://").trim_start_matches("http://");
        let digits = |text: &str| {
            text.chars()
                .filter(|c| c.is_ascii_digit() || *c == '+')
                .collect::<String>()
        };
        let same_number = || {
            text.len() < 40
                && !text.chars().any(char::is_alphabetic)
                && link.target.starts_with(|c: char| c.is_ascii_digit() || c == '+')
                && digits(text) == digits(&link.target)
        };
        if !same(text, &link.target) && !same(text, bare) && !same_number() {
            self.out.push_str(" (");
            self.out.push_str(&link.target);
            self.out.push(')');
            self.after_target = true;
        }
    }
}

/// Where a link leads, if that is a place outside of the page.
fn target(href: &str) -> Option<String> {
    let href: String = href
        .trim()
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && !text::is_invisible(*c))
        .collect();
    let (scheme, rest) = match href.split_once(':') {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None if href.starts_with("www.") => return Some(href),
        None if href.starts_with("//") => return Some(format!("https:{href}")),
        None => return None,
    };
    match scheme.as_str() {
        "mailto" => Some(rest.split('?').next().unwrap_or_default().to_owned()),
        "tel" => Some(rest.to_owned()),
        "http" | "https" => Some(href),
        "javascript" | "vbscript" | "data" | "cid" | "mid" | "about" | "blob" | "x-apple-data-detectors" => None,
        other => {
            let is_scheme = other.starts_with(|c: char| c.is_ascii_lowercase())
                && other
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
            (is_scheme && other.len() > 1 && !other.contains('.')).then_some(href)
        }
    }
}

/// What stands for a picture: its description, the name of its file, or an emoji itself. Counters and spacers leave
/// nothing.
fn picture(tag: &Tag) -> Option<String> {
    let alt = tag.attribute("alt");
    let described = alt
        .as_deref()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let has_words = described.chars().any(char::is_alphanumeric);
    if !described.is_empty() && !has_words && described.chars().count() <= 8 {
        return Some(described);
    }
    let source = tag.attribute("src").unwrap_or_default();
    let source = source.trim();
    let cid = source
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("cid:"))
        .map(|_| source[4..].split('@').next().unwrap_or_default());
    let file = match cid {
        Some(name) => name,
        None => {
            let path = source.split(['?', '#']).next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            if name.contains('.') && name.len() <= 60 && !source.starts_with("data:") {
                name
            } else {
                ""
            }
        }
    };
    if !described.is_empty() {
        let is_other_file = cid.is_some() && file.contains('.') && !described.contains('.');
        return Some(if is_other_file {
            format!("[picture: {described}, {file}]")
        } else {
            format!("[picture: {described}]")
        });
    }
    let tiny = ["width", "height"].into_iter().any(|side| {
        let size = tag.attribute(side).unwrap_or_default();
        size.trim()
            .trim_end_matches("px")
            .parse::<f32>()
            .is_ok_and(|px| px <= 3.0)
    });
    let lower = file.to_ascii_lowercase();
    let is_filler = [
        "spacer",
        "pixel",
        "blank",
        "transparent",
        "track",
        "open.",
        "beacon",
        "1x1",
    ]
    .iter()
    .any(|word| lower.contains(word));
    if tiny || (cid.is_none() && (alt.is_some() || is_filler)) || source.is_empty() {
        return None;
    }
    Some(if file.is_empty() {
        "[picture]".to_owned()
    } else {
        format!("[picture: {file}]")
    })
}

/// What a field of a form shows.
fn input(tag: &Tag) -> Option<String> {
    let kind = tag.attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "hidden" | "password" => None,
        "checkbox" | "radio" => Some(
            if tag.attribute("checked").is_some() {
                "[x]"
            } else {
                "[ ]"
            }
            .to_owned(),
        ),
        "image" => tag.attribute("alt").map(|alt| alt.into_owned()),
        _ => tag.attribute("value").map(|value| value.into_owned()),
    }
}

fn list(at: usize, tag: &Tag, plan: &Plan) -> List {
    let kind = match (&*tag.name, tag.attribute("type").as_deref()) {
        ("ol", Some("a")) => Numbering::Letters(false),
        ("ol", Some("A")) => Numbering::Letters(true),
        ("ol", Some("i")) => Numbering::Roman(false),
        ("ol", Some("I")) => Numbering::Roman(true),
        ("ol", _) => Numbering::Decimal,
        _ => Numbering::None,
    };
    let start = tag.attribute("start").and_then(|start| start.trim().parse().ok());
    let reversed = tag.attribute("reversed").is_some();
    let first = if reversed {
        plan.items.get(&at).copied().unwrap_or(1)
    } else {
        1
    };
    List {
        number: start.unwrap_or(first),
        step: if reversed { -1 } else { 1 },
        kind,
    }
}

fn numbered(number: i64, kind: Numbering) -> String {
    match kind {
        Numbering::None => "- ".to_owned(),
        Numbering::Letters(upper) if number > 0 => {
            let mut rest = number;
            let mut letters = Vec::new();
            while rest > 0 {
                rest -= 1;
                let first = if upper { b'A' } else { b'a' };
                letters.push(char::from(first + (rest % 26) as u8));
                rest /= 26;
            }
            letters.iter().rev().collect::<String>() + ". "
        }
        Numbering::Roman(upper) if (1..4000).contains(&number) => {
            const ROMAN: &[(i64, &str)] = &[
                (1000, "m"),
                (900, "cm"),
                (500, "d"),
                (400, "cd"),
                (100, "c"),
                (90, "xc"),
                (50, "l"),
                (40, "xl"),
                (10, "x"),
                (9, "ix"),
                (5, "v"),
                (4, "iv"),
                (1, "i"),
            ];
            let mut rest = number;
            let mut out = String::new();
            for (value, letters) in ROMAN {
                while rest >= *value {
                    out += letters;
                    rest -= value;
                }
            }
            (if upper { out.to_uppercase() } else { out }) + ". "
        }
        _ => format!("{number}. "),
    }
}
