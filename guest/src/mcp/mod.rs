//! MCP server: takes requests and returns results as JSON text, for the adapters that speak MCP.

pub mod completion;
#[cfg(test)]
mod cross_references;
pub mod prompts;
pub mod resources;
pub mod stateless_http;

use daktela_protocol::code::{INTERNAL_ERROR, INVALID_PARAMS, RESOURCE_NOT_FOUND};
use serde_json::{Value, json};

use self::resources::Target;
use crate::{
    catalog,
    daktela::{error::Error, hints::Hints, http::Http, observations::Observations},
    model::{output::Output, schema, tool::Tool},
    render::markdown,
    run,
    settings::Settings,
};

/// A JSON-RPC error.
#[derive(Debug, PartialEq, Eq)]
pub struct RpcError {
    pub code: i32,
    pub message: String,
    /// JSON text.
    pub data: Option<String>,
}

/// The JSON text of a result of MCP.
pub type RpcResult = Result<String, RpcError>;

/// The context of a call of which nothing else is known.
const NO_CONTEXT: &str = "{}";

/// The server, as one request sees it.
pub struct Server<'a> {
    settings: &'a Settings,
    /// The way to the instance, or why there is none. Lists need none.
    http: Result<&'a dyn Http, String>,
}

impl<'a> Server<'a> {
    pub fn new(settings: &'a Settings, http: Result<&'a dyn Http, String>) -> Self {
        Server { settings, http }
    }

    /// Name, version, capabilities and instructions.
    pub fn describe(&self) -> String {
        json!({
            "serverInfo": {
                "name": "mcp-daktela",
                "title": "Daktela",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Read-only access to a Daktela contact centre: tickets, calls, e-mails, chats, contacts, CRM.",
                "websiteUrl": "https://www.daktela.com",
            },
            "instructions": include_str!("instructions.md").trim(),
            "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}},
        })
        .to_string()
    }

    /// The tools that are served.
    fn tools(&self) -> impl Iterator<Item = &'static Tool> {
        catalog::tools()
    }

    fn tool(&self, name: &str) -> Option<&'static Tool> {
        self.tools().find(|tool| tool.name == name)
    }

    pub fn list_tools(&self, cursor: Option<&str>) -> RpcResult {
        let shown = |tool: &Tool| {
            let mut shown = schema::tool(tool);
            if catalog::FIRST.contains(&tool.name) {
                shown["_meta"]["anthropic/alwaysLoad"] = json!(true);
            }
            shown
        };
        first_page(cursor, json!({"tools": self.tools().map(shown).collect::<Vec<_>>()}))
    }

    /// Calls a tool with the JSON text of its arguments. A call that fails is a result, not an error of JSON-RPC.
    pub fn call_tool(&self, name: &str, arguments: &str) -> RpcResult {
        self.call_tool_in(NO_CONTEXT, name, arguments)
    }

    /// The same in a context, the JSON object that `wit/world.wit` describes.
    pub fn call_tool_in(&self, context: &str, name: &str, arguments: &str) -> RpcResult {
        let tool = self
            .tool(name)
            .ok_or_else(|| invalid(format!("Unknown tool {name:?}.")))?;
        if is_diagnosis(context) {
            let probes = run::probe(tool, self.http()?, self.settings);
            return Ok(json!({"content": [], "_meta": {"daktela/probes": probes}}).to_string());
        }
        let hints = Hints::from_context(context);
        let (output, observed) = run::run_observed(tool, self.http()?, &hints, self.settings, arguments);
        let mut answer = tool_result(output, &observed);
        add_hints(&mut answer, &hints);
        Ok(answer.to_string())
    }

    pub fn list_resources(&self, cursor: Option<&str>) -> RpcResult {
        first_page(cursor, resources::list())
    }

    pub fn list_resource_templates(&self, cursor: Option<&str>) -> RpcResult {
        first_page(cursor, resources::templates(|tool| self.tool(tool).is_some()))
    }

    pub fn read_resource(&self, uri: &str) -> RpcResult {
        self.read_resource_in(NO_CONTEXT, uri)
    }

    /// The same in a context, as of a tool.
    pub fn read_resource_in(&self, context: &str, uri: &str) -> RpcResult {
        let hints = Hints::from_context(context);
        let unknown = || no_resource(uri, format!("No resource {uri:?}."));
        let text = match resources::target(uri).ok_or_else(unknown)? {
            Target::Guide => include_str!("guide.md").to_owned(),
            Target::Tool(tool, arguments) => {
                let tool = self.tool(tool).ok_or_else(unknown)?;
                let (output, _) = run::run_observed(tool, self.http()?, &hints, self.settings, &arguments);
                let output = output.map_err(|error| match error {
                    Error::NotFound(text) => no_resource(uri, text),
                    other => invalid(other.text().to_owned()),
                })?;
                markdown::output(&output)
            }
        };
        let mut contents = resources::contents(uri, &text);
        add_hints(&mut contents, &hints);
        Ok(contents.to_string())
    }

    pub fn list_prompts(&self, cursor: Option<&str>) -> RpcResult {
        first_page(cursor, prompts::list())
    }

    /// Fills a prompt with the JSON text of its arguments.
    pub fn get_prompt(&self, name: &str, arguments: &str) -> RpcResult {
        match prompts::get(name, arguments) {
            None => Err(invalid(format!("No prompt {name:?}."))),
            Some(Err(error)) => Err(invalid(error.text().to_owned())),
            Some(Ok(prompt)) => Ok(prompt.to_string()),
        }
    }

    /// Completes an argument of a prompt or a resource template. `params` is the JSON text of the request's.
    pub fn complete(&self, params: &str) -> RpcResult {
        let params: Value = serde_json::from_str(params)
            .map_err(|_| invalid("The params of a completion must be a JSON object.".to_owned()))?;
        let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str);
        let (Some(argument), Some(typed)) = (text("/argument/name"), text("/argument/value")) else {
            return Err(invalid(
                "A completion needs argument.name and argument.value.".to_owned(),
            ));
        };
        let values = match (text("/ref/type"), text("/ref/name"), text("/ref/uri")) {
            (Some("ref/prompt"), Some(prompt), _) => match prompts::param(prompt, argument) {
                Some(param) => completion::values(self.http()?, param, typed),
                None => return Err(invalid(format!("No argument {argument:?} of a prompt {prompt:?}."))),
            },
            // Ids are not typed by hand.
            (Some("ref/resource"), _, Some(uri)) if resources::is_template(uri) => completion::none(),
            _ => {
                return Err(invalid(
                    "A completion needs a ref to a prompt or a resource template of this server.".to_owned(),
                ));
            }
        };
        Ok(values.to_string())
    }

    /// No caller can mend what the operator has to set.
    fn http(&self) -> Result<&'a dyn Http, RpcError> {
        self.http.clone().map_err(|message| RpcError {
            code: INTERNAL_ERROR,
            message,
            data: None,
        })
    }
}

/// The CallToolResult of MCP. Its `_meta` has the ids of the first record and what the reads showed of the instance.
fn tool_result(output: Result<Output, Error>, observed: &Observations) -> Value {
    let mut meta = observed.to_meta();
    let (text, is_error) = match output {
        Ok(output) => {
            let (rows, total) = output.size();
            meta.extend(rows.map(|rows| ("daktela/rows".to_owned(), json!(rows))));
            meta.extend(total.map(|total| ("daktela/total".to_owned(), json!(total))));
            let text = markdown::output(&output);
            meta.extend(output.first_record.map(|first| ("daktela/first".to_owned(), first)));
            (text, false)
        }
        Err(error) => {
            meta.insert("daktela/error".to_owned(), error.kind().into());
            (error.text().to_owned(), true)
        }
    };
    let mut out = json!({"content": [{"type": "text", "text": text}], "isError": is_error});
    if !meta.is_empty() {
        out["_meta"] = Value::Object(meta);
    }
    out
}

/// Whether the host asks how the instance treats a tool's conditions and orders, in place of calling the tool.
fn is_diagnosis(context: &str) -> bool {
    serde_json::from_str::<Value>(context).is_ok_and(|context| context["diagnosis"] == true)
}

/// Tells the host what it is to keep, if it keeps hints.
fn add_hints(answer: &mut Value, hints: &Hints) {
    if let Some(changes) = hints.changes() {
        answer["_meta"]["daktela/hints"] = changes;
    }
}

/// All lists are one page, so no cursor was ever given.
fn first_page(cursor: Option<&str>, page: Value) -> RpcResult {
    match cursor {
        None => Ok(page.to_string()),
        Some(_) => Err(invalid("Unknown cursor: this list is one page.".to_owned())),
    }
}

/// MCP uses "invalid params" for what does not exist.
fn invalid(message: String) -> RpcError {
    RpcError {
        code: INVALID_PARAMS,
        message,
        data: None,
    }
}

fn no_resource(uri: &str, message: String) -> RpcError {
    RpcError {
        code: RESOURCE_NOT_FOUND,
        message,
        data: Some(json!({ "uri": uri }).to_string()),
    }
}
