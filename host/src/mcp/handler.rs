//! Request handlers: rmcp's `ServerHandler`, which passes each request on to the component.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use daktela_protocol::{
    HANDSHAKE_REVISIONS, LIST_TTL_MS, REQUEST_SETTINGS, REQUEST_STRUCTURED_OUTPUT, STATELESS_REVISION, UI_EXTENSION,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, ConstString, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
        GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InitializeRequestParams,
        InitializeResult, ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesRequestMethod,
        ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult, ListToolsResult,
        PaginatedRequestParams, ProtocolVersion, ReadResourceRequestMethod, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, ResultType, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{
    Description, Server,
    dialog::{self, Way},
    error, progress,
    request_state::{RequestBinding, ToolOutcome},
    views::ShowsViews,
    without_example,
};
use crate::{
    auth::Caller,
    egress::CallBudget,
    host::{CallError, RequestOrigin},
    sandbox::{Reply, Request, Setting},
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

/// Of one call, one after the other. The component asks no more than five; one that does not end is stopped.
const QUESTIONS_MAX: usize = 10;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.inner.config.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&REVISIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut settled = self.negotiate_initialize(&request)?;
        if let Some(narrowed) = self.narrowed_info(&context).await? {
            settled.instructions = narrowed.instructions;
        }
        Ok(settled)
    }

    async fn discover(&self, context: Context) -> Result<DiscoverResult, ErrorData> {
        let (info, scope) = match self.narrowed_info(&context).await? {
            Some(narrowed) => (narrowed, CacheScope::Private),
            None => (self.get_info(), CacheScope::Public),
        };
        Ok(DiscoverResult::from_server_info(REVISIONS.clone(), info)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(scope))
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
        let mut list: ListToolsResult = match cursor(params) {
            None if !self.is_narrowed(&context) => self.inner.tools.clone(),
            cursor => self.page(&Request::ListTools { cursor }, &context).await?,
        };
        list.tools.iter_mut().for_each(without_example);
        Ok(complete_list!(self, list, &context))
    }

    async fn call_tool(&self, params: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        let arguments = serde_json::Value::Object(params.arguments.unwrap_or_default()).to_string();
        let binding = self.binding(&context, ["tools/call", &params.name, &arguments]);
        let name = params.name.clone().into_owned();
        let (mut replies, mut state) = (params.input_responses, params.request_state);
        let mut questions = 0;
        let mut result: CallToolResult = loop {
            let request = Request::CallTool {
                name: name.clone(),
                arguments: arguments.clone(),
                context: binding.context(dialog::capabilities(&context), replies.take(), state.take())?,
            };
            let input = match self.ask(&request, &context).await? {
                Err(fault) => break error::tool_error(fault)?,
                Ok(answer) => match binding.answer(&answer)? {
                    ToolOutcome::Complete(result) => break result,
                    ToolOutcome::InputRequired(input) => input,
                },
            };
            if dialog::way(&context) != Way::Request {
                return Ok(input.into());
            }
            questions += 1;
            if questions > QUESTIONS_MAX {
                return Err(ErrorData::internal_error("The tool asks without end.", None));
            }
            let asked = dialog::replies(input.input_requests.unwrap_or_default(), &context.peer);
            replies = Some(tokio::select! {
                replies = asked => replies,
                () = context.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
            });
            state = input.request_state;
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
            self,
            self.kept(&self.inner.prompts, cursor(params), request, &context)
                .await?,
            &context
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
            context: binding.context(
                dialog::capabilities(&context),
                params.input_responses,
                params.request_state,
            )?,
        };
        let answer = self.ask(&request, &context).await?.map_err(error::call_error)?;
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
            self,
            self.kept(&self.inner.resources, cursor(params), request, &context)
                .await?,
            &context
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
            self,
            self.kept(&self.inner.resource_templates, cursor(params), request, &context)
                .await?,
            &context
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
            context: binding.context(
                dialog::capabilities(&context),
                params.input_responses,
                params.request_state,
            )?,
        };
        let answer = self.ask(&request, &context).await?.map_err(error::call_error)?;
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
            .map_err(error::call_error)?;
        let mut result: CompleteResult = error::parse(&answer)?;
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result)
    }
}

/// The component's lists say what is in them; how long they hold, and for whom, is known here.
macro_rules! complete_list {
    ($server:expr, $list:expr, $context:expr) => {{
        let mut list = $list;
        list.result_type = Some(ResultType::COMPLETE);
        list.ttl_ms.get_or_insert(LIST_TTL_MS);
        list.cache_scope.get_or_insert(match $server.is_narrowed($context) {
            true => CacheScope::Private,
            false => CacheScope::Public,
        });
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
    async fn ask(&self, request: &Request, context: &Context) -> Result<Result<String, CallError>, ErrorData> {
        let call: Arc<CallBudget> = self.inner.host.new_call();
        // In the message, where MCP has it, or else as any HTTP client sends it.
        let in_message = context.meta.get("traceparent").and_then(serde_json::Value::as_str);
        let in_header = || {
            let request = context.extensions.get::<http::request::Parts>()?;
            request.headers.get("traceparent")?.to_str().ok()
        };
        let settings = wanted(context);
        let origin = RequestOrigin {
            caller: caller(context),
            traceparent: in_message.or_else(in_header),
            settings: &settings,
        };
        let work = self.inner.host.run(request, call.clone(), origin);
        let work = progress::report(work, &call, context.meta.get_progress_token(), &context.peer);
        let answer: Result<Reply, CallError> = tokio::select! {
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
        error::parse(&self.ask(request, context).await?.map_err(error::call_error)?)
    }

    /// Whether the lists of this request are its own: it narrows its tools, or they depend on the rights of its account.
    fn is_narrowed(&self, context: &Context) -> bool {
        self.inner.host.looks_at_rights() || !wanted(context).is_empty()
    }

    /// What the component says of itself to a request that narrows its tools; `None` for any other.
    async fn narrowed_info(&self, context: &Context) -> Result<Option<ServerConfig>, ErrorData> {
        if !self.is_narrowed(context) {
            return Ok(None);
        }
        let said: Description = self.page(&Request::Describe, context).await?;
        let mut info = self.get_info();
        info.instructions = said.instructions;
        Ok(Some(info))
    }

    /// A first page is the same for everybody whose request narrows nothing, and fetched once.
    async fn kept<T: DeserializeOwned + Clone>(
        &self,
        cell: &OnceCell<T>,
        cursor: Option<String>,
        request: impl Fn(Option<String>) -> Request,
        context: &Context,
    ) -> Result<T, ErrorData> {
        match cursor {
            None if !self.is_narrowed(context) => cell
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

/// The setting that a request can also make in its `_meta`, under this key.
const PRIVACY: &str = "DAKTELA_REQUEST_PRIVACY";
const PRIVACY_IN_MESSAGE: &str = "daktela/privacy";

/// Settings of the component that a request has: from headers that name them, and from what its client says of itself.
fn wanted(context: &Context) -> Vec<Setting> {
    let parts = context.extensions.get::<http::request::Parts>();
    let value = |setting: &str, header: &str| {
        let values = parts.into_iter().flat_map(|parts| parts.headers.get_all(header).iter());
        // Characters that no name has make a name that is none, which is refused.
        let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        // A client on stdio has no headers.
        let in_message = (setting == PRIVACY)
            .then(|| context.meta.get(PRIVACY_IN_MESSAGE))
            .flatten();
        let in_message = in_message.map(|level| level.as_str().map_or_else(|| level.to_string(), str::to_owned));
        let joined = texts.chain(in_message).collect::<Vec<_>>().join(",");
        Some(joined).filter(|joined| !joined.trim().is_empty())
    };
    let mut settings: Vec<Setting> = REQUEST_SETTINGS
        .iter()
        .filter_map(|(setting, header)| Some((*setting, value(setting, header)?)))
        .collect();
    let says_itself = settings.iter().any(|(name, _)| *name == REQUEST_STRUCTURED_OUTPUT);
    if !says_itself && shows_views(context) {
        settings.push((REQUEST_STRUCTURED_OUTPUT, "true".to_owned()));
    }
    settings
}

/// Whether the client shows views, which are made of structured content: by its capabilities, of the request or of the session.
/// Over HTTP the session's id keeps that, as the server keeps nothing.
fn shows_views(context: &Context) -> bool {
    let capabilities = context
        .meta
        .client_capabilities()
        .or_else(|| context.client_capabilities());
    let extensions = capabilities.and_then(|capabilities| capabilities.extensions);
    extensions.is_some_and(|extensions| extensions.contains_key(UI_EXTENSION))
        || context
            .extensions
            .get::<http::request::Parts>()
            .is_some_and(|parts| parts.extensions.get::<ShowsViews>().is_some())
}

fn cursor(params: Option<PaginatedRequestParams>) -> Option<String> {
    params.and_then(|params| params.cursor)
}
