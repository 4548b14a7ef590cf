//! Channels: which model holds what an activity of a type stands for.

/// A channel of communication.
#[derive(Debug, PartialEq, Eq)]
pub struct Channel {
    /// The `type` of its activities.
    pub kind: &'static str,
    /// The model of its records.
    pub endpoint: &'static str,
    /// The field that names a record.
    pub(crate) key: &'static str,
    /// The field that says when it began.
    pub(crate) time: &'static str,
}

const fn of(kind: &'static str, endpoint: &'static str) -> Channel {
    Channel {
        kind,
        endpoint,
        key: "name",
        time: "time",
    }
}

const CHANNELS: &[Channel] = &[
    Channel {
        key: "id_call",
        time: "call_time",
        ..of("CALL", "activitiesCall")
    },
    of("EMAIL", "activitiesEmail"),
    of("CHAT", "activitiesWeb"),
    of("SMS", "activitiesSms"),
    of("FBM", "activitiesFbm"),
    of("IGDM", "activitiesIgdm"),
    of("WAP", "activitiesWap"),
    of("VBR", "activitiesVbr"),
];

/// The channel of an activity's type; none for comments and activities of one's own, whose text is their own.
pub fn of_kind(kind: &str) -> Option<&'static Channel> {
    CHANNELS.iter().find(|channel| channel.kind == kind)
}

/// The channel whose records a model holds.
pub(crate) fn of_model(endpoint: &str) -> Option<&'static Channel> {
    CHANNELS.iter().find(|channel| channel.endpoint == endpoint)
}
