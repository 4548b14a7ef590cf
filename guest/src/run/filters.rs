//! Filters: arguments of a call → conditions of the query, with names resolved to ids.

use super::resolve::{self, Chosen};
use crate::{
    daktela::{error::Error, query::Filter},
    model::{
        args::Args,
        context::Context,
        directory::Source,
        filter::{FilterOp, FilterParam},
        param::Kind,
    },
    render::markdown::{inline, quoted},
};

/// Filters, and what they are in words.
#[derive(Default)]
pub(crate) struct Conditions {
    pub filters: Vec<Filter>,
    pub applied_filters: Vec<String>,
    pub notes: Vec<String>,
}

/// Filters from arguments. Names are resolved, all at once.
pub(crate) fn conditions(context: &Context, filters: &[FilterParam], args: &Args) -> Result<Conditions, Error> {
    let wanted: Vec<(&str, &'static Source, &str)> = filters
        .iter()
        .filter_map(|on| match on.param.kind {
            Kind::Named(source) => args.text(&on.param).map(|given| (on.param.name, source, given)),
            _ => None,
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
    let Some(given) = args.text(&on.param) else {
        return Ok(());
    };
    let chosen = chosen
        .iter()
        .find(|(param, _)| *param == name)
        .map(|(_, chosen)| chosen);
    let value = chosen.map_or_else(|| given.to_owned(), |chosen| chosen.name.clone());
    let shown = chosen.map_or_else(|| inline(&value, SHOWN_CHARS), Chosen::shown);
    let (filter, said) = match on.how {
        FilterOp::Eq(field) => (Filter::eq(field, value), format!("{name} {shown}")),
        FilterOp::Contains(field) => (
            Filter::contains(field, &value),
            format!("{field} holds {}", quoted(&value)),
        ),
        FilterOp::From(field) => (Filter::new(field, "gte", value), format!("{field} from {shown}")),
        FilterOp::Until(field) => (Filter::new(field, "lte", value), format!("{field} until {shown}")),
        FilterOp::Custom(filter) => {
            let condition = filter(context, &value)?;
            out.notes.extend(condition.notes);
            (condition.filter, format!("{name} {shown}"))
        }
        FilterOp::OnlyNull { .. } | FilterOp::YesNo(_) => return Ok(()),
    };
    out.filters.push(filter);
    out.applied_filters.push(said);
    Ok(())
}

/// An argument may be 500 characters long, and the heading shows it whole.
const SHOWN_CHARS: usize = 500;
