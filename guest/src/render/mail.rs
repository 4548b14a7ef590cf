//! Quoted mail and signatures: found line by line in the text of a message, folded away, and counted.
//!
//! Folding never empties a message: a mail that is nothing but a quote (a forward, say) is shown whole.

/// A message without what it quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    pub text: String,
    /// Lines of quoted mail that were left out.
    pub quoted: usize,
    /// Lines of the signature that were left out.
    pub signature: usize,
}

impl Folded {
    /// `12 lines of quoted mail and 4 lines of signature`; nothing where nothing was folded.
    pub fn note(&self) -> Option<String> {
        let part = |n: usize, what: &str| {
            (n > 0).then(|| crate::text::count(n as u64, &format!("line of {what}"), &format!("lines of {what}")))
        };
        let parts: Vec<String> = [part(self.quoted, "quoted mail"), part(self.signature, "signature")]
            .into_iter()
            .flatten()
            .collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

/// How a mail program introduces the mail that is answered, as (start, end) of a line: "On 3 May … wrote:".
/// Lower case. A start must be followed by a blank.
const REPLY_LINES: &[(&[&str], &[&str])] = &[
    (&["on"], &["wrote:", "writes:"]),
    (
        &["dne", "v", "ve", "po", "út", "st", "čt", "pá", "so", "ne"],
        &[
            "napsal:",
            "napsala:",
            "napsal(a):",
            "napsal/a:",
            "píše:",
            "odeslal:",
            "odeslala:",
        ],
    ),
    (
        &["dňa", "v", "vo", "po", "ut", "st", "št", "pi", "so", "ne"],
        &["napísal:", "napísala:", "napísal(a):", "napísal/a:", "píše:"],
    ),
    (&["am", "vom"], &["schrieb:"]),
    (
        &["w", "dnia", "pon", "wt", "śr", "czw", "pt", "sob", "niedz"],
        &["napisał:", "napisała:", "napisał(a):", "napisał/a:", "pisze:"],
    ),
    (&["le"], &["a écrit:", "a écrit :"]),
    (&["el"], &["escribió:"]),
    (&["il"], &["ha scritto:"]),
    (&["em"], &["escreveu:"]),
    (&["op"], &["schreef:"]),
    (&["pe", "în"], &["a scris:"]),
];

/// The reply line of German mail programs names the writer behind the verb: "Am 3. Mai schrieb Jan <jan@b.cz>:".
const VERB_INSIDE: &[(&str, &str)] = &[
    ("am", " schrieb "),
    ("dne", " napsal "),
    ("dne", " napsala "),
    ("dňa", " napísal "),
    ("dňa", " napísala "),
    ("w", " napisał "),
    ("dnia", " napisał "),
    ("wiadomość", " napisana przez "),
    ("den", " skrev "),
    ("op", " schreef "),
];

/// Rulers that mail programs set above the original message. A forwarded message is content and has none of these.
const ORIGINAL: &[&str] = &[
    "original message",
    "původní zpráva",
    "původní e-mail",
    "pôvodná správa",
    "ursprüngliche nachricht",
    "originalnachricht",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
];

/// What mail programs set above a forwarded message.
const FORWARD: &[&str] = &[
    "forwarded message",
    "begin forwarded message:",
    "přeposlaná zpráva",
    "přeposlaný e-mail",
    "preposlaná správa",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht:",
    "wiadomość przekazana dalej",
    "przekazana wiadomość",
    "początek przekazywanej wiadomości:",
];

/// The header block that Outlook sets above the original message: who, then within a few lines when and what about.
const FROM: &[&str] = &["from:", "od:", "von:", "de:", "da:", "van:"];
const SENT: &[&str] = &[
    "sent:",
    "date:",
    "odesláno:",
    "datum:",
    "odoslané:",
    "dátum:",
    "gesendet:",
    "wysłano:",
    "data:",
    "envoyé :",
    "envoyé:",
    "enviado:",
    "inviato:",
    "verzonden:",
    "trimis:",
];
const TO: &[&str] = &[
    "to:", "komu:", "pro:", "an:", "do:", "à :", "à:", "para:", "a:", "aan:", "către:",
];
const SUBJECT: &[&str] = &[
    "subject:",
    "předmět:",
    "predmet:",
    "betreff:",
    "temat:",
    "objet :",
    "objet:",
    "asunto:",
    "oggetto:",
    "onderwerp:",
    "subiect:",
];

/// What mail programs set before the subject of a mail that is forwarded.
const FORWARDED: &[&str] = &[
    "fw:", "fwd:", "wg:", "rv:", "tr:", "pd:", "vb:", "i:", "doorst:", "redir:", "enc:",
];

/// Whether a subject says that the mail is there for what it forwards.
pub fn is_forwarded(subject: &str) -> bool {
    let subject = subject.trim_start().to_lowercase();
    FORWARDED.iter().any(|mark| subject.starts_with(mark))
}

/// A reply line may be wrapped by the mail program, but not endlessly.
const REPLY_LINE_ROWS: usize = 4;
const REPLY_LINE_CHARS: usize = 300;

/// Folds the quoted mail and the signature of a cleaned text. Of a mail that forwards another the other is content.
pub fn fold(text: &str, forwards: bool) -> Folded {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    let (mut quoted, mut signature) = (0, 0);
    let mut i = 0;
    while i < lines.len() {
        if let Some(rows) = reply_line(&lines[i..]) {
            // An answer below or between the quoted lines goes on after them; without `>` the quote has no end.
            let after = i + rows;
            let marked = lines[after..]
                .iter()
                .take_while(|l| is_quoted(l) || l.trim().is_empty())
                .count();
            let has_marks = lines[after..after + marked].iter().any(|l| is_quoted(l));
            let end = if has_marks { after + marked } else { lines.len() };
            quoted += filled(&lines[i..end]);
            i = end;
        } else if is_forward(lines[i]) || (forwards && is_original(&lines, i)) {
            // What is forwarded is what the mail is about, with its headers.
            kept.extend(&lines[i..]);
            i = lines.len();
        } else if is_original(&lines, i) {
            quoted += filled(&lines[i..]);
            i = lines.len();
        } else if is_quoted(lines[i]) {
            quoted += 1;
            i += 1;
        } else if lines[i].trim_end() == "--" {
            // A signature ends where a quote begins.
            let end = (i + 1..lines.len())
                .find(|&j| is_quoted(lines[j]) || reply_line(&lines[j..]).is_some() || is_original(&lines, j))
                .unwrap_or(lines.len());
            signature += filled(&lines[i + 1..end]);
            i = end;
        } else {
            kept.push(lines[i]);
            i += 1;
        }
    }
    // A ruler above what was folded belongs to it.
    while quoted > 0
        && kept
            .last()
            .is_some_and(|line| line.trim_matches(['-', '_', '=', ' ']).is_empty())
    {
        kept.pop();
    }
    let kept = crate::text::clean(&kept.join("\n"));
    if kept.trim().is_empty() {
        return Folded {
            text: text.to_owned(),
            quoted: 0,
            signature: 0,
        };
    }
    Folded {
        text: kept,
        quoted,
        signature,
    }
}

fn filled(lines: &[&str]) -> usize {
    lines.iter().filter(|line| !line.trim().is_empty()).count()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_original_ruler(line: &str) -> bool {
    let line = line.trim();
    let Some(inner) = line.strip_prefix("--") else {
        return false;
    };
    let inner = inner.trim_matches(['-', ' ']).to_lowercase();
    ORIGINAL.contains(&inner.as_str())
}

fn is_forward(line: &str) -> bool {
    let line = line.trim_matches(['>', '-', ' ']).to_lowercase();
    FORWARD.contains(&line.as_str())
}

/// Whether the original message begins on this line: with a ruler, or with its headers. Forms of web pages are mailed
/// with lines like a sender's and a subject's; a mail's own name whom it went to, or stand below a line across.
fn is_original(lines: &[&str], at: usize) -> bool {
    let is_line_across = |line: &str| {
        let line = line.trim();
        line.len() > 2 && line.trim_matches(['-', '_', '=']).is_empty()
    };
    let below_line = lines[..at]
        .iter()
        .rfind(|line| !line.trim().is_empty())
        .is_some_and(|line| is_line_across(line));
    is_original_ruler(lines[at]) || is_header_block(&lines[at..], !below_line)
}

/// Header lines may be bold in mark-up of the mail program's own: `*From:*`.
fn is_header_block(lines: &[&str], with_to: bool) -> bool {
    let starts = |line: &str, words: &[&str]| {
        let line = line.trim_start_matches(['*', ' ']).to_lowercase().replace(":*", ":");
        words.iter().any(|word| line.starts_with(word))
    };
    let block: Vec<&str> = lines.iter().copied().filter(|l| !l.trim().is_empty()).take(7).collect();
    let Some((first, rest)) = block.split_first() else {
        return false;
    };
    let has = |words| rest.iter().any(|line| starts(line, words));
    starts(first, FROM) && rest.iter().take(3).any(|l| starts(l, SENT)) && has(SUBJECT) && (!with_to || has(TO))
}

/// A time of day or a year, as mail programs write and people in a sentence hardly do.
fn has_time(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let clock = |word: &str| {
        word.split_once(':')
            .is_some_and(|(hour, rest)| digits(hour) && rest.get(..2).is_some_and(digits))
    };
    text.split([' ', ',', '('])
        .any(|word| clock(word) || word.split(['.', '/', '-']).any(|part| part.len() == 4 && digits(part)))
}

/// How many lines the reply line takes that begins here, if one does. It must name a time or an address: "On Monday
/// the 3rd he wrote:" in a sentence is not one.
fn reply_line(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim().to_lowercase();
    let first_word = first.split([' ', ',', '.']).next()?;
    let opens = REPLY_LINES.iter().any(|(starts, _)| starts.contains(&first_word))
        || VERB_INSIDE.iter().any(|(start, _)| *start == first_word);
    // Some programs begin with the date or the writer: "2026-11-03 10:12 GMT+01:00 Jan <jan@b.cz>:".
    let bare = first.starts_with(|c: char| c.is_ascii_digit()) && first.contains('@');
    if !opens && !bare {
        return None;
    }
    let mut joined = String::new();
    for (i, line) in lines.iter().take(REPLY_LINE_ROWS).enumerate() {
        if line.trim().is_empty() || is_quoted(line) {
            return None;
        }
        joined.push(' ');
        joined.push_str(&line.trim().to_lowercase());
        if joined.chars().count() > REPLY_LINE_CHARS {
            return None;
        }
        let joined = joined.trim();
        if !joined.ends_with(':') {
            continue;
        }
        let dated = joined.contains('@') || has_time(joined);
        let by_end = REPLY_LINES
            .iter()
            .any(|(starts, ends)| starts.contains(&first_word) && ends.iter().any(|end| joined.ends_with(end)));
        let by_verb = VERB_INSIDE
            .iter()
            .any(|(start, verb)| *start == first_word && joined.contains(verb));
        let by_address = bare && i == 0 && joined.ends_with(">:");
        return (dated && (by_end || by_verb || by_address)).then_some(i + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kept: &str, quoted: usize, signature: usize) {
        assert_eq!(
            fold(text, false),
            Folded {
                text: kept.to_owned(),
                quoted,
                signature
            }
        );
    }

    #[test]
    fn reply_lines_of_five_languages_open_the_quote() {
        for line in [
            "On Tue, Nov 3, 2026 at 10:12 AM Jan <jan@b.cz> wrote:",
            "Dne 3. 11. 2026 v 10:12 Jan Novák napsal(a):",
            "út 3. 11. 2026 v 10:12 odesílatel Jan <jan@b.cz> napsal:",
            "Dňa 3. 11. 2026 o 10:12 Jan napísal:",
            "Am 03.11.26 um 10:12 schrieb Jan Novák:",
            "Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb Jan <jan@b.cz>:",
            "W dniu 3.11.2026 o 10:12, Jan pisze:",
            "wt., 3 lis 2026 o 10:12 Jan <jan@b.pl> napisał(a):",
            "Wiadomość napisana przez Jan <jan@b.pl> w dniu 3 lis 2026, o godz. 10:12:",
            "Am 03.11.26 um 10:12 schrieb Jan:",
        ] {
            check(&format!("Yes.\n\n{line}\n\nOld text\nmore"), "Yes.", 3, 0);
        }
    }

    #[test]
    fn a_wrapped_reply_line_counts_and_the_answer_below_the_quote_stays() {
        check(
            "On Tue, Nov 3, 2026 at 10:12 AM\nJan <jan@b.cz> wrote:\n> Old\n> text\n\nBelow",
            "Below",
            4,
            0,
        );
    }

    #[test]
    fn a_sentence_is_not_a_reply_line() {
        let text = "On Monday I spoke to Petr\nand he wrote: the invoice is wrong.\nPlease mend it.";
        check(text, text, 0, 0);
        let text = "On that he wrote:\nplease mend it.";
        check(text, text, 0, 0);
        let text = "Ve středu 4. 11. mi kolega napsal:\nBude to zítra. Nebylo.";
        check(text, text, 0, 0);
        let text = "Wiadomość z 3.11.2026 brzmi tak:\nNie.";
        check(text, text, 0, 0);
    }

    #[test]
    fn outlook_headers_and_rulers_open_the_quote() {
        check(
            "Ano.\n\nOd: Jan <jan@b.cz>\nOdesláno: úterý 3. listopadu 2026\nKomu: x\nPředmět: Faktura\n\nOld",
            "Ano.",
            5,
            0,
        );
        check(
            "Ja.\n\nVon: Jan\nGesendet: Dienstag\nAn: x\nBetreff: Rechnung\n\nOld",
            "Ja.",
            5,
            0,
        );
        check(
            "Ano.\n\n---\nOd: Jan\nDatum: úterý\nPředmět: Faktura\nOld",
            "Ano.",
            4,
            0,
        );
        check("Yes.\n-----Original Message-----\nFrom: x\nOld", "Yes.", 3, 0);
    }

    #[test]
    fn a_forward_keeps_what_it_forwards() {
        let text = "From: Jan\nSent: Tuesday\nTo: x\nSubject: Invoice\n\nThe content";
        check(text, text, 0, 0);
        let text = "See below.\n---------- Forwarded message ---------\nThe content";
        check(text, text, 0, 0);
        let text = "See below.\n\n---------- Forwarded message ---------\nFrom: Jan\nDate: Tuesday\nSubject: Invoice\nTo: x\n\nThe content";
        check(text, text, 0, 0);
        let text = "See below.\n\n> Begin forwarded message:\n>\n> From: Jan\n> Subject: Invoice\n> Date: Tuesday\n>\n> The content";
        check(text, text, 0, 0);
    }

    #[test]
    fn a_subject_says_that_what_follows_is_forwarded() {
        let text = "Please deal with it.\n\nVon: Jan\nGesendet: Dienstag\nAn: x\nBetreff: Rechnung\n\nThe content";
        for subject in ["WG: Reklamation", "Fwd: Invoice", " FW:x"] {
            assert_eq!(fold(text, is_forwarded(subject)).text, text, "{subject}");
        }
        for subject in ["AW: WG: Reklamation", "Forwarding agents", "VS: 2026001"] {
            assert_eq!(
                fold(text, is_forwarded(subject)).text,
                "Please deal with it.",
                "{subject}"
            );
        }
    }

    #[test]
    fn a_form_of_a_web_page_is_content() {
        for text in [
            "New request:\nVon: Max Muster <max@acme.de>\nDatum: 05.03.2026\nBetreff: Angebot\nNachricht: Bitte rufen Sie an.",
            "Hello,\nFrom: Bilbao warehouse\nDate: 5 March\nSubject: Delivery\nThe driver needs a call before 9.",
        ] {
            check(text, text, 0, 0);
        }
    }

    #[test]
    fn answers_between_the_quotes_stay() {
        check(
            "Dne 3. 11. 2026 v 10:12 Jan napsal(a):\n\n> One?\n\nYes.\n\n> Two?\n\nNo.",
            "Yes.\n\nNo.",
            3,
            0,
        );
    }

    #[test]
    fn a_signature_folds_up_to_the_quote() {
        check("Hi\n-- \nJan\nAcme\n> old", "Hi", 1, 2);
    }

    #[test]
    fn the_note_says_what_was_folded() {
        assert_eq!(
            fold("Hi\n--\nJan\n> old", false).note().as_deref(),
            Some("1 line of quoted mail and 1 line of signature")
        );
        assert_eq!(fold("Hi", false).note(), None);
    }
}
