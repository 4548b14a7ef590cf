//! The guest library in this process, over real HTTP: the fast half of the cases.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use guest::http::{Failure, Http, Request, Response};

pub(crate) struct Native {
    pub(crate) origin: String,
    agent: ureq::Agent,
    received: AtomicUsize,
}

impl Native {
    pub(crate) fn new(origin: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Native {
            origin,
            agent: config.into(),
            received: AtomicUsize::new(0),
        }
    }

    /// Bytes of the bodies that came since the last time.
    pub(crate) fn take_received(&self) -> usize {
        self.received.swap(0, Ordering::Relaxed)
    }

    fn get(&self, path: &str) -> Result<Response, Failure> {
        let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
        let request = self
            .agent
            .get(format!("{}{path}", self.origin))
            .header("x-auth-token", daktela_demo::TOKEN);
        let mut answer = request.call().map_err(broken)?;
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .map_err(broken)?;
        self.received.fetch_add(body.len(), Ordering::Relaxed);
        Ok(Response {
            status,
            body,
            is_aged: false,
        })
    }
}

impl Http for Native {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        thread::scope(|scope| {
            let running: Vec<_> = requests
                .iter()
                .map(|request| scope.spawn(|| self.get(&request.path)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        })
    }
}
