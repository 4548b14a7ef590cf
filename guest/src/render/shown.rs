//! What of an output shows: the outcome of fitting it into the byte budget, which text and structured content share.
//!
//! `render::markdown` decides it, since the text has a size of its own; what is written [`Beside`] the text from the same data
//! counts against the same budget, and is then made of exactly what shows.

use crate::model::output::{Content, GroupOutput, Place, Record, RestOutput, Utterance};

/// What is written beside the text, and counts against its budget. Sizes are in bytes.
pub trait Beside {
    /// What stands around the parts, notes and conditions included.
    fn frame(&self, content: &Content) -> usize;
    fn record(&self, record: &Record, limit: Limit) -> usize;
    fn utterance(&self, utterance: &Utterance) -> usize;
    /// A group of statistics with those in it, or one of those.
    fn group(&self, group: &GroupOutput) -> usize;
    fn rest(&self, rest: &RestOutput) -> usize;
}

/// Nothing is written beside the text.
pub struct TextAlone;

impl Beside for TextAlone {
    fn frame(&self, _: &Content) -> usize {
        0
    }

    fn record(&self, _: &Record, _: Limit) -> usize {
        0
    }

    fn utterance(&self, _: &Utterance) -> usize {
        0
    }

    fn group(&self, _: &GroupOutput) -> usize {
        0
    }

    fn rest(&self, _: &RestOutput) -> usize {
        0
    }
}

/// How much of a record shows.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// How many characters of each text, where the caller says so; else each text has its own measure.
    pub asked: Option<usize>,
    /// By how much that is shortened; 0 leaves the texts out.
    pub divisor: usize,
    /// At most this many characters.
    pub most: usize,
    /// At most this many facts.
    pub facts: usize,
}

impl Limit {
    pub const OWN: Limit = Limit {
        asked: None,
        divisor: 1,
        most: usize::MAX,
        facts: usize::MAX,
    };
    pub const WHOLE: Limit = Limit {
        asked: Some(usize::MAX),
        ..Limit::OWN
    };

    /// How many characters show of a text of this measure.
    pub fn chars(self, own: usize) -> usize {
        let chars = self.asked.unwrap_or(own);
        chars.checked_div(self.divisor).unwrap_or(0).min(self.most)
    }
}

/// What of an output shows.
#[derive(Debug)]
pub struct Shown {
    pub limit: Limit,
    /// How many records of a page, segments of a transcript, or rows of a table.
    pub count: usize,
    /// Of each section, the places of the records that show.
    pub sections: Vec<Vec<usize>>,
    pub threads: Vec<ShownThread>,
    /// The record before a page.
    pub head: Option<Box<Shown>>,
    /// The argument that leads to what comes next.
    pub next: Option<Next>,
    /// What the text says of what is left out, and how to see it.
    pub hints: Vec<String>,
}

/// What of a conversation shows.
#[derive(Debug)]
pub struct ShownThread {
    /// How much of its record.
    pub limit: Limit,
    /// The first utterance, and how many characters of it were shown before.
    pub from: usize,
    pub skipped: usize,
    /// How many utterances.
    pub count: usize,
    /// How many characters of the last one, where that is parted.
    pub parted: Option<usize>,
}

/// Where the next answer begins.
#[derive(Debug)]
pub enum Next {
    Skip(u64),
    Continue(Place),
}

impl Default for Shown {
    fn default() -> Self {
        Shown {
            limit: Limit::OWN,
            count: 0,
            sections: Vec::new(),
            threads: Vec::new(),
            head: None,
            next: None,
            hints: Vec::new(),
        }
    }
}

impl Shown {
    /// Nothing but what the text says instead.
    pub fn only(said: &str) -> Self {
        Shown {
            hints: vec![said.to_owned()],
            ..Shown::default()
        }
    }
}
