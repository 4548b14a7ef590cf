//! The little HTTP server: one thread, one runtime, everything in memory.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    Recorded, company,
    faults::{self, Body, Fault, respond},
    login::Sessions,
    quirks::Quirks,
    route::{self, Request},
    summary,
};

/// Nobody sends more to a login.
const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// More than any test causes between two looks. A demonstration that runs for days remembers no more.
const RECORDED_MAX: usize = 10_000;
/// As web servers do: shorter ones gain nothing.
const WORTH_PACKING_BYTES: usize = 1024;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) quirks: Mutex<Quirks>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) recorded: Mutex<VecDeque<Recorded>>,
    sessions: Mutex<Sessions>,
}

impl State {
    fn record(&self, request: Recorded) {
        let mut recorded = lock(&self.recorded);
        if recorded.len() == RECORDED_MAX {
            recorded.pop_front();
        }
        recorded.push_back(request);
    }
}

/// A test that panicked elsewhere is no reason to stop serving the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: oneshot::Receiver<()>) {
    loop {
        let stream = tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else { continue };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| handle(request, Arc::clone(&state)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn handle(request: hyper::Request<Incoming>, state: Arc<State>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST_BYTES)
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: head.method.to_string(),
        raw: head.uri.to_string(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body.to_vec(),
    };
    let path = request
        .segments()
        .map_or_else(|| request.raw.clone(), |segments| segments.join("/"));
    state.record(Recorded {
        summary: summary::summary(&request, &path),
        user: request.token().and_then(|token| lock(&state.sessions).user(&token)),
        method: request.method.clone(),
        raw: request.raw.clone(),
        headers: request.headers.clone(),
        path: path.clone(),
    });
    let true_answer = || {
        let quirks = lock(&state.quirks).clone();
        route::answer(
            &request,
            company::store(quirks.scale, quirks.extended),
            &quirks,
            &mut lock(&state.sessions),
        )
    };
    let fault = next_fault(&mut lock(&state.faults), &path);
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay) {
        tokio::time::sleep(delay).await;
    }
    match fault.and_then(|fault| fault.action) {
        Some(action) => action.answer(true_answer).await,
        None => {
            let (status, body) = true_answer();
            let accepted = request
                .header("accept-encoding")
                .is_some_and(|how| how.contains("gzip"));
            let packs = accepted && lock(&state.quirks).gzip;
            let json = ("content-type", "application/json; charset=UTF-8");
            match body.len() {
                0 => respond(status, &[], Bytes::new()),
                WORTH_PACKING_BYTES.. if packs => respond(
                    status,
                    &[json, ("content-encoding", "gzip")],
                    faults::gzip([body.as_bytes()])?,
                ),
                _ => respond(status, &[json], Bytes::from(body)),
            }
        }
    }
}

/// The first fault that matches, which this request uses up by one.
fn next_fault(faults: &mut Vec<Fault>, path: &str) -> Option<Fault> {
    let at = faults
        .iter()
        .position(|fault| fault.times > 0 && path.contains(&fault.matches))?;
    faults[at].times -= 1;
    let fault = faults[at].clone();
    faults.retain(|fault| fault.times > 0);
    Some(fault)
}
