//! Tools for the knowledge base: folders, articles.

use crate::{
    daktela::query::Direction,
    model::{
        entity::{ENTITY, Entity, LongText, TextKind},
        field::{date_time, detail, flag, number, related, text, titled},
        filter::{contains, custom, from, until, yes_no},
        list::List,
        param::{self, Param},
        tool::{Run, Tool},
    },
    tools::articles::{comments, folders, within},
};

const SUMMARY: LongText = LongText {
    label: "",
    path: "description",
    kind: TextKind::Html,
    chars: 300,
};

pub const ARTICLE: Entity = Entity {
    endpoint: "articles",
    singular: "article",
    plural: "articles",
    page: "articles/update/{name}",
    fields: &[
        related("Folder", "folder"),
        titled("Tags", "tags"),
        flag("Published", "published"),
        date_time("Created", "created"),
        detail(related("Created by", "created_by")),
        date_time("Edited", "edited"),
        detail(related("Edited by", "edited_by")),
        detail(number("Times seen", "seen_count")),
    ],
    texts: &[SUMMARY],
    sort: &["edited", "created", "title"],
    ..ENTITY
};

/// One article by itself shows its content and what colleagues remarked on it.
pub const ARTICLE_DETAIL: Entity = Entity {
    texts: &[
        SUMMARY,
        LongText {
            label: "Content",
            path: "content",
            kind: TextKind::Html,
            chars: 1500,
        },
    ],
    enrich: Some(comments),
    ..ARTICLE
};

/// The path is made here of the folders above.
const FOLDER: Entity = Entity {
    endpoint: "articlesFolders",
    singular: "article folder",
    plural: "article folders",
    fields: &[
        text("Path", "path"),
        number("Articles", "articles"),
        date_time("Edited", "edited"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const LIST: List = List {
    entity: &ARTICLE,
    filters: &[
        custom(&param::FOLDER, within),
        contains(&param::SEARCH_TITLE, "title"),
        yes_no(&param::PUBLISHED, "published"),
        from(&param::DATE_FROM, "edited"),
        until(&param::DATE_TO, "edited"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

const FOLDER_PARAMS: &[Param] = &[param::SKIP, param::take(200, 1000), param::MAX_BYTES];

pub const TOOLS: &[Tool] = &[
    Tool {
        name: "list_article_folders",
        title: "Folders of the knowledge base",
        description: "The folders of the knowledge base as a tree: each with its path and how many articles it holds itself.",
        run: Run::Custom {
            params: FOLDER_PARAMS,
            run: |context, args| folders(context, args, &FOLDER),
        },
        example: None,
    },
    Tool::list(
        "list_articles",
        "List articles",
        &LIST,
        "List articles of the knowledge base, last edited first; a folder includes those below it. Dates filter by the last edit.",
    ),
    Tool::get(
        "get_article",
        "Article",
        &ARTICLE_DETAIL,
        "list_articles",
        "One article of the knowledge base with its whole content and its comments.",
    ),
];
