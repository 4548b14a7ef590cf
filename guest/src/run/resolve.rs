//! Name resolution: names that people use → ids that Daktela's filters want. Exact matches win, the only partial match is taken and
//! said, several are an answer that lists them.

use std::collections::BTreeSet;

use crate::{
    daktela::{
        client::{Client, Page},
        error::Error,
        query::{Filter, Query, TAKE_MAX},
    },
    model::directory::Source,
    text, value,
};

/// A record that a name was resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub name: String,
    pub title: Option<String>,
    /// How it was found, where that is not self-evident.
    pub note: Option<String>,
}

impl Chosen {
    /// `Jan Novák (jan.novak)`.
    pub(crate) fn shown(&self) -> String {
        match &self.title {
            Some(title) if *title != self.name => format!("{title} ({})", self.name),
            _ => self.name.clone(),
        }
    }
}

/// A record's name and title.
type Entry = (String, String);
type Test<'a> = &'a dyn Fn(&Entry) -> bool;

/// How many partial matches are asked for, and so listed at most when they are ambiguous.
const CANDIDATES: u64 = 20;

/// A generated id is its prefix and at least this many hexadecimal digits.
const GENERATED_DIGITS: usize = 13;

/// Resolves several names; what has to be read for them is read at once.
pub(crate) fn resolve(client: &Client, wanted: &[(&'static Source, &str)]) -> Result<Vec<Chosen>, Error> {
    let queries: Vec<Vec<Query>> = wanted.iter().map(|(source, given)| queries(source, given)).collect();
    let mut pages = client.read_pages(&queries.concat()).into_iter();
    wanted
        .iter()
        .zip(&queries)
        .map(|((source, given), queries)| {
            let pages: Vec<Result<Page, Error>> = pages.by_ref().take(queries.len()).collect();
            choose(client, source, given, queries, pages)
        })
        .collect()
}

fn queries(source: &Source, given: &str) -> Vec<Query> {
    let query = |take| {
        Query::new(source.endpoint, take)
            .fields(&["name", "title"])
            .reference_data(source.small)
    };
    if source.small {
        vec![query(TAKE_MAX)]
    } else if is_generated(source, given) {
        Vec::new()
    } else {
        vec![
            query(CANDIDATES).filter(Filter::eq("name", given)),
            query(CANDIDATES).filter(Filter::eq("title", given)),
            query(CANDIDATES).filter(Filter::contains("title", given)),
        ]
    }
}

fn is_generated(source: &Source, given: &str) -> bool {
    given.strip_prefix(source.prefix).is_some_and(|id| {
        !source.prefix.is_empty() && id.len() >= GENERATED_DIGITS && id.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn choose(
    client: &Client,
    source: &Source,
    given: &str,
    queries: &[Query],
    pages: Vec<Result<Page, Error>>,
) -> Result<Chosen, Error> {
    let as_given = |note| Chosen {
        name: given.to_owned(),
        title: None,
        note,
    };
    if queries.is_empty() {
        return Ok(as_given(None));
    }
    let mut known: Vec<Entry> = Vec::new();
    let mut seen = BTreeSet::new();
    for (page, query) in pages.into_iter().zip(queries) {
        let page = match page {
            Ok(page) if source.small && is_part(&page) => client.read_all(query)?,
            Ok(page) => page,
            // Without a directory that it may read, an id may still be right. No id holds a blank, as names of people do.
            Err(error @ (Error::NoRight(_) | Error::NotFound(_))) => {
                let lost = format!("No {} can be found by name", source.singular);
                // What Daktela says stands last: it is a quote.
                return if given.contains(char::is_whitespace) {
                    Err(Error::Argument(format!(
                        "{lost}; give the id, as answers show it in brackets behind the name. {}",
                        error.text()
                    )))
                } else {
                    Ok(as_given(Some(format!(
                        "{lost}, and {given:?} was taken as an id. {}",
                        error.text()
                    ))))
                };
            }
            Err(error) => return Err(error),
        };
        for row in &page.rows {
            if let Some(name) = value::text_at(row, "name") {
                let entry = (
                    name,
                    value::text_at(row, "title")
                        .map(|title| text::line(&title))
                        .unwrap_or_default(),
                );
                // One record may come by several queries.
                if seen.insert(entry.clone()) {
                    known.push(entry);
                }
            }
        }
    }
    if let Some(chosen) = pick(&known, source, given)? {
        return Ok(chosen);
    }
    // Who came within the hour is not in what a cache holds.
    let anew = client.bypass_cache(|| choose(client, source, given, queries, client.read_pages(queries)));
    anew.unwrap_or_else(|| Err(unknown(source, given)))
}

/// Whether there is more of a directory than this page.
fn is_part(page: &Page) -> bool {
    let read = page.rows.len() as u64;
    page.total.map_or(read >= TAKE_MAX, |total| total > read)
}

/// The one that is meant, if any is.
fn pick(known: &[Entry], source: &Source, given: &str) -> Result<Option<Chosen>, Error> {
    let chosen = |(name, title): &Entry, note| Chosen {
        name: name.clone(),
        title: (!title.is_empty()).then(|| title.clone()),
        note,
    };
    let wanted = text::fold(given);
    let matching = |matches: Test| known.iter().filter(|entry| matches(entry)).collect::<Vec<_>>();
    let exact: [Test; 4] = [
        &|(name, _)| name == given,
        &|(_, title)| title.to_lowercase() == text::line(given).to_lowercase(),
        &|(name, _)| text::fold(name) == wanted,
        &|(_, title)| text::fold(title) == wanted,
    ];
    for test in exact {
        match matching(test)[..] {
            [] => {}
            [entry] => return Ok(Some(chosen(entry, None))),
            ref several => return Err(ambiguous(several, source, given)),
        }
    }
    match matching(&|(name, title)| text::fold(title).contains(&wanted) || text::fold(name).contains(&wanted))[..] {
        [] => Ok(None),
        [entry] => {
            let entry = chosen(entry, None);
            let note = format!(
                "{:?} was taken as the {} {}, the only match.",
                text::line(given),
                source.singular,
                entry.shown()
            );
            Ok(Some(Chosen {
                note: Some(note),
                ..entry
            }))
        }
        ref several => Err(ambiguous(several, source, given)),
    }
}

fn unknown(source: &Source, given: &str) -> Error {
    Error::Argument(format!(
        "No {} answers to {:?}. {} shows the {} that there are.",
        source.singular,
        text::line(given),
        source.tool,
        source.plural
    ))
}

fn ambiguous(entries: &[&Entry], source: &Source, given: &str) -> Error {
    let shown = entries.iter().take(CANDIDATES as usize);
    let list: Vec<String> = shown
        .map(|(name, title)| format!("- {} ({name})", if title.is_empty() { "no title" } else { title }))
        .collect();
    let more = entries.len().saturating_sub(list.len());
    let more = if more > 0 {
        format!("\n- and {more} more")
    } else {
        String::new()
    };
    let at_least = if !source.small && entries.len() as u64 >= CANDIDATES {
        "At least "
    } else {
        ""
    };
    Error::Argument(format!(
        "{at_least}{} {} answer to {:?}. Call again with the id (in brackets) of the one that is meant:\n{}{more}",
        entries.len(),
        source.plural,
        text::line(given),
        list.join("\n"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::{CONTACTS, USERS};

    fn known() -> Vec<Entry> {
        [
            ("jan.novak", "Jan Novák"),
            ("petr.novak", "Petr Novák"),
            ("eva", "Eva Malá"),
            ("petra.eva", "Petra Evanová"),
            ("eva2", "Eva Malá"),
        ]
        .map(|(name, title)| (name.to_owned(), title.to_owned()))
        .to_vec()
    }

    #[track_caller]
    fn found(given: &str) -> String {
        pick(&known(), &USERS, given).expect("no doubt").expect("one").shown()
    }

    #[test]
    fn a_login_beats_titles_that_hold_it_and_accents_may_be_left_out() {
        assert_eq!(found("eva"), "Eva Malá (eva)");
        assert_eq!(found("jan novak"), "Jan Novák (jan.novak)");
        assert_eq!(found("JAN.NOVAK"), "Jan Novák (jan.novak)");
    }

    #[test]
    fn the_only_partial_match_is_taken_and_said() {
        let chosen = pick(&known(), &USERS, "evanova").expect("no doubt").expect("one");
        assert_eq!(
            chosen.note.as_deref(),
            Some("\"evanova\" was taken as the user Petra Evanová (petra.eva), the only match.")
        );
    }

    #[test]
    fn several_matches_are_listed() {
        assert_eq!(
            pick(&known(), &USERS, "Novák").expect_err("two").text(),
            "2 users answer to \"Novák\". Call again with the id (in brackets) of the one that is meant:\n- Jan Novák (jan.novak)\n- Petr Novák (petr.novak)"
        );
        assert!(
            pick(&known(), &USERS, "Eva Malá")
                .expect_err("two of the same title")
                .text()
                .starts_with("2 users answer")
        );
    }

    #[test]
    fn no_match_names_the_tool_that_lists_them() {
        assert_eq!(pick(&known(), &USERS, "Zoe"), Ok(None));
        assert_eq!(
            unknown(&USERS, "Zoe").text(),
            "No user answers to \"Zoe\". list_users shows the users that there are."
        );
    }

    #[test]
    fn generated_ids_need_no_look_up() {
        assert!(is_generated(&CONTACTS, "contact_627382e40611a356276396"));
        assert!(!is_generated(&CONTACTS, "contact_desk"));
        assert!(!is_generated(&USERS, "627382e40611a356276396"));
    }
}
