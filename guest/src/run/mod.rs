//! Interpreter of the catalogue: list, count and get for any entity.

pub mod resolve;

use self::resolve::Chosen;

use serde_json::{Value, json};

use crate::{
    daktela::client::{Client, Page},
    daktela::error::Error,
    daktela::http::Http,
    daktela::query::{Direction, Filter, Query},
    model::args::{self, Args},
    model::param::{self, Kind},
    model::tool::{CustomFields, Detail, Entity, FilterOp, FilterParam, List, Related, Run, Tool},
    render::listing::{self, Listing, Output},
    render::record::{self, CustomFieldSchema, Record, View},
    settings::Settings,
    text, value,
};

/// What a call works with.
pub struct Context<'a> {
    pub client: Client<'a>,
    pub settings: &'a Settings,
}

/// Runs a tool on the JSON text of its arguments.
pub fn run(tool: &Tool, http: &dyn Http, settings: &Settings, arguments: &str) -> Result<Output, Error> {
    let args = Args::check(&tool.params(), tool.required(), arguments)?;
    let context = Context {
        client: Client::new(http),
        settings,
    };
    match &tool.run {
        Run::List(list) => context.list(list, &args),
        Run::Count(list) => context.count(list, &args),
        Run::Get(entity) => context.get(entity, &args),
        Run::Custom { run, .. } => run(&context, &args),
    }
}

/// Filters, and what they are in words.
#[derive(Default)]
pub struct Conditions {
    pub filters: Vec<Filter>,
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
}

impl Context<'_> {
    fn list(&self, list: &List, args: &Args) -> Result<Output, Error> {
        let conditions = self.conditions(list.filters, args)?;
        let (sort, said) = order(list.entity, list.sort, args);
        let query = Query {
            filters: conditions.filters.clone(),
            sort,
            fields: list.entity.projection(Detail::Summary),
            skip: args.skip(),
            take: self.take(list, args),
            ..Query::new(list.entity.endpoint, 0)
        };
        let mut conditions = Conditions {
            applied_filters: [conditions.applied_filters, said].concat(),
            ..conditions
        };
        let page = match self.client.read_page(&query) {
            Err(Error::Refused(_)) if query.filters.iter().any(on_custom_field) => {
                self.search(&query, args, &mut conditions)?
            }
            page => page?,
        };
        Ok(self.listing(list.entity, args, conditions, &query, &page))
    }

    /// Custom fields have other keys in some databases, and a build refuses a filter on one that it does not have. Its
    /// full-text search is the next best.
    fn search(&self, query: &Query, args: &Args, conditions: &mut Conditions) -> Result<Page, Error> {
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
        self.client.read_page(&Query {
            filters,
            search: args.text(&param::SEARCH_CONTACT).map(str::to_owned),
            ..query.clone()
        })
    }

    pub fn take(&self, list: &List, args: &Args) -> u64 {
        args.number(&param::take(list.take.0, list.take.1))
            .unwrap_or(list.take.0)
    }

    /// A page as an answer.
    pub fn listing(&self, entity: &Entity, args: &Args, conditions: Conditions, query: &Query, page: &Page) -> Output {
        let records = self.records(entity, args, Detail::Summary, &page.rows);
        let listing = Listing {
            singular: entity.singular,
            plural: entity.plural,
            records,
            rows: page.rows.len(),
            skip: query.skip,
            take: query.take,
            total: page.total,
            applied_filters: conditions.applied_filters,
            notes: [conditions.notes, self.warnings()].concat(),
            zone: self.client.zone(),
            overflow: entity.overflow,
            text_chars: args.number(&param::TEXT_CHARS).map(|chars| chars as usize),
            budget: args.budget(self.settings.max_answer_bytes),
            before: 0,
        };
        Output {
            text: listing.print(),
            first_record: page.rows.first().map(|row| first_ids(entity, row)),
        }
    }

    fn count(&self, list: &List, args: &Args) -> Result<Output, Error> {
        let conditions = self.conditions(list.filters, args)?;
        let query = Query {
            filters: conditions.filters,
            ..Query::new(list.entity.endpoint, 1).fields(&[list.entity.key])
        };
        let page = self.client.read_page(&query)?;
        let (total, note) = match page.total {
            Some(total) => (total, None),
            // A build that gives no total is counted record by record.
            None => {
                let whole = self.client.read_all(&query)?;
                let rows = whole.rows.len() as u64;
                (
                    rows,
                    whole.total.is_none().then(|| {
                        format!(
                            "The instance gives no total; counting stopped at {}, there may be more.",
                            text::thousands(rows)
                        )
                    }),
                )
            }
        };
        let said = if conditions.applied_filters.is_empty() {
            String::new()
        } else {
            format!(" ({})", conditions.applied_filters.join(" · "))
        };
        let mut text = format!("{}{said}", text::count(total, list.entity.singular, list.entity.plural));
        for note in conditions.notes.into_iter().chain(note).chain(self.warnings()) {
            text += &format!("\n\nNote: {note}");
        }
        Ok(Output::text(text))
    }

    fn get(&self, entity: &Entity, args: &Args) -> Result<Output, Error> {
        let given = args.required(&entity.get_param());
        let id = if entity.endpoint == "tickets" {
            args::ticket_id(given)
        } else {
            given.to_owned()
        };
        let record = self.find(entity, &id)?;
        let shown = self
            .records(entity, args, Detail::Full, std::slice::from_ref(&record))
            .pop()
            .expect("one record");
        // Reads of what belongs to the record may have added to them.
        let notes = self.warnings();
        let text = listing::detail(
            entity.singular,
            &shown,
            &notes,
            self.client.zone().as_deref(),
            args.budget(self.settings.max_answer_bytes),
        );
        Ok(Output {
            text,
            first_record: Some(first_ids(entity, &record)),
        })
    }

    /// One record by its id, or an error that names the tool that lists them.
    pub fn find(&self, entity: &Entity, id: &str) -> Result<Value, Error> {
        self.client
            .read_record(entity.endpoint, id, &entity.projection(Detail::Full))
            .map_err(|error| not_found(entity, id, error))
    }

    /// What could not be read, and what Daktela remarked on its answers, as data.
    pub fn warnings(&self) -> Vec<String> {
        let remarks = self.client.warnings();
        let remarks = remarks
            .iter()
            .map(|warning| format!("Daktela remarks: {}", record::inline(warning, 300)));
        self.client.missing().into_iter().chain(remarks).collect()
    }

    /// Rows ready to print, with all that belongs to them. Where that takes requests of its own, it is read for a few
    /// records at a time, and no further than the answer has room: fewer records may come back than rows.
    pub fn records(&self, entity: &Entity, args: &Args, detail: Detail, rows: &[Value]) -> Vec<Record> {
        let Some(parts) = entity.enrich else {
            return self.records_with(entity, args, detail, rows, Vec::new());
        };
        let room = args.budget(self.settings.max_answer_bytes).bytes;
        let mut records = Vec::new();
        let mut size = 0;
        for rows in rows.chunks(PARTS_AT_ONCE) {
            let new = self.records_with(entity, args, detail, rows, parts(self, entity, args, rows));
            size += new
                .iter()
                .map(|record| record.print_item(|chars| chars).len())
                .sum::<usize>();
            records.extend(new);
            if size > room {
                break;
            }
        }
        records
    }

    /// The same with parts that were read before.
    pub fn records_with(
        &self,
        entity: &Entity,
        args: &Args,
        detail: Detail,
        rows: &[Value],
        parts: Vec<Related>,
    ) -> Vec<Record> {
        let scheme = if entity.custom_fields != CustomFields::No {
            self.scheme(entity, rows)
        } else {
            CustomFieldSchema::new()
        };
        let view = View {
            settings: self.settings,
            scheme: &scheme,
            detail,
            full_mail: args.flag(&param::FULL_MAIL),
        };
        let mut parts = parts.into_iter();
        rows.iter()
            .map(|row| view.record(entity, row, parts.next().unwrap_or_default()))
            .collect()
    }

    /// The definitions of the custom fields that these rows use. A projected row comes without them, so they are read
    /// from as few records as show all the keys in use: one, in most cases.
    pub fn scheme(&self, entity: &Entity, rows: &[Value]) -> CustomFieldSchema {
        let mut scheme: CustomFieldSchema = rows.iter().flat_map(record::scheme).collect();
        let mut open: Vec<&str> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for row in rows {
            let Some(fields) = row.get("customFields").and_then(Value::as_object) else {
                continue;
            };
            let used: Vec<&str> = fields
                .iter()
                .filter(|(_, v)| value::is_filled(v))
                .map(|(k, _)| k.as_str())
                .collect();
            if used.iter().any(|key| !scheme.contains_key(*key) && !open.contains(key))
                && names.len() < SCHEME_RECORDS_MAX
            {
                // A record's scheme holds the whole form, so its empty fields are covered as well.
                open.extend(fields.keys().map(String::as_str));
                names.extend(value::text_at(row, entity.key));
            }
        }
        if names.is_empty() {
            return scheme;
        }
        let query = Query::new(entity.endpoint, names.len() as u64)
            .fields(&[entity.key, "_sys"])
            .filter(Filter::one_of(entity.key, names.clone()));
        let before = scheme.len();
        let projected = self.client.read_page(&query);
        scheme.extend(projected.iter().flat_map(|page| &page.rows).flat_map(record::scheme));
        if scheme.len() == before {
            // Builds that drop the definitions from every projection show them on the whole record.
            let names: Vec<&str> = names.iter().take(WHOLE_RECORDS_MAX).map(String::as_str).collect();
            let whole = self.client.read_records(entity.endpoint, &names, &[]);
            scheme.extend(whole.iter().flatten().flat_map(record::scheme));
        }
        if let Err(error) = projected
            && scheme.len() == before
        {
            self.client.note_partial(
                "Custom fields may lack their labels, and some that Daktela hides may show",
                &error,
            );
        }
        scheme
    }

    /// Filters from arguments. Names are resolved, all at once.
    pub fn conditions(&self, filters: &[FilterParam], args: &Args) -> Result<Conditions, Error> {
        let wanted: Vec<(&str, &'static resolve::Source, &str)> = filters
            .iter()
            .filter_map(|on| match on.param.kind {
                Kind::Named(source) => args.text(&on.param).map(|given| (on.param.name, source, given)),
                _ => None,
            })
            .collect();
        let chosen = resolve::resolve(
            self,
            &wanted
                .iter()
                .map(|(_, source, given)| (*source, *given))
                .collect::<Vec<_>>(),
        )?;
        let chosen: Vec<(&str, Chosen)> = wanted.iter().map(|(name, ..)| *name).zip(chosen).collect();
        let mut out = Conditions::default();
        out.notes
            .extend(chosen.iter().filter_map(|(_, chosen)| chosen.note.clone()));
        for on in filters {
            self.condition(on, args, &chosen, &mut out);
        }
        Ok(out)
    }

    fn condition(&self, on: &FilterParam, args: &Args, chosen: &[(&str, Chosen)], out: &mut Conditions) {
        let name = on.param.name;
        if let FilterOp::OnlyNull { field, said } = on.how {
            if !args.flag(&on.param) {
                out.filters.push(Filter::is_null(field));
                out.applied_filters.push(said.to_owned());
            }
            return;
        }
        if let FilterOp::YesNo(field) = on.how {
            if let Some(yes) = args.yes_no(&on.param) {
                out.filters.push(Filter::eq(field, if yes { "1" } else { "0" }));
                out.applied_filters
                    .push(format!("{}{name}", if yes { "" } else { "not " }));
            }
            return;
        }
        let Some(given) = args.text(&on.param) else { return };
        let chosen = chosen
            .iter()
            .find(|(param, _)| *param == name)
            .map(|(_, chosen)| chosen);
        let value = match (chosen, on.param.name == param::TICKET.name) {
            (Some(chosen), _) => chosen.name.clone(),
            (None, true) => args::ticket_id(given),
            (None, false) => given.to_owned(),
        };
        let shown = chosen.map_or_else(|| text::line(&value), Chosen::shown);
        let (filter, said) = match on.how {
            FilterOp::Eq(field) => (Filter::eq(field, value), format!("{name} {shown}")),
            FilterOp::Contains(field) => (Filter::contains(field, &value), format!("{field} holds {shown:?}")),
            FilterOp::From(field) => (Filter::new(field, "gte", value), format!("{field} from {shown}")),
            FilterOp::Until(field) => (Filter::new(field, "lte", value), format!("{field} until {shown}")),
            FilterOp::Custom(filter) => (filter(self, &value), format!("{name} {shown}")),
            FilterOp::OnlyNull { .. } | FilterOp::YesNo(_) => return,
        };
        out.filters.push(filter);
        out.applied_filters.push(said);
    }
}

/// For how many records what belongs to them is read at once; a page of default size takes two rounds.
const PARTS_AT_ONCE: usize = 25;

/// Records that are read for the definitions of custom fields: one for each form in use, and pages mix few forms.
const SCHEME_RECORDS_MAX: usize = 20;
/// The same where only whole records show them, which are large.
const WHOLE_RECORDS_MAX: usize = 3;

/// Says what was looked for and where ids come from.
pub fn not_found(entity: &Entity, id: &str, error: Error) -> Error {
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
        Filter::Any(filters) => filters.iter().any(on_custom_field),
    }
}

/// The order of a list: the caller's, or the entity's own.
pub fn order(
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
pub fn first_ids(entity: &Entity, row: &Value) -> Value {
    let mut out = json!({"name": value::text_at(row, entity.key)});
    if let Some(activity) = value::text_at(row, "activities.name") {
        out["activity"] = activity.into();
    }
    out
}
