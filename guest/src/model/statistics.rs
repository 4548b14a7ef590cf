//! Declarations of statistics: how the records of a list group, and what of them is measured.

use serde_json::Value;

use super::{
    directory::{self, Source as Directory},
    filter::FilterParam,
    list::List,
    measure::Measure,
    output::FactValue,
    param::{self, Param},
};

/// Statistics over one list, or over several lists of one kind of record.
pub struct Statistics {
    pub singular: &'static str,
    pub plural: &'static str,
    pub sources: &'static [Source],
    pub filters: &'static [FilterParam],
    /// Which of the sources, by their name; where there are several.
    pub channel: Option<Param>,
    pub dimensions: &'static [Dimension],
    /// Their names; see [`names`].
    pub group_by: &'static [&'static str],
    pub measures: &'static [Measure],
    pub of: &'static [&'static str],
}

/// A list whose records are counted.
pub struct Source {
    /// Its name where there are several.
    pub channel: &'static str,
    pub list: &'static List,
    /// Fields that the others have and this one has not.
    pub lacks: &'static [&'static str],
}

/// A way to group records.
pub struct Dimension {
    pub name: &'static str,
    pub label: &'static str,
    pub by: By,
}

/// What a record's group is. A record without it is in the group "none", and one with several counts in each.
pub enum By {
    /// When it was, by the field that the dates of the list filter.
    Time(Bucket),
    /// Related records at this path.
    Related {
        path: &'static str,
        /// Titles are not unique, so that ids show.
        shows_ids: bool,
        /// Where all of them are listed; a record has at most one of them.
        directory: Option<&'static Directory>,
    },
    /// The groups of users that the agent at this path belongs to.
    GroupOfAgent(&'static str),
    /// A word of Daktela's own; all words that there are, where that is known, and what they mean.
    Word {
        path: &'static str,
        words: &'static [&'static str],
        meanings: &'static [(&'static str, &'static str)],
    },
    YesNo(&'static str),
    /// Whatever a function makes of these fields.
    Computed(&'static [&'static str], fn(&Value) -> Option<FactValue>),
    /// Of which source it is.
    Channel,
    /// The custom field that the argument `custom_field` names.
    CustomField,
}

/// A part of a time, in the zone of the instance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    HourOfDay,
    Day,
    Weekday,
    Week,
    Month,
}

/// The names of dimensions, for a schema.
pub const fn names<const N: usize>(dimensions: &[Dimension]) -> [&'static str; N] {
    let mut out = [""; N];
    let mut i = 0;
    while i < N {
        out[i] = dimensions[i].name;
        i += 1;
    }
    out
}

const fn time(name: &'static str, label: &'static str, bucket: Bucket) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Time(bucket),
    }
}

pub const HOUR: Dimension = time("hour", "Hour", Bucket::HourOfDay);
pub const DAY: Dimension = time("day", "Day", Bucket::Day);
pub const WEEKDAY: Dimension = time("weekday", "Weekday", Bucket::Weekday);
pub const WEEK: Dimension = time("week", "Week", Bucket::Week);
pub const MONTH: Dimension = time("month", "Month", Bucket::Month);

const fn listed(
    name: &'static str,
    label: &'static str,
    path: &'static str,
    directory: &'static Directory,
) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Related {
            path,
            shows_ids: false,
            directory: Some(directory),
        },
    }
}

pub const fn agent(path: &'static str) -> Dimension {
    listed("agent", "Agent", path, &directory::USERS)
}

pub const fn agent_group(path: &'static str) -> Dimension {
    Dimension {
        name: "agent_group",
        label: "Group of agents",
        by: By::GroupOfAgent(path),
    }
}

pub const fn queue(path: &'static str) -> Dimension {
    listed("queue", "Queue", path, &directory::QUEUES)
}

pub const fn category(path: &'static str) -> Dimension {
    listed("category", "Category", path, &directory::CATEGORIES)
}

/// Related records without a short list of them.
pub const fn related(name: &'static str, label: &'static str, path: &'static str) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Related {
            path,
            shows_ids: false,
            directory: None,
        },
    }
}

/// The same, shown with their ids.
const fn people(name: &'static str, label: &'static str, path: &'static str) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Related {
            path,
            shows_ids: true,
            directory: None,
        },
    }
}

pub const CONTACT: Dimension = people("contact", "Contact", "contact");
pub const CONTACT_S_ACCOUNT: Dimension = people("account", "Account", "contact.account");
pub const ACCOUNT: Dimension = people("account", "Account", "account");

pub const fn word(
    name: &'static str,
    label: &'static str,
    path: &'static str,
    words: &'static [&'static str],
) -> Dimension {
    coded(name, label, path, words, &[])
}

pub const fn coded(
    name: &'static str,
    label: &'static str,
    path: &'static str,
    words: &'static [&'static str],
    meanings: &'static [(&'static str, &'static str)],
) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Word { path, words, meanings },
    }
}

pub const fn yes_no(name: &'static str, label: &'static str, path: &'static str) -> Dimension {
    Dimension {
        name,
        label,
        by: By::YesNo(path),
    }
}

pub const fn computed(
    name: &'static str,
    label: &'static str,
    picks: &'static [&'static str],
    compute: fn(&Value) -> Option<FactValue>,
) -> Dimension {
    Dimension {
        name,
        label,
        by: By::Computed(picks, compute),
    }
}

pub const CHANNEL: Dimension = Dimension {
    name: "channel",
    label: "Channel",
    by: By::Channel,
};

pub const CUSTOM_FIELD: Dimension = Dimension {
    name: "custom_field",
    label: "Custom field",
    by: By::CustomField,
};

impl Dimension {
    /// The fields that it needs, on a source that lacks some; `time` is the one that the dates filter.
    pub fn picks(&self, time: &str) -> Vec<String> {
        match self.by {
            By::Time(_) => vec![time.to_owned()],
            By::Related { path, .. } => vec![format!("{path}.name"), format!("{path}.title")],
            By::GroupOfAgent(path) => vec![format!("{path}.name")],
            By::Word { path, .. } | By::YesNo(path) => vec![path.to_owned()],
            By::Computed(picks, _) => picks.iter().map(|pick| (*pick).to_owned()).collect(),
            By::Channel => Vec::new(),
            By::CustomField => vec!["customFields".to_owned()],
        }
    }

    pub fn is_time(&self) -> bool {
        matches!(self.by, By::Time(_))
    }
}

impl Statistics {
    pub fn params(&self) -> Vec<Param> {
        let mut params: Vec<Param> = self.filters.iter().map(|filter| filter.param).collect();
        params.extend(self.channel);
        params.extend([param::group_by(self.group_by), param::then_by(self.group_by)]);
        if self.group_by.contains(&CUSTOM_FIELD.name) {
            params.push(param::CUSTOM_FIELD);
        }
        if !self.of.is_empty() {
            params.push(param::of(self.of));
        }
        params.extend([
            param::MIN_COUNT,
            self.order_by(),
            param::SORT_DIR,
            param::TOP,
            param::COMPARE_FROM,
            param::COMPARE_TO,
            param::MAX_BYTES,
        ]);
        params
    }

    /// The argument that says the order of the groups.
    pub fn order_by(&self) -> Param {
        param::order_by(if self.of.is_empty() {
            &param::ORDERS[..3]
        } else {
            param::ORDERS
        })
    }
}
