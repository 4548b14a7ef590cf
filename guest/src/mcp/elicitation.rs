//! Elicitation: an ambiguous name is put to the client's own dialog, where the client declares one, and the call goes on with the
//! record that was chosen.
//!
//! A component keeps nothing, so what was chosen so far travels in the request state: `{"chosen": [{"param", "given", "id"}],
//! "asked": {"param", "given"}}`. A person who declines gets the answer that other clients get: the candidates as a text.

use serde_json::{Value, json};

use crate::daktela::error::Ambiguity;

/// The field of the dialog.
const CHOICE: &str = "choice";

/// More names than this are not asked about in one call.
const ROUNDS_MAX: usize = 5;

/// What a call knows of the dialog so far.
pub(super) struct Dialog {
    can_ask: bool,
    chosen: Vec<Value>,
}

impl Dialog {
    /// From a call's context, with the answer to the last question in it.
    pub(super) fn of(context: &Value) -> Self {
        let elicitation = &context["clientCapabilities"]["elicitation"];
        // Without a mode it is the dialog with fields.
        let has_form = elicitation
            .as_object()
            .is_some_and(|modes| modes.is_empty() || modes.contains_key("form"));
        let state: Value = context["requestState"]
            .as_str()
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or_default();
        let mut chosen = state["chosen"].as_array().cloned().unwrap_or_default();
        let mut can_ask = has_form && chosen.len() < ROUNDS_MAX;
        if let Some(param) = state["asked"]["param"].as_str() {
            let reply = &context["inputResponses"][param];
            match (reply["action"].as_str(), reply["content"][CHOICE].as_str()) {
                (Some("accept"), Some(id)) => {
                    chosen.push(json!({"param": param, "given": state["asked"]["given"], "id": id}));
                }
                // Declined, cancelled or not answered: not asked again.
                _ => can_ask = false,
            }
        }
        Dialog { can_ask, chosen }
    }

    /// The arguments with the ids that were chosen in place of the names.
    pub(super) fn applied(&self, arguments: &str) -> Option<String> {
        if self.chosen.is_empty() {
            return None;
        }
        let mut arguments: Value = serde_json::from_str(arguments).ok()?;
        for choice in &self.chosen {
            let (param, given, id) = (choice["param"].as_str()?, choice["given"].as_str()?, &choice["id"]);
            match arguments.get_mut(param) {
                Some(Value::Array(items)) => {
                    let named = items.iter_mut().filter(|item| is_given(item, given));
                    named.for_each(|item| *item = id.clone());
                }
                Some(item) if is_given(item, given) => *item = id.clone(),
                _ => {}
            }
        }
        Some(arguments.to_string())
    }

    /// The InputRequiredResult that asks which record is meant; `None` where the client cannot be asked, or no argument holds
    /// the name.
    pub(super) fn ask(&self, ambiguity: &Ambiguity, arguments: &str) -> Option<Value> {
        if !self.can_ask {
            return None;
        }
        let arguments: Value = serde_json::from_str(arguments).ok()?;
        let holds = |value: &Value| match value {
            Value::Array(items) => items.iter().any(|item| is_given(item, &ambiguity.given)),
            value => is_given(value, &ambiguity.given),
        };
        let (param, _) = arguments.as_object()?.iter().find(|(_, value)| holds(value))?;
        let choices = ambiguity
            .candidates
            .iter()
            .map(|(id, title)| json!({"const": id, "title": title}));
        let schema = json!({
            "type": "object",
            "properties": {CHOICE: {"type": "string", "title": ambiguity.singular, "oneOf": choices.collect::<Vec<_>>()}},
            "required": [CHOICE],
        });
        let state = json!({"chosen": self.chosen, "asked": {"param": param, "given": ambiguity.given}});
        Some(json!({
            "resultType": "input_required",
            "inputRequests": {param: {
                "method": "elicitation/create",
                "params": {"mode": "form", "message": ambiguity.question, "requestedSchema": schema},
            }},
            "requestState": state.to_string(),
        }))
    }
}

fn is_given(value: &Value, given: &str) -> bool {
    match value {
        Value::String(text) => text.trim() == given.trim(),
        // A phone number, as some models write it.
        Value::Number(number) => number.to_string() == given.trim(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ambiguity() -> Ambiguity {
        Ambiguity {
            text: "2 users answer to it.".to_owned(),
            singular: "user",
            question: "Which?".to_owned(),
            given: "Novák".to_owned(),
            candidates: vec![("jan".to_owned(), "Jan Novák (jan)".to_owned())],
        }
    }

    #[test]
    fn a_name_is_asked_about_and_the_choice_takes_its_place() {
        let arguments = r#"{"user": ["eva", "Novák"]}"#;
        let first = Dialog::of(&json!({"clientCapabilities": {"elicitation": {}}}));
        let asked = first.ask(&ambiguity(), arguments).expect("a question");
        let properties = &asked["inputRequests"]["user"]["params"]["requestedSchema"]["properties"];
        assert_eq!(
            properties["choice"]["oneOf"],
            json!([{"const": "jan", "title": "Jan Novák (jan)"}])
        );
        let reply = |action: &str| {
            Dialog::of(&json!({
                "clientCapabilities": {"elicitation": {"form": {}}},
                "requestState": asked["requestState"],
                "inputResponses": {"user": {"action": action, "content": {"choice": "jan"}}},
            }))
        };
        assert_eq!(
            reply("accept").applied(arguments).as_deref(),
            Some(r#"{"user":["eva","jan"]}"#)
        );
        assert_eq!(reply("decline").applied(arguments), None);
        assert!(reply("decline").ask(&ambiguity(), arguments).is_none());
    }

    #[test]
    fn who_cannot_be_asked_is_not() {
        for context in [json!({}), json!({"clientCapabilities": {"elicitation": {"url": {}}}})] {
            assert!(Dialog::of(&context).ask(&ambiguity(), r#"{"user": "Novák"}"#).is_none());
        }
        let able = Dialog::of(&json!({"clientCapabilities": {"elicitation": {}}}));
        assert!(able.ask(&ambiguity(), r#"{"user": "Svoboda"}"#).is_none());
    }
}
