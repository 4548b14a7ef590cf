//! Resources: a guide to working with Daktela, and single records by address.

use serde_json::{Value, json};

/// The guide's address.
pub const GUIDE: &str = "daktela://guide";

/// A kind of record that has an address, and the tool that shows it.
struct Template {
    kind: &'static str,
    tool: &'static str,
    argument: &'static str,
    title: &'static str,
}

const TEMPLATES: &[Template] = &[
    Template {
        kind: "ticket",
        tool: "get_ticket_detail",
        argument: "name",
        title: "Ticket with its conversation",
    },
    Template {
        kind: "activity",
        tool: "get_activity",
        argument: "name",
        title: "Activity",
    },
    Template {
        kind: "call",
        tool: "get_call",
        argument: "name",
        title: "Call",
    },
    Template {
        kind: "transcript",
        tool: "get_call_transcript",
        argument: "activity",
        title: "Call transcript",
    },
    Template {
        kind: "email",
        tool: "get_email",
        argument: "name",
        title: "E-mail",
    },
    Template {
        kind: "contact",
        tool: "get_contact",
        argument: "name",
        title: "Contact",
    },
    Template {
        kind: "account",
        tool: "get_account",
        argument: "name",
        title: "Account",
    },
];

pub fn list() -> Value {
    json!({"resources": [{
        "uri": GUIDE,
        "name": "guide",
        "title": "Working with Daktela",
        "description": "How records hang together, and recipes for reviews and audits.",
        "mimeType": "text/markdown",
    }]})
}

/// The templates whose tool is served.
pub fn templates(is_served: impl Fn(&str) -> bool) -> Value {
    let templates: Vec<Value> = TEMPLATES
        .iter()
        .filter(|template| is_served(template.tool))
        .map(|template| {
            json!({
                "uriTemplate": format!("daktela://{}/{{id}}", template.kind),
                "name": template.kind,
                "title": template.title,
                "description": format!("What {} shows.", template.tool),
                "mimeType": "text/markdown",
            })
        })
        .collect();
    json!({"resourceTemplates": templates})
}

/// What an address leads to.
pub enum Target {
    Guide,
    /// A tool and the JSON text of its arguments.
    Tool(&'static str, String),
}

pub fn target(uri: &str) -> Option<Target> {
    if uri == GUIDE {
        return Some(Target::Guide);
    }
    let (kind, id) = uri.strip_prefix("daktela://")?.split_once('/')?;
    let template = TEMPLATES.iter().find(|template| template.kind == kind)?;
    let id = decode(id).filter(|id| !id.is_empty())?;
    Some(Target::Tool(template.tool, json!({template.argument: id}).to_string()))
}

pub fn is_template(uri: &str) -> bool {
    TEMPLATES
        .iter()
        .any(|template| uri == format!("daktela://{}/{{id}}", template.kind))
}

pub fn contents(uri: &str, text: &str) -> Value {
    json!({"contents": [{"uri": uri, "mimeType": "text/markdown", "text": text}]})
}

/// Percent-decodes an id in an address.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = tail else { return None };
        let digit = |c: &u8| char::from(*c).to_digit(16);
        bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_a_tool_or_nowhere() {
        let tool = |uri| match target(uri) {
            Some(Target::Tool(tool, arguments)) => format!("{tool} {arguments}"),
            Some(Target::Guide) => "guide".to_owned(),
            None => "nothing".to_owned(),
        };
        assert_eq!(
            tool("daktela://ticket/787979"),
            r#"get_ticket_detail {"name":"787979"}"#
        );
        assert_eq!(
            tool("daktela://contact/a%40b.cz%2Fc"),
            r#"get_contact {"name":"a@b.cz/c"}"#
        );
        assert_eq!(tool("daktela://guide"), "guide");
        for uri in [
            "daktela://ticket/",
            "daktela://ticket",
            "daktela://user/x",
            "http://ticket/1",
            "daktela://ticket/%zz",
            "daktela://ticket/%ff",
        ] {
            assert_eq!(tool(uri), "nothing", "{uri}");
        }
    }
}
