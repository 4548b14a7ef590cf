//! A small Daktela instance to try things on and to test against: a strict fake of the REST API v6, and behind it the
//! contact centre of Stoupák, a Czech maker of electric bicycles that does not exist.
//!
//! ```no_run
//! let demo = daktela_demo::Demo::start()?;
//! println!("{}/api/v6/tickets.json?take=5", demo.origin());
//! println!("X-AUTH-TOKEN: {}", daktela_demo::TOKEN);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! It reads requests as the real server is known to, and refuses what the real one refuses, so that a client which works
//! here has a fair chance there. Where the sources are silent it takes the stricter reading. It never writes.
//!
//! # What is proven
//!
//! From recorded answers, official connectors and the vendor's schema: the addresses and the three spellings of filters;
//! names and types of fields; the envelope; 400 with one of four shapes of `error`, and 401, 403, 404 without a body;
//! `Max defined take is 1000`; that sorting by an unknown field leaves no rows, and that an unknown name in `fields` is passed
//! over; embedding of whole related records, `item`
//! among them; `[]` for empty maps; the forms of custom fields in `_sys.cfScheme`; login, refresh and `whoim`.
//!
//! # What is not
//!
//! No public recording shows calls, chats, transcripts, sessions at work, articles, queues, login or `whoim`: their fields
//! come from the schema and from clients' code, their combinations from us. Further: 20 as the default `take`; refusing an
//! unknown name in a filter; `fields` on single records; `messages` of channels other than the web chat;
//! what `q` searches, and that it joins a filter with "and"; that `eq` minds case while `like` does not; a null that
//! matches nothing but `isnull`; the paths of relations beyond those in use by clients; bits of the role map; and the wording of
//! errors. [`Quirks`] turns the riskier guesses around, since builds differ. Not imitated at all: `x-timezone-client`,
//! languages of error texts, `Set-Cookie`, JSONP, files and recordings outside of `/api/v6`, and every kind of writing.
//!
//! The company stands still at [`NOW`], so that answers stay the same for ever. Secrets that the real server embeds are
//! here too, as texts that begin with [`CANARY`]: none may ever show up in an answer to a model.

mod company;
mod faults;
mod filter;
mod login;
mod projection;
mod query;
mod query_string;
mod quirks;
mod reply;
mod route;
mod schema;
mod server;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod value;

pub use faults::{Action, Fault};
pub use login::{
    AGENT_PASSWORD, AGENT_TOKEN, AGENT_USERNAME, PASSWORD, READERS, SSO_TOKEN, TOKEN, USERNAME, reader_token,
};
pub use quirks::{
    DataShape, DottedFields, DottedFilters, EmailFiles, Item, LoginAnswer, MAX_SCALE, Quirks, Refusals, Relations,
    Scheme, SingleFields, Total, UnknownField,
};
pub use reply::NOW;

use std::{io, mem, net::SocketAddr, sync::Arc, thread::JoinHandle};

use server::{State, lock};
use tokio::sync::oneshot;

/// How every planted secret begins.
pub const CANARY: &str = "canary-";

/// A running instance on a free port of this machine; dropping it stops it.
pub struct Demo {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request as it arrived; the last ten thousand are kept.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    /// Decoded, without prefix and `.json`: `tickets`, `tickets/787001/activities`.
    pub path: String,
    /// Path and query as received.
    pub raw: String,
    pub headers: Vec<(String, String)>,
    /// Whose token it carried, if anybody's.
    pub user: Option<String>,
    /// One line for people: `GET tickets  stage eq OPEN  sort edited desc  skip 0 take 50  fields name,title`.
    pub summary: String,
}

impl Demo {
    pub fn start() -> io::Result<Demo> {
        Demo::start_with(Quirks::default())
    }

    pub fn start_with(quirks: Quirks) -> io::Result<Demo> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        *lock(&state.quirks) = quirks;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("daktela-demo".into())
            .spawn(move || runtime.block_on(server::serve(listener, serving, stopped)))?;
        Ok(Demo {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next request on, another build answers.
    pub fn set_quirks(&self, quirks: Quirks) {
        *lock(&self.state.quirks) = quirks;
    }

    /// Puts a fault at the end of the queue.
    pub fn inject(&self, fault: Fault) {
        lock(&self.state.faults).push(fault);
    }

    pub fn clear_faults(&self) {
        lock(&self.state.faults).clear();
    }

    /// Every record of a model as it is stored, related records as their names; none for an unknown model. For computing in
    /// another way what a client computes through the API.
    pub fn records(&self, model: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
        let quirks = lock(&self.state.quirks).clone();
        let rows = company::store(quirks.scale, quirks.extended).rows(model).iter();
        rows.map(|row| {
            let fields = row.fields();
            fields.map(|(name, value)| (name.to_owned(), value.clone())).collect()
        })
        .collect()
    }

    /// Everything received since the last time, in order.
    pub fn take_requests(&self) -> Vec<Recorded> {
        mem::take(&mut *lock(&self.state.recorded)).into()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
