//! Results of tools as data: typed records, pages, counts and transcripts, before any of it is rendered.
//!
//! `render::markdown` makes the text of an answer from these, `render::structured` the JSON.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::args::Budget;
use crate::value;

/// The result of a tool.
#[derive(Debug)]
pub struct Output {
    pub content: Content,
    /// The ids of the first record, for programs that read on.
    pub first_record: Option<Value>,
}

impl Output {
    /// How many records Daktela gave for this answer, and how many match by its count; `None` where that is not known.
    pub fn size(&self) -> (Option<usize>, Option<u64>) {
        match &self.content {
            Content::Record(_) => (Some(1), None),
            Content::List(page) | Content::Conversation(_, page) => (Some(page.rows), page.total),
            Content::Count(found) => (None, Some(found.total)),
            Content::Statistics(of) => (None, of.is_whole.then_some(of.whole.now.count)),
            Content::Transcript(whole) => (Some(whole.legs.iter().map(|leg| leg.read).sum()), None),
            Content::Sections(board) => (
                Some(board.sections.iter().map(|section| section.records.len()).sum()),
                None,
            ),
            Content::Threads(page) => (Some(page.rows), page.total),
            Content::Json(_) => (None, None),
        }
    }

    /// With notes before those that are there, on how the arguments were understood.
    pub fn with_notes(mut self, notes: &[String]) -> Self {
        let own = match &mut self.content {
            Content::Record(one) => &mut one.notes,
            Content::List(page) | Content::Conversation(_, page) => &mut page.notes,
            Content::Count(found) => &mut found.notes,
            Content::Statistics(statistics) => &mut statistics.notes,
            Content::Transcript(whole) => &mut whole.notes,
            Content::Sections(board) => &mut board.notes,
            Content::Threads(page) => &mut page.notes,
            Content::Json(_) => return self,
        };
        own.splice(0..0, notes.iter().cloned());
        self
    }
}

#[derive(Debug)]
pub enum Content {
    Record(RecordOutput),
    List(ListOutput),
    /// A record as the heading of a list that belongs to it.
    Conversation(Box<RecordOutput>, ListOutput),
    Count(CountOutput),
    Statistics(Box<StatisticsOutput>),
    Transcript(TranscriptOutput),
    /// Several lists under one heading.
    Sections(SectionsOutput),
    /// Conversations one behind the other.
    Threads(ThreadsOutput),
    /// What a client reads as JSON.
    Json(Value),
}

/// Several short lists under one heading.
#[derive(Debug)]
pub struct SectionsOutput {
    pub heading: String,
    pub sections: Vec<Section>,
    pub notes: Vec<String>,
    pub zone: Option<String>,
    pub budget: Budget,
}

#[derive(Debug)]
pub struct Section {
    pub title: &'static str,
    /// What the list is of, with its numbers.
    pub said: String,
    pub records: Vec<Record>,
}

/// Conversations of a page, whole, as far as there is room; the cursor says where the next answer goes on.
#[derive(Debug)]
pub struct ThreadsOutput {
    pub plural: &'static str,
    /// The first conversations of the page, from `from` on. Fewer than `rows` where reading stopped for want of room.
    pub threads: Vec<Thread>,
    /// How many conversations the page has.
    pub rows: usize,
    pub from: Place,
    pub total: Option<u64>,
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
    pub zone: Option<String>,
    pub budget: Budget,
}

/// A record with all that was said on it.
#[derive(Debug)]
pub struct Thread {
    pub record: Record,
    pub said: Vec<Utterance>,
}

/// A place in a list of conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many conversations are before it.
    pub thread: u64,
    /// How many utterances of the conversation.
    pub utterance: usize,
    /// How many characters of the utterance.
    pub character: usize,
}

/// One record, whole.
#[derive(Debug)]
pub struct RecordOutput {
    pub singular: &'static str,
    pub record: Record,
    /// Remarks on what is missing, and how names were understood.
    pub notes: Vec<String>,
    /// The instance's time zone, which all its times are in.
    pub zone: Option<String>,
    pub budget: Budget,
}

/// A page of records.
#[derive(Debug)]
pub struct ListOutput {
    pub singular: &'static str,
    pub plural: &'static str,
    /// The first records of the page. Fewer than `rows` where reading what belongs to them stopped for want of room.
    pub records: Vec<Record>,
    /// How many records the page has.
    pub rows: usize,
    /// How many records Daktela sent that do not fit the conditions and are left out, where it ignores some; then the
    /// total is not known.
    pub left_out: Option<usize>,
    pub skip: u64,
    pub take: u64,
    /// How many match in all, where Daktela says so.
    pub total: Option<u64>,
    /// The conditions and the order in words, also those by default.
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
    pub zone: Option<String>,
    pub overflow: Overflow,
    /// How many characters of each long text the caller asked for.
    pub text_chars: Option<usize>,
    pub budget: Budget,
}

/// What is left out first where a page is too large: long texts (they are an aside) or records (the texts are the point).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    Texts,
    Records,
}

/// How many records match.
#[derive(Debug)]
pub struct CountOutput {
    pub singular: &'static str,
    pub plural: &'static str,
    pub total: u64,
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
}

/// Records in groups, counted and measured.
#[derive(Debug)]
pub struct StatisticsOutput {
    pub singular: &'static str,
    pub plural: &'static str,
    /// How the records are grouped: none, one or two of them.
    pub dimensions: Vec<Grouping>,
    /// What is measured, in seconds.
    pub measure: Option<&'static str>,
    /// All records that match, each counted once.
    pub whole: Figures,
    /// The groups that show, in their order.
    pub groups: Vec<GroupOutput>,
    /// What the groups that do not show hold together.
    pub rest: Vec<RestOutput>,
    /// How many groups there are in all.
    pub group_count: usize,
    /// By how much the groups exceed the total, since some records are in several.
    pub repeated: u64,
    /// The other period, in words.
    pub compared_with: Option<String>,
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
    /// How the figures were found, and what they cover.
    pub basis: Vec<String>,
    /// Whether they cover all that matches.
    pub is_whole: bool,
    pub zone: Option<String>,
    pub budget: Budget,
}

#[derive(Debug)]
pub struct Grouping {
    pub name: &'static str,
    pub label: String,
    /// Titles are not unique, so that ids show.
    pub shows_ids: bool,
    pub is_time: bool,
}

#[derive(Debug)]
pub struct GroupOutput {
    /// Absent of records that have none.
    pub value: Option<FactValue>,
    pub figures: Figures,
    /// By the second grouping.
    pub inner: Vec<GroupOutput>,
    /// What those of them that do not show hold together.
    pub rest: Vec<RestOutput>,
}

/// Groups that do not show.
#[derive(Debug)]
pub struct RestOutput {
    pub groups: usize,
    /// Why: they hold fewer records than this.
    pub fewer_than: Option<u64>,
    pub figures: Figures,
}

/// The figures of a group, and of the same group in another period.
#[derive(Debug)]
pub struct Figures {
    pub now: Summary,
    pub before: Option<Summary>,
}

/// How many records, and how what is measured is spread over them.
#[derive(Debug, PartialEq)]
pub struct Summary {
    pub count: u64,
    /// Absent where none has a value.
    pub spread: Option<Spread>,
}

/// In seconds.
#[derive(Debug, PartialEq)]
pub struct Spread {
    /// How many records have a value; the others are left out.
    pub with_value: u64,
    pub sum: i64,
    pub average: f64,
    pub median: f64,
    /// At least nine tenths of the values are this or less: the smallest such value.
    pub p90: i64,
    pub longest: i64,
}

/// The transcript of one call, from segment `skip` of all its legs on.
#[derive(Debug)]
pub struct TranscriptOutput {
    /// The activity or the call that was asked for.
    pub activity: String,
    /// At least one; several where the call was transferred.
    pub legs: Vec<Leg>,
    pub notes: Vec<String>,
    pub skip: u64,
    pub budget: Budget,
}

/// A leg of a call: an activity of its own where the call was transferred.
#[derive(Debug, PartialEq)]
pub struct Leg {
    pub activity: String,
    /// The agent whose activity it is, where Daktela says so.
    pub agent: Option<String>,
    /// The segments that have a text; their times count from the beginning of the leg.
    pub utterances: Vec<Utterance>,
    /// How many segments were read, with or without a text.
    pub read: usize,
    /// Daktela has more segments than were read.
    pub is_partial: bool,
    /// Why it could not be read.
    pub remarks: Vec<String>,
}

/// A record with the facts, remarks and texts that its entity declares. What is empty in Daktela is absent.
#[derive(Debug)]
pub struct Record {
    pub singular: &'static str,
    pub id: Option<String>,
    pub title: Option<String>,
    /// Its page in Daktela's user interface, where it has one.
    pub url: Option<String>,
    pub facts: Vec<Fact>,
    /// Remarks of ours, e.g. that a part could not be read.
    pub remarks: Vec<String>,
    pub texts: Vec<Text>,
}

/// What belongs to a record beside its fields: more facts, remarks, and a long text.
#[derive(Debug, Default)]
pub struct Related {
    pub facts: Vec<Fact>,
    pub remarks: Vec<String>,
    pub text: Option<Text>,
}

/// One value of a record, with its label.
#[derive(Debug)]
pub struct Fact {
    pub key: Key,
    pub label: Cow<'static, str>,
    pub value: FactValue,
    pub provenance: Provenance,
    /// How many characters of the value a text shows at most.
    pub max_chars: usize,
}

/// The stable name of a fact for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Of a declared field: its label in snake case (see [`snake_case`]).
    Label,
    /// Of a custom field: the key that the customer's form gives it.
    CustomField(String),
}

/// Who determines a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Daktela: ids, codes, numbers and times.
    System,
    /// People, so that it may hold anything: customers, agents, administrators.
    People,
}

/// A typed value. Three-valued flags are absent where they are unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum FactValue {
    /// Text that people wrote.
    Text(String),
    /// A word or an id of Daktela's own.
    Word(String),
    Number(Number),
    /// A number of seconds, shown as such.
    Seconds(f64),
    /// A number of seconds, shown in its two largest units.
    Duration(f64),
    /// `YYYY-MM-DD HH:MM:SS`, local time of the instance.
    DateTime(String),
    YesNo(bool),
    /// A code and what it means.
    Code {
        code: String,
        meaning: Cow<'static, str>,
    },
    Reference(Reference),
    /// A time limit (absent where Daktela gives none), and by how many seconds it was missed.
    Deadline {
        at: Option<String>,
        overdue: Option<f64>,
    },
    /// Who called: a name and a number.
    Caller {
        name: Option<String>,
        number: Option<String>,
    },
    /// A person in a header of an e-mail.
    Mailbox {
        name: Option<String>,
        address: Option<String>,
    },
    /// An attachment.
    File {
        title: Option<String>,
        media_type: Option<String>,
        bytes: Option<String>,
        /// It stands within the text, as pictures of signatures and screenshots do.
        is_inline: bool,
    },
    List(Vec<FactValue>),
}

/// A related record.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub id: Option<String>,
    pub title: Option<String>,
    /// Its page in Daktela's user interface, where it is linked.
    pub url: Option<String>,
}

impl FactValue {
    /// One value as itself, several as a list, none as nothing.
    pub fn from_values(values: impl IntoIterator<Item = FactValue>) -> Option<Self> {
        let mut values: Vec<FactValue> = values.into_iter().collect();
        if values.len() > 1 {
            Some(FactValue::List(values))
        } else {
            values.pop()
        }
    }

    /// Who determines values of this type.
    pub fn provenance(&self) -> Provenance {
        match self {
            FactValue::Text(_)
            | FactValue::Reference(_)
            | FactValue::Caller { .. }
            | FactValue::Mailbox { .. }
            | FactValue::File { .. } => Provenance::People,
            FactValue::List(values) => values.first().map_or(Provenance::System, FactValue::provenance),
            FactValue::Word(_)
            | FactValue::Number(_)
            | FactValue::Seconds(_)
            | FactValue::Duration(_)
            | FactValue::DateTime(_)
            | FactValue::YesNo(_)
            | FactValue::Code { .. }
            | FactValue::Deadline { .. } => Provenance::System,
        }
    }
}

/// A long text in full, and how much of it shows unless something else is asked for.
#[derive(Debug)]
pub struct Text {
    /// Said before the text; empty where the text speaks for itself.
    pub label: &'static str,
    pub body: Body,
    /// How many characters of it a list shows.
    pub chars: usize,
    /// What was left out of it, e.g. quoted mail.
    pub note: Option<String>,
}

#[derive(Debug)]
pub enum Body {
    /// Cleaned text of several lines, written by people.
    Plain(String),
    /// Who said what, in order.
    Conversation(Vec<Utterance>),
    /// The same of a call that was transferred.
    Legs(Vec<Leg>),
}

/// One message of a chat or one segment of a transcript.
#[derive(Debug, PartialEq)]
pub struct Utterance {
    pub at: Moment,
    pub speaker: Speaker,
    /// Cleaned; of a chat possibly several lines, and empty where only a file was sent.
    pub text: String,
    /// Files that were sent with it.
    pub files: Vec<FactValue>,
}

#[derive(Debug, PartialEq)]
pub enum Moment {
    /// Seconds since the call began.
    Offset(f64),
    /// `YYYY-MM-DD HH:MM:SS`, local time of the instance; empty where Daktela does not say.
    Time(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Speaker {
    pub role: Role,
    pub name: Option<String>,
    /// What kind of message it is where it did not go to the customer, e.g. an internal note; of an unknown speaker the
    /// word that Daktela has.
    pub note: Option<Cow<'static, str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Customer,
    Agent,
    Bot,
    AiCoworker,
    System,
    /// The data does not say.
    Unknown,
}

impl Role {
    pub fn label(self) -> &'static str {
        match self {
            Role::Customer => "Customer",
            Role::Agent => "Agent",
            Role::Bot => "Bot",
            Role::AiCoworker => "AI coworker",
            Role::System => "System",
            Role::Unknown => "Unknown",
        }
    }
}

impl Related {
    /// Why there is nothing to show.
    pub fn remark(remark: impl Into<String>) -> Self {
        Related {
            remarks: vec![remark.into()],
            ..Related::default()
        }
    }

    /// The same in several lines.
    pub fn remarks(remarks: Vec<String>) -> Self {
        Related {
            remarks,
            ..Related::default()
        }
    }

    /// What was said; `remark` where nothing was.
    pub fn conversation(label: &'static str, utterances: Vec<Utterance>, remark: &str) -> Self {
        if utterances.is_empty() {
            return Related::remark(remark);
        }
        Related {
            text: Some(Text {
                label,
                body: Body::Conversation(utterances),
                chars: usize::MAX,
                note: None,
            }),
            ..Related::default()
        }
    }
}

impl Record {
    /// As what belongs to another record, e.g. an activity's channel record.
    pub fn into_related(self) -> Related {
        Related {
            facts: self.facts,
            remarks: self.remarks,
            text: self.texts.into_iter().next(),
        }
    }

    /// Without a fact that goes without saying where the record is shown.
    pub fn without(mut self, label: &str) -> Self {
        self.facts.retain(|fact| fact.label != label);
        self
    }
}

/// A number, also one written as text, if it reads the same as a number.
pub fn number_of(value: &Value) -> Option<FactValue> {
    let text = value::text(value)?;
    Some(match text.parse::<Number>() {
        Ok(number) if number.to_string() == text => FactValue::Number(number),
        _ => FactValue::Text(text),
    })
}

/// A label as a key: lower case, with `_` for all else than letters and digits. `First answer after` →
/// `first_answer_after`.
pub fn snake_case(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for c in label.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_labels_in_snake_case() {
        for (label, key) in [
            ("First answer after", "first_answer_after"),
            ("E-mail", "e_mail"),
            ("At most (minutes)", "at_most_minutes"),
            ("", ""),
        ] {
            assert_eq!(snake_case(label), key);
        }
    }

    #[test]
    fn several_values_are_a_list_and_one_is_itself() {
        let word = |word: &str| FactValue::Word(word.to_owned());
        assert_eq!(FactValue::from_values([]), None);
        assert_eq!(FactValue::from_values([word("a")]), Some(word("a")));
        assert_eq!(
            FactValue::from_values([word("a"), word("b")]),
            Some(FactValue::List(vec![word("a"), word("b")]))
        );
    }

    #[test]
    fn a_number_is_one_that_reads_the_same() {
        assert_eq!(number_of(&json!("5")), Some(FactValue::Number(5.into())));
        assert_eq!(number_of(&json!(5)), Some(FactValue::Number(5.into())));
        assert_eq!(number_of(&json!("05")), Some(FactValue::Text("05".to_owned())));
        assert_eq!(number_of(&json!(null)), None);
    }
}
