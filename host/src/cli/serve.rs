//! `mcp-daktela --transport streamable-http`: one server for many, each with credentials of their own.

use super::{Stop, block_on, random_key, terminated};
use crate::{
    config::Options,
    egress::{Client, Credential},
    http::{self, App, Settings},
    identity::Identities,
    mcp::Server,
    metrics::Metrics,
    oauth::{self, OAuth},
};
use daktela_demo::Demo;
use std::sync::Arc;
use tokio::net::TcpListener;

pub(super) fn run(options: &Options, http: &http::Options) -> Result<(), Stop> {
    let mut settings = http.settings().map_err(Stop::usage)?;
    if options.names_an_instance() {
        // Whoever reaches the port would read with the operator's eyes.
        tracing::warn!(
            event = "credentials_not_used",
            reason = "over HTTP each client brings its own; DAKTELA_URL and the credentials beside it are for stdio"
        );
    }
    let demo = options.demo.then(Demo::start).transpose().map_err(Stop::failed)?;
    if let Some(demo) = &demo {
        settings.domains.also_serve(&demo.origin()).map_err(Stop::failed)?;
        // For whoever tries the login page; none of it is a secret.
        tracing::info!(
            event = "sample_company",
            instance = demo.origin(),
            username = daktela_demo::USERNAME,
            password = daktela_demo::PASSWORD,
            api_token = daktela_demo::SSO_TOKEN
        );
    }
    let oauth = http.oauth(|name| std::env::var(name).ok()).map_err(Stop::usage)?;
    if oauth.is_none() {
        tracing::info!(
            event = "oauth_off",
            reason = "OAUTH_SECRET is not set; clients send Daktela's credentials in headers"
        );
    }
    let host = options.host(None).map_err(Stop::usage)?;
    let key = match &oauth {
        Some(oauth) => oauth.sealer.identity_key(),
        None => random_key()?,
    };
    block_on(async {
        let app = app(options, settings, &key, oauth, demo.as_ref(), host.metrics().clone())?;
        app.identities.client().warm_up();
        let spans = super::spans(options)?;
        let server = Server::new(Arc::new(host.with_spans(spans.clone())), &key)
            .await
            .map_err(Stop::failed)?;
        let listen = app.settings.listen;
        let busy = |error| Stop::failed(format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(busy)?;
        let address = listener.local_addr().map_err(Stop::failed)?;
        tracing::info!(event = "listening", address = %address, endpoint = "/mcp");
        if let Some(listen) = app.settings.metrics {
            let listener = TcpListener::bind(listen)
                .await
                .map_err(|error| Stop::failed(format!("cannot listen on {listen}: {error}")))?;
            tokio::spawn(http::serve_metrics(app.clone(), listener));
        }
        let done = http::serve(app, server, listener, stop()).await.map_err(Stop::failed);
        if let Some(spans) = spans {
            spans.finish().await;
        }
        done
    })
}

fn app(
    options: &Options,
    settings: Settings,
    key: &[u8; 32],
    oauth: Option<oauth::Settings>,
    demo: Option<&Demo>,
    metrics: Metrics,
) -> Result<Arc<App>, Stop> {
    let client = Client::public_only(options.network(), settings.domains.named());
    let identities = Identities::new(key, client, options.cache());
    // With OAuth on, a login is what somebody wants to try.
    let anybody = match demo.filter(|_| oauth.is_none()) {
        Some(demo) => {
            let origin = demo.origin().parse().map_err(Stop::failed)?;
            Some(identities.of(origin, Credential::Token(daktela_demo::TOKEN.to_owned().into())))
        }
        None => None,
    };
    let oauth = oauth.map(|oauth| OAuth::new(oauth, identities.client().clone()));
    Ok(Arc::new(App::new(settings, identities, metrics, anybody, oauth)))
}

async fn stop() -> http::Stop {
    tokio::select! {
        () = terminated() => http::Stop::Gently,
        _ = tokio::signal::ctrl_c() => http::Stop::Now,
    }
}
