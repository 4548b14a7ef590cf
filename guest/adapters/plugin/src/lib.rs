//! The tools as a component that exports `daktela:mcp/server`. See `wit/world.wit` for what it is told and allowed.

use bindings::exports::daktela::mcp::server::{Guest, RpcError};
use daktela_wasi_http::WasiHttp;
use guest::{
    Settings,
    mcp::{self, RpcResult},
};

#[expect(unsafe_code, reason = "generated from wit/")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "plugin",
        with: {
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            "wasi:http/types@0.2.12": wasip2::http::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });

    export!(Plugin with_types_in self);

    use super::Plugin;
}

struct Plugin;

impl Guest for Plugin {
    fn describe() -> String {
        mcp::describe()
    }

    fn list_tools(cursor: Option<String>) -> Result<String, RpcError> {
        answer(mcp::list_tools(cursor.as_deref()))
    }

    fn call_tool(name: String, arguments: String, _context: String) -> Result<String, RpcError> {
        with_instance(|http, settings| mcp::call_tool(http, settings, &name, &arguments))
    }

    fn list_resources(cursor: Option<String>) -> Result<String, RpcError> {
        answer(mcp::list_resources(cursor.as_deref()))
    }

    fn list_resource_templates(cursor: Option<String>) -> Result<String, RpcError> {
        answer(mcp::list_resource_templates(cursor.as_deref()))
    }

    fn read_resource(uri: String, _context: String) -> Result<String, RpcError> {
        with_instance(|http, settings| mcp::read_resource(http, settings, &uri))
    }

    fn list_prompts(cursor: Option<String>) -> Result<String, RpcError> {
        answer(mcp::list_prompts(cursor.as_deref()))
    }

    fn get_prompt(name: String, arguments: String, _context: String) -> Result<String, RpcError> {
        answer(mcp::get_prompt(&name, &arguments))
    }

    fn complete(params: String) -> Result<String, RpcError> {
        with_instance(|http, _| mcp::complete(http, &params))
    }
}

/// Runs what needs the Daktela instance that the environment names.
fn with_instance(serve: impl FnOnce(&WasiHttp, &Settings) -> RpcResult) -> Result<String, RpcError> {
    let variable = |name: &str| std::env::var(name).ok();
    let settings = Settings::from_env(variable).map_err(misconfigured)?;
    let http = WasiHttp::new(&settings.origin, variable("DAKTELA_ACCESS_TOKEN")).map_err(misconfigured)?;
    answer(serve(&http, &settings))
}

fn answer(result: RpcResult) -> Result<String, RpcError> {
    result.map_err(|error| RpcError {
        code: error.code,
        message: error.message,
        data: error.data,
    })
}

/// JSON-RPC's internal error: no caller can mend what the operator has to set.
fn misconfigured(message: String) -> RpcError {
    RpcError {
        code: -32603,
        message,
        data: None,
    }
}
