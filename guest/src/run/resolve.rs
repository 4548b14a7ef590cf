//! Name resolution: names that people use → ids that Daktela's filters want. An exact match wins, with words in any order and
//! without titles; a single partial match is used and noted; several matches, or near misses, are returned as candidates. Contacts are also found by their phone number or e-mail address.

use std::collections::BTreeSet;

use super::contact_points::{self, Wanted};
use crate::{
    daktela::{
        client::{Client, Page},
        error::Error,
        query::{Filter, Query, TAKE_MAX},
    },
    model::{context::Context, directory::Source},
    names::{self, Name},
    phone::Likeness,
    render::markdown::{inline, quoted},
    text, unicode, value,
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
            Some(title) if *title != self.name => shown(&self.name, title),
            _ => inline(&self.name, SHOWN_CHARS),
        }
    }
}

/// Names and titles come out of records, where customers write them.
fn shown(name: &str, title: &str) -> String {
    format!("{} ({})", inline(title, SHOWN_CHARS), inline(name, SHOWN_CHARS))
}

/// Longer than Daktela's titles (255).
const SHOWN_CHARS: usize = 300;

/// A record's name and title.
type Entry = (String, String);
type Test<'a> = &'a dyn Fn(&Known) -> bool;

/// An entry with what it is compared by.
struct Known<'a> {
    entry: &'a Entry,
    id: String,
    name: Name,
}

/// How many partial matches are asked for, and so listed at most when they are ambiguous.
const CANDIDATES: u64 = 20;

/// A generated id is its prefix and at least this many hexadecimal digits.
const GENERATED_DIGITS: usize = 13;

/// How many near misses are offered.
const NEAR_MAX: usize = 5;
/// How many records of a large directory are compared for near misses.
const NEAR_READ: u64 = 200;

/// Resolves several names; what has to be read for them is read at once.
pub(crate) fn resolve(context: &Context, wanted: &[(&'static Source, &str)]) -> Result<Vec<Chosen>, Error> {
    let client = &context.client;
    let queries: Vec<Vec<Query>> = wanted.iter().map(|(source, given)| queries(source, given)).collect();
    // Several names out of one small directory are one read.
    let mut distinct: Vec<Query> = Vec::new();
    for query in queries.iter().flatten() {
        if !distinct.contains(query) {
            distinct.push(query.clone());
        }
    }
    let read = client.read_pages(&distinct);
    let page_of = |query: &Query| {
        let at = distinct.iter().position(|one| one == query);
        read[at.expect("each query is among the distinct ones")].clone()
    };
    wanted
        .iter()
        .zip(&queries)
        .map(|((source, given), queries)| {
            let pages: Vec<Result<Page, Error>> = queries.iter().map(page_of).collect();
            match contact_point(source, given) {
                Some(wanted) => by_contact_point(context, source, given, &wanted),
                None => choose(client, source, given, queries, pages),
            }
        })
        .collect()
}

/// The number or address by which a contact is named.
fn contact_point(source: &Source, given: &str) -> Option<Wanted> {
    (source.endpoint == contact_points::ENDPOINT)
        .then(|| contact_points::wanted(given))
        .flatten()
}

/// The contact with a phone number or an e-mail address. Some contacts have theirs as their id, too.
fn by_contact_point(context: &Context, source: &Source, given: &str, wanted: &Wanted) -> Result<Chosen, Error> {
    let by_id = Query::new(source.endpoint, 1)
        .fields(&["name", "title"])
        .filter(Filter::eq("name", given));
    if let Some(row) = context.client.read_page(&by_id)?.rows.first() {
        return Ok(Chosen {
            name: value::text_at(row, "name").unwrap_or_else(|| given.to_owned()),
            title: value::text_at(row, "title").map(|title| text::line(&title)),
            note: None,
        });
    }
    let contact_points::Search { found, searched } = contact_points::find(context, wanted)?;
    let best = found.iter().map(|found| found.likeness).min();
    let what = wanted.noun();
    let all: Vec<&contact_points::Found> = found.iter().filter(|found| Some(found.likeness) == best).collect();
    let list = || -> String {
        let shown = all.iter().take(CANDIDATES as usize);
        let lines: Vec<String> = shown
            .map(|found| {
                format!(
                    "- {}: {}",
                    shown_or_untitled(&found.name, &found.title),
                    inline(&found.value, 100)
                )
            })
            .collect();
        let more = all.len() - lines.len();
        lines.join("\n")
            + &if more > 0 {
                format!("\n- and {more} more")
            } else {
                String::new()
            }
    };
    match (best, &all[..]) {
        (None | Some(Likeness::Different), _) => Err(Error::Argument(format!(
            "No contact has the {what} {}. {searched} {}{} finds contacts by part of a name, too.",
            quoted(given),
            wanted.without_contact(),
            source.tool
        ))),
        (Some(Likeness::End), _) => Err(Error::Argument(format!(
            "No contact has the {what} {}. These have one that ends in the same digits only; call again with the id (in brackets) of the one that is meant:\n{}",
            quoted(given),
            list()
        ))),
        (Some(likeness), [found]) => {
            let chosen = Chosen {
                name: found.name.clone(),
                title: (!found.title.is_empty()).then(|| found.title.clone()),
                note: None,
            };
            let without = match likeness {
                Likeness::National => {
                    " A country code is missing in one of the two numbers, so only the rest was compared."
                }
                _ => "",
            };
            let note = format!(
                "{} was taken as the contact {}, who has {}.{without}",
                quoted(given),
                chosen.shown(),
                inline(&found.value, 100)
            );
            Ok(Chosen {
                note: Some(note),
                ..chosen
            })
        }
        (Some(likeness), several) => {
            let without = if likeness == Likeness::National {
                ", as far as country codes are missing"
            } else {
                ""
            };
            Err(Error::Argument(format!(
                "{} contacts have the {what} {}{without}. Call again with the id (in brackets) of the one that is meant:\n{}",
                several.len(),
                quoted(given),
                list()
            )))
        }
    }
}

fn queries(source: &Source, given: &str) -> Vec<Query> {
    let query = |take| {
        Query::new(source.endpoint, take)
            .fields(&["name", "title"])
            .reference_data(source.small)
    };
    if source.small {
        vec![query(TAKE_MAX)]
    } else if is_generated(source, given) || contact_point(source, given).is_some() {
        Vec::new()
    } else {
        vec![
            query(CANDIDATES).filter(Filter::eq("name", given)),
            query(CANDIDATES).filter(Filter::eq("title", given)),
            query(CANDIDATES).filter(contact_points::named("title", given)),
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
    // A set, since a directory may hold 20,000 people.
    let mut known: BTreeSet<Entry> = BTreeSet::new();
    let mut order: Vec<Entry> = Vec::new();
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
                        "{lost}, and {} was taken as an id. {}",
                        quoted(given),
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
                if known.insert(entry.clone()) {
                    order.push(entry);
                }
            }
        }
    }
    if let Some(chosen) = pick(&order, source, given)? {
        return Ok(chosen);
    }
    // Who came within the hour is not in what a cache holds.
    let anew = client.bypass_cache(|| choose(client, source, given, queries, client.read_pages(queries)));
    anew.unwrap_or_else(|| {
        if !source.small {
            order = near_entries(client, source, given);
            // Daktela may mind accents where people do not write them.
            if let Some(chosen) = pick(&order, source, given)? {
                return Ok(chosen);
            }
        }
        Err(unknown(source, given, &order))
    })
}

/// All entries of a small directory, id and title; nothing where it cannot be read.
pub(crate) fn entries(context: &Context, source: &Source) -> Option<Vec<(String, String)>> {
    let query = Query::new(source.endpoint, TAKE_MAX)
        .fields(&["name", "title"])
        .reference_data(source.small);
    let rows = context.client.read_all(&query).ok()?.rows;
    let entry = |row: &serde_json::Value| {
        let title = value::text_at(row, "title").unwrap_or_default();
        Some((value::text_at(row, "name")?, text::line(&title)))
    };
    Some(rows.iter().filter_map(entry).collect())
}

/// Records of a large directory that may be near misses: those with the beginning of a word in their title.
fn near_entries(client: &Client, source: &Source, given: &str) -> Vec<Entry> {
    let beginning = |word: &String| word.chars().take(NEAR_CHARS).collect::<String>();
    let mut any: Vec<Filter> = Vec::new();
    for word in Name::search_words(given)
        .iter()
        .filter(|word| word.chars().count() >= NEAR_CHARS)
        .take(4)
    {
        any.push(Filter::contains("title", &beginning(word)));
        let plain = unicode::fold(&beginning(word));
        if plain != beginning(word).to_lowercase() {
            any.push(Filter::contains("title", &plain));
        }
    }
    if any.is_empty() {
        return Vec::new();
    }
    let query = Query::new(source.endpoint, NEAR_READ)
        .fields(&["name", "title"])
        .filter(Filter::Any(any));
    // Candidates are help with an error, which stands without them.
    let rows = client.read_page(&query).map(|page| page.rows).unwrap_or_default();
    rows.iter()
        .filter_map(|row| Some((value::text_at(row, "name")?, text::line(&value::text_at(row, "title")?))))
        .collect()
}

/// A word that is misspelled is mostly right in its first letters.
const NEAR_CHARS: usize = 3;

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
    if let Some(entry) = known.iter().find(|(name, _)| name == given) {
        return Ok(Some(chosen(entry, None)));
    }
    let wanted = Name::new(&text::line(given));
    let line = unicode::nfc(&text::line(given)).to_lowercase();
    // Folded once, since a directory may hold 20,000 people.
    let known: Vec<Known> = known
        .iter()
        .map(|entry| Known {
            entry,
            id: text::fold(&entry.0),
            name: Name::new(&entry.1),
        })
        .collect();
    let matching = |matches: Test| {
        known
            .iter()
            .filter(|known| matches(known))
            .map(|known| known.entry)
            .collect::<Vec<_>>()
    };
    let exact: [Test; 4] = [
        &|known| unicode::nfc(&known.entry.1).to_lowercase() == line,
        &|known| known.id == wanted.folded(),
        &|known| known.name.folded() == wanted.folded(),
        &|known| known.name.is_same(&wanted),
    ];
    for (i, test) in exact.into_iter().enumerate() {
        match matching(test)[..] {
            [] => {}
            // An id is no part of a name.
            [entry] if i == 1 => return Ok(Some(chosen(entry, None))),
            [entry] => return Ok(Some(chosen(entry, also_begins(&known, entry, source, given, &wanted)))),
            ref several => return Err(ambiguous(several, source, given)),
        }
    }
    match matching(&|known| wanted.is_within(&known.name) || known.id.contains(wanted.folded()))[..] {
        [] => Ok(None),
        [entry] => {
            let entry = chosen(entry, None);
            let note = format!(
                "{} was taken as the {} {}, the only match.",
                quoted(given),
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

/// Others whose title begins with that of the one that was chosen, and who may be meant.
fn also_begins(known: &[Known], chosen: &Entry, source: &Source, given: &str, wanted: &Name) -> Option<String> {
    let others: Vec<&Entry> = known
        .iter()
        .filter(|other| other.entry != chosen && wanted.begins(&other.name))
        .map(|other| other.entry)
        .collect();
    let shown: Vec<String> = others
        .iter()
        .take(ALSO_MAX)
        .map(|(name, title)| shown(name, title))
        .collect();
    let more = if others.len() > shown.len() {
        format!(" and {} more", others.len() - shown.len())
    } else {
        String::new()
    };
    (!shown.is_empty()).then(|| {
        format!(
            "{} was taken as the {} of that name; it also begins {}{more}.",
            quoted(given),
            source.singular,
            shown.join(", ")
        )
    })
}

/// How many others are named beside the one that was chosen.
const ALSO_MAX: usize = 3;

fn shown_or_untitled(name: &str, title: &str) -> String {
    shown(name, if title.is_empty() { "no title" } else { title })
}

fn unknown(source: &Source, given: &str, known: &[Entry]) -> Error {
    let near = names::nearest(given, known.iter().map(|(_, title)| title.as_str()), NEAR_MAX);
    let near: Vec<String> = near
        .into_iter()
        .map(|i| format!("\n- {}", shown(&known[i].0, &known[i].1)))
        .collect();
    let near = if near.is_empty() {
        String::new()
    } else {
        format!(
            " Near are (call again with the id in brackets, if one is meant):{}\n",
            near.concat()
        )
    };
    Error::Argument(format!(
        "No {} answers to {}.{near}{}{} shows the {} that there are.",
        source.singular,
        quoted(given),
        if near.is_empty() { " " } else { "" },
        source.tool,
        source.plural
    ))
}

fn ambiguous(entries: &[&Entry], source: &Source, given: &str) -> Error {
    let candidates = entries.iter().take(CANDIDATES as usize);
    let list: Vec<String> = candidates
        .map(|(name, title)| format!("- {}", shown_or_untitled(name, title)))
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
        "{at_least}{} {} answer to {}. Call again with the id (in brackets) of the one that is meant:\n{}{more}",
        entries.len(),
        source.plural,
        quoted(given),
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
            unknown(&USERS, "Zoe", &known()).text(),
            "No user answers to \"Zoe\". list_users shows the users that there are."
        );
    }

    #[test]
    fn generated_ids_need_no_look_up() {
        assert!(is_generated(&CONTACTS, "contact_627382e40611a356276396"));
        assert!(!is_generated(&CONTACTS, "contact_desk"));
        assert!(!is_generated(&USERS, "627382e40611a356276396"));
    }

    #[test]
    fn order_titles_and_normal_forms_make_no_difference() {
        for given in [
            "Novák Jan",
            "Novák, Jan",
            "Ing. Jan Novák, Ph.D.",
            "Jan Nova\u{301}k",
            "NOVAK JAN",
        ] {
            assert_eq!(found(given), "Jan Novák (jan.novak)", "{given}");
        }
        let known = [
            ("gross".to_owned(), "Jürgen Groß".to_owned()),
            ("huong".to_owned(), "Nguyê\u{303}n Thị Hương".to_owned()),
        ];
        for (given, name) in [
            ("Jurgen Gross", "gross"),
            ("Nguyen Thi Huong", "huong"),
            ("Nguyễn Thị Hương", "huong"),
        ] {
            assert_eq!(pick(&known, &USERS, given).expect("no doubt").expect("one").name, name);
        }
    }

    #[test]
    fn a_name_that_also_begins_another_says_so() {
        let known = [
            ("ps".to_owned(), "Petr Svoboda".to_owned()),
            ("ps2".to_owned(), "Petr Svobodamladý".to_owned()),
        ];
        let chosen = pick(&known, &USERS, "petr svoboda").expect("no doubt").expect("one");
        assert_eq!(chosen.name, "ps");
        assert_eq!(
            chosen.note.as_deref(),
            Some("\"petr svoboda\" was taken as the user of that name; it also begins Petr Svobodamladý (ps2).")
        );
        assert_eq!(pick(&known, &USERS, "ps").expect("no doubt").expect("one").note, None);
    }

    #[test]
    fn near_misses_are_offered() {
        assert_eq!(
            unknown(&USERS, "Jan Novk", &known()).text(),
            "No user answers to \"Jan Novk\". Near are (call again with the id in brackets, if one is meant):\n\
             - Jan Novák (jan.novak)\n\
             list_users shows the users that there are."
        );
    }

    #[test]
    fn a_title_cannot_speak_for_the_server() {
        let known = [(
            "c".to_owned(),
            "Novák · stage CLOSE [x](https://evil.example)".to_owned(),
        )];
        let chosen = pick(&known, &USERS, "novák").expect("no doubt").expect("one");
        assert_eq!(chosen.shown(), "Novák • stage CLOSE [x] (https://evil.example) (c)");
    }

    #[test]
    fn a_large_directory_is_compared_in_linear_time() {
        let people = |n: usize| {
            (0..n)
                .map(|i| (format!("u{i}"), format!("Jméno{i} Příjmení{i}")))
                .collect::<Vec<Entry>>()
        };
        let time = |known: &[Entry]| {
            let start = std::time::Instant::now();
            assert_eq!(pick(known, &USERS, "Nikdo Takový"), Ok(None));
            drop(unknown(&USERS, "Nikdo Takový", known));
            start.elapsed().as_secs_f64()
        };
        let (few, many) = (people(2_000), people(16_000));
        let best = |known: &[Entry]| (0..3).map(|_| time(known)).fold(f64::MAX, f64::min);
        // Eight times as many take eight times as long; 64 times would be quadratic.
        assert!(best(&many) < best(&few) * 24.0);
    }
}
