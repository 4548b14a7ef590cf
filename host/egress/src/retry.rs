//! Retries with exponential backoff and jitter, within the call's deadline.

use std::time::Duration;

use daktela_http_client::{self as http_client, Client, ClientError};
use http::{StatusCode, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::RequestBuilder;

use crate::{CallBudget, EgressError, RetryReason, UpstreamResponse};

/// What outlasts four attempts with their backoff is no transient error.
const ATTEMPTS_MAX: u32 = 4;

/// Backoff before the first retry; it doubles with each.
const INITIAL_BACKOFF: Duration = Duration::from_millis(500);

/// Longest `Retry-After` that is honoured. A caller who has to wait longer is told instead.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Which errors are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// All transient ones.
    Transient,
    /// Those of a host that could be connected to.
    Connected,
    Never,
}

/// Sends a request until it succeeds, fails for good, or attempts or time run out; returns the last outcome. `request` makes
/// it anew for each attempt.
pub(super) async fn send(
    call: &CallBudget,
    client: &Client,
    policy: RetryPolicy,
    request: impl Fn() -> Result<RequestBuilder, EgressError>,
) -> Result<UpstreamResponse, EgressError> {
    let mut attempts = 1;
    loop {
        let exchange = http_client::exchange(request()?, call.body_bytes_max(), |read| {
            call.count_bytes(read).map_err(Interrupted::Budget)
        });
        let outcome = call.within(exchange).await.and_then(|outcome| {
            outcome.map_err(|interrupted| match interrupted {
                Interrupted::Budget(error) => error,
                Interrupted::Client(error) => client.attribute_to_proxy(error).into(),
            })
        });
        let Some((pause, reason)) = backoff(attempts, policy, &outcome) else {
            return outcome;
        };
        if attempts == ATTEMPTS_MAX || pause >= call.left() {
            return outcome;
        }
        call.back_off(pause, reason).await;
        attempts += 1;
    }
}

/// Why an exchange ended early.
enum Interrupted {
    Budget(EgressError),
    Client(ClientError),
}

impl From<ClientError> for Interrupted {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// How long to wait before the next attempt, and why; `None` where a retry would not help.
pub(crate) fn backoff(
    attempts: u32,
    policy: RetryPolicy,
    outcome: &Result<UpstreamResponse, EgressError>,
) -> Option<(Duration, RetryReason)> {
    let (retry_after, reason) = match (outcome, policy) {
        (_, RetryPolicy::Never) => return None,
        (Ok(response), _) => {
            let reason = match response.status() {
                StatusCode::TOO_MANY_REQUESTS => RetryReason::TooManyRequests,
                status @ (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) => {
                    RetryReason::Status(status.as_u16())
                }
                _ => return None,
            };
            let value = response.headers().get(header::RETRY_AFTER);
            (value.and_then(|value| parse_retry_after(value.to_str().ok()?)), reason)
        }
        (Err(EgressError::ConnectionBroken), _)
        | (Err(EgressError::NameNotResolved | EgressError::ConnectionRefused), RetryPolicy::Transient) => {
            (None, RetryReason::Connection)
        }
        (Err(_), _) => return None,
    };
    let pause = retry_after.unwrap_or(INITIAL_BACKOFF * 2_u32.pow(attempts - 1));
    // Jitter of up to 50 %, so that those who were turned away together do not come back together.
    (pause <= BACKOFF_MAX).then(|| (pause.mul_f64(1.0 + fastrand::f64() / 2.0), reason))
}

/// Seconds, or an HTTP date.
fn parse_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()?;
    let left = date.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
    Some(left.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn pause_after(status: u16, retry_after: Option<&str>) -> Option<f64> {
        let mut answer = Response::builder().status(status);
        if let Some(value) = retry_after {
            answer = answer.header(header::RETRY_AFTER, value);
        }
        backoff(
            1,
            RetryPolicy::Transient,
            &Ok(answer.body(bytes::Bytes::new()).unwrap()),
        )
        .map(|(pause, _)| pause.as_secs_f64())
    }

    fn after(policy: RetryPolicy, error: EgressError) -> Option<(Duration, RetryReason)> {
        backoff(1, policy, &Err(error))
    }

    #[test]
    fn transient_errors_are_retried() {
        for status in [429, 502, 503, 504] {
            assert!((0.5..=0.75).contains(&pause_after(status, None).unwrap()), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 500, 501] {
            assert_eq!(pause_after(status, None), None, "{status}");
        }
        assert!(after(RetryPolicy::Transient, EgressError::ConnectionRefused).is_some());
        assert!(after(RetryPolicy::Transient, EgressError::Timeout(INITIAL_BACKOFF)).is_none());
        assert!(after(RetryPolicy::Transient, EgressError::PolicyDenied("")).is_none());
    }

    #[test]
    fn policies_leave_out_connect_errors_or_all() {
        for error in [EgressError::NameNotResolved, EgressError::ConnectionRefused] {
            assert!(after(RetryPolicy::Connected, error.clone()).is_none(), "{error}");
        }
        assert!(after(RetryPolicy::Connected, EgressError::ConnectionBroken).is_some());
        assert!(after(RetryPolicy::Never, EgressError::ConnectionBroken).is_none());
    }

    #[test]
    fn backoff_is_exponential() {
        assert!(
            (2.0..=3.0).contains(
                &backoff(3, RetryPolicy::Transient, &Err(EgressError::ConnectionBroken))
                    .unwrap()
                    .0
                    .as_secs_f64()
            )
        );
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_limit() {
        assert_eq!(pause_after(429, Some("0")), Some(0.0));
        assert!((2.0..=3.0).contains(&pause_after(503, Some(" 2 ")).unwrap()));
        assert_eq!(pause_after(429, Some("60")), None);
        assert_eq!(pause_after(429, Some("Sun, 06 Nov 1994 08:49:37 GMT")), Some(0.0));
        assert_eq!(pause_after(429, Some("Sun, 06 Nov 2099 08:49:37 GMT")), None);
        assert!(pause_after(429, Some("soon")).is_some());
    }
}
