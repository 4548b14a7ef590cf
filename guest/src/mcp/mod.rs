//! MCP server: takes requests and returns results as JSON text, for the adapters that speak MCP.

pub mod completion;
#[cfg(test)]
mod cross_references;
mod elicitation;
mod narrowing;
pub mod prompts;
mod report;
pub mod resources;
mod single_tool;
pub mod stateless_http;

use daktela_protocol::code::{INTERNAL_ERROR, INVALID_PARAMS, RESOURCE_NOT_FOUND};
use serde_json::{Value, json};

use self::{
    elicitation::Dialog,
    narrowing::Narrowing,
    resources::Target,
    single_tool::{Step, TOOLS_OF_ONE},
};
use crate::{
    catalog::{
        self, rights,
        selection::{Selection, SelectionError},
    },
    daktela::{client::Client, error::Error, hints::Hints, http::Http, observations::Observations},
    model::{
        context::Deidentify,
        output::Output,
        output_schema,
        param::{Kind, Param},
        schema,
        tool::Tool,
    },
    privacy::Shield,
    render::{
        markdown,
        structured::{self, Structured},
    },
    run,
    settings::{PrivacyLevel, Rights, Settings},
    tools::account::account,
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
    selection: Result<Selection, SelectionError>,
}

impl<'a> Server<'a> {
    pub fn new(settings: &'a Settings, http: Result<&'a dyn Http, String>) -> Self {
        Server {
            settings,
            http,
            selection: Selection::of(settings),
        }
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
            "instructions": self.instructions(),
            "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}},
        })
        .to_string()
    }

    /// How to choose among the tools that are served.
    fn instructions(&self) -> String {
        let whole = include_str!("instructions.md").trim();
        let Ok(selection) = &self.selection else {
            return String::new();
        };
        let narrowed = self.narrowed(whole, |narrowing, text| narrowing.text(text));
        if selection.is_single {
            format!("{}\n\n{narrowed}", single_tool::INSTRUCTIONS)
        } else {
            narrowed
        }
    }

    /// A text without what it says of tools that are not served.
    fn narrowed(&self, text: &str, narrow: impl Fn(&Narrowing, &str) -> String) -> String {
        if self.selection.as_ref().is_ok_and(Selection::is_whole) {
            return text.to_owned();
        }
        narrow(&Narrowing::new(&|tool| self.tool(tool.name).is_some()), text)
    }

    /// The tools that are served, or which name in the settings or in the request is none.
    fn selection(&self) -> Result<&Selection, RpcError> {
        self.selection.as_ref().map_err(|error| RpcError {
            code: match error {
                SelectionError::Operator(_) => INTERNAL_ERROR,
                SelectionError::Request(_) => INVALID_PARAMS,
            },
            message: error.text().to_owned(),
            data: None,
        })
    }

    /// The tool of this name, where it is served.
    fn tool(&self, name: &str) -> Option<&'static Tool> {
        self.selection.as_ref().ok()?.find(name)
    }

    fn is_served(&self, name: &str) -> bool {
        self.tool(name).is_some()
    }

    /// The definition of a tool as clients see it.
    fn definition(&self, tool: &Tool) -> Value {
        let mut shown = schema::tool(tool);
        if self.settings.is_structured() {
            shown["outputSchema"] = output_schema::schema(tool.shape());
        }
        // Where ids come from, if that is served.
        let example = shown.pointer("/_meta/daktela~1example/tool").and_then(Value::as_str);
        if example.is_some_and(|tool| !self.is_served(tool))
            && let Some(shown) = shown.as_object_mut()
        {
            shown.shift_remove("_meta");
        }
        if catalog::FIRST.contains(&tool.name) {
            shown["_meta"]["anthropic/alwaysLoad"] = json!(true);
        }
        let is_forbidden = self
            .selection
            .as_ref()
            .is_ok_and(|selection| selection.is_forbidden(tool));
        if let Some(description) = shown["description"].as_str().filter(|_| is_forbidden) {
            shown["description"] = format!("Forbidden. {description}").into();
        }
        let paragraph = |text: &mut Value| {
            if let Some(whole) = text.as_str() {
                let left = self.narrowed(whole, |narrowing, text| narrowing.paragraph(text));
                if !left.is_empty() {
                    *text = left.into();
                }
            }
        };
        paragraph(&mut shown["description"]);
        if let Some(properties) = shown["inputSchema"]["properties"].as_object_mut() {
            for property in properties.values_mut() {
                paragraph(&mut property["description"]);
            }
        }
        shown
    }

    pub fn list_tools(&self, cursor: Option<&str>) -> RpcResult {
        let selection = self.selection()?;
        let tools: Vec<Value> = if selection.is_single {
            TOOLS_OF_ONE.iter().map(single_tool::definition).collect()
        } else {
            selection.tools().map(|tool| self.definition(tool)).collect()
        };
        first_page(cursor, json!({"tools": tools}))
    }

    /// Calls a tool with the JSON text of its arguments. A call that fails is a result, not an error of JSON-RPC.
    pub fn call_tool(&self, name: &str, arguments: &str) -> RpcResult {
        self.call_tool_in(NO_CONTEXT, name, arguments)
    }

    /// The same in a context, the JSON object that `wit/world.wit` describes.
    pub fn call_tool_in(&self, context: &str, name: &str, arguments: &str) -> RpcResult {
        if asks_for_account(context) {
            return self.account();
        }
        let selection = self.selection()?;
        if selection.is_single {
            match single_tool::step(selection, name, arguments) {
                Some(Step::Call(name, arguments)) => return self.call_served(context, &name, &arguments),
                Some(Step::Describe(tool)) => return Ok(text_result(&self.definition(tool).to_string(), false)),
                Some(Step::Say(text)) => return Ok(text_result(&text, false)),
                Some(Step::Refuse(text)) => return Ok(text_result(&text, true)),
                None => {}
            }
        }
        self.call_served(context, name, arguments)
    }

    /// Calls a tool of the catalogue.
    fn call_served(&self, context: &str, name: &str, arguments: &str) -> RpcResult {
        let tool = self
            .tool(name)
            .ok_or_else(|| invalid(format!("Unknown tool {name:?}.")))?;
        let asked: Value = serde_json::from_str(context).unwrap_or_default();
        if asked["diagnosis"] == true {
            let probes = run::probe(tool, self.http()?, self.settings);
            return Ok(json!({"content": [], "_meta": {"daktela/probes": probes}}).to_string());
        }
        let hints = Hints::from_context(context);
        let dialog = Dialog::of(&asked);
        let chosen = dialog.applied(arguments);
        let arguments = chosen.as_deref().unwrap_or(arguments);
        let shield = self.shield(context)?;
        let deidentify = shield.as_ref().map(|shield| shield as &dyn Deidentify);
        let (output, observed) = run::run_observed(tool, self.http()?, &hints, self.settings, deidentify, arguments);
        let output = output.map(|output| self.with_eyes(output, shield.as_ref()));
        let told =
            report::is_wanted(&asked).then(|| report::report(tool, arguments, output.as_ref().ok(), shield.as_ref()));
        let question = match &output {
            Err(Error::Ambiguous(ambiguity)) => dialog.ask(ambiguity, arguments),
            _ => None,
        };
        let mut answer = question.unwrap_or_else(|| tool_result(output, &observed, self.settings.is_structured()));
        add_hints(&mut answer, &hints);
        add_report(&mut answer, told);
        Ok(answer.to_string())
    }

    /// The account behind the credential, for a host that keeps it.
    fn account(&self) -> RpcResult {
        let hints = Hints::default();
        let client = Client::new(self.http()?, &hints);
        let relevant = (self.settings.rights != Rights::Off).then_some(rights::relevant as fn(&_) -> _);
        let meta = match account(&client, relevant) {
            Ok(account) => json!({"daktela/account": account}),
            Err(error) => json!({"daktela/error": error.kind()}),
        };
        Ok(json!({"content": [], "_meta": meta}).to_string())
    }

    /// With a note on whose rights it was read with, where it is empty and the account may not read all.
    fn with_eyes(&self, output: Output, shield: Option<&Shield>) -> Output {
        let is_empty = match output.size() {
            (Some(rows), total) => rows == 0 && total.unwrap_or(0) == 0,
            (None, total) => total == Some(0),
        };
        let account = self
            .selection
            .as_ref()
            .ok()
            .and_then(|selection| selection.account.as_ref());
        let Some(account) = account.filter(|_| is_empty) else {
            return output;
        };
        match account.said() {
            Some(said) => {
                output.with_notes(&[shield.map_or(said.clone(), |shield| shield.of_account(&account.user, &said))])
            }
            None => output,
        }
    }

    pub fn list_resources(&self, cursor: Option<&str>) -> RpcResult {
        self.selection()?;
        first_page(cursor, resources::list())
    }

    pub fn list_resource_templates(&self, cursor: Option<&str>) -> RpcResult {
        self.selection()?;
        first_page(cursor, resources::templates(|tool| self.is_served(tool)))
    }

    pub fn read_resource(&self, uri: &str) -> RpcResult {
        self.read_resource_in(NO_CONTEXT, uri)
    }

    /// The same in a context, as of a tool.
    pub fn read_resource_in(&self, context: &str, uri: &str) -> RpcResult {
        self.selection()?;
        let hints = Hints::from_context(context);
        let asked: Value = serde_json::from_str(context).unwrap_or_default();
        let mut told = None;
        let shield = self.shield(context)?;
        let hidden = |text: &str| {
            shield
                .as_ref()
                .map_or_else(|| text.to_owned(), |shield| shield.text(text))
        };
        let unknown = || no_resource(&hidden(uri), format!("No resource {:?}.", hidden(uri)));
        let text = match resources::target(uri).ok_or_else(unknown)? {
            Target::Guide => self.narrowed(include_str!("guide.md"), |narrowing, text| narrowing.text(text)),
            Target::Tool(tool, arguments) => {
                let tool = self.tool(tool).ok_or_else(unknown)?;
                let deidentify = shield.as_ref().map(|shield| shield as &dyn Deidentify);
                let (output, _) = run::run_observed(tool, self.http()?, &hints, self.settings, deidentify, &arguments);
                told = report::is_wanted(&asked)
                    .then(|| report::report(tool, &arguments, output.as_ref().ok(), shield.as_ref()));
                let output = output.map_err(|error| match error {
                    Error::NotFound(text) => no_resource(&hidden(uri), text),
                    other => invalid(other.text().to_owned()),
                })?;
                markdown::output(&output)
            }
        };
        let mut contents = resources::contents(uri, &text);
        add_hints(&mut contents, &hints);
        add_report(&mut contents, told);
        Ok(contents.to_string())
    }

    pub fn list_prompts(&self, cursor: Option<&str>) -> RpcResult {
        self.selection()?;
        first_page(cursor, prompts::list(|tool| self.is_served(tool)))
    }

    /// Fills a prompt with the JSON text of its arguments.
    pub fn get_prompt(&self, name: &str, arguments: &str) -> RpcResult {
        self.get_prompt_in(NO_CONTEXT, name, arguments)
    }

    /// The same in a context, as of a tool.
    pub fn get_prompt_in(&self, context: &str, name: &str, arguments: &str) -> RpcResult {
        self.selection()?;
        let shield = self.shield(context)?;
        let is_served = |tool: &str| self.is_served(tool);
        let narrowing = |tool: &Tool| self.is_served(tool.name);
        let hidden = |text: &str| {
            shield
                .as_ref()
                .map_or_else(|| text.to_owned(), |shield| shield.text(text))
        };
        let arguments = match &shield {
            Some(shield) => shield.prompt(|argument| prompts::param(name, argument, is_served), arguments),
            None => arguments.to_owned(),
        };
        match prompts::get(name, &arguments, &Narrowing::new(&narrowing), is_served) {
            None => Err(invalid(format!("No prompt {:?}.", hidden(name)))),
            Some(Err(error)) => Err(invalid(hidden(error.text()))),
            Some(Ok(prompt)) => Ok(prompt.to_string()),
        }
    }

    /// Completes an argument of a prompt or a resource template. `params` is the JSON text of the request's.
    pub fn complete(&self, params: &str) -> RpcResult {
        self.selection()?;
        let params: Value = serde_json::from_str(params)
            .map_err(|_| invalid("The params of a completion must be a JSON object.".to_owned()))?;
        let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str);
        let (Some(argument), Some(typed)) = (text("/argument/name"), text("/argument/value")) else {
            return Err(invalid(
                "A completion needs argument.name and argument.value.".to_owned(),
            ));
        };
        let values = match (text("/ref/type"), text("/ref/name"), text("/ref/uri")) {
            (Some("ref/prompt"), Some(prompt), _) => {
                match prompts::param(prompt, argument, |tool| self.is_served(tool)) {
                    // Names that no served tool lists are not offered either.
                    Some(Param {
                        kind: Kind::Named(source),
                        ..
                    }) if !self.is_served(source.tool) => completion::none(),
                    Some(param) => {
                        let shield = self.shield(&completion_context(&params))?;
                        completion::values(self.http()?, shield.as_ref(), param, typed)
                    }
                    None => return Err(invalid(format!("No argument {argument:?} of a prompt {prompt:?}."))),
                }
            }
            // Ids are not typed by hand.
            (Some("ref/resource"), _, Some(uri)) if resources::is_template(uri, |tool| self.is_served(tool)) => {
                completion::none()
            }
            _ => {
                return Err(invalid(
                    "A completion needs a ref to a prompt or a resource template of this server.".to_owned(),
                ));
            }
        };
        Ok(values.to_string())
    }

    /// What hides identities, at the operator's level or a higher one that the request asks for.
    fn shield(&self, context: &str) -> Result<Option<Shield>, RpcError> {
        let wanted = match serde_json::from_str::<Value>(context) {
            Ok(context) => match context.get("privacy") {
                None | Some(Value::Null) => PrivacyLevel::Off,
                Some(level) => PrivacyLevel::parse(level.as_str().unwrap_or_default())
                    .map_err(|expected| invalid(format!("The privacy level of a request: {expected}.")))?,
            },
            Err(_) => PrivacyLevel::Off,
        };
        Shield::new(self.settings, wanted).map_err(|message| RpcError {
            code: INTERNAL_ERROR,
            message,
            data: None,
        })
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
fn tool_result(output: Result<Output, Error>, observed: &Observations, is_structured: bool) -> Value {
    let mut meta = observed.to_meta();
    let mut structured_content = None;
    let (text, is_error) = match output {
        Ok(output) => {
            let (rows, total) = output.size();
            meta.extend(rows.map(|rows| ("daktela/rows".to_owned(), json!(rows))));
            meta.extend(total.map(|total| ("daktela/total".to_owned(), json!(total))));
            let text = if is_structured {
                let (text, shown) = markdown::answer(&output, &Structured);
                structured_content = Some(structured::content(&output, &shown));
                text
            } else {
                markdown::output(&output)
            };
            meta.extend(output.first_record.map(|first| ("daktela/first".to_owned(), first)));
            (text, false)
        }
        Err(error) => {
            meta.insert("daktela/error".to_owned(), error.kind().into());
            (error.text().to_owned(), true)
        }
    };
    let mut out = json!({"content": [{"type": "text", "text": text}], "isError": is_error});
    if let Some(structured) = structured_content {
        out["structuredContent"] = structured;
    }
    if !meta.is_empty() {
        out["_meta"] = Value::Object(meta);
    }
    out
}

/// A CallToolResult of a text that is this program's own.
fn text_result(text: &str, is_error: bool) -> String {
    json!({"content": [{"type": "text", "text": text}], "isError": is_error}).to_string()
}

/// The context of a completion, which has none of its own: what its `_meta` asks for.
fn completion_context(params: &Value) -> String {
    let level = params.pointer("/_meta/daktela~1privacy");
    level.map_or_else(|| NO_CONTEXT.to_owned(), |level| json!({"privacy": level}).to_string())
}

/// Whether the host asks who is behind the credential, in place of calling a tool.
fn asks_for_account(context: &str) -> bool {
    serde_json::from_str::<Value>(context).is_ok_and(|context| context["account"] == true)
}

/// Tells the host what it is to keep, if it keeps hints.
fn add_hints(answer: &mut Value, hints: &Hints) {
    if let Some(changes) = hints.changes() {
        answer["_meta"]["daktela/hints"] = changes;
    }
}

/// Tells the host which records an answer holds, if it asks for that.
fn add_report(answer: &mut Value, report: Option<Value>) {
    if let Some(report) = report {
        answer["_meta"][report::KEY] = report;
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
