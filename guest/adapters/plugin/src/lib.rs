//! Adapter for this project's host: the tools as a WebAssembly component that exports `daktela:mcp/server`. See
//! `wit/world.wit` for its settings and permissions.

use bindings::exports::daktela::mcp::server::{Guest, RpcError};
use daktela_wasi_http::WasiHttp;
use guest::{
    Settings,
    http::Http,
    mcp::{RpcResult, Server},
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
        with_server(|server| server.describe())
    }

    fn list_tools(cursor: Option<String>) -> Result<String, RpcError> {
        answer(|server| server.list_tools(cursor.as_deref()))
    }

    fn call_tool(name: String, arguments: String, context: String) -> Result<String, RpcError> {
        answer(|server| server.call_tool_in(&context, &name, &arguments))
    }

    fn list_resources(cursor: Option<String>) -> Result<String, RpcError> {
        answer(|server| server.list_resources(cursor.as_deref()))
    }

    fn list_resource_templates(cursor: Option<String>) -> Result<String, RpcError> {
        answer(|server| server.list_resource_templates(cursor.as_deref()))
    }

    fn read_resource(uri: String, context: String) -> Result<String, RpcError> {
        answer(|server| server.read_resource_in(&context, &uri))
    }

    fn list_prompts(cursor: Option<String>) -> Result<String, RpcError> {
        answer(|server| server.list_prompts(cursor.as_deref()))
    }

    fn get_prompt(name: String, arguments: String, _context: String) -> Result<String, RpcError> {
        answer(|server| server.get_prompt(&name, &arguments))
    }

    fn complete(params: String) -> Result<String, RpcError> {
        answer(|server| server.complete(&params))
    }
}

/// Runs a request on the server that the environment describes.
fn with_server<T>(serve: impl FnOnce(&Server) -> T) -> T {
    let variable = |name: &str| std::env::var(name).ok();
    let (settings, http) = match Settings::from_env(variable) {
        Ok(settings) => {
            let origin = settings.instance();
            let http = origin.and_then(|origin| WasiHttp::new(origin, variable("DAKTELA_ACCESS_TOKEN")));
            (settings, http)
        }
        // Lists need no settings.
        Err(malformed) => (Settings::default(), Err(malformed)),
    };
    let http = http.as_ref().map(|http| http as &dyn Http).map_err(Clone::clone);
    serve(&Server::new(&settings, http))
}

fn answer(serve: impl FnOnce(&Server) -> RpcResult) -> Result<String, RpcError> {
    with_server(serve).map_err(|error| RpcError {
        code: error.code,
        message: error.message,
        data: error.data,
    })
}
