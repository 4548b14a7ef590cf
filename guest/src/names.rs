//! Name matching for people and whatever else has a title: words in any order, academic titles left out, case, accents and
//! normal forms folded, and near misses ranked by edit distance.

use crate::{sort, unicode};

/// Titles before and behind names. Those that are names, too, count where they are written with a dot.
const TITLES: &[&str] = &[
    "akad", "arch", "artd", "bc", "bca", "bsc", "csc", "dba", "dipl", "dipl-ing", "dis", "dr", "drsc", "dsc", "et",
    "frau", "herr", "inz", "ing", "judr", "llb", "llm", "mba", "mddr", "mga", "mgr", "mha", "mpa", "mph", "mr", "mrs",
    "msc", "msgr", "mudr", "mvdr", "paeddr", "pan", "pani", "pharmdr", "phd", "phdr", "phmr", "prof", "rndr", "rsdr",
    "thdr", "thlic", "thmgr",
];
const TITLES_WITH_DOT: &[&str] = &[
    "art", "ba", "doc", "habil", "ir", "jur", "lic", "nat", "oec", "phil", "pol", "rer", "soc", "techn", "hab", "hc",
    "lek", "ma", "mag", "med", "ms", "p", "sl", "univ",
];

/// A name, prepared for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The whole, folded.
    folded: String,
    /// Its words in alphabetical order, without titles.
    words: Vec<String>,
}

impl Name {
    /// The whole name in small letters without accents.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    pub fn new(text: &str) -> Name {
        let folded = unicode::fold(text);
        let split = || {
            folded
                .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
                .filter(|word| !word.is_empty())
        };
        let mut words: Vec<String> = split().filter(|word| !is_title(word)).map(bare).collect();
        // Somebody whose name is a title keeps it.
        if words.is_empty() {
            words = split().map(bare).collect();
        }
        words.retain(|word| !word.is_empty());
        sort::sort_by(&mut words, |a, b| a.cmp(b));
        Name { folded, words }
    }

    /// The words that a search has to find, as they were written, longest first.
    pub fn search_words(text: &str) -> Vec<String> {
        let text = unicode::nfc(text);
        let split = || {
            text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
                .filter(|word| !word.is_empty())
        };
        let mut words: Vec<String> = split()
            .filter(|word| !is_title(&unicode::fold(word)))
            .map(str::to_owned)
            .collect();
        if words.is_empty() {
            words = split().map(str::to_owned).collect();
        }
        sort::sort_by_key(&mut words, |word| std::cmp::Reverse(word.chars().count()));
        words
    }

    /// The same words in any order, titles aside.
    pub fn is_same(&self, other: &Name) -> bool {
        self.folded == other.folded || (!self.words.is_empty() && self.words == other.words)
    }

    /// Whether this is within another name: as it is written, or each of its words begins another one of the name's.
    pub fn is_within(&self, other: &Name) -> bool {
        other.folded.contains(&self.folded) || self.begins_words_of(other)
    }

    /// Whether another name begins with this one, the vowel at the end of a word aside, which names are inflected by:
    /// `Petr Svoboda` begins `Petr Svoboda ml.`, `Petra Svobodová` and `Petr Svobodník`.
    pub fn begins(&self, other: &Name) -> bool {
        !self.is_same(other) && (other.folded.starts_with(&self.folded) || self.begin_words_of(other, stem))
    }

    fn begins_words_of(&self, other: &Name) -> bool {
        self.begin_words_of(other, |word| word)
    }

    /// Whether each word of this name, in the form that `part` gives it, begins another word of the other one.
    fn begin_words_of(&self, other: &Name, part: impl Fn(&str) -> &str) -> bool {
        let mut free: Vec<&String> = other.words.iter().collect();
        // The longest first, so that a short word takes none that only a longer one begins.
        let mut words: Vec<&String> = self.words.iter().collect();
        sort::sort_by_key(&mut words, |word| std::cmp::Reverse(word.len()));
        !words.is_empty()
            && words.into_iter().all(|word| {
                let at = free.iter().position(|other| other.starts_with(part(word)));
                at.map(|at| free.swap_remove(at)).is_some()
            })
    }

    /// How far another name is away: fewer is nearer, `None` is something else. A few letters may differ, a word may be
    /// missing in one of them, or one word of several is the same.
    pub fn distance(&self, other: &Name) -> Option<usize> {
        let (a, b) = (self.words.join(" "), other.words.join(" "));
        let most = (a.chars().count() / 4).clamp(1, 4);
        if let Some(distance) = edits(&a, &b, most) {
            return Some(distance);
        }
        let common = self.words.iter().filter(|word| other.words.contains(word)).count();
        let (few, many) = (
            self.words.len().min(other.words.len()),
            self.words.len().max(other.words.len()),
        );
        if few > 0 && common == few {
            return Some(10 + many - few);
        }
        // A word that differs in letters only, beside others that are the same or as near.
        let near = self.words.iter().filter(|word| {
            let most = (word.chars().count() / 3).clamp(1, 2);
            other.words.iter().any(|other| edits(word, other, most).is_some())
        });
        if near.count() == self.words.len() {
            return Some(20 + many - few);
        }
        // Forms of companies say nothing: s.r.o., sp. z o.o.
        let says_something = |word: &&String| word.chars().count() >= 4 && !word.contains('.');
        let shares = self
            .words
            .iter()
            .filter(says_something)
            .any(|word| other.words.contains(word));
        shares.then_some(30 + many - common)
    }
}

/// The nearest of these titles by their places, the nearest first.
pub fn nearest<'a>(wanted: &str, titles: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<usize> {
    let wanted = Name::new(wanted);
    let near = titles.into_iter().enumerate();
    let mut near: Vec<(usize, usize)> = near
        .filter_map(|(i, title)| Some((wanted.distance(&Name::new(title))?, i)))
        .collect();
    sort::sort_by_key(&mut near, |near| *near);
    // Where some are near, what only shares a word is no help.
    let least = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter()
        .filter(|(distance, _)| distance / 10 == least / 10)
        .take(most)
        .map(|(_, i)| i)
        .collect()
}

fn is_title(folded: &str) -> bool {
    let has_dot = folded.contains('.');
    let plain: String = folded.chars().filter(|c| *c != '.').collect();
    // Ing.arch., Dr.med.
    let parts = || folded.split('.').filter(|part| !part.is_empty());
    let is_known = |part: &str| TITLES.contains(&part) || (has_dot && TITLES_WITH_DOT.contains(&part));
    is_known(&plain) || (has_dot && parts().count() > 1 && parts().all(is_known))
}

/// A longer word without a vowel at its end.
fn stem(word: &str) -> &str {
    let stem = word.trim_end_matches(['a', 'e', 'i', 'o', 'u', 'y']);
    if stem.chars().count() >= 4 { stem } else { word }
}

/// A word without the dots around it.
fn bare(word: &str) -> String {
    word.trim_matches(['.', '"', '\'', '(', ')']).to_owned()
}

/// The number of inserted, left out, exchanged and swapped letters (optimal string alignment), up to `most`.
fn edits(a: &str, b: &str, most: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i);
        for j in 1..=b.len() {
            let mut least = (above[j] + 1)
                .min(row[j - 1] + 1)
                .min(above[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        if row.iter().all(|distance| *distance > most) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    let distance = above[b.len()];
    (distance <= most).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(a: &str, b: &str) {
        assert!(Name::new(a).is_same(&Name::new(b)), "{a} and {b}");
        assert!(Name::new(b).is_same(&Name::new(a)), "{b} and {a}");
    }

    #[test]
    fn order_titles_case_and_spelling_make_no_difference() {
        for given in [
            "Jan Novák",
            "Novák Jan",
            "Novák, Jan",
            "NOVÁK Jan",
            "Ing. Jan Novák",
            "Ing. Jan Novák, Ph.D.",
            "prof. MUDr. Jan Novák, DrSc., MBA",
            "Novák Jan Ing.",
            "Ing.arch. Jan Novák",
            "Mgr. et Mgr. Jan Novák DiS.",
            "doc. RNDr. Jan  Novák CSc.",
            "Nova\u{301}k Jan",
            "jan novak",
            "Pan Jan Novák",
            "Dipl.-Ing. Jan Novák",
        ] {
            same(given, "Jan Novák");
        }
        same("Jurgen Gross", "Jürgen Groß");
        same("Nguyen Thi Huong", "Nguyễn Thị Hương");
        same("Huong Nguyen Thi", "Nguyễn Thị Hương");
        same("Lukasz Swiatek", "Łukasz Świątek");
        same("O'Brien Conor", "Conor O’Brien");
    }

    #[test]
    fn names_that_are_titles_stay_names() {
        assert!(!Name::new("Ma Jun").is_same(&Name::new("Jun")));
        assert!(!Name::new("Jan Novák").is_same(&Name::new("Jan Nováková")));
        assert!(!Name::new("Jan Novák st.").is_same(&Name::new("Jan Novák ml.")));
        same("Dr.", "dr");
    }

    #[test]
    fn a_name_that_begins_another_is_told() {
        assert!(Name::new("Petr Svoboda").begins(&Name::new("Petr Svoboda ml.")));
        assert!(Name::new("Petr Svobod").begins(&Name::new("Svobodník Petr")));
        assert!(Name::new("Petr Svoboda").begins(&Name::new("Petr Svobodník")));
        assert!(!Name::new("Petr Svoboda").begins(&Name::new("Petr Novák")));
        assert!(!Name::new("Petr Svoboda").begins(&Name::new("Svoboda Petr")));
        assert!(Name::new("novak").is_within(&Name::new("Ing. Jan Novák")));
        assert!(Name::new("Novák J").is_within(&Name::new("Jan Novák")));
        assert!(!Name::new("Jan Jan").is_within(&Name::new("Jan Novák")));
    }

    #[test]
    fn near_misses_are_ranked() {
        let titles = [
            "Jan Novák",
            "Jana Nováková",
            "Petr Novák",
            "Karel Malý",
            "Novák",
            "Jan Petr Novák",
        ];
        let near = |wanted| {
            nearest(wanted, titles, 5)
                .into_iter()
                .map(|i| titles[i])
                .collect::<Vec<_>>()
        };
        assert_eq!(near("Jan Novk"), ["Jan Novák"]);
        assert_eq!(near("Jna Novák"), ["Jan Novák"]);
        assert_eq!(near("Karl Maly"), ["Karel Malý"]);
        assert_eq!(near("Tomáš Novák"), ["Novák"]);
        assert_eq!(near("Juergen Gross"), Vec::<&str>::new());
        assert_eq!(nearest("Juergen Gross", ["Jürgen Groß"], 5), [0]);
        assert_eq!(near("Zoe"), Vec::<&str>::new());
    }

    #[test]
    fn edits_are_counted_up_to_a_bound() {
        assert_eq!(edits("novak", "novak", 2), Some(0));
        assert_eq!(edits("novak", "noavk", 2), Some(1));
        assert_eq!(edits("novak", "novotny", 2), None);
        assert_eq!(edits("", "ab", 2), Some(2));
    }

    #[test]
    fn words_for_a_search_are_as_written_without_titles() {
        assert_eq!(Name::search_words("Ing. Jan Nova\u{301}k"), ["Novák", "Jan"]);
        assert_eq!(Name::search_words("Dr."), ["Dr."]);
    }
}
