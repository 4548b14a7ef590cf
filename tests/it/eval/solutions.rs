//! Scripted solutions: the calls of each question are made through the program and hold its answer, within its bounds.

use std::fs;

use daktela_demo::{Demo, TOKEN};
use mcp_daktela::cli::eval::Answer;
use serde_json::{Value, json};

use super::{count_by, data, text};
use crate::{
    golden,
    program::{self, Program},
};

const KINDS: [&str; 8] = [
    "ambiguity",
    "comparing",
    "counting",
    "emptiness",
    "finding",
    "ranking",
    "reading",
    "rights",
];
const QUESTIONS_MIN: usize = 40;

/// What half of the questions may take at most: a model should not have to search for the way, nor read past what it asked.
const CALLS_MEDIAN_MAX: usize = 2;
const BYTES_MEDIAN_MAX: usize = 4_096;

/// The port of the demo instance differs each time, and with it the length of links.
const ORIGIN: &str = "https://stoupak.example";

fn questions() -> Vec<Value> {
    data("questions.json", "questions")
}

#[test]
fn there_are_questions_of_every_kind_in_both_languages() {
    let questions = questions();
    assert!(questions.len() >= QUESTIONS_MIN, "{}", questions.len());
    assert_eq!(count_by(&questions, "kind").into_keys().collect::<Vec<_>>(), KINDS);
    let languages = count_by(&questions, "language");
    assert_eq!(languages.keys().collect::<Vec<_>>(), [&"cs", &"en"]);
    assert!(
        languages.values().all(|count| count * 3 >= questions.len()),
        "{languages:?}"
    );
}

/// The middle value; of two the larger.
fn median(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    values[values.len() / 2]
}

/// Makes the calls of a solution. Returns them as a transcript has them, and all texts that came.
fn solve(program: &mut Program, origin: &str, question: &Value) -> (Vec<Value>, String) {
    let mut texts = String::new();
    let mut calls = Vec::new();
    for step in question["solution"].as_array().expect("calls") {
        let (tool, arguments) = (text(step, "tool"), &step["arguments"]);
        let result = program.call(tool, arguments);
        let answer = text(&result["content"][0], "text").replace(origin, ORIGIN);
        let is_error = result["isError"] == true;
        calls.push(json!({"tool": tool, "arguments": arguments, "bytes": answer.len(), "is_error": is_error}));
        texts += &answer;
        texts.push('\n');
    }
    (calls, texts)
}

#[test]
fn every_scripted_solution_holds_the_answer_within_its_bounds() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let mut program = Program::start(&[("DAKTELA_URL", origin.as_str()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let questions = questions();
    let (mut wrong, mut transcript) = (Vec::new(), String::new());
    let (mut calls_of_each, mut bytes_of_each) = (Vec::new(), Vec::new());
    for question in &questions {
        let id = text(question, "id");
        let (calls, texts) = solve(&mut program, &origin, question);
        let passages: Vec<&str> = question["found_in"]
            .as_array()
            .expect("passages")
            .iter()
            .map(|passage| passage.as_str().expect("a passage"))
            .collect();
        for passage in passages.iter().filter(|passage| !texts.contains(**passage)) {
            wrong.push(format!("{id}: {passage:?} is not in:\n{texts}"));
        }
        let answer: Answer = serde_json::from_value(question["answer"].clone()).expect("an answer");
        if !answer.is_in(&passages.join("\n")) {
            wrong.push(format!(
                "{id}: the answer {} is not in {passages:?}",
                question["answer"]
            ));
        }
        calls_of_each.push(calls.len());
        bytes_of_each.push(calls.iter().filter_map(|call| call["bytes"].as_u64()).sum::<u64>() as usize);
        transcript += &format!(
            "{}\n",
            json!({"question": id, "calls": calls, "answer": passages.join("\n")})
        );
    }
    let table = score(&transcript);
    let expected = format!(
        "\n{0} of {0} right · {0} within bounds · 0 of the file's",
        questions.len()
    );
    if !table.contains(&expected) {
        wrong.push(format!("not all are right and within their bounds:\n{table}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let (calls, bytes) = (median(calls_of_each), median(bytes_of_each));
    assert!(
        calls <= CALLS_MEDIAN_MAX && bytes <= BYTES_MEDIAN_MAX,
        "{calls} calls, {bytes} bytes"
    );
    golden::assert_eq(&golden::folder().join("golden/eval.md"), &table);
}

/// What `mcp-daktela eval` prints, as for anybody's transcript.
fn score(transcript: &str) -> String {
    let path = std::env::temp_dir().join(format!("mcp-daktela-eval-{}.jsonl", std::process::id()));
    fs::write(&path, transcript).expect("a file");
    let output = program::command(&[])
        .arg("eval")
        .arg(&path)
        .arg("--questions")
        .arg(golden::folder().join("eval/questions.json"))
        .output()
        .expect("the program runs");
    fs::remove_file(&path).expect("the file");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}
