//! `mcp-daktela --transport streamable-http`: starts the multi-user HTTP server.

use std::{sync::Arc, time::Duration};

use tokio::net::TcpListener;

use super::{ExitError, block_on, random_key};
use crate::{
    app,
    config::{Options, server::ServerOptions},
    mcp::Server,
    server::{self, Shutdown},
    shutdown,
};

/// For connections to close, the last spans to be exported and the log to be written.
const EXIT_MARGIN: Duration = Duration::from_secs(10);

/// Keeps the memory of the process, which holds the credentials of many, out of core dumps and from other processes of the
/// same user.
#[cfg(target_os = "linux")]
fn forbid_memory_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(event = "memory_dumps_allowed", reason = %error, "core dumps may hold credentials");
    }
}

#[cfg(not(target_os = "linux"))]
fn forbid_memory_dumps() {}

pub(super) fn run(options: &Options, server_options: &ServerOptions) -> Result<(), ExitError> {
    forbid_memory_dumps();
    let mut settings = server_options.settings().map_err(ExitError::usage)?;
    if options.daktela.names_an_instance() {
        // Whoever reaches the port would read with the operator's eyes.
        tracing::warn!(
            event = "credentials_not_used",
            reason = "over HTTP each client brings its own; DAKTELA_URL and the credentials beside it are for stdio",
            "the credential in the settings is not used"
        );
    }
    let demo = app::demo(options).map_err(ExitError::failed)?;
    if let Some(demo) = &demo {
        settings.domains.also_serve(&demo.origin()).map_err(ExitError::failed)?;
        // For whoever tries the login page; none of it is a secret.
        tracing::info!(
            event = "sample_company",
            instance = demo.origin(),
            username = daktela_demo::USERNAME,
            password = daktela_demo::PASSWORD,
            api_token = daktela_demo::SSO_TOKEN,
            "the sample company is served"
        );
    }
    let oauth = server_options
        .oauth(|name| std::env::var(name).ok())
        .map_err(ExitError::usage)?;
    if oauth.is_none() {
        tracing::info!(
            event = "oauth_off",
            reason = "OAUTH_SECRET is not set; clients send Daktela's credentials in headers",
            "OAuth is off"
        );
    }
    let host = app::host(options, None).map_err(ExitError::usage)?;
    let key = match &oauth {
        Some(oauth) => oauth.sealer.identity_key(),
        None => random_key()?,
    };
    block_on(async {
        let app = app::server_state(options, settings, &key, oauth, demo.as_ref(), host.metrics().clone())
            .map_err(ExitError::failed)?;
        app.identities.client().warm_up();
        let traces = app::traces(options).map_err(ExitError::usage)?;
        let server = Server::new(Arc::new(host.with_traces(traces.clone())), &key)
            .await
            .map_err(ExitError::failed)?;
        let listen = app.settings.listen;
        let busy = |error| ExitError::failed(format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(busy)?;
        let address = listener.local_addr().map_err(ExitError::failed)?;
        tracing::info!(event = "listening", address = %address, endpoint = "/mcp", "ready for clients");
        if let Some(listen) = app.settings.metrics {
            let listener = TcpListener::bind(listen)
                .await
                .map_err(|error| ExitError::failed(format!("cannot listen on {listen}: {error}")))?;
            tokio::spawn(server::serve_metrics(app.clone(), listener));
        }
        let grace = server.drain() + server::DRAIN_DELAY + EXIT_MARGIN;
        let done = server::serve(app, server, listener, stop(grace))
            .await
            .map_err(ExitError::failed);
        if let Some(traces) = traces {
            traces.finish().await;
        }
        done
    })
}

/// Comes with a signal; from then on the process has `grace` to end.
async fn stop(grace: Duration) -> Shutdown {
    let stop = tokio::select! {
        () = shutdown::terminated() => Shutdown::Graceful,
        () = shutdown::interrupted() => Shutdown::Immediate,
    };
    if let Err(error) = shutdown::exit_after(grace) {
        tracing::warn!(event = "shutdown_unguarded", reason = %error, "the exit has no hard deadline");
    }
    stop
}
