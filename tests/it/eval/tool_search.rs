//! Tool search: paraphrases of questions, ranked by BM25 over names, descriptions and argument texts of the tools.

use std::collections::HashMap;

use guest::{catalog, text::fold};

use super::{count_by, data, text};

const PARAPHRASES_MIN: usize = 120;

/// Clients with tool search load the first few tools that it finds.
const FIRST: usize = 5;
const FOUND_PERCENT_MIN: usize = 95;

/// The usual constants of BM25: how soon a repeated word counts no more, and how much long texts count less.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;

struct Index {
    /// The words of each tool's texts, with how often they occur and how many there are.
    tools: Vec<(&'static str, HashMap<String, f64>, f64)>,
    mean_length: f64,
}

/// Lower case without diacritics; no stemming.
fn words(text: &str) -> Vec<String> {
    let plain = fold(text);
    let words = plain.split(|char: char| !char.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Index {
    fn new() -> Self {
        let tools: Vec<_> = catalog::tools()
            .map(|tool| {
                let params = tool.params();
                let arguments = params.iter().flat_map(|param| [param.name, param.description]);
                let texts: Vec<&str> = [tool.name, tool.description].into_iter().chain(arguments).collect();
                let words = words(&texts.join(" "));
                let length = words.len() as f64;
                let mut counts = HashMap::new();
                for word in words {
                    *counts.entry(word).or_insert(0.0) += 1.0;
                }
                (tool.name, counts, length)
            })
            .collect();
        let mean_length = tools.iter().map(|(_, _, length)| length).sum::<f64>() / tools.len() as f64;
        Index { tools, mean_length }
    }

    /// The tools that hold any of the words, best first.
    fn search(&self, query: &str) -> Vec<&'static str> {
        let all = self.tools.len() as f64;
        let mut scores = vec![0.0; self.tools.len()];
        for word in words(query) {
            let having = self
                .tools
                .iter()
                .filter(|(_, counts, _)| counts.contains_key(&word))
                .count() as f64;
            let weight = (1.0 + (all - having + 0.5) / (having + 0.5)).ln();
            for (score, (_, counts, length)) in scores.iter_mut().zip(&self.tools) {
                let count = counts.get(&word).copied().unwrap_or_default();
                let norm = SATURATION * (1.0 - LENGTH + LENGTH * length / self.mean_length);
                *score += weight * count * (SATURATION + 1.0) / (count + norm);
            }
        }
        let mut found: Vec<_> = scores
            .into_iter()
            .zip(&self.tools)
            .filter(|(score, _)| *score > 0.0)
            .collect();
        found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        found.into_iter().map(|(_, (name, _, _))| *name).collect()
    }
}

#[test]
fn tool_search_finds_the_right_tool_among_the_first() {
    let paraphrases = data("paraphrases.json", "paraphrases");
    assert!(paraphrases.len() >= PARAPHRASES_MIN, "{}", paraphrases.len());
    let languages = count_by(&paraphrases, "language");
    assert!(languages["cs"] * 3 >= paraphrases.len() && languages["en"] * 3 >= paraphrases.len());
    let index = Index::new();
    let mut missed = Vec::new();
    for paraphrase in &paraphrases {
        let tools: Vec<&str> = paraphrase["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .map(|tool| tool.as_str().expect("a name"))
            .collect();
        for tool in &tools {
            assert!(catalog::find(tool).is_some(), "no tool is called {tool}");
        }
        // What a model searches with, where the descriptions are in another language than the question.
        let query = paraphrase["search"]
            .as_str()
            .unwrap_or_else(|| text(paraphrase, "query"));
        let found = index.search(query);
        let first = &found[..found.len().min(FIRST)];
        if !first.iter().any(|name| tools.contains(name)) {
            missed.push(format!("{query:?} finds {first:?}, not {tools:?}"));
        }
    }
    let found = paraphrases.len() - missed.len();
    assert!(
        found * 100 >= paraphrases.len() * FOUND_PERCENT_MIN,
        "{found} of {} found; missed:\n{}",
        paraphrases.len(),
        missed.join("\n")
    );
}
