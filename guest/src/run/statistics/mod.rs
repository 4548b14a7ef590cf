//! Interpreter of statistics tools: records counted in groups, by reading a projection of all of them or, where that takes
//! fewer requests, by counts.

mod grouping;
mod tally;

use std::{cmp::Ordering, collections::BTreeSet};

use self::{
    grouping::{Lookups, partition},
    tally::{Cell, Group, Key, Tally},
};
use super::{
    filters::{Conditions, conditions, refuse_ignored, time_of, with_evidence},
    records::warnings,
    scan::{Scanned, Scanner},
};
use crate::{
    daktela::{
        error::Error,
        query::{Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        filter::FilterOp,
        measure::Measure,
        output::{Content, FactValue, Figures, GroupOutput, Grouping, Output, RestOutput, StatisticsOutput, Summary},
        param,
        statistics::{Bucket, By, Dimension, Source, Statistics},
    },
    render::markdown,
    sort, text,
};

/// What groups take of an answer unless the caller says how many: 4 KB with its heading and its closing remarks.
const TABLE_BYTES: usize = 3_200;
/// What a row of the table takes, without its figures, and what a figure takes.
const ROW_BYTES: usize = 26;
const FIGURE_BYTES: usize = 9;
/// Second groupings with more groups are rows of their own, not columns.
const COLUMNS_MAX: usize = markdown::COLUMNS_MAX;

/// How many groups of a second grouping have a row of their own within each group.
const INNER_ROWS: usize = 10;

/// What a call asks for.
struct Plan {
    outer: Option<&'static Dimension>,
    inner: Option<&'static Dimension>,
    measure: Option<&'static Measure>,
    custom_field: Option<String>,
    order: Order,
    direction: Option<Direction>,
    min_count: u64,
    top: Option<usize>,
    /// The other period.
    compared: Option<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Count,
    Group,
    Change,
    Average,
    Median,
    P90,
    Longest,
    Sum,
}

const ORDERS: &[(&str, Order)] = &[
    ("count", Order::Count),
    ("group", Order::Group),
    ("change", Order::Change),
    ("average", Order::Average),
    ("median", Order::Median),
    ("p90", Order::P90),
    ("longest", Order::Longest),
    ("sum", Order::Sum),
];

/// How the figures were found.
#[derive(Default)]
struct Basis {
    counted: bool,
    is_whole: bool,
    said: Vec<String>,
}

pub(super) fn statistics(context: &Context, of: &'static Statistics, args: &Args) -> Result<Output, Error> {
    let mut notes = Vec::new();
    let plan = plan(of, args, &mut notes)?;
    let conditions = conditions(context, of.filters, args)?;
    let mut lookups = Lookups::default();
    for dimension in plan.dimensions() {
        lookups.before(context, dimension)?;
    }
    let mut scanner = Scanner::new(context);
    let mut basis = Basis {
        is_whole: true,
        ..Basis::default()
    };
    let mut tallies = vec![Tally::default()];
    tallies.extend(plan.compared.as_ref().map(|_| Tally::default()));
    let mut applied_filters = conditions.applied_filters.clone();
    let sources = sources(of, args, &mut applied_filters, &mut notes)?;
    for (tally, period) in tallies.iter_mut().zip([None, plan.compared.as_ref()]) {
        for source in &sources {
            read(
                context,
                &mut scanner,
                &plan,
                source,
                &conditions,
                period,
                args,
                &mut lookups,
                tally,
                &mut basis,
            )?;
        }
    }
    if !basis.counted {
        basis.said.push(format!(
            "Read: {} in {}.",
            text::count(scanner.rows, of.singular, of.plural),
            text::count(scanner.requests, "request", "requests")
        ));
    } else {
        basis.said.push(format!(
            "Counted by {}, without reading the records.",
            text::count(scanner.requests, "request", "requests")
        ));
    }
    let compared_with = plan.compared.as_ref().map(|(from, to)| format!("{from} until {to}"));
    let Layout {
        dimensions,
        whole,
        groups,
        rest,
        group_count,
    } = lay_out(&plan, &lookups, &tallies);
    Ok(Output {
        content: Content::Statistics(Box::new(StatisticsOutput {
            singular: of.singular,
            plural: of.plural,
            dimensions,
            measure: plan.measure.map(|measure| measure.label),
            whole,
            groups,
            rest,
            group_count,
            repeated: tallies[0].repeated,
            compared_with,
            applied_filters,
            notes: [notes, conditions.notes, warnings(context)].concat(),
            basis: basis.said,
            is_whole: basis.is_whole,
            zone: context.client.zone(),
            budget: args.budget(context.settings.max_answer_bytes),
        })),
        first_record: None,
    })
}

impl Plan {
    fn dimensions(&self) -> impl Iterator<Item = &'static Dimension> {
        self.outer.into_iter().chain(self.inner)
    }

    /// The fields that are read of a source's records.
    fn fields(&self, source: &Source, conditions: &Conditions, time: &str) -> Vec<String> {
        let tests = conditions.tests.iter().flat_map(|(test, _)| test.picks);
        let measured = self.measure.iter().flat_map(|measure| measure.picks);
        let picks = tests.chain(measured).map(|pick| (*pick).to_owned());
        let mut fields: Vec<String> = Vec::new();
        // The definitions of custom fields are read by the ids of records.
        fields.extend(self.custom_field.as_ref().map(|_| source.list.entity.key.to_owned()));
        // The time says how far a scan came that had to end.
        let all = std::iter::once(time.to_owned())
            .chain(self.dimensions().flat_map(|dimension| dimension.picks(time)))
            .chain(picks);
        for field in all {
            let root = field.split('.').next().unwrap_or(&field);
            if !source.lacks.contains(&root) && !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    fn is_only_count(&self, conditions: &Conditions) -> bool {
        self.outer.is_none() && self.measure.is_none() && conditions.tests.is_empty()
    }
}

/// Checks what belongs together.
fn plan(of: &'static Statistics, args: &Args, notes: &mut Vec<String>) -> Result<Plan, Error> {
    let wrong = |text: String| Err(Error::Argument(text));
    let find = |name: &str| of.dimensions.iter().find(|dimension| dimension.name == name);
    let mut outer = args.text(&param::group_by(of.group_by)).and_then(find);
    let mut inner = args.text(&param::then_by(of.group_by)).and_then(find);
    let custom_field = args.text(&param::CUSTOM_FIELD).map(str::to_owned);
    if custom_field.is_some()
        && ![outer, inner]
            .iter()
            .flatten()
            .any(|of| matches!(of.by, By::CustomField))
    {
        let custom = find("custom_field");
        match (outer, inner) {
            (None, _) => outer = custom,
            (Some(_), None) => inner = custom,
            (Some(_), Some(_)) => {
                return wrong(
                    "custom_field is a third grouping; there are two at most: leave out then_by, or set it to custom_field."
                        .to_owned(),
                );
            }
        }
        notes.push("Grouped by the custom field, since one was named.".to_owned());
    }
    if outer.is_none() {
        outer = inner.take();
    }
    if let (Some(a), Some(b)) = (outer, inner)
        && a.name == b.name
    {
        return wrong(format!(
            "group_by and then_by are both {}; take two that differ.",
            a.name
        ));
    }
    let dimensions = || outer.into_iter().chain(inner);
    if custom_field.is_none() && dimensions().any(|of| matches!(of.by, By::CustomField)) {
        return wrong(
            "Grouping by custom_field needs the argument custom_field: the label or the key of one.".to_owned(),
        );
    }
    let measure = args
        .text(&param::of(of.of))
        .and_then(|name| of.measures.iter().find(|measure| measure.name == name));
    let compared = match (args.text(&param::COMPARE_FROM), args.text(&param::COMPARE_TO)) {
        (Some(from), Some(to)) if from <= to => Some((from.to_owned(), to.to_owned())),
        (Some(from), Some(to)) => {
            return wrong(format!("compare_from ({from}) is after compare_to ({to}); swap them."));
        }
        (None, None) => None,
        _ => return wrong("A comparison needs both compare_from and compare_to.".to_owned()),
    };
    let never_equal = |of: &&Dimension| matches!(of.by, By::Time(Bucket::Day | Bucket::Week | Bucket::Month));
    if compared.is_some()
        && let Some(dimension) = dimensions().find(never_equal)
    {
        return wrong(format!(
            "Two periods have no {0} in common, so grouping by {0} cannot be compared; group by weekday or hour, by anything else, or not at all.",
            dimension.name
        ));
    }
    let order = args
        .text(&of.order_by())
        .and_then(|name| ORDERS.iter().find(|(known, _)| *known == name))
        .map(|(_, order)| *order);
    match order {
        Some(Order::Change) if compared.is_none() => {
            return wrong("order_by=change needs compare_from and compare_to.".to_owned());
        }
        Some(Order::Average | Order::Median | Order::P90 | Order::Longest | Order::Sum) if measure.is_none() => {
            return wrong(format!(
                "This order needs a measure: give of, one of {}.",
                of.of.join(", ")
            ));
        }
        _ => {}
    }
    let is_time = outer.is_some_and(Dimension::is_time);
    Ok(Plan {
        outer,
        inner,
        measure,
        custom_field,
        order: order.unwrap_or(if is_time { Order::Group } else { Order::Count }),
        direction: args.text(&param::SORT_DIR).map(|direction| match direction {
            "asc" => Direction::Ascending,
            _ => Direction::Descending,
        }),
        min_count: args.number(&param::MIN_COUNT).unwrap_or(0),
        top: args.number(&param::TOP).map(|top| top as usize),
        compared,
    })
}

/// The lists that are counted: one channel, or all that have what is filtered by.
fn sources(
    of: &'static Statistics,
    args: &Args,
    applied_filters: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<Vec<&'static Source>, Error> {
    let wanted = of.channel.as_ref().and_then(|channel| args.text(channel));
    if let Some(wanted) = wanted {
        applied_filters.insert(0, format!("channel {wanted}"));
    }
    let asked: Vec<&Source> = of
        .sources
        .iter()
        .filter(|source| wanted.is_none_or(|wanted| wanted == source.channel))
        .collect();
    let lacks = |source: &&&Source| {
        of.filters.iter().any(|filter| {
            let FilterOp::Eq(field) = filter.how else { return false };
            source.lacks.contains(&field) && args.value(&filter.param).is_some()
        })
    };
    let without: Vec<&str> = asked
        .iter()
        .filter(lacks)
        .map(|source| source.list.entity.plural)
        .collect();
    if without.len() == asked.len() {
        return Err(Error::Argument(format!(
            "{} have nothing of what is filtered by; leave out direction.",
            without.join(", ")
        )));
    }
    if !without.is_empty() {
        notes.push(format!("Without {}, which have no direction.", without.join(", ")));
    }
    Ok(asked.into_iter().filter(|source| !lacks(&source)).collect())
}

/// Adds the records of one source and one period.
#[expect(clippy::too_many_arguments, reason = "what a call has, each once")]
fn read(
    context: &Context,
    scanner: &mut Scanner,
    plan: &Plan,
    source: &'static Source,
    conditions: &Conditions,
    period: Option<&(String, String)>,
    args: &Args,
    lookups: &mut Lookups,
    tally: &mut Tally,
    basis: &mut Basis,
) -> Result<(), Error> {
    let entity = source.list.entity;
    let time = time_of(source.list.filters).unwrap_or(entity.key);
    let (mut from, mut to) = (args.text(&param::DATE_FROM), args.text(&param::DATE_TO));
    let mut filters = conditions.filters.clone();
    if let Some((other_from, other_to)) = period {
        filters.retain(|filter| !bounds(filter, time));
        filters.push(Filter::new(time, "gte", other_from.clone()));
        filters.push(Filter::new(time, "lte", other_to.clone()));
        (from, to) = (Some(other_from.as_str()), Some(other_to.as_str()));
    }
    let query = Query {
        sort: vec![
            (time.to_owned(), Direction::Ascending),
            (entity.key.to_owned(), Direction::Ascending),
        ],
        fields: with_evidence(entity, plan.fields(source, conditions, time), &filters),
        filters,
        ..Query::new(entity.endpoint, 0)
    };
    let count = |filter: Option<&Filter>| Query {
        sort: Vec::new(),
        take: 1,
        fields: vec![entity.key.to_owned()],
        filters: query.filters.iter().chain(filter).cloned().collect(),
        ..query.clone()
    };
    if plan.is_only_count(conditions)
        && let Some([total]) = scanner.counts(&[count(None)]).as_deref()
    {
        tally.add_counted(None, *total);
        tally.groups.clear();
        basis.counted = true;
        return Ok(());
    }
    let first = scanner.first(&query)?;
    refuse_ignored(entity, &first.page)?;
    if let Some(wanted) = &plan.custom_field {
        lookups.custom_field(context, entity, &first.page.rows, wanted)?;
    }
    let clock = scanner.clock();
    conditions.check(&clock)?;
    if let (Some(dimension), None, None, true, Some(total)) = (
        plan.outer,
        plan.inner,
        plan.measure,
        conditions.tests.is_empty(),
        first.page.total,
    ) {
        // Pages that are left to read; few of them are cheaper than a look into a directory.
        let pages = total.div_ceil(TAKE_MAX);
        if pages > COUNTS_FROM_PAGES
            && let Some(groups) = partition(context, dimension, time, from, to)
            && (groups.len() as u64) < pages.min(scanner.requests_left())
        {
            let queries: Vec<Query> = groups.iter().map(|(_, filter)| count(Some(filter))).collect();
            if let Some(counts) = scanner.counts(&queries) {
                let known: u64 = counts.iter().sum();
                if known <= total {
                    for ((group, _), count) in groups.into_iter().zip(counts) {
                        tally.add_counted(Some(group), count);
                    }
                    tally.add_counted(None, total - known);
                    basis.counted = true;
                    return Ok(());
                }
            }
        }
    }
    let scanned = scanner.rest(first, Some(time), &mut |_, row| {
        if !conditions.passes(row, &clock) {
            return;
        }
        let groups =
            |dimension: Option<&Dimension>| dimension.map(|dimension| lookups.groups(dimension, source, time, row));
        let measured = plan.measure.and_then(|measure| measure.of(row, &clock));
        tally.add(groups(plan.outer), groups(plan.inner), measured);
    })?;
    say(scanner, &scanned, source, basis);
    Ok(())
}

/// From how many pages on counts are considered.
const COUNTS_FROM_PAGES: u64 = 4;

fn say(scanner: &Scanner, scanned: &Scanned, source: &Source, basis: &mut Basis) {
    if let Some(left_out) = scanner.left_out(scanned, source.list.entity.plural, true) {
        basis.is_whole = false;
        basis.said.push(left_out);
    }
    basis.said.extend(Scanner::changed(scanned));
}

/// Whether a condition bounds the time.
fn bounds(filter: &Filter, time: &str) -> bool {
    matches!(filter, Filter::Is { field, operator: "gte" | "lte", .. } if field == time)
}

/// A group in both periods.
struct Pair<'a> {
    key: Key,
    /// By which it is ordered: a time by itself, anything else by what is shown.
    name: String,
    value: Option<FactValue>,
    now: &'a Cell,
    before: Option<&'a Cell>,
    figures: Figures,
}

/// What was counted, as it is shown.
struct Layout {
    dimensions: Vec<Grouping>,
    whole: Figures,
    groups: Vec<GroupOutput>,
    rest: Vec<RestOutput>,
    group_count: usize,
}

/// The groups in their order, those that show and what the others hold.
fn lay_out(plan: &Plan, lookups: &Lookups, tallies: &[Tally]) -> Layout {
    let (now, before) = (&tallies[0], tallies.get(1));
    let nothing = Group::default();
    let mut keys: BTreeSet<&Key> = BTreeSet::new();
    keys.extend(tallies.iter().flat_map(|tally| tally.groups.keys()));
    let groups: Vec<(&Group, Option<&Group>, &Key)> = keys
        .into_iter()
        .map(|key| {
            (
                now.groups.get(key).unwrap_or(&nothing),
                before.map(|before| before.groups.get(key).unwrap_or(&nothing)),
                key,
            )
        })
        .collect();
    let mut pairs: Vec<Pair> = groups
        .iter()
        .map(|(group, before, key)| {
            let value = group
                .value
                .as_ref()
                .or_else(|| before.and_then(|before| before.value.as_ref()));
            Pair::new(plan.outer, key, value, &group.cell, before.map(|before| &before.cell))
        })
        .collect();
    plan.sort(&mut pairs, plan.order, plan.direction);
    let columns = plan.columns();
    let inner_most = groups.iter().map(|(group, ..)| group.inner.len()).max().unwrap_or(0);
    let figures_of_row = match (plan.inner, plan.measure, &plan.compared) {
        (Some(_), None, None) if inner_most <= COLUMNS_MAX => inner_most + 1,
        _ => columns,
    };
    // A group of a second grouping that is no column has a row for each of its groups.
    let rows_of_group = match plan.inner {
        Some(_) if figures_of_row == columns => inner_most.clamp(1, INNER_ROWS),
        _ => 1,
    };
    let shows_ids = matches!(plan.outer.map(|of| &of.by), Some(By::Related { shows_ids: true, .. }));
    let mut room = TABLE_BYTES;
    let fitting = pairs.iter().take_while(|pair| {
        let label = if shows_ids { pair.name.len() } else { ROW_BYTES };
        let inner = if plan.inner.is_some() && rows_of_group > 1 {
            ROW_BYTES
        } else {
            0
        };
        let bytes = rows_of_group * (label + inner + figures_of_row * FIGURE_BYTES);
        room = room.saturating_sub(bytes);
        room > 0
    });
    let rows = fitting.count().max(3);
    let group_count = pairs.len();
    let (shown, rest) = plan.select(pairs, plan.min_count, plan.top.unwrap_or(rows));
    let by_key = |key: &Key| groups.iter().find(|(_, _, known)| *known == key);
    let shown = shown
        .into_iter()
        .map(|pair| {
            let (inner, rest) = match (plan.inner, by_key(&pair.key)) {
                (Some(dimension), Some((group, before, _))) => plan.inner_groups(dimension, group, *before, inner_most),
                _ => (Vec::new(), Vec::new()),
            };
            GroupOutput {
                value: pair.value,
                figures: pair.figures,
                inner,
                rest,
            }
        })
        .collect();
    let grouping = |dimension: &'static Dimension| Grouping {
        name: dimension.name,
        label: match dimension.by {
            By::CustomField => lookups
                .custom_label()
                .map_or_else(|| dimension.label.to_owned(), |label| markdown::inline(label, 100)),
            _ => dimension.label.to_owned(),
        },
        shows_ids: matches!(dimension.by, By::Related { shows_ids: true, .. }),
        is_time: dimension.is_time(),
    };
    Layout {
        dimensions: plan.dimensions().map(grouping).collect(),
        whole: figures(&now.whole, before.map(|before| &before.whole)),
        groups: shown,
        rest,
        group_count,
    }
}

fn figures(now: &Cell, before: Option<&Cell>) -> Figures {
    Figures {
        now: now.summary(),
        before: before.map(Cell::summary),
    }
}

impl<'a> Pair<'a> {
    fn new(
        of: Option<&Dimension>,
        key: &Key,
        value: Option<&FactValue>,
        now: &'a Cell,
        before: Option<&'a Cell>,
    ) -> Self {
        let is_time = of.is_some_and(Dimension::is_time);
        Pair {
            key: key.clone(),
            name: match value {
                Some(value) if !is_time => text::fold(&markdown::value(value)),
                _ => key.clone().unwrap_or_default(),
            },
            value: value.cloned(),
            figures: figures(now, before),
            now,
            before,
        }
    }
}

impl Plan {
    /// How many figures a row has.
    fn columns(&self) -> usize {
        2 + if self.measure.is_some() { 5 } else { 0 } + if self.compared.is_some() { 2 } else { 0 }
    }

    /// Brings groups into their order.
    fn sort(&self, pairs: &mut Vec<Pair>, order: Order, direction: Option<Direction>) {
        let spread = |summary: &Summary| {
            let spread = summary.spread.as_ref()?;
            Some(match order {
                Order::Average => spread.average,
                Order::Median => spread.median,
                Order::P90 => spread.p90 as f64,
                Order::Longest => spread.longest as f64,
                _ => spread.sum as f64,
            })
        };
        let size = |pair: &Pair| match order {
            Order::Count => Some(pair.figures.now.count as f64),
            Order::Change => {
                Some(pair.figures.now.count as f64 - pair.figures.before.as_ref().map_or(0.0, |s| s.count as f64))
            }
            Order::Group => None,
            _ => spread(&pair.figures.now),
        };
        let by_name = |a: &Pair, b: &Pair| a.key.is_none().cmp(&b.key.is_none()).then_with(|| a.name.cmp(&b.name));
        let by_size = |a: &Pair, b: &Pair| match (size(a), size(b)) {
            // What has no value stands last in both directions.
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if direction == Some(Direction::Ascending) => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
        };
        let is_reversed = order == Order::Group && direction == Some(Direction::Descending);
        sort::sort_by(pairs, |a, b| match (order, is_reversed) {
            (Order::Group, true) => by_name(b, a),
            (Order::Group, false) => by_name(a, b),
            _ => by_size(a, b).then_with(|| by_name(a, b)),
        });
    }

    /// Those that show, and what the others hold.
    fn select<'a>(&self, pairs: Vec<Pair<'a>>, min_count: u64, top: usize) -> (Vec<Pair<'a>>, Vec<RestOutput>) {
        let is_small = |pair: &Pair| {
            let before = pair.figures.before.as_ref().map_or(0, |before| before.count);
            pair.figures.now.count.max(before) < min_count
        };
        let (small, mut large): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(is_small);
        // A single group is as good as a row of others.
        let others = if large.len() > top.saturating_add(1) || (self.top.is_some() && large.len() > top) {
            large.split_off(top)
        } else {
            Vec::new()
        };
        let rest = |pairs: Vec<Pair>, fewer_than| {
            let mut now = Cell::default();
            let mut before = self.compared.as_ref().map(|_| Cell::default());
            for pair in &pairs {
                now.merge(pair.now);
                if let (Some(before), Some(more)) = (&mut before, pair.before) {
                    before.merge(more);
                }
            }
            (!pairs.is_empty()).then(|| RestOutput {
                groups: pairs.len(),
                fewer_than,
                figures: figures(&now, before.as_ref()),
            })
        };
        let rests = [rest(others, None), rest(small, Some(min_count))];
        (large, rests.into_iter().flatten().collect())
    }

    fn inner_groups(
        &self,
        dimension: &'static Dimension,
        group: &Group,
        before: Option<&Group>,
        inner_most: usize,
    ) -> (Vec<GroupOutput>, Vec<RestOutput>) {
        let nothing = (None, Cell::default());
        let mut keys: BTreeSet<&Key> = BTreeSet::new();
        keys.extend(group.inner.keys());
        keys.extend(before.iter().flat_map(|before| before.inner.keys()));
        let mut pairs: Vec<Pair> = keys
            .into_iter()
            .map(|key| {
                let (value, cell) = group.inner.get(key).unwrap_or(&nothing);
                let before = before.map(|before| before.inner.get(key).unwrap_or(&nothing));
                let shown = value.as_ref().or_else(|| before.and_then(|(value, _)| value.as_ref()));
                Pair::new(Some(dimension), key, shown, cell, before.map(|(_, cell)| cell))
            })
            .collect();
        let order = if dimension.is_time() { Order::Group } else { self.order };
        let order = if order == Order::Group && !dimension.is_time() {
            Order::Count
        } else {
            order
        };
        self.sort(&mut pairs, order, None);
        let top = match self.top {
            Some(top) => top,
            None if inner_most <= COLUMNS_MAX => COLUMNS_MAX,
            None => INNER_ROWS,
        };
        let (shown, rest) = self.select(pairs, 0, top);
        let shown = shown.into_iter().map(|pair| GroupOutput {
            value: pair.value,
            figures: pair.figures,
            inner: Vec::new(),
            rest: Vec::new(),
        });
        (shown.collect(), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_the_time_are_told_from_others() {
        assert!(bounds(
            &Filter::new("call_time", "gte", "2026-11-01 00:00:00"),
            "call_time"
        ));
        assert!(!bounds(
            &Filter::new("call_time", "eq", "2026-11-01 00:00:00"),
            "call_time"
        ));
        assert!(!bounds(
            &Filter::new("created", "lte", "2026-11-01 00:00:00"),
            "call_time"
        ));
    }
}
