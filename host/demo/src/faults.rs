//! What can go wrong on the way, on demand: a queue of faults, each of which meets the next requests that it matches.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::{Response, body::Frame};
use tokio::sync::mpsc;

#[derive(Clone, Debug)]
pub struct Fault {
    /// A part of the path, as in [`crate::Recorded::path`]; an empty one matches everything.
    pub matches: String,
    /// How many requests it meets.
    pub times: usize,
    /// Waits before anything else.
    pub delay: Option<Duration>,
    /// Instead of the true answer; without it the answer is merely late.
    pub action: Option<Action>,
}

impl Default for Fault {
    /// The next request, whatever it is.
    fn default() -> Fault {
        Fault {
            matches: String::new(),
            times: 1,
            delay: None,
            action: None,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Action {
    Status {
        code: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// The connection closes without a word.
    Reset,
    /// The true answer announces its length and stops halfway.
    TruncatedBody,
    /// Nothing, for ever.
    Hang,
    /// 302 to this address.
    Redirect(String),
    Body {
        content_type: String,
        bytes: Vec<u8>,
    },
    /// A list whose one title is not UTF-8.
    InvalidUtf8,
    /// Lists in lists, so many levels.
    DeepJson(usize),
    /// A list with one title of so many bytes; `streamed` says no length in advance.
    HugeBody {
        bytes: usize,
        streamed: bool,
    },
    /// JSON, packed as `encoding` says.
    Packed {
        encoding: String,
        bytes: Vec<u8>,
    },
    /// So many bytes of a title, packed about a thousand times smaller.
    GzipBomb {
        bytes: usize,
    },
    /// The true answer, a byte at a time.
    SlowDrip {
        every: Duration,
    },
}

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

const OPEN: &str = r#"{"error":[],"result":{"data":[{"name":1,"title":""#;
const CLOSE: &str = r#""}],"total":1}}"#;
const CHUNK: usize = 64 * 1024;

impl Action {
    /// The broken answer; `true_answer` is what would have been said.
    pub(crate) async fn answer(self, true_answer: impl FnOnce() -> (u16, String)) -> io::Result<Response<Body>> {
        let json = |bytes| respond(200, &[("content-type", "application/json")], bytes);
        match self {
            Action::Status { code, headers, body } => {
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                respond(code, &headers, Bytes::from(body))
            }
            Action::Reset => Err(io::ErrorKind::ConnectionReset.into()),
            Action::Hang => std::future::pending().await,
            Action::Redirect(to) => respond(302, &[("location", &to)], Bytes::new()),
            Action::Body { content_type, bytes } => respond(200, &[("content-type", &content_type)], bytes.into()),
            Action::Packed { encoding, bytes } => respond(
                200,
                &[("content-type", "application/json"), ("content-encoding", &encoding)],
                bytes.into(),
            ),
            Action::InvalidUtf8 => json(
                [OPEN.as_bytes(), b"P\xf8edn\xed kolo \xff", CLOSE.as_bytes()]
                    .concat()
                    .into(),
            ),
            Action::DeepJson(levels) => {
                let (open, close) = ("[".repeat(levels), "]".repeat(levels));
                json(format!(r#"{{"error":[],"result":{{"data":{open}{close},"total":1}}}}"#).into())
            }
            Action::TruncatedBody => {
                let (status, body) = true_answer();
                let half = Bytes::from(body.clone()).slice(..body.len() / 2);
                stream(status, Some(body.len()), move |parts| async move {
                    let _ = parts.send(Ok(half)).await;
                    // Long enough for the half to leave before the connection does.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let _ = parts.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
                })
            }
            Action::SlowDrip { every } => {
                let (status, body) = true_answer();
                stream(status, Some(body.len()), move |parts| async move {
                    let body = Bytes::from(body);
                    for at in 0..body.len() {
                        tokio::time::sleep(every).await;
                        if parts.send(Ok(body.slice(at..=at))).await.is_err() {
                            return;
                        }
                    }
                })
            }
            Action::HugeBody { bytes, streamed } => {
                let length = (!streamed).then_some(OPEN.len() + bytes + CLOSE.len());
                stream(200, length, move |parts| async move {
                    let filler = Bytes::from(vec![b'a'; CHUNK.min(bytes.max(1))]);
                    let mut left = bytes;
                    let mut going = parts.send(Ok(OPEN.into())).await.is_ok();
                    while going && left > 0 {
                        let size = left.min(filler.len());
                        left -= size;
                        going = parts.send(Ok(filler.slice(..size))).await.is_ok();
                    }
                    let _ = parts.send(Ok(CLOSE.into())).await;
                })
            }
            Action::GzipBomb { bytes } => respond(
                200,
                &[("content-type", "application/json"), ("content-encoding", "gzip")],
                bomb(bytes)?,
            ),
        }
    }
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: Bytes) -> io::Result<Response<Body>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body = http_body_util::Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    response.body(body).map_err(io::Error::other)
}

fn stream<F: Future<Output = ()> + Send + 'static>(
    status: u16,
    length: Option<usize>,
    feed: impl FnOnce(mpsc::Sender<io::Result<Bytes>>) -> F,
) -> io::Result<Response<Body>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(feed(sender));
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    if let Some(length) = length {
        response = response.header("content-length", length);
    }
    response.body(Parts(receiver).boxed_unsync()).map_err(io::Error::other)
}

/// The receiving end as a body.
struct Parts(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|part| part.map(|part| part.map(Frame::data)))
    }
}

fn bomb(bytes: usize) -> io::Result<Bytes> {
    let filler = [b'a'; CHUNK];
    let middle = (0..bytes)
        .step_by(CHUNK)
        .map(|start| &filler[..CHUNK.min(bytes - start)]);
    gzip([OPEN.as_bytes()].into_iter().chain(middle).chain([CLOSE.as_bytes()]))
}

pub(crate) fn gzip<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    parts.into_iter().try_for_each(|part| packer.write_all(part))?;
    packer.finish().map(Bytes::from)
}
