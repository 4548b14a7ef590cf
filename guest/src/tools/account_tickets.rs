//! Tickets of an account: by one dotted filter, else through the account's contacts.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        observations::Mend,
        query::{Direction, Filter, Query},
    },
    model::{args::Args, context::Context, directory, list::List, output::Output, param},
    run::{
        self,
        filters::{Conditions, conditions, ignored, with_evidence},
        resolve,
    },
    sort, text, value,
};

/// How many contacts one filter names at most, so that the request line stays within what servers take (8 KB).
const CONTACTS_PER_QUERY: usize = 40;

/// An id as no account has it: a build that finds tickets of it does not look at the condition.
const NO_ACCOUNT: &str = "account_0000000000000";

/// By one dotted filter where the build takes it, else through the contacts. The dotted filter is trusted where it
/// finds nothing for nobody, and what it finds confirms it.
pub(crate) fn account_tickets(context: &Context, args: &Args, list: &List) -> Result<Output, Error> {
    let account = resolve::resolve(context, &[(&directory::ACCOUNTS, args.required(&param::ACCOUNT))])?.remove(0);
    let account = match account.title {
        Some(_) => account,
        None => named_account(context, account)?,
    };
    let mut conditions = conditions(context, list.filters, args)?;
    conditions
        .applied_filters
        .insert(0, format!("account {}", account.shown()));
    conditions.notes.extend(account.note.clone());
    let stages = match &args.texts(&param::STAGE_OR_ALL)[..] {
        [] => vec!["OPEN"],
        given => given.to_vec(),
    };
    if stages.contains(&"ALL") {
        conditions.applied_filters.insert(1, "every stage".to_owned());
    } else {
        let filter = match stages[..] {
            [stage] => Filter::eq("stage", stage),
            _ => Filter::one_of("stage", stages.iter().map(|stage| (*stage).to_owned()).collect()),
        };
        conditions.filters.push(filter);
        conditions
            .applied_filters
            .insert(1, format!("stage {}", stages.join(" or ")));
    }
    let (sort, said) = run::order(list.entity, list.sort, args);
    let conditions = conditions.ordered(said);
    let mut fields = with_evidence(list.entity, run::projection(list.entity, args)?, &conditions.filters);
    fields.extend(["contact.name", "contact.account.name"].map(str::to_owned));
    fields.sort();
    fields.dedup();
    let take = run::page_size(list, args);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields,
        skip: args.skip(),
        take,
        ..Query::new(list.entity.endpoint, take)
    };

    if context.client.needs(Mend::ThroughContacts, "tickets") {
        return through_contacts(context, args, list, &account.name, conditions, query);
    }
    let of = |account: &str| query.clone().filter(Filter::eq("contact.account", account));
    let nobody = Query {
        take: 1,
        fields: vec!["name".to_owned()],
        sort: Vec::new(),
        skip: 0,
        ..of(NO_ACCOUNT)
    };
    let mut pages = context.client.read_pages(&[of(&account.name), nobody]).into_iter();
    let is_refused = matches!(pages.as_slice().first(), Some(Err(Error::Refused(_))));
    if let (Some(Ok(page)), Some(Ok(nobody))) = (pages.next(), pages.next()) {
        let confirmed = |row: &Value| {
            value::first(row, "contact.account").and_then(value::name_of).as_deref() == Some(account.name.as_str())
        };
        let filters = nobody.rows.is_empty() && !page.rows.is_empty() && page.rows.iter().all(confirmed);
        if filters && page.total.is_some() {
            return Ok(run::listing(context, list.entity, args, conditions, &query, &page));
        }
    }
    let answer = through_contacts(context, args, list, &account.name, conditions, query)?;
    if is_refused {
        context.client.learn(Mend::ThroughContacts, "tickets");
    }
    Ok(answer)
}

/// How many tickets one filter names at most, for the same reason.
const TICKETS_PER_QUERY: usize = 50;

/// The tickets of an account's contacts: their numbers are read in batches, merged into one order and paged here, and
/// then the page is read. A large customer has thousands of tickets, which no call could hold whole.
fn through_contacts(
    context: &Context,
    args: &Args,
    list: &List,
    account: &str,
    mut conditions: Conditions,
    query: Query,
) -> Result<Output, Error> {
    let contacts = context.client.read_all(
        &Query::new("contacts", 0)
            .fields(&["name", "account.name"])
            .filter(Filter::eq("account", account))
            .sort("created", Direction::Ascending),
    )?;
    let names: Vec<String> = contacts
        .rows
        .iter()
        .filter_map(|row| value::text_at(row, "name"))
        .collect();
    conditions.notes.extend(ignored(&contacts));
    if contacts.total.is_none_or(|total| total > names.len() as u64) {
        conditions.notes.push(format!(
            "Only the first {} contacts of the account were searched.",
            text::thousands(names.len() as u64)
        ));
    }
    if names.is_empty() {
        conditions
            .notes
            .push("The account has no contacts, and tickets belong to an account through its contacts.".to_owned());
    }
    let mut rows: Vec<Value> = Vec::new();
    let mut failed = 0;
    let mut reason = None;
    let batches: Vec<&[String]> = names.chunks(CONTACTS_PER_QUERY).collect();
    let queries: Vec<Query> = batches
        .iter()
        .map(|batch| {
            let by = query.sort.iter().map(|(field, _)| field.as_str());
            let fields: Vec<&str> = by.filter(|field| *field != "name").chain(["name"]).collect();
            let query = query.clone().filter(Filter::one_of("contact", batch.to_vec()));
            Query {
                fields: with_evidence(
                    list.entity,
                    fields.into_iter().map(str::to_owned).collect(),
                    &query.filters,
                ),
                ..query
            }
        })
        .collect();
    for (batch, page) in batches.iter().zip(context.client.read_all_of_each(&queries)) {
        match page {
            Ok(page) => {
                conditions.notes.extend(ignored(&page));
                if page.total.is_some_and(|total| total > page.rows.len() as u64) {
                    conditions.notes.push("Some contacts have more tickets than can be read in one call; narrow the dates to see them all.".to_owned());
                }
                rows.extend(page.rows);
            }
            Err(error) => {
                failed += batch.len();
                reason = Some(error);
            }
        }
    }
    if let Some(error) = reason {
        if failed == names.len() {
            return Err(error);
        }
        conditions.notes.push(format!(
            "The tickets of {failed} of {} contacts could not be read and are missing. {}",
            names.len(),
            error.text()
        ));
    }
    sort::sort_by(&mut rows, |a, b| {
        query.sort.iter().fold(Ordering::Equal, |order, (field, direction)| {
            let here = value::compare(value::first(a, field), value::first(b, field));
            order.then(if *direction == Direction::Ascending {
                here
            } else {
                here.reverse()
            })
        })
    });
    let mut seen = BTreeSet::new();
    rows.retain(|row| value::text_at(row, "name").is_none_or(|name| seen.insert(name)));
    let total = rows.len() as u64;
    let shown: Vec<String> = rows
        .iter()
        .skip(query.skip as usize)
        .take(query.take as usize)
        .filter_map(|row| value::text_at(row, "name"))
        .collect();
    let page = Page {
        rows: by_numbers(context, &shown, &query)?,
        total: Some(total),
        ..Page::default()
    };
    if page.rows.len() < shown.len() {
        conditions.notes.push(format!(
            "{} of the {} tickets of this page could not be read again.",
            shown.len() - page.rows.len(),
            shown.len()
        ));
    }
    let found = total > 0;
    context
        .client
        .note_mend(Mend::ThroughContacts, "tickets", &["contact.account"], found);
    Ok(run::listing(context, list.entity, args, conditions, &query, &page))
}

/// Tickets by their numbers, in that order.
fn by_numbers(context: &Context, numbers: &[String], query: &Query) -> Result<Vec<Value>, Error> {
    let queries: Vec<Query> = numbers
        .chunks(TICKETS_PER_QUERY)
        .map(|numbers| {
            let query = Query {
                fields: query.fields.clone(),
                ..Query::new("tickets", numbers.len() as u64)
            };
            query.filter(Filter::one_of("name", numbers.to_vec()))
        })
        .collect();
    let mut rows = BTreeMap::new();
    for page in context.client.read_pages(&queries) {
        rows.extend(
            page?
                .rows
                .into_iter()
                .filter_map(|row| Some((value::text_at(&row, "name")?, row))),
        );
    }
    Ok(numbers.iter().filter_map(|number| rows.remove(number)).collect())
}

/// The account of a generated id, for its title.
fn named_account(context: &Context, account: resolve::Chosen) -> Result<resolve::Chosen, Error> {
    let record = context
        .client
        .read_record("accounts", &account.name, &["name".to_owned(), "title".to_owned()])
        .map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(format!(
                "No account {:?}. list_accounts shows the accounts that there are.",
                text::line(&account.name)
            )),
            error => error,
        })?;
    Ok(resolve::Chosen {
        title: value::text_at(&record, "title").map(|title| text::line(&title)),
        ..account
    })
}
