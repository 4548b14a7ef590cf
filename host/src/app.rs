//! Builds the running parts of the program from its settings: sandbox, upstream access, sample company, server state.

use std::{io, sync::Arc};

use daktela_demo::{Demo, Quirks};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    auth::Identities,
    config::{ConfigError, Options, server::ServerSettings, token_store},
    egress::{Cache, Credential, Egress, Origin, OriginError},
    host::Host,
    http_client::Client,
    limits::quota::Quotas,
    oauth,
    sandbox::Sandbox,
    server::ServerState,
    telemetry::{
        Metrics, Traces,
        audit::{Audit, AuditFileError},
        traces::ExporterBuildError,
    },
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
    #[error("AUDIT_FILE: {0}")]
    Audit(#[from] AuditFileError),
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
        None => options
            .daktela
            .upstream(|name| std::env::var(name).ok(), token_store::read)?,
    };
    Ok(SingleUser {
        host: governed(options, reading(options, origin, credential)?)?,
        demo,
    })
}

/// For clients that start the program: as [`single_user`], except that where settings are missing it lists all there is, and a
/// call is answered with what to set. Directories list tools without any settings.
pub fn for_client(options: &Options) -> Result<SingleUser, BuildError> {
    match single_user(options) {
        Err(BuildError::Config(error)) if error.is_missing() => {
            tracing::warn!(event = "not_configured", reason = %error, "calls are answered with what to set");
            Ok(SingleUser {
                host: host(options, None)?.not_configured(error.to_string()),
                demo: None,
            })
        }
        other => other,
    }
}

/// A host that reads one instance with one credential.
pub fn reading(options: &Options, origin: Origin, credential: Credential) -> Result<Host, BuildError> {
    let cache = Cache::new(options.cache.settings());
    let egress = Egress::new(origin, credential, Client::new(options.network()), cache);
    host(options, Some(egress))
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
    let privacy = options
        .privacy
        .settings(|name| std::env::var(name).ok(), random_secret)?;
    let sandbox = match &options.component {
        Some(file) => Sandbox::from_file(file, limits),
        None => Sandbox::embedded(limits),
    };
    let sandbox = sandbox
        .map_err(BuildError::Component)?
        .with_settings([options.tools.settings(), privacy].concat());
    let host = Host::new(sandbox, egress, options.limits.budget());
    Ok(host.with_rights(options.tools.looks_at_rights()))
}

/// For as long as this process lives, 32 random bytes in hex.
fn random_secret() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The same host with the audit and the quotas that the options ask for.
pub fn governed(options: &Options, host: Host) -> Result<Host, BuildError> {
    let audit = Audit::new(&options.audit.settings())?;
    let quotas = Quotas::new(options.quotas.settings());
    Ok(host.with_governance(audit, quotas))
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
