//! Custom fields by kind of record: labels, types and choices out of the schemes that records carry, one of each form.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        custom_field::{self, CustomField},
        output::{Content, Fact, FactValue, Key, ListOutput, Output, Overflow, Provenance, Record, Reference},
        param,
    },
    run::records::warnings,
    text, value,
};

/// A kind of record with custom fields, and what chooses the form that it has.
struct Kind {
    word: &'static str,
    model: &'static str,
    sort: &'static str,
    /// The field that leads to the form's owner, and the model of those.
    form: Option<(&'static str, &'static str)>,
}

const KINDS: &[Kind] = &[
    Kind {
        word: "tickets",
        model: "tickets",
        sort: "edited",
        form: Some(("category", "ticketsCategories")),
    },
    Kind {
        word: "contacts",
        model: "contacts",
        sort: "edited",
        form: Some(("database", "crmDatabases")),
    },
    Kind {
        word: "accounts",
        model: "accounts",
        sort: "edited",
        form: Some(("database", "crmDatabases")),
    },
    Kind {
        word: "crm_records",
        model: "crmRecords",
        sort: "edited",
        form: Some(("type", "crmRecordsTypes")),
    },
    Kind {
        word: "campaign_records",
        model: "campaignsRecords",
        sort: "edited",
        form: Some(("record_type", "campaignsTypes")),
    },
    Kind {
        word: "activities",
        model: "activities",
        sort: "time",
        form: None,
    },
];

/// The newest records show the forms in use; the others are looked for one by one.
const NEWEST: u64 = 50;
/// How many forms are looked for so, of one kind of record.
const FORMS_MAX: usize = 60;
/// How many whole records are read where a build shows schemes on those only.
const WHOLE_MAX: usize = 3;

/// A custom field, and the forms that have it.
struct Found {
    field: CustomField,
    forms: Vec<String>,
}

pub(crate) fn describe(context: &Context, args: &Args) -> Result<Output, Error> {
    let wanted = args.texts(&param::ENTITY);
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|kind| wanted.is_empty() || wanted.contains(&kind.word))
        .collect();
    let mut queries: Vec<Query> = kinds.iter().map(|kind| newest(kind)).collect();
    queries.extend(kinds.iter().filter_map(|kind| {
        let (_, owners) = kind.form?;
        Some(
            Query::new(owners, TAKE_MAX)
                .fields(&["name", "title"])
                .reference_data(true),
        )
    }));
    let mut pages = context.client.read_pages(&queries).into_iter();
    let newest: Vec<Result<Page, Error>> = pages.by_ref().take(kinds.len()).collect();
    let mut notes = Vec::new();
    let mut records = Vec::new();
    let mut failed = Vec::new();
    for (kind, page) in kinds.iter().zip(newest) {
        let owners = kind.form.and_then(|_| pages.next()).and_then(Result::ok);
        match page {
            Ok(page) => records.extend(fields(context, kind, page.rows, owners.as_ref(), &mut notes)),
            Err(error) => {
                notes.push(format!(
                    "The custom fields of {} could not be read. {}",
                    kind.word,
                    error.text()
                ));
                failed.push(error);
            }
        }
    }
    if failed.len() == kinds.len()
        && let Some(error) = failed.pop()
    {
        return Err(error);
    }
    let (skip, take) = (args.skip(), args.number(&param::take(200, 1000)).unwrap_or(200));
    let total = records.len() as u64;
    let records: Vec<Record> = records.into_iter().skip(skip as usize).take(take as usize).collect();
    notes.extend(warnings(context));
    Ok(Output {
        content: Content::List(ListOutput {
            singular: "custom field",
            plural: "custom fields",
            rows: records.len(),
            left_out: None,
            records,
            skip,
            take,
            total: Some(total),
            applied_filters: wanted.iter().map(|word| (*word).to_owned()).collect(),
            notes,
            zone: None,
            overflow: Overflow::Records,
            text_chars: None,
            budget: args.budget(context.settings.max_answer_bytes),
        }),
        first_record: None,
    })
}

fn newest(kind: &Kind) -> Query {
    projected(kind, NEWEST).sort(kind.sort, Direction::Descending)
}

fn projected(kind: &Kind, take: u64) -> Query {
    let mut fields = vec!["name".to_owned(), "customFields".to_owned(), "_sys".to_owned()];
    if let Some((form, _)) = kind.form {
        fields.extend([format!("{form}.name"), format!("{form}.title")]);
    }
    Query {
        fields,
        ..Query::new(kind.model, take)
    }
}

/// The name and the title of the form that a record has.
fn form_of(kind: &Kind, row: &Value) -> Option<(String, String)> {
    let form = value::first(row, kind.form?.0)?;
    let name = value::name_of(form)?;
    let title = value::text_at(form, "title").unwrap_or_else(|| name.clone());
    Some((name, title))
}

fn fields(
    context: &Context,
    kind: &Kind,
    mut rows: Vec<Value>,
    owners: Option<&Page>,
    notes: &mut Vec<String>,
) -> Vec<Record> {
    if let (Some((form, _)), Some(owners)) = (kind.form, owners) {
        let seen: Vec<String> = rows
            .iter()
            .filter_map(|row| form_of(kind, row))
            .map(|(name, _)| name)
            .collect();
        let missing: Vec<String> = owners
            .rows
            .iter()
            .filter_map(|owner| value::text_at(owner, "name"))
            .filter(|name| !seen.contains(name))
            .collect();
        if missing.len() > FORMS_MAX {
            notes.push(format!(
                "{} has {} more forms than were looked at.",
                kind.word,
                missing.len() - FORMS_MAX
            ));
        }
        let queries: Vec<Query> = missing
            .iter()
            .take(FORMS_MAX)
            .map(|name| projected(kind, 1).filter(Filter::eq(form, name.as_str())))
            .collect();
        for page in context.client.read_pages(&queries).into_iter().flatten() {
            rows.extend(page.rows);
        }
    }
    let has_scheme = |row: &Value| !custom_field::schema_of(row).is_empty();
    if !rows.is_empty() && !rows.iter().any(has_scheme) {
        // Builds that drop the definitions from every projection show them on the whole record.
        let mut forms = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for row in &rows {
            let form = form_of(kind, row);
            if names.len() < WHOLE_MAX && !forms.contains(&form) {
                forms.push(form);
                names.extend(value::text_at(row, "name"));
            }
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        rows = context
            .client
            .read_records(kind.model, &names, &[])
            .into_iter()
            .flatten()
            .collect();
        if rows.iter().any(has_scheme) {
            notes.push(format!(
                "This build shows the custom fields of {} on whole records only; {} were looked at, so that other forms may have more.",
                kind.word,
                rows.len()
            ));
        }
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for row in &rows {
        let form = form_of(kind, row).map(|(_, title)| text::line(&title));
        for (key, field) in custom_field::schema_of(row) {
            if field.hidden != Some(false) {
                continue;
            }
            let known = found.entry(key).or_insert_with(|| Found {
                field,
                forms: Vec::new(),
            });
            known.forms.extend(
                form.iter()
                    .filter(|form| !known.forms.contains(form))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
    }
    if found.is_empty() {
        notes.push(format!("No custom fields of {} were found.", kind.word));
    }
    found.into_iter().map(|(key, found)| record(kind, key, found)).collect()
}

fn record(kind: &Kind, key: String, Found { field, forms }: Found) -> Record {
    let fact = |label: &'static str, value: FactValue, provenance| Fact {
        key: Key::Label,
        label: label.into(),
        value,
        provenance,
        max_chars: 2_000,
    };
    let mut facts = vec![fact("Of", FactValue::Word(kind.word.to_owned()), Provenance::System)];
    if !field.kind.is_empty() {
        facts.push(fact("Type", FactValue::Word(field.kind), Provenance::System));
    }
    if field.multiple {
        facts.push(fact("Several values", FactValue::YesNo(true), Provenance::System));
    }
    let choices = field.choices.into_iter().map(|(stored, shown)| {
        FactValue::Reference(Reference {
            id: Some(stored),
            title: Some(shown),
            url: None,
        })
    });
    let forms = forms.into_iter().map(FactValue::Text);
    let lists = [
        ("Choices", FactValue::from_values(choices)),
        ("Forms", FactValue::from_values(forms)),
    ];
    for (label, value) in lists {
        facts.extend(value.map(|value| fact(label, value, Provenance::People)));
    }
    Record {
        singular: "custom field",
        id: Some(key),
        title: Some(field.title).filter(|title| !title.is_empty()),
        url: None,
        facts,
        remarks: Vec::new(),
        texts: Vec::new(),
    }
}
