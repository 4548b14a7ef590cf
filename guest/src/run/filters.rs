//! Filters: arguments of a call → conditions of the query, with names resolved to ids.

use serde_json::Value;

use super::resolve::{self, Chosen};
use crate::{
    daktela::{client::Page, error::Error, query::Filter},
    model::{
        args::Args,
        context::Context,
        directory::Source,
        entity::Entity,
        field::Detail,
        filter::{Clock, FilterOp, FilterParam, RowTest},
        param::{self, Kind},
    },
    render::markdown::{inline, quoted},
};

/// Filters, and what they are in words.
#[derive(Default)]
pub(crate) struct Conditions {
    pub filters: Vec<Filter>,
    pub applied_filters: Vec<String>,
    /// The order in words, said behind the filters.
    pub order: Vec<String>,
    pub notes: Vec<String>,
    /// What Daktela does not filter by, with the values that were given.
    pub tests: Vec<(&'static RowTest, Value)>,
}

impl Conditions {
    /// Whether a record passes what Daktela does not filter by.
    pub(crate) fn passes(&self, row: &Value, clock: &Clock) -> bool {
        self.tests.iter().all(|(test, given)| (test.passes)(row, given, clock))
    }

    /// An error where a test needs to know what time it is and the build does not say.
    pub(crate) fn check(&self, clock: &Clock) -> Result<(), Error> {
        if clock.now.is_none() && self.tests.iter().any(|(test, _)| test.needs_now) {
            return Err(Error::Upstream(
                "This Daktela does not say what time it is, so what depends on it cannot be told; use dates instead."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// The field that the dates of a list filter.
pub(crate) fn time_of(filters: &[FilterParam]) -> Option<&'static str> {
    filters.iter().find_map(|filter| match filter.how {
        FilterOp::From(field) if filter.param.name == param::DATE_FROM.name => Some(field),
        _ => None,
    })
}

impl Conditions {
    /// With the order of a list in words.
    pub(crate) fn ordered(mut self, said: Vec<String>) -> Self {
        self.order = said;
        self
    }

    /// Says that a list did not come in its order.
    pub(crate) fn unordered(&mut self) {
        let said = std::mem::take(&mut self.order).join(", ");
        self.notes.push(format!(
            "This Daktela sends nothing when it is asked for this list {said}: it is in an order of Daktela's own."
        ));
    }
}

/// Filters from arguments. Names are resolved, all at once.
pub(crate) fn conditions(context: &Context, filters: &[FilterParam], args: &Args) -> Result<Conditions, Error> {
    let wanted: Vec<(&str, &'static Source, &str)> = filters
        .iter()
        .filter_map(|on| match on.param.kind {
            Kind::Named(source) => Some((on.param, source)),
            _ => None,
        })
        .flat_map(|(param, source)| {
            args.texts(&param)
                .into_iter()
                .map(move |given| (param.name, source, given))
        })
        .collect();
    let chosen = resolve::resolve(
        context,
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
        condition(context, on, args, &chosen, &mut out)?;
    }
    Ok(out)
}

fn condition(
    context: &Context,
    on: &FilterParam,
    args: &Args,
    chosen: &[(&str, Chosen)],
    out: &mut Conditions,
) -> Result<(), Error> {
    let name = on.param.name;
    if let FilterOp::OnlyNull { field, said } = on.how {
        if !args.flag(&on.param) {
            out.filters.push(Filter::is_null(field));
            out.applied_filters.push(said.to_owned());
        }
        return Ok(());
    }
    if let FilterOp::YesNo(field) = on.how {
        if let Some(yes) = args.yes_no(&on.param) {
            out.filters.push(Filter::eq(field, if yes { "1" } else { "0" }));
            out.applied_filters
                .push(format!("{}{name}", if yes { "" } else { "not " }));
        }
        return Ok(());
    }
    if let FilterOp::When { condition, said } = on.how {
        if args.flag(&on.param) {
            out.filters.push(condition());
            out.applied_filters.push(said.to_owned());
        }
        return Ok(());
    }
    if let FilterOp::Computed(test) = on.how {
        if let Some(given) = args.value(&on.param).filter(|given| **given != Value::Bool(false)) {
            out.applied_filters.push((test.said)(given));
            for (filter, said) in (test.narrows)(args) {
                if !out.filters.contains(&filter) {
                    out.filters.push(filter);
                    out.applied_filters.push(said.to_owned());
                }
            }
            out.tests.push((test, given.clone()));
        }
        return Ok(());
    }
    let mut chosen = chosen
        .iter()
        .filter(|(param, _)| *param == name)
        .map(|(_, chosen)| chosen);
    let mut filters = Vec::new();
    let mut said: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for given in args.texts(&on.param) {
        let chosen = chosen.next();
        let value = chosen.map_or_else(|| given.to_owned(), |chosen| chosen.name.clone());
        let shown = chosen.map_or_else(|| inline(&value, SHOWN_CHARS), Chosen::shown);
        match on.how {
            FilterOp::Contains(field) => {
                filters.push(Filter::contains(field, &value));
                said.push(format!("{field} holds {}", quoted(&value)));
            }
            FilterOp::From(field) => {
                filters.push(Filter::new(field, "gte", value.as_str()));
                said.push(format!("{field} from {shown}"));
            }
            FilterOp::Until(field) => {
                filters.push(Filter::new(field, "lte", value.as_str()));
                said.push(format!("{field} until {shown}"));
            }
            FilterOp::Custom(filter) => {
                let condition = filter(context, &value)?;
                out.notes.extend(condition.notes);
                filters.push(condition.filter);
                said.push(if said.is_empty() {
                    format!("{name} {shown}")
                } else {
                    shown
                });
            }
            FilterOp::Eq(_)
            | FilterOp::OnlyNull { .. }
            | FilterOp::YesNo(_)
            | FilterOp::When { .. }
            | FilterOp::Computed(_) => {
                said.push(if said.is_empty() {
                    format!("{name} {shown}")
                } else {
                    shown
                });
            }
        }
        values.push(value);
    }
    if let FilterOp::Eq(field) = on.how
        && let Some(value) = values.pop()
    {
        filters.push(if values.is_empty() {
            Filter::eq(field, value)
        } else {
            values.push(value);
            Filter::one_of(field, values)
        });
    }
    if let Some(filter) = filters.pop() {
        out.filters.push(if filters.is_empty() {
            filter
        } else {
            filters.push(filter);
            Filter::Any(filters)
        });
        out.applied_filters.push(said.join(" or "));
    }
    Ok(())
}

/// Fields with those by which rows are compared with conditions, as far as the entity declares them.
pub(crate) fn with_evidence(entity: &Entity, mut fields: Vec<String>, filters: &[Filter]) -> Vec<String> {
    for field in filters.iter().flat_map(leaves) {
        let mut specs = entity.fields_at(Detail::Full);
        let evidence = if specs.any(|spec| spec.path == field && spec.is_relation()) {
            format!("{field}.name")
        } else if entity.projection(Detail::Full).iter().any(|known| known == field) {
            field.to_owned()
        } else {
            continue;
        };
        if !fields.contains(&evidence) {
            fields.push(evidence);
        }
    }
    fields
}

/// The fields of a condition.
fn leaves(filter: &Filter) -> Vec<&str> {
    match filter {
        Filter::Is { field, .. } => vec![field],
        Filter::Any(filters) | Filter::All(filters) => filters.iter().flat_map(leaves).collect(),
    }
}

/// An error where a build passes over a condition: what it counts then is not what was asked.
pub(crate) fn refuse_ignored(entity: &Entity, page: &Page) -> Result<(), Error> {
    if page.ignored.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "This Daktela does not filter {} by {}, so they cannot be counted under these conditions. Leave that condition out, or list them: lists leave out what does not fit.",
        entity.plural,
        page.ignored.join(", ")
    )))
}

/// What is to be said of rows that were left out, since the build ignores conditions.
pub(crate) fn ignored(page: &Page) -> Option<String> {
    (!page.ignored.is_empty()).then(|| {
        format!(
            "This Daktela does not filter by {}: {} of the {} records that it sent for this page do not fit and were left out here. How many match in all is not known.",
            page.ignored.join(", "),
            page.left_out,
            page.received()
        )
    })
}

/// An argument may be 500 characters long, and the heading shows it whole.
const SHOWN_CHARS: usize = 500;
