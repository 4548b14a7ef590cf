//! Words to find: light stemming of Czech, Slovak and English, compared without case and accents; patterns of SQL's LIKE, by which an
//! instance narrows what has to be read; sentences.
//!
//! The patterns match at least what the comparison here does, as far as an instance minds accents: what they bring is compared again.

use std::collections::BTreeSet;

use crate::{
    daktela::{error::Error, query::Filter},
    unicode,
};

/// Endings that are taken off a word of at least as many letters, once, the longest first.
const ENDINGS: &[(usize, &[&str])] = &[
    (
        9,
        &[
            "ujeme", "ujete", "ovali", "ovala", "ovalo", "ovano", "ovana", "ovany", "ovani", "ovat", "oval", "uji",
            "uje",
        ],
    ),
    (
        7,
        &[
            "atech", "etem", "atum", "iteho", "ata", "aty", "ech", "ich", "eho", "emi", "emu", "ete", "eti", "iho",
            "imi", "imu", "ach", "ych", "ama", "ami", "ove", "ovi", "ymi", "ing", "eni", "ani", "eny", "ena", "eno",
            "any", "ana", "ano", "ila", "ilo", "ili", "ala", "alo", "ali", "ela", "elo", "eli",
        ],
    ),
    (
        6,
        &[
            "em", "es", "im", "um", "at", "am", "os", "us", "ym", "mi", "ou", "it", "et", "yt", "al", "el", "il", "ed",
            "ly", "en", "an",
        ],
    ),
    (4, &["a", "e", "i", "o", "u", "y", "s"]),
];

/// Shorter words are compared as a whole, and so are those with digits; behind a stem that is hardly longer as many letters may
/// follow as it has, so that `kolo` is not found in `kolegiální`.
const STEM_MIN: usize = 3;
/// How many letters of a word a pattern has: enough to be rare.
const PATTERN_CHARS: usize = 5;
/// How many conditions one query takes for the words, so that the line of a request stays within what servers take.
const CONDITIONS_MAX: usize = 30;

/// Letters that carry a mark in Czech, Slovak, Polish or German.
const MARKED: &str = "acdeilnorstuyz";

/// A field in which words are looked for.
pub(crate) struct Field {
    pub(crate) path: &'static str,
    /// Its text is HTML, in which letters may stand as entities.
    pub(crate) is_html: bool,
}

/// What is looked for: any of several, each of words that all have to occur.
pub(crate) struct Wanted {
    alternatives: Vec<Vec<Word>>,
}

struct Word {
    /// Folded; a word matches that begins with one of them.
    stems: Vec<String>,
    /// It has to match as a whole.
    is_whole: bool,
    /// The letters that all stems share, as they were written.
    written: Vec<char>,
    /// Whoever wrote it writes marks, so that a letter without one has none.
    has_marks: bool,
}

impl Word {
    fn new(token: &str, has_marks: bool) -> Word {
        let folded = unicode::fold(token);
        let stems = stems(&folded);
        let shared = stems.iter().skip(1).fold(stems[0].chars().count(), |shared, stem| {
            let same = stems[0].chars().zip(stem.chars()).take_while(|(a, b)| a == b);
            shared.min(same.count())
        });
        let written: Vec<char> = unicode::nfc(token).to_lowercase().chars().collect();
        let letters = if written.len() == folded.chars().count() {
            written
        } else {
            folded.chars().collect()
        };
        Word {
            is_whole: folded.chars().count() < STEM_MIN || folded.chars().any(|c| c.is_ascii_digit()),
            written: letters.into_iter().take(shared).collect(),
            stems,
            has_marks,
        }
    }

    fn is(&self, token: &str) -> bool {
        self.stems.iter().any(|stem| {
            if self.is_whole {
                return token == stem;
            }
            let length = stem.chars().count();
            token
                .strip_prefix(stem.as_str())
                .is_some_and(|rest| length > STEM_MIN + 1 || rest.chars().count() <= length)
        })
    }

    /// What a text has to be like that holds the word; `parts` is how many letters of a word written without marks may carry one.
    fn patterns(&self, is_html: bool, parts: usize) -> Vec<String> {
        // In HTML a letter may be an entity of several characters.
        let some = if is_html { '%' } else { '_' };
        let pattern = |letters: String| format!("%{letters}%");
        if self.has_marks {
            let letters = self.written.iter().map(|c| if c.is_ascii() { *c } else { some });
            return vec![pattern(letters.collect())];
        }
        let letters = &self.written[..self.written.len().min(PATTERN_CHARS)];
        let open: Vec<usize> = (0..letters.len()).filter(|i| MARKED.contains(letters[*i])).collect();
        // At least two letters say what is meant; three in a long text.
        let parts = parts
            .min(open.len())
            .min(letters.len().saturating_sub(2 + usize::from(is_html)));
        let choices = combinations(&open, parts).into_iter();
        choices
            .map(|open| {
                let letters = letters.iter().enumerate();
                pattern(letters.map(|(i, c)| if open.contains(&i) { '_' } else { *c }).collect())
            })
            .collect()
    }
}

/// All choices of so many out of these.
fn combinations(of: &[usize], many: usize) -> Vec<Vec<usize>> {
    if many == 0 {
        return vec![Vec::new()];
    }
    let mut out = Vec::new();
    for (i, first) in of.iter().enumerate() {
        for mut rest in combinations(&of[i + 1..], many - 1) {
            rest.insert(0, *first);
            out.push(rest);
        }
    }
    out
}

/// The stem of a folded word, and how it changes where the word is inflected: `zaruk` and `zaruc`, `zamk` and `zamek`.
fn stems(word: &str) -> Vec<String> {
    let length = word.chars().count();
    if length <= STEM_MIN || word.chars().any(|c| c.is_ascii_digit()) {
        return vec![word.to_owned()];
    }
    let ending = ENDINGS
        .iter()
        .filter(|(least, _)| length >= *least)
        .flat_map(|(_, endings)| endings.iter())
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.chars().count() >= STEM_MIN);
    let stem = ending.unwrap_or(word);
    let mut out = vec![stem.to_owned()];
    let letters: Vec<char> = stem.chars().collect();
    let is_vowel = |c: char| "aeiouy".contains(c);
    if let [start @ .., before, last] = &letters[..] {
        let with = |end: &[char]| start.iter().chain(end).collect::<String>();
        match last {
            'k' => out.push(with(&[*before, 'c'])),
            'c' => out.push(with(&[*before, 'k'])),
            'h' if *before == 'c' => out.push(with(&['s'])),
            'h' => out.push(with(&[*before, 'z'])),
            'g' => out.push(with(&[*before, 'z'])),
            _ => {}
        }
        let is_consonant = |c: &char| !is_vowel(*c);
        if letters.len() >= 4 && is_consonant(before) && "kclnr".contains(*last) && ending.is_some() {
            out.push(with(&[*before, 'e', *last]));
        }
        if letters.len() >= 5 && *before == 'e' && is_consonant(last) && ending.is_none() {
            out.push(with(&[*last]));
        }
    }
    out
}

/// The words of a text with their places in bytes: runs of letters and digits.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (
            c.is_alphanumeric() || unicode::fold(c.encode_utf8(&mut [0; 4])).is_empty(),
            start,
        ) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                out.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    out.extend(start.map(|from| (from, text.len())));
    out
}

/// How long a sentence may be that is shown whole, in characters.
const SENTENCE_CHARS: usize = 400;

impl Wanted {
    /// Alternatives, each of one or several words.
    pub(crate) fn parse(given: &[&str]) -> Result<Wanted, Error> {
        let words = |text: &&str| -> Vec<Word> {
            let has_marks = !text.is_ascii();
            let words = tokens(text)
                .into_iter()
                .map(|(from, to)| Word::new(&text[from..to], has_marks));
            words.collect()
        };
        let alternatives: Vec<Vec<Word>> = given.iter().map(words).filter(|words| !words.is_empty()).collect();
        if alternatives.is_empty() {
            return Err(Error::Argument(
                "Wrong arguments:\n- words: expected at least one word of letters or digits".to_owned(),
            ));
        }
        Ok(Wanted { alternatives })
    }

    fn words(&self) -> impl Iterator<Item = &Word> {
        self.alternatives.iter().flatten()
    }

    /// Whether these texts together hold all words of an alternative.
    pub(crate) fn are_in<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let mut known = BTreeSet::new();
        for text in texts {
            known.extend(
                tokens(text)
                    .into_iter()
                    .map(|(from, to)| unicode::fold(&text[from..to])),
            );
        }
        let has = |word: &Word| known.iter().any(|token| word.is(token));
        self.alternatives.iter().any(|words| words.iter().all(has))
    }

    /// Whether a text holds any of the words.
    pub(crate) fn is_any_in(&self, text: &str) -> bool {
        self.first_place(text).is_some()
    }

    fn first_place(&self, text: &str) -> Option<usize> {
        tokens(text)
            .into_iter()
            .find(|(from, to)| {
                let token = unicode::fold(&text[*from..*to]);
                self.words().any(|word| word.is(&token))
            })
            .map(|(from, _)| from)
    }

    /// The sentences that hold any of the words; of a very long one what stands around the first of them.
    pub(crate) fn sentences(&self, text: &str) -> Vec<String> {
        sentences(text)
            .into_iter()
            .filter_map(|sentence| {
                let place = self.first_place(sentence)?;
                Some(around(sentence, place))
            })
            .collect()
    }

    /// Conditions that every record meets which holds the words in these fields: the longest word of each alternative, or where
    /// a record holds only a part of what belongs together, any word.
    pub(crate) fn filter(&self, fields: &[Field], in_parts: bool) -> Filter {
        let words: Vec<&Word> = if in_parts {
            self.words().collect()
        } else {
            let longest = |words: &Vec<Word>| {
                words
                    .iter()
                    .max_by_key(|word| word.written.len())
                    .map(std::ptr::from_ref)
            };
            let chosen: Vec<*const Word> = self.alternatives.iter().filter_map(longest).collect();
            self.words()
                .filter(|word| chosen.contains(&std::ptr::from_ref(*word)))
                .collect()
        };
        let conditions = |parts: usize| -> Vec<Filter> {
            let of_field = |field: &Field, word: &Word| -> Vec<Filter> {
                let patterns = word.patterns(field.is_html, parts).into_iter();
                patterns
                    .map(|pattern| Filter::new(field.path, "like", pattern))
                    .collect()
            };
            let each = words
                .iter()
                .flat_map(|word| fields.iter().flat_map(move |field| of_field(field, word)));
            each.collect()
        };
        let mut parts = 3;
        let mut any = conditions(parts);
        while any.len() > CONDITIONS_MAX && parts > 0 {
            parts -= 1;
            any = conditions(parts);
        }
        Filter::Any(any)
    }
}

/// Lines, and their parts behind a full stop, a question or an exclamation mark.
fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut start = 0;
        let mut ends = false;
        for (at, c) in line.char_indices() {
            if ends && c.is_whitespace() {
                out.push(line[start..at].trim());
                start = at;
            }
            ends = matches!(c, '.' | '!' | '?' | '…');
        }
        out.push(line[start..].trim());
    }
    out.retain(|sentence| !sentence.is_empty());
    out
}

fn around(sentence: &str, place: usize) -> String {
    if sentence.chars().count() <= SENTENCE_CHARS {
        return sentence.to_owned();
    }
    let before = sentence[..place].chars().count();
    let from = before.saturating_sub(SENTENCE_CHARS / 3);
    let kept: String = sentence.chars().skip(from).take(SENTENCE_CHARS).collect();
    let is_end = sentence.chars().count() <= from + SENTENCE_CHARS;
    format!(
        "{}{}{}",
        if from > 0 { "… " } else { "" },
        kept.trim(),
        if is_end { "" } else { " …" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(words: &str, text: &str) -> bool {
        Wanted::parse(&[words]).expect("words").are_in([text])
    }

    #[test]
    fn inflected_words_are_found_without_case_and_accents() {
        for (words, text) in [
            ("záruka", "Je to ještě v záruce?"),
            ("zaruka", "ZÁRUKY se netýká"),
            ("záruce", "o prodloužení záruky"),
            ("reklamace", "podal reklamaci"),
            ("smlouva", "zrušit smlouvu"),
            ("zrušit", "chci to zrušit, zrušil jsem"),
            ("zámek", "nový zámku nepasuje"),
            ("zámku", "zlomil se zámek"),
            ("faktura", "Faktury č. 5 a faktur"),
            ("kolo", "moje kola"),
            ("rám", "prasklina na rámu"),
            ("refunded", "we refund it"),
            ("N3", "nabíječka N3 hlásí"),
            ("storno poplatek", "Poplatek za storno"),
            ("baterie", "s bateriemi"),
            ("praha", "v Praze"),
        ] {
            assert!(finds(words, text), "{words:?} in {text:?}");
        }
        for (words, text) in [
            ("kolo", "kolegiální přístup"),
            ("N3", "N31"),
            ("záruka", "zarovnat"),
            ("storno poplatek", "jen storno"),
            ("cena", "čekat"),
        ] {
            assert!(!finds(words, text), "{words:?} in {text:?}");
        }
    }

    #[test]
    fn patterns_match_at_least_what_is_found() {
        fn like(text: &[char], pattern: &[char]) -> bool {
            match pattern {
                [] => text.is_empty(),
                ['%', rest @ ..] => (0..=text.len()).any(|at| like(&text[at..], rest)),
                ['_', rest @ ..] => text.split_first().is_some_and(|(_, text)| like(text, rest)),
                [c, rest @ ..] => text
                    .split_first()
                    .is_some_and(|(first, text)| first == c && like(text, rest)),
            }
        }
        for (word, texts) in [
            ("záruka", ["v záruce", "zaruka", "z&aacute;ruky"]),
            ("zaruka", ["v záruce", "zaruka", "ZÁRUKY"]),
            ("příští", ["příštího", "pristi", "p&rcaron;&iacute;&scaron;t&iacute;"]),
            ("pristi", ["příštího", "pristi", "PŘÍŠTÍ"]),
            ("cena", ["ceny", "Cen", "cenu"]),
        ] {
            let wanted = Wanted::parse(&[word]).expect("a word");
            for text in texts {
                let is_html = text.contains('&');
                let field = Field { path: "text", is_html };
                let Filter::Any(any) = wanted.filter(&[field], false) else {
                    panic!("any of several patterns")
                };
                let text: Vec<char> = text.to_lowercase().chars().collect();
                let matches = any.iter().any(|filter| match filter {
                    Filter::Is { values, .. } => like(&text, &values[0].chars().collect::<Vec<_>>()),
                    _ => false,
                });
                assert!(matches, "{word} in {text:?}: {any:?}");
            }
        }
    }

    #[test]
    fn the_conditions_of_a_query_stay_few() {
        let fields = || [("title", false), ("text", true)].map(|(path, is_html)| Field { path, is_html });
        for given in ["nastavení", "nastaveni", "cestovani po ceste", "a", "x1"] {
            let Filter::Any(any) = Wanted::parse(&[given]).expect("words").filter(&fields(), true) else {
                panic!("any of several patterns")
            };
            assert!((1..=CONDITIONS_MAX).contains(&any.len()), "{given}: {}", any.len());
        }
    }

    #[test]
    fn the_sentence_is_shown_and_no_more() {
        let wanted = Wanted::parse(&["záruka"]).expect("a word");
        assert_eq!(
            wanted.sentences("Dobrý den. Je to v záruce? Děkuji.\nZáruky se to netýká"),
            ["Je to v záruce?", "Záruky se to netýká"]
        );
        let long = format!("{} záruka {}", "x ".repeat(400), "y ".repeat(400));
        let shown = wanted.sentences(&long);
        assert!(
            shown[0].contains("záruka") && shown[0].chars().count() < 410,
            "{shown:?}"
        );
    }
}
