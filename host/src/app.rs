//! Builds the running parts of the program from its settings: sandbox, upstream access, sample company, server state.

use std::{io, sync::Arc};

use daktela_demo::{Demo, Quirks};

use crate::{
    auth::Identities,
    config::{ConfigError, Options, server::ServerSettings},
    egress::{Cache, Client, Credential, Egress, OriginError},
    host::Host,
    oauth,
    sandbox::Sandbox,
    server::ServerState,
    telemetry::{Metrics, Traces, traces::ExporterBuildError},
};

/// Why a part does not start. Its text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("DAKTELA_URL: {0}")]
    Origin(#[from] OriginError),
    #[error("the sample company does not start: {0}")]
    Demo(#[from] io::Error),
    #[error("the component does not load: {0:#}")]
    Component(wasmtime::Error),
    #[error("the exporter of traces does not start: {0}")]
    Traces(#[from] ExporterBuildError),
}

/// A host that reads one instance of Daktela with one credential.
pub struct SingleUser {
    pub host: Host,
    /// The sample company, where that is the instance. It ends when dropped.
    pub demo: Option<Demo>,
}

/// For stdio and the commands: the instance and the credential that the options name, or the sample company.
pub fn single_user(options: &Options) -> Result<SingleUser, BuildError> {
    let demo = demo(options)?;
    let (origin, credential) = match &demo {
        Some(demo) => (demo.origin().parse()?, demo_credential()),
        None => options.daktela.upstream(|name| std::env::var(name).ok())?,
    };
    let cache = Cache::new(options.cache.settings());
    let egress = Egress::new(origin, credential, Client::new(options.network()), cache);
    Ok(SingleUser {
        host: host(options, Some(egress))?,
        demo,
    })
}

/// The sample company, where the options ask for it, as large as they say.
pub fn demo(options: &Options) -> io::Result<Option<Demo>> {
    let start = |scale| {
        Demo::start_with(Quirks {
            scale,
            ..Quirks::default()
        })
    };
    let wanted = options.daktela.demo.then(|| options.daktela.demo_scale.unwrap_or(1));
    wanted.map(start).transpose()
}

/// A host that reads with `egress`. Without one it answers what is the same for every instance, e.g. the list of tools, and
/// callers that bring a credential of their own.
pub fn host(options: &Options, egress: Option<Egress>) -> Result<Host, BuildError> {
    let limits = options.limits.limits();
    let sandbox = match &options.component {
        Some(file) => Sandbox::from_file(file, limits),
        None => Sandbox::embedded(limits),
    };
    let sandbox = sandbox.map_err(BuildError::Component)?;
    Ok(Host::new(sandbox, egress, options.limits.budget()))
}

/// What the requests of the HTTP server share. `key` makes the names of identities in the log; replicas with the same key
/// use the same names.
pub fn server_state(
    options: &Options,
    settings: ServerSettings,
    key: &[u8; 32],
    oauth: Option<oauth::Settings>,
    demo: Option<&Demo>,
    metrics: Metrics,
) -> Result<Arc<ServerState>, BuildError> {
    let client = Client::public_only(options.network(), settings.domains.named());
    let identities = Identities::new(key, client, Cache::new(options.cache.settings()));
    // Callers without a credential read the sample company, unless OAuth is on: then its login is what there is to try.
    let anonymous = match demo.filter(|_| oauth.is_none()) {
        Some(demo) => Some(identities.of(demo.origin().parse()?, demo_credential())),
        None => None,
    };
    let calls = options.limits.limits().calls;
    let state = ServerState::new(settings, identities, metrics, anonymous, oauth, calls);
    Ok(Arc::new(state))
}

/// The exporter of traces, where a collector is set. Needs to be called within the runtime.
pub fn traces(options: &Options) -> Result<Option<Traces>, BuildError> {
    let endpoint = options.telemetry.otlp(|name| std::env::var(name).ok())?;
    Ok(endpoint.map(|endpoint| Traces::to(&endpoint)).transpose()?)
}

fn demo_credential() -> Credential {
    Credential::Token(daktela_demo::TOKEN.to_owned().into())
}
