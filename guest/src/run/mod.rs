//! Interpreter of the catalogue: list, count and get for any entity.

pub(crate) mod contact_points;
pub(crate) mod custom_fields;
pub(crate) mod facts;
pub(crate) mod filters;
pub(crate) mod records;
pub(crate) mod resolve;

mod count;
mod matching;
mod probes;
mod repeated_hour;
pub(crate) mod scan;
mod statistics;

use serde_json::{Value, json};

use self::{
    count::count,
    filters::{Conditions, conditions, ignored, with_evidence},
    records::{records, unknown_flags, warnings},
};
use crate::{
    daktela::{
        client::{Client, Page},
        error::Error,
        hints::Hints,
        http::Http,
        observations::{Mend, Observations},
        query::{Direction, Filter, Query},
    },
    model::{
        args::Args,
        context::Context,
        entity::{CustomFields, Entity, TEXT},
        field::Detail,
        list::List,
        measure::Measure,
        output::{Content, ListOutput, Output, Record, RecordOutput, snake_case},
        param,
        tool::{Run, Tool},
    },
    render::markdown::quoted,
    settings::Settings,
    text, value,
};

/// Runs a tool on the JSON text of its arguments.
pub fn run(tool: &Tool, http: &dyn Http, settings: &Settings, arguments: &str) -> Result<Output, Error> {
    run_observed(tool, http, &Hints::default(), settings, arguments).0
}

/// The same by what `hints` tell of the build, with what the reads showed of the instance; also where the call failed. What is
/// learnt of the build is added to the hints.
pub fn run_observed(
    tool: &Tool,
    http: &dyn Http,
    hints: &Hints,
    settings: &Settings,
    arguments: &str,
) -> (Result<Output, Error>, Observations) {
    let args = match Args::check(&tool.params(), arguments) {
        Ok(args) => args,
        Err(error) => return (Err(error), Observations::default()),
    };
    let context = Context {
        client: Client::new(http, hints),
        settings,
    };
    let output = dispatch(tool, &context, &args).map(|output| {
        let notes = repeated_hour::notes(&output, &args, context.client.zone().as_deref());
        output.with_notes(&[args.notes(), &notes].concat())
    });
    (output, context.client.observed())
}

/// Runs a tool within the call of another one.
pub(crate) fn run_within(context: &Context, tool: &Tool, arguments: &str) -> Result<Output, Error> {
    let args = Args::check(&tool.params(), arguments)?;
    Ok(dispatch(tool, context, &args)?.with_notes(args.notes()))
}

/// What a diagnosis wants to know of a tool's list beside its records; see [`probes`].
pub fn probe(tool: &Tool, http: &dyn Http, settings: &Settings) -> Vec<Value> {
    let hints = Hints::default();
    let context = Context {
        client: Client::new(http, &hints),
        settings,
    };
    probes::probe(&context, tool)
}

fn dispatch(tool: &Tool, context: &Context, args: &Args) -> Result<Output, Error> {
    match &tool.run {
        Run::List(list) => read_list(context, list, args),
        Run::Count(list) => count(context, list, args),
        Run::Statistics(of) => statistics::statistics(context, of, args),
        Run::Get(entity) => read_one(context, entity, args),
        Run::Custom { run, .. } => run(context, args),
    }
}

fn read_list(context: &Context, list: &List, args: &Args) -> Result<Output, Error> {
    let conditions = conditions(context, list.filters, args)?;
    let (sort, said) = order(list.entity, list.sort, args);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields: with_evidence(list.entity, projection(list.entity, args)?, &conditions.filters),
        skip: args.skip(),
        take: page_size(list, args),
        ..Query::new(list.entity.endpoint, 0).reference_data(list.entity.is_reference_data)
    };
    let mut conditions = conditions.ordered(said);
    let by = computed_order(list.entity, args);
    if by.is_some() || !conditions.tests.is_empty() {
        let page = matching::page(context, list.entity, list.filters, &mut conditions, by, &query)?;
        return Ok(listing(context, list.entity, args, conditions, &query, &page));
    }
    let is_on_custom_field = query.filters.iter().any(on_custom_field);
    let page = if is_on_custom_field && context.client.needs(Mend::FullTextSearch, &query.endpoint) {
        search(context, &query, args, &mut conditions)?
    } else {
        match context.client.read_page(&query) {
            Err(Error::Refused(_)) if is_on_custom_field => {
                let page = search(context, &query, args, &mut conditions)?;
                if !page.rows.is_empty() {
                    context.client.learn(Mend::FullTextSearch, &query.endpoint);
                }
                page
            }
            page => page?,
        }
    };
    let page = match by_address(context, &query, &page, args, &mut conditions)? {
        Some(found) => found,
        None => page,
    };
    Ok(listing(context, list.entity, args, conditions, &query, &page))
}

/// Contacts with an address that a pattern on custom fields does not find: by equality and in full text. `None` where
/// there is nothing to look for.
fn by_address(
    context: &Context,
    query: &Query,
    page: &Page,
    args: &Args,
    conditions: &mut Conditions,
) -> Result<Option<Page>, Error> {
    let is_empty = page.rows.is_empty() && page.total.unwrap_or(0) == 0 && query.skip == 0;
    let wanted = args.text(&param::SEARCH_CONTACT).and_then(contact_points::wanted);
    let Some(wanted) = wanted.filter(|_| is_empty && query.filters.iter().any(on_custom_field)) else {
        return Ok(None);
    };
    let search = contact_points::find(context, &wanted)?;
    if search.found.is_empty() {
        conditions.notes.push(search.searched);
        return Ok(None);
    }
    let names = search.found.into_iter().map(|found| found.name).collect();
    let others = query.filters.iter().filter(|filter| !on_custom_field(filter)).cloned();
    let by_name = Filter::one_of("name", names);
    let query = Query {
        filters: others.chain([by_name]).collect(),
        ..query.clone()
    };
    context.client.read_page(&query).map(Some)
}

/// The order that is computed here, where the caller asks for one.
fn computed_order(entity: &'static Entity, args: &Args) -> Option<(&'static Measure, Direction)> {
    let wanted = args.text(&param::sort(entity.list_sort))?;
    let measure = entity.computed_sort.iter().find(|measure| measure.name == wanted)?;
    let direction = match args.text(&param::SORT_DIR) {
        Some("asc") => Direction::Ascending,
        _ => Direction::Descending,
    };
    Some((measure, direction))
}

/// Custom fields have other keys in some databases, and a build refuses a filter on one that it does not have. Its
/// full-text search is the next best.
fn search(context: &Context, query: &Query, args: &Args, conditions: &mut Conditions) -> Result<Page, Error> {
    let filters = query
        .filters
        .iter()
        .filter(|filter| !on_custom_field(filter))
        .cloned()
        .collect();
    conditions.notes.push(
        "This Daktela does not filter by its default fields for phone and e-mail; its full-text search was used."
            .to_owned(),
    );
    let page = context.client.read_page(&Query {
        filters,
        search: args.text(&param::SEARCH_CONTACT).map(str::to_owned),
        ..query.clone()
    })?;
    let found = !page.rows.is_empty();
    context
        .client
        .note_mend(Mend::FullTextSearch, &query.endpoint, &["customFields"], found);
    Ok(page)
}

/// The fields that a list shows, and so asks for: those of its summaries, or those that the caller names.
pub(crate) fn projection(entity: &Entity, args: &Args) -> Result<Vec<String>, Error> {
    let only = args.texts(&param::FIELDS);
    if only.is_empty() {
        return Ok(entity.projection(Detail::Summary));
    }
    let labels = entity.fields_at(Detail::Full).map(|field| snake_case(field.label));
    let mut known: Vec<String> = labels.filter(|label| !label.is_empty()).collect();
    known.push(TEXT.to_owned());
    // Their keys and labels are the customer's own.
    let has_custom_fields = entity.custom_fields != CustomFields::No;
    let unknown: Vec<&str> = only
        .iter()
        .copied()
        .filter(|name| !has_custom_fields && !known.iter().any(|known| known == name))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Argument(format!(
            "Wrong arguments:\n- fields: {} of {} are not known; expected are {}",
            unknown.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
            entity.plural,
            known.join(", ")
        )));
    }
    Ok(entity.projection_only(&only))
}

pub(crate) fn page_size(list: &List, args: &Args) -> u64 {
    args.number(&param::take(list.take.0, list.take.1))
        .unwrap_or(list.take.0)
}

/// A page of records as the result of a tool.
pub(crate) fn listing(
    context: &Context,
    entity: &Entity,
    args: &Args,
    mut conditions: Conditions,
    query: &Query,
    page: &Page,
) -> Output {
    conditions.notes.extend(ignored(page));
    conditions
        .notes
        .extend(unknown_flags(entity, Detail::Summary, &query.fields, &page.rows));
    if page.is_unsorted && !query.sort.is_empty() {
        conditions.unordered();
    }
    let records = records(context, entity, args, Detail::Summary, &page.rows);
    Output {
        first_record: page.rows.first().map(|row| first_ids(entity, row)),
        content: Content::List(ListOutput {
            singular: entity.singular,
            plural: entity.plural,
            records,
            rows: page.rows.len(),
            left_out: (!page.ignored.is_empty()).then_some(page.left_out),
            skip: query.skip,
            take: query.take,
            total: page.total,
            applied_filters: [conditions.applied_filters, conditions.order].concat(),
            notes: [conditions.notes, warnings(context)].concat(),
            zone: context.client.zone(),
            overflow: entity.overflow,
            text_chars: args.number(&param::TEXT_CHARS).map(|chars| chars as usize),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
    }
}

fn read_one(context: &Context, entity: &Entity, args: &Args) -> Result<Output, Error> {
    let row = find(context, entity, args.required(&entity.id_param))?;
    let record = one_record(context, entity, args, &row);
    Ok(Output {
        first_record: Some(first_ids(entity, &row)),
        content: Content::Record(RecordOutput {
            singular: entity.singular,
            record,
            // Reads of what belongs to the record may have added to them.
            notes: unknown_flags(
                entity,
                Detail::Full,
                &entity.projection(Detail::Full),
                std::slice::from_ref(&row),
            )
            .into_iter()
            .chain(warnings(context))
            .collect(),
            zone: context.client.zone(),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
    })
}

/// A record with all that its detail shows.
pub(crate) fn one_record(context: &Context, entity: &Entity, args: &Args, row: &Value) -> Record {
    records(context, entity, args, Detail::Full, std::slice::from_ref(row))
        .pop()
        .expect("one record")
}

/// One record by its id, or an error that names the tool that lists them.
pub(crate) fn find(context: &Context, entity: &Entity, id: &str) -> Result<Value, Error> {
    context
        .client
        .read_record(entity.endpoint, id, &entity.projection(Detail::Full))
        .map_err(|error| not_found(entity, id, error))
}

/// Says what was looked for and where ids come from.
pub(crate) fn not_found(entity: &Entity, id: &str, error: Error) -> Error {
    match error {
        Error::NotFound(_) => {
            let from = match (entity.endpoint, id.starts_with("activities_")) {
                // A conversation names activities, not the records of their channels.
                ("activities", _) | (_, false) => format!("Take the id from a list of {}.", entity.plural),
                (_, true) => "This is an activity's id: get_activity shows what it holds.".to_owned(),
            };
            Error::NotFound(format!(
                "No {} {:?}, or this Daktela account may not see it. {from}",
                entity.singular,
                text::line(id)
            ))
        }
        error => error,
    }
}

fn on_custom_field(filter: &Filter) -> bool {
    match filter {
        Filter::Is { field, .. } => field.starts_with("customFields."),
        Filter::Any(filters) | Filter::All(filters) => filters.iter().any(on_custom_field),
    }
}

/// The order of a list: the caller's, or the entity's own.
pub(crate) fn order(
    entity: &Entity,
    default: Option<(&'static str, Direction)>,
    args: &Args,
) -> (Vec<(String, Direction)>, Vec<String>) {
    let field = (!entity.sort.is_empty())
        .then(|| args.text(&param::sort(entity.sort)))
        .flatten()
        .or(default.map(|(field, _)| field));
    let Some(field) = field else {
        return (Vec::new(), Vec::new());
    };
    let direction = match args.text(&param::SORT_DIR) {
        Some("asc") => Direction::Ascending,
        Some(_) => Direction::Descending,
        None => default.map_or(Direction::Descending, |(_, direction)| direction),
    };
    let said = match direction {
        Direction::Ascending => format!("sorted by {field}, ascending"),
        Direction::Descending => format!("sorted by {field}, descending"),
    };
    let mut sort = vec![(field.to_owned(), direction)];
    if OF_MANY.contains(&field) {
        sort.push((entity.key.to_owned(), direction));
    }
    (sort, vec![said])
}

/// Fields in which many records are equal. Their order among themselves may differ from page to page, so the id decides;
/// in an order by time it would only cost the database its index.
const OF_MANY: &[&str] = &[
    "duration",
    "lastname",
    "priority",
    "ringing_time",
    "stage",
    "title",
    "wait_time",
    "waiting_time",
];

/// The ids of a record for programs: its own and that of its activity.
pub(crate) fn first_ids(entity: &Entity, row: &Value) -> Value {
    let mut out = json!({"name": value::text_at(row, entity.key)});
    if let Some(activity) = value::text_at(row, "activities.name") {
        out["activity"] = activity.into();
    }
    out
}
