//! Accumulators: counts and the distribution of a measure for each group, in memory that grows with groups and distinct
//! values, not with records.

use std::collections::BTreeMap;

use crate::model::output::{FactValue, Spread, Summary};

/// The name by which a group is told from others; none for records that have none.
pub(super) type Key = Option<String>;

/// A group's name and what it is called.
pub(super) type Named = (String, FactValue);

/// Everything that is known of some records.
#[derive(Clone, Default)]
pub(super) struct Tally {
    pub(super) whole: Cell,
    pub(super) groups: BTreeMap<Key, Group>,
    /// How many records counted in more groups than one, each time that they did.
    pub(super) repeated: u64,
}

#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) value: Option<FactValue>,
    pub(super) cell: Cell,
    pub(super) inner: BTreeMap<Key, (Option<FactValue>, Cell)>,
}

/// A number of records, and how a measure is distributed over them.
#[derive(Clone, Default)]
pub(super) struct Cell {
    pub(super) count: u64,
    /// Distinct values in whole seconds, in order, and how often each occurs: quantiles are exact.
    values: Vec<(i64, u32)>,
}

impl Tally {
    /// Adds a record with its groups of each dimension and its measure.
    pub(super) fn add(&mut self, outer: Option<Vec<Named>>, inner: Option<Vec<Named>>, measured: Option<f64>) {
        self.whole.add(measured);
        let Some(outer) = outer else { return };
        self.repeated += outer.len().saturating_sub(1) as u64;
        let inner = inner.map(or_none);
        for (key, value) in or_none(outer) {
            let group = self.groups.entry(key).or_default();
            group.value = group.value.take().or(value);
            group.cell.add(measured);
            for (key, value) in inner.iter().flatten() {
                let (shown, cell) = group.inner.entry(key.clone()).or_default();
                if shown.is_none() {
                    shown.clone_from(value);
                }
                cell.add(measured);
            }
        }
        self.repeated += inner.map_or(0, |inner| inner.len().saturating_sub(1) as u64);
    }

    /// Adds records that were counted without being read.
    pub(super) fn add_counted(&mut self, group: Option<Named>, count: u64) {
        self.whole.count += count;
        if count == 0 {
            return;
        }
        let (key, value) = group.map_or((None, None), |(key, value)| (Some(key), Some(value)));
        let group = self.groups.entry(key).or_default();
        group.value = group.value.take().or(value);
        group.cell.count += count;
    }
}

/// The groups, or the one of records that have none.
fn or_none(groups: Vec<Named>) -> Vec<(Key, Option<FactValue>)> {
    if groups.is_empty() {
        return vec![(None, None)];
    }
    groups
        .into_iter()
        .map(|(key, value)| (Some(key), Some(value)))
        .collect()
}

impl Cell {
    fn add(&mut self, measured: Option<f64>) {
        self.count += 1;
        if let Some(value) = measured {
            self.add_value(value.round() as i64, 1);
        }
    }

    fn add_value(&mut self, value: i64, times: u32) {
        match self.values.binary_search_by_key(&value, |(known, _)| *known) {
            Ok(at) => self.values[at].1 += times,
            Err(at) => self.values.insert(at, (value, times)),
        }
    }

    pub(super) fn merge(&mut self, other: &Cell) {
        self.count += other.count;
        for (value, times) in &other.values {
            self.add_value(*value, *times);
        }
    }

    /// The same in figures; the spread where something was measured.
    pub(super) fn summary(&self) -> Summary {
        let with_value: u64 = self.values.iter().map(|(_, times)| u64::from(*times)).sum();
        let spread = (with_value > 0).then(|| {
            let sum: i64 = self.values.iter().map(|(value, times)| value * i64::from(*times)).sum();
            let at = |place: u64| {
                let mut passed = 0;
                let found = self.values.iter().find(|(_, times)| {
                    passed += u64::from(*times);
                    passed > place
                });
                found.map_or(0, |(value, _)| *value)
            };
            Spread {
                with_value,
                sum,
                average: sum as f64 / with_value as f64,
                // Of an even number the middle of the two in the middle.
                median: (at((with_value - 1) / 2) as f64 + at(with_value / 2) as f64) / 2.0,
                p90: at((with_value * 9).div_ceil(10) - 1),
                longest: at(with_value - 1),
            }
        });
        Summary {
            count: self.count,
            spread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(values: &[f64]) -> Summary {
        let mut cell = Cell::default();
        values.iter().for_each(|value| cell.add(Some(*value)));
        cell.summary()
    }

    #[test]
    fn quantiles_are_those_of_the_values_in_order() {
        let spread = cell(&[5.0, 1.0, 3.0]).spread.expect("values");
        assert_eq!((spread.median, spread.p90, spread.longest, spread.sum), (3.0, 5, 5, 9));
        let spread = cell(&[4.0, 1.0, 1.0, 2.0]).spread.expect("values");
        assert_eq!((spread.median, spread.p90, spread.average), (1.5, 4, 2.0));
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(cell(&ten).spread.expect("values").p90, 9);
        assert_eq!(cell(&[7.0]).spread.expect("values").p90, 7);
        assert!(cell(&[]).spread.is_none());
    }

    #[test]
    fn a_record_without_a_value_counts_and_is_not_measured() {
        let mut cell = Cell::default();
        cell.add(None);
        cell.add(Some(2.0));
        let summary = cell.summary();
        assert_eq!(summary.count, 2);
        assert_eq!(summary.spread.expect("a value").with_value, 1);
    }

    #[test]
    fn groups_of_records_add_up_unless_a_record_has_several() {
        let named = |name: &str| (name.to_owned(), FactValue::Word(name.to_owned()));
        let mut tally = Tally::default();
        tally.add(Some(vec![named("a")]), None, None);
        tally.add(Some(vec![named("a"), named("b")]), None, None);
        tally.add(Some(Vec::new()), None, None);
        let sum: u64 = tally.groups.values().map(|group| group.cell.count).sum();
        assert_eq!((tally.whole.count, tally.repeated, sum), (3, 1, 4));
        assert!(tally.groups.contains_key(&None));
    }
}
