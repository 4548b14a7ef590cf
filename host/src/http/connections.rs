//! Connections: how many there may be, what each may do without saying anything, and how they end.

use super::{Peer, throttle};
use crate::telemetry::Metrics;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections cost little, but not nothing; more wait in the system's queue.
const CONNECTIONS: usize = 4_096;

/// More than a whole office behind one address has open, and few enough that it takes many addresses to keep all others out.
const CONNECTIONS_PER_ADDRESS: usize = 512;

/// Whoever connects has something to say.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may lie idle afterwards, or take for the head of a request, which hyper does not tell apart. Longer
/// than the minute for which proxies keep theirs: who closes first must be the one that sends.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long the other end may take to read anything at all of an answer. A phone between two cells is back by then.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// At the end of the server: for the last bytes of an answer to arrive, and for a request that is on its way.
const LAST_BYTES: Duration = Duration::from_secs(5);

/// hyper's own bound is 400 KB; tokens in headers are the longest that is sent in earnest.
const HEAD_BYTES: usize = 64 * 1024;

pub(super) struct Connections {
    room: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    metrics: Metrics,
    draining: CancellationToken,
    all: TaskTracker,
}

/// A connection that there is room for.
pub(super) struct Accepted {
    stream: TcpStream,
    address: IpAddr,
    room: (OwnedSemaphorePermit, Place),
}

impl Connections {
    /// Behind proxies all callers share the proxies' addresses, so those say nothing.
    pub(super) fn new(behind_proxies: bool, metrics: Metrics) -> Self {
        let most = CONNECTIONS.min(files() / 2);
        if most < CONNECTIONS {
            tracing::warn!(
                event = "few_files",
                connections = most,
                reason = "half of the files that may be open (ulimit -n); the other half leads to Daktela"
            );
        }
        let most_per_address = if behind_proxies {
            most
        } else {
            CONNECTIONS_PER_ADDRESS.min(most / 2)
        };
        Self {
            room: Arc::new(Semaphore::new(most)),
            addresses: Arc::new(Addresses {
                most: most_per_address,
                counts: Mutex::default(),
            }),
            metrics,
            draining: CancellationToken::new(),
            all: TaskTracker::new(),
        }
    }

    /// The next one that there is room for.
    pub(super) async fn accept(&self, listener: &TcpListener) -> Accepted {
        loop {
            let Ok(permit) = self.room.clone().acquire_owned().await else {
                // Only a semaphore that somebody closes says so, and nobody does.
                return std::future::pending().await;
            };
            let Ok((stream, address)) = listener.accept().await else {
                // Too many files are open, for example; another try at once would only make a noise.
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let address = address.ip().to_canonical();
            match self.addresses.place(address) {
                Some(place) => {
                    return Accepted {
                        stream,
                        address,
                        room: (permit, place),
                    };
                }
                // An answer would take as much room as a request.
                None => self.metrics.connection_refused(),
            }
        }
    }

    /// Serves it, and returns at once.
    pub(super) fn serve(&self, accepted: Accepted, router: Router) {
        let Accepted { stream, address, room } = accepted;
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let traffic = Traffic::default();
        let mut requests = traffic.0.subscribe();
        let router = router.layer((Extension(Peer(address)), Extension(traffic)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
        let draining = self.draining.clone();
        self.all.spawn(async move {
            let _room = room;
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
                () = silence(&mut requests) => {}
            }
        });
    }

    /// Lets the answers under way finish. What begins no request is not waited for.
    pub(super) async fn end(&self) {
        self.draining.cancel();
        self.all.close();
        self.all.wait().await;
    }
}

/// Comes when no request has been under way for a while.
async fn silence(requests: &mut watch::Receiver<Requests>) {
    while requests
        .wait_for(|requests| requests.begun == requests.ended)
        .await
        .is_ok()
    {
        let next = requests.wait_for(|requests| requests.begun > requests.ended);
        if timeout(LAST_BYTES, next).await.is_err() {
            return;
        }
    }
}

/// What came over one connection.
#[derive(Clone, Default)]
pub(super) struct Traffic(Arc<watch::Sender<Requests>>);

#[derive(Default)]
struct Requests {
    begun: u64,
    ended: u64,
}

/// A request, until its answer is handed over.
pub(super) struct UnderWay(Traffic);

impl Traffic {
    pub(super) fn begin(self) -> UnderWay {
        self.0.send_modify(|requests| requests.begun += 1);
        UnderWay(self)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| requests.ended += 1);
    }
}

/// How many connections each address has.
struct Addresses {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One of an address's connections.
struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = throttle::network(address);
        self.change(address, |count| {
            let fits = *count < self.most;
            *count += usize::from(fits);
            fits
        })
        .then(|| Place {
            addresses: self.clone(),
            address,
        })
    }

    fn change<T>(&self, address: IpAddr, change: impl FnOnce(&mut usize) -> T) -> T {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        let changed = change(count);
        if *count == 0 {
            counts.remove(&address);
        }
        changed
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.addresses.change(self.address, |count| *count -= 1);
    }
}

/// How many files may be open, after having asked for as many as there may be: what a shell grants by default is for programs of
/// one user.
#[cfg(unix)]
fn files() -> usize {
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
fn files() -> usize {
    usize::MAX
}
