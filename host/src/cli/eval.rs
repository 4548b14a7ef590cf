//! `mcp-daktela eval`: scores a transcript of tool calls and answers (JSON lines) against a file of questions (JSON).

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{ExitError, print};

/// Clients bill tokens, which differ by model; four bytes of text to one is the usual estimate.
const BYTES_PER_TOKEN: u64 = 4;

/// What a line of a transcript has to hold, for errors.
const LINE: &str = "{\"question\": \"id\", \"calls\": [{\"tool\": \"name\", \"arguments\": {}, \"bytes\": 1234, \"is_error\": false}], \"answer\": \"text\"}";

#[derive(Deserialize)]
struct File {
    questions: Vec<Question>,
}

/// Of a question what scores need; its words and its solution are for others.
#[derive(Deserialize)]
struct Question {
    id: String,
    answer: Answer,
    calls_max: usize,
    bytes_max: u64,
}

/// What has to occur in an answer: one text, or several that all have to. Within a text, `|` stands between alternatives.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`answer` has to be a text or a list of texts")]
pub enum Answer {
    One(String),
    All(Vec<String>),
}

/// A line of a transcript. Further keys, such as the arguments of calls, are passed over.
#[derive(Deserialize)]
struct Line {
    question: String,
    calls: Vec<Call>,
    answer: String,
}

#[derive(Deserialize)]
struct Call {
    tool: String,
    bytes: u32,
    is_error: bool,
}

struct Score<'a> {
    question: &'a Question,
    line: Line,
}

impl Answer {
    fn parts(&self) -> &[String] {
        match self {
            Answer::One(part) => std::slice::from_ref(part),
            Answer::All(parts) => parts,
        }
    }

    /// Whether every part occurs in the text: without case and diacritics, with numbers in one form (`1 234`, `1,234` and `1.234`
    /// are 1234; `4,50` is 4.5), from the beginning of a word. Words may go on, as inflected ones do; those of at most three letters
    /// and numbers may not: `no` does not occur in `Novák`, nor `10` in `10.5`, `10:30` or `2026-11-10`.
    pub fn is_in(&self, text: &str) -> bool {
        let text = normalized(text);
        let has = |alternative: &str| occurs(&normalized(alternative.trim()), &text);
        self.parts().iter().all(|part| part.split('|').any(has))
    }

    /// An empty text would be in every answer.
    fn can_be_wrong(&self) -> bool {
        let is_text = |part: &String| part.split('|').all(|alternative| !alternative.trim().is_empty());
        !self.parts().is_empty() && self.parts().iter().all(is_text)
    }
}

/// Reads both files, scores and prints a table and a summary. Wrong answers are a result, not an error.
pub(super) fn run(transcript: &Path, questions: &Path) -> Result<(), ExitError> {
    let questions = read_questions(&read(questions)?, &questions.display().to_string())?;
    let lines = read_transcript(&read(transcript)?, &transcript.display().to_string(), &questions)?;
    print::out(&report(&questions, lines));
    Ok(())
}

fn read(path: &Path) -> Result<String, ExitError> {
    fs::read_to_string(path).map_err(|error| ExitError::usage(format!("{}: {error}", path.display())))
}

fn read_questions(text: &str, name: &str) -> Result<Vec<Question>, ExitError> {
    let file: File = serde_json::from_str(text).map_err(|error| ExitError::usage(format!("{name}: {error}")))?;
    let mut ids = HashSet::new();
    for question in &file.questions {
        let id = &question.id;
        if !ids.insert(id) {
            return Err(ExitError::usage(format!("{name}: two questions have the id \"{id}\"")));
        }
        if !question.answer.can_be_wrong() {
            return Err(ExitError::usage(format!(
                "{name}: the answer of \"{id}\" is empty, or has an empty part"
            )));
        }
    }
    Ok(file.questions)
}

/// The lines by their question. Empty lines are passed over.
fn read_transcript(text: &str, name: &str, questions: &[Question]) -> Result<BTreeMap<String, Line>, ExitError> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |what: &str| ExitError::usage(format!("{name}, line {}: {what}", index + 1));
        let line: Line = serde_json::from_str(line).map_err(|error| {
            let (column, error) = (error.column(), error.to_string());
            let error = error.split(" at line ").next().unwrap_or_default();
            wrong(&format!("{error} (column {column}); expected {LINE}"))
        })?;
        let id = line.question.clone();
        if !questions.iter().any(|question| question.id == id) {
            return Err(wrong(&format!("no question has the id \"{id}\"")));
        }
        if lines.insert(id.clone(), line).is_some() {
            return Err(wrong(&format!(
                "the question \"{id}\" has a line already; score each run in a file of its own"
            )));
        }
    }
    if lines.is_empty() {
        return Err(ExitError::usage(format!("{name}: no lines; expected {LINE}")));
    }
    Ok(lines)
}

impl Score<'_> {
    fn is_right(&self) -> bool {
        self.question.answer.is_in(&self.line.answer)
    }

    fn calls(&self) -> usize {
        self.line.calls.len()
    }

    fn bytes(&self) -> u64 {
        self.line.calls.iter().map(|call| u64::from(call.bytes)).sum()
    }

    fn errors(&self) -> usize {
        self.line.calls.iter().filter(|call| call.is_error).count()
    }

    fn is_within_bounds(&self) -> bool {
        self.calls() <= self.question.calls_max && self.bytes() <= self.question.bytes_max
    }
}

/// A table in the order of the questions, as markdown, and what it comes to.
fn report(questions: &[Question], mut lines: BTreeMap<String, Line>) -> String {
    let asked = questions.iter().filter_map(|question| {
        let line = lines.remove(&question.id)?;
        Some(Score { question, line })
    });
    let scores: Vec<Score<'_>> = asked.collect();
    let mut out = String::from(
        "| question | right | within bounds | calls | bytes | tokens | errors | tools |\n|---|---|---|---|---|---|---|---|\n",
    );
    let yes = |is: bool| if is { "yes" } else { "no" };
    for score in &scores {
        let tools: Vec<&str> = score.line.calls.iter().map(|call| call.tool.as_str()).collect();
        out += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            score.question.id,
            yes(score.is_right()),
            yes(score.is_within_bounds()),
            score.calls(),
            score.bytes(),
            score.bytes() / BYTES_PER_TOKEN,
            score.errors(),
            tools.join(", ")
        );
    }
    let count = |is: fn(&Score<'_>) -> bool| scores.iter().filter(|score| is(score)).count();
    let calls = scores.iter().map(|score| score.calls() as u64);
    let bytes: Vec<u64> = scores.iter().map(Score::bytes).collect();
    let all_bytes: u64 = bytes.iter().sum();
    out += &format!(
        "\n{} of {} right · {} within bounds · {} of the file's {} questions not asked\n\
         median: {} calls, {} bytes · all: {} calls, {all_bytes} bytes, {} tokens, {} errors",
        count(|score| score.is_right()),
        scores.len(),
        count(|score| score.is_within_bounds()),
        questions.len() - scores.len(),
        questions.len(),
        median(calls.clone().collect()),
        median(bytes),
        calls.sum::<u64>(),
        all_bytes / BYTES_PER_TOKEN,
        scores.iter().map(Score::errors).sum::<usize>(),
    );
    out
}

/// The middle value; of two the larger. 0 for none.
fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Lower case without diacritics, runs of white space as one space, numbers in one form.
fn normalized(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|char| !is_combining_mark(*char))
        .flat_map(char::to_lowercase)
        .collect();
    let plain: Vec<char> = plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    let mut out = String::new();
    let mut rest = plain.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let is_in_word = out.ends_with(char::is_alphanumeric);
        if first.is_ascii_digit() && !is_in_word {
            rest = &rest[push_number(rest, &mut out)..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// Writes the number at the beginning and returns how many characters it has. Groups of three digits behind one to three make
/// one number where all are apart by the same mark; other digits behind a mark are decimals.
fn push_number(text: &[char], out: &mut String) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|char| char.is_ascii_digit()).count()
    };
    let mut end = digits(0);
    out.extend(&text[..end]);
    if end <= 3 && text[0] != '0' {
        let mark = text.get(end).filter(|mark| " .,'’".contains(**mark));
        while mark.is_some() && text.get(end) == mark && digits(end + 1) == 3 {
            out.extend(&text[end + 1..end + 4]);
            end += 4;
        }
    }
    let decimals = digits(end + 1);
    let is_date = matches!(text.get(end + 1 + decimals), Some('.')) && digits(end + 2 + decimals) > 0;
    if matches!(text.get(end), Some('.' | ',')) && decimals > 0 && !is_date {
        let decimals_end = end + 1 + decimals;
        let fraction: String = text[end + 1..decimals_end].iter().collect();
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
        end = decimals_end;
    }
    end
}

/// Longer words are inflected at their end.
const WHOLE_WORD_LETTERS: usize = 3;

/// Both texts normalized.
fn occurs(expected: &str, text: &str) -> bool {
    let is_number = |char: Option<char>| char.is_some_and(|char| char.is_ascii_digit());
    let joins =
        |mark: Option<char>, beyond: Option<char>| mark.is_some_and(|mark| ".:/-".contains(mark)) && is_number(beyond);
    let is_short = expected.chars().count() <= WHOLE_WORD_LETTERS && !is_number(expected.chars().next_back());
    text.match_indices(expected).any(|(at, _)| {
        let mut before = text[..at].chars().rev();
        let mut after = text[at + expected.len()..].chars();
        let (mark, beyond) = (before.next(), before.next());
        let begins_inside =
            mark.is_some_and(char::is_alphanumeric) || is_number(expected.chars().next()) && joins(mark, beyond);
        let (mark, beyond) = (after.next(), after.next());
        let ends_in_word = is_short && mark.is_some_and(char::is_alphanumeric);
        let ends_in_number = is_number(expected.chars().next_back()) && (is_number(mark) || joins(mark, beyond));
        !(begins_inside || ends_in_word || ends_in_number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(answer: &str, text: &str) -> bool {
        Answer::One(answer.to_owned()).is_in(text)
    }

    #[test]
    fn numbers_have_one_form() {
        for text in [
            "It was 12 345 calls.",
            "12,345",
            "12.345",
            "12\u{a0}345",
            "**12’345**",
            "12345 hovorů",
        ] {
            assert!(is_in("12345", text), "{text}");
        }
        for (answer, text) in [
            ("4.5", "4,50 Kč"),
            ("787256", "787 256"),
            ("0.125", "0,125"),
            ("20.10.2026", "dne 20.10.2026."),
        ] {
            assert!(is_in(answer, text), "{answer} in {text}");
        }
        for text in [
            "123456",
            "0.12345",
            "12345.6",
            "12:345",
            "112345",
            "2026-12345",
            "12 345 678",
            "12, 345",
        ] {
            assert!(!is_in("12345", text), "{text}");
        }
    }

    #[test]
    fn words_match_without_case_and_accents_and_may_be_inflected() {
        assert!(is_in("Jan Novák", "volal JAN  NOVAKovi"));
        assert!(!is_in("Nova", "Nenova"));
        assert!(is_in("none | žádn", "Zadny hovor"));
        assert!(!is_in("none | žádn", "Tři hovory"));
        assert!(is_in("no", "No, there is nobody.") && !is_in("no", "Novák"));
        let both = Answer::All(vec!["Jan".to_owned(), "Eva".to_owned()]);
        assert!(both.is_in("Eva a Jan") && !both.is_in("Eva"));
    }

    const QUESTIONS: &str = r#"{"questions": [
        {"id": "open", "answer": "104", "calls_max": 1, "bytes_max": 100},
        {"id": "who", "answer": ["Jan Novák", "Eva"], "calls_max": 1, "bytes_max": 100},
        {"id": "unasked", "answer": "1", "calls_max": 1, "bytes_max": 100}]}"#;

    fn scored(transcript: &str) -> Result<String, String> {
        let questions = read_questions(QUESTIONS, "q.json").map_err(|error| error.message)?;
        let lines = read_transcript(transcript, "t.jsonl", &questions).map_err(|error| error.message)?;
        Ok(report(&questions, lines))
    }

    #[test]
    fn a_transcript_is_scored_in_the_order_of_the_questions() {
        let transcript = r#"{"question": "who", "calls": [{"tool": "a", "arguments": {}, "bytes": 60, "is_error": true}, {"tool": "b", "bytes": 90, "is_error": false}], "answer": "Jan Novák"}

{"question": "open", "calls": [{"tool": "a", "arguments": {}, "bytes": 50, "is_error": false}], "answer": "There are 104."}
"#;
        assert_eq!(
            scored(transcript).unwrap(),
            "| question | right | within bounds | calls | bytes | tokens | errors | tools |\n\
             |---|---|---|---|---|---|---|---|\n\
             | open | yes | yes | 1 | 50 | 12 | 0 | a |\n\
             | who | no | no | 2 | 150 | 37 | 1 | a, b |\n\n\
             1 of 2 right · 1 within bounds · 1 of the file's 3 questions not asked\n\
             median: 2 calls, 150 bytes · all: 3 calls, 200 bytes, 50 tokens, 1 errors"
        );
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        let good = r#"{"question": "open", "calls": [], "answer": "104"}"#;
        for (line, beginning) in [
            (
                "{",
                "t.jsonl, line 2: EOF while parsing an object (column 1); expected {\"question\"",
            ),
            (
                r#"{"question": "who", "answer": ""}"#,
                "t.jsonl, line 2: missing field `calls` (column 33); expected",
            ),
            (
                r#"{"question": "nobody", "calls": [], "answer": ""}"#,
                "t.jsonl, line 2: no question has the id \"nobody\"",
            ),
            (good, "t.jsonl, line 2: the question \"open\" has a line already"),
        ] {
            let error = scored(&format!("{good}\n{line}\n")).unwrap_err();
            assert!(error.starts_with(beginning), "{error}");
        }
        assert!(scored("\n").unwrap_err().starts_with("t.jsonl: no lines"));
    }
}
