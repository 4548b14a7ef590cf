//! Connections and their time limits: concurrency limits in all and per network, slowloris guard, slow-reader guard, graceful shutdown.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    limits::concurrency::{KeyedConcurrencyLimit, KeyedPermit},
    telemetry::Metrics,
    web::client_ip::ClientIp,
};

/// Connections in all; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 4_096;

/// Connections of one network: more than a whole office behind one address has open, and few enough that it takes many addresses
/// to keep all others out.
const CONNECTIONS_PER_NETWORK: usize = 512;

/// Slowloris guard: time allowed for the first request head.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle time-out of a connection, and time allowed for each further request head, which hyper does not tell apart. Longer than the
/// minute for which proxies keep their connections: the side that sends has to be the one that closes first.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// Slow-reader guard: time within which the client has to read anything at all of an answer. A phone between two cells is back by
/// then.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// At shutdown: time for the last bytes of an answer to arrive, and for a request that is on its way.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// hyper's own bound is 400 KB; a request head holds tokens of a few kilobytes at most.
const HEAD_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Connections {
    total: Arc<Semaphore>,
    per_network: KeyedConcurrencyLimit<IpAddr>,
    metrics: Metrics,
    draining: CancellationToken,
    tasks: TaskTracker,
}

/// A connection within the limits.
pub(super) struct Accepted {
    stream: TcpStream,
    address: IpAddr,
    permit: ConnectionPermit,
}

type ConnectionPermit = (OwnedSemaphorePermit, KeyedPermit<IpAddr>);

/// The other end of a connection. A request extension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl Connections {
    /// Behind proxies all clients share the proxies' addresses, so that the limit per network is off.
    pub(super) fn new(behind_proxies: bool, metrics: Metrics) -> Self {
        let most = CONNECTIONS_MAX.min(open_file_limit() / 2);
        if most < CONNECTIONS_MAX {
            tracing::warn!(
                event = "few_files",
                connections = most,
                reason = "half of the files that may be open (ulimit -n); the other half leads to Daktela"
            );
        }
        let most_per_network = if behind_proxies {
            most
        } else {
            CONNECTIONS_PER_NETWORK.min(most / 2)
        };
        Self {
            total: Arc::new(Semaphore::new(most)),
            per_network: KeyedConcurrencyLimit::new(most_per_network),
            metrics,
            draining: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// The next connection within the limits.
    pub(super) async fn accept(&self, listener: &TcpListener) -> Accepted {
        loop {
            let Ok(permit) = self.total.clone().acquire_owned().await else {
                // Only of a semaphore that is closed, which this one never is.
                return std::future::pending().await;
            };
            let Ok((stream, address)) = listener.accept().await else {
                // Too many files are open, for example; another try at once would fail as well.
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let address = address.ip().to_canonical();
            match self.per_network.try_acquire(ClientIp(address).network()) {
                Some(own) => {
                    return Accepted {
                        stream,
                        address,
                        permit: (permit, own),
                    };
                }
                // Closed without an answer, which would take as much work as a request.
                None => self.metrics.connection_refused(),
            }
        }
    }

    /// Serves a connection in a task of its own.
    pub(super) fn serve(&self, accepted: Accepted, router: Router) {
        let Accepted {
            stream,
            address,
            permit,
        } = accepted;
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let counter = RequestCounter::default();
        let mut requests = counter.0.subscribe();
        let router = router.layer((Extension(Peer(address)), Extension(counter)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
        let draining = self.draining.clone();
        self.tasks.spawn(async move {
            let _permit = permit;
            tokio::pin!(connection);
            // However it ends: a client that went away is no news.
            tokio::select! {
                _ = connection.as_mut() => return,
                begun = timeout(FIRST_HEAD_TIMEOUT, requests.wait_for(|requests| requests.begun > 0)) => {
                    if begun.is_err() {
                        return;
                    }
                }
                () = draining.cancelled() => {}
            }
            tokio::select! {
                _ = connection.as_mut() => return,
                () = draining.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            tokio::select! {
                _ = connection.as_mut() => {}
                () = wait_idle(&mut requests) => {}
            }
        });
    }

    /// Graceful shutdown: lets the answers under way finish. Connections without a request are not waited for.
    pub(super) async fn end(&self) {
        self.draining.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Waits until no request has been in flight for a while.
async fn wait_idle(requests: &mut watch::Receiver<Requests>) {
    while requests
        .wait_for(|requests| requests.begun == requests.ended)
        .await
        .is_ok()
    {
        let next = requests.wait_for(|requests| requests.begun > requests.ended);
        if timeout(FLUSH_TIMEOUT, next).await.is_err() {
            return;
        }
    }
}

/// Counts the requests of one connection.
#[derive(Clone, Default)]
pub(super) struct RequestCounter(Arc<watch::Sender<Requests>>);

#[derive(Default)]
struct Requests {
    begun: u64,
    ended: u64,
}

/// A request whose response is not handed over yet.
pub(super) struct InFlight(RequestCounter);

impl RequestCounter {
    pub(super) fn begin(self) -> InFlight {
        self.0.send_modify(|requests| requests.begun += 1);
        InFlight(self)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| requests.ended += 1);
    }
}

/// How many files may be open, after having asked for as many as the system allows: what a shell grants by default is for programs
/// of one user.
#[cfg(unix)]
fn open_file_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    let granted = match setrlimit(Resource::Nofile, all) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    granted
        .and_then(|files| usize::try_from(files).ok())
        .unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn open_file_limit() -> usize {
    usize::MAX
}
