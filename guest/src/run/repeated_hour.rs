//! Notes on the hour that occurs twice in autumn: Daktela's local times do not tell which of the two is meant.

use std::collections::BTreeSet;

use crate::{
    model::{
        args::Args,
        output::{Body, Content, FactValue, Leg, Moment, Output, Record, Utterance},
        param,
    },
    time,
};

/// What to say of the times of an answer and of the bounds that the caller gave; nothing on all other nights.
pub(crate) fn notes(output: &Output, args: &Args, zone: Option<&str>) -> Vec<String> {
    let bounds = [(&param::DATE_FROM, "00:00"), (&param::DATE_TO, "59:59")];
    let mut notes: Vec<String> = bounds
        .into_iter()
        .filter_map(|(param, whole)| {
            let given = args.text(param)?;
            let hour = time::repeated_hour(given, zone)?;
            // From the beginning of the hour or until its end, both are meant whole.
            (!given.ends_with(whole)).then(|| {
                format!(
                    "{} {given} lies in an hour that occurs twice{}, since the clocks go back, and Daktela's times do not tell which \
                     of the two is meant: only the time on the clock is compared. With {hour}:{whole} nothing is missed.",
                    param.name,
                    in_zone(zone),
                )
            })
        })
        .collect();
    let mut hours = BTreeSet::new();
    for record in records(&output.content) {
        hours_of(record, zone, &mut hours);
    }
    notes.extend(hours.into_iter().map(|hour| {
        format!(
            "{hour}:00 to {hour}:59 occurs twice{}, since the clocks go back, and Daktela's times do not tell which of the two is \
             meant: which of such times was earlier, and how long something took across them, is not certain.",
            in_zone(zone),
        )
    }));
    notes
}

fn in_zone(zone: Option<&str>) -> String {
    zone.map_or_else(|| " in many countries".to_owned(), |zone| format!(" in {zone}"))
}

fn records(content: &Content) -> Vec<&Record> {
    match content {
        Content::Record(one) => vec![&one.record],
        Content::List(page) => page.records.iter().collect(),
        Content::Conversation(one, page) => [&one.record].into_iter().chain(&page.records).collect(),
        _ => Vec::new(),
    }
}

/// Adds the hours of a record's times that occur twice.
fn hours_of(record: &Record, zone: Option<&str>, hours: &mut BTreeSet<String>) {
    let mut add = |time: &str| hours.extend(time::repeated_hour(time, zone).map(str::to_owned));
    for fact in &record.facts {
        for value in values(&fact.value) {
            match value {
                FactValue::DateTime(time) | FactValue::Deadline { at: Some(time), .. } => add(time),
                _ => {}
            }
        }
    }
    let mut said = |utterances: &[Utterance]| {
        for utterance in utterances {
            if let Moment::Time(time) = &utterance.at {
                add(time);
            }
        }
    };
    for text in &record.texts {
        match &text.body {
            Body::Plain(_) => {}
            Body::Conversation(utterances) => said(utterances),
            Body::Legs(legs) => legs.iter().for_each(|Leg { utterances, .. }| said(utterances)),
        }
    }
}

fn values(value: &FactValue) -> &[FactValue] {
    match value {
        FactValue::List(values) => values,
        value => std::slice::from_ref(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::output::{CountOutput, Fact, Key, Provenance, RecordOutput};

    const PRAGUE: Option<&str> = Some("Europe/Prague");

    fn args(json: &str) -> Args {
        Args::check(&[param::DATE_FROM, param::DATE_TO], json).expect("right")
    }

    fn count() -> Output {
        Output {
            content: Content::Count(CountOutput {
                singular: "call",
                plural: "calls",
                total: 0,
                applied_filters: Vec::new(),
                notes: Vec::new(),
            }),
            first_record: None,
        }
    }

    #[test]
    fn a_bound_within_the_hour_says_what_is_compared() {
        let given = args(r#"{"date_from": "2026-10-25 02:30", "date_to": "2026-10-25 02:40"}"#);
        let said = notes(&count(), &given, PRAGUE);
        assert_eq!(said.len(), 2);
        assert_eq!(
            said[0],
            "date_from 2026-10-25 02:30:00 lies in an hour that occurs twice in Europe/Prague, since the clocks go back, and Daktela's \
             times do not tell which of the two is meant: only the time on the clock is compared. With 2026-10-25 02:00:00 nothing is \
             missed."
        );
        assert!(
            said[1].ends_with("With 2026-10-25 02:59:59 nothing is missed."),
            "{}",
            said[1]
        );
        for whole in [
            r#"{"date_from": "2026-10-25 02:00", "date_to": "2026-10-25 02:59"}"#,
            r#"{"date_from": "2026-10-25"}"#,
            r#"{"date_from": "2026-10-24 02:30"}"#,
        ] {
            assert_eq!(notes(&count(), &args(whole), PRAGUE), [""; 0], "{whole}");
        }
        let utc = notes(&count(), &given, Some("UTC"));
        assert_eq!(utc, [""; 0]);
    }

    #[test]
    fn times_within_the_hour_are_told_once() {
        let time = |time: &str| Fact {
            key: Key::Label,
            label: "Time".into(),
            value: FactValue::DateTime(time.to_owned()),
            provenance: Provenance::System,
            max_chars: 100,
        };
        let output = |facts| Output {
            content: Content::Record(RecordOutput {
                singular: "call",
                record: Record {
                    singular: "call",
                    id: None,
                    title: None,
                    url: None,
                    facts,
                    remarks: Vec::new(),
                    texts: Vec::new(),
                },
                notes: Vec::new(),
                zone: None,
                budget: args("{}").budget(10_000),
            }),
            first_record: None,
        };
        let night = output(vec![time("2026-10-25 02:58:00"), time("2026-10-25 02:05:00")]);
        let said = notes(&night, &args("{}"), PRAGUE);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("2026-10-25 02:00 to 2026-10-25 02:59 occurs twice in Europe/Prague"),
            "{}",
            said[0]
        );
        let day = output(vec![time("2026-10-25 12:58:00")]);
        assert_eq!(notes(&day, &args("{}"), PRAGUE), [""; 0]);
    }
}
