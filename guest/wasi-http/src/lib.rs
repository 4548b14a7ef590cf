//! `wasi:http` as the guest's network: several requests at once on one thread, by polling what each waits for.

use guest::http::{Failure, Http, REQUESTS_AT_A_TIME, Request, Response};
use wasip2::{
    http::{
        outgoing_handler::handle,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingRequest,
            RequestOptions, Scheme, http_error_code,
        },
    },
    io::{
        poll::{Pollable, poll},
        streams::{InputStream, StreamError},
    },
};

/// A host that neither answers nor fails would hold the caller for ever. Ours has a deadline of its own and heeds that.
const CONNECT_TIMEOUT_NS: u64 = 10_000_000_000;
/// Daktela's slowest honest answers, wide filters over years of activities, take tens of seconds.
const ANSWER_TIMEOUT_NS: u64 = 60_000_000_000;

/// How much is asked of a body stream at once; the host hands over what it has.
const READ_BYTES: u64 = 256 * 1024;

/// A page of a thousand tickets with all of their fields is 24 MB; nothing that a tool asks for is near that.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// One origin, and the credential where the host leaves it to the component.
pub struct WasiHttp {
    scheme: Scheme,
    authority: String,
    token: Option<String>,
}

impl WasiHttp {
    pub fn new(origin: &str, token: Option<String>) -> Result<Self, String> {
        let (scheme, authority) = match origin.split_once("://") {
            Some(("https", authority)) => (Scheme::Https, authority),
            Some(("http", authority)) => (Scheme::Http, authority),
            _ => {
                return Err(format!(
                    "DAKTELA_URL is {origin:?}; expected an origin such as https://acme.daktela.com"
                ));
            }
        };
        Ok(Self {
            scheme,
            authority: authority.to_owned(),
            token,
        })
    }

    fn start(&self, request: &Request) -> Result<Exchange, Failure> {
        let headers = Fields::new();
        let append = |name: &str, value: &str| {
            headers
                .append(name, value.as_bytes())
                .map_err(|error| Failure::Host(format!("The host refuses the header {name}: {error}")))
        };
        append("accept", "application/json")?;
        if let Some(cache_control) = request.cache_control.header() {
            append("cache-control", &cache_control)?;
        }
        if let Some(token) = &self.token {
            append("x-auth-token", token)?;
        }
        let outgoing = OutgoingRequest::new(headers);
        let set = outgoing
            .set_method(&Method::Get)
            .and_then(|()| outgoing.set_scheme(Some(&self.scheme)))
            .and_then(|()| outgoing.set_authority(Some(&self.authority)))
            .and_then(|()| outgoing.set_path_with_query(Some(&request.path)));
        if set.is_err() {
            return Err(Failure::Host(format!(
                "The host does not take this for a URL: {}{}",
                self.authority, request.path
            )));
        }
        let future = handle(outgoing, Some(timeouts())).map_err(failure)?;
        Ok(Exchange::Waiting(Waiting {
            pollable: future.subscribe(),
            future,
        }))
    }
}

impl Http for WasiHttp {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let mut answers: Vec<Option<_>> = requests.iter().map(|_| None).collect();
        self.get_each(requests, &mut |index, answer| {
            answers[index] = Some(answer);
            true
        });
        answers
            .into_iter()
            .map(|answer| answer.expect("each request has its answer when all are done"))
            .collect()
    }

    fn get_each(&self, requests: &[Request], take: &mut dyn FnMut(usize, Result<Response, Failure>) -> bool) {
        let mut waiting = requests.iter().enumerate();
        let mut running = Vec::with_capacity(REQUESTS_AT_A_TIME.min(requests.len()));
        let mut goes_on = true;
        loop {
            while goes_on
                && running.len() < REQUESTS_AT_A_TIME
                && let Some((index, request)) = waiting.next()
            {
                match self.start(request) {
                    Ok(exchange) => running.push((index, exchange)),
                    Err(failure) => goes_on = take(index, Err(failure)),
                }
            }
            if running.is_empty() {
                break;
            }
            let mut ready = poll(
                &running
                    .iter()
                    .map(|(_, exchange)| exchange.pollable())
                    .collect::<Vec<_>>(),
            );
            // From the last to the first, so that taking one out does not move those still to be visited.
            ready.sort_unstable_by(|a, b| b.cmp(a));
            for position in ready {
                let (index, exchange) = running.swap_remove(position as usize);
                match exchange.advance() {
                    Step::Pending(exchange) => running.push((index, exchange)),
                    Step::Done(answer) => goes_on &= take(index, answer),
                }
            }
        }
    }
}

/// One request on its way.
enum Exchange {
    Waiting(Waiting),
    Reading(Reading),
}

enum Step {
    Pending(Exchange),
    Done(Result<Response, Failure>),
}

// In both, fields are declared children first and so dropped children first: a host traps when a parent goes earlier.
struct Waiting {
    pollable: Pollable,
    future: FutureIncomingResponse,
}

struct Reading {
    pollable: Pollable,
    stream: InputStream,
    _body: IncomingBody,
    response: IncomingResponse,
    bytes: Vec<u8>,
}

impl Exchange {
    fn pollable(&self) -> &Pollable {
        match self {
            Self::Waiting(waiting) => &waiting.pollable,
            Self::Reading(reading) => &reading.pollable,
        }
    }

    fn advance(self) -> Step {
        match self {
            Self::Waiting(waiting) => match waiting.future.get() {
                None => Step::Pending(Self::Waiting(waiting)),
                Some(Ok(Ok(response))) => match Reading::of(response) {
                    Some(reading) => Step::Pending(Self::Reading(reading)),
                    None => Step::Done(Err(Failure::Unreachable("the answer has no body to read".to_owned()))),
                },
                Some(Ok(Err(code))) => Step::Done(Err(failure(code))),
                Some(Err(())) => Step::Done(Err(Failure::Unreachable("the answer was already taken".to_owned()))),
            },
            Self::Reading(mut reading) => match reading.advance() {
                None => Step::Pending(Self::Reading(reading)),
                Some(answer) => Step::Done(answer),
            },
        }
    }
}

impl Reading {
    fn of(response: IncomingResponse) -> Option<Self> {
        let body = response.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Self {
            pollable: stream.subscribe(),
            stream,
            _body: body,
            response,
            bytes: Vec::new(),
        })
    }

    /// Takes all that is there. `None`: more is to come.
    fn advance(&mut self) -> Option<Result<Response, Failure>> {
        loop {
            match self.stream.read(READ_BYTES) {
                Ok(chunk) if chunk.is_empty() => return None,
                Ok(chunk) if self.bytes.len() + chunk.len() > BODY_BYTES_MAX => return Some(Err(Failure::TooLarge)),
                // The usual body comes in one piece.
                Ok(chunk) if self.bytes.is_empty() => self.bytes = chunk,
                Ok(chunk) => self.bytes.extend(chunk),
                Err(StreamError::Closed) => {
                    let body = std::mem::take(&mut self.bytes);
                    return Some(Ok(Response {
                        status: self.response.status(),
                        body,
                        is_aged: self.response.headers().has("age"),
                    }));
                }
                Err(StreamError::LastOperationFailed(error)) => {
                    let broken = || Failure::Unreachable("the connection broke within the answer".to_owned());
                    return Some(Err(http_error_code(&error).map_or_else(broken, failure)));
                }
            }
        }
    }
}

fn timeouts() -> RequestOptions {
    let options = RequestOptions::new();
    // A host that does not support one of them goes without; it still bounds the call.
    let _ = options.set_connect_timeout(Some(CONNECT_TIMEOUT_NS));
    let _ = options.set_first_byte_timeout(Some(ANSWER_TIMEOUT_NS));
    let _ = options.set_between_bytes_timeout(Some(ANSWER_TIMEOUT_NS));
    options
}

fn failure(code: ErrorCode) -> Failure {
    use ErrorCode as Code;
    let unreachable = |text: &str| Failure::Unreachable(text.to_owned());
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => Failure::Denied,
        Code::DnsTimeout
        | Code::ConnectionTimeout
        | Code::ConnectionReadTimeout
        | Code::ConnectionWriteTimeout
        | Code::HttpResponseTimeout => Failure::Timeout,
        Code::HttpRequestBodySize(_) | Code::HttpResponseBodySize(_) => Failure::TooLarge,
        // What a host has to say to its user, e.g. why a login failed.
        Code::InternalError(Some(text)) => Failure::Host(text),
        Code::DnsError(_) | Code::DestinationNotFound => unreachable("its name does not resolve"),
        Code::ConnectionRefused => unreachable("it refuses connections"),
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => unreachable("the connection broke"),
        Code::TlsCertificateError => unreachable("its certificate is not trusted"),
        Code::TlsProtocolError | Code::TlsAlertReceived(_) => unreachable("the TLS handshake failed"),
        other => Failure::Unreachable(other.to_string()),
    }
}
