//! Another try for a request that met a passing reason, within the call's deadline.

use crate::{CallBudget, EgressError, UpstreamResponse, budget::RetryReason, client};
use http::{StatusCode, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::RequestBuilder;
use std::time::Duration;

/// What outlasts four tries with their pauses is no passing reason.
const TRIES_MAX: u32 = 4;

const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Who is told to come back later than this is better told so himself.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// `request` makes the request anew for each try. The last answer counts, be it good or bad.
pub(super) async fn send(
    call: &CallBudget,
    request: impl Fn() -> Result<RequestBuilder, EgressError>,
) -> Result<UpstreamResponse, EgressError> {
    let mut tries = 1;
    loop {
        let outcome = client::send(call, request()?).await;
        let Some((pause, reason)) = pause(tries, &outcome) else {
            return outcome;
        };
        if tries == TRIES_MAX || pause >= call.left() {
            return outcome;
        }
        call.pause(pause, reason).await;
        tries += 1;
    }
}

/// How long to wait before the next try, and why; `None` for what another try would not mend.
pub(crate) fn pause(tries: u32, outcome: &Result<UpstreamResponse, EgressError>) -> Option<(Duration, RetryReason)> {
    let (asked, reason) = match outcome {
        Ok(answer) => {
            let reason = match answer.status() {
                StatusCode::TOO_MANY_REQUESTS => RetryReason::TooManyRequests,
                status @ (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) => {
                    RetryReason::Status(status.as_u16())
                }
                _ => return None,
            };
            let asked = answer.headers().get(header::RETRY_AFTER);
            (asked.and_then(|value| retry_after(value.to_str().ok()?)), reason)
        }
        Err(EgressError::NameNotResolved | EgressError::ConnectionRefused | EgressError::ConnectionBroken) => {
            (None, RetryReason::Connection)
        }
        Err(_) => return None,
    };
    let pause = asked.unwrap_or(FIRST_PAUSE * 2_u32.pow(tries - 1));
    // Up to a half more, so that those who were turned away together do not come back together.
    (pause <= PAUSE_MAX).then(|| (pause.mul_f64(1.0 + fastrand::f64() / 2.0), reason))
}

/// Seconds, or an HTTP date.
fn retry_after(text: &str) -> Option<Duration> {
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
        pause(1, &Ok(answer.body(bytes::Bytes::new()).unwrap())).map(|(pause, _)| pause.as_secs_f64())
    }

    #[test]
    fn only_passing_troubles_get_another_try() {
        for status in [429, 502, 503, 504] {
            assert!((0.5..=0.75).contains(&pause_after(status, None).unwrap()), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 500, 501] {
            assert_eq!(pause_after(status, None), None, "{status}");
        }
        assert!(pause(1, &Err(EgressError::ConnectionRefused)).is_some());
        assert!(pause(1, &Err(EgressError::Timeout(FIRST_PAUSE))).is_none());
        assert!(pause(1, &Err(EgressError::PolicyDenied(""))).is_none());
    }

    #[test]
    fn pauses_grow() {
        assert!((2.0..=3.0).contains(&pause(3, &Err(EgressError::ConnectionBroken)).unwrap().0.as_secs_f64()));
    }

    #[test]
    fn the_server_says_when_up_to_a_bound() {
        assert_eq!(pause_after(429, Some("0")), Some(0.0));
        assert!((2.0..=3.0).contains(&pause_after(503, Some(" 2 ")).unwrap()));
        assert_eq!(pause_after(429, Some("60")), None);
        assert_eq!(pause_after(429, Some("Sun, 06 Nov 1994 08:49:37 GMT")), Some(0.0));
        assert_eq!(pause_after(429, Some("Sun, 06 Nov 2099 08:49:37 GMT")), None);
        assert!(pause_after(429, Some("soon")).is_some());
    }
}
