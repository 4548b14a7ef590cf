//! The wallboard: agents by state, queues with who waits and what was answered today, the longest waiting, tickets due today.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        field::Detail,
        output::{Content, Fact, FactValue, Key, Output, Record, Section, SectionsOutput},
    },
    run::records::{records_with, warnings},
    sort, text, value,
};

/// How many of those who wait longest, and of the tickets that are due first, are shown.
const FIRST: usize = 5;

/// What the board shows records of.
pub(crate) struct Entities {
    pub(crate) agent: &'static Entity,
    pub(crate) waiting: &'static Entity,
    pub(crate) ticket: &'static Entity,
}

/// What is counted of a queue.
#[derive(Default)]
struct Queue {
    title: String,
    waiting: u64,
    since: Option<String>,
    answered: u64,
    unanswered: u64,
    done: u64,
}

pub(crate) fn wallboard(context: &Context, args: &Args, entities: &Entities) -> Result<Output, Error> {
    let sessions = Query {
        fields: entities.agent.projection(Detail::Summary),
        ..Query::new(entities.agent.endpoint, 0)
    };
    let agents = context.client.read_all(&sessions);
    let waiting = Query {
        fields: entities.waiting.projection(Detail::Summary),
        ..Query::new(entities.waiting.endpoint, 0)
    }
    .filter(Filter::eq("action", "WAIT"))
    .sort("time", Direction::Ascending);
    // Whoever may not see agents still sees the rest; the instance's time comes with any answer.
    let waits = context.client.read_all(&waiting);
    let now = context.client.now();
    let (agents, waits) = match (agents, waits) {
        (Err(error), Err(_)) => return Err(error),
        read => read,
    };
    let mut notes = Vec::new();
    let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
    let mut sections = vec![agents_section(context, args, entities.agent, agents)];
    let rows = waits.as_ref().map_or(&[][..], |page| &page.rows[..]);
    for row in rows {
        let queue = queue(&mut queues, row, "queue");
        queue.waiting += 1;
        let since = value::text_at(row, "time_wait").or_else(|| value::text_at(row, "time"));
        queue.since = [queue.since.take(), since].into_iter().flatten().min();
    }
    let mut calls_read = false;
    let due = match &now {
        Some(now) => {
            let today = now.get(..10).unwrap_or(now);
            calls_read = count_today(context, today, &mut queues, &mut notes);
            Some(due_section(context, args, entities.ticket, now, today))
        }
        None => {
            notes.push(
                "The instance does not tell its time, so what was answered today and what is due is not known."
                    .to_owned(),
            );
            None
        }
    };
    sections.push(queues_section(queues, waits.is_ok(), calls_read));
    let longest = &rows[..rows.len().min(FIRST)];
    sections.push(Section {
        title: "Waiting longest",
        said: match &waits {
            Err(error) => format!("could not be read. {}", error.text()),
            Ok(_) if rows.is_empty() => "nobody waits".to_owned(),
            Ok(_) => format!("{} of {} waiting", longest.len(), text::thousands(rows.len() as u64)),
        },
        records: records_with(context, entities.waiting, args, Detail::Summary, longest, Vec::new()),
    });
    sections.extend(due);
    notes.extend(warnings(context));
    Ok(Output {
        content: Content::Sections(SectionsOutput {
            heading: match now {
                Some(now) => format!("Wallboard at {now}"),
                None => "Wallboard".to_owned(),
            },
            sections,
            notes,
            zone: context.client.zone(),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
        first_record: None,
    })
}

fn agents_section(context: &Context, args: &Args, agent: &Entity, page: Result<Page, Error>) -> Section {
    let mut rows = match page {
        Ok(page) => page.rows,
        Err(error) => {
            return Section {
                title: "Agents",
                said: format!("could not be read. {}", error.text()),
                records: Vec::new(),
            };
        }
    };
    // Who talks is told by the call, whatever the state is called.
    let state = |row: &Value| match value::text_at(row, "id_call") {
        Some(_) => "on a call".to_owned(),
        None => value::text_at(row, "state").unwrap_or_else(|| "unknown".to_owned()),
    };
    sort::sort_by_key(&mut rows, |row| (state(row), value::text_at(row, "statetime")));
    let mut counts: Vec<(String, usize)> = Vec::new();
    for row in &rows {
        let state = state(row);
        match counts.last_mut() {
            Some((last, count)) if *last == state => *count += 1,
            _ => counts.push((state, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    Section {
        title: "Agents",
        said: match rows.len() {
            0 => "nobody is logged in".to_owned(),
            all => format!("{all} logged in: {}", counts.join(", ")),
        },
        records: records_with(context, agent, args, Detail::Summary, &rows, Vec::new()),
    }
}

fn queue<'a>(queues: &'a mut BTreeMap<String, Queue>, row: &Value, field: &str) -> &'a mut Queue {
    let name = value::first(row, field).and_then(value::name_of).unwrap_or_default();
    let queue = queues.entry(name).or_default();
    if queue.title.is_empty() {
        queue.title = value::text_at(row, &format!("{field}.title")).unwrap_or_default();
    }
    queue
}

/// Calls that came in today, and work of the other channels that was done today. Returns whether the calls could be read.
fn count_today(context: &Context, today: &str, queues: &mut BTreeMap<String, Queue>, notes: &mut Vec<String>) -> bool {
    let calls = Query::new("activitiesCall", 0)
        .fields(&["id_call", "answered", "id_queue.name", "id_queue.title"])
        .filter(Filter::new("call_time", "gte", today))
        .filter(Filter::eq("direction", "in"));
    let done = Query::new("activities", 0)
        .fields(&["name", "queue.name", "queue.title"])
        .filter(Filter::new("time_close", "gte", today))
        .filter(Filter::new("type", "neq", "CALL"));
    let mut pages = context.client.read_all_of_each(&[calls, done]).into_iter();
    let mut next = |what: &str| match pages.next() {
        Some(Ok(page)) => {
            if page.total.is_none_or(|total| total > page.rows.len() as u64) {
                notes.push(format!(
                    "Only {} {what} of today were counted.",
                    text::thousands(page.rows.len() as u64)
                ));
            }
            Some(page.rows)
        }
        Some(Err(error)) => {
            notes.push(format!("The {what} of today could not be read. {}", error.text()));
            None
        }
        None => None,
    };
    let calls = next("calls");
    let calls_read = calls.is_some();
    for row in calls.into_iter().flatten() {
        let queue = queue(queues, &row, "id_queue");
        if value::only_yes(&row, "answered") {
            queue.answered += 1;
        } else {
            queue.unanswered += 1;
        }
    }
    for row in next("activities").into_iter().flatten() {
        queue(queues, &row, "queue").done += 1;
    }
    calls_read
}

fn queues_section(queues: BTreeMap<String, Queue>, waiting_read: bool, calls_read: bool) -> Section {
    let waiting: u64 = queues.values().map(|queue| queue.waiting).sum();
    let (answered, unanswered) = queues
        .values()
        .fold((0, 0), |(a, u), queue| (a + queue.answered, u + queue.unanswered));
    let mut queues: Vec<(String, Queue)> = queues.into_iter().collect();
    sort::sort_by(&mut queues, |(a, left), (b, right)| {
        right.waiting.cmp(&left.waiting).then_with(|| a.cmp(b))
    });
    Section {
        title: "Queues",
        said: format!(
            "{}; incoming calls today: {}",
            if waiting_read {
                format!("{waiting} waiting")
            } else {
                "who waits is not known".to_owned()
            },
            if calls_read {
                format!("{answered} answered, {unanswered} not")
            } else {
                "not known".to_owned()
            },
        ),
        records: queues
            .into_iter()
            .map(|(name, queue)| queue_record(name, queue))
            .collect(),
    }
}

fn queue_record(name: String, queue: Queue) -> Record {
    let number = |label: &'static str, number: u64| {
        (number > 0).then(|| Fact {
            key: Key::Label,
            label: label.into(),
            provenance: FactValue::Number(number.into()).provenance(),
            value: FactValue::Number(number.into()),
            max_chars: 100,
        })
    };
    let since = queue.since.map(|since| Fact {
        key: Key::Label,
        label: "Longest since".into(),
        provenance: FactValue::DateTime(String::new()).provenance(),
        value: FactValue::DateTime(since),
        max_chars: 100,
    });
    let facts = [
        number("Waiting", queue.waiting),
        since,
        number("Calls answered today", queue.answered),
        number("Calls not answered today", queue.unanswered),
        number("Done today (other channels)", queue.done),
    ];
    Record {
        singular: "queue",
        title: match (name.is_empty(), queue.title.is_empty()) {
            (true, _) => Some("Without a queue".to_owned()),
            (false, true) => None,
            (false, false) => Some(queue.title),
        },
        id: Some(name).filter(|name| !name.is_empty()),
        url: None,
        facts: facts.into_iter().flatten().collect(),
        remarks: Vec::new(),
        texts: Vec::new(),
    }
}

/// Tickets that are not solved and whose deadline is over or comes today.
fn due_section(context: &Context, args: &Args, ticket: &Entity, now: &str, today: &str) -> Section {
    let open = |until: &str| {
        Query::new(ticket.endpoint, FIRST as u64)
            .filter(Filter::one_of("stage", vec!["OPEN".to_owned(), "WAIT".to_owned()]))
            .filter(Filter::is_null("id_merge"))
            .filter(Filter::new("sla_deadtime", "lte", until))
    };
    let due = Query {
        fields: ticket.projection(Detail::Summary),
        ..open(&format!("{today} 23:59:59")).sort("sla_deadtime", Direction::Ascending)
    };
    let overdue = Query {
        take: 1,
        ..open(now).fields(&["name"])
    };
    let mut pages = context.client.read_pages(&[due, overdue]).into_iter();
    let (due, overdue) = (pages.next(), pages.next());
    let total = |page: Option<Result<Page, Error>>| {
        page.and_then(Result::ok)
            .and_then(|page| page.total)
            .map_or_else(|| "an unknown number".to_owned(), text::thousands)
    };
    match due {
        Some(Err(error)) => Section {
            title: "Tickets due",
            said: format!("could not be read. {}", error.text()),
            records: Vec::new(),
        },
        due => {
            let rows = match &due {
                Some(Ok(page)) => page.rows.clone(),
                _ => Vec::new(),
            };
            Section {
                title: "Tickets due",
                said: format!(
                    "{} overdue or due today, {} of them overdue; the first {}",
                    total(due),
                    total(overdue),
                    rows.len()
                ),
                records: records_with(context, ticket, args, Detail::Summary, &rows, Vec::new()),
            }
        }
    }
}
