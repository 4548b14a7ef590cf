//! MCP's requests, as JSON text in and out. The faces call these and nothing else.

use crate::{http::Http, settings::Settings};

/// A JSON-RPC error.
#[derive(Debug, PartialEq, Eq)]
pub struct RpcError {
    pub code: i32,
    pub message: String,
    pub data: Option<String>,
}

pub type RpcResult = Result<String, RpcError>;

pub fn describe() -> String { String::new() }
pub fn list_tools(_cursor: Option<&str>) -> RpcResult { Ok(String::new()) }
pub fn call_tool(_http: &dyn Http, _settings: &Settings, _name: &str, _arguments: &str) -> RpcResult { Ok(String::new()) }
pub fn list_resources(_cursor: Option<&str>) -> RpcResult { Ok(String::new()) }
pub fn list_resource_templates(_cursor: Option<&str>) -> RpcResult { Ok(String::new()) }
pub fn read_resource(_http: &dyn Http, _settings: &Settings, _uri: &str) -> RpcResult { Ok(String::new()) }
pub fn list_prompts(_cursor: Option<&str>) -> RpcResult { Ok(String::new()) }
pub fn get_prompt(_name: &str, _arguments: &str) -> RpcResult { Ok(String::new()) }
pub fn complete(_http: &dyn Http, _settings: &Settings, _params: &str) -> RpcResult { Ok(String::new()) }
