//! Phone numbers: parsing as people write them, and comparison by E.164 calling codes, country code against country code and
//! national part against national part.
//!
//! A table of calling codes with trunk prefixes and lengths (3 KB) instead of the crate `phonenumber`, which would make a
//! component of 0.9 MB 3 MB large.

use std::collections::BTreeSet;

use crate::text::is_invisible;

/// A calling code of E.164, by the rules for numbers behind it.
#[derive(Debug, PartialEq, Eq)]
struct Country {
    code: u16,
    /// What is dialled before a national number within the country, and is no part of it.
    trunk: Trunk,
    /// How many digits national numbers have.
    least: u8,
    most: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trunk {
    /// No trunk prefix; a 0 in front is a habit from elsewhere, or dials out of a company.
    No,
    /// No trunk prefix, and a 0 in front belongs to the number, as in Italy.
    Kept,
    Digits(&'static str),
}

const NO: Trunk = Trunk::No;
const KEPT: Trunk = Trunk::Kept;
const ZERO: Trunk = Trunk::Digits("0");

const fn of(code: u16, trunk: Trunk, least: u8, most: u8) -> Country {
    Country {
        code,
        trunk,
        least,
        most,
    }
}

/// Sorted by code. No code begins with another one.
#[rustfmt::skip]
const COUNTRIES: &[Country] = &[
    of(1, Trunk::Digits("1"), 10, 10), of(7, Trunk::Digits("8"), 10, 10),
    of(20, ZERO, 8, 10), of(27, ZERO, 9, 9), of(30, NO, 10, 10), of(31, ZERO, 9, 9), of(32, ZERO, 8, 9),
    of(33, ZERO, 9, 9), of(34, NO, 9, 9), of(36, Trunk::Digits("06"), 8, 9), of(39, KEPT, 6, 11), of(40, ZERO, 9, 9),
    of(41, ZERO, 9, 9), of(43, ZERO, 4, 13), of(44, ZERO, 9, 10), of(45, NO, 8, 8), of(46, ZERO, 7, 9),
    of(47, NO, 8, 8), of(48, NO, 9, 9), of(49, ZERO, 6, 12), of(51, ZERO, 8, 9), of(52, ZERO, 10, 10),
    of(53, ZERO, 8, 8), of(54, ZERO, 10, 10), of(55, ZERO, 10, 11), of(56, NO, 9, 9), of(57, ZERO, 10, 10),
    of(58, ZERO, 10, 10), of(60, ZERO, 8, 10), of(61, ZERO, 9, 9), of(62, ZERO, 8, 12), of(63, ZERO, 8, 10),
    of(64, ZERO, 8, 10), of(65, NO, 8, 8), of(66, ZERO, 8, 9), of(81, ZERO, 9, 10), of(82, ZERO, 8, 10),
    of(84, ZERO, 9, 10), of(86, ZERO, 10, 11), of(90, ZERO, 10, 10), of(91, ZERO, 10, 10), of(92, ZERO, 9, 10),
    of(93, ZERO, 9, 9), of(94, ZERO, 9, 9), of(95, ZERO, 7, 10), of(98, ZERO, 10, 10),
    of(211, ZERO, 9, 9), of(212, ZERO, 9, 9), of(213, ZERO, 8, 9), of(216, NO, 8, 8), of(218, ZERO, 9, 9),
    of(220, NO, 7, 7), of(221, NO, 9, 9), of(222, NO, 8, 8), of(223, NO, 8, 8), of(224, NO, 9, 9),
    of(225, KEPT, 10, 10), of(226, NO, 8, 8), of(227, NO, 8, 8), of(228, NO, 8, 8), of(229, KEPT, 8, 10),
    of(230, NO, 7, 8), of(231, ZERO, 7, 9), of(232, ZERO, 8, 8), of(233, ZERO, 9, 9), of(234, ZERO, 8, 10),
    of(235, NO, 8, 8), of(236, NO, 8, 8), of(237, NO, 9, 9), of(238, NO, 7, 7), of(239, NO, 7, 7),
    of(240, NO, 9, 9), of(241, KEPT, 7, 8), of(242, KEPT, 9, 9), of(243, ZERO, 9, 9), of(244, NO, 9, 9),
    of(245, NO, 7, 9), of(246, NO, 7, 7), of(247, NO, 5, 5), of(248, NO, 7, 7), of(249, ZERO, 9, 9),
    of(250, ZERO, 9, 9), of(251, ZERO, 9, 9), of(252, ZERO, 7, 9), of(253, NO, 8, 8), of(254, ZERO, 9, 9),
    of(255, ZERO, 9, 9), of(256, ZERO, 9, 9), of(257, NO, 8, 8), of(258, NO, 8, 9), of(260, ZERO, 9, 9),
    of(261, ZERO, 9, 9), of(262, ZERO, 9, 9), of(263, ZERO, 9, 9), of(264, ZERO, 8, 9), of(265, ZERO, 7, 9),
    of(266, NO, 8, 8), of(267, NO, 7, 8), of(268, NO, 8, 8), of(269, NO, 7, 7), of(290, NO, 5, 5),
    of(291, ZERO, 7, 7), of(297, NO, 7, 7), of(298, NO, 6, 6), of(299, NO, 6, 6),
    of(350, NO, 8, 8), of(351, NO, 9, 9), of(352, NO, 4, 11), of(353, ZERO, 7, 9), of(354, NO, 7, 7),
    of(355, ZERO, 8, 9), of(356, NO, 8, 8), of(357, NO, 8, 8), of(358, ZERO, 5, 10), of(359, ZERO, 7, 9),
    of(370, ZERO, 8, 8), of(371, NO, 8, 8), of(372, NO, 7, 8), of(373, ZERO, 8, 8), of(374, ZERO, 8, 8),
    of(375, Trunk::Digits("80"), 9, 9), of(376, NO, 6, 9), of(377, NO, 8, 9), of(378, KEPT, 6, 10),
    of(380, ZERO, 9, 9), of(381, ZERO, 8, 9), of(382, ZERO, 8, 8), of(383, ZERO, 8, 8), of(385, ZERO, 8, 9),
    of(386, ZERO, 8, 8), of(387, ZERO, 8, 9), of(389, ZERO, 8, 8),
    of(420, NO, 9, 9), of(421, ZERO, 9, 9), of(423, NO, 7, 9),
    of(500, NO, 5, 5), of(501, NO, 7, 7), of(502, NO, 8, 8), of(503, NO, 8, 8), of(504, NO, 8, 8),
    of(505, NO, 8, 8), of(506, NO, 8, 8), of(507, NO, 7, 8), of(508, ZERO, 6, 9), of(509, NO, 8, 8),
    of(590, ZERO, 9, 9), of(591, ZERO, 8, 8), of(592, NO, 7, 7), of(593, ZERO, 8, 9), of(594, ZERO, 9, 9),
    of(595, ZERO, 9, 9), of(596, ZERO, 9, 9), of(597, NO, 6, 7), of(598, ZERO, 8, 8), of(599, NO, 7, 8),
    of(670, NO, 7, 8), of(672, NO, 5, 6), of(673, NO, 7, 7), of(674, NO, 7, 7), of(675, NO, 7, 8),
    of(676, NO, 5, 7), of(677, NO, 5, 7), of(678, NO, 5, 7), of(679, NO, 7, 7), of(680, NO, 7, 7),
    of(681, NO, 6, 6), of(682, NO, 5, 5), of(683, NO, 4, 7), of(685, NO, 5, 7), of(686, NO, 5, 8),
    of(687, NO, 6, 6), of(688, NO, 5, 7), of(689, NO, 6, 8), of(690, NO, 4, 7), of(691, NO, 7, 7),
    of(692, NO, 7, 7), of(800, NO, 8, 8), of(808, NO, 8, 8), of(850, ZERO, 8, 10), of(852, NO, 8, 8),
    of(853, NO, 8, 8), of(855, ZERO, 8, 9), of(856, ZERO, 8, 10), of(870, NO, 9, 9), of(878, NO, 12, 12),
    of(880, ZERO, 8, 10), of(881, NO, 8, 9), of(882, NO, 7, 12), of(883, NO, 9, 12), of(886, ZERO, 8, 9),
    of(888, NO, 11, 11), of(960, NO, 7, 7), of(961, ZERO, 7, 8), of(962, ZERO, 8, 9), of(963, ZERO, 8, 9),
    of(964, ZERO, 8, 10), of(965, NO, 8, 8), of(966, ZERO, 8, 9), of(967, ZERO, 7, 9), of(968, NO, 8, 8),
    of(970, ZERO, 8, 9), of(971, ZERO, 8, 9), of(972, ZERO, 8, 9), of(973, NO, 8, 8), of(974, NO, 7, 8),
    of(975, NO, 7, 8), of(976, ZERO, 8, 8), of(977, ZERO, 8, 10), of(979, NO, 9, 9), of(992, NO, 9, 9),
    of(993, Trunk::Digits("8"), 8, 8), of(994, ZERO, 9, 9), of(995, ZERO, 9, 9), of(996, ZERO, 9, 9),
    of(998, NO, 9, 9),
];

/// A phone number as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Of an international number.
    country: Option<&'static Country>,
    /// Without the country code and the trunk prefix where the country is known, else all digits as they were written.
    national: String,
    extension: Option<String>,
}

/// How two numbers compare, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same country and national part, or the same digits where neither has a country code.
    Same,
    /// The same national part; a country code is missing in one of them.
    National,
    /// The shorter one is the end of the other, as a local number is of one with its area code.
    End,
    Different,
}

/// A number has at least this many digits. Fewer are a line within a company, or a service number.
const DIGITS_MIN: usize = 6;
/// E.164 allows 15 digits; international prefixes come on top.
const DIGITS_MAX: usize = 18;

/// How many digits at the end Daktela is asked for where the whole is compared here: enough for few false candidates.
const TAIL_DIGITS: usize = 7;

impl Number {
    /// The number that a text consists of, perhaps with a label or a remark: `+420 777 123 456`, `tel:00420777123456`,
    /// `mobil: 777-123-456 (práce)`. `None` where the text says more than that, such as a name.
    pub fn parse(text: &str) -> Option<Number> {
        let mut found = scan(text);
        let is_label = |word: &str| {
            let word = word.trim_matches(['.', ':', '-', '#', ';', '=']);
            word.is_empty() || LABELS.contains(&word)
        };
        (found.numbers.len() == 1 && found.words.iter().all(|word| is_label(word))).then(|| found.numbers.remove(0))
    }

    /// All numbers in a text, such as a field that holds two of them.
    pub fn all(text: &str) -> Vec<Number> {
        scan(text).numbers
    }

    fn of(plus: bool, digits: &str, extension: Option<String>) -> Option<Number> {
        let international = match (plus, digits) {
            (true, digits) => Some(digits.strip_prefix("00").unwrap_or(digits)),
            // As dialled in Europe, and in America.
            (false, digits) if digits.len() > 8 => digits
                .strip_prefix("00")
                .or_else(|| digits.strip_prefix("011").filter(|rest| rest.len() > 9)),
            (false, _) => None,
        };
        let known = international.and_then(|digits| {
            let country = country(digits)?;
            let national = country.national(digits[country.code.to_string().len()..].to_owned());
            Some((country, national))
        });
        let (country, national) = match known {
            Some((country, national)) => (Some(country), national),
            None => (None, digits.to_owned()),
        };
        (national.len() >= if country.is_some() { 4 } else { DIGITS_MIN }).then_some(Number {
            country,
            national,
            extension,
        })
    }

    /// The calling code, where the number has one: 420.
    pub fn code(&self) -> Option<u16> {
        self.country.map(|country| country.code)
    }

    /// A country code without a plus, where all digits make a complete number so: `420777123456`.
    fn bare_code(&self) -> Option<(&'static Country, String)> {
        if self.country.is_some() {
            return None;
        }
        let country = country(&self.national)?;
        let rest = &self.national[country.code.to_string().len()..];
        let fits = (usize::from(country.least)..=usize::from(country.most)).contains(&rest.len());
        // Short ones are national numbers that happen to begin so.
        (fits && self.national.len() >= 10 && !rest.starts_with('0')).then(|| (country, rest.to_owned()))
    }

    /// Without a 0 in front, which most countries dial before national numbers.
    fn without_zeros(&self) -> &str {
        match self.country {
            Some(_) => &self.national,
            None => self.national.trim_start_matches('0'),
        }
    }

    /// How this number compares with another one.
    pub fn likeness(&self, other: &Number) -> Likeness {
        if let (Some(a), Some(b)) = (&self.extension, &other.extension)
            && a != b
        {
            return Likeness::Different;
        }
        match (self.country, other.country) {
            (Some(a), Some(b)) if a == b && self.national == other.national => Likeness::Same,
            (Some(_), Some(_)) => Likeness::Different,
            (Some(country), None) => other.likeness_to(country, &self.national),
            (None, Some(country)) => self.likeness_to(country, &other.national),
            (None, None) => self.likeness_of_bare(other),
        }
    }

    /// Of a number without a country code to one with it.
    fn likeness_to(&self, country: &'static Country, national: &str) -> Likeness {
        if let Some((code, rest)) = self.bare_code()
            && code == country
            && rest == national
        {
            return Likeness::Same;
        }
        if self.national == national || country.national_of(&self.national) == national {
            return Likeness::National;
        }
        // A 0 that the country does not dial is of another country, or dials out of a company.
        if self.without_zeros() == national || is_end(&self.national, national) {
            Likeness::End
        } else {
            Likeness::Different
        }
    }

    /// Of two numbers without country codes.
    fn likeness_of_bare(&self, other: &Number) -> Likeness {
        if self.national == other.national {
            return Likeness::Same;
        }
        if self.without_zeros() == other.without_zeros() {
            return Likeness::National;
        }
        match (self.bare_code(), other.bare_code()) {
            (Some((country, national)), None) => other.likeness_to(country, &national),
            (None, Some((country, national))) => self.likeness_to(country, &national),
            _ if is_end(&self.national, other.without_zeros()) || is_end(&other.national, self.without_zeros()) => {
                Likeness::End
            }
            _ => Likeness::Different,
        }
    }

    /// The digits that every spelling of this number ends with, so that Daktela can be asked for candidates.
    pub fn tail(&self) -> String {
        let national = self.national();
        national[national.len().saturating_sub(TAIL_DIGITS)..].to_owned()
    }

    /// One spelling for all of the same number: `+420777123456`, without a country code the digits as they were written.
    pub fn canonical(&self) -> String {
        let known = self.country.map(|country| (country, self.national.clone()));
        let digits = match known.or_else(|| self.bare_code()) {
            Some((country, national)) => format!("+{}{national}", country.code),
            None => self.national.clone(),
        };
        match &self.extension {
            Some(extension) => format!("{digits} x{extension}"),
            None => digits,
        }
    }

    /// The digits without a country code and without a 0 in front.
    pub fn national(&self) -> String {
        match self.bare_code() {
            Some((_, national)) => national,
            None => self.without_zeros().to_owned(),
        }
    }

    /// The number as software stores it, without blanks: with plus, with 00, with the bare country code, as national number
    /// and with its trunk prefix. A number without a country code also stands behind the `codes` that are known to be in
    /// use.
    pub fn compact(&self, codes: &BTreeSet<u16>) -> Vec<String> {
        let mut out = Vec::new();
        for (country, national) in self.readings(codes) {
            let code = country.code;
            out.extend([
                format!("+{code}{national}"),
                format!("00{code}{national}"),
                format!("{code}{national}"),
                national.clone(),
            ]);
            if let Trunk::Digits(trunk) = country.trunk {
                out.push(format!("{trunk}{national}"));
            }
        }
        if self.country.is_none() {
            out.extend([self.national.clone(), self.without_zeros().to_owned()]);
        }
        distinct(out)
    }

    /// The same, and as people group digits.
    pub fn spellings(&self, codes: &BTreeSet<u16>) -> Vec<String> {
        let mut out = self.compact(codes);
        for (country, national) in self.readings(codes) {
            let code = country.code;
            for grouped in [grouped(&national, ' '), grouped(&national, '-')] {
                out.extend([format!("+{code} {grouped}"), format!("00{code} {grouped}"), grouped]);
            }
            out.push(format!("+{code} {national}"));
        }
        if self.country.is_none() {
            out.extend([grouped(self.without_zeros(), ' '), grouped(self.without_zeros(), '-')]);
        }
        distinct(out)
    }

    fn readings(&self, codes: &BTreeSet<u16>) -> Vec<(&'static Country, String)> {
        match (self.country, self.bare_code()) {
            (Some(country), _) => vec![(country, self.national.clone())],
            (None, Some(reading)) => vec![reading],
            (None, None) => COUNTRIES
                .iter()
                .filter(|country| codes.contains(&country.code))
                .map(|country| (country, country.national(self.national.clone())))
                .collect(),
        }
    }
}

/// Whether digits of a local number are the end of a longer one. A 0 in front marks a whole national number.
fn is_end(local: &str, whole: &str) -> bool {
    local.len() >= DIGITS_MIN && local.len() < whole.len() && !local.starts_with('0') && whole.ends_with(local)
}

/// The best likeness of a wanted number to those in a text.
pub fn likeness(wanted: &Number, text: &str) -> Likeness {
    let found = Number::all(text).iter().map(|number| wanted.likeness(number)).min();
    found.unwrap_or(Likeness::Different)
}

fn distinct(mut values: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values.retain(|value| !value.is_empty() && seen.insert(value.clone()));
    values
}

/// In threes from the left, which is how nine digits are written: `777 123 456`.
pub fn grouped(digits: &str, by: char) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 3 == 0 && digits.len() - i >= 2 {
            out.push(by);
        }
        out.push(digit);
    }
    out
}

fn country(digits: &str) -> Option<&'static Country> {
    (1..=3.min(digits.len())).find_map(|n| {
        let code: u16 = digits[..n].parse().ok()?;
        let at = COUNTRIES.binary_search_by_key(&code, |country| country.code).ok()?;
        Some(&COUNTRIES[at])
    })
}

impl Country {
    /// The national part of a number as it is dialled within the country.
    fn national_of(&self, digits: &str) -> String {
        match self.trunk {
            Trunk::No | Trunk::Kept => digits.to_owned(),
            Trunk::Digits(_) => self.national(digits.to_owned()),
        }
    }

    /// The national part of digits that may begin with the trunk prefix.
    fn national(&self, digits: String) -> String {
        let is_long = digits.len() > usize::from(self.most);
        let bare = match self.trunk {
            Trunk::Kept => &digits,
            Trunk::No | Trunk::Digits("0") => digits.trim_start_matches('0'),
            Trunk::Digits(trunk) => digits.strip_prefix(trunk).filter(|_| is_long).unwrap_or(&digits),
        };
        // A digit for mobile phones that was dialled from abroad only; and the trunk prefix of Lithuania until 2025.
        let mobile = match self.code {
            52 => "1",
            54 => "9",
            370 => "8",
            _ => "",
        };
        let bare = bare
            .strip_prefix(mobile)
            .filter(|rest| bare.len() > usize::from(self.most) && rest.len() >= usize::from(self.least))
            .unwrap_or(bare);
        bare.to_owned()
    }
}

/// Words beside a number that say nothing but what it is.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "tel", "telefon", "telephone", "phone", "mobil", "mobile", "mobilní", "mob", "t", "p", "gsm", "cell", "fax",
    "sms", "sip", "whatsapp", "viber", "handy", "pevná", "práce", "domů", "work", "home", "office", "private",
    "soukromý", "firemní", "no", "number", "číslo", "č", "nr", "m",
];

/// Words between a number and its extension.
#[rustfmt::skip]
const EXTENSIONS: &[&str] = &[
    "ext", "extension", "x", "#", "linka", "klapka", "kl", "l", "durchwahl", "dw", "apparat", "app", "wew", "w",
    "wewn", "доб", "int", "interno", "poste", "anexo", "ramal", "mell", "mellék", "poz", "toestel", "anknytning",
    "linie",
];

#[derive(Default)]
struct Found {
    numbers: Vec<Number>,
    /// What else stands outside of brackets, in small letters.
    words: Vec<String>,
}

/// A run of digits with what people write between digits.
#[derive(Default)]
struct Run {
    plus: bool,
    text: String,
    extension: Option<String>,
}

impl Run {
    fn digits(&self) -> usize {
        self.text.bytes().filter(u8::is_ascii_digit).count()
    }
}

fn scan(text: &str) -> Found {
    let mut out = Found::default();
    let mut runs: Vec<Run> = vec![Run::default()];
    let text = text
        .strip_prefix("tel:")
        .or_else(|| text.strip_prefix("sip:"))
        .unwrap_or(text);
    // Behind an address of SIP stands its server.
    let text = match text.split_once('@') {
        Some((user, server)) if Number::parse(user).is_some() && !server.contains(char::is_whitespace) => user,
        _ => text,
    };
    let mut chars = text.chars().filter(|c| !is_invisible(*c)).map(plain).peekable();
    let mut after_extension = false;
    while let Some(c) = chars.next() {
        let last = runs.last_mut().expect("one at least");
        match c {
            '0'..='9' if after_extension => last.extension.get_or_insert_default().push(c),
            '0'..='9' => last.text.push(c),
            ' ' | '.' | ':' | '=' if after_extension && last.extension.is_none() => {}
            '+' => {
                after_extension = false;
                runs.push(Run {
                    plus: true,
                    ..Run::default()
                });
            }
            ' ' | '-' | '.' | '/' | '(' | ')' | '[' | ']' if !after_extension => {
                // A remark in brackets is not read.
                let is_remark = matches!(c, '(' | '[') && chars.peek().is_some_and(|next| next.is_alphabetic());
                if is_remark {
                    let end = if c == '(' { ')' } else { ']' };
                    let remark: String = chars.by_ref().take_while(|c| *c != end).collect();
                    if remark.chars().any(|c| c.is_ascii_digit()) {
                        out.words.push(remark);
                    }
                    runs.push(Run::default());
                } else {
                    last.text.push(c);
                }
            }
            c if c.is_alphabetic() || c == '#' => {
                let mut word = c.to_lowercase().collect::<String>();
                while let Some(next) = chars.next_if(|c| c.is_alphabetic()) {
                    word.extend(next.to_lowercase());
                }
                after_extension = last.digits() >= DIGITS_MIN && EXTENSIONS.contains(&word.as_str());
                if !after_extension {
                    out.words.push(word);
                    runs.push(Run::default());
                }
            }
            c => {
                after_extension = false;
                if !matches!(
                    c,
                    ',' | ';' | '|' | '\n' | ' ' | ':' | '=' | ')' | ']' | '"' | '\'' | '<' | '>'
                ) {
                    out.words.push(c.to_string());
                }
                // What follows a semicolon may be the extension: tel:…;ext=12.
                if c == ';' && chars.peek().is_some_and(|next| next.is_alphabetic()) {
                    let mut word = String::new();
                    while let Some(next) = chars.next_if(|c| c.is_alphabetic() || *c == '-') {
                        word.extend(next.to_lowercase());
                    }
                    if EXTENSIONS.contains(&word.as_str()) && last.digits() >= DIGITS_MIN {
                        after_extension = true;
                        continue;
                    }
                    // Other parameters of RFC 3966 are no part of the number.
                    if chars.next_if_eq(&'=').is_some() {
                        while chars.next_if(|c| !matches!(c, ';' | ' ')).is_some() {}
                    } else {
                        out.words.push(word);
                    }
                }
                runs.push(Run::default());
            }
        }
        if runs.len() > RUNS_MAX {
            break;
        }
    }
    out.numbers = runs.into_iter().flat_map(read).collect();
    out
}

/// A field holds a few numbers; what holds more is a document.
const RUNS_MAX: usize = 200;

/// The numbers of a run: one, or two around a slash.
fn read(run: Run) -> Vec<Number> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let text = run.text.trim();
    if let Some((first, second)) = text.split_once('/') {
        let (first, second) = (digits(first), digits(second));
        if first.len() >= 7 && second.len() >= 7 {
            let parts = [(run.plus, first), (false, second)];
            return parts
                .into_iter()
                .filter_map(|(plus, digits)| Number::of(plus, &digits, None))
                .collect();
        }
        // The direct dial of a switchboard.
        if first.len() >= 9 && !second.is_empty() && second.len() <= 3 {
            return Number::of(run.plus, &first, Some(second)).into_iter().collect();
        }
    }
    let all = digits(text);
    let international = run.plus || all.starts_with("00");
    // The 0 that is dialled within the country only, as in +44 (0)20.
    let all = if international {
        digits(&text.replace("(0)", ""))
    } else {
        all
    };
    if !(4..=DIGITS_MAX).contains(&all.len()) {
        return Vec::new();
    }
    Number::of(run.plus, &all, run.extension).into_iter().collect()
}

/// Digits, pluses, dashes and blanks of all scripts as the plain ones.
fn plain(c: char) -> char {
    let digit = |zero: char| char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c);
    match c {
        '\u{660}'..='\u{669}' => digit('\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit('\u{6f0}'),
        '\u{966}'..='\u{96f}' => digit('\u{966}'),
        '\u{ff10}'..='\u{ff19}' => digit('\u{ff10}'),
        '\u{ff0b}' | '\u{fe62}' | '\u{207a}' => '+',
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '\u{ad}'
        | '~'
        | '_'
        | '\u{30fc}' => '-',
        '·' | '•' | '\u{2027}' | '\u{ff0e}' => '.',
        '\u{2044}' | '\u{2215}' | '\u{ff0f}' | '\\' => '/',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff1b}' => ';',
        '\u{ff1a}' => ':',
        '\n' | '\r' => '\n',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Likeness::{Different, End, National, Same};

    #[track_caller]
    fn check(wanted: &str, stored: &str, expected: Likeness) {
        let number = Number::parse(wanted).unwrap_or_else(|| panic!("{wanted} is a number"));
        assert_eq!(likeness(&number, stored), expected, "{wanted} and {stored}");
        if let Some(other) = Number::parse(stored) {
            assert_eq!(other.likeness(&number), expected, "{stored} and {wanted}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_no_code_begins_with_another() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.code < b.code));
        for a in COUNTRIES {
            assert!(a.least <= a.most, "{a:?}");
            for b in COUNTRIES {
                let (a, b) = (a.code.to_string(), b.code.to_string());
                assert!(a == b || !a.starts_with(&b), "{a} and {b}");
            }
        }
    }

    #[test]
    fn all_spellings_of_a_number_are_the_same_number() {
        for stored in [
            "+420 777 123 456",
            "00420777123456",
            "00420 777 123 456",
            "420777123456",
            "+420-777-123-456",
            "(+420) 777 123 456",
            "+420 777\u{a0}123\u{202f}456",
            "+420777‑123‑456",
            "＋４２０ ７７７ １２３ ４５６",
            "tel:+420-777-123-456;ext=12",
            "+420 777 123 456 (mobil)",
            "mobil: +420 777 123 456",
            "+420 777 123 456 #12",
            "+420.777.123.456 ext. 12",
            "+420 (0)777 123 456",
            "\u{202a}+420 777 123 456\u{202c}",
            "sip:+420777123456@pbx.example.cz",
            "011 420 777 123 456",
            "222 333 444, +420 777 123 456",
            "+420 222 333 444 / +420 777 123 456",
        ] {
            check("+420 777 123 456", stored, Same);
        }
    }

    #[test]
    fn a_missing_country_code_is_named_as_such() {
        for stored in ["777123456", "777‑123‑456", "777/123 456", "777 123 456 (mobil)"] {
            check("+420 777 123 456", stored, National);
        }
        check("777 123 456", "+421 777 123 456", National);
        check("0777 123 456", "777123456", National);
        check("+47 12 34 56 78", "12345678", National);
        check("+386 1 234 5678", "01 234 5678", National);
        check("+36 1 234 5678", "06 1 234 5678", National);
        check("+44 20 7946 0958", "020 7946 0958", National);
        check("+7 495 123-45-67", "8 (495) 123-45-67", National);
        check("+1 202 555 0123", "202-555-0123", National);
        check("+375 29 123 45 67", "8 029 123-45-67", National);
        check("+39 06 698 12345", "06 698 12345", National);
    }

    #[test]
    fn another_country_or_another_number_is_different() {
        for (wanted, stored) in [
            ("+420 207 771 234", "+420 777 123 499"),
            ("+420 777 123 456", "+421 777 123 456"),
            ("+420 777 123 456", "421777123456"),
            ("+420 777 123 456", "00421 777 123 456"),
            ("+386 1 234 5678", "06 1 234 5678"),
            ("+420 777 123 456", "777 123 457"),
            ("+39 6 698 12345", "+39 06 698 12345"),
            ("+47 12 34 56 78", "612 345 678"),
            ("+420 222 111 000 ext. 12", "+420 222 111 000 ext. 15"),
            ("+420 777 123 456", "IČ 77712345"),
        ] {
            check(wanted, stored, Different);
        }
    }

    #[test]
    fn trunk_prefixes_within_international_numbers_go() {
        for (a, b) in [
            ("+44 (0)20 7946 0958", "+44 20 7946 0958"),
            ("+44 020 7946 0958", "0044 20 7946 0958"),
            ("+49 (0) 30 123456", "+49 30 123456"),
            ("+36 06 1 234 5678", "+36 1 234 5678"),
            ("+7 8 495 123 45 67", "+7 495 123 45 67"),
            ("+52 1 55 1234 5678", "+52 55 1234 5678"),
            ("+54 9 11 1234 5678", "+54 11 1234 5678"),
            ("+370 8 612 34567", "+370 612 34567"),
            ("1-202-555-0123", "+1 (202) 555-0123"),
            ("+7 812 123 45 67", "7 (812) 123-45-67"),
        ] {
            check(a, b, Same);
        }
    }

    #[test]
    fn a_local_number_is_the_end_of_a_whole_one() {
        check("+386 1 234 5678", "234 5678", End);
        check("123 456", "+420 777 123 456", End);
        check("123 4567", "030 123 4567", End);
        // Neither Czechia nor Norway dials a 0 before national numbers.
        check("+420 905 123 456", "0905 123 456", End);
        check("+47 12 34 56 78", "01 234 5678", End);
        // A 0 in front marks a whole national number.
        check("+420 777 012 345", "012 345", Different);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "12345",
            "Jana 777123456",
            "787979a",
            "objednávka 2026",
            "12. 3. 2026 Brno",
            "+",
            "tel:",
            "jana@acme.cz",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert_eq!(Number::all("777 123 456 nebo 602 111 222").len(), 2);
        assert_eq!(Number::all("777 123 456 / 602 111 222").len(), 2);
        assert_eq!(Number::all("+420 222 111 000/12")[0].extension.as_deref(), Some("12"));
    }

    #[test]
    fn spellings_are_those_in_use() {
        let number = Number::parse("+420 777 123 456").expect("a number");
        assert_eq!(
            number.compact(&BTreeSet::new()),
            ["+420777123456", "00420777123456", "420777123456", "777123456"]
        );
        let spellings = number.spellings(&BTreeSet::new());
        for spelling in ["+420 777 123 456", "00420 777 123 456", "777 123 456", "777-123-456"] {
            assert!(spellings.iter().any(|known| known == spelling), "{spelling}");
        }
        let bare = Number::parse("0905 123 456").expect("a number");
        assert_eq!(
            bare.compact(&BTreeSet::from([421])),
            [
                "+421905123456",
                "00421905123456",
                "421905123456",
                "905123456",
                "0905123456"
            ]
        );
        assert_eq!(bare.compact(&BTreeSet::new()), ["0905123456", "905123456"]);
        assert_eq!(number.tail(), "7123456");
        assert_eq!(Number::parse("420777123456").expect("a number").tail(), "7123456");
        assert_eq!(Number::parse("+47 12 34 56 78").expect("a number").tail(), "2345678");
    }
}
