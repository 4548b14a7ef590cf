//! Tools that find words, and the two that ChatGPT's connectors ask for.

use serde_json::json;

use super::{activities, articles, calls, chats, emails, tickets};
use crate::{
    daktela::{error::Error, query::Direction},
    model::{
        args::Args,
        context::Context,
        entity::{CustomFields, ENTITY, Entity},
        field::{FieldSpec, computed, date_time, flag, related, seconds, ticket, titled, word},
        filter::{FilterParam, eq, from, until},
        list::List,
        output::Output,
        param::{self, Param},
        tool::{Example, Run, Tool},
    },
    run,
    tools::{
        find::{Conversations, Search, find_in_conversations, find_records, kind},
        search::{Searched, document, kind_and_id, search},
        words::Field,
    },
};

/// A ticket as a hit: enough to choose by.
const TICKET: Entity = Entity {
    fields: &[
        word("Stage", "stage"),
        titled("Category", "category"),
        related("Assigned to", "user"),
        related("Contact", "contact"),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
    ],
    ..tickets::FOUND
};

const TICKETS: List = List {
    entity: &TICKET,
    filters: &[
        eq(&param::CATEGORY, "category"),
        eq(&param::STAGE, "stage"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (20, 100),
};

const TICKET_FIELDS: &[Field] = &[
    Field {
        path: "title",
        is_html: false,
    },
    Field {
        path: "description",
        is_html: true,
    },
];

pub(super) const TICKET_SEARCH: Search = Search {
    entity: &TICKET,
    fields: TICKET_FIELDS,
    has_full_text: true,
};

const ARTICLE: Entity = Entity {
    fields: &[
        related("Folder", "folder"),
        titled("Tags", "tags"),
        flag("Published", "published"),
        date_time("Edited", "edited"),
    ],
    texts: &[],
    ..articles::ARTICLE
};

const ARTICLES: List = List {
    entity: &ARTICLE,
    filters: &[],
    sort: Some(("edited", Direction::Descending)),
    take: (20, 100),
};

pub(super) const ARTICLE_SEARCH: Search = Search {
    entity: &ARTICLE,
    fields: &[
        Field {
            path: "title",
            is_html: false,
        },
        Field {
            path: "description",
            is_html: true,
        },
        Field {
            path: "content",
            is_html: true,
        },
    ],
    has_full_text: true,
};

const EMAIL: Entity = Entity {
    fields: &[
        computed("Kind", &["name"], |_| kind("e-mail")),
        word("Direction", "direction"),
        computed("Automatic", &["options"], emails::automatic),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        date_time("Time", "time"),
    ],
    texts: &[],
    ..emails::EMAIL
};

const CALL: Entity = Entity {
    fields: &[
        computed("Kind", &["id_call"], |_| kind("call")),
        word("Activity", "activities.name"),
        word("Direction", "direction"),
        related("Agent", "id_agent"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        date_time("Time", "call_time"),
        seconds("Duration", "duration"),
    ],
    ..calls::CALL
};

const CHAT: &[FieldSpec] = &[
    related("Agent", "user"),
    related("Contact", "contact"),
    ticket("Ticket", "activities.ticket"),
    date_time("Time", "time"),
];

const fn chat(entity: Entity, kind: &'static [FieldSpec]) -> Entity {
    Entity {
        leading_fields: kind,
        fields: CHAT,
        ..entity
    }
}

const WEB: Entity = chat(chats::WEB, &[computed("Kind", &["name"], |_| kind("web chat"))]);
const SMS: Entity = chat(chats::SMS, &[computed("Kind", &["name"], |_| kind("SMS chat"))]);
const MESSENGER: Entity = chat(
    chats::MESSENGER,
    &[computed("Kind", &["name"], |_| kind("Messenger chat"))],
);
const INSTAGRAM: Entity = chat(
    chats::INSTAGRAM,
    &[computed("Kind", &["name"], |_| kind("Instagram chat"))],
);
const WHATSAPP: Entity = chat(
    chats::WHATSAPP,
    &[computed("Kind", &["name"], |_| kind("WhatsApp chat"))],
);
const VIBER: Entity = chat(chats::VIBER, &[computed("Kind", &["name"], |_| kind("Viber chat"))]);

const COMMENT: Entity = Entity {
    endpoint: "activities",
    singular: "conversation",
    plural: "conversations with the words",
    fields: &[
        computed("Kind", &["name"], |_| kind("comment")),
        related("Agent", "user"),
        ticket("Ticket", "ticket"),
        date_time("Time", "time"),
    ],
    ..ENTITY
};

const EMAIL_FILTERS: &[FilterParam] = &[
    eq(&param::USER, "user"),
    eq(&param::QUEUE, "queue"),
    eq(&param::CONTACT, "contact"),
    from(&param::DATE_FROM, "time"),
    until(&param::DATE_TO, "time"),
];
const CALL_FILTERS: &[FilterParam] = &[
    eq(&param::USER, "id_agent"),
    eq(&param::QUEUE, "id_queue"),
    eq(&param::CONTACT, "contact"),
    from(&param::DATE_FROM, "call_time"),
    until(&param::DATE_TO, "call_time"),
];
const COMMENT_FILTERS: &[FilterParam] = &[
    eq(&param::TICKET, "ticket"),
    eq(&param::WITHIN, "name"),
    eq(&param::USER, "user"),
    eq(&param::QUEUE, "queue"),
    eq(&param::CONTACT, "contact"),
    from(&param::DATE_FROM, "time"),
    until(&param::DATE_TO, "time"),
];

const fn of(entity: &'static Entity, filters: &'static [FilterParam], time: &'static str) -> List {
    List {
        entity,
        filters,
        sort: Some((time, Direction::Descending)),
        take: (20, 100),
    }
}

/// What a ticket holds, of every kind.
const ACTIVITY: Entity = Entity {
    singular: COMMENT.singular,
    plural: COMMENT.plural,
    fields: &[
        computed("Kind", &["type"], activities::kind),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "ticket"),
        date_time("Time", "time"),
    ],
    texts: &[],
    custom_fields: CustomFields::No,
    ..activities::ACTIVITY_WITH_ITEM
};

const ACTIVITIES: List = of(&ACTIVITY, COMMENT_FILTERS, "time");
const EMAILS: List = of(&EMAIL, EMAIL_FILTERS, "time");
const CALLS: List = of(&CALL, CALL_FILTERS, "call_time");
const COMMENTS: List = of(&COMMENT, COMMENT_FILTERS, "time");
const WEB_CHATS: List = of(&WEB, EMAIL_FILTERS, "time");
const SMS_CHATS: List = of(&SMS, EMAIL_FILTERS, "time");
const MESSENGER_CHATS: List = of(&MESSENGER, EMAIL_FILTERS, "time");
const INSTAGRAM_CHATS: List = of(&INSTAGRAM, EMAIL_FILTERS, "time");
const WHATSAPP_CHATS: List = of(&WHATSAPP, EMAIL_FILTERS, "time");
const VIBER_CHATS: List = of(&VIBER, EMAIL_FILTERS, "time");

const CONVERSATIONS: Conversations = Conversations {
    emails: &EMAILS,
    calls: &CALLS,
    chats: &[
        ("CHAT", &WEB_CHATS),
        ("SMS", &SMS_CHATS),
        ("FBM", &MESSENGER_CHATS),
        ("IGDM", &INSTAGRAM_CHATS),
        ("WAP", &WHATSAPP_CHATS),
        ("VBR", &VIBER_CHATS),
    ],
    comments: &COMMENTS,
    activities: &ACTIVITIES,
    channel: activities::channel_with_transcript,
};

const CONVERSATION_PARAMS: &[Param] = &[
    param::WORDS,
    param::ACTIVITY_TYPE,
    param::DATE_FROM,
    param::DATE_TO,
    param::USER,
    param::QUEUE,
    param::CONTACT,
    param::TICKET,
    param::WITHIN,
    param::FULL_MAIL,
    param::SKIP,
    param::take(20, 100),
    param::MAX_BYTES,
];

const TICKET_PARAMS: &[Param] = &[
    param::WORDS,
    param::STAGE,
    param::CATEGORY,
    param::USER,
    param::CONTACT,
    param::DATE_FROM,
    param::DATE_TO,
    param::SKIP,
    param::take(20, 100),
    param::MAX_BYTES,
];

const EXAMPLE: Option<Example> = Some(Example {
    tool: "list_tickets",
    key: "name",
});

pub const TOOLS: &[Tool] = &[
    Tool {
        name: "find_in_conversations",
        title: "Find words in conversations",
        description: "Find words in e-mails, call transcripts, chats and comments of a period, an agent, a contact or a ticket: each hit with its sentences, who said \
             them, when (minute of the call) and the ids. Case, accents and inflection do not matter.",
        run: Run::Custom {
            params: CONVERSATION_PARAMS,
            run: |context, args| find_in_conversations(context, args, &CONVERSATIONS),
        },
        example: EXAMPLE,
    },
    Tool {
        name: "find_tickets",
        title: "Find words in tickets",
        description: "Find tickets by words in their titles and descriptions, with the sentences; for words in their e-mails and calls use find_in_conversations. \
             Dates filter by creation.",
        run: Run::Custom {
            params: TICKET_PARAMS,
            run: |context, args| find_records(context, args, &TICKETS, &TICKET_SEARCH),
        },
        example: EXAMPLE,
    },
    Tool {
        name: "find_articles",
        title: "Find words in the knowledge base",
        description: "Find articles of the knowledge base by words in title, summary and content, with the sentences; get_article shows one whole.",
        run: Run::Custom {
            params: &[param::WORDS, param::SKIP, param::take(20, 100), param::MAX_BYTES],
            run: |context, args| find_records(context, args, &ARTICLES, &ARTICLE_SEARCH),
        },
        example: EXAMPLE,
    },
    Tool {
        name: "search",
        title: "Search",
        description: "Search tickets, contacts, accounts and articles; returns ids, titles and addresses as JSON, for fetch. For connectors: other tools tell more.",
        run: Run::Custom {
            params: &[param::QUERY],
            run: |context, args| {
                let of = Searched {
                    tickets: &TICKET_SEARCH,
                    articles: &ARTICLE_SEARCH,
                };
                search(context, args, &of)
            },
        },
        example: EXAMPLE,
    },
    Tool {
        name: "fetch",
        title: "Fetch",
        description: "One record that search found, whole, as JSON with id, title, text, url and metadata.",
        run: Run::Custom {
            params: &[param::DOCUMENT],
            run: fetch,
        },
        example: EXAMPLE,
    },
];

/// Kinds of records by their word in ids, with the tool that shows one and its argument.
const KINDS: &[(&str, &str, &str)] = &[
    ("ticket", "get_ticket_detail", "name"),
    ("contact", "get_contact", "name"),
    ("account", "get_account", "name"),
    ("article", "get_article", "name"),
    ("activity", "get_activity", "name"),
    ("call", "get_call_transcript", "activity"),
    ("email", "get_email", "name"),
];

fn fetch(context: &Context, args: &Args) -> Result<Output, Error> {
    let given = args.required(&param::DOCUMENT);
    let known = kind_and_id(given).and_then(|(kind, id)| {
        let (_, tool, argument) = KINDS.iter().find(|(word, ..)| *word == kind)?;
        Some((kind, id, super::find(tool)?, *argument))
    });
    let Some((kind, id, tool, argument)) = known else {
        let words: Vec<&str> = KINDS.iter().map(|(word, ..)| *word).collect();
        return Err(Error::Argument(format!(
            "Wrong arguments:\n- id: expected an id as search gives it, e.g. ticket:787979; kinds are {}",
            words.join(", ")
        )));
    };
    let shown = run::run_within(context, tool, &json!({argument: id}).to_string())?;
    Ok(document(context, kind, id, &shown))
}
