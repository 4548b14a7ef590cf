//! The places of a result where an identity may stand: one walk, for gathering and for replacing.

use std::borrow::Cow;

use serde_json::Value;

use super::kind::{self, Holds, Kind};
use crate::model::output::{
    Body, Content, Fact, FactValue, GroupOutput, Leg, ListOutput, Output, Record, RecordOutput, Reference, Role, Text,
    Utterance,
};

/// A place in a result.
pub(super) enum Slot<'a> {
    /// A value of a kind, or free text.
    Holds(Holds, &'a mut String),
    /// What this program says of records, which may name them.
    Remark(&'a mut String),
    /// The id of a record, with what the record is.
    Id(Holds, &'a mut String),
    /// A page's address, with the id of its record.
    Link(Holds, Option<&'a str>, &'a mut Option<String>),
}

type Visit<'a> = &'a mut dyn FnMut(Slot);

/// Visits each place of a result, in the same order each time.
pub(super) fn visit(output: &mut Output, to: Visit) {
    match &mut output.content {
        Content::Record(one) => single(one, to),
        Content::List(page) => list(page, to),
        Content::Conversation(one, page) => {
            single(one, to);
            list(page, to);
        }
        Content::Count(found) => remarks([&mut found.applied_filters, &mut found.notes], to),
        Content::Statistics(of) => {
            for by in 0..of.dimensions.len().min(2) {
                let holds = kind::of_label(&of.dimensions[by].label);
                groups(&mut of.groups, by, holds, to);
            }
            if let Some(period) = &mut of.compared_with {
                to(Slot::Remark(period));
            }
            remarks([&mut of.applied_filters, &mut of.notes], to);
            of.basis.iter_mut().for_each(|line| to(Slot::Remark(line)));
        }
        Content::Transcript(whole) => {
            to(Slot::Id(Holds::Free, &mut whole.activity));
            whole.legs.iter_mut().for_each(|of| leg(of, to));
            remarks([&mut whole.notes], to);
        }
        Content::Sections(board) => {
            to(Slot::Remark(&mut board.heading));
            for section in &mut board.sections {
                to(Slot::Remark(&mut section.said));
                section.records.iter_mut().for_each(|of| record(of, to));
            }
            remarks([&mut board.notes], to);
        }
        Content::Threads(page) => {
            for thread in &mut page.threads {
                record(&mut thread.record, to);
                thread.said.iter_mut().for_each(|of| utterance(of, to));
            }
            remarks([&mut page.applied_filters, &mut page.notes], to);
        }
        Content::Json(found) => json(found, to),
    }
}

/// What clients read as JSON: `search`'s results and `fetch`'s document, the text of which went through this before.
fn json(of: &mut Value, to: Visit) {
    if let Some(results) = of.get_mut("results").and_then(Value::as_array_mut) {
        results.iter_mut().for_each(|result| json(result, to));
    }
    for note in of.get_mut("notes").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::String(note) = note {
            to(Slot::Remark(note));
        }
    }
    let Some(whole) = of.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let (kind, id) = whole.split_once(':').unwrap_or(("", &whole));
    let holds = kind::of_title(kind);
    let mut shown = id.to_owned();
    to(Slot::Id(holds, &mut shown));
    if let Some(Value::String(title)) = of.get_mut("title") {
        if *title == id {
            title.clone_from(&shown);
        } else {
            to(Slot::Holds(holds, title));
        }
    }
    if let Some(Value::String(url)) = of.get_mut("url") {
        let mut link = Some(std::mem::take(url));
        to(Slot::Link(holds, Some(id), &mut link));
        *url = link.unwrap_or_else(|| format!("daktela://{kind}/{shown}"));
    }
    if shown != id {
        of["id"] = format!("{kind}:{shown}").into();
    }
}

fn remarks<const N: usize>(lists: [&mut Vec<String>; N], to: Visit) {
    for line in lists.into_iter().flatten() {
        to(Slot::Remark(line));
    }
}

fn single(one: &mut RecordOutput, to: Visit) {
    record(&mut one.record, to);
    remarks([&mut one.notes], to);
}

fn list(page: &mut ListOutput, to: Visit) {
    page.records.iter_mut().for_each(|of| record(of, to));
    remarks([&mut page.applied_filters, &mut page.notes], to);
}

/// The groups of one of the groupings.
fn groups(of: &mut [GroupOutput], by: usize, holds: Holds, to: Visit) {
    for group in of {
        if by > 0 {
            groups(&mut group.inner, by - 1, holds, to);
        } else if let Some(found) = &mut group.value {
            value(found, holds, to);
        }
    }
}

fn record(of: &mut Record, to: Visit) {
    let holds = kind::of_title(of.singular);
    to(Slot::Link(holds, of.id.as_deref(), &mut of.url));
    if let Some(id) = &mut of.id {
        to(Slot::Id(holds, id));
    }
    if let Some(title) = &mut of.title {
        to(Slot::Holds(holds, title));
    }
    for of_record in &mut of.facts {
        fact(of_record, holds, to);
    }
    of.remarks.iter_mut().for_each(|line| to(Slot::Remark(line)));
    of.texts.iter_mut().for_each(|of| text(of, to));
}

fn fact(of: &mut Fact, owner: Holds, to: Visit) {
    if let Cow::Owned(label) = &mut of.label {
        to(Slot::Holds(Holds::Free, label));
    }
    let holds = match of.personal {
        Some(personal) => Holds::Of(personal.into()),
        // An agent's own address is covered as the agent is.
        None => match kind::of_label(&of.label) {
            Holds::Of(Kind::Email | Kind::Phone) if owner == Holds::Agent => Holds::Agent,
            holds => holds,
        },
    };
    value(&mut of.value, holds, to);
}

fn value(of: &mut FactValue, holds: Holds, to: Visit) {
    match of {
        FactValue::Text(text) => to(Slot::Holds(holds, text)),
        FactValue::Word(word) if holds == Holds::Free => to(Slot::Id(Holds::Free, word)),
        FactValue::Word(word) => to(Slot::Holds(holds, word)),
        FactValue::Code { code, meaning } => {
            to(Slot::Id(Holds::Free, code));
            if let Cow::Owned(meaning) = meaning {
                to(Slot::Holds(Holds::Free, meaning));
            }
        }
        FactValue::Reference(Reference { id, title, url }) => {
            to(Slot::Link(holds, id.as_deref(), url));
            if let Some(id) = id {
                to(Slot::Id(holds, id));
            }
            if let Some(title) = title {
                to(Slot::Holds(holds, title));
            }
        }
        FactValue::Caller { name, number } => {
            if let Some(name) = name {
                to(Slot::Holds(Holds::Of(Kind::Person), name));
            }
            if let Some(number) = number {
                to(Slot::Holds(Holds::Of(Kind::Phone), number));
            }
        }
        FactValue::Mailbox { name, address } => {
            if let Some(name) = name {
                to(Slot::Holds(Holds::Of(Kind::Person), name));
            }
            if let Some(address) = address {
                to(Slot::Holds(Holds::Of(Kind::Email), address));
            }
        }
        FactValue::File { title: Some(title), .. } => to(Slot::Holds(Holds::Free, title)),
        FactValue::List(values) => values.iter_mut().for_each(|of| value(of, holds, to)),
        FactValue::Number(number) if holds != Holds::Free => {
            // A number that is somebody's cannot stay one.
            let mut shown = number.to_string();
            let before = shown.clone();
            to(Slot::Holds(holds, &mut shown));
            if shown != before {
                *of = FactValue::Text(shown);
            }
        }
        FactValue::File { title: None, .. }
        | FactValue::Number(_)
        | FactValue::Seconds(_)
        | FactValue::Duration(_)
        | FactValue::DateTime(_)
        | FactValue::YesNo(_)
        | FactValue::Deadline { .. } => {}
    }
}

fn text(of: &mut Text, to: Visit) {
    match &mut of.body {
        Body::Plain(body) => to(Slot::Holds(Holds::Free, body)),
        Body::Conversation(said) => said.iter_mut().for_each(|of| utterance(of, to)),
        Body::Legs(legs) => legs.iter_mut().for_each(|of| leg(of, to)),
    }
    if let Some(note) = &mut of.note {
        to(Slot::Remark(note));
    }
}

fn leg(of: &mut Leg, to: Visit) {
    to(Slot::Id(Holds::Free, &mut of.activity));
    if let Some(agent) = &mut of.agent {
        to(Slot::Holds(Holds::Agent, agent));
    }
    of.utterances.iter_mut().for_each(|of| utterance(of, to));
    of.remarks.iter_mut().for_each(|line| to(Slot::Remark(line)));
}

fn utterance(of: &mut Utterance, to: Visit) {
    let holds = match of.speaker.role {
        Role::Customer | Role::Unknown => Holds::Of(Kind::Person),
        Role::Agent => Holds::Agent,
        Role::Bot | Role::AiCoworker | Role::System => Holds::Free,
    };
    if let Some(name) = &mut of.speaker.name {
        to(Slot::Holds(holds, name));
    }
    to(Slot::Holds(Holds::Free, &mut of.text));
    of.files.iter_mut().for_each(|of| value(of, Holds::Free, to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog,
        model::{
            field::{FieldSpec, Format},
            tool::Run,
        },
    };

    #[test]
    fn each_field_that_names_somebody_is_known() {
        const PERSONAL: &[&str] = &[
            "contact",
            "account",
            "user",
            "created_by",
            "edited_by",
            "id_agent",
            "email",
            "address",
            "phone",
            "number",
            "clid",
            "did",
            "sender",
            "full_name",
            "firstname",
            "lastname",
            "followers",
        ];
        let mut seen = 0;
        for tool in catalog::tools() {
            let entity = match &tool.run {
                Run::List(list) => list.entity,
                Run::Get(entity) => entity,
                _ => continue,
            };
            let specs: Vec<&FieldSpec> = entity.fields_at(crate::model::field::Detail::Full).collect();
            for spec in specs {
                let last = spec.path.rsplit('.').next().unwrap_or_default();
                if PERSONAL.contains(&last) && !matches!(spec.format, Format::Computed(..)) {
                    seen += 1;
                    assert_ne!(kind::of_label(spec.label), Holds::Free, "{}: {}", tool.name, spec.label);
                }
            }
        }
        assert!(seen > 50, "{seen}");
    }
}
