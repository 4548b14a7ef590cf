//! Texts for clients without the tools that are not served: sentences, clauses and list items that name only those are left out.

use crate::catalog::selection::named;
use crate::model::tool::Tool;

/// Whether a piece of text names tools that are served, and others.
#[derive(Clone, Copy, Default)]
struct Mentions {
    served: bool,
    hidden: bool,
}

/// The texts of a server that serves some of the tools.
pub(super) struct Narrowing<'a> {
    is_served: &'a dyn Fn(&Tool) -> bool,
}

impl<'a> Narrowing<'a> {
    pub(super) fn new(is_served: &'a dyn Fn(&Tool) -> bool) -> Self {
        Narrowing { is_served }
    }

    /// A text of several lines. A list item that named tools is left out where none of them is left; a section that is headed by
    /// `###` is left out with its first numbered step.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out: Vec<String> = Vec::new();
        let mut section = None;
        let mut is_dropping = false;
        for line in text.lines() {
            if line.starts_with('#') {
                is_dropping = false;
                section = line.starts_with("### ").then_some(out.len());
            }
            if is_dropping {
                continue;
            }
            match self.line(line) {
                Some(line) => out.push(line),
                None if line.starts_with("1. ") && section.is_some() => {
                    out.truncate(section.unwrap_or(out.len()));
                    is_dropping = true;
                }
                None => {}
            }
        }
        out.join("\n")
    }

    /// One line or paragraph; `None` where a list item names no tool any longer.
    fn line(&self, line: &str) -> Option<String> {
        if !self.mentions(line).hidden {
            return Some(line.to_owned());
        }
        let kept = self.paragraph(line);
        let is_item = line.starts_with("- ") || line.starts_with(|first: char| first.is_ascii_digit());
        (!is_item || self.mentions(&kept).served).then_some(kept)
    }

    /// A paragraph without the sentences, clauses and list items that name only tools which are not served. The same text where
    /// it names none of those.
    pub(super) fn paragraph(&self, text: &str) -> String {
        if !self.mentions(text).hidden {
            return text.to_owned();
        }
        let sentences = text.split_inclusive(". ").filter_map(|sentence| {
            let end = if sentence.ends_with(". ") { ". " } else { "" };
            let body = sentence.strip_suffix(end).unwrap_or(sentence);
            let (body, end) = match body.strip_suffix('.') {
                Some(body) => (body, "."),
                None => (body, end),
            };
            Some(format!(
                "{}{end}",
                self.pieces(body, "; ", |clause| self.clause(clause))?
            ))
        });
        sentences.collect::<String>().trim_end().to_owned()
    }

    fn clause(&self, clause: &str) -> Option<String> {
        let mentions = self.mentions(clause);
        match (mentions.hidden, mentions.served) {
            (false, _) => Some(clause.to_owned()),
            (true, false) => None,
            (true, true) => {
                let (label, items) = clause
                    .split_once(": ")
                    .map_or(("", clause), |(label, items)| (label, items));
                let kept = self.pieces(items, ", ", |item| {
                    (!self.mentions(item).hidden).then(|| item.to_owned())
                })?;
                Some(if label.is_empty() {
                    kept
                } else {
                    format!("{label}: {kept}")
                })
            }
        }
    }

    fn pieces(&self, text: &str, separator: &str, keep: impl Fn(&str) -> Option<String>) -> Option<String> {
        let kept: Vec<String> = text.split(separator).filter_map(keep).collect();
        (!kept.is_empty()).then(|| kept.join(separator))
    }

    fn mentions(&self, text: &str) -> Mentions {
        let mut found = Mentions::default();
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "_*".contains(c))) {
            match named(word, self.is_served) {
                Some(true) => found.served = true,
                Some(false) => found.hidden = true,
                None => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(hidden: &[&str], text: &str) -> String {
        Narrowing::new(&|tool: &Tool| !hidden.contains(&tool.name)).text(text)
    }

    #[test]
    fn what_names_hidden_tools_only_is_left_out() {
        let line = "- Which: list_tickets. One: get_ticket_detail. Many: list_ticket_threads.";
        assert_eq!(without(&["list_calls"], line), line);
        assert_eq!(
            without(&["get_ticket_detail"], line),
            "- Which: list_tickets. Many: list_ticket_threads."
        );
        assert_eq!(
            without(&["list_ticket_threads"], line),
            "- Which: list_tickets. One: get_ticket_detail."
        );
        assert_eq!(
            without(&["list_tickets", "get_ticket_detail", "list_ticket_threads"], line),
            ""
        );
        assert_eq!(
            without(&["list_emails"], "one channel: list_calls, list_emails, list_*_chats."),
            "one channel: list_calls, list_*_chats."
        );
        assert_eq!(
            without(&["who_am_i"], "Dates are local; who_am_i tells the time. Read all."),
            "Dates are local. Read all."
        );
    }

    #[test]
    fn a_recipe_goes_with_its_first_step() {
        let guide = "## Recipes\n\n### Mail\n1. `list_emails` with x.\n2. Judge.\n\n### Calls\n1. `list_calls`.\n2. `get_call`.\n";
        assert_eq!(
            without(&["list_emails"], guide),
            "## Recipes\n\n### Calls\n1. `list_calls`.\n2. `get_call`."
        );
        assert_eq!(
            without(&["get_call", "list_emails"], guide),
            "## Recipes\n\n### Calls\n1. `list_calls`."
        );
    }
}
