//! Declarations of measures: numbers of seconds that records have, or that follow from their fields.

use serde_json::Value;

use super::filter::Clock;
use crate::value;

/// A number that records have, in seconds.
pub struct Measure {
    pub name: &'static str,
    pub label: &'static str,
    /// The fields that it is made of.
    pub picks: &'static [&'static str],
    pub read: Read,
}

/// How a measure is read; nothing where a record has none.
pub enum Read {
    /// The first of the picks.
    Field,
    Computed(fn(&Value, &Clock) -> Option<f64>),
}

impl Measure {
    pub fn of(&self, record: &Value, clock: &Clock) -> Option<f64> {
        match self.read {
            Read::Field => value::first(record, self.picks.first()?).and_then(value::number),
            Read::Computed(compute) => compute(record, clock),
        }
    }
}

/// A field that holds seconds.
pub const fn field(name: &'static str, label: &'static str, pick: &'static [&'static str]) -> Measure {
    Measure {
        name,
        label,
        picks: pick,
        read: Read::Field,
    }
}

pub const fn computed(
    name: &'static str,
    label: &'static str,
    picks: &'static [&'static str],
    compute: fn(&Value, &Clock) -> Option<f64>,
) -> Measure {
    Measure {
        name,
        label,
        picks,
        read: Read::Computed(compute),
    }
}

/// The names of measures, for a schema.
pub const fn names<const N: usize>(measures: &[Measure]) -> [&'static str; N] {
    let mut out = [""; N];
    let mut i = 0;
    while i < N {
        out[i] = measures[i].name;
        i += 1;
    }
    out
}
