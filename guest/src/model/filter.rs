//! Declarations of filters: an argument of a list and the condition of the query that it becomes.

use serde_json::Value;

use super::{args::Args, context::Context, param::Param};
use crate::daktela::{error::Error, query::Filter};

/// An argument and what it does to the query.
pub struct FilterParam {
    pub param: Param,
    pub how: FilterOp,
}

pub enum FilterOp {
    Eq(&'static str),
    Contains(&'static str),
    From(&'static str),
    Until(&'static str),
    /// 1 or 0, as Daktela's own clients write booleans in filters.
    YesNo(&'static str),
    /// A flag that, while it is off, leaves out the records in which `field` is set; `said` tells so.
    OnlyNull {
        field: &'static str,
        said: &'static str,
    },
    /// A flag that, while it is on, asks for these conditions; `said` tells so.
    When {
        condition: fn() -> Filter,
        said: &'static str,
    },
    /// What Daktela does not filter by: tested here on each record.
    Computed(&'static RowTest),
    /// Several conditions for one value, and what is to be said of them.
    Custom(fn(&Context, &str) -> Result<Condition, Error>),
}

/// A filter that Daktela does not have: every record that matches the other conditions is read and tested.
pub struct RowTest {
    /// The fields that the test looks at.
    pub picks: &'static [&'static str],
    /// Conditions that every record which passes meets, so that fewer are read, and what they are in words.
    pub narrows: fn(&Args) -> Vec<(Filter, &'static str)>,
    /// Whether it depends on what time it is.
    pub needs_now: bool,
    /// Whether a record passes, for the value that was given.
    pub passes: fn(&Value, &Value, &Clock) -> bool,
    /// The condition in words.
    pub said: fn(&Value) -> String,
}

/// What time it is at the instance, as far as its build says.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// `YYYY-MM-DD HH:MM:SS`, local time of the zone.
    pub now: Option<String>,
    pub zone: Option<String>,
}

/// A condition, and notes for the answer on how it was made.
pub struct Condition {
    pub filter: Filter,
    pub notes: Vec<String>,
}

impl From<Filter> for Condition {
    fn from(filter: Filter) -> Self {
        Condition {
            filter,
            notes: Vec::new(),
        }
    }
}

pub const fn eq(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Eq(field),
    }
}

pub const fn contains(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Contains(field),
    }
}

pub const fn from(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::From(field),
    }
}

pub const fn until(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Until(field),
    }
}

pub const fn yes_no(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::YesNo(field),
    }
}

pub const fn only_null(param: &Param, field: &'static str, said: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::OnlyNull { field, said },
    }
}

pub const fn custom(param: &Param, filter: fn(&Context, &str) -> Result<Condition, Error>) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Custom(filter),
    }
}

pub const fn when(param: &Param, condition: fn() -> Filter, said: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::When { condition, said },
    }
}

pub const fn computed(param: &Param, test: &'static RowTest) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Computed(test),
    }
}
