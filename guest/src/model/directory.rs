//! Lookup sources for name resolution: endpoint, labels and id prefix of each kind of record.

/// Where the records of a kind are looked up.
pub struct Source {
    pub endpoint: &'static str,
    pub singular: &'static str,
    pub plural: &'static str,
    /// The tool that lists them.
    pub tool: &'static str,
    /// How Daktela's generated ids of this kind begin; such an id is taken as it is.
    pub prefix: &'static str,
    /// Few enough to read them all and compare here, which makes them reference data that caches may hold. Otherwise Daktela searches.
    pub small: bool,
}

const SMALL: Source = Source {
    endpoint: "",
    singular: "",
    plural: "",
    tool: "",
    prefix: "",
    small: true,
};

pub static USERS: Source = Source {
    endpoint: "users",
    singular: "user",
    plural: "users",
    tool: "list_users",
    ..SMALL
};
pub static QUEUES: Source = Source {
    endpoint: "queues",
    singular: "queue",
    plural: "queues",
    tool: "list_queues",
    ..SMALL
};
pub static CATEGORIES: Source = Source {
    endpoint: "ticketsCategories",
    singular: "ticket category",
    plural: "ticket categories",
    tool: "list_ticket_categories",
    ..SMALL
};
pub static STATUSES: Source = Source {
    endpoint: "statuses",
    singular: "status",
    plural: "statuses",
    tool: "list_statuses",
    ..SMALL
};
pub static VIEWS: Source = Source {
    endpoint: "ticketsViews",
    singular: "ticket view",
    plural: "ticket views",
    tool: "list_ticket_views",
    ..SMALL
};
pub static FOLDERS: Source = Source {
    endpoint: "articlesFolders",
    singular: "article folder",
    plural: "article folders",
    tool: "list_article_folders",
    ..SMALL
};
pub static CAMPAIGNS: Source = Source {
    endpoint: "campaignsTypes",
    singular: "campaign type",
    plural: "campaign types",
    tool: "list_campaign_types",
    ..SMALL
};
pub static CONTACTS: Source = Source {
    endpoint: "contacts",
    singular: "contact",
    plural: "contacts",
    tool: "list_contacts",
    prefix: "contact_",
    small: false,
};
pub static ACCOUNTS: Source = Source {
    endpoint: "accounts",
    singular: "account",
    plural: "accounts",
    tool: "list_accounts",
    prefix: "account_",
    small: false,
};
