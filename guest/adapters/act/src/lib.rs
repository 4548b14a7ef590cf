//! Adapter for ACT, Agent Component Tools. Its hosts give a component no environment, so the settings that
//! `wit/world.wit` names arrive as metadata of each call; `build.rs` says what the component may be granted at most.

use bindings::{
    act::{
        core::types::{Error as ActError, LocalizedString, Metadata},
        tools::types::{ContentPart, ListToolsResponse, ToolDefinition, ToolEvent},
    },
    exports::act::tools::tool_provider::{Guest, ToolResult},
};
use daktela_wasi_http::WasiHttp;
use guest::{Error, Settings, catalog, model::schema, render::markdown, run};
use serde_json::Value;

#[expect(unsafe_code, reason = "generated from act.wit")]
mod bindings {
    wit_bindgen::generate!({
        path: "act.wit",
        world: "daktela:act/adapter",
        // The work is done when the function returns; what waits meanwhile is `wasi:io/poll`.
        async: false,
        generate_all,
    });

    export!(Adapter with_types_in self);

    use super::Adapter;

    /// Where hosts look for what a component says of itself.
    #[used]
    #[unsafe(link_section = "act:component")]
    static ABOUT: [u8; include_bytes!(concat!(env!("OUT_DIR"), "/act-component")).len()] =
        *include_bytes!(concat!(env!("OUT_DIR"), "/act-component"));
}

struct Adapter;

impl Guest for Adapter {
    fn list_tools(_metadata: Metadata) -> Result<ListToolsResponse, ActError> {
        let hints = || ["std:read-only", "std:idempotent"].map(|hint| (hint.to_owned(), cbor(&true.into())));
        let tools = catalog::tools()
            .map(|tool| ToolDefinition {
                name: tool.name.to_owned(),
                description: LocalizedString::Plain(tool.description.to_owned()),
                parameters_schema: schema::tool(tool)["inputSchema"].to_string(),
                metadata: hints().into(),
            })
            .collect();
        Ok(ListToolsResponse {
            metadata: Vec::new(),
            tools,
        })
    }

    fn call_tool(name: String, arguments: Vec<u8>, metadata: Metadata) -> ToolResult {
        let event = match answer(&name, &arguments, &metadata) {
            Ok(text) => ToolEvent::Content(ContentPart {
                data: text.into_bytes(),
                mime_type: Some("text/markdown".to_owned()),
                metadata: Vec::new(),
            }),
            Err((kind, text)) => ToolEvent::Error(ActError {
                kind: kind.to_owned(),
                message: LocalizedString::Plain(text),
                metadata: Vec::new(),
            }),
        };
        ToolResult::Immediate(vec![event])
    }
}

const WRONG_ARGUMENTS: &str = "std:invalid-args";
const NOT_FOUND: &str = "std:not-found";
const DENIED: &str = "std:capability-denied";
const INTERNAL: &str = "std:internal";

/// The text of a tool's answer, or the kind of a failure and what to do about it.
fn answer(name: &str, arguments: &[u8], metadata: &Metadata) -> Result<String, (&'static str, String)> {
    let tool = catalog::find(name).ok_or_else(|| (NOT_FOUND, format!("Unknown tool {name:?}.")))?;
    let setting = |name: &str| {
        let (_, value) = metadata.iter().find(|(key, _)| key == name)?;
        json(value)?.as_str().map(str::to_owned)
    };
    let settings = Settings::from_env(setting).map_err(|error| (DENIED, error))?;
    let origin = settings.instance().map_err(|error| (DENIED, error))?;
    let http = WasiHttp::new(origin, setting("DAKTELA_ACCESS_TOKEN")).map_err(|error| (DENIED, error))?;
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        let wrong = || (WRONG_ARGUMENTS, "The arguments are no CBOR.".to_owned());
        json(arguments).ok_or_else(wrong)?.to_string()
    };
    match run::run(tool, &http, &settings, &arguments) {
        Ok(output) => Ok(markdown::output(&output)),
        Err(error) => {
            let kind = match error {
                Error::Argument(_) => WRONG_ARGUMENTS,
                Error::NotFound(_) => NOT_FOUND,
                Error::Forbidden(_) | Error::NoRight(_) => DENIED,
                Error::Refused(_) | Error::Upstream(_) => INTERNAL,
            };
            Err((kind, error.text().to_owned()))
        }
    }
}

fn json(cbor: &[u8]) -> Option<Value> {
    ciborium::from_reader(cbor).ok()
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a Vec");
    bytes
}
