//! The MCP server: passes requests to the component as JSON and its answers back as rmcp's types.
//!
//! No tool-specific code. Session-based revisions (`initialize`, up to 2025-11-25) and stateless ones (from 2026-07-28) are both
//! served.

mod arguments;
mod error;
mod handler;
pub(crate) mod message;
mod progress;
mod request_state;
mod stdio;

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use request_state::RequestStates;
use rmcp::{
    ServiceExt,
    model::{
        Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::ServerInitializeError,
};
use serde::{Deserialize, de::DeserializeOwned};
use stdio::Stdio;
use tokio::sync::OnceCell;

use crate::{host::Host, sandbox::Request};

/// Ours has one page; one that hands out a thousand tools in tens stays below.
const PAGES_MAX: usize = 200;

/// Cheap to clone: a transport may want one for each request.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    host: Arc<Host>,
    config: ServerConfig,
    tools: ListToolsResult,
    tools_by_name: HashMap<String, Tool>,
    // Fetched when first asked for, and the same ever after.
    prompts: OnceCell<ListPromptsResult>,
    resources: OnceCell<ListResourcesResult>,
    resource_templates: OnceCell<ListResourceTemplatesResult>,
    request_states: RequestStates,
}

/// The component does not say who it is, or not in MCP's words.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the component does not start: {0}")]
    Sandbox(#[from] crate::sandbox::SandboxError),
    #[error("the component refuses to describe itself: {0}")]
    Refused(String),
    #[error("the component describes itself in words that are not MCP's: {0}")]
    NotMcp(#[from] serde_json::Error),
    #[error("the component lists its tools in more than {PAGES_MAX} pages; expected a last one, without nextCursor")]
    EndlessTools,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    server_info: Implementation,
    instructions: Option<String>,
    capabilities: ServerCapabilities,
}

impl Server {
    /// The key vouches for what components have clients send back; replicas that share a client share it.
    pub async fn new(host: Arc<Host>, key: &[u8; 32]) -> Result<Self, StartError> {
        let Description {
            server_info,
            instructions,
            capabilities,
        } = describe(&host, &Request::Describe).await?;
        let mut config = ServerConfig::new(capabilities).with_server_info(server_info);
        config.instructions = instructions;
        let tools = list_tools(&host).await?;
        let tools_by_name = tools
            .tools
            .iter()
            .map(|tool| (tool.name.to_string(), tool.clone()))
            .collect();
        host.metrics()
            .know_tools(tools.tools.iter().map(|tool| tool.name.to_string()));
        Ok(Self {
            inner: Arc::new(Inner {
                host,
                config,
                tools,
                tools_by_name,
                prompts: OnceCell::new(),
                resources: OnceCell::new(),
                resource_templates: OnceCell::new(),
                request_states: RequestStates::new(key),
            }),
        })
    }

    /// How long an end waits for calls under way.
    pub fn drain(&self) -> Duration {
        self.inner.host.drain()
    }

    /// Serves one client until it closes its end or `stop` comes, and what it asked is answered or has taken too long.
    pub async fn serve_stdio(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let drain = self.drain();
        match self.serve(Stdio::new(stop, drain)).await {
            Ok(session) => tokio::select! {
                done = session.waiting() => done.map(drop)?,
                // Nobody is there to be answered, so whatever runs ends with the program.
                () = stdio::stdout_closed() => tracing::info!(event = "client_gone", "the client closed stdout"),
            },
            // A client that only looked whether the program starts.
            Err(ServerInitializeError::ConnectionClosed(_)) => {}
            // rmcp's own words quote the message.
            Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
                return Err("the client begins with something that MCP does not begin with".into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// All tools that the component has, whatever pages it hands them out in.
pub async fn list_tools(host: &Host) -> Result<ListToolsResult, StartError> {
    let mut all: ListToolsResult = describe(host, &Request::ListTools { cursor: None }).await?;
    let mut pages = 1;
    while let Some(cursor) = all.next_cursor.take() {
        if pages == PAGES_MAX {
            return Err(StartError::EndlessTools);
        }
        pages += 1;
        let page: ListToolsResult = describe(host, &Request::ListTools { cursor: Some(cursor) }).await?;
        all.tools.extend(page.tools);
        all.next_cursor = page.next_cursor;
    }
    Ok(all)
}

async fn describe<T: DeserializeOwned>(host: &Host, request: &Request) -> Result<T, StartError> {
    let answer = host
        .describe(request)
        .await?
        .map_err(|refusal| StartError::Refused(refusal.message))?;
    Ok(serde_json::from_str(&answer)?)
}
