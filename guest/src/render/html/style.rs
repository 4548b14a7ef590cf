//! Detection of hidden text: CSS as far as it decides visibility, from `style` attributes and simple rules in `<style>`, with
//! cascade and inheritance.

use std::collections::HashMap;

/// A property that is read. Its number is its place in `Declared`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Display,
    Visibility,
    Opacity,
    FontSize,
    Color,
    Background,
    WhiteSpace,
    Decoration,
    VerticalAlign,
    TextIndent,
    Overflow,
    Height,
    MaxHeight,
    Width,
    MaxWidth,
    Position,
    Left,
    Top,
    Right,
    Bottom,
    MarginLeft,
    MarginTop,
    Clip,
    BorderTop,
    Border,
}

const PROPERTIES: &[(&str, Property)] = &[
    ("display", Property::Display),
    ("visibility", Property::Visibility),
    ("opacity", Property::Opacity),
    ("font-size", Property::FontSize),
    ("font", Property::FontSize),
    ("color", Property::Color),
    ("background-color", Property::Background),
    ("background", Property::Background),
    ("white-space", Property::WhiteSpace),
    ("text-decoration", Property::Decoration),
    ("text-decoration-line", Property::Decoration),
    ("vertical-align", Property::VerticalAlign),
    ("text-indent", Property::TextIndent),
    ("overflow", Property::Overflow),
    ("overflow-x", Property::Overflow),
    ("overflow-y", Property::Overflow),
    ("height", Property::Height),
    ("max-height", Property::MaxHeight),
    ("width", Property::Width),
    ("max-width", Property::MaxWidth),
    ("position", Property::Position),
    ("left", Property::Left),
    ("top", Property::Top),
    ("right", Property::Right),
    ("bottom", Property::Bottom),
    ("margin-left", Property::MarginLeft),
    ("margin-top", Property::MarginTop),
    ("clip", Property::Clip),
    ("clip-path", Property::Clip),
    ("transform", Property::Clip),
    ("border-top", Property::BorderTop),
    ("border", Property::Border),
];

/// As many as `Property` has.
const COUNT: usize = Property::Border as usize + 1;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    /// The property does something, as its name says: `none`, `hidden`, `absolute` …
    Yes,
    No,
    Pixels(f32),
    /// Relative to the inherited size.
    Times(f32),
    Color(Color),
    Layout(Display),
    Space(WhiteSpace),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    None,
    Inline,
    Apart,
    Block,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WhiteSpace {
    #[default]
    Collapse,
    /// Blanks and line breaks count.
    Keep,
    /// Line breaks count.
    KeepLines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    Rgb(u8, u8, u8),
    Transparent,
    /// A picture, a variable: it cannot be compared.
    Unknown,
}

/// What an element declares, by property; `true` for what is important.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared([Option<(Value, bool)>; COUNT]);

impl Declared {
    fn set(&mut self, property: Property, value: Value, important: bool) {
        let slot = &mut self.0[property as usize];
        if important || !slot.is_some_and(|(_, important)| important) {
            *slot = Some((value, important));
        }
    }

    fn add(&mut self, other: &Declared) {
        for (slot, new) in self.0.iter_mut().zip(&other.0) {
            if let Some((_, important)) = new
                && (*important || !slot.is_some_and(|(_, important)| important))
            {
                *slot = *new;
            }
        }
    }

    fn get(&self, property: Property) -> Option<Value> {
        self.0[property as usize].map(|(value, _)| value)
    }

    fn is(&self, property: Property) -> bool {
        self.get(property) == Some(Value::Yes)
    }

    fn pixels(&self, property: Property) -> Option<f32> {
        match self.get(property) {
            Some(Value::Pixels(pixels)) => Some(pixels),
            Some(Value::Times(0.0)) => Some(0.0),
            _ => None,
        }
    }

    /// A line across above the element, as Outlook draws above the original message.
    pub(super) fn has_line_above(&self) -> bool {
        self.is(Property::BorderTop)
    }

    /// An indented passage, as editors make it, in place of a quotation.
    pub(super) fn is_indent(&self) -> bool {
        self.get(Property::Border) == Some(Value::No) && self.pixels(Property::MarginLeft).is_some_and(|px| px > 0.0)
    }
}

/// The declarations of a `style` attribute or a rule; those that are no CSS or not known are left out.
pub(super) fn declarations(source: &str) -> Declared {
    let source = plain(source);
    let mut out = Declared::default();
    for declaration in split(&source, ';') {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let name = name.trim();
        let (value, important) = match value.rsplit_once('!') {
            Some((value, mark)) if mark.trim() == "important" => (value.trim(), true),
            _ => (value.trim(), false),
        };
        if let Some((_, property)) = PROPERTIES.iter().find(|(known, _)| *known == name)
            && let Some(parsed) = parse(name, *property, value)
        {
            out.set(*property, parsed, important);
            // A short form for all sides or parts.
            if name == "border" {
                out.set(Property::BorderTop, Value::No, important);
            }
        }
        if name == "margin" {
            let sides: Vec<f32> = value.split_whitespace().filter_map(pixels).collect();
            if let (Some(top), Some(left)) = (sides.first(), sides.get(3).or(sides.get(1)).or(sides.first())) {
                out.set(Property::MarginTop, Value::Pixels(*top), important);
                out.set(Property::MarginLeft, Value::Pixels(*left), important);
            }
        }
    }
    out
}

/// In lower case, without comments, escapes decoded, and with blanks as the only white space.
fn plain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("/*") {
        out.push_str(&rest[..start]);
        out.push(' ');
        rest = rest[start + 2..].split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    if out.contains('\\') {
        out = unescape(&out);
    }
    out.make_ascii_lowercase();
    out.replace(|c: char| c.is_ascii_whitespace(), " ")
}

/// `\64 isplay` → `display`.
fn unescape(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = None;
        for _ in 0..6 {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else {
                break;
            };
            code = Some(code.unwrap_or(0) * 16 + digit);
            chars.next();
        }
        match code {
            Some(code) => {
                chars.next_if(|c| c.is_ascii_whitespace());
                out.extend(char::from_u32(code));
            }
            None => out.extend(chars.next()),
        }
    }
    out
}

/// Parts of a list outside of quotes and brackets.
fn split(source: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quote, mut depth) = (None, 0_usize);
    source.split(move |c: char| {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == at && quote.is_none() && depth == 0
    })
}

fn parse(name: &str, property: Property, value: &str) -> Option<Value> {
    let yes = |yes: bool| Some(if yes { Value::Yes } else { Value::No });
    match property {
        Property::Display => Some(Value::Layout(match value {
            "none" => Display::None,
            "inline" | "contents" => Display::Inline,
            "inline-block" | "inline-flex" | "inline-table" | "inline-grid" => Display::Apart,
            "block" | "flex" | "grid" | "table" | "list-item" | "flow-root" | "table-row" | "table-cell"
            | "table-row-group" | "table-header-group" | "table-footer-group" | "table-caption" | "-webkit-box"
            | "-webkit-flex" | "-ms-flexbox" => Display::Block,
            _ => return None,
        })),
        Property::Visibility => match value {
            "hidden" | "collapse" => yes(true),
            "visible" | "initial" => yes(false),
            _ => None,
        },
        Property::Opacity => {
            let number = match value.strip_suffix('%') {
                Some(percent) => percent.trim().parse::<f32>().ok()? / 100.0,
                None => value.parse().ok()?,
            };
            Some(Value::Times(number))
        }
        // `font: bold 0/0 a`
        Property::FontSize if name == "font" => value
            .split(' ')
            .filter(|part| !part.chars().all(|c| c.is_ascii_digit()) || *part == "0")
            .find_map(|part| font_size(part.split('/').next()?)),
        Property::FontSize => font_size(value),
        Property::Color => Some(Value::Color(color(value).unwrap_or(Color::Unknown))),
        Property::Background => {
            if value.contains("url(") || value.contains("gradient") {
                return Some(Value::Color(Color::Unknown));
            }
            let found = split(value, ' ').find_map(color);
            Some(Value::Color(found.unwrap_or(Color::Transparent)))
        }
        Property::WhiteSpace => Some(Value::Space(match value {
            "pre" | "pre-wrap" | "break-spaces" | "-moz-pre-wrap" => WhiteSpace::Keep,
            "pre-line" => WhiteSpace::KeepLines,
            "normal" | "nowrap" | "initial" => WhiteSpace::Collapse,
            _ => return None,
        })),
        Property::Decoration => yes(value.contains("line-through")),
        Property::VerticalAlign => yes(value == "super" || value == "text-top"),
        Property::Overflow => yes(matches!(value, "hidden" | "clip")),
        Property::Position => yes(matches!(value, "absolute" | "fixed")),
        Property::Clip => {
            let tight = value.replace(' ', "");
            let zero = |list: &str| {
                list.split([',', ' '])
                    .filter(|part| !part.is_empty())
                    .all(|part| pixels(part).is_some_and(|px| px.abs() <= 1.0))
            };
            let rect = value
                .split_once("rect(")
                .and_then(|(_, list)| list.split_once(')'))
                .is_some_and(|(list, _)| zero(list));
            let far = value.split_once("translate").is_some_and(|(_, list)| {
                list.split(['(', ',', ' ', ')'])
                    .filter_map(pixels)
                    .any(|px| px.abs() >= OFF)
            });
            yes(rect
                || far
                || tight.contains("inset(100%")
                || tight.contains("inset(50%")
                || tight.contains("circle(0")
                || tight.contains("scale(0)")
                || tight.contains("scale(0,"))
        }
        Property::BorderTop | Property::Border => {
            let drawn = [
                "solid", "double", "dashed", "dotted", "ridge", "groove", "inset", "outset",
            ];
            yes(value.split(' ').any(|part| drawn.contains(&part)))
        }
        Property::Height
        | Property::MaxHeight
        | Property::Width
        | Property::MaxWidth
        | Property::TextIndent
        | Property::Left
        | Property::Top
        | Property::Right
        | Property::Bottom
        | Property::MarginLeft
        | Property::MarginTop => pixels(value).map(Value::Pixels),
    }
}

fn font_size(value: &str) -> Option<Value> {
    let words = [
        ("xx-small", 9.0),
        ("x-small", 10.0),
        ("small", 13.0),
        ("medium", 16.0),
        ("large", 18.0),
        ("x-large", 24.0),
        ("xx-large", 32.0),
        ("initial", 16.0),
        ("smaller", -0.8),
        ("larger", -1.2),
    ];
    if let Some((_, size)) = words.iter().find(|(word, _)| *word == value) {
        return Some(if *size < 0.0 {
            Value::Times(-size)
        } else {
            Value::Pixels(*size)
        });
    }
    let times = |unit: &str, of: f32| Some(Value::Times(value.strip_suffix(unit)?.trim().parse::<f32>().ok()? / of));
    if value.ends_with("rem") {
        return Some(Value::Pixels(value.trim_end_matches("rem").parse::<f32>().ok()? * 16.0));
    }
    times("em", 1.0)
        .or_else(|| times("ex", 2.0))
        .or_else(|| times("%", 100.0))
        .or_else(|| pixels(value).map(Value::Pixels))
        .or_else(|| {
            ["calc(", "clamp(", "min(", "max("]
                .iter()
                .any(|f| value.starts_with(f))
                .then_some(Value::Pixels(16.0))
        })
        .filter(|size| !matches!(size, Value::Pixels(px) | Value::Times(px) if *px < 0.0))
}

/// A length in pixels, as far as it does not depend on others.
fn pixels(value: &str) -> Option<f32> {
    let end = value
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(value.len());
    let number: f32 = value[..end].parse().ok()?;
    let unit = match value[end..].trim() {
        "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" | "em" | "rem" => 16.0,
        "ex" | "ch" => 8.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "vw" | "vh" | "%" => 10.0,
        // Old pages leave the unit out.
        "" => 1.0,
        _ => return None,
    };
    Some(number * unit)
}

fn color(value: &str) -> Option<Color> {
    const NAMES: &[(&str, Color)] = &[
        ("white", Color::Rgb(255, 255, 255)),
        ("black", Color::Rgb(0, 0, 0)),
        ("red", Color::Rgb(255, 0, 0)),
        ("green", Color::Rgb(0, 128, 0)),
        ("blue", Color::Rgb(0, 0, 255)),
        ("yellow", Color::Rgb(255, 255, 0)),
        ("gray", Color::Rgb(128, 128, 128)),
        ("grey", Color::Rgb(128, 128, 128)),
        ("silver", Color::Rgb(192, 192, 192)),
        ("navy", Color::Rgb(0, 0, 128)),
        ("window", Color::Rgb(255, 255, 255)),
        ("windowtext", Color::Rgb(0, 0, 0)),
        ("whitesmoke", Color::Rgb(245, 245, 245)),
        ("transparent", Color::Transparent),
    ];
    let value = value.trim();
    if let Some((_, color)) = NAMES.iter().find(|(name, _)| *name == value) {
        return Some(*color);
    }
    if let Some(hex) = value.strip_prefix('#') {
        let digits: Vec<u8> = hex
            .chars()
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()?;
        return match digits[..] {
            [r, g, b] => Some(Color::Rgb(r * 17, g * 17, b * 17)),
            [_, _, _, 0] | [_, _, _, _, _, _, 0, 0] => Some(Color::Transparent),
            [r, g, b, _] => Some(Color::Rgb(r * 17, g * 17, b * 17)),
            [r, r2, g, g2, b, b2, ..] => Some(Color::Rgb(r * 16 + r2, g * 16 + g2, b * 16 + b2)),
            _ => None,
        };
    }
    let list = value.strip_prefix("rgb").map(|rest| rest.trim_start_matches('a'))?;
    let parts: Vec<f32> = list
        .trim_matches(['(', ')', ' '])
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_end_matches('%').parse().ok())
        .collect::<Option<_>>()?;
    match parts[..] {
        [_, _, _, 0.0] => Some(Color::Transparent),
        [r, g, b, ..] => Some(Color::Rgb(r as u8, g as u8, b as u8)),
        _ => None,
    }
}

/// A place where nothing is seen any more, in pixels.
const OFF: f32 = 500.0;
/// Text of this size in pixels is not seen.
const UNSEEN_SIZE: f32 = 1.5;
const UNSEEN_OPACITY: f32 = 0.05;

/// Whether text is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    #[default]
    Yes,
    /// It is likely hidden, but what decides that was not understood.
    Doubtful,
    No,
}

/// The style of an element, as far as it is inherited or decides about its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Of the element as a whole, with all that is in it.
    whole: Seen,
    invisible: Seen,
    size: f32,
    /// Set in a way that was not understood while the size is zero.
    size_doubtful: bool,
    color: Option<Color>,
    background: Option<Color>,
    indent: bool,
    pub(super) space: WhiteSpace,
    pub(super) struck: bool,
    pub(super) raised: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            whole: Seen::Yes,
            invisible: Seen::Yes,
            size: 16.0,
            size_doubtful: false,
            color: None,
            background: None,
            indent: false,
            space: WhiteSpace::Collapse,
            struck: false,
            raised: false,
        }
    }
}

impl Style {
    /// The style of an element by its parent's; `sheet` is what rules say that may or may not apply. A hiding element
    /// that is never closed hides nothing for certain.
    pub(super) fn of_child(&self, declared: &Declared, sheet: &Declared, closed: bool) -> Style {
        let mut style = *self;
        let mut whole = Seen::Yes;
        style.raised |= declared.is(Property::VerticalAlign);
        if declared.get(Property::Display) == Some(Value::Layout(Display::None)) {
            let may_show = matches!(sheet.get(Property::Display), Some(Value::Layout(shown)) if shown != Display::None);
            whole = if may_show { Seen::Doubtful } else { Seen::No };
        }
        match declared.get(Property::Visibility) {
            Some(Value::Yes) => {
                let may_show = sheet.get(Property::Visibility) == Some(Value::No);
                style.invisible = if may_show || !closed { Seen::Doubtful } else { Seen::No };
            }
            Some(_) => style.invisible = Seen::Yes,
            None if sheet.get(Property::Visibility) == Some(Value::No) => {
                style.invisible = style.invisible.min(Seen::Doubtful);
            }
            None => {}
        }
        if let Some(Value::Times(opacity)) = declared.get(Property::Opacity)
            && opacity <= UNSEEN_OPACITY
        {
            let doubtful = sheet.get(Property::Opacity).is_some();
            whole = whole.max(if doubtful { Seen::Doubtful } else { Seen::No });
        }
        match declared.get(Property::FontSize) {
            Some(Value::Pixels(size)) => {
                style.size = size;
                style.size_doubtful = !closed;
            }
            Some(Value::Times(times)) => style.size *= times,
            _ => {}
        }
        style.size_doubtful |= matches!(sheet.get(Property::FontSize), Some(Value::Pixels(size)) if size > UNSEEN_SIZE);
        whole = whole.max(self.clipped(declared));
        if let Some(Value::Color(color)) = declared.get(Property::Color) {
            style.color = Some(color);
        } else if matches!(sheet.get(Property::Color), Some(Value::Color(_))) {
            style.color = Some(Color::Unknown);
        }
        if let Some(Value::Color(color)) = declared.get(Property::Background)
            && color != Color::Transparent
        {
            style.background = Some(color);
        } else if matches!(sheet.get(Property::Background), Some(Value::Color(_))) {
            style.background = Some(Color::Unknown);
        }
        if let Some(px) = declared.pixels(Property::TextIndent) {
            style.indent = px.abs() >= OFF;
        }
        if let Some(Value::Space(space)) = declared.get(Property::WhiteSpace) {
            style.space = space;
        }
        style.struck |= declared.is(Property::Decoration);
        if !closed {
            whole = whole.min(Seen::Doubtful);
        }
        style.whole = style.whole.max(whole);
        style
    }

    /// Whether the element is cut off, moved away or folded to nothing.
    fn clipped(&self, declared: &Declared) -> Seen {
        let at_most = |property, px: f32| declared.pixels(property).is_some_and(|size| size <= px && size >= 0.0);
        let flat = [
            Property::Height,
            Property::MaxHeight,
            Property::Width,
            Property::MaxWidth,
        ]
        .into_iter()
        .any(|property| at_most(property, 1.0));
        let grows = at_most(Property::Height, 1.0) && declared.pixels(Property::MaxHeight).is_some_and(|px| px > 1.0);
        if flat && declared.is(Property::Overflow) && !grows {
            return Seen::No;
        }
        let away = [Property::Left, Property::Top, Property::Right, Property::Bottom]
            .into_iter()
            .any(|side| declared.pixels(side).is_some_and(|px| px <= -OFF));
        let margin = [Property::MarginLeft, Property::MarginTop]
            .into_iter()
            .any(|side| declared.pixels(side).is_some_and(|px| px <= -OFF));
        let clip = declared.is(Property::Clip);
        if (away && declared.is(Property::Position)) || margin || clip {
            return Seen::No;
        }
        if away || at_most(Property::MaxHeight, 0.0) {
            return Seen::Doubtful;
        }
        Seen::Yes
    }

    /// Whether the element takes no room on the page.
    pub(super) fn is_gone(&self) -> bool {
        self.whole == Seen::No
    }

    /// Whether text of this style is seen.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = self.whole.max(self.invisible);
        if self.size <= UNSEEN_SIZE {
            seen = seen.max(if self.size_doubtful { Seen::Doubtful } else { Seen::No });
        }
        if self.indent {
            seen = seen.max(Seen::No);
        }
        let contrast = match (self.color, self.background) {
            (Some(Color::Transparent), None | Some(_)) => Seen::No,
            (Some(color @ Color::Rgb(..)), Some(background)) if color == background => Seen::No,
            (Some(Color::Rgb(r, g, b)), Some(Color::Rgb(r2, g2, b2)))
                if r.abs_diff(r2) <= 4 && g.abs_diff(g2) <= 4 && b.abs_diff(b2) <= 4 =>
            {
                Seen::Doubtful
            }
            // On the page's own white, which a client may have darkened.
            (Some(Color::Rgb(r, g, b)), None) if r.min(g).min(b) >= 251 => Seen::Doubtful,
            _ => Seen::Yes,
        };
        seen.max(contrast)
    }
}

pub(super) fn display(declared: &Declared) -> Option<Display> {
    match declared.get(Property::Display) {
        Some(Value::Layout(display)) => Some(display),
        _ => None,
    }
}

/// The attributes of old pages that colour text and ground.
pub(super) fn presentational(declared: &mut Declared, text: Option<&str>, ground: Option<&str>, picture: bool) {
    let parsed = |value: &str| color(&value.trim().to_ascii_lowercase()).unwrap_or(Color::Unknown);
    if let Some(value) = text {
        declared.set(Property::Color, Value::Color(parsed(value)), false);
    }
    if let Some(value) = ground {
        declared.set(Property::Background, Value::Color(parsed(value)), false);
    }
    if picture {
        declared.set(Property::Background, Value::Color(Color::Unknown), false);
    }
}

/// An element that browsers do not show unless it is told otherwise.
pub(super) fn hide(declared: &mut Declared) {
    declared.set(Property::Display, Value::Layout(Display::None), false);
}

pub(super) fn strike(declared: &mut Declared) {
    declared.set(Property::Decoration, Value::Yes, false);
}

/// The rules of a page's `<style>` elements by the last part of their selectors: `.class`, `#id` or a name.
#[derive(Default)]
pub(super) struct Sheet {
    rules: HashMap<String, Rules>,
}

#[derive(Default)]
struct Rules {
    /// Of selectors that are nothing else.
    exact: Declared,
    /// Of those that have conditions: other elements around, a size of the screen.
    perhaps: Declared,
}

impl Sheet {
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn add(&mut self, css: &str) {
        let css = plain(css).replace("<!--", " ").replace("-->", " ");
        // How many blocks of at-rules are open.
        let mut depth = 0_usize;
        let mut rest = css.as_str();
        while let Some(at) = rest.find(['{', '}', ';']) {
            let head = rest[..at].trim();
            match rest.as_bytes()[at] {
                b'}' => {
                    depth = depth.saturating_sub(1);
                    rest = &rest[at + 1..];
                }
                b'{' if head.starts_with('@') => {
                    depth += 1;
                    rest = &rest[at + 1..];
                }
                b'{' => {
                    let (block, after) = rest[at + 1..].split_once('}').unwrap_or((&rest[at + 1..], ""));
                    self.rule(head, block, depth > 0);
                    rest = after;
                }
                _ => rest = &rest[at + 1..],
            }
        }
    }

    fn rule(&mut self, selectors: &str, block: &str, conditional: bool) {
        let declared = declarations(block);
        if declared.0.iter().all(Option::is_none) {
            return;
        }
        for selector in selectors.split(',') {
            let selector = selector.trim();
            let last = selector.rsplit([' ', '>', '+', '~']).next().unwrap_or_default();
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            let (start, tail) = match last.find(['.', '#', ':', '[']) {
                Some(at) => last.split_at(at),
                None => (last, ""),
            };
            let key = match tail.chars().next() {
                Some('.' | '#') => {
                    let end = tail[1..].find(|c| !is_name(c)).map_or(tail.len(), |end| end + 1);
                    &tail[..end]
                }
                _ => start,
            };
            let exact = key == selector && !key.starts_with('*') && !conditional;
            let rules = self.rules.entry(key.to_owned()).or_default();
            if exact {
                rules.exact.add(&declared);
            } else {
                rules.perhaps.add(&declared);
            }
        }
    }

    /// What the rules declare for an element, for certain and perhaps.
    pub(super) fn find(&self, name: &str, id: Option<&str>, classes: Option<&str>) -> (Declared, Declared) {
        let (mut exact, mut perhaps) = (Declared::default(), Declared::default());
        if self.rules.is_empty() {
            return (exact, perhaps);
        }
        let classes = classes.unwrap_or_default().split_ascii_whitespace();
        let keys = ["*".to_owned(), name.to_owned()]
            .into_iter()
            .chain(classes.map(|class| format!(".{}", class.to_ascii_lowercase())))
            .chain(id.map(|id| format!("#{}", id.to_ascii_lowercase())));
        for key in keys {
            if let Some(rules) = self.rules.get(&key) {
                exact.add(&rules.exact);
                perhaps.add(&rules.perhaps);
            }
        }
        (exact, perhaps)
    }
}

/// The cascade: rules, then the element's own attribute; what is important wins.
pub(super) fn cascade(own: Declared, rules: &Declared) -> Declared {
    let mut out = rules.clone();
    out.add(&own);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn seen(style: &str) -> Seen {
        Style::default()
            .of_child(&declarations(style), &Declared::default(), true)
            .seen()
    }

    #[test]
    fn text_is_hidden_in_many_ways() {
        for style in [
            "display:none",
            "display:\tnone",
            "DISPLAY : None !important",
            "/* x */ display /* y */ : none",
            "d\\69splay:none",
            "display:none;display:bogus",
            "visibility:hidden",
            "font-size:0",
            "font-size:1px",
            "font-size: 0em",
            "font:0/0 a",
            "opacity:0",
            "opacity:0.0",
            "max-height:0;overflow:hidden",
            "height:1px;width:1px;overflow:hidden;position:absolute",
            "position:absolute;left:-9999px",
            "text-indent:-9999px",
            "margin-left:-9999px",
            "color:#fff;background:white",
            "color:transparent",
            "color:rgba(0, 0, 0, 0)",
            "position:absolute;clip:rect(0 0 0 0)",
            "clip-path: inset(100%)",
            "transform:scale(0)",
        ] {
            assert_eq!(seen(style), Seen::No, "{style}");
        }
    }

    #[test]
    fn text_that_only_looks_hidden_is_seen() {
        for style in [
            "display:none;display:block",
            "/* display:none */",
            "display:block!important;display:none",
            "visibility:hidden;visibility:visible",
            "font-size:0.9em",
            "font-size:0;font-size:12px",
            "opacity:0.9",
            "line-height:0",
            "max-height:100px;overflow:hidden",
            "left:-3px;position:absolute",
            "color:#fff;background:#000",
            "color:white;background:url(x.png)",
            "background:white",
            "content:'display:none'",
            "background-image:url(display:none;x)",
            "font: 400 12px/0 Arial",
            "width:0",
        ] {
            assert_eq!(seen(style), Seen::Yes, "{style}");
        }
        assert_eq!(seen("color:white"), Seen::Doubtful);
        assert_eq!(seen("max-height:0"), Seen::Doubtful);
    }

    #[test]
    fn sizes_are_inherited_and_set_again() {
        let none = Declared::default();
        let zero = Style::default().of_child(&declarations("font-size:0"), &none, true);
        assert_eq!(zero.of_child(&none, &none, true).seen(), Seen::No);
        assert_eq!(
            zero.of_child(&declarations("font-size:2em"), &none, true).seen(),
            Seen::No
        );
        assert_eq!(
            zero.of_child(&declarations("font-size:13px"), &none, true).seen(),
            Seen::Yes
        );
        let hidden = Style::default().of_child(&declarations("visibility:hidden"), &none, true);
        assert_eq!(
            hidden.of_child(&declarations("visibility:visible"), &none, true).seen(),
            Seen::Yes
        );
    }

    #[test]
    fn rules_count_where_they_are_simple() {
        let mut sheet = Sheet::default();
        sheet.add(
            "<!-- .a, p.b { display: none } .c{display:none} @media (max-width:600px) { .c {display:block} .d{display:none} } #e{font-size:0} --> .f .g{display:none}",
        );
        let seen = |name, id, class| {
            let (exact, perhaps) = sheet.find(name, id, class);
            Style::default().of_child(&exact, &perhaps, true).seen()
        };
        assert_eq!(seen("div", None, Some("x a")), Seen::No);
        assert_eq!(seen("div", None, Some("b")), Seen::Yes);
        assert_eq!(seen("div", None, Some("c")), Seen::Doubtful);
        assert_eq!(seen("div", None, Some("d")), Seen::Yes);
        assert_eq!(seen("div", Some("e"), None), Seen::No);
        assert_eq!(seen("div", None, Some("g")), Seen::Yes);
    }
}
