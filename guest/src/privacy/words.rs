//! Recogniser of names and postal addresses in free text, over its words: those of the answer in all their forms, and unknown ones by
//! lists of frequent names and by what stands around them.

use std::{ops::Range, sync::LazyLock};

use super::{
    kind::Kind,
    lists,
    numbers::{self, Found},
    stem::stem,
};
use crate::{names::Name, unicode};

/// What a stem or a word is known as.
mod role {
    pub(super) const FIRST: u16 = 1;
    pub(super) const SURNAME: u16 = 2;
    pub(super) const ALSO_WORD: u16 = 4;
    pub(super) const NO_NAME: u16 = 8;
    pub(super) const TITLE: u16 = 16;
    pub(super) const INTRODUCTION: u16 = 32;
    pub(super) const GREETING: u16 = 64;
    pub(super) const CLOSING: u16 = 128;
    pub(super) const LABEL: u16 = 256;
    pub(super) const PLATE: u16 = 512;
    pub(super) const STREET: u16 = 1024;
    pub(super) const LIVES: u16 = 2048;
    pub(super) const TOWN: u16 = 4096;
    /// Of a known surname: a word, so that in small letters it is none.
    pub(super) const COMMON: u16 = 8192;
    /// What a word in small letters is looked up for.
    pub(super) const TRIGGERS: u16 = TITLE | INTRODUCTION | GREETING | CLOSING | LABEL | PLATE | STREET | LIVES;
}

/// A hash table of words with their roles, and what is known by them.
struct Table {
    slots: Vec<Vec<Entry>>,
}

struct Entry {
    word: String,
    roles: u16,
    /// Of a known identity's first word, or any of a person's.
    known: Vec<u32>,
}

const SLOTS: usize = 2048;

impl Table {
    fn new() -> Self {
        Table {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
        }
    }

    fn slot(word: &str) -> usize {
        let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        (hash ^ hash >> 15) as usize % SLOTS
    }

    fn get(&self, word: &str) -> Option<&Entry> {
        self.slots[Self::slot(word)].iter().find(|entry| entry.word == word)
    }

    fn roles(&self, word: &str) -> u16 {
        self.get(word).map_or(0, |entry| entry.roles)
    }

    fn entry(&mut self, word: &str) -> &mut Entry {
        let slot = &mut self.slots[Self::slot(word)];
        let at = slot.iter().position(|entry| entry.word == word).unwrap_or_else(|| {
            slot.push(Entry {
                word: word.to_owned(),
                roles: 0,
                known: Vec::new(),
            });
            slot.len() - 1
        });
        &mut slot[at]
    }
}

/// An identity that the answer names.
struct Known {
    kind: Kind,
    /// Of a person in any order, of others in theirs: folded.
    words: Vec<String>,
    stems: Vec<String>,
    normal: String,
}

/// The words of the lists.
struct Lists {
    /// By stem.
    stems: Table,
    /// By folded word.
    words: Table,
    /// Pairs of first letters that triggers begin with.
    beginnings: Vec<bool>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(Lists::new);

/// What is looked for in texts.
pub(super) struct Words {
    lists: &'static Lists,
    /// Of what is known, by stem.
    stems: Table,
    known: Vec<Known>,
    phones: Vec<String>,
    /// Pairs of first letters that known names begin with.
    known_beginnings: Vec<bool>,
}

/// A word of a text: letters and digits, with an apostrophe within.
pub(super) struct Token {
    start: u32,
    end: u32,
    is_capital: bool,
    is_number: bool,
}

/// A token with what its word is known as.
struct Seen {
    folded: String,
    stem: String,
    roles: u16,
}

/// The longest name has this many words.
const NAME_WORDS_MAX: usize = 4;

impl Lists {
    fn new() -> Self {
        let mut of = Lists {
            stems: Table::new(),
            words: Table::new(),
            beginnings: vec![false; 32 * 32],
        };
        for (list, role) in [
            (lists::FIRST_NAMES, role::FIRST),
            (lists::SURNAMES, role::SURNAME),
            (lists::FIRST_ALSO_WORDS, role::ALSO_WORD),
            (lists::SURNAMES_ALSO_WORDS, role::COMMON),
            (lists::TOWNS, role::TOWN),
        ] {
            for word in list.split_whitespace() {
                of.stems.entry(&stem(word)).roles |= role;
            }
        }
        for (list, role) in [
            (lists::NO_NAMES, role::NO_NAME),
            (lists::TITLES, role::TITLE),
            (lists::INTRODUCTIONS, role::INTRODUCTION),
            (lists::GREETINGS, role::GREETING),
            (lists::CLOSINGS, role::CLOSING),
            (lists::LABELS, role::LABEL),
            (lists::PLATE_WORDS, role::PLATE),
            (lists::STREETS, role::STREET),
            (lists::LIVES, role::LIVES),
        ] {
            for word in list.split_whitespace() {
                of.words.entry(word).roles |= role;
                if role & role::TRIGGERS != 0
                    && let Some(at) = Words::beginning(word)
                {
                    of.beginnings[at] = true;
                }
            }
        }
        of
    }
}

impl Words {
    pub(super) fn new() -> Self {
        let lists = &*LISTS;
        Words {
            lists,
            stems: Table::new(),
            known: Vec::new(),
            phones: Vec::new(),
            known_beginnings: vec![false; 32 * 32],
        }
    }

    /// The place of the first two letters, folded; `None` where they are none of Latin.
    fn beginning(word: &str) -> Option<usize> {
        let place = |c: char| -> Option<usize> {
            let plain = match c {
                'a'..='z' => c,
                'A'..='Z' => c.to_ascii_lowercase(),
                'á' | 'ä' | 'Á' => 'a',
                'č' | 'ć' | 'Č' => 'c',
                'ď' | 'Ď' => 'd',
                'é' | 'ě' | 'É' => 'e',
                'í' | 'Í' => 'i',
                'ľ' | 'ĺ' | 'Ľ' => 'l',
                'ň' | 'Ň' => 'n',
                'ó' | 'ö' | 'ô' | 'Ó' => 'o',
                'ř' | 'ŕ' | 'Ř' => 'r',
                'š' | 'ś' | 'Š' => 's',
                'ť' | 'Ť' => 't',
                'ú' | 'ů' | 'ü' | 'Ú' => 'u',
                'ý' | 'Ý' => 'y',
                'ž' | 'ż' | 'ź' | 'Ž' => 'z',
                _ => return None,
            };
            Some(plain as usize - 'a' as usize)
        };
        let mut letters = word.chars();
        Some(place(letters.next()?)? * 32 + place(letters.next()?)?)
    }

    fn mark_beginning(&mut self, word: &str) {
        if let Some(at) = Self::beginning(word) {
            self.known_beginnings[at] = true;
        }
    }

    /// Looks for a person, a company or an address of this name from now on.
    pub(super) fn learn(&mut self, kind: Kind, name: &str) {
        let (words, normal) = match kind {
            Kind::Phone => {
                let digits: String = name.chars().filter(char::is_ascii_digit).collect();
                let form = numbers::phone_form(
                    &digits,
                    name.trim_start().starts_with(['+', '(']) || digits.starts_with("00"),
                );
                if form.len() >= 6 && !self.phones.contains(&form) {
                    self.phones.push(form);
                }
                return;
            }
            Kind::Person => {
                let name = Name::new(name);
                let words: Vec<String> = name
                    .words()
                    .iter()
                    .flat_map(|word| parts(word))
                    .filter(|word| word.chars().count() > 1)
                    .collect();
                (words, name.words().join(" "))
            }
            Kind::Company => (company_words(name), normal_of_company(name)),
            Kind::Address => (
                parts(&unicode::fold(name.split([',', '\n']).next().unwrap_or(name))),
                normal_of_address(name),
            ),
            _ => return,
        };
        let is_known = self
            .known
            .iter()
            .any(|known| known.kind == kind && known.normal == normal);
        // A name of one digit or letter is none.
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        if words.is_empty() || letters < 3 || is_known || (kind == Kind::Address && words.len() < 2) {
            return;
        }
        let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
        let at = self.known.len() as u32;
        let indexed = if kind == Kind::Person { words.len() } else { 1 };
        for (word, stem) in words.iter().zip(&stems).take(indexed) {
            if kind == Kind::Person && self.lists.words.roles(word) & role::NO_NAME != 0 {
                continue;
            }
            self.stems.entry(stem).known.push(at);
            self.mark_beginning(word);
            self.mark_beginning(stem);
        }
        self.known.push(Known {
            kind,
            words,
            stems,
            normal,
        });
    }

    /// All identities of a text, from left to right, none within another.
    pub(super) fn find(&self, text: &str) -> Vec<Found> {
        let found = numbers::find(text, &|form| self.phones.iter().any(|known| known == form));
        let tokens = tokens(text);
        let mut search = Search {
            of: self,
            text,
            tokens: &tokens,
            out: Vec::new(),
        };
        search.run(&found);
        if search.out.is_empty() {
            return found;
        }
        let names = std::mem::take(&mut search.out);
        // Numbers have checks, so they go before what is only likely, unless an address holds them.
        let mut merged: Vec<Found> = Vec::with_capacity(found.len() + names.len());
        let mut numbers = found.into_iter().peekable();
        for name in names {
            while let Some(before) = numbers.next_if(|number| number.end <= name.start) {
                merged.push(before);
            }
            if merged.last().is_some_and(|last| name.start < last.end) {
                continue;
            }
            if name.kind == Kind::Address {
                while numbers
                    .next_if(|number| number.start < name.end && number.kind != Kind::Email)
                    .is_some()
                {}
            }
            if numbers.peek().is_none_or(|number| name.end <= number.start) {
                merged.push(name);
            }
        }
        merged.extend(numbers);
        merged
    }
}

/// The words of a name, and of its parts with a hyphen.
fn parts(folded: &str) -> Vec<String> {
    folded
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

const LEGAL_FORMS: &[&str] = &[
    "s", "r", "o", "a", "v", "k", "z", "p", "sro", "as", "spol", "ltd", "inc", "gmbh", "llc", "corp", "co", "se",
    "ops", "vos", "kg", "ag", "bv", "sa",
];

fn company_words(name: &str) -> Vec<String> {
    let all = parts(&unicode::fold(name));
    let says: Vec<String> = all
        .iter()
        .filter(|word| !LEGAL_FORMS.contains(&word.as_str()))
        .cloned()
        .collect();
    if says.is_empty() { all } else { says }
}

pub(super) fn normal_of_company(name: &str) -> String {
    company_words(name).join(" ")
}

pub(super) fn normal_of_address(name: &str) -> String {
    parts(&unicode::fold(name)).join(" ")
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(text.len() / 7);
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        let first = if byte.is_ascii() {
            if !byte.is_ascii_alphanumeric() {
                i += 1;
                continue;
            }
            char::from(byte)
        } else {
            let Some(c) = text[i..].chars().next() else { break };
            if !c.is_alphanumeric() {
                i += c.len_utf8();
                continue;
            }
            c
        };
        let start = i;
        let mut is_number = true;
        while i < bytes.len() {
            let byte = bytes[i];
            if byte.is_ascii_alphanumeric() {
                is_number &= byte.is_ascii_digit();
                i += 1;
            } else if byte == b'\'' && bytes.get(i + 1).is_some_and(u8::is_ascii_alphabetic) && i > start {
                i += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                let Some(c) = text[i..].chars().next() else { break };
                let is_mark = ('\u{300}'..='\u{36f}').contains(&c)
                    || c == '’' && text[i + c.len_utf8()..].starts_with(char::is_alphabetic);
                if !c.is_alphanumeric() && !is_mark {
                    break;
                }
                is_number = false;
                i += c.len_utf8();
            }
        }
        out.push(Token {
            start: start as u32,
            end: i as u32,
            is_capital: first.is_uppercase(),
            is_number,
        });
    }
    out
}

/// A pass over the words of one text.
struct Search<'a> {
    of: &'a Words,
    text: &'a str,
    tokens: &'a [Token],
    out: Vec<Found>,
}

impl<'a> Search<'a> {
    fn run(&mut self, numbers: &[Found]) {
        let mut next_number = 0;
        let mut i = 0;
        while i < self.tokens.len() {
            let start = self.tokens[i].start as usize;
            while numbers.get(next_number).is_some_and(|found| found.end <= start) {
                next_number += 1;
            }
            // An e-mail's own words are within it.
            if let Some(found) = numbers
                .get(next_number)
                .filter(|found| found.start <= start && found.kind == Kind::Email)
            {
                if let Some(before) = self.before_mailbox(i, found.start) {
                    self.push(before, Kind::Person, None);
                }
                while i < self.tokens.len() && (self.tokens[i].start as usize) < found.end {
                    i += 1;
                }
                continue;
            }
            i = self.at(i).max(i + 1);
        }
    }

    fn word(&self, i: usize) -> &'a str {
        let token = &self.tokens[i];
        &self.text[token.start as usize..token.end as usize]
    }

    fn gap(&self, i: usize) -> &'a str {
        let end = self.tokens[i].end as usize;
        let next = self
            .tokens
            .get(i + 1)
            .map_or(self.text.len(), |token| token.start as usize);
        &self.text[end..next]
    }

    fn fold(word: &str) -> String {
        if word.is_ascii() {
            word.to_ascii_lowercase()
        } else {
            unicode::fold(word).replace('’', "'")
        }
    }

    fn see(&self, i: usize) -> Seen {
        let folded = Self::fold(self.word(i));
        let stem = stem(&folded);
        let roles = self.of.lists.words.roles(&folded) | self.of.lists.stems.roles(&stem);
        Seen { folded, stem, roles }
    }

    /// Looks at a token; returns the next one to look at.
    fn at(&mut self, i: usize) -> usize {
        let token = &self.tokens[i];
        if token.is_number {
            return self.postal_code(i).unwrap_or(i + 1);
        }
        let word = self.word(i);
        if !token.is_capital && !word.as_bytes()[0].is_ascii_digit() && !self.may_be(word) {
            return i + 1;
        }
        let seen = self.see(i);
        if let Some(next) = self.known(i, &seen) {
            return next;
        }
        if seen.roles & role::TRIGGERS != 0
            && let Some(next) = self.triggered(i, &seen)
        {
            return next;
        }
        if token.is_capital {
            self.capital(i, &seen)
        } else {
            i + 1
        }
    }

    /// Whether a word in small letters can be a trigger or a known name: most are not, and are looked at no further.
    fn may_be(&self, word: &str) -> bool {
        match Words::beginning(word) {
            Some(at) => {
                let is_trigger = || match word.is_ascii() {
                    true => self.of.lists.words.roles(word) & role::TRIGGERS != 0,
                    false => true,
                };
                self.of.known_beginnings[at] || self.of.lists.beginnings[at] && is_trigger()
            }
            // A letter of another script.
            None => word.len() > 2 && !word.is_ascii(),
        }
    }

    /// An identity that the answer names.
    fn known(&mut self, i: usize, seen: &Seen) -> Option<usize> {
        if self.of.known.is_empty() {
            return None;
        }
        let entry = self.of.stems.get(&seen.stem).filter(|entry| !entry.known.is_empty())?;
        let of = |at: &u32| &self.of.known[*at as usize];
        for known in entry.known.iter().map(of).filter(|known| known.kind != Kind::Person) {
            if let Some(end) = self.sequence(i, known) {
                let (kind, normal) = (known.kind, known.normal.clone());
                self.push(i..end, kind, Some(normal));
                return Some(end);
            }
        }
        let mut persons: Vec<u32> = entry
            .known
            .iter()
            .filter(|at| of(at).kind == Kind::Person)
            .copied()
            .collect();
        if persons.is_empty() {
            return None;
        }
        let mut forms = vec![(seen.folded.clone(), seen.stem.clone())];
        let mut end = i + 1;
        while end < self.tokens.len() && end - i < NAME_WORDS_MAX && self.joins(end - 1) {
            let next = self.see(end);
            // `Novák, Jan`, and not `Novák, Jan Novák`.
            let is_list = self.gap(end - 1).starts_with(',')
                && end + 1 < self.tokens.len()
                && self.gap(end) == " "
                && self.tokens[end + 1].is_capital;
            if is_list {
                break;
            }
            let both: Vec<u32> = self
                .of
                .stems
                .get(&next.stem)
                .map(|entry| entry.known.iter().filter(|at| persons.contains(at)).copied().collect())
                .unwrap_or_default();
            if both.is_empty()
                || forms.iter().any(|(_, known)| *known == next.stem)
                    && !both
                        .iter()
                        .any(|at| of(at).stems.iter().filter(|known| **known == next.stem).count() > 1)
            {
                break;
            }
            persons = both;
            forms.push((next.folded, next.stem));
            end += 1;
        }
        if end == i + 1 && !self.is_alone(i, seen, &persons) {
            return None;
        }
        // The one whose own words these are, or at least of the same gender.
        let exact: Vec<u32> = persons
            .iter()
            .filter(|at| forms.iter().all(|(folded, _)| of(at).words.contains(folded)))
            .copied()
            .collect();
        let is_female =
            |word: &str| word.contains("ov") && ["ova", "ove", "ovou"].iter().any(|ending| word.ends_with(ending));
        let gender = || -> Vec<u32> {
            let female = forms.iter().any(|(folded, _)| is_female(folded));
            persons
                .iter()
                .filter(|at| of(at).words.iter().any(|word| word.ends_with("ova")) == female)
                .copied()
                .collect()
        };
        let meant = if exact.is_empty() { gender() } else { exact };
        // `Novák` and `Jan Novák` are one where nobody else is it.
        let is_fullest = |at: &&u32| {
            let words = &of(at).words;
            meant
                .iter()
                .all(|other| of(other).words.iter().all(|word| words.contains(word)))
        };
        let normal = meant.iter().find(is_fullest).map(|at| of(at).normal.clone());
        // `J. Novák`, and what follows in capitals is part of the name as well: `Jan Novák Dvořák`.
        let start = self.with_initial(i);
        self.push(start..end, Kind::Person, normal);
        Some(end)
    }

    /// Whether one word of a known name is the name by itself.
    fn is_alone(&self, i: usize, seen: &Seen, persons: &[u32]) -> bool {
        let is_capital = self.tokens[i].is_capital;
        if seen.folded.chars().count() < 3 || seen.roles & role::NO_NAME != 0 {
            return false;
        }
        if is_capital {
            // Karlův most, Karlovy Vary: a place.
            return !(seen.roles & role::FIRST != 0 && self.is_possessive(&seen.folded));
        }
        let is_surname =
            seen.roles & role::FIRST == 0 && persons.iter().any(|at| self.of.known[*at as usize].words.len() > 1);
        is_surname && seen.roles & (role::COMMON | role::ALSO_WORD) == 0 && seen.folded.chars().count() >= 4
    }

    fn is_possessive(&self, folded: &str) -> bool {
        [
            "uv", "ova", "ovo", "ovy", "ovu", "ove", "ovou", "ovych", "ovym", "in", "ina", "ino", "iny", "inu",
        ]
        .iter()
        .any(|ending| {
            folded.strip_suffix(ending).is_some_and(|stem| stem.len() > 2)
                && !self.of.lists.words.roles(folded).eq(&role::FIRST)
        }) && ![
            "irina",
            "karolina",
            "kristina",
            "martina",
            "pavlina",
            "regina",
            "katerina",
            "evelina",
            "valentyna",
            "jirina",
            "sabina",
            "nina",
            "ina",
        ]
        .iter()
        .any(|name| folded.starts_with(&name[..name.len() - 1]))
    }

    fn sequence(&self, i: usize, known: &Known) -> Option<usize> {
        let mut end = i;
        for (k, (word, stem_of)) in known.words.iter().zip(&known.stems).enumerate() {
            let token = self.tokens.get(end)?;
            if k > 0
                && (self.gap(end - 1).contains('\n') && known.kind == Kind::Company
                    || self.gap(end - 1).chars().count() > 3)
            {
                return None;
            }
            let folded = Self::fold(self.word(end));
            let is_same = if token.is_number {
                folded == *word
            } else {
                folded == *word || stem(&folded) == *stem_of
            };
            if !is_same {
                return None;
            }
            end += 1;
        }
        // One word of a company is a name only where it is written as one.
        let is_name = known.words.len() > 1 || self.tokens[i].is_capital;
        is_name.then_some(end)
    }

    /// Whether two words stand together as those of a name.
    fn joins(&self, i: usize) -> bool {
        let gap = self.gap(i);
        match gap {
            " " | "-" | "\u{a0}" | ", " | "_" | "." | ". " | "  " | "\t" | "," | "+" | "/" | " - " => true,
            // A name is wrapped at the end of a line.
            "\n" => false,
            _ => gap.starts_with("%20") && gap.len() == 3,
        }
    }

    fn with_initial(&self, i: usize) -> usize {
        let Some(before) = i.checked_sub(1) else { return i };
        let is_initial = self.tokens[before].is_capital
            && self.word(before).chars().count() == 1
            && matches!(self.gap(before), ". " | "." | " ");
        let is_free = self
            .out
            .last()
            .is_none_or(|last| last.end <= self.tokens[before].start as usize);
        if is_initial && is_free { before } else { i }
    }

    /// What stands behind a word that names follow.
    fn triggered(&mut self, i: usize, seen: &Seen) -> Option<usize> {
        let roles = seen.roles;
        let gap = self.gap(i);
        if roles & role::PLATE != 0
            && let Some(next) = self.plate(i)
        {
            return Some(next);
        }
        if roles & role::STREET != 0
            && let Some(next) = self.street(i)
        {
            return Some(next);
        }
        if roles & role::LIVES != 0
            && let Some(next) = self.lives(i)
        {
            return Some(next);
        }
        if roles & role::LABEL != 0 && gap.trim_start().starts_with(':') && !gap.contains('\n') {
            return self.labelled(i + 1);
        }
        let next = i + 1;
        if roles & role::TITLE != 0 && matches!(gap, " " | ". " | "." | "\u{a0}" | "  ") {
            // Titles in a row: pan Ing. Novák.
            if next < self.tokens.len() && self.words_roles(next) & role::TITLE != 0 {
                return Some(next);
            }
            return self.name_from(next, 2, false);
        }
        if seen.folded.starts_with("jmenuj") {
            let after = if next < self.tokens.len() && Self::fold(self.word(next)) == "se" {
                next + 1
            } else {
                next
            };
            return self.name_from(after, 3, true);
        }
        if matches!(seen.folded.as_str(), "jmeno" | "name") {
            let verb =
                next < self.tokens.len() && matches!(Self::fold(self.word(next)).as_str(), "je" | "is" | "ist" | "zni");
            return if verb { self.name_from(next + 1, 3, true) } else { None };
        }
        if roles & role::INTRODUCTION != 0 && gap == " " {
            return self.name_from(next, 2, true);
        }
        if roles & role::GREETING != 0 && matches!(gap, " " | ", ") {
            let end = self.name_end(next, 2, false)?;
            let is_greeting = matches!(
                self.gap(end - 1).chars().next(),
                None | Some(',' | '!' | '\n' | '.' | ';' | ':')
            ) || seen.folded == "dear"
                || self.roles_of(next) & (role::FIRST | role::SURNAME) != 0;
            return if is_greeting { self.push_name(next..end) } else { None };
        }
        if roles & role::CLOSING != 0 {
            return self.signature(i);
        }
        None
    }

    fn words_roles(&self, i: usize) -> u16 {
        self.of.lists.words.roles(&Self::fold(self.word(i)))
    }

    fn roles_of(&self, i: usize) -> u16 {
        self.see(i).roles
    }

    fn push_name(&mut self, range: Range<usize>) -> Option<usize> {
        let end = range.end;
        self.push(range, Kind::Person, None);
        Some(end)
    }

    fn name_from(&mut self, i: usize, most: usize, may_be_small: bool) -> Option<usize> {
        let end = self.name_end(i, most, may_be_small)?;
        self.push_name(i..end)
    }

    /// The end of a name that is expected here: words in capitals, in a row. In small letters known names, for speech that
    /// was written down.
    fn name_end(&self, i: usize, most: usize, may_be_small: bool) -> Option<usize> {
        let is_name = |at: usize| {
            let word = self.word(at);
            let is_letters = word
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '\u{300}'..='\u{36f}'));
            let is_initial = word.chars().count() == 1;
            is_letters
                && self.tokens[at].is_capital
                && (!is_initial || self.gap(at).starts_with('.'))
                && self.words_roles(at) & role::NO_NAME == 0
        };
        if i >= self.tokens.len() {
            return None;
        }
        if !is_name(i) {
            let is_known = |at: usize| {
                self.roles_of(at) & (role::FIRST | role::SURNAME) != 0
                    && self.words_roles(at) & role::NO_NAME == 0
                    && !self.tokens[at].is_number
            };
            if !may_be_small || self.tokens[i].is_capital || !is_known(i) {
                return None;
            }
            let has_more = i + 1 < self.tokens.len()
                && self.gap(i) == " "
                && !self.tokens[i + 1].is_number
                && self.words_roles(i + 1) & role::NO_NAME == 0
                && self.word(i + 1).chars().count() > 2;
            return Some(if has_more && self.roles_of(i) & role::FIRST != 0 {
                i + 2
            } else {
                i + 1
            });
        }
        let mut end = i + 1;
        while end < self.tokens.len() && end - i < most.max(if self.gap(end - 1) == "-" { most + 1 } else { 0 }) {
            let gap = self.gap(end - 1);
            let is_joined = matches!(gap, " " | "-" | "\u{a0}")
                || gap == ". " && self.word(end - 1).chars().count() == 1
                || gap == "." && self.word(end - 1).chars().count() == 1;
            // van, von, de
            let is_particle = matches!(
                self.word(end),
                "van" | "von" | "de" | "der" | "den" | "da" | "di" | "el" | "al"
            ) && end + 1 < self.tokens.len()
                && is_name(end + 1)
                && gap == " ";
            if is_joined && is_name(end) {
                end += 1;
            } else if is_joined && is_particle {
                end += 2;
            } else {
                break;
            }
        }
        Some(end)
    }

    /// Behind a label: `Od: Novák, Jan <…>`, `Jméno: Jan Novák`.
    fn labelled(&mut self, mut i: usize) -> Option<usize> {
        let first = i;
        let mut next = None;
        // Several with commas, and titles.
        while i < self.tokens.len() && i < first + 24 {
            if i > first && self.gap(i - 1).contains('\n') {
                break;
            }
            if self.words_roles(i) & role::TITLE != 0 {
                i += 1;
                continue;
            }
            let Some(end) = self.name_end(i, NAME_WORDS_MAX, false) else {
                break;
            };
            self.push_name(i..end);
            next = Some(end);
            i = end;
            let is_list = self.tokens.get(i).is_some() && matches!(self.gap(i - 1), ", " | "; " | ",");
            if !is_list {
                break;
            }
        }
        next
    }

    /// Behind the end of a letter: a name on a line of its own.
    fn signature(&mut self, i: usize) -> Option<usize> {
        // `S pozdravem` and `Best regards` may have a word behind them: `S pozdravem a přáním hezkého dne`.
        let mut at = i + 1;
        while at < self.tokens.len() && at < i + 7 && !self.tokens[at].is_capital && !self.gap(at - 1).contains('\n') {
            at += 1;
        }
        while at < self.tokens.len() && self.words_roles(at) & role::TITLE != 0 {
            at += 1;
        }
        let begin = at;
        if begin >= self.tokens.len() {
            return None;
        }
        let before = self.gap(begin - 1);
        if !before
            .chars()
            .all(|c| c.is_whitespace() || matches!(c, ',' | '.' | '!' | '-' | '–' | '—' | '*' | '_' | '>' | ';'))
        {
            return None;
        }
        let end = self.name_end(begin, 3, false)?;
        let is_own_line = before.contains('\n');
        let after = self.gap(end - 1);
        let ends_line = end == self.tokens.len()
            || after.contains('\n')
            || after.starts_with([',', '|', '/', '(', '<', '.'])
            || after == " - ";
        let is_frequent = (begin..end).any(|at| self.roles_of(at) & (role::FIRST | role::SURNAME) != 0);
        ((is_own_line || before.contains([',', '.', '!']) || is_frequent || begin == i + 1)
            && (ends_line || is_frequent))
            .then_some(())?;
        self.push_name(begin..end)
    }

    /// Words in capitals right before an address in angle brackets: who it is.
    fn before_mailbox(&self, i: usize, address: usize) -> Option<Range<usize>> {
        let opens = self.text[..address].trim_end_matches("mailto:");
        let opens = opens
            .strip_suffix(['<', '[', '('])
            .map(|rest| rest.trim_end_matches(['"', '\'', ' ']))?;
        let mut begin = i;
        let mut last = opens.len();
        while let Some(before) = begin.checked_sub(1) {
            let token = &self.tokens[before];
            let between = self.text.get(token.end as usize..last)?;
            let is_near = between.chars().all(|c| matches!(c, ' ' | ',' | '"' | '.' | '-' | '\''))
                && between.chars().count() <= 3;
            let is_name =
                token.is_capital && !token.is_number && self.words_roles(before) & (role::NO_NAME | role::LABEL) == 0
                    || self.words_roles(before) & role::TITLE != 0;
            if !is_near || !is_name || i - before > NAME_WORDS_MAX {
                break;
            }
            begin = before;
            last = token.start as usize;
        }
        let is_free = self
            .out
            .last()
            .is_none_or(|found| found.end <= self.tokens[begin].start as usize);
        (begin < i && is_free).then_some(begin..i)
    }

    /// Whether the word is the first of its sentence or line.
    fn begins_sentence(&self, i: usize) -> bool {
        let before = self.text[..self.tokens[i].start as usize]
            .trim_end_matches([' ', '\u{a0}', '"', '„', '(', '*', '_', '>', '-', '–', '•']);
        before.is_empty() || before.ends_with(['.', '!', '?', '\n', ':', ';', '|'])
    }

    /// A word in capitals that nothing announces.
    fn capital(&mut self, i: usize, seen: &Seen) -> usize {
        if seen.roles & role::NO_NAME != 0 {
            return i + 1;
        }
        // `Jan Novák napsal(a):`, `Jan Novák wrote:`
        let is_joined = |at: usize| at + 1 < self.tokens.len() && matches!(self.gap(at), " " | "-" | "\u{a0}" | "_");
        let has_next = is_joined(i) && self.tokens[i + 1].is_capital && !self.tokens[i + 1].is_number;
        let is_first = seen.roles & role::FIRST != 0 && !self.is_possessive(&seen.folded);
        let is_surname = |folded: &str| {
            folded.len() > 5 && (folded.ends_with("ova") || folded.ends_with("ovou") || folded.ends_with("ove"))
        };
        if is_first && has_next {
            let next = self.see(i + 1);
            if next.roles & role::NO_NAME == 0 && self.word(i + 1).chars().count() > 1 && next.roles & role::TOWN == 0 {
                let mut end = i + 2;
                // Jan Pavel Novák, Jana Nováková-Malá.
                while end < self.tokens.len()
                    && end - i < NAME_WORDS_MAX
                    && self.tokens[end].is_capital
                    && (self.gap(end - 1) == "-"
                        || self.gap(end - 1) == " " && self.roles_of(end - 1) & role::FIRST != 0)
                    && self.words_roles(end) & role::NO_NAME == 0
                {
                    end += 1;
                }
                self.push(i..end, Kind::Person, None);
                return end;
            }
        }
        // Novák Jan; NOVÁK Jan; Novák J.
        let own = self.word(i);
        if has_next && (seen.roles & role::SURNAME != 0 || is_surname(&seen.folded))
            || has_next && own.chars().count() > 2 && own.chars().all(char::is_uppercase)
        {
            let next = self.see(i + 1);
            let is_other_case = !self.word(i + 1).chars().all(char::is_uppercase) || seen.roles & role::SURNAME != 0;
            if next.roles & role::FIRST != 0 && next.roles & role::NO_NAME == 0 && is_other_case {
                self.push(i..i + 2, Kind::Person, None);
                return i + 2;
            }
        }
        // Hromádka Petr, at the beginning of a line or cell, where nothing follows.
        if has_next
            && self.roles_of(i + 1) & role::FIRST != 0
            && self.words_roles(i + 1) & role::NO_NAME == 0
            && seen.roles & role::TOWN == 0
        {
            let starts_line = i == 0 || self.gap(i - 1).contains(['\n', ':', ',', ';', '|', '/']);
            let ends =
                self.gap(i + 1).is_empty() || self.gap(i + 1).starts_with([',', ';', '\n', '|', '/', '(', '<', '.']);
            let is_inflected_address = i == 0 || self.roles_of(i) & (role::GREETING | role::CLOSING) != 0;
            if starts_line && ends && !is_inflected_address || i == 0 && i + 2 == self.tokens.len() {
                self.push(i..i + 2, Kind::Person, None);
                return i + 2;
            }
        }
        // J. Novák
        let has_initial = self.with_initial(i) < i && self.gap(i - 1).starts_with('.');
        let is_known_surname = seen.roles & role::SURNAME != 0;
        if is_known_surname || has_initial && (is_surname(&seen.folded) || !self.begins_sentence(i - 1)) {
            let is_word = seen.roles & role::COMMON != 0;
            let is_place = has_next && self.word(i + 1).ends_with("Vary");
            if !is_place && (!is_word || has_initial || !self.begins_sentence(i)) {
                let start = self.with_initial(i);
                let end = if has_next && self.gap(i) == "-" { i + 2 } else { i + 1 };
                self.push(start..end, Kind::Person, None);
                return end;
            }
        }
        // A woman's surname within a sentence: no adjective is written so.
        if is_surname(&seen.folded)
            && self.word(i).ends_with(['á', 'é', 'u', 'a'])
            && !self.begins_sentence(i)
            && !own.chars().all(char::is_uppercase)
            && seen.roles & role::TOWN == 0
            && !(i > 0 && self.gap(i - 1) == " " && self.roles_of(i - 1) & role::TOWN != 0)
            && !self.is_street_name(i)
        {
            let end = if has_next && self.gap(i) == "-" { i + 2 } else { i + 1 };
            self.push(i..end, Kind::Person, None);
            return end;
        }
        if is_first
            && seen.roles & (role::ALSO_WORD | role::TOWN | role::COMMON) == 0
            && seen.folded.len() > 2
            && own.chars().skip(1).any(char::is_lowercase)
            && !self.is_street_name(i)
        {
            self.push(i..i + 1, Kind::Person, None);
            return i + 1;
        }
        if let Some(next) = self.street_and_number(i) {
            return next;
        }
        i + 1
    }

    /// Whether a number follows, as behind the name of a street.
    fn is_street_name(&self, i: usize) -> bool {
        self.tokens.get(i + 1).is_some_and(|next| next.is_number) && self.gap(i) == " "
    }

    /// A house number: `15`, `15/3`, `15a`, `1234/5b`. Its end.
    fn house_number(&self, i: usize) -> Option<usize> {
        let is_number = |at: usize| {
            let word = self.word(at);
            let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            !digits.is_empty()
                && digits.len() <= 4
                && word.len() <= digits.len() + 1
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if i >= self.tokens.len() || !is_number(i) {
            return None;
        }
        let has_second = self.gap(i) == "/" && i + 1 < self.tokens.len() && is_number(i + 1);
        Some(if has_second { i + 2 } else { i + 1 })
    }

    /// What follows a house number of an address: a postal code and a town. The end of the whole.
    fn place_end(&self, end: usize) -> Option<usize> {
        let near = |gap: &str| {
            gap.chars().count() <= 4
                && gap
                    .chars()
                    .all(|c| matches!(c, ',' | ' ' | '\n' | '-' | '\u{a0}' | '–'))
        };
        if end >= self.tokens.len() || end > 0 && !near(self.gap(end - 1)) {
            return None;
        }
        let mut at = end;
        let code = self.code_end(at);
        if let Some(behind) = code {
            at = behind;
        }
        let has_gap = at < self.tokens.len() && near(self.gap(at - 1));
        let is_town = has_gap && self.tokens[at].is_capital && !self.tokens[at].is_number;
        if !is_town {
            return code;
        }
        if code.is_none() && self.roles_of(at) & role::TOWN == 0 {
            return None;
        }
        // Praha 4, Ústí nad Labem, Nové Město na Moravě
        let mut last = at + 1;
        while last < self.tokens.len() && last - at < 5 && self.gap(last - 1) == " " {
            let word = self.word(last);
            let is_more = self.tokens[last].is_capital && self.words_roles(last) & role::NO_NAME == 0
                || matches!(word, "nad" | "pod" | "na" | "u" | "v" | "ve")
                    && self.tokens.get(last + 1).is_some_and(|next| next.is_capital)
                || self.tokens[last].is_number && word.len() <= 2;
            if !is_more {
                break;
            }
            last += 1;
        }
        if self.gap(last - 1) == "-" && self.tokens.get(last).is_some_and(|next| next.is_capital) {
            last += 1;
        }
        Some(last)
    }

    /// `110 00`, `11000`.
    fn code_end(&self, i: usize) -> Option<usize> {
        let digits = |at: usize| {
            self.tokens
                .get(at)
                .filter(|token| token.is_number)
                .map_or(0, |token| (token.end - token.start) as usize)
        };
        match (digits(i), digits(i + 1)) {
            (3, 2) if matches!(self.gap(i), " " | "\u{a0}") => Some(i + 2),
            (5, _) => Some(i + 1),
            _ => None,
        }
    }

    /// Names of a street right before `i`: up to three words, the first in capitals.
    fn street_begin(&self, i: usize) -> Option<usize> {
        let mut begin = i;
        for at in (i.saturating_sub(4)..i).rev() {
            if at + 1 < i && !matches!(self.gap(at), " " | ". " | "." | "\u{a0}")
                || at + 1 == i && !matches!(self.gap(at), " " | ". " | "\u{a0}" | " č. " | " č.p. ")
            {
                break;
            }
            let token = &self.tokens[at];
            if token.is_number {
                break;
            }
            let roles = self.words_roles(at);
            let is_particle = matches!(
                self.word(at),
                "Na" | "Nad" | "Pod" | "U" | "V" | "Ve" | "K" | "Ke" | "Za" | "Pri" | "Při" | "Do" | "Od"
            ) && begin == at + 1;
            if token.is_capital && roles & role::NO_NAME == 0 || is_particle || roles & role::STREET != 0 {
                begin = at;
                if roles & role::STREET != 0 && at + 1 < i {
                    break;
                }
            } else if self.word(at).chars().count() > 10
                || begin < i
                    && !matches!(self.word(at), "na" | "nad" | "pod" | "u" | "v" | "k" | "z")
                    && at + 1 == begin
            {
                break;
            }
        }
        (begin < i).then_some(begin)
    }

    /// A street and a number with a postal code or a town behind them, from a word of the street on.
    fn street_and_number(&mut self, i: usize) -> Option<usize> {
        // Up to three more words of the street.
        for count in 1..=3 {
            let at = i + count;
            if at >= self.tokens.len() || !matches!(self.gap(at - 1), " " | "\u{a0}") {
                return None;
            }
            if let Some(end) = self.house_number(at) {
                let whole = self.place_end(end)?;
                let begin = self.street_begin(at).map_or(i, |begin| begin.min(i));
                self.push(begin..whole, Kind::Address, None);
                return Some(whole);
            }
        }
        None
    }

    /// `ul. Dlouhá 15`, `náměstí Míru 3`, `12 High Street`, `Hauptstraße 5`.
    fn street(&mut self, i: usize) -> Option<usize> {
        // Behind the name, with the number before it.
        if i >= 2 && self.word(i).len() > 1 {
            for count in 1..=3 {
                let Some(at) = i.checked_sub(count + 1) else { break };
                let is_row =
                    (at..i).all(|k| matches!(self.gap(k), " ")) && (at + 1..i).all(|k| self.tokens[k].is_capital);
                if self.tokens[at].is_number
                    && is_row
                    && self.house_number(at) == Some(at + 1)
                    && self.tokens[i].is_capital
                {
                    let end = self.english_place(i + 1);
                    self.push(at..end, Kind::Address, None);
                    return Some(end);
                }
            }
        }
        for count in 1..=4 {
            let at = i + count;
            if at >= self.tokens.len() || !matches!(self.gap(at - 1), " " | ". " | "\u{a0}" | ".") {
                return None;
            }
            if count > 1
                && let Some(end) = self.house_number(at)
            {
                if !self.tokens[i + 1].is_capital {
                    return None;
                }
                let whole = self.place_end(end).unwrap_or(end);
                self.push(i..whole, Kind::Address, None);
                return Some(whole);
            }
        }
        None
    }

    /// `, London SW1A 1AA` behind a street.
    fn english_place(&self, end: usize) -> usize {
        let mut last = end;
        while last < self.tokens.len()
            && last - end < 5
            && matches!(self.gap(last - 1), ", " | " " | ",\n")
            && (self.tokens[last].is_capital || self.word(last).as_bytes()[0].is_ascii_digit())
        {
            last += 1;
            if self.gap(last - 1).starts_with('.') {
                break;
            }
        }
        // Only what ends in a postal code, or a town right behind a comma, belongs to it.
        let has_code = (end..last).any(|at| self.word(at).chars().any(|c| c.is_ascii_digit()));
        if has_code {
            return last;
        }
        let is_town = last > end && self.gap(end - 1).starts_with(',');
        if is_town { end + 1 } else { end }
    }

    /// Behind `bydlím`, `adresa:`: a street and a number within a few words.
    fn lives(&mut self, i: usize) -> Option<usize> {
        for at in i + 1..(i + 8).min(self.tokens.len()) {
            if self.gap(at - 1).contains("\n\n") {
                return None;
            }
            if at > i + 1
                && let Some(end) = self.house_number(at)
            {
                let begin = self.street_begin(at)?;
                if begin <= i {
                    return None;
                }
                let whole = self.place_end(end).unwrap_or(end);
                self.push(begin..whole, Kind::Address, None);
                return Some(whole);
            }
        }
        None
    }

    /// A postal code and a town that no street was found before.
    fn postal_code(&mut self, i: usize) -> Option<usize> {
        let behind = self.code_end(i)?;
        let is_split = behind == i + 2;
        let is_town = self
            .tokens
            .get(behind)
            .is_some_and(|next| next.is_capital && !next.is_number)
            && matches!(self.gap(behind - 1), " " | ", " | "  " | "\u{a0}")
            && self.words_roles(behind) & role::NO_NAME == 0;
        let starts = i == 0 || self.gap(i - 1).contains([',', '\n', ':']);
        if !is_town || !(is_split || starts && self.roles_of(behind) & role::TOWN != 0) {
            // 12, 110 00 Praha
            return None;
        }
        let end = self.place_end(i)?;
        // The street and the number before it, on the same line or the one above.
        let mut begin = i;
        if i > 0 && self.gap(i - 1).chars().all(|c| matches!(c, ',' | ' ' | '\n')) && self.gap(i - 1).len() <= 3 {
            let number = (i.saturating_sub(2)..i).find(|at| self.house_number(*at) == Some(i));
            if let Some(street) = number.and_then(|number| self.street_begin(number)) {
                begin = street;
            }
        }
        self.push(begin..end, Kind::Address, None);
        Some(end)
    }

    /// Behind `SPZ`, `RZ`: letters and digits.
    fn plate(&mut self, i: usize) -> Option<usize> {
        let mut begin = i + 1;
        // značka vozidla je
        while begin < self.tokens.len()
            && begin < i + 4
            && !self.word(begin).chars().any(|c| c.is_ascii_digit())
            && !self.word(begin).chars().all(|c| c.is_ascii_uppercase())
        {
            begin += 1;
        }
        let mut end = begin;
        let mut length = 0;
        while end < self.tokens.len() && end < begin + 4 && (end == begin || matches!(self.gap(end - 1), " " | "-")) {
            let word = self.word(end);
            if !word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
                || length + word.len() > 8
            {
                break;
            }
            length += word.len();
            end += 1;
        }
        let whole = (begin..end).map(|at| self.word(at)).collect::<String>();
        let is_plate = (5..=8).contains(&length)
            && whole.bytes().any(|byte| byte.is_ascii_digit())
            && whole.bytes().any(|byte| byte.is_ascii_uppercase());
        is_plate.then(|| {
            self.push(begin..end, Kind::Plate, Some(numbers::plate_form(&whole)));
            end
        })
    }

    fn push(&mut self, tokens: Range<usize>, kind: Kind, normal: Option<String>) {
        let (start, end) = (
            self.tokens[tokens.start].start as usize,
            self.tokens[tokens.end - 1].end as usize,
        );
        // What was found before and is part of this goes.
        while self.out.last().is_some_and(|last| last.start >= start) {
            self.out.pop();
        }
        self.out.push(Found {
            start,
            end,
            kind,
            normal,
        });
    }
}

/// A name in any order, without titles.
pub(super) fn normal_of_person(name: &str) -> String {
    Name::new(name).words().join(" ")
}
