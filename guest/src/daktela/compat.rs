//! Compatibility fallbacks: reads that are repeated in another form, since builds of Daktela differ.
//!
//! Every read is projected: it names the fields that will be shown, because a raw record is 24 to 240 KB. How a build
//! takes a projection that it does not like is not documented, so each fallback says by which answer it applies and how
//! it changes the query. [`PAGE_FALLBACKS`] is applied in its order. Related records that did not come are then read by
//! themselves and put into the rows that are there; records are completed in the same way.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

use super::{
    channels::{self, Channel},
    envelope::Page,
    error::Error,
    hints::Hints,
    normalize::{former_model, former_name, normalise},
    observations::{Mend, has_root, model, root},
    query::{self, Filter, Query, TAKE_MAX},
    reads::{Notes, Read, Reader, is_root_filled},
    verify::verify,
};
use crate::value;

/// How many raw records show which fields a build has: some may lack those that are empty, and all are large.
const SAMPLE: u64 = 3;

/// How many rows are read at once with whole related records: at the 215 KB that one may take, below the 16 MB that the
/// host lets through.
const WHOLE_AT_ONCE: usize = 40;

/// How many raw records are read at most where nothing smaller is sent.
const RAW_MAX: u64 = 20;

/// How many empty lists of one order are looked at again in a call: where an order leaves no rows, it leaves none of any.
const EMPTY_MAX: u8 = 3;

/// In place of fields where no record tells which ones a build has.
const ALL_FIELDS: &str = "*";

/// How many records' activities are read by paths of their own at most; more are read whole.
const BY_PATH_MAX: usize = 60;

/// Of so few records the paths are asked first, since they are sure to lead to the activities.
const BY_PATH_FIRST: usize = 2;

/// The related record of an activity that is never read whole for a list: a channel's record of 240 KB, which is found in
/// other ways.
const ITEM: &str = "item";

/// The model of activities, and the relation of a channel's record to its own.
const ACTIVITIES: &str = "activities";

/// How many hours after its channel's record an activity is looked for: that of a call begins when an agent is found, and
/// a call may be transferred.
const HOURS: u32 = 3;

/// Related records of related records: path, relation, and the model in which that one is read by itself.
const RELATED: &[(&str, &str, &str)] = &[("contact.account", "contact", "contacts")];

/// The keys by which records are told apart.
const KEYS: [&str; 2] = ["name", "id_call"];

/// What reads of one call learnt of the instance.
#[derive(Default)]
pub(crate) struct Learnt {
    /// The fields of models that refused a projection, by model (and relation); `None` where they cannot be learnt.
    fields: BTreeMap<String, Option<Vec<String>>>,
    /// Orders, and how many empty lists of each were looked at again; enough of them where one gave rows.
    sorts: BTreeMap<Sort, u8>,
}

/// Fields that need another form of a query, by an answer to it.
type Find = fn(&Compat, &Query, &Result<Page, Error>) -> Option<Vec<String>>;

/// A second form of a query for builds that do not take the first.
pub(crate) struct Fallback {
    /// The stable name; with the model and the fields it is what can be remembered of a build.
    pub(crate) mend: Mend,
    /// Which fields need the other form, by an answer to the query; none where the build needs nothing. May read more.
    find: Find,
    /// The query in the other form for these fields. Asks nothing, so that it can also be applied beforehand.
    pub(crate) change: fn(&Query, &[String]) -> Query,
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

pub(crate) const PAGE_FALLBACKS: &[Fallback] = &[
    // HTTP 404: a model that older builds call otherwise.
    Fallback {
        mend: Mend::FormerModel,
        find: |_, query, answer| {
            let absent = matches!(answer, Err(Error::NotFound(_)));
            (absent && former_model(&query.endpoint).is_some()).then(Vec::new)
        },
        change: |query, _| Query {
            endpoint: former_model(&query.endpoint).unwrap_or_else(|| query.endpoint.clone()),
            ..query.clone()
        },
        refused: Refused::NotNeeded,
    },
    // HTTP 400: a few raw records tell which fields this build has.
    Fallback {
        mend: Mend::KnownFields,
        find: |compat, query, answer| {
            let refused = !query.fields.is_empty() && matches!(answer, Err(Error::Refused(_)));
            refused
                .then(|| compat.unknown_fields(query))
                .flatten()
                .filter(|unknown| !unknown.is_empty())
        },
        change: without_unknown,
        refused: Refused::Incomplete,
    },
    // Still 400: whole related records instead of dotted picks.
    Fallback {
        mend: Mend::WholeRelations,
        find: |_, query, answer| {
            let picks: BTreeSet<String> = picks(&query.fields).map(|pick| root(pick).to_owned()).collect();
            let refused = matches!(answer, Err(Error::Refused(_))) && !picks.is_empty();
            refused.then(|| picks.into_iter().collect())
        },
        change: with_whole_relations,
        refused: Refused::Incomplete,
    },
    // No field that older builds call otherwise: by its former name.
    Fallback {
        mend: Mend::FormerNames,
        find: |compat, query, answer| {
            let rows = &answer.as_ref().ok()?.rows;
            let absent = compat.absent_renamed(&query.endpoint, &query.fields, rows);
            (!absent.is_empty()).then_some(absent)
        },
        change: with_former_names,
        refused: Refused::NotNeeded,
    },
    // Still 400: without the second key of the order, which only tells equal records apart.
    Fallback {
        mend: Mend::OneSortField,
        find: |_, query, answer| {
            let refused = query.sort.len() > 1 && matches!(answer, Err(Error::Refused(_)));
            refused.then(|| query.sort[1..].iter().map(|(field, _)| field.clone()).collect())
        },
        change: |query, fields| Query {
            sort: query
                .sort
                .iter()
                .enumerate()
                .filter(|(at, (field, _))| *at == 0 || !fields.contains(field))
                .map(|(_, by)| by.clone())
                .collect(),
            ..query.clone()
        },
        refused: Refused::Instead,
    },
    // A condition on the parent that is refused or that rows contradict: the list below the parent's own path.
    Fallback {
        mend: Mend::ParentPath,
        find: |_, query, answer| {
            let (parent, _) = parent_of(query)?;
            let is_ignored = match answer {
                Ok(page) => verify(query, &page.rows)
                    .ignored
                    .iter()
                    .any(|field| field == parent.field),
                Err(error) => matches!(error, Error::Refused(_)),
            };
            is_ignored.then(|| vec![parent.field.to_owned()])
        },
        change: below_parent,
        refused: Refused::NotNeeded,
    },
    // No rows in this order: unsorted, where one row shows that there are some.
    Fallback {
        mend: Mend::Unsorted,
        find: |compat, query, answer| {
            let is_empty = answer
                .as_ref()
                .is_ok_and(|page| page.rows.is_empty() && page.total.unwrap_or(0) == 0);
            let sort = sort_of(query).filter(|_| is_empty)?;
            compat.loses_rows(query, sort).then(|| sort_fields(query))
        },
        change: |query, _| Query {
            sort: Vec::new(),
            ..query.clone()
        },
        refused: Refused::NotNeeded,
    },
    // Records are counted and none is sent: a few of them, as they are.
    Fallback {
        mend: Mend::Unprojected,
        find: |_, query, answer| {
            let page = answer.as_ref().ok()?;
            let counts = page.rows.is_empty() && page.total.is_some_and(|total| total > query.skip);
            (counts && query.take > 0 && !query.fields.is_empty()).then(|| vec![ALL_FIELDS.to_owned()])
        },
        change: |query, _| Query {
            sort: Vec::new(),
            fields: Vec::new(),
            take: query.take.min(RAW_MAX),
            ..query.clone()
        },
        refused: Refused::NotNeeded,
    },
];

/// The first field of an order on a model; the second only tells equal records apart.
type Sort = (String, String);

/// Lists below records: the model and the field of a condition, the parent's model, and the relation.
struct Parent {
    model: &'static str,
    field: &'static str,
    of: &'static str,
    relation: &'static str,
}

const fn below(model: &'static str, field: &'static str, of: &'static str, relation: &'static str) -> Parent {
    Parent {
        model,
        field,
        of,
        relation,
    }
}

const PARENTS: &[Parent] = &[
    below("activities", "ticket", "tickets", "activities"),
    below("contacts", "account", "accounts", "contacts"),
    below("crmRecords", "account", "accounts", "records"),
    below("crmRecords", "contact", "contacts", "crmRecords"),
    below("tickets", "contact", "contacts", "tickets"),
    below("tickets", "user", "users", "tickets"),
];

/// The first condition of a query that names a parent, and the path below that.
fn parent_of(query: &Query) -> Option<(&'static Parent, String)> {
    let mut parents = PARENTS.iter().filter(|parent| parent.model == query.endpoint);
    parents.find_map(|parent| {
        let name = query
            .filters
            .iter()
            .find_map(|filter| parent_in(filter, parent.field))?;
        Some((parent, query::path(parent.of, &[name, parent.relation])?))
    })
}

/// The name that a condition on this field asks for.
fn parent_in<'a>(filter: &'a Filter, wanted: &str) -> Option<&'a str> {
    match filter {
        Filter::Is {
            field,
            operator: "eq",
            values,
        } if field == wanted => values.first().map(String::as_str),
        _ => None,
    }
}

fn below_parent(query: &Query, fields: &[String]) -> Query {
    let Some((parent, endpoint)) =
        parent_of(query).filter(|(parent, _)| fields.iter().any(|field| field == parent.field))
    else {
        return query.clone();
    };
    let other = |filter: &&Filter| parent_in(filter, parent.field).is_none();
    Query {
        endpoint,
        filters: query.filters.iter().filter(other).cloned().collect(),
        ..query.clone()
    }
}

fn picks(fields: &[String]) -> impl Iterator<Item = &String> {
    fields.iter().filter(|field| field.contains('.'))
}

/// A query without fields that a build does not have, or by their former names.
fn without_unknown(query: &Query, unknown: &[String]) -> Query {
    let is_known = |name: &&str| !unknown.iter().any(|field| root(field) == root(name));
    let known_name = |field: &String| {
        let names = [Some(field.as_str()), former_name(&query.endpoint, field)];
        names.into_iter().flatten().find(is_known).map(str::to_owned)
    };
    let is_all = unknown.iter().any(|field| field == ALL_FIELDS);
    Query {
        fields: if is_all {
            Vec::new()
        } else {
            query.fields.iter().filter_map(known_name).collect()
        },
        ..query.clone()
    }
}

/// A query for whole related records in place of what is picked of these.
fn with_whole_relations(query: &Query, whole: &[String]) -> Query {
    let mut fields: Vec<String> = Vec::new();
    let is_left_out = |field: &&String| field.contains('.') && root(field) == ITEM;
    for field in query.fields.iter().filter(|field| !is_left_out(field)) {
        let name = if whole.iter().any(|one| one == root(field)) {
            root(field)
        } else {
            field
        };
        if !fields.iter().any(|have| have == name) {
            fields.push(name.to_owned());
        }
    }
    Query {
        fields,
        ..query.clone()
    }
}

fn with_former_names(query: &Query, fields: &[String]) -> Query {
    let name = |field: &String| {
        former_name(&query.endpoint, field)
            .filter(|_| fields.contains(field))
            .map_or_else(|| field.clone(), str::to_owned)
    };
    Query {
        fields: query.fields.iter().map(name).collect(),
        ..query.clone()
    }
}

/// The related records whose dotted picks did not come: `activities`, or `contact.account` where only the contact came.
fn missing_relations(fields: &[String], rows: &[Value]) -> Vec<String> {
    let mut missing: BTreeSet<String> = BTreeSet::new();
    if rows.is_empty() {
        return Vec::new();
    }
    for pick in picks(fields).filter(|pick| root(pick) != ITEM) {
        let ends = pick.match_indices('.').map(|(at, _)| at);
        let relation = ends.map(|end| &pick[..end]).find(|relation| !came(rows, relation));
        missing.extend(relation.map(str::to_owned));
    }
    missing.extend(only_nulls(fields, rows).into_iter().map(str::to_owned));
    // A relation stands for those within it.
    let within = |path: &String| missing.iter().any(|other| path.starts_with(&format!("{other}.")));
    missing.iter().filter(|path| !within(path)).cloned().collect()
}

/// Whether a relation is in the rows, also as null; so it is taken where nothing tells.
fn came(rows: &[Value], relation: &str) -> bool {
    let mut is_missing = false;
    for row in rows {
        match reach(row, relation) {
            Some(true) => return true,
            Some(false) => is_missing = true,
            None => {}
        }
    }
    !is_missing
}

/// Whether a path is in a value; `None` where what it leads through is empty.
fn reach(value: &Value, path: &str) -> Option<bool> {
    match value {
        Value::Array(items) => items.iter().filter_map(|item| reach(item, path)).max(),
        Value::Object(map) => match path.split_once('.') {
            None => Some(map.contains_key(path)),
            Some((head, rest)) => map.get(head).map_or(Some(false), |inner| reach(inner, rest)),
        },
        _ => None,
    }
}

/// The relations where a build answers to dotted picks with nothing but nulls: of several related records at least one is
/// there as a rule, and what went through a channel always has its activity.
fn only_nulls<'a>(fields: &'a [String], rows: &[Value]) -> Vec<&'a str> {
    let roots: BTreeSet<&str> = picks(fields)
        .map(|pick| root(pick))
        .filter(|root| *root != ITEM)
        .collect();
    let is_filled = |root: &str| rows.iter().any(|row| is_root_filled(row, root));
    if roots.len() > 1 && !roots.iter().any(|root| is_filled(root)) {
        return roots.into_iter().collect();
    }
    // Not of their tickets: whole pages of chats have none.
    let of_activities = fields.iter().any(|field| field == "activities.name") && !is_filled("activities");
    if of_activities { vec!["activities"] } else { Vec::new() }
}

/// What the fields pick of a related record: `ticket.name` of `activities.ticket.name`.
fn picks_of<'a>(relation: &str, fields: &'a [String]) -> Vec<&'a str> {
    let within = |field: &'a String| field.strip_prefix(relation)?.strip_prefix('.');
    fields.iter().filter_map(within).collect()
}

/// A local time some hours later, with these minutes and seconds; `None` for what is no time or on the next day.
fn hour(time: &str, later: u32, rest: &str) -> Option<String> {
    let hour = time.get(11..13)?.parse::<u32>().ok()?;
    (hour + later < 24).then_some(format!("{} {:02}:{rest}", time.get(..10)?, hour + later))
}

/// Leaves of a value what these paths pick.
fn prune(value: &mut Value, paths: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, paths)),
        Value::Object(map) => {
            map.retain(|key, _| paths.iter().any(|path| root(path) == key));
            for (key, inner) in map.iter_mut() {
                let within = |path: &&'_ str| path.strip_prefix(key.as_str())?.strip_prefix('.').map(|_| ());
                let rests: Vec<&str> = paths
                    .iter()
                    .filter(|path| within(path).is_some())
                    .map(|path| &path[key.len() + 1..])
                    .collect();
                if !paths.contains(&key.as_str()) {
                    prune(inner, &rests);
                }
            }
        }
        _ => {}
    }
}

/// The key of a row among those that the fields name.
fn key_of<'a>(fields: &[String], row: &'a Value) -> Option<(&'static str, &'a Value)> {
    let key = KEYS.into_iter().find(|key| fields.iter().any(|field| field == key))?;
    Some((key, row.get(key).filter(|value| value::is_filled(value))?))
}

/// Puts what `from` has at these roots into a row, no more than `fields` pick of it.
fn take_over(row: &mut Value, from: &mut Value, roots: &[String], fields: &[String]) {
    for name in roots {
        let Some(mut value) = from.get_mut(name).map(Value::take) else {
            continue;
        };
        let paths = picks_of(name, fields);
        if !paths.is_empty() {
            prune(&mut value, &paths);
        }
        if let Some(row) = row.as_object_mut() {
            row.insert(name.clone(), value);
        }
    }
}

/// Reads with fallbacks. `learnt` is what reads of the same call share.
#[derive(Clone, Copy)]
pub(crate) struct Compat<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) learnt: &'a RefCell<Learnt>,
    /// What is known of the build, also by earlier calls.
    pub(crate) hints: &'a Hints,
}

/// The mends that made a query what it is, each with the endpoint and the fields.
type Applied = Vec<(Mend, String, Vec<String>)>;

impl Compat<'_> {
    /// Several pages at once, in order and in one shape.
    pub(crate) fn pages(&self, queries: &[Query]) -> Vec<Read<Page>> {
        let asked: Vec<Query> = queries.iter().map(|query| self.hinted(query)).collect();
        let reads = self.reader.pages(&asked);
        self.complete_pages(queries, asked, reads)
    }

    /// Several records of one model at once, in order and in one shape.
    pub(crate) fn records(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Read<Value>> {
        if let Some(former) = former_model(endpoint).filter(|_| self.hints.has(Mend::FormerModel, endpoint)) {
            let reads = self.records(&former, names, fields);
            if reads.iter().any(|read| read.result.is_ok()) {
                return reads;
            }
        }
        let asked = self.hinted_fields(endpoint, fields);
        let reads = self.reader.records(endpoint, names, &asked);
        self.complete_records(endpoint, names, fields, asked, reads)
    }

    /// The query in the form that the build is known to take.
    pub(super) fn hinted(&self, query: &Query) -> Query {
        PAGE_FALLBACKS.iter().fold(query.clone(), |query, fallback| {
            if !self.hints.has(fallback.mend, &query.endpoint) {
                return query;
            }
            let fields = self.hints.fields(fallback.mend, &query.endpoint);
            // Of another order.
            let sort = query.sort.first().map(|(field, _)| field);
            if fallback.mend == Mend::Unsorted && !fields.iter().any(|field| Some(field) == sort) {
                return query;
            }
            let other = (fallback.change)(&query, &fields);
            // No projection would be one of everything.
            if other.fields.is_empty() { query } else { other }
        })
    }

    /// The same for the projection of a record; empty where it takes none.
    fn hinted_fields(&self, endpoint: &str, fields: &[String]) -> Vec<String> {
        if self.hints.has(Mend::WholeRecord, endpoint) {
            return Vec::new();
        }
        let query = Query {
            fields: fields.to_vec(),
            ..Query::new(endpoint, 1)
        };
        self.hinted(&query).fields
    }

    /// Fields that older builds call otherwise and that no row has by either name.
    fn absent_renamed(&self, endpoint: &str, fields: &[String], rows: &[Value]) -> Vec<String> {
        let is_absent = |field: &&String| {
            !rows.is_empty()
                && former_name(endpoint, field).is_some()
                && !rows.iter().any(|row| has_root(row, field))
                && !self.hints.is_useless(Mend::FormerNames, endpoint, field)
        };
        fields.iter().filter(is_absent).cloned().collect()
    }

    /// A record and a list that belongs to it, at once.
    pub(crate) fn record_and_page(
        &self,
        endpoint: &str,
        name: &str,
        fields: &[String],
        query: &Query,
    ) -> (Read<Value>, Read<Page>) {
        let asked = self.hinted_fields(endpoint, fields);
        let hinted = self.hinted(query);
        let (record, page) = self.reader.record_and_page(endpoint, name, &asked, &hinted);
        let record = self
            .complete_records(endpoint, &[name], fields, asked, vec![record])
            .remove(0);
        let page = self
            .complete_pages(std::slice::from_ref(query), vec![hinted], vec![page])
            .remove(0);
        (record, page)
    }

    /// `asked` are the queries in the form that hints gave them.
    fn complete_pages(&self, queries: &[Query], mut asked: Vec<Query>, mut reads: Vec<Read<Page>>) -> Vec<Read<Page>> {
        self.repeat_without_hints(queries, &mut asked, &mut reads);
        for (query, read) in asked.iter().zip(&mut reads) {
            in_one_shape(query, &mut read.result);
            if let (Ok(page), Some(sort)) = (&read.result, sort_of(query))
                && !page.rows.is_empty()
            {
                self.learnt.borrow_mut().sorts.insert(sort, EMPTY_MAX);
            }
        }
        // As far as fallbacks changed them.
        let mut current = asked.clone();
        let mut applied: Vec<Applied> = vec![Vec::new(); queries.len()];
        for fallback in PAGE_FALLBACKS {
            self.apply(fallback, &asked, &mut current, &mut applied, &mut reads);
        }
        for (at, read) in reads.iter_mut().enumerate() {
            if let Ok(page) = &mut read.result {
                let Query { endpoint, fields, .. } = &queries[at];
                for (mend, endpoint, fields) in &applied[at] {
                    self.hints.learn(*mend, endpoint, fields.iter().map(String::as_str));
                }
                page.is_unsorted |= !queries[at].sort.is_empty() && asked[at].sort.is_empty();
                self.complete_relations(&current[at], page, &mut read.notes);
                leave_out(&current[at], page, &mut read.notes);
                read.notes.observed.fields(endpoint, fields, &page.rows);
            }
        }
        reads
    }

    /// Whether a list that is empty in this order has rows without it.
    fn loses_rows(&self, query: &Query, sort: Sort) -> bool {
        {
            let mut learnt = self.learnt.borrow_mut();
            let seen = learnt.sorts.entry(sort).or_default();
            if *seen >= EMPTY_MAX {
                return false;
            }
            *seen += 1;
        }
        let one = Query {
            sort: Vec::new(),
            take: 1,
            ..query.clone()
        };
        let answer = self.reader.pages(&[one]).pop();
        answer.is_some_and(|answer| answer.result.is_ok_and(|page| !page.rows.is_empty()))
    }

    /// Repeats what did not do in the form that hints gave it: the build is another one by now, and the usual way is tried.
    fn repeat_without_hints(&self, queries: &[Query], asked: &mut [Query], reads: &mut [Read<Page>]) {
        let is_outdated = |at: &usize| {
            let rows = reads[*at].result.as_ref().map(|page| &page.rows[..]);
            is_outdated(&queries[*at], &asked[*at], rows)
        };
        let at: Vec<usize> = (0..queries.len()).filter(is_outdated).collect();
        if at.is_empty() {
            return;
        }
        let again: Vec<Query> = at.iter().map(|&at| queries[at].clone()).collect();
        for (at, answer) in at.into_iter().zip(self.reader.pages(&again)) {
            self.hints.forget(&queries[at]);
            asked[at] = queries[at].clone();
            reads[at] = answer;
        }
    }

    /// Repeats the queries whose answer asks for it, all at once, and keeps an answer that is better. `first` are the queries
    /// before any fallback.
    fn apply(
        &self,
        fallback: &Fallback,
        first: &[Query],
        queries: &mut [Query],
        applied: &mut [Applied],
        reads: &mut [Read<Page>],
    ) {
        let mut again: Vec<(usize, Vec<String>, Query)> = Vec::new();
        for at in 0..queries.len() {
            if let Some(fields) = (fallback.find)(self, &queries[at], &reads[at].result) {
                // All other fallbacks follow anew.
                if fallback.refused == Refused::Instead {
                    queries[at] = first[at].clone();
                    applied[at].clear();
                }
                let query = (fallback.change)(&queries[at], &fields);
                again.push((at, fields, query));
            }
        }
        if again.is_empty() {
            return;
        }
        let others: Vec<Query> = again.iter().map(|(.., query)| query.clone()).collect();
        let answers = if fallback.refused == Refused::Instead {
            self.pages(&others)
        } else {
            let mut answers = self.reader.pages(&others);
            for (query, answer) in others.iter().zip(&mut answers) {
                in_one_shape(query, &mut answer.result);
            }
            answers
        };
        for ((at, fields, query), answer) in again.into_iter().zip(answers) {
            let read = &mut reads[at];
            read.notes.merge(answer.notes);
            let found = answer.result.is_ok();
            read.notes
                .observed
                .mend(fallback.mend, &queries[at].endpoint, &fields, found);
            match (answer.result, fallback.refused) {
                (Err(error @ (Error::Refused(_) | Error::NotFound(_) | Error::NoRight(_))), Refused::NotNeeded) => {
                    if matches!(error, Error::Refused(_)) {
                        self.hints.learn_useless(fallback.mend, &queries[at].endpoint, &fields);
                    }
                    continue;
                }
                (Err(error), _) if read.result.is_ok() => read.notes.merge(incomplete(&fields, &error)),
                (Err(_), Refused::Incomplete | Refused::NotNeeded) => {
                    applied[at].push((fallback.mend, queries[at].endpoint.clone(), fields));
                }
                (result, _) => {
                    let rows = result.iter().flat_map(|page| &page.rows);
                    let gave = |field: &String| rows.clone().any(|row| has_root(row, field));
                    let differ: Vec<String> = if fallback.mend == Mend::FormerNames {
                        fields.into_iter().filter(gave).collect()
                    } else {
                        fields
                    };
                    if fallback.mend != Mend::FormerNames || !differ.is_empty() {
                        applied[at].push((fallback.mend, queries[at].endpoint.clone(), differ));
                    }
                    read.result = result;
                }
            }
            if let (Ok(page), Mend::Unsorted) = (&mut read.result, fallback.mend) {
                page.is_unsorted = true;
            }
            queries[at] = query;
        }
    }

    /// Reads related records whose picks did not come: activities by other ways, the rest whole.
    fn complete_relations(&self, query: &Query, page: &mut Page, notes: &mut Notes) {
        let mut missing = missing_relations(&query.fields, &page.rows);
        if let Some(channel) = channels::of_model(&query.endpoint)
            && let Some(at) = missing.iter().position(|path| root(path) == ACTIVITIES)
        {
            let picks = picks_of(ACTIVITIES, &query.fields);
            let mut open: Vec<&mut Value> = page.rows.iter_mut().collect();
            if open.len() > BY_PATH_FIRST {
                open = self.activities_by_time(channel, &picks, open, notes);
            }
            if open.len() <= BY_PATH_MAX {
                open = self.activities_by_path(channel, &picks, open, notes);
            }
            if open.is_empty() {
                missing.remove(at);
            }
        }
        missing.retain(|path| !self.related_records(query, page, path, notes));
        if !missing.is_empty() {
            self.whole_relations(query, page, &missing, notes);
        }
    }

    /// Reads related records of related records by themselves, where their model is known; whether that gave all.
    fn related_records(&self, query: &Query, page: &mut Page, path: &str, notes: &mut Notes) -> bool {
        let Some((_, relation, model)) = RELATED.iter().find(|(known, ..)| *known == path) else {
            return false;
        };
        let inner = &path[relation.len() + 1..];
        let name = |row: &Value| value::first(row, relation).and_then(value::name_of);
        let names: BTreeSet<String> = page.rows.iter().filter_map(name).collect();
        let names: Vec<String> = names.into_iter().collect();
        let picks = picks_of(relation, &query.fields)
            .into_iter()
            .filter(|pick| root(pick) == inner);
        let fields: Vec<&str> = ["name"].into_iter().chain(picks).collect();
        let queries: Vec<Query> = names
            .chunks(WHOLE_AT_ONCE)
            .map(|some| {
                let by_name = Filter::one_of("name", some.to_vec());
                Query::new(*model, some.len() as u64).fields(&fields).filter(by_name)
            })
            .collect();
        let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
        for answer in self.reader.pages(&queries) {
            notes.merge(answer.notes);
            for mut other in answer.result.map(|page| page.rows).unwrap_or_default() {
                normalise(model, &mut other);
                if let (Some(name), Some(value)) = (value::text_at(&other, "name"), other.get(inner)) {
                    by_name.insert(name, value.clone());
                }
            }
        }
        let mut found = true;
        for row in &mut page.rows {
            let Some(value) = name(row).map(|name| by_name.get(&name)) else {
                continue;
            };
            match (value, row[*relation].as_object_mut()) {
                (Some(value), Some(related)) => {
                    related.insert(inner.to_owned(), value.clone());
                }
                _ => found = false,
            }
        }
        notes
            .observed
            .mend(Mend::RelatedRecord, &query.endpoint, &[path.to_owned()], found);
        found
    }

    /// Finds the activities of a channel's records by type and time, and returns the records whose are not found.
    fn activities_by_time<'r>(
        &self,
        channel: &Channel,
        picks: &[&str],
        rows: Vec<&'r mut Value>,
        notes: &mut Notes,
    ) -> Vec<&'r mut Value> {
        let mut times: Vec<String> = rows
            .iter()
            .filter_map(|row| value::text_at(row, channel.time))
            .collect();
        times.sort();
        let (first, last) = (times.first(), times.last());
        // A call that was transferred has an activity for each leg, and all have to be found.
        let (Some(from), Some(until)) = (
            first.and_then(|time| hour(time, 0, "00:00")),
            last.and_then(|time| hour(time, HOURS, "59:59")),
        ) else {
            return rows;
        };
        let item = format!("item.{}", channel.key);
        let fields: Vec<&str> = picks.iter().copied().chain([item.as_str()]).collect();
        let query = Query::new(ACTIVITIES, (10 * rows.len() as u64 + 50).min(TAKE_MAX))
            .filter(Filter::eq("type", channel.kind))
            .filter(Filter::new("time", "gte", from))
            .filter(Filter::new("time", "lte", until))
            .fields(&fields);
        let Some(answer) = self.reader.pages(&[query]).pop() else {
            return rows;
        };
        notes.merge(answer.notes);
        let mut by_item: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        // Of a part of the time, some records' activities may be missing.
        let whole = |page: &Page| page.total == Some(page.rows.len() as u64);
        for mut activity in answer.result.ok().filter(whole).into_iter().flat_map(|page| page.rows) {
            normalise(ACTIVITIES, &mut activity);
            if let Some(key) = value::text_at(&activity, &item) {
                prune(&mut activity, picks);
                by_item.entry(key).or_default().push(activity);
            }
        }
        let mut open = Vec::new();
        for row in rows {
            match value::text_at(row, channel.key).and_then(|key| by_item.remove(&key)) {
                Some(activities) => row[ACTIVITIES] = activities.into(),
                None => open.push(row),
            }
        }
        let found = open.is_empty();
        notes.observed.mend(
            Mend::ActivitiesByTime,
            channel.endpoint,
            &[ACTIVITIES.to_owned()],
            found,
        );
        open
    }

    /// Reads the activities of each record by the record's own path, and returns the records whose are not found.
    fn activities_by_path<'r>(
        &self,
        channel: &Channel,
        picks: &[&str],
        rows: Vec<&'r mut Value>,
        notes: &mut Notes,
    ) -> Vec<&'r mut Value> {
        if rows.is_empty() {
            return rows;
        }
        let queries: Option<Vec<Query>> = rows
            .iter()
            .map(|row| {
                let key = value::text_at(row, channel.key)?;
                let path = query::path(channel.endpoint, &[&key, ACTIVITIES])?;
                Some(Query::new(path, WHOLE_AT_ONCE as u64).fields(picks))
            })
            .collect();
        let Some(queries) = queries else { return rows };
        let mut open = Vec::new();
        for (row, answer) in rows.into_iter().zip(self.reader.pages(&queries)) {
            notes.merge(answer.notes);
            match answer.result {
                Ok(page) if !page.rows.is_empty() => {
                    let mut activities = Value::Array(page.rows);
                    activities
                        .as_array_mut()
                        .into_iter()
                        .flatten()
                        .for_each(|activity| normalise(ACTIVITIES, activity));
                    prune(&mut activities, picks);
                    row[ACTIVITIES] = activities;
                }
                _ => open.push(row),
            }
        }
        let found = open.is_empty();
        notes
            .observed
            .mend(Mend::RelationPath, channel.endpoint, &[ACTIVITIES.to_owned()], found);
        open
    }

    /// Reads these related records whole, a few rows at a time, and puts what was picked of them into the rows.
    fn whole_relations(&self, query: &Query, page: &mut Page, missing: &[String], notes: &mut Notes) {
        let roots = roots(missing);
        let key = page
            .rows
            .first()
            .and_then(|row| key_of(&query.fields, row))
            .map(|(key, _)| key);
        let fields: Vec<String> = match key {
            Some(key) => [key.to_owned()].into_iter().chain(roots.clone()).collect(),
            // Nothing tells the rows apart, so they are all read again.
            None => with_whole_relations(query, &roots).fields,
        };
        let mut read: Vec<Value> = Vec::new();
        let mut failed = None;
        for skip in (0..page.rows.len()).step_by(WHOLE_AT_ONCE) {
            let slice = Query {
                fields: fields.clone(),
                skip: query.skip + skip as u64,
                take: WHOLE_AT_ONCE.min(page.rows.len() - skip) as u64,
                ..query.clone()
            };
            let Some(answer) = self.reader.pages(&[slice]).pop() else {
                break;
            };
            notes.merge(answer.notes);
            match answer.result {
                Ok(rows) => {
                    for mut row in rows.rows {
                        normalise(&query.endpoint, &mut row);
                        let mut picked = row.clone();
                        take_over(&mut picked, &mut row, &roots, &query.fields);
                        read.push(picked);
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let any = |rows: &[Value], is: &dyn Fn(&Value, &str) -> bool| {
            roots.iter().any(|name| rows.iter().any(|row| is(row, name)))
        };
        let found = any(&read, &|row, name| is_root_filled(row, name));
        // Records without any of these: the first answer was right.
        let was_right = !found && any(&page.rows, &|row, name| row.get(name).is_some());
        if !was_right {
            let came = any(&read, &|row, name| row.get(name).is_some());
            notes.observed.mend(Mend::WholeRelations, &query.endpoint, &roots, came);
        }
        if let Some(error) = failed {
            notes.merge(incomplete(&roots, &error));
        }
        match key {
            Some(key) => {
                let by_key: BTreeMap<String, Value> = read
                    .into_iter()
                    .filter_map(|row| Some((value::text_at(&row, key)?, row)))
                    .collect();
                for row in &mut page.rows {
                    let whole = value::text_at(row, key).and_then(|key| by_key.get(&key));
                    if let Some(whole) = whole {
                        take_over(row, &mut whole.clone(), &roots, &[]);
                    }
                }
            }
            None if read.len() >= page.rows.len() => page.rows = read,
            None => {}
        }
    }

    /// Completes records whose projection a build did not take: from the whole record where it was refused, else by the
    /// fields that did not come.
    fn complete_records(
        &self,
        endpoint: &str,
        names: &[&str],
        fields: &[String],
        mut asked: Vec<String>,
        mut reads: Vec<Read<Value>>,
    ) -> Vec<Read<Value>> {
        let query = |fields: &[String]| Query {
            fields: fields.to_vec(),
            ..Query::new(endpoint, 1)
        };
        let is_outdated = |read: &Read<Value>| {
            let rows = read.result.as_ref().map(std::slice::from_ref);
            is_outdated(&query(fields), &query(&asked), rows)
        };
        if reads.iter().any(is_outdated) {
            self.hints.forget(&query(fields));
            asked = fields.to_vec();
            reads = self.reader.records(endpoint, names, fields);
        }
        for read in &mut reads {
            if let Ok(record) = &mut read.result {
                normalise(endpoint, record);
            }
        }
        self.former_records(endpoint, names, fields, &mut reads);
        if fields.is_empty() {
            return reads;
        }
        if !asked.is_empty() {
            self.whole_records(endpoint, names, &mut reads);
            self.missing_fields(endpoint, names, &asked, &mut reads);
        }
        for read in &mut reads {
            if let Ok(record) = &read.result {
                read.notes
                    .observed
                    .fields(endpoint, fields, std::slice::from_ref(record));
            }
        }
        reads
    }

    /// Reads records that are not there from the model's former name.
    fn former_records(&self, endpoint: &str, names: &[&str], fields: &[String], reads: &mut [Read<Value>]) {
        let Some(former) = former_model(endpoint) else { return };
        let absent = |at: &usize| matches!(reads[*at].result, Err(Error::NotFound(_)));
        let at: Vec<usize> = (0..names.len()).filter(absent).collect();
        let again: Vec<&str> = at.iter().map(|&i| names[i]).collect();
        for (i, answer) in at.into_iter().zip(self.records(&former, &again, fields)) {
            if answer.result.is_ok() {
                reads[i].notes.merge(answer.notes);
                reads[i].notes.observed.mend(Mend::FormerModel, endpoint, &[], true);
                self.hints.learn(Mend::FormerModel, endpoint, []);
                reads[i].result = answer.result;
            }
        }
    }

    /// Reads records without a projection where the build refused it.
    fn whole_records(&self, endpoint: &str, names: &[&str], reads: &mut [Read<Value>]) {
        let refused = |at: &usize| matches!(reads[*at].result, Err(Error::Refused(_)));
        let at: Vec<usize> = (0..names.len()).filter(refused).collect();
        let again: Vec<&str> = at.iter().map(|&i| names[i]).collect();
        for (i, mut answer) in at.into_iter().zip(self.reader.records(endpoint, &again, &[])) {
            let read = &mut reads[i];
            read.notes.merge(answer.notes);
            read.notes
                .observed
                .mend(Mend::WholeRecord, endpoint, &[], answer.result.is_ok());
            if let Ok(record) = &mut answer.result {
                self.hints.learn(Mend::WholeRecord, endpoint, []);
                normalise(endpoint, record);
            }
            read.result = answer.result;
        }
    }

    /// Reads of records what did not come: related records by paths of their own, else whole; renamed fields by their
    /// former names.
    fn missing_fields(&self, endpoint: &str, names: &[&str], fields: &[String], reads: &mut [Read<Value>]) {
        if let Some(channel) = channels::of_model(endpoint) {
            let lacks = |record: &Value| {
                let missing = missing_relations(fields, std::slice::from_ref(record));
                missing.iter().any(|path| root(path) == ACTIVITIES)
            };
            let mut notes = Notes::default();
            let records = reads.iter_mut().filter_map(|read| read.result.as_mut().ok());
            let open: Vec<&mut Value> = records.filter(|record| lacks(record)).collect();
            self.activities_by_path(channel, &picks_of(ACTIVITIES, fields), open, &mut notes);
            if let Some(read) = reads.first_mut() {
                read.notes.merge(notes);
            }
        }
        let mut again: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
        for (i, read) in reads.iter_mut().enumerate() {
            let Ok(record) = &mut read.result else { continue };
            let mut missing = missing_relations(fields, std::slice::from_ref(record));
            let query = Query {
                fields: fields.to_vec(),
                ..Query::new(endpoint, 1)
            };
            let mut page = Page {
                rows: vec![record.take()],
                ..Page::default()
            };
            missing.retain(|path| !self.related_records(&query, &mut page, path, &mut read.notes));
            *record = page.rows.remove(0);
            let mut wanted = roots(&missing);
            let renamed = self.absent_renamed(endpoint, fields, std::slice::from_ref(record));
            wanted.extend(
                renamed
                    .iter()
                    .filter_map(|field| former_name(endpoint, field))
                    .map(str::to_owned),
            );
            if !wanted.is_empty() {
                again.entry(wanted).or_default().push(i);
            }
        }
        for (wanted, at) in again {
            let some: Vec<&str> = at.iter().map(|&i| names[i]).collect();
            let keyed: Vec<String> = KEYS
                .into_iter()
                .filter(|key| fields.iter().any(|field| field == key))
                .map(str::to_owned)
                .chain(wanted.iter().cloned())
                .collect();
            for (i, answer) in at.into_iter().zip(self.reader.records(endpoint, &some, &keyed)) {
                let read = &mut reads[i];
                read.notes.merge(answer.notes);
                let Ok(record) = &mut read.result else { continue };
                let found = match answer.result {
                    Ok(mut whole) => {
                        let found = wanted.iter().any(|name| whole.get(name).is_some());
                        take_over(record, &mut whole, &wanted, fields);
                        normalise(endpoint, record);
                        let renamed = fields.iter().filter(|field| {
                            former_name(endpoint, field).is_some_and(|former| wanted.iter().any(|name| name == former))
                                && has_root(record, field)
                        });
                        for field in renamed {
                            self.hints.learn(Mend::FormerNames, endpoint, [field.as_str()]);
                        }
                        found
                    }
                    Err(error) => {
                        read.notes.merge(incomplete(&wanted, &error));
                        false
                    }
                };
                read.notes.observed.mend(Mend::WholeRelations, endpoint, &wanted, found);
            }
        }
    }

    /// The fields of a query that this build does not have, by the look of a few raw records, former names among them.
    /// `None` where they cannot be learnt.
    fn unknown_fields(&self, query: &Query) -> Option<Vec<String>> {
        let model = model(&query.endpoint);
        if !self.learnt.borrow().fields.contains_key(&model) {
            let sample = Query::new(&query.endpoint, SAMPLE).reference_data(query.is_reference_data);
            let page = self.reader.pages(&[sample]).pop()?.result;
            // Nothing to learn from, and nothing to project; another record's relation of this kind may have more to show.
            if page.as_ref().is_ok_and(|page| page.rows.is_empty()) {
                return Some(vec![ALL_FIELDS.to_owned()]);
            }
            let keys = page.ok().map(|page| {
                let rows = page.rows.iter().filter_map(Value::as_object);
                let mut keys: BTreeSet<String> = BTreeSet::new();
                keys.extend(rows.flat_map(Map::keys).cloned());
                keys.into_iter().collect()
            });
            self.learnt.borrow_mut().fields.insert(model.clone(), keys);
        }
        let learnt = self.learnt.borrow();
        let known = learnt.fields.get(&model)?.as_ref()?;
        let names = |field: &String| {
            [
                Some(field.clone()),
                former_name(&query.endpoint, field).map(str::to_owned),
            ]
        };
        let is_unknown = |name: &String| !known.iter().any(|key| key == root(name));
        let unknown: BTreeSet<String> = query
            .fields
            .iter()
            .flat_map(names)
            .flatten()
            .filter(is_unknown)
            .collect();
        // A former name alone says nothing: the build has the field by its name of now.
        let matters = query.fields.iter().any(|field| unknown.contains(field));
        Some(if matters {
            unknown.into_iter().collect()
        } else {
            Vec::new()
        })
    }
}

fn sort_of(query: &Query) -> Option<Sort> {
    let (field, _) = query.sort.first()?;
    Some((model(&query.endpoint), field.clone()))
}

fn sort_fields(query: &Query) -> Vec<String> {
    query.sort.iter().map(|(field, _)| field.clone()).collect()
}

/// Leaves out rows that contradict the conditions of their query; then nobody knows how many match.
fn leave_out(query: &Query, page: &mut Page, notes: &mut Notes) {
    let verdict = verify(query, &page.rows);
    if verdict.ignored.is_empty() {
        return;
    }
    notes
        .observed
        .mend(Mend::FilterIgnored, &query.endpoint, &verdict.ignored, false);
    let received = page.rows.len();
    let mut fits = verdict.fits.into_iter();
    page.rows.retain(|_| fits.next().unwrap_or(true));
    page.left_out = received - page.rows.len();
    page.ignored = verdict.ignored;
    page.total = None;
}

/// Whether an answer shows that the form which hints gave a query is not the build's any longer: it is refused, or a former
/// name brings nothing.
fn is_outdated(query: &Query, asked: &Query, answer: Result<&[Value], &Error>) -> bool {
    if asked == query {
        return false;
    }
    match answer {
        Err(Error::Refused(_)) => true,
        Err(Error::NotFound(_)) => asked.endpoint != query.endpoint,
        Err(_) => false,
        Ok(rows) => {
            let has = |name: &str| rows.iter().any(|row| has_root(row, name));
            let is_lost = |field: &String| {
                former_name(&query.endpoint, field)
                    .is_some_and(|former| asked.fields.iter().any(|name| name == former) && !has(former) && !has(field))
            };
            !rows.is_empty() && query.fields.iter().any(is_lost)
        }
    }
}

/// The rows of an answer by the names of now.
fn in_one_shape(query: &Query, result: &mut Result<Page, Error>) {
    if let Ok(page) = result {
        page.rows.iter_mut().for_each(|row| normalise(&query.endpoint, row));
    }
}

/// What an answer lacks where the second read of a projection fails.
fn incomplete(fields: &[String], error: &Error) -> Notes {
    let names = fields.join(", ").replace('_', " ");
    Notes::partial(
        &format!("Some of what belongs to these records may be missing ({names})"),
        error,
    )
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_related_records_replace_dotted_picks() {
        let fields = ["name", "user.name", "user.title", "title"].map(str::to_owned);
        let query = Query {
            fields: fields.to_vec(),
            ..Query::new("tickets", 1)
        };
        let whole = with_whole_relations(&query, &["user".to_owned()]);
        assert_eq!(whole.fields, ["name", "user", "title"]);
    }

    #[test]
    fn records_without_a_related_record_are_no_reason_to_read_them_again() {
        let fields = ["user.title".to_owned(), "user.name".to_owned()];
        assert_eq!(missing_relations(&fields, &[json!({"user": null})]), [""; 0]);
    }

    #[test]
    fn only_what_did_not_come_is_missing() {
        let fields = [
            "user.title",
            "activities.name",
            "activities.ticket.name",
            "contact.title",
            "contact.account.title",
        ];
        let missing = |rows: Value| missing_relations(&fields.map(str::to_owned), rows.as_array().expect("rows"));
        assert_eq!(
            missing(json!([{"user": {"title": "Jan"}, "contact": {"title": "Eva"}}])),
            ["activities", "contact.account"]
        );
        // A contact that is not there tells nothing of its account.
        assert_eq!(
            missing(json!([{"user": {"title": "Jan"}, "contact": null, "activities": [{"name": "a"}]}])),
            ["activities.ticket"]
        );
        assert_eq!(
            missing(
                json!([{"user": {"title": "Jan"}, "contact": null, "activities": [{"name": "a", "ticket": null}]}])
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_whole_related_record_is_left_with_what_was_picked() {
        let mut whole = json!([{"name": "a", "ticket": {"name": 1, "title": "T", "user": {}}, "time": "x"}]);
        prune(&mut whole, &["name", "ticket.name", "ticket.title"]);
        assert_eq!(whole, json!([{"name": "a", "ticket": {"name": 1, "title": "T"}}]));
    }
}
