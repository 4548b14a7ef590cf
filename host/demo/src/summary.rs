//! A request in one line that people can read, for golden files:
//! `GET tickets  stage eq OPEN, id_merge isnull  sort edited desc  skip 0 take 50  fields name,title`.

use serde_json::Value;

use crate::{
    filter::{self, Node, Operator},
    query_string,
    quirks::Quirks,
    route::Request,
    value,
};

/// Longer lists in `in` are cut, and counted.
const LISTED: usize = 3;

pub(crate) fn summary(request: &Request, path: &str) -> String {
    let mut parts = vec![format!("{} {path}", request.method)];
    let parameters = request.parameters();
    let word = |name: &str| parameters.get(name).and_then(Value::as_str);
    match filter::parse(parameters.get("filter"), &Quirks::default()) {
        Ok(None) => {}
        Ok(Some(Node::All(nodes))) => parts.push(joined(&nodes, ", ")),
        Ok(Some(node)) => parts.push(condition(&node)),
        Err(_) => parts.push(format!("filter {}", parameters["filter"])),
    }
    if let Some(sort) = parameters.get("sort") {
        let entries = query_string::list(sort).unwrap_or_else(|| vec![sort]);
        let entries = entries.iter().map(|entry| {
            let word = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("?");
            format!("{} {}", word("field"), word("dir"))
        });
        parts.push(format!("sort {}", entries.collect::<Vec<_>>().join(", ")));
    }
    let paging = ["skip", "take", "page", "pageSize", "total"];
    let paging = paging
        .iter()
        .filter_map(|name| word(name).map(|value| format!("{name} {value}")));
    parts.push(paging.collect::<Vec<_>>().join(" "));
    if let Some(fields) = parameters.get("fields") {
        let fields = query_string::list(fields).unwrap_or_else(|| vec![fields]);
        let fields: Vec<String> = fields.into_iter().map(value::text).collect();
        parts.push(format!("fields {}", fields.join(",")));
    }
    parts.extend(word("q").map(|q| format!("q {q:?}")));
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

fn joined(nodes: &[Node], by: &str) -> String {
    nodes.iter().map(condition).collect::<Vec<_>>().join(by)
}

fn condition(node: &Node) -> String {
    match node {
        Node::All(nodes) => format!("({})", joined(nodes, " and ")),
        Node::Any(nodes) => format!("({})", joined(nodes, " or ")),
        Node::Leaf {
            field,
            operator,
            values,
        } => {
            let name = operator.name();
            match (operator, values.as_slice()) {
                (Operator::IsNull | Operator::IsNotNull, _) => format!("{field} {name}"),
                (Operator::In | Operator::NotIn, values) if values.len() > LISTED => {
                    format!(
                        "{field} {name} [{}, … {} in all]",
                        values[..LISTED].join(", "),
                        values.len()
                    )
                }
                (Operator::In | Operator::NotIn, values) => format!("{field} {name} [{}]", values.join(", ")),
                (_, values) => format!("{field} {name} {}", values.join("..")),
            }
        }
    }
}
