//! Recognisers of identities that are made of digits or signs: e-mail, phone, card, birth and account numbers, IP addresses,
//! plates. Checksums tell them from other numbers: Luhn, modulo 11, modulo 97.

use super::kind::Kind;
use crate::{phone, unicode};

/// A part of a text that is an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// One spelling of all that are the same; absent where the text itself has to be brought into it.
    pub(super) normal: Option<String>,
}

/// Codes of banks in the Czech Republic and Slovakia: what stands behind the `/` of an account number.
const BANKS: &[u16] = &[
    100, 200, 300, 600, 710, 720, 800, 900, 1100, 1111, 2010, 2020, 2060, 2070, 2100, 2200, 2220, 2250, 2260, 2275,
    2600, 2700, 3030, 3050, 3060, 3100, 3500, 4000, 4300, 5200, 5500, 5600, 5800, 5900, 6000, 6100, 6200, 6210, 6300,
    6500, 6700, 6800, 7500, 7910, 7950, 7960, 7970, 7990, 8030, 8040, 8060, 8090, 8100, 8130, 8150, 8160, 8180, 8190,
    8198, 8199, 8200, 8220, 8230, 8240, 8250, 8255, 8265, 8270, 8280, 8293, 8300, 8320, 8330, 8360, 8370, 8400, 8420,
];

/// What a number is called that is to be dialled; the beginnings of words, folded.
const PHONE_WORDS: &[&str] = &[
    "tel", "mobil", "phone", "volej", "volat", "zavolej", "volam", "gsm", "call", "cislo", "cisle", "whatsapp", "fax",
    "handy",
];
/// What makes a number something else, right before it.
const OTHER_NUMBERS: &[&str] = &[
    "objedn",
    "faktur",
    "ticket",
    "tiket",
    "order",
    "invoice",
    "smlouv",
    "variabiln",
    "vs",
    "serial",
    "imei",
    "seriov",
    "zakazk",
    "ico",
    "reklamac",
];
const CURRENCIES: &[&str] = &[
    "kč", "kc", "czk", "eur", "€", "usd", "$", "korun", "pln", "gbp", "ks", "km", "kusů",
];

/// Finds all of them, from left to right.
pub(super) fn find(text: &str, is_known_phone: &dyn Fn(&str) -> bool) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut out: Vec<Found> = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        let from = out.last().map_or(0, |found| found.end);
        let next = match byte {
            b'@' => email(text, i, 1, from, &mut out),
            b'%' if bytes[i..].starts_with(b"%40") => email(text, i, 3, from, &mut out),
            b'(' | b'[' => at_in_words(text, i).and_then(|sign| email(text, i, sign, from, &mut out)),
            b':' => ipv6(text, i, from, &mut out),
            0xef if text[i..].starts_with('＠') => email(text, i, '＠'.len_utf8(), from, &mut out),
            b'0'..=b'9' => {
                let is_new = !text[..i].ends_with(|c: char| c.is_alphanumeric());
                if is_new {
                    numbers(text, i, is_known_phone, &mut out)
                } else {
                    skip_word(text, i)
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' if bytes.get(i + 2).is_some_and(u8::is_ascii_digit) => iban(text, i, &mut out),
            _ => None,
        };
        i = next.unwrap_or(i + 1).max(i + 1);
    }
    out
}

/// The rest of a word that a digit is within: no number begins there.
fn skip_word(text: &str, at: usize) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    Some(
        at + rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric())
            .unwrap_or(rest.len()),
    )
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '\'' | '&' | '=')
}

fn email(text: &str, at: usize, sign: usize, from: usize, out: &mut Vec<Found>) -> Option<usize> {
    let is_written_out = matches!(text.as_bytes()[at], b'(' | b'[');
    let trim = |part: usize| {
        if is_written_out {
            text[from..part].trim_end_matches(' ').len() + from
        } else {
            part
        }
    };
    let before = &text[from..trim(at)];
    // What stands before a `=` or `&` in an address of a page is no part of it.
    let local: String = before
        .chars()
        .rev()
        .take_while(|c| is_local(*c))
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let local = local
        .rsplit(['=', '&'])
        .next()
        .unwrap_or_default()
        .trim_start_matches(['.', '-', '\'', '+']);
    let start = trim(at) - local.len();
    let mut rest = &text[at + sign..];
    if is_written_out {
        rest = rest.trim_start_matches(' ');
    }
    let begin = text.len() - rest.len();
    let length = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(rest.len());
    let domain = rest[..length].trim_end_matches(['.', '-']);
    let begins = |part: &str| part.starts_with(char::is_alphanumeric);
    if local.is_empty() || !begins(local) && !local.starts_with('_') || domain.len() < 2 || !begins(domain) {
        return None;
    }
    // 5@10
    if domain.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let end = begin + domain.len();
    out.push(Found {
        start,
        end,
        kind: Kind::Email,
        normal: Some(format!("{local}@{domain}").to_lowercase()),
    });
    Some(end)
}

/// The length of `(at)` and its like.
fn at_in_words(text: &str, at: usize) -> Option<usize> {
    let signs = [
        "(at)",
        "[at]",
        "(AT)",
        "[AT]",
        "(zavináč)",
        "[zavináč]",
        "(zavinac)",
        "[zavinac]",
        "(@)",
        "[@]",
    ];
    signs
        .iter()
        .find(|sign| text[at..].starts_with(**sign))
        .map(|sign| sign.len())
}

fn ipv6(text: &str, at: usize, from: usize, out: &mut Vec<Found>) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    let start = text[from..at].rfind(|c: char| !is_part(c)).map_or(from, |before| {
        from + before + text[from + before..].chars().next().map_or(1, char::len_utf8)
    });
    let end = text[at..]
        .find(|c: char| !is_part(c))
        .map_or(text.len(), |length| at + length);
    let whole = text[start..end].trim_end_matches(['.', ':']);
    let is_word_around = text[..start].ends_with(char::is_alphanumeric)
        || text[start + whole.len()..].starts_with(char::is_alphanumeric);
    let address: std::net::Ipv6Addr = whole
        .parse()
        .ok()
        .filter(|_| !is_word_around && whole.bytes().any(|byte| byte.is_ascii_digit()))?;
    let end = start + whole.len();
    // The groups of digits may have passed for something else.
    out.retain(|found| found.end <= start);
    out.push(Found {
        start,
        end,
        kind: Kind::Ip,
        normal: Some(address.to_string()),
    });
    Some(end)
}

/// Lengths of the account numbers of neighbours; others are as long as their check is right.
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("CZ", 24),
    ("SK", 24),
    ("DE", 22),
    ("AT", 20),
    ("PL", 28),
    ("HU", 28),
    ("GB", 22),
];

fn iban(text: &str, at: usize, out: &mut Vec<Found>) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins =
        bytes[at..].iter().take(4).all(u8::is_ascii_alphanumeric) && bytes.get(at + 3).is_some_and(u8::is_ascii_digit);
    if !begins || !bytes[at + 1].is_ascii_alphabetic() || text[..at].ends_with(char::is_alphanumeric) {
        return None;
    }
    let mut compact = String::new();
    // Where a word ends, and how much was read by then.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut i = at;
    while compact.len() < 34 && bytes.get(i).is_some_and(u8::is_ascii_alphanumeric) {
        compact.push(char::from(bytes[i].to_ascii_uppercase()));
        i += 1;
        if !bytes.get(i).is_some_and(u8::is_ascii_alphanumeric) {
            ends.push((compact.len(), i));
            i += gap(text, i)
                .filter(|gap| *gap < 3 && !text[i..i + gap].contains(['/', '.', '(', ')']))
                .unwrap_or(0);
        }
    }
    let expected = IBAN_LENGTHS
        .iter()
        .find(|(code, _)| compact.starts_with(code))
        .map(|(_, length)| *length);
    let (length, end) = ends.into_iter().rev().find(|(length, _)| match expected {
        // One digit may be wrong.
        Some(expected) => *length == expected && compact[2..expected].bytes().filter(u8::is_ascii_digit).count() > 15,
        None => *length >= 15 && modulo_97(&compact[..*length]) == 1,
    })?;
    compact.truncate(length);
    out.push(Found {
        start: at,
        end,
        kind: Kind::BankAccount,
        normal: Some(compact),
    });
    Some(end)
}

fn modulo_97(iban: &str) -> u32 {
    let digits = iban[4..].bytes().chain(iban[..4].bytes());
    digits.fold(0, |rest, byte| {
        if byte.is_ascii_digit() {
            (rest * 10 + u32::from(byte - b'0')) % 97
        } else {
            (rest * 100 + u32::from(byte - b'A') + 10) % 97
        }
    })
}

/// The length of what stands between two groups of digits of one number: up to three blanks and signs.
fn gap(text: &str, at: usize) -> Option<usize> {
    let mut length = 0;
    for c in text[at..].chars().take(4) {
        match c {
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '-' | '\u{2010}'..='\u{2013}' | '.' | '/' | '(' | ')' => {
                length += c.len_utf8()
            }
            _ => break,
        }
    }
    (length > 0).then_some(length)
}

/// A group of digits, and what stands behind it.
struct Group<'a> {
    start: usize,
    end: usize,
    digits: &'a str,
    gap: &'a str,
}

impl Group<'_> {
    fn is_blank(&self) -> bool {
        !self.gap.is_empty() && self.gap.chars().all(char::is_whitespace)
    }

    fn sign(&self) -> &str {
        self.gap.trim()
    }
}

fn numbers(text: &str, at: usize, is_known_phone: &dyn Fn(&str) -> bool, out: &mut Vec<Found>) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut groups: Vec<Group> = Vec::new();
    let mut i = at;
    loop {
        let end = i + bytes[i..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if end == i || groups.len() == 16 {
            break;
        }
        let gap = gap(text, end).filter(|gap| bytes.get(end + gap).is_some_and(u8::is_ascii_digit));
        let has_letter = text[end..].starts_with(char::is_alphabetic);
        groups.push(Group {
            start: i,
            end,
            digits: &text[i..end],
            gap: gap.map_or("", |gap| &text[end..end + gap]),
        });
        match gap {
            Some(gap) if !has_letter => i = end + gap,
            _ => break,
        }
    }
    if let Some(end) = plate(text, at) {
        out.push(Found {
            start: at,
            end,
            kind: Kind::Plate,
            normal: Some(plate_form(&text[at..end])),
        });
        return Some(end);
    }
    let end_of_run = groups.last().map_or(at + 1, |group| group.end);
    let mut g = 0;
    while g < groups.len() {
        let rest = &groups[g..];
        let is_plus = text[..rest[0].start].ends_with('+') || text[..rest[0].start].ends_with("(+");
        let found = ip(rest)
            .or_else(|| account(rest))
            .or_else(|| birth_number(text, rest))
            .or_else(|| if is_plus { None } else { card(rest) })
            .or_else(|| if is_plus { None } else { date(rest) })
            .or_else(|| phone_number(text, rest, is_plus, is_known_phone));
        match found {
            Some((count, Some((kind, normal)))) => {
                let mut start = rest[0].start;
                if kind == Kind::Phone && is_plus {
                    start -= 1;
                }
                out.push(Found {
                    start,
                    end: rest[count - 1].end,
                    kind,
                    normal: Some(normal),
                });
                g += count;
            }
            Some((count, None)) => g += count,
            None => g += 1,
        }
    }
    // A word that begins with a digit.
    if text[end_of_run..].starts_with(char::is_alphabetic) {
        return skip_word(text, end_of_run);
    }
    Some(end_of_run)
}

/// How many groups it takes, and what it is; nothing for what is to be passed over.
type Recognised = Option<(usize, Option<(Kind, String)>)>;

fn ip(groups: &[Group]) -> Recognised {
    let of = groups.get(..4)?;
    let is_byte =
        |group: &Group| group.digits.len() <= 3 && group.digits.parse::<u16>().is_ok_and(|number| number < 256);
    let is_dotted = of[..3].iter().all(|group| group.gap == ".") && of[3].gap != ".";
    (is_dotted && of.iter().all(is_byte)).then(|| {
        let normal = of.iter().map(|group| group.digits).collect::<Vec<_>>().join(".");
        (4, Some((Kind::Ip, normal)))
    })
}

fn date(groups: &[Group]) -> Recognised {
    let [a, b, ..] = groups else { return None };
    let short = |group: &Group| {
        group.digits.len() <= 2 && group.digits.parse::<u8>().is_ok_and(|number| number > 0 && number < 32)
    };
    let is_year =
        |group: &Group| group.digits.len() == 4 && (group.digits.starts_with("19") || group.digits.starts_with("20"));
    let year = groups.get(2);
    match (a.sign(), b.sign(), year) {
        ("-", "-", Some(day)) if is_year(a) && short(b) && short(day) => Some((3, None)),
        ("." | "/" | "-", "." | "/" | "-", Some(year)) if short(a) && short(b) && is_year(year) => Some((3, None)),
        (".", ..) if short(a) && short(b) && a.gap != "." => Some((2, None)),
        _ => None,
    }
}

fn account(groups: &[Group]) -> Recognised {
    let (prefix, rest) = match groups {
        [prefix, number, bank, ..]
            if prefix.sign() == "-"
                && (1..=6).contains(&prefix.digits.len())
                && number.sign() == "/"
                && bank.digits.len() == 4 =>
        {
            (prefix.digits, &groups[1..])
        }
        _ => ("", groups),
    };
    let [number, bank, ..] = rest else { return None };
    if number.sign() != "/" || bank.digits.len() != 4 || !(2..=10).contains(&number.digits.len()) || bank.gap == "/" {
        return None;
    }
    let is_bank = bank.digits.parse().is_ok_and(|code: u16| BANKS.contains(&code));
    let is_checked = weighted(number.digits) == 0 && weighted(prefix) == 0;
    let is_one = is_bank && (is_checked || number.digits.len() >= 6 && !is_birth(number.digits, bank.digits))
        || is_checked && number.digits.len() >= 7;
    is_one.then(|| {
        let normal = format!(
            "{}-{}/{}",
            prefix.trim_start_matches('0'),
            number.digits.trim_start_matches('0'),
            bank.digits
        );
        (if prefix.is_empty() { 2 } else { 3 }, Some((Kind::BankAccount, normal)))
    })
}

/// The check of Czech account numbers.
fn weighted(digits: &str) -> u32 {
    const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    digits
        .bytes()
        .rev()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum::<u32>()
        % 11
}

/// What a birth number is called: `r. č.`, `rodné číslo`. Then one with a wrong check is one as well.
const BIRTH_WORDS: &[&str] = &["rodn", "rc", "birth"];

fn birth_number(text: &str, groups: &[Group]) -> Recognised {
    let is_called_so = || is_after(&text[..groups[0].start], BIRTH_WORDS, 3);
    let found = match groups {
        [date, rest, ..]
            if date.digits.len() == 6
                && (date.sign() == "/" || date.is_blank())
                && matches!(rest.digits.len(), 3 | 4) =>
        {
            let is_long_run = date.is_blank() && (rest.digits.len() == 3 || rest.is_blank());
            (!is_long_run && (is_birth(date.digits, rest.digits) || is_called_so()))
                .then(|| (2, format!("{}{}", date.digits, rest.digits)))
        }
        [one, ..] if matches!(one.digits.len(), 9 | 10) && one.gap.is_empty() => {
            (one.digits.len() == 10 && is_birth(&one.digits[..6], &one.digits[6..]) || is_called_so())
                .then(|| (1, one.digits.to_owned()))
        }
        _ => None,
    };
    found.map(|(count, normal)| (count, Some((Kind::BirthNumber, normal))))
}

/// Whether these make a birth number: a day, with a month of which 20, 50 or 70 may be added, and the check since 1954.
fn is_birth(date: &str, rest: &str) -> bool {
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(&date[..2]), number(&date[2..4]), number(&date[4..]));
    let month = match month {
        1..=12 => month,
        21..=32 => month - 20,
        51..=62 => month - 50,
        71..=82 => month - 70,
        _ => return false,
    };
    if !(1..=if [4, 6, 9, 11].contains(&month) {
        30
    } else if month == 2 {
        29
    } else {
        31
    })
        .contains(&day)
    {
        return false;
    }
    if rest.len() == 3 {
        return year < 54;
    }
    let first: u64 = format!("{date}{}", &rest[..3]).parse().unwrap_or(0);
    let check = u64::from(number(&rest[3..]));
    first % 11 % 10 == check
}

fn card(groups: &[Group]) -> Recognised {
    let plain = |count: usize, sizes: &[usize]| {
        let of = groups.get(..count)?;
        let fits = of.iter().zip(sizes).all(|(group, size)| group.digits.len() == *size)
            && of[..count - 1]
                .iter()
                .all(|group| group.is_blank() || group.sign() == "-");
        fits.then(|| (count, of.iter().map(|group| group.digits).collect::<String>()))
    };
    let single = groups
        .first()
        .filter(|one| (13..=19).contains(&one.digits.len()))
        .map(|one| (1, one.digits.to_owned()));
    let (count, digits) = single
        .or_else(|| plain(5, &[4, 4, 4, 4, 3]))
        .or_else(|| plain(4, &[4, 4, 4, 4]))
        .or_else(|| plain(3, &[4, 6, 5]))
        .or_else(|| plain(3, &[4, 6, 4]))?;
    let is_card = digits.starts_with(['2', '3', '4', '5', '6']) && luhn(&digits);
    is_card.then_some((count, Some((Kind::Card, digits))))
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let digit = u32::from(digit - b'0');
            match i % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn phone_number(text: &str, groups: &[Group], is_plus: bool, is_known: &dyn Fn(&str) -> bool) -> Recognised {
    let first = &groups[0];
    let joined = |count: usize| groups[..count].iter().map(|group| group.digits).collect::<String>();
    let found = |count: usize, international: bool| {
        let digits = joined(count);
        Some((count, Some((Kind::Phone, phone_form(&digits, international)))))
    };
    // How many groups make at least so many digits, and at most so many.
    let upto = |least: usize, most: usize| {
        let mut total = 0;
        let mut best = None;
        for (i, group) in groups.iter().enumerate() {
            total += group.digits.len();
            if total > most {
                break;
            }
            if total >= least {
                best = Some(i + 1);
            }
        }
        best
    };
    let is_international = is_plus || first.digits.starts_with("00") && joined(groups.len()).len() >= 11;
    if is_international {
        let digits = joined(groups.len());
        let code = digits.trim_start_matches("00");
        let zeros = digits.len() - code.len();
        let count = if code.starts_with("420") || code.starts_with("421") {
            upto(12 + zeros, 12 + zeros).or_else(|| upto(8 + zeros, 12 + zeros))
        } else {
            upto(8, 15 + zeros)
        };
        return count.and_then(|count| found(count, true));
    }
    let before = &text[..first.start];
    let sizes: Vec<usize> = groups.iter().take(4).map(|group| group.digits.len()).collect();
    let lead = first.digits.as_bytes()[0];
    let whole = joined(groups.len().min(5));
    let of_money = |count: usize| {
        let after = text[groups[count - 1].end..].trim_start_matches([' ', '\u{a0}', ',', '-', '.']);
        let after = after.chars().take(5).collect::<String>().to_lowercase();
        CURRENCIES.iter().any(|currency| after.starts_with(currency))
    };
    let is_even = |count: usize| groups[..count - 1].windows(2).all(|two| two[0].sign() == two[1].sign());
    let is_mobile = matches!(&first.digits.as_bytes()[..first.digits.len().min(2)], [b'6', b'0'] | [b'7', b'0' | b'2'..=b'4' | b'6'..=b'9']);
    match sizes[..] {
        [3, 3, 3, 3, ..] if whole.starts_with("420") || whole.starts_with("421") => return found(4, true),
        [3, 3, 3, ..] if lead > b'1' && is_even(3) && !of_money(3) && sizes.get(3) != Some(&3) => {
            return found(3, false);
        }
        [3, 3, 4, ..] if lead > b'1' && is_even(3) && !of_money(3) && !first.is_blank() => return found(3, false),
        [3, 2, 2, 2, ..] if is_mobile && is_even(4) => return found(4, false),
        [3, 6, ..] | [6, 3, ..] if is_mobile && !of_money(2) => return found(2, false),
        [9, ..] if is_mobile && !is_after(before, OTHER_NUMBERS, 2) && !of_money(1) => return found(1, false),
        [12, ..]
            if first.digits.starts_with("4207")
                || first.digits.starts_with("4206")
                || first.digits.starts_with("4219") =>
        {
            return found(1, true);
        }
        _ => {}
    }
    if lead == b'0' && first.digits.as_bytes().get(1).is_some_and(|digit| *digit != b'0') {
        if first.digits.len() == 10 && first.digits.starts_with("09") {
            return found(1, false);
        }
        if groups.len() > 1
            && (3..=5).contains(&first.digits.len())
            && first.sign() != "."
            && first.sign() != "-"
            && let Some(count) = upto(9, 12)
        {
            return found(count, false);
        }
    }
    for count in 1..=groups.len().min(5) {
        let digits = joined(count);
        if (6..=15).contains(&digits.len()) && is_known(&phone_form(&digits, false)) && !of_money(count) {
            return found(count, false);
        }
    }
    if is_after(before, PHONE_WORDS, 3) && !is_after(before, OTHER_NUMBERS, 2) {
        return upto(9, 9).or_else(|| upto(7, 15)).and_then(|count| found(count, false));
    }
    None
}

/// One spelling of a number, with and without its country's code.
pub(super) fn phone_form(digits: &str, is_international: bool) -> String {
    let digits = digits.strip_prefix("00").filter(|_| is_international).unwrap_or(digits);
    let written = if is_international {
        format!("+{digits}")
    } else {
        digits.to_owned()
    };
    phone::Number::parse(&written).map_or(written, |number| number.national())
}

/// A plate of today: a digit, a letter of a region, a letter or digit, and four digits; the electric ones.
fn plate(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let [a, b, c] = *bytes.get(at..at + 3)? else {
        return None;
    };
    let is_region = |byte: u8| b"ABCEHJKLMPSTUZ".contains(&byte);
    if !(a.is_ascii_digit() && is_region(b) && (c.is_ascii_digit() || c.is_ascii_uppercase())) {
        return None;
    }
    let rest = at + 3 + usize::from(matches!(bytes.get(at + 3), Some(b' ' | b'-')));
    let digits = bytes.get(rest..rest + 4)?;
    let end = rest + 4;
    (digits.iter().all(u8::is_ascii_digit) && !text[end..].starts_with(char::is_alphanumeric)).then_some(end)
}

pub(super) fn plate_form(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .collect::<String>()
        .to_uppercase()
}

/// Whether one of the last words of a text begins with one of these.
fn is_after(before: &str, beginnings: &[&str], most: usize) -> bool {
    let from = before.len().saturating_sub(60);
    let from = (from..=before.len())
        .find(|at| before.is_char_boundary(*at))
        .unwrap_or(before.len());
    let tail = &before[from..];
    let tail = &tail[tail.rfind('\n').map_or(0, |at| at + 1)..];
    let words: Vec<&str> = tail
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.iter().rev().take(most).any(|word| {
        let folded = unicode::fold(word);
        beginnings.iter().any(|beginning| {
            if beginning.len() < 4 {
                folded == **beginning
            } else {
                folded.starts_with(beginning)
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(text: &str) -> Vec<String> {
        find(text, &|_| false)
            .into_iter()
            .map(|found| format!("{:?} {}", found.kind, &text[found.start..found.end]))
            .collect()
    }

    #[track_caller]
    fn is(kind: &str, texts: &[&str]) {
        for text in texts {
            assert_eq!(found(&format!("a {text}.")), [format!("{kind} {text}")], "{text}");
            assert_eq!(found(text), [format!("{kind} {text}")], "{text}");
        }
    }

    #[test]
    fn identities_are_found_in_their_spellings() {
        is(
            "Email",
            &[
                "jan.novak@seznam.cz",
                "J_N+a@mail.example.co.uk",
                "jan%40seznam.cz",
                "jan (at) seznam.cz",
                "o'neil@x.ie",
                "žlutý@kůň.cz",
            ],
        );
        is(
            "Phone",
            &[
                "+420 777 123 456",
                "+420777123456",
                "777 123 456",
                "777123456",
                "777-123-456",
                "00420 777 123 456",
                "00420777123456",
                "+1 (555) 123-4567",
                "+49 30 1234567",
                "0905 123 456",
                "420 777 123 456",
                "234 567 890",
                "777 12 34 56",
                "+44 20 7946 0958",
                "0905123456",
                "555-123-4567",
            ],
        );
        is(
            "BankAccount",
            &[
                "CZ65 0800 0000 1920 0014 5399",
                "CZ6508000000192000145399",
                "19-2000145399/0800",
                "2000145399/0800",
                "DE89 3704 0044 0532 0130 00",
                "GB82 WEST 1234 5698 7654 32",
            ],
        );
        is("BirthNumber", &["736028/5163", "7360285163", "505412/123"]);
        is(
            "Card",
            &[
                "4111 1111 1111 1111",
                "4111111111111111",
                "5500-0000-0000-0004",
                "3782 822463 10005",
            ],
        );
        is("Ip", &["192.168.1.15", "2001:db8::ff00:42:8329", "fe80::1"]);
        is("Plate", &["1AB 2345", "5A2 3456", "3P53456"]);
    }

    #[test]
    fn an_address_within_a_page_s_address_is_found() {
        assert_eq!(
            found("https://x.cz/r?mail=jan%40seznam.cz&a=1"),
            ["Email jan%40seznam.cz"]
        );
        assert_eq!(
            found("Novák <jan@x.cz>, mailto:eva@y.cz"),
            ["Email jan@x.cz", "Email eva@y.cz"]
        );
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "2026-11-20 10:30:00",
            "20. 11. 2026",
            "20.11.2026 v 10:30",
            "1 234 567 Kč",
            "123 456 789 Kč",
            "objednávka 2026001234",
            "verze 1.2.3",
            "č. 787979",
            "TK00787979",
            "12 345,50",
            "10:30",
            "rok 2025/2026",
            "850412/1234",
            "faktura 202600123",
            "15 %",
            "5@10",
            "model X200",
            "4111 1111 1111 1112",
            "a::b",
            "str. 12-15",
            "2,5 GB",
            "od 8 do 16",
            "5 ks",
            "IČO 27074358",
            "100 200",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_same_number_has_one_form() {
        let form = |text: &str| find(text, &|_| false).remove(0).normal;
        assert_eq!(form("+420 777 123 456"), form("777123456"));
        assert_eq!(form("00420777123456"), form("777-123-456"));
        assert_eq!(form("Jan@X.cz"), form("jan@x.cz"));
        assert_eq!(form("CZ65 0800 0000 1920 0014 5399"), form("CZ6508000000192000145399"));
    }
}
