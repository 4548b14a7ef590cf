//! Compatibility fallbacks: reads that are repeated in another form, since builds of Daktela differ.
//!
//! Every read is projected: it names the fields that will be shown, because a raw record is 24 to 240 KB. How a build
//! takes a projection that it does not like is not documented, so each fallback says by which answer it applies and how
//! it changes the query. [`PAGE_FALLBACKS`] is applied in its order; records have one fallback, the whole record.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

use super::{
    envelope::Page,
    error::Error,
    normalize::{former_name, normalise},
    query::Query,
    reads::{Notes, Read, Reader, has_root, is_root_filled, root},
};

/// What an answer lacks where the second read of a projection fails.
const RELATED: &str = "Related records (such as agent, queue or contact) may be missing";

/// How many raw records show which fields a build has: some may lack those that are empty, and all are large.
const SAMPLE: u64 = 3;

/// The fields of models that refused a projection, by model (and relation); `None` where they cannot be learnt.
pub(crate) type LearntFields = BTreeMap<String, Option<Vec<String>>>;

/// A second form of a query for builds that do not take the first.
struct Fallback {
    /// By which answer to a query it is known that the build needs this.
    applies: fn(&Query, &Result<Page, Error>) -> bool,
    /// The other query; none where there is nothing else to ask.
    change: fn(&Compat, &Query, &Result<Page, Error>) -> Option<Query>,
    /// What a refusal of the other query means.
    refused: Refused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The answer is incomplete where there was one.
    Incomplete,
    /// The build is not of those: the first answer is whole.
    NotNeeded,
    /// The other query is taken in place of the first, with all other fallbacks.
    Instead,
}

const PAGE_FALLBACKS: &[Fallback] = &[
    // HTTP 400: a few raw records tell which fields this build has.
    Fallback {
        applies: |query, answer| !query.fields.is_empty() && matches!(answer, Err(Error::Refused(_))),
        change: |compat, query, _| {
            let known = compat.known_fields(query)?;
            (known != query.fields).then(|| Query {
                fields: known,
                ..query.clone()
            })
        },
        refused: Refused::Incomplete,
    },
    // Still 400, or no trace of a related record whose fields were picked: whole related records instead of dotted picks.
    Fallback {
        applies: needs_whole_relations,
        change: |compat, query, _| {
            // Where nothing was refused, nobody asked which fields there are.
            let is_learnt = compat.learnt.borrow().contains_key(&model(&query.endpoint));
            let fields = if is_learnt {
                compat.known_fields(query)?
            } else {
                query.fields.clone()
            };
            Some(Query {
                fields: roots(&fields),
                ..query.clone()
            })
        },
        refused: Refused::Incomplete,
    },
    // No field that older builds call otherwise: by its former name.
    Fallback {
        applies: |query, answer| with_former_names(query, answer).is_some(),
        change: |_, query, answer| with_former_names(query, answer),
        refused: Refused::NotNeeded,
    },
    // Still 400: without the second key of the order, which only tells equal records apart.
    Fallback {
        applies: |query, answer| query.sort.len() > 1 && matches!(answer, Err(Error::Refused(_))),
        change: |_, query, _| {
            Some(Query {
                sort: query.sort[..1].to_vec(),
                ..query.clone()
            })
        },
        refused: Refused::Instead,
    },
];

fn needs_whole_relations(query: &Query, answer: &Result<Page, Error>) -> bool {
    let mut picks = query.fields.iter().filter(|field| field.contains('.'));
    match answer {
        Err(Error::Refused(_)) => picks.next().is_some(),
        Err(_) => false,
        Ok(page) => {
            !page.rows.is_empty()
                && (picks_nothing(&query.fields, &page.rows)
                    || picks.any(|field| !page.rows.iter().any(|row| has_root(row, field))))
        }
    }
}

fn with_former_names(query: &Query, answer: &Result<Page, Error>) -> Option<Query> {
    let rows = &answer.as_ref().ok().filter(|page| !page.rows.is_empty())?.rows;
    let mut query = query.clone();
    let mut is_other = false;
    for field in &mut query.fields {
        if let Some(before) = former_name(&query.endpoint, field)
            && !rows.iter().any(|row| has_root(row, field) || has_root(row, before))
        {
            *field = before.to_owned();
            is_other = true;
        }
    }
    is_other.then_some(query)
}

/// Reads with fallbacks. `learnt` is what reads of the same call share.
#[derive(Clone, Copy)]
pub(crate) struct Compat<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) learnt: &'a RefCell<LearntFields>,
}

impl Compat<'_> {
    /// Several pages at once, in order and in one shape.
    pub(crate) fn pages(&self, queries: &[Query]) -> Vec<Read<Page>> {
        self.complete_pages(queries, self.reader.pages(queries))
    }

    /// Several records of one model at once, in order and in one shape.
    pub(crate) fn records(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Read<Value>> {
        let reads = self.reader.records(endpoint, names, fields);
        self.complete_records(endpoint, names, fields, reads)
    }

    /// A record and a list that belongs to it, at once.
    pub(crate) fn record_and_page(
        &self,
        endpoint: &str,
        name: &str,
        fields: &[String],
        query: &Query,
    ) -> (Read<Value>, Read<Page>) {
        let (record, page) = self.reader.record_and_page(endpoint, name, fields, query);
        let record = self.complete_records(endpoint, &[name], fields, vec![record]).remove(0);
        let page = self.complete_pages(std::slice::from_ref(query), vec![page]).remove(0);
        (record, page)
    }

    fn complete_pages(&self, queries: &[Query], mut reads: Vec<Read<Page>>) -> Vec<Read<Page>> {
        for fallback in PAGE_FALLBACKS {
            self.apply(fallback, queries, &mut reads);
        }
        for (query, read) in queries.iter().zip(&mut reads) {
            if let Ok(page) = &mut read.result {
                page.rows.iter_mut().for_each(|row| normalise(&query.endpoint, row));
            }
        }
        reads
    }

    /// Repeats the queries whose answer asks for it, all at once, and keeps an answer that is better.
    fn apply(&self, fallback: &Fallback, queries: &[Query], reads: &mut [Read<Page>]) {
        let (at, again): (Vec<usize>, Vec<Query>) = (0..queries.len())
            .filter(|&i| (fallback.applies)(&queries[i], &reads[i].result))
            .filter_map(|i| Some((i, (fallback.change)(self, &queries[i], &reads[i].result)?)))
            .unzip();
        if again.is_empty() {
            return;
        }
        let answers = if fallback.refused == Refused::Instead {
            self.pages(&again)
        } else {
            self.reader.pages(&again)
        };
        for (i, answer) in at.into_iter().zip(answers) {
            let read = &mut reads[i];
            read.notes.merge(answer.notes);
            match (answer.result, fallback.refused) {
                (Err(Error::Refused(_)), Refused::NotNeeded) => {}
                (Err(error), _) if read.result.is_ok() => read.notes.merge(Notes::partial(RELATED, &error)),
                (Err(_), Refused::Incomplete | Refused::NotNeeded) => {}
                (result, _) => read.result = result,
            }
        }
    }

    /// Repeats records with all of their fields where a build did not take the projection.
    fn complete_records(
        &self,
        endpoint: &str,
        names: &[&str],
        fields: &[String],
        mut reads: Vec<Read<Value>>,
    ) -> Vec<Read<Value>> {
        let needs_all = |result: &Result<Value, Error>| match result {
            Err(Error::Refused(_)) => true,
            Err(_) => false,
            Ok(record) => {
                picks_nothing(fields, std::slice::from_ref(record))
                    || fields.iter().any(|field| {
                        (field.contains('.') || former_name(endpoint, field).is_some()) && !has_root(record, field)
                    })
            }
        };
        let at: Vec<usize> = (0..names.len()).filter(|&i| needs_all(&reads[i].result)).collect();
        if !fields.is_empty() {
            let again: Vec<&str> = at.iter().map(|&i| names[i]).collect();
            for (i, answer) in at.into_iter().zip(self.reader.records(endpoint, &again, &[])) {
                let read = &mut reads[i];
                read.notes.merge(answer.notes);
                match answer.result {
                    Err(error) if read.result.is_ok() => read.notes.merge(Notes::partial(RELATED, &error)),
                    result => read.result = result,
                }
            }
        }
        for read in &mut reads {
            if let Ok(record) = &mut read.result {
                normalise(endpoint, record);
            }
        }
        reads
    }

    /// Those fields of a query that this build has, by the look of a few raw records. A field of a list without records
    /// is as good as none: then there is nothing to project.
    fn known_fields(&self, query: &Query) -> Option<Vec<String>> {
        let model = model(&query.endpoint);
        if !self.learnt.borrow().contains_key(&model) {
            let sample = Query::new(&query.endpoint, SAMPLE).reference_data(query.is_reference_data);
            let page = self.reader.pages(&[sample]).pop()?.result;
            // Nothing to learn from; another record's relation of this kind may have more to show.
            if page.as_ref().is_ok_and(|page| page.rows.is_empty()) {
                return Some(Vec::new());
            }
            let keys = page.ok().map(|page| {
                let rows = page.rows.iter().filter_map(Value::as_object);
                let keys: BTreeSet<String> = rows.flat_map(Map::keys).cloned().collect();
                keys.into_iter().collect()
            });
            self.learnt.borrow_mut().insert(model.clone(), keys);
        }
        let learnt = self.learnt.borrow();
        let known = learnt.get(&model)?.as_ref()?;
        let known_name = |field: &String| {
            let names = [Some(field.as_str()), former_name(&query.endpoint, field)];
            let is_known = |name: &&str| known.iter().any(|key| key == root(name));
            names.into_iter().flatten().find(is_known).map(str::to_owned)
        };
        Some(query.fields.iter().filter_map(known_name).collect())
    }
}

/// The model of an endpoint, with the relation: `activitiesWeb/messages` for `activitiesWeb/web_1/messages`.
fn model(endpoint: &str) -> String {
    let parts: Vec<&str> = endpoint.split('/').collect();
    if parts.len() == 3 {
        format!("{}/{}", parts[0], parts[2])
    } else {
        endpoint.to_owned()
    }
}

/// Each field, or the related record that it is of, once.
fn roots(fields: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for field in fields {
        if !out.iter().any(|have| have == root(field)) {
            out.push(root(field).to_owned());
        }
    }
    out
}

/// Whether a build answers to dotted picks with nothing but nulls: of several related records at least one is there
/// as a rule, and what went through a channel always has its activity.
fn picks_nothing(fields: &[String], rows: &[Value]) -> bool {
    let picks: Vec<&str> = fields.iter().map(String::as_str).filter(|f| f.contains('.')).collect();
    let is_filled = |pick: &str| rows.iter().any(|row| is_root_filled(row, pick));
    let several = picks.iter().any(|pick| root(pick) != root(picks[0]));
    // Not of their tickets: whole pages of chats have none, and reading them again would be a hundred times as much.
    let of_activities = picks.contains(&"activities.name") && !is_filled("activities.name");
    (several && !picks.iter().any(|pick| is_filled(pick))) || of_activities
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_related_records_replace_dotted_picks() {
        let fields = ["name", "user.name", "user.title", "title"].map(str::to_owned);
        assert_eq!(roots(&fields), ["name", "user", "title"]);
    }

    #[test]
    fn records_without_a_related_record_are_no_reason_to_read_them_again() {
        let fields = ["user.title".to_owned(), "user.name".to_owned()];
        assert!(!picks_nothing(&fields, &[json!({"user": null})]));
    }
}
