//! Answers within their budget. What does not fit is left out in steps, never silently: long texts first or records
//! first, as the entity says; and the answer tells what is missing and how to get it.

use super::record::Record;
use crate::{
    model::{args::Budget, entity::Overflow},
    text,
};

/// A page of records and all that is to be said of it.
pub struct Listing<'a> {
    pub singular: &'a str,
    pub plural: &'a str,
    /// The first records of the page; the rest was not read for want of room.
    pub records: Vec<Record>,
    /// How many records the page has.
    pub rows: usize,
    pub skip: u64,
    pub take: u64,
    /// How many match in all, where Daktela says so.
    pub total: Option<u64>,
    /// The conditions and the order, also those by default.
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
    pub zone: Option<String>,
    pub overflow: Overflow,
    /// How much of each text the caller asked for.
    pub text_chars: Option<usize>,
    pub budget: Budget,
    /// How many of them are taken by what stands before the list.
    pub before: usize,
}

/// What headings and closing remarks may take of the budget.
const FRAME_BYTES: usize = 900;

impl Listing<'_> {
    pub fn print(&self) -> String {
        if self.records.is_empty() {
            return self.with_notes(self.empty(), &[]);
        }
        let own = |chars: usize| self.text_chars.unwrap_or(chars);
        let notes: usize = self.notes.iter().map(|note| note.len() + 8).sum();
        let said: usize = self.applied_filters.iter().map(|said| said.len() + 4).sum();
        let room = self
            .budget
            .bytes
            .saturating_sub(FRAME_BYTES + self.before + notes + said);
        let print = |divisor: usize| -> Vec<String> {
            self.records
                .iter()
                .map(|record| record.print_item(|chars| own(chars).checked_div(divisor).unwrap_or(0)))
                .collect()
        };
        let size = |items: &[String]| items.iter().map(|item| item.len() + 1).sum::<usize>();

        let mut divisor = 1;
        let mut items = print(divisor);
        // Whoever says how much of each text to show wants that of fewer records rather than less of all.
        if self.overflow == Overflow::Texts && self.text_chars.is_none() {
            // 0 leaves the texts out.
            for step in [3, 10, 0] {
                if size(&items) <= room {
                    break;
                }
                divisor = step;
                items = print(divisor);
            }
        }
        let mut closing = Vec::new();
        let all = self.rows;
        while items.len() > 1 && size(&items) > room {
            items.pop();
        }
        let alone = size(&items) > room;
        if alone {
            items[0] = shorten(
                &self.records[0],
                |record, limit| record.print_item(|chars| own(chars).min(limit)),
                room,
            );
        }
        if divisor != 1 {
            let how = if divisor == 0 {
                "left out".to_owned()
            } else {
                format!("shortened to 1/{divisor}")
            };
            closing.push(format!(
                "Long texts are {how} to fit max_bytes={}; ask for fewer records with take to see more of each.",
                self.budget.bytes
            ));
        } else if !alone && self.records[..items.len()].iter().any(|record| record.is_cut(own)) {
            closing.push("Texts that end in [+n characters] are shortened; text_chars shows more.".to_owned());
        }
        if items.len() < all {
            closing.push(format!(
                "{} of the {all} records of this page did not fit max_bytes={}.",
                all - items.len(),
                self.budget.bytes
            ));
        }
        if alone {
            closing.push(self.budget.cut());
        }
        let next = self.skip + items.len() as u64;
        match self.total {
            Some(total) if total > next => closing.push(format!(
                "{} more: call again with skip={next}.",
                text::thousands(total - next)
            )),
            None if all as u64 >= self.take || items.len() < all => {
                closing.push(format!("There may be more: call again with skip={next}."))
            }
            _ => {}
        }
        let total = self
            .total
            .map_or_else(|| "an unknown total".to_owned(), text::thousands);
        let mut heading = format!("{} {}–{next} of {total}", capitalised(self.plural), self.skip + 1);
        for said in &self.applied_filters {
            heading += &format!(" · {said}");
        }
        if let Some(zone) = &self.zone {
            heading += &format!(" · times: {zone}");
        }
        self.with_notes(format!("{heading}\n\n{}", items.join("\n")), &closing)
    }

    fn empty(&self) -> String {
        let said = if self.applied_filters.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.applied_filters.join(" · "))
        };
        match self.total {
            Some(total) if total > 0 && self.skip >= total => {
                let last = (total - 1) / self.take * self.take;
                let matches = if total == 1 { "matches" } else { "match" };
                format!(
                    "skip={} is past the end: {} {matches}{said}. The last page begins at skip={last}.",
                    self.skip,
                    text::count(total, self.singular, self.plural)
                )
            }
            Some(total) if total > 0 => format!(
                "Daktela counts {} but sent none{said}. Try again, or a smaller take.",
                text::count(total, self.singular, self.plural)
            ),
            _ if self.skip > 0 => format!("No {} from skip={} on{said}.", self.plural, self.skip),
            _ => format!(
                "No {}{said}. What the Daktela account of this server may not see does not show.",
                self.plural
            ),
        }
    }

    fn with_notes(&self, mut body: String, closing: &[String]) -> String {
        let notes: Vec<String> = self.notes.iter().map(|note| format!("Note: {note}")).collect();
        for line in notes.iter().chain(closing) {
            body += &format!("\n\n{line}");
        }
        body
    }
}

/// A single record within its budget.
pub fn detail(singular: &str, record: &Record, notes: &[String], zone: Option<&str>, budget: Budget) -> String {
    let one = capitalised(singular);
    let room = budget
        .bytes
        .saturating_sub(FRAME_BYTES + notes.iter().map(|note| note.len() + 8).sum::<usize>());
    let mut body = record.print_detail(&one, |_| usize::MAX);
    let mut closing: Vec<String> = notes.iter().map(|note| format!("Note: {note}")).collect();
    if body.len() > room {
        body = shorten(record, |record, limit| record.print_detail(&one, |_| limit), room);
        closing.push(budget.cut());
    }
    closing.extend(zone.map(|zone| format!("Times: {zone}.")));
    for line in closing {
        body += &format!("\n\n{line}");
    }
    body
}

/// A record that is too large by itself: its texts as long as fits; where even its facts do not fit, they are cut.
fn shorten(record: &Record, print: impl Fn(&Record, usize) -> String, room: usize) -> String {
    let (mut fits, mut exceeds) = (0, room.max(1));
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        if print(record, middle).len() <= room {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    let printed = print(record, fits);
    if printed.len() <= room {
        return printed;
    }
    text::cut(&printed, printed[..printed.floor_char_boundary(room)].chars().count())
}

pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::{
        model::{
            custom_field::CustomFieldSchema,
            entity::{ENTITY, Entity, LongText, TextKind},
            field::Detail,
            output::Related,
        },
        render::record::View,
        settings::Settings,
    };

    const NOTE: Entity = Entity {
        singular: "note",
        plural: "notes",
        texts: &[LongText {
            label: "",
            path: "text",
            kind: TextKind::Html,
            chars: 300,
        }],
        ..ENTITY
    };

    fn print(text_chars: Option<usize>) -> String {
        let view = View {
            settings: &Settings {
                origin: String::new(),
                max_answer_bytes: 10_000,
            },
            scheme: &CustomFieldSchema::new(),
            detail: Detail::Summary,
            full_mail: false,
        };
        let note = |i| view.record(&NOTE, &json!({"name": i, "text": "x".repeat(1000)}), Related::default());
        Listing {
            singular: NOTE.singular,
            plural: NOTE.plural,
            records: (0..10).map(note).collect(),
            rows: 10,
            skip: 0,
            take: 10,
            total: Some(10),
            applied_filters: Vec::new(),
            notes: Vec::new(),
            zone: None,
            overflow: NOTE.overflow,
            text_chars,
            budget: Budget {
                bytes: 3_000,
                is_server_limit: false,
            },
            before: 0,
        }
        .print()
    }

    #[test]
    fn asking_for_long_texts_shows_them_of_fewer_records() {
        let whole = print(Some(100_000));
        assert!(whole.starts_with("Notes 1–2 of 10"), "{whole}");
        assert!(whole.contains(&"x".repeat(1000)), "{whole}");
        assert!(whole.ends_with("8 more: call again with skip=2."), "{whole}");
        assert!(print(None).starts_with("Notes 1–10 of 10"));
    }
}
