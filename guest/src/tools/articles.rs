//! The knowledge base: folders in the order of their tree, filters that include subfolders, comments of articles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{self, Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        filter::Condition,
        output::{Moment, Output, Related, Role, Speaker, Utterance},
        param,
    },
    render::html,
    run::{self, filters::Conditions},
    sort, value,
};

const FOLDERS: &str = "articlesFolders";

fn all_folders() -> Query {
    Query::new(FOLDERS, TAKE_MAX)
        .fields(&["name", "title", "index", "edited", "parent.name"])
        .reference_data(true)
}

fn name(row: &Value) -> Option<String> {
    value::text_at(row, "name")
}

fn parent(row: &Value) -> Option<String> {
    value::first(row, "parent").and_then(value::name_of)
}

/// All folders, each behind the one that holds it, with its path and the number of its articles.
pub(crate) fn folders(context: &Context, args: &Args, entity: &Entity) -> Result<Output, Error> {
    let articles = Query::new("articles", TAKE_MAX).fields(&["name", "folder.name"]);
    let mut read = context.client.read_all_of_each(&[all_folders(), articles]).into_iter();
    let mut next = || read.next().expect("an answer for each query");
    let (folders, articles) = (next()?, next());
    let mut notes = Vec::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    match &articles {
        Ok(page) => {
            for row in &page.rows {
                if let Some(folder) = value::first(row, "folder").and_then(value::name_of) {
                    *counts.entry(folder).or_default() += 1;
                }
            }
            if page.total.is_none_or(|total| total > page.rows.len() as u64) {
                notes.push(format!("Only the first {} articles were counted.", page.rows.len()));
            }
        }
        Err(error) => notes.push(format!("The articles could not be counted. {}", error.text())),
    }
    let mut rows = tree(&folders.rows);
    let total = rows.len() as u64;
    for (row, path) in &mut rows {
        row["path"] = json!(path);
        if articles.is_ok() {
            row["articles"] = json!(name(row).and_then(|name| counts.get(&name).copied()).unwrap_or(0));
        }
    }
    let query = Query {
        skip: args.skip(),
        take: args.number(&param::take(200, 1000)).unwrap_or(200),
        ..Query::default()
    };
    let rows = rows.into_iter().map(|(row, _)| row);
    let page = Page {
        rows: rows.skip(query.skip as usize).take(query.take as usize).collect(),
        total: Some(total),
        ..Page::default()
    };
    let conditions = Conditions {
        applied_filters: vec!["in the order of their tree".to_owned()],
        notes,
        ..Conditions::default()
    };
    Ok(run::listing(context, entity, args, conditions, &query, &page))
}

/// The folders in the order of their tree, with their paths. One whose parent is not among them begins a tree of its own,
/// and so does one of a circle.
fn tree(rows: &[Value]) -> Vec<(Value, String)> {
    let known: BTreeSet<String> = rows.iter().filter_map(name).collect();
    let mut below: BTreeMap<Option<String>, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        let above = parent(row).filter(|parent| known.contains(parent));
        below.entry(above).or_default().push(row);
    }
    for siblings in below.values_mut() {
        let place = |row: &Value| value::first(row, "index").and_then(value::number);
        sort::sort_by(siblings, |a, b| {
            let by_place = place(a).unwrap_or(f64::MAX).total_cmp(&place(b).unwrap_or(f64::MAX));
            by_place.then_with(|| value::text_at(a, "title").cmp(&value::text_at(b, "title")))
        });
    }
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<(&Value, String)> = Vec::new();
    let roots = below.get(&None).into_iter().flatten().copied().chain(rows.iter());
    for root in roots {
        open.push((root, String::new()));
        while let Some((row, above)) = open.pop() {
            if !seen.insert(name(row)) {
                continue;
            }
            let title = value::text_at(row, "title").or_else(|| name(row)).unwrap_or_default();
            let path = if above.is_empty() {
                title
            } else {
                format!("{above} / {title}")
            };
            let children = below.get(&name(row)).into_iter().flatten().rev();
            open.extend(
                children
                    .filter(|_| name(row).is_some())
                    .map(|child| (*child, path.clone())),
            );
            out.push((row.clone(), path));
        }
    }
    out
}

/// Articles of a folder and of all that are below it.
pub(crate) fn within(context: &Context, folder: &str) -> Result<Condition, Error> {
    let rows = match context.client.read_all(&all_folders()) {
        Ok(page) => page.rows,
        Err(error) => {
            return Ok(Condition {
                filter: Filter::eq("folder", folder),
                notes: vec![format!(
                    "Only the folder itself is shown, since the folders below it could not be read. {}",
                    error.text()
                )],
            });
        }
    };
    let mut names = vec![folder.to_owned()];
    let mut at = 0;
    while let Some(above) = names.get(at).cloned() {
        at += 1;
        let children = rows.iter().filter(|row| parent(row).as_deref() == Some(&above));
        for child in children.filter_map(name) {
            if !names.contains(&child) {
                names.push(child);
            }
        }
    }
    let more = names.len() - 1;
    let notes = if more > 0 {
        vec![format!("The folder includes {more} below it.")]
    } else {
        Vec::new()
    };
    Ok(Condition {
        filter: if more > 0 {
            Filter::one_of("folder", names)
        } else {
            Filter::eq("folder", folder)
        },
        notes,
    })
}

/// What colleagues remarked on articles, oldest first.
pub(crate) fn comments(context: &Context, entity: &Entity, _: &Args, rows: &[Value]) -> Vec<Related> {
    let path_of = |row: &Value| query::path(entity.endpoint, &[&value::text_at(row, entity.key)?, "comments"]);
    let paths: Vec<Option<String>> = rows.iter().map(path_of).collect();
    let queries: Vec<Query> = paths
        .iter()
        .flatten()
        .map(|path| {
            Query::new(path, TAKE_MAX)
                .fields(&["content", "created", "created_by.title"])
                .sort("created", Direction::Ascending)
        })
        .collect();
    let said = |comment: &Value| Utterance {
        at: Moment::Time(value::text_at(comment, "created").unwrap_or_default()),
        speaker: Speaker {
            role: Role::Agent,
            name: value::text_at(comment, "created_by.title"),
            note: None,
        },
        text: html::to_text(
            &value::text_at(comment, "content").unwrap_or_default(),
            html::Hidden::Marked,
        ),
        files: Vec::new(),
    };
    let mut pages = context.client.read_pages(&queries).into_iter();
    let read = paths.iter().map(|path| path.as_ref().and_then(|_| pages.next()));
    read.map(|page| match page {
        None => Related::default(),
        Some(page) => match page {
            Ok(page) if page.rows.is_empty() => Related::default(),
            Ok(page) => Related::conversation("Comments", page.rows.iter().map(said).collect(), ""),
            // A build without the relation, or an article that never had a comment.
            Err(Error::NotFound(_)) => Related::default(),
            Err(error) => Related::remarks(error.remark("the comments could not be read")),
        },
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stand_behind_the_one_that_holds_them() {
        let rows = [
            json!({"name": "c", "title": "C", "parent": {"name": "b"}}),
            json!({"name": "z", "title": "Z", "index": "2"}),
            json!({"name": "b", "title": "B", "index": 9, "parent": {"name": "a"}}),
            json!({"name": "a", "title": "A", "index": "10"}),
            json!({"name": "lost", "title": "Lost", "parent": {"name": "hidden"}}),
            json!({"name": "x", "title": "X", "parent": {"name": "y"}}),
            json!({"name": "y", "title": "Y", "parent": {"name": "x"}}),
        ];
        let paths: Vec<String> = tree(&rows).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, ["Z", "A", "A / B", "A / B / C", "Lost", "X", "X / Y"]);
    }
}
