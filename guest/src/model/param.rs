//! Parameters of tools: each argument is declared once and means the same in every tool.

use crate::{
    date::Bound,
    model::directory::{self, Source},
};

/// An argument of a tool.
#[derive(Clone, Copy)]
pub struct Param {
    pub name: &'static str,
    pub kind: Kind,
    pub description: &'static str,
    pub required: bool,
    /// Several values are taken, too; of a filter a record matches that has one of them.
    pub many: bool,
}

impl Param {
    /// The same argument where several values make sense. Texts and choices are also split at commas.
    pub const fn many(self) -> Self {
        Param { many: true, ..self }
    }

    /// The same argument where a tool or a prompt cannot do without it.
    pub const fn required(self) -> Self {
        Param { required: true, ..self }
    }
}

#[derive(Clone, Copy)]
pub enum Kind {
    Text,
    /// The id of a record.
    Id,
    /// The number of a ticket, also as people write it: `#787979`, `TK00787979`.
    TicketNumber,
    OneOf(&'static [&'static str]),
    Flag {
        default: bool,
    },
    /// Whether something holds; no filter where it is absent.
    YesNo,
    Number {
        default: Option<u64>,
        min: u64,
        max: u64,
    },
    Date(Bound),
    /// A record that people know by title: resolved to its id before the query.
    Named(&'static Source),
}

const fn text(name: &'static str, description: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Text,
        description,
        required: false,
        many: false,
    }
}

const fn id(name: &'static str, description: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Id,
        description,
        required: false,
        many: false,
    }
}

const fn ticket_number(name: &'static str) -> Param {
    Param {
        name,
        kind: Kind::TicketNumber,
        description: "Ticket number, e.g. 787979 or TK00787979.",
        required: false,
        many: false,
    }
}

const fn one_of(name: &'static str, values: &'static [&'static str], description: &'static str) -> Param {
    Param {
        name,
        kind: Kind::OneOf(values),
        description,
        required: false,
        many: false,
    }
}

const fn flag(name: &'static str, default: bool, description: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Flag { default },
        description,
        required: false,
        many: false,
    }
}

const fn named(name: &'static str, source: &'static Source, description: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Named(source),
        description,
        required: false,
        many: false,
    }
}

// Who and what.
pub const USER: Param = named("user", &directory::USERS, "Agent: login or display name.").many();
pub const QUEUE: Param = named("queue", &directory::QUEUES, "Queue: number or title.").many();
pub const CATEGORY: Param = named("category", &directory::CATEGORIES, "Ticket category: id or title.").many();
pub const STATUS: Param = named(
    "status",
    &directory::STATUSES,
    "Workflow status: id or title (not the stage).",
)
.many();
pub const CONTACT: Param = named(
    "contact",
    &directory::CONTACTS,
    "Contact: id, name or part of it, phone number or e-mail address.",
);
pub const ACCOUNT: Param = named(
    "account",
    &directory::ACCOUNTS,
    "Account (company): id, or the exact or partial name.",
);
pub const TICKET: Param = ticket_number("ticket");
pub const VIEW: Param = named("view", &directory::VIEWS, "Saved view: id or title.");
pub const FOLDER: Param = named("folder", &directory::FOLDERS, "Folder: id or title.").many();
pub const CAMPAIGN: Param = named("campaign", &directory::CAMPAIGNS, "Campaign type: id or title.").many();

// Which record.
pub const NAME: Param = id("name", "Id of the record, as the lists show it.").required();
pub const TICKET_NAME: Param = ticket_number("name").required();
pub const ACTIVITY: Param = id(
    "activity",
    "Activity id of the call, as list_calls shows it; the call's own id works too.",
)
.required();

pub const WITHIN: Param = id("activity", "Only within this activity, e.g. one long call.");

// Enumerations of Daktela.
pub const STAGES: &[&str] = &["OPEN", "WAIT", "CLOSE", "ARCHIVE"];
pub const STAGE: Param = one_of(
    "stage",
    STAGES,
    "OPEN in work, WAIT for the customer, CLOSE solved, ARCHIVE solved and archived.",
)
.many();
pub const STAGE_OR_ALL: Param = one_of(
    "stage",
    &["OPEN", "WAIT", "CLOSE", "ARCHIVE", "ALL"],
    "Ticket stage; OPEN unless given, ALL for every stage.",
)
.many();
pub const CRM_STAGE: Param = one_of("stage", &["OPEN", "CLOSE"], "Stage of the CRM record.");
pub const PRIORITY: Param = one_of("priority", &["LOW", "MEDIUM", "HIGH"], "Ticket priority.").many();
pub const CALL_DIRECTION: Param = one_of("direction", &["in", "out", "internal"], "Direction of the call.");
pub const EMAIL_DIRECTION: Param = one_of("direction", &["in", "out"], "Direction of the e-mail.");
pub const CHAT_DIRECTION: Param = one_of(
    "direction",
    &["IN", "OUT"],
    "Who started the chat: IN the customer, OUT an agent.",
);
pub const ACTIVITY_TYPE: Param = one_of(
    "type",
    &[
        "CALL",
        "EMAIL",
        "CHAT",
        "SMS",
        "FBM",
        "IGDM",
        "WAP",
        "VBR",
        "CUSTOM",
        "FBCOMMENT",
        "IGCOMMENT",
        "COMMENT",
    ],
    "Kind of activity: CHAT web chat, FBM Messenger, IGDM Instagram, WAP WhatsApp, VBR Viber, COMMENT internal and external comments.",
)
.many();
pub const ACTION: Param = one_of(
    "action",
    &["OPEN", "WAIT", "POSTPONE", "CLOSE"],
    "State: WAIT not taken yet, OPEN in work, POSTPONE for later, CLOSE done.",
)
.many();
pub const ANSWERED: Param = Param {
    name: "answered",
    kind: Kind::YesNo,
    description: "Only answered (true) or only unanswered calls (false).",
    required: false,
    many: false,
};

pub const AGENT_STATE: Param = one_of("state", &["Session", "Idle", "Paused"], "State of the agent.").many();
pub const CAMPAIGN_ACTION: Param = one_of(
    "action",
    &[
        "UNASSIGNED",
        "READY",
        "RESCHEDULED_BY_DIALLER",
        "IN_CALL",
        "HUNG_UP",
        "DONE",
        "RESCHEDULED",
    ],
    "State of the record's call.",
)
.many();
pub const ENTITY: Param = one_of(
    "entity",
    &[
        "tickets",
        "contacts",
        "accounts",
        "crm_records",
        "campaign_records",
        "activities",
    ],
    "Kind of record; all of them unless given.",
)
.many();
pub const PUBLISHED: Param = Param {
    name: "published",
    kind: Kind::YesNo,
    description: "Only published articles (true) or only drafts (false).",
    required: false,
    many: false,
};

// Narrowing.
pub const SEARCH_TITLE: Param = text("search", "Text that the title contains.");
pub const SEARCH_NAME: Param = text("search", "Text that the name (title) contains.");
pub const SEARCH_CONTACT: Param = text(
    "search",
    "Part of the name, or an e-mail address or phone number in any spelling.",
);
pub const NUMBER: Param = text(
    "number",
    "Phone number of the other side in any spelling, also of people who are no contacts.",
);
pub const ADDRESS: Param = text(
    "address",
    "E-mail address of the other side, also of people who are no contacts.",
);
pub const QUERY: Param = text(
    "query",
    "Words, a ticket number, a name, a phone number or an e-mail address.",
)
.required();
pub const DOCUMENT: Param = id("id", "Id that search gave, e.g. ticket:787979.").required();
pub const WORDS: Param = text("words", "Words that all have to occur; a list means any of its items.")
    .many()
    .required();
pub const INCLUDE_MERGED: Param = flag(
    "include_merged",
    false,
    "Also show tickets that were merged into another.",
);
pub const DATE_FROM: Param = Param {
    name: "date_from",
    kind: Kind::Date(Bound::From),
    description: "Not before: 2026-11-20 or 2026-11-20 14:30, time of the instance.",
    required: false,
    many: false,
};
pub const DATE_TO: Param = Param {
    name: "date_to",
    kind: Kind::Date(Bound::Until),
    description: "Not after; a day without a time means the whole day.",
    required: false,
    many: false,
};

pub const NEXT_CALL_FROM: Param = Param {
    name: "next_call_from",
    description: "Next call not before.",
    ..DATE_FROM
};
pub const NEXT_CALL_TO: Param = Param {
    name: "next_call_to",
    description: "Next call not after; a day without a time means the whole day.",
    ..DATE_TO
};

pub const NOT_CALLED_BACK: Param = flag(
    "not_called_back",
    false,
    "Only missed calls that nobody has called back.",
);
pub const UNANSWERED: Param = flag("unanswered", false, "Only incoming e-mails that nobody has answered.");
pub const WAITING_FOR: Param = one_of(
    "waiting_for",
    &["us", "customer"],
    "Whose move it is on unsolved tickets: us where the customer moved last, customer where an agent did.",
);
pub const OVERDUE: Param = flag(
    "overdue",
    false,
    "Only tickets beyond their SLA deadline; unsolved ones unless stage is given.",
);
pub const DUE_WITHIN: Param = Param {
    name: "due_within",
    kind: Kind::Number {
        default: None,
        min: 1,
        max: 8_760,
    },
    description: "Only unsolved tickets whose SLA deadline comes within this many hours.",
    required: false,
    many: false,
};
pub const FIRST_ANSWER_MISSING: Param = flag(
    "first_answer_missing",
    false,
    "Only tickets that were never answered; narrow by stage.",
);

// What to show.
pub const SORT_DIR: Param = one_of("sort_dir", &["asc", "desc"], "Sort direction; desc unless given.");
pub const SKIP: Param = Param {
    name: "skip",
    kind: Kind::Number {
        default: Some(0),
        min: 0,
        max: 1_000_000_000,
    },
    description: "Records to skip (paging); the answer gives the next value.",
    required: false,
    many: false,
};
pub const CONTINUE: Param = text(
    "continue",
    "Go on where the answer before ended: the value that it gave.",
);
pub const FULL_MAIL: Param = flag(
    "full",
    false,
    "Show quoted mail and signatures too, which are folded otherwise.",
);
pub const MESSAGES: Param = flag(
    "messages",
    true,
    "Show the messages of each chat; false for the list alone, which is faster.",
);
pub const TEXT_CHARS: Param = Param {
    name: "text_chars",
    kind: Kind::Number {
        default: None,
        min: 0,
        max: 1_000_000,
    },
    description: "Show at most this many characters of each long text.",
    required: false,
    many: false,
};
pub const MAX_BYTES: Param = Param {
    name: "max_bytes",
    kind: Kind::Number {
        default: Some(MAX_BYTES_DEFAULT as u64),
        min: 2_000,
        max: 10_000_000,
    },
    description: "Size limit of the answer; what does not fit is named.",
    required: false,
    many: false,
};

/// An answer that fits what clients take in one piece: common ones cut or refuse beyond 25,000 tokens, and 64 KB of
/// mixed Czech and English text is 16,000 to 20,000.
pub const MAX_BYTES_DEFAULT: usize = 64_000;

/// Which facts of each record a list shows.
pub const FIELDS: Param = text(
    "fields",
    "Show only these facts: labels in snake case, text for long texts.",
)
.many();

// Statistics.
/// One of several channels.
pub const fn channel(names: &'static [&'static str]) -> Param {
    one_of("channel", names, "Only this channel; all unless given.")
}

/// How records are grouped.
pub const fn group_by(names: &'static [&'static str]) -> Param {
    one_of("group_by", names, "Group by this, one row for each.")
}

pub const fn then_by(names: &'static [&'static str]) -> Param {
    one_of("then_by", names, "Group by this within each group.")
}

/// What is measured.
pub const fn of(names: &'static [&'static str]) -> Param {
    one_of(
        "of",
        names,
        "Measure: adds average, median, 90th percentile, longest and sum, in seconds.",
    )
}

/// What groups can be ordered by; the first three also where nothing is measured.
pub const ORDERS: &[&str] = &["count", "group", "change", "average", "median", "p90", "longest", "sum"];

pub const fn order_by(names: &'static [&'static str]) -> Param {
    one_of(
        "order_by",
        names,
        "Order of the groups: by count unless given, times by time.",
    )
}

pub const CUSTOM_FIELD: Param = text(
    "custom_field",
    "Custom field with a choice, by its label or key, for group_by=custom_field.",
);
pub const MIN_COUNT: Param = Param {
    name: "min_count",
    kind: Kind::Number {
        default: None,
        min: 1,
        max: 1_000_000,
    },
    description: "Show groups of at least this many, e.g. 2 for who called repeatedly; the others are one row.",
    required: false,
    many: false,
};
pub const TOP: Param = Param {
    name: "top",
    kind: Kind::Number {
        default: None,
        min: 1,
        max: 1_000,
    },
    description: "Show this many groups, the others in one row; as many as make 4 KB unless given.",
    required: false,
    many: false,
};
pub const COMPARE_FROM: Param = Param {
    name: "compare_from",
    kind: Kind::Date(Bound::From),
    description: "Compare with another period: its beginning.",
    required: false,
    many: false,
};
pub const COMPARE_TO: Param = Param {
    name: "compare_to",
    kind: Kind::Date(Bound::Until),
    description: "The end of that period.",
    required: false,
    many: false,
};

/// How many records to show; `default` unless given, at most `max`.
pub const fn take(default: u64, max: u64) -> Param {
    Param {
        name: "take",
        kind: Kind::Number {
            default: Some(default),
            min: 1,
            max,
        },
        description: "Records to show (page size).",
        required: false,
        many: false,
    }
}

/// The order of a list, by one of the entity's fields that Daktela sorts by. An unknown one silently gives no rows.
pub const fn sort(fields: &'static [&'static str]) -> Param {
    one_of("sort", fields, "Sort by this field.")
}
