//! Test component that imports the WASI filesystem, which the host does not link: loading it has to fail.

use bindings::exports::daktela::mcp::server::{Guest, RpcError};

#[expect(unsafe_code, clippy::allow_attributes_without_reason, reason = "generated from wit/")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "plugin",
        generate_all,
    });

    export!(Reaching with_types_in self);

    use super::Reaching;
}

struct Reaching;

fn reach() -> Result<String, RpcError> {
    Ok(std::fs::read_to_string("/etc/passwd").unwrap_or_default())
}

impl Guest for Reaching {
    fn describe() -> String {
        String::new()
    }

    fn list_tools(_cursor: Option<String>) -> Result<String, RpcError> {
        reach()
    }

    fn call_tool(_name: String, _arguments: String, _context: String) -> Result<String, RpcError> {
        reach()
    }

    fn list_resources(_cursor: Option<String>) -> Result<String, RpcError> {
        reach()
    }

    fn list_resource_templates(_cursor: Option<String>) -> Result<String, RpcError> {
        reach()
    }

    fn read_resource(_uri: String, _context: String) -> Result<String, RpcError> {
        reach()
    }

    fn list_prompts(_cursor: Option<String>) -> Result<String, RpcError> {
        reach()
    }

    fn get_prompt(_name: String, _arguments: String, _context: String) -> Result<String, RpcError> {
        reach()
    }

    fn complete(_params: String) -> Result<String, RpcError> {
        reach()
    }
}
