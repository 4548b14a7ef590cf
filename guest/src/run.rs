//! The interpreter of the catalogue: list, count and get for any entity.

use serde_json::{Value, json};

use crate::{
    answer::{self, Answer, Listing},
    api::{Api, Page},
    args::{self, Args},
    error::Error,
    http::Http,
    param::{self, Kind},
    query::{Direction, Filter, Query},
    resolve::{self, Chosen},
    settings::Settings,
    text,
    tool::{Custom, Depth, Entity, How, List, On, Part, Run, Tool},
    value,
    view::{self, Record, Scheme, View},
};

/// What a call works with.
pub struct Call<'a> {
    pub api: Api<'a>,
    pub settings: &'a Settings,
}

/// Runs a tool on the JSON text of its arguments.
pub fn run(tool: &Tool, http: &dyn Http, settings: &Settings, arguments: &str) -> Result<Answer, Error> {
    let args = Args::check(&tool.params(), tool.required(), arguments)?;
    let call = Call {
        api: Api::new(http),
        settings,
    };
    match &tool.run {
        Run::List(list) => call.list(list, &args),
        Run::Count(list) => call.count(list, &args),
        Run::Get(entity) => call.get(entity, &args),
        Run::Custom { run, .. } => run(&call, &args),
    }
}

/// Filters, and what they are in words.
#[derive(Default)]
pub struct Conditions {
    pub filters: Vec<Filter>,
    pub said: Vec<String>,
    pub notes: Vec<String>,
}

impl Call<'_> {
    fn list(&self, list: &List, args: &Args) -> Result<Answer, Error> {
        let conditions = self.conditions(list.filters, args)?;
        let (sort, said) = order(list.entity, list.sort, args);
        let query = Query {
            filters: conditions.filters.clone(),
            sort,
            fields: list.entity.fields(Depth::List),
            skip: args.skip(),
            take: self.take(list, args),
            ..Query::new(list.entity.endpoint, 0)
        };
        let mut conditions = Conditions {
            said: [conditions.said, said].concat(),
            ..conditions
        };
        let page = match self.api.list(&query) {
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
        self.api.list(&Query {
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
    pub fn listing(&self, entity: &Entity, args: &Args, conditions: Conditions, query: &Query, page: &Page) -> Answer {
        let records = self.records(entity, args, Depth::List, &page.rows);
        let listing = Listing {
            one: entity.one,
            many: entity.many,
            records,
            rows: page.rows.len(),
            skip: query.skip,
            take: query.take,
            total: page.total,
            said: conditions.said,
            notes: [conditions.notes, self.warnings()].concat(),
            zone: self.api.zone(),
            shrink: entity.shrink,
            text_chars: args.number(&param::TEXT_CHARS).map(|chars| chars as usize),
            budget: args.budget(self.settings.max_answer_bytes),
            before: 0,
        };
        Answer {
            text: listing.print(),
            first: page.rows.first().map(|row| first(entity, row)),
        }
    }

    fn count(&self, list: &List, args: &Args) -> Result<Answer, Error> {
        let conditions = self.conditions(list.filters, args)?;
        let query = Query {
            filters: conditions.filters,
            ..Query::new(list.entity.endpoint, 1).fields(&[list.entity.key])
        };
        let page = self.api.list(&query)?;
        let (total, note) = match page.total {
            Some(total) => (total, None),
            // A build that gives no total is counted record by record.
            None => {
                let whole = self.api.whole(&query)?;
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
        let said = if conditions.said.is_empty() {
            String::new()
        } else {
            format!(" ({})", conditions.said.join(" · "))
        };
        let mut text = format!("{}{said}", text::count(total, list.entity.one, list.entity.many));
        for note in conditions.notes.into_iter().chain(note).chain(self.warnings()) {
            text += &format!("\n\nNote: {note}");
        }
        Ok(Answer::text(text))
    }

    fn get(&self, entity: &Entity, args: &Args) -> Result<Answer, Error> {
        let given = args.required(&entity.get_param());
        let id = if entity.endpoint == "tickets" {
            args::ticket_id(given)
        } else {
            given.to_owned()
        };
        let record = self.find(entity, &id)?;
        let shown = self
            .records(entity, args, Depth::Detail, std::slice::from_ref(&record))
            .pop()
            .expect("one record");
        // Reads of what belongs to the record may have added to them.
        let notes = self.warnings();
        let text = answer::detail(
            entity.one,
            &shown,
            &notes,
            self.api.zone().as_deref(),
            args.budget(self.settings.max_answer_bytes),
        );
        Ok(Answer {
            text,
            first: Some(first(entity, &record)),
        })
    }

    /// One record by its id, or an error that names the tool that lists them.
    pub fn find(&self, entity: &Entity, id: &str) -> Result<Value, Error> {
        self.api
            .get(entity.endpoint, id, &entity.fields(Depth::Detail))
            .map_err(|error| not_found(entity, id, error))
    }

    /// What could not be read, and what Daktela remarked on its answers, as data.
    pub fn warnings(&self) -> Vec<String> {
        let remarks = self.api.warnings();
        let remarks = remarks
            .iter()
            .map(|warning| format!("Daktela remarks: {}", view::inline(warning, 300)));
        self.api.missing().into_iter().chain(remarks).collect()
    }

    /// Rows ready to print, with all that belongs to them. Where that takes requests of its own, it is read for a few
    /// records at a time, and no further than the answer has room: fewer records may come back than rows.
    pub fn records(&self, entity: &Entity, args: &Args, depth: Depth, rows: &[Value]) -> Vec<Record> {
        let Some(parts) = entity.parts else {
            return self.records_with(entity, args, depth, rows, Vec::new());
        };
        let room = args.budget(self.settings.max_answer_bytes).bytes;
        let mut records = Vec::new();
        let mut size = 0;
        for rows in rows.chunks(PARTS_AT_ONCE) {
            let new = self.records_with(entity, args, depth, rows, parts(self, entity, args, rows));
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
        depth: Depth,
        rows: &[Value],
        parts: Vec<Part>,
    ) -> Vec<Record> {
        let scheme = if entity.custom != Custom::No {
            self.scheme(entity, rows)
        } else {
            Scheme::new()
        };
        let view = View {
            settings: self.settings,
            scheme: &scheme,
            depth,
            full_mail: args.flag(&param::FULL_MAIL),
        };
        let mut parts = parts.into_iter();
        rows.iter()
            .map(|row| view.record(entity, row, parts.next().unwrap_or_default()))
            .collect()
    }

    /// The definitions of the custom fields that these rows use. A projected row comes without them, so they are read
    /// from as few records as show all the keys in use: one, in most cases.
    pub fn scheme(&self, entity: &Entity, rows: &[Value]) -> Scheme {
        let mut scheme: Scheme = rows.iter().flat_map(view::scheme).collect();
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
        let projected = self.api.list(&query);
        scheme.extend(projected.iter().flat_map(|page| &page.rows).flat_map(view::scheme));
        if scheme.len() == before {
            // Builds that drop the definitions from every projection show them on the whole record.
            let names: Vec<&str> = names.iter().take(WHOLE_RECORDS_MAX).map(String::as_str).collect();
            let whole = self.api.gets(entity.endpoint, &names, &[]);
            scheme.extend(whole.iter().flatten().flat_map(view::scheme));
        }
        if let Err(error) = projected
            && scheme.len() == before
        {
            self.api.incomplete(
                "Custom fields may lack their labels, and some that Daktela hides may show",
                &error,
            );
        }
        scheme
    }

    /// Filters from arguments. Names are resolved, all at once.
    pub fn conditions(&self, filters: &[On], args: &Args) -> Result<Conditions, Error> {
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

    fn condition(&self, on: &On, args: &Args, chosen: &[(&str, Chosen)], out: &mut Conditions) {
        let name = on.param.name;
        if let How::OnlyNull { field, said } = on.how {
            if !args.flag(&on.param) {
                out.filters.push(Filter::is_null(field));
                out.said.push(said.to_owned());
            }
            return;
        }
        if let How::YesNo(field) = on.how {
            if let Some(yes) = args.yes_no(&on.param) {
                out.filters.push(Filter::eq(field, if yes { "1" } else { "0" }));
                out.said.push(format!("{}{name}", if yes { "" } else { "not " }));
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
            How::Eq(field) => (Filter::eq(field, value), format!("{name} {shown}")),
            How::Contains(field) => (Filter::contains(field, &value), format!("{field} holds {shown:?}")),
            How::From(field) => (Filter::new(field, "gte", value), format!("{field} from {shown}")),
            How::Until(field) => (Filter::new(field, "lte", value), format!("{field} until {shown}")),
            How::With(filter) => (filter(self, &value), format!("{name} {shown}")),
            How::OnlyNull { .. } | How::YesNo(_) => return,
        };
        out.filters.push(filter);
        out.said.push(said);
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
                ("activities", _) | (_, false) => format!("Take the id from a list of {}.", entity.many),
                (_, true) => "This is an activity's id: get_activity shows what it holds.".to_owned(),
            };
            Error::NotFound(format!(
                "No {} {:?}, or this Daktela account may not see it. {from}",
                entity.one,
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
pub fn first(entity: &Entity, row: &Value) -> Value {
    let mut out = json!({"name": value::text_at(row, entity.key)});
    if let Some(activity) = value::text_at(row, "activities.name") {
        out["activity"] = activity.into();
    }
    out
}
