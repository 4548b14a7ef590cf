//! Request handlers: rmcp's `ServerHandler`, which passes each request on to the component.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use daktela_protocol::{HANDSHAKE_REVISIONS, LIST_TTL_MS, STATELESS_REVISION};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, ConstString, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
        GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsRequestMethod,
        ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestMethod,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResultType, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{
    Server, error, progress,
    request_state::{RequestBinding, ToolOutcome},
};
use crate::{
    auth::Caller,
    egress::CallBudget,
    host::RequestOrigin,
    sandbox::{Reply, Request, SandboxError},
};

/// The revisions of [`daktela_protocol`], as rmcp has them.
static REVISIONS: LazyLock<Vec<ProtocolVersion>> = LazyLock::new(|| {
    ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .filter(|version| HANDSHAKE_REVISIONS.contains(&version.as_str()) || version.as_str() == STATELESS_REVISION)
        .cloned()
        .collect()
});

type Context = RequestContext<RoleServer>;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.inner.config.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&REVISIONS)
    }

    async fn discover(&self, _context: Context) -> Result<DiscoverResult, ErrorData> {
        Ok(DiscoverResult::from_server_info(REVISIONS.clone(), self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn on_custom_request(&self, request: CustomRequest, _context: Context) -> Result<CustomResult, ErrorData> {
        let known = PARAMS.iter().find(|(method, _)| *method == request.method);
        Err(match known {
            Some((method, shape)) => {
                ErrorData::invalid_params(format!("The params of {method} must be {shape}."), None)
            }
            None => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None),
        })
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.inner.tools_by_name.get(name).cloned()
    }

    async fn list_tools(
        &self,
        params: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        // All are on the first page, so a cursor is none of ours; the component says so in its words.
        let list = match cursor(params) {
            None => self.inner.tools.clone(),
            cursor => self.page(&Request::ListTools { cursor }, &context).await?,
        };
        Ok(complete_list!(list))
    }

    async fn call_tool(&self, params: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        let arguments = serde_json::Value::Object(params.arguments.unwrap_or_default()).to_string();
        let binding = self.binding(&context, ["tools/call", &params.name, &arguments]);
        let request = Request::CallTool {
            name: params.name.into_owned(),
            arguments,
            context: binding.context(&context.meta, params.input_responses, params.request_state)?,
        };
        let mut result: CallToolResult = match self.ask(&request, &context).await? {
            Ok(answer) => match binding.answer(&answer)? {
                ToolOutcome::InputRequired(input) => return Ok(input.into()),
                ToolOutcome::Complete(result) => result,
            },
            Err(fault) => error::tool_error(fault)?,
        };
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        params: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        require::<ListPromptsRequestMethod>(self.inner.config.capabilities.prompts.is_some())?;
        let request = |cursor| Request::ListPrompts { cursor };
        Ok(complete_list!(
            self.kept(&self.inner.prompts, cursor(params), request, &context)
                .await?
        ))
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        require::<GetPromptRequestMethod>(self.inner.config.capabilities.prompts.is_some())?;
        let arguments = serde_json::Value::Object(params.arguments.unwrap_or_default()).to_string();
        let binding = self.binding(&context, ["prompts/get", &params.name, &arguments]);
        let request = Request::GetPrompt {
            name: params.name,
            arguments,
            context: binding.context(&context.meta, params.input_responses, params.request_state)?,
        };
        let answer = self.ask(&request, &context).await?.map_err(error::internal)?;
        let mut result: GetPromptResult = match binding.answer(&answer)? {
            ToolOutcome::InputRequired(input) => return Ok(input.into()),
            ToolOutcome::Complete(result) => result,
        };
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        params: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        require::<ListResourcesRequestMethod>(self.inner.config.capabilities.resources.is_some())?;
        let request = |cursor| Request::ListResources { cursor };
        Ok(complete_list!(
            self.kept(&self.inner.resources, cursor(params), request, &context)
                .await?
        ))
    }

    async fn list_resource_templates(
        &self,
        params: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        require::<ListResourceTemplatesRequestMethod>(self.inner.config.capabilities.resources.is_some())?;
        let request = |cursor| Request::ListResourceTemplates { cursor };
        Ok(complete_list!(
            self.kept(&self.inner.resource_templates, cursor(params), request, &context)
                .await?
        ))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        require::<ReadResourceRequestMethod>(self.inner.config.capabilities.resources.is_some())?;
        let binding = self.binding(&context, ["resources/read", &params.uri, ""]);
        let request = Request::ReadResource {
            uri: params.uri,
            context: binding.context(&context.meta, params.input_responses, params.request_state)?,
        };
        let answer = self.ask(&request, &context).await?.map_err(error::internal)?;
        let mut result: ReadResourceResult = match binding.answer(&answer)? {
            ToolOutcome::InputRequired(input) => return Ok(input.into()),
            ToolOutcome::Complete(result) => result,
        };
        result.result_type = Some(ResultType::COMPLETE);
        // A record is its reader's own, and may change at any moment, unless the component says otherwise.
        result.ttl_ms.get_or_insert(0);
        result.cache_scope.get_or_insert(CacheScope::Private);
        Ok(result.into())
    }

    async fn complete(&self, params: CompleteRequestParams, context: Context) -> Result<CompleteResult, ErrorData> {
        require::<CompleteRequestMethod>(self.inner.config.capabilities.completions.is_some())?;
        let params = serde_json::to_string(&params).map_err(|error| error::invalid_answer(&error))?;
        let answer = self
            .ask(&Request::Complete { params }, &context)
            .await?
            .map_err(error::internal)?;
        let mut result: CompleteResult = error::parse(&answer)?;
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result)
    }
}

/// The component's lists say what is in them; how long they hold is known here.
macro_rules! complete_list {
    ($list:expr) => {{
        let mut list = $list;
        list.result_type = Some(ResultType::COMPLETE);
        list.ttl_ms.get_or_insert(LIST_TTL_MS);
        list.cache_scope.get_or_insert(CacheScope::Public);
        list
    }};
}
use complete_list;

/// What is served, with the shape of its params. rmcp takes a request whose params have another shape for one of an
/// unknown method; its sender should hear what is wrong instead.
const PARAMS: &[(&str, &str)] = &[
    ("tools/call", "{\"name\": string, \"arguments\": object}"),
    ("tools/list", "{\"cursor\": string}"),
    ("resources/list", "{\"cursor\": string}"),
    ("resources/templates/list", "{\"cursor\": string}"),
    ("resources/read", "{\"uri\": string}"),
    ("prompts/list", "{\"cursor\": string}"),
    ("prompts/get", "{\"name\": string, \"arguments\": object of strings}"),
    (
        "completion/complete",
        "{\"ref\": object, \"argument\": {\"name\": string, \"value\": string}}",
    ),
];

impl Server {
    /// Asks what may need the upstream. A client that cancels ends the instance and its requests at once.
    async fn ask(&self, request: &Request, context: &Context) -> Result<Result<String, SandboxError>, ErrorData> {
        let call: Arc<CallBudget> = self.inner.host.new_call();
        // In the message, where MCP has it, or else as any HTTP client sends it.
        let in_message = context.meta.get("traceparent").and_then(serde_json::Value::as_str);
        let in_header = || {
            let request = context.extensions.get::<http::request::Parts>()?;
            request.headers.get("traceparent")?.to_str().ok()
        };
        let origin = RequestOrigin {
            caller: caller(context),
            traceparent: in_message.or_else(in_header),
        };
        let work = self.inner.host.run(request, call.clone(), origin);
        let work = progress::report(work, &call, context.meta.get_progress_token(), &context.peer);
        let answer: Result<Reply, SandboxError> = tokio::select! {
            answer = work => answer,
            // Nobody reads it: MCP answers no request that was cancelled.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
        };
        match answer {
            Ok(Ok(text)) => Ok(Ok(text)),
            Ok(Err(refusal)) => Err(error::from_component(refusal)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    fn binding(&self, context: &Context, about: [&str; 3]) -> RequestBinding<'_> {
        let who = caller(context).map(|caller| caller.identity.hash);
        self.inner.request_states.bind(who, about)
    }

    async fn describe<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ErrorData> {
        let answer = self.inner.host.describe(request).await.map_err(error::internal)?;
        error::parse(&answer.map_err(error::from_component)?)
    }

    async fn page<T: DeserializeOwned>(&self, request: &Request, context: &Context) -> Result<T, ErrorData> {
        error::parse(&self.ask(request, context).await?.map_err(error::internal)?)
    }

    /// A first page is the same for everybody, and fetched once.
    async fn kept<T: DeserializeOwned + Clone>(
        &self,
        cell: &OnceCell<T>,
        cursor: Option<String>,
        request: impl Fn(Option<String>) -> Request,
        context: &Context,
    ) -> Result<T, ErrorData> {
        match cursor {
            None => cell
                .get_or_try_init(async || self.describe(&request(None)).await)
                .await
                .cloned(),
            cursor => self.page(&request(cursor), context).await,
        }
    }
}

/// What the component does not claim to have, there is not.
fn require<Method: ConstString>(claimed: bool) -> Result<(), ErrorData> {
    if claimed {
        Ok(())
    } else {
        Err(ErrorData::method_not_found::<Method>())
    }
}

/// Over HTTP each request brings its caller along; rmcp hands us what the transport knew of the request.
fn caller(context: &Context) -> Option<&Caller> {
    let parts = context.extensions.get::<http::request::Parts>()?;
    parts.extensions.get()
}

fn cursor(params: Option<PaginatedRequestParams>) -> Option<String> {
    params.and_then(|params| params.cursor)
}
