use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;

use super::get;
use crate::{
    catalog::activities,
    daktela::error::Error,
    daktela::query::{Direction, Filter, Query},
    model::args::{self, Args, Budget},
    model::param::{self, Param},
    model::tool::{
        CustomFields, Detail, ENTITY, Entity, Example, List, LongText, Overflow, Related, Run, TextKind, Tool,
        computed, contains, detail, eq, from, only_null, plain, related, seconds, ticket, titled, until,
    },
    render::listing::{self, Output},
    run::{Conditions, Context},
    text,
    value::{self, only_yes},
};

pub const TICKET: Entity = Entity {
    endpoint: "tickets",
    singular: "ticket",
    plural: "tickets",
    page: true,
    fields: &[
        plain("Stage", "stage"),
        plain("Priority", "priority"),
        titled("Category", "category"),
        related("Assigned to", "user"),
        related("Contact", "contact"),
        detail(related("Account", "contact.account")),
        detail(plain("E-mail", "email")),
        titled("Statuses", "statuses"),
        detail(plain("Category id", "category.name")),
        detail(plain("Status ids", "statuses.name")),
        ticket("Merged into", "id_merge"),
        ticket("Parent", "parentTicket"),
        computed("Has child tickets", &["isParent"], |ticket| {
            only_yes(ticket, "isParent")
        }),
        computed("SLA deadline", &["stage", "sla_deadtime", "sla_overdue"], sla),
        detail(plain("Closing deadline", "sla_close_deadline")),
        plain("Created", "created"),
        detail(related("Created by", "created_by")),
        detail(plain("First answer", "first_answer")),
        detail(seconds("First answer after", "first_answer_duration")),
        detail(plain("First answer deadline", "first_answer_deadline")),
        detail(computed("First answer late by", &["first_answer_overdue"], |ticket| {
            late(ticket, "first_answer_overdue")
        })),
        plain("Edited", "edited"),
        detail(related("Edited by", "edited_by")),
        detail(plain("Last activity", "last_activity")),
        computed(
            "Customer waits since",
            &["stage", "last_activity_client", "last_activity_operator"],
            waiting,
        ),
        detail(plain("Last move of the customer", "last_activity_client")),
        detail(plain("Last move of an agent", "last_activity_operator")),
        detail(plain("Reopens", "reopen")),
        plain("Closed", "closed"),
        computed("Unread", &["unread"], |ticket| only_yes(ticket, "unread")),
        computed("Attachments", &["has_attachment"], |ticket| {
            only_yes(ticket, "has_attachment")
        }),
        detail(plain("Activities", "interaction_activity_count")),
        detail(related("Followers", "followers")),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &[
        "edited",
        "created",
        "last_activity",
        "last_activity_operator",
        "last_activity_client",
        "sla_deadtime",
        "sla_close_deadline",
        "priority",
        "stage",
        "first_answer",
        "closed",
        "name",
        "title",
    ],
    custom_fields: CustomFields::Fields,
    ..ENTITY
};

const LIST: List = List {
    entity: &TICKET,
    filters: &[
        eq(&param::CATEGORY, "category"),
        eq(&param::STAGE, "stage"),
        eq(&param::PRIORITY, "priority"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        contains(&param::SEARCH_TITLE, "title"),
        eq(&param::STATUS, "statuses"),
        only_null(&param::INCLUDE_MERGED, "id_merge", "without merged tickets"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

/// The same of one account; the account itself is looked up by the tool.
const OF_ACCOUNT: List = List {
    filters: &[
        eq(&param::PRIORITY, "priority"),
        eq(&param::USER, "user"),
        eq(&param::CATEGORY, "category"),
        only_null(&param::INCLUDE_MERGED, "id_merge", "without merged tickets"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    ..LIST
};

pub const TOOLS: &[Tool] = &[
    super::list(
        "list_tickets",
        "List tickets",
        &LIST,
        "List tickets, the last edited first. Think in stages, not dates, for \"what is open\": OPEN is in work, WAIT waits for the customer, unsolved is both \
         (two calls). Dates narrow by creation. Merged tickets are left out unless asked for.",
    ),
    Tool {
        name: "count_tickets",
        title: "Count tickets",
        description: "Count tickets by the same conditions as list_tickets, without reading them. Prefer it for \"how many\".",
        run: Run::Count(&LIST),
        example: None,
    },
    get(
        "get_ticket",
        "Ticket",
        &TICKET,
        "list_tickets",
        "One ticket with all its fields and its whole description.",
    ),
    Tool {
        name: "get_ticket_detail",
        title: "Ticket with its conversation",
        description: "One ticket and what happened on it, oldest first: e-mails with their text, call facts, chat messages, comments, attachments by name.",
        run: Run::Custom {
            params: &[
                param::TICKET_NAME,
                param::SKIP,
                param::take(50, 100),
                param::FULL_MAIL,
                param::MAX_BYTES,
            ],
            required: true,
            run: ticket_detail,
        },
        example: Some(Example {
            tool: "list_tickets",
            key: "name",
        }),
    },
    Tool {
        name: "list_account_tickets",
        title: "Tickets of an account",
        description: "All tickets of a company (account), through all of its contacts, in one order. Stage OPEN unless another is given. Dates narrow by creation.",
        run: Run::Custom {
            params: OF_ACCOUNT_PARAMS,
            required: true,
            run: account_tickets,
        },
        example: Some(Example {
            tool: "list_accounts",
            key: "name",
        }),
    },
];

const OF_ACCOUNT_PARAMS: &[Param] = &[
    param::ACCOUNT,
    param::STAGE_OR_ALL,
    param::PRIORITY,
    param::CATEGORY,
    param::USER,
    param::DATE_FROM,
    param::DATE_TO,
    param::INCLUDE_MERGED,
    param::sort(TICKET.sort),
    param::SORT_DIR,
    param::SKIP,
    param::take(50, 200),
    param::TEXT_CHARS,
    param::MAX_BYTES,
];

/// The deadline of a ticket that is not solved, and how far any ticket is beyond its own.
fn sla(ticket: &Value) -> Option<String> {
    let deadline = value::text_at(ticket, "sla_deadtime")?;
    match late(ticket, "sla_overdue") {
        Some(late) => Some(format!("{deadline} (overdue by {late})")),
        None => is_unsolved(ticket).then_some(deadline),
    }
}

/// By how much a deadline was missed; nothing where it was kept.
fn late(ticket: &Value, field: &str) -> Option<String> {
    let seconds = value::first(ticket, field).and_then(value::number)?;
    (seconds > 0.0).then(|| text::duration(seconds))
}

fn is_unsolved(ticket: &Value) -> bool {
    matches!(value::text_at(ticket, "stage").as_deref(), Some("OPEN" | "WAIT"))
}

/// Whose move it is on a ticket that is not solved: the customer's came last, so they wait for us.
fn waiting(ticket: &Value) -> Option<String> {
    let client = value::text_at(ticket, "last_activity_client")?;
    let unanswered = value::text_at(ticket, "last_activity_operator").is_none_or(|operator| operator < client);
    (is_unsolved(ticket) && unanswered).then_some(client)
}

fn ticket_detail(context: &Context, args: &Args) -> Result<Output, Error> {
    let id = args::ticket_id(args.required(&param::TICKET_NAME));
    let take = args.number(&param::take(50, 100)).unwrap_or(50);
    let activities = Query {
        fields: activities::ACTIVITY.projection(Detail::Summary),
        skip: args.skip(),
        take,
        ..Query::new("activities", take)
            .filter(Filter::eq("ticket", id.as_str()))
            .sort("time", Direction::Ascending)
    };
    let (record, page) =
        context
            .client
            .record_and_page(TICKET.endpoint, &id, &TICKET.projection(Detail::Full), &activities);
    let record = record.map_err(|error| crate::run::not_found(&TICKET, &id, error))?;
    let shown = context
        .records(&TICKET, args, Detail::Full, std::slice::from_ref(&record))
        .pop()
        .expect("one record");
    let budget = args.budget(context.settings.max_answer_bytes);
    let first = Some(crate::run::first_ids(&TICKET, &record));
    let page = match page {
        Ok(page) => page,
        // The ticket itself is worth showing.
        Err(error) => {
            let notes = [
                vec![format!(
                    "The activities of this ticket could not be read. {}",
                    error.text()
                )],
                context.warnings(),
            ]
            .concat();
            let text = listing::detail(
                TICKET.singular,
                &shown,
                &notes,
                context.client.zone().as_deref(),
                budget,
            );
            return Ok(Output {
                text,
                first_record: first,
            });
        }
    };
    // The ticket is the heading of its conversation; what room it leaves is for the activities.
    let half = Budget {
        bytes: budget.bytes / 2,
        ..budget
    };
    let head = listing::detail(TICKET.singular, &shown, &[], None, half);
    let entity = Entity {
        overflow: Overflow::Records,
        ..activities::ACTIVITY
    };
    let conversation = context.conversation(&entity, args, &activities, &page, head.len());
    Ok(Output {
        text: format!("{head}\n\n{conversation}"),
        first_record: first,
    })
}

/// How many contacts one filter names at most, so that the request line stays within what servers take (8 KB).
const CONTACTS_PER_QUERY: usize = 40;

/// An id as no account has it: a build that finds tickets of it does not look at the condition.
const NO_ACCOUNT: &str = "account_0000000000000";

/// By one dotted filter where the build takes it, else through the contacts. The dotted filter is trusted where it
/// finds nothing for nobody, and what it finds confirms it.
fn account_tickets(context: &Context, args: &Args) -> Result<Output, Error> {
    let account = crate::run::resolve::resolve(
        context,
        &[(&crate::run::resolve::ACCOUNTS, args.required(&param::ACCOUNT))],
    )?
    .remove(0);
    let account = match account.title {
        Some(_) => account,
        None => context.named_account(account)?,
    };
    let mut conditions = context.conditions(OF_ACCOUNT.filters, args)?;
    conditions
        .applied_filters
        .insert(0, format!("account {}", account.shown()));
    conditions.notes.extend(account.note.clone());
    let stage = args.text(&param::STAGE_OR_ALL).unwrap_or("OPEN");
    if stage == "ALL" {
        conditions.applied_filters.insert(1, "every stage".to_owned());
    } else {
        conditions.filters.push(Filter::eq("stage", stage));
        conditions.applied_filters.insert(1, format!("stage {stage}"));
    }
    let (sort, said) = crate::run::order(&TICKET, OF_ACCOUNT.sort, args);
    conditions.applied_filters.extend(said);
    let mut fields = TICKET.projection(Detail::Summary);
    fields.push("contact.account.name".to_owned());
    let take = args.number(&param::take(50, 200)).unwrap_or(50);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields,
        skip: args.skip(),
        take,
        ..Query::new("tickets", take)
    };

    let of = |account: &str| query.clone().filter(Filter::eq("contact.account", account));
    let nobody = Query {
        take: 1,
        fields: vec!["name".to_owned()],
        sort: Vec::new(),
        skip: 0,
        ..of(NO_ACCOUNT)
    };
    let mut pages = context.client.read_pages(&[of(&account.name), nobody]).into_iter();
    if let (Some(Ok(page)), Some(Ok(nobody))) = (pages.next(), pages.next()) {
        let confirmed = |row: &Value| {
            value::first(row, "contact.account").and_then(value::name_of).as_deref() == Some(account.name.as_str())
        };
        let filters = nobody.rows.is_empty() && !page.rows.is_empty() && page.rows.iter().all(confirmed);
        if filters && page.total.is_some() {
            return Ok(context.listing(&TICKET, args, conditions, &query, &page));
        }
    }
    through_contacts(context, args, &account.name, conditions, query)
}

/// How many tickets one filter names at most, for the same reason.
const TICKETS_PER_QUERY: usize = 50;

/// The tickets of an account's contacts: their numbers are read in batches, merged into one order and paged here, and
/// then the page is read. A large customer has thousands of tickets, which no call could hold whole.
fn through_contacts(
    context: &Context,
    args: &Args,
    account: &str,
    mut conditions: Conditions,
    query: Query,
) -> Result<Output, Error> {
    let contacts = context.client.read_all(
        &Query::new("contacts", 0)
            .fields(&["name"])
            .filter(Filter::eq("account", account))
            .sort("created", Direction::Ascending),
    )?;
    let names: Vec<String> = contacts
        .rows
        .iter()
        .filter_map(|row| value::text_at(row, "name"))
        .collect();
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
            Query {
                fields: fields.into_iter().map(str::to_owned).collect(),
                ..query.clone()
            }
            .filter(Filter::one_of("contact", batch.to_vec()))
        })
        .collect();
    for (batch, page) in batches.iter().zip(context.client.read_all_of_each(&queries)) {
        match page {
            Ok(page) => {
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
    rows.sort_by(|a, b| {
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
    let page = crate::daktela::client::Page {
        rows: by_numbers(context, &shown, &query)?,
        total: Some(total),
    };
    if page.rows.len() < shown.len() {
        conditions.notes.push(format!(
            "{} of the {} tickets of this page could not be read again.",
            shown.len() - page.rows.len(),
            shown.len()
        ));
    }
    Ok(context.listing(&TICKET, args, conditions, &query, &page))
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

impl Context<'_> {
    /// The account of a generated id, for its title.
    fn named_account(&self, account: crate::run::resolve::Chosen) -> Result<crate::run::resolve::Chosen, Error> {
        let record = self
            .client
            .read_record("accounts", &account.name, &["name".to_owned(), "title".to_owned()])
            .map_err(|error| match error {
                Error::NotFound(_) => Error::NotFound(format!(
                    "No account {:?}. list_accounts shows the accounts that there are.",
                    text::line(&account.name)
                )),
                error => error,
            })?;
        Ok(crate::run::resolve::Chosen {
            title: value::text_at(&record, "title").map(|title| text::line(&title)),
            ..account
        })
    }

    /// A ticket's activities with their content, in what room the ticket leaves before them.
    fn conversation(
        &self,
        entity: &Entity,
        args: &Args,
        query: &Query,
        page: &crate::daktela::client::Page,
        before: usize,
    ) -> String {
        let parts: Vec<Related> = activities::contents(self, args, &page.rows);
        let records = self
            .records_with(entity, args, Detail::Summary, &page.rows, parts)
            .into_iter()
            .map(|record| record.without("Ticket"))
            .collect();
        listing::Listing {
            singular: entity.singular,
            plural: entity.plural,
            records,
            rows: page.rows.len(),
            skip: query.skip,
            take: query.take,
            total: page.total,
            applied_filters: vec!["oldest first".to_owned()],
            notes: self.warnings(),
            zone: self.client.zone(),
            overflow: entity.overflow,
            text_chars: Some(usize::MAX),
            budget: args.budget(self.settings.max_answer_bytes),
            before,
        }
        .print()
    }
}
