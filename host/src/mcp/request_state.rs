//! Request state: what a component that asks its client for input wants to get back together with the reply.
//!
//! It keeps nothing itself, so its state travels through the client, which must not be able to make one up, to use
//! another's, or to use one for something else. The host seals it ([`crate::auth::sealed_token`]), bound to the caller and the
//! request; a component has no secret that it could seal with.
//!
//! A client can send the same state again within its lifetime: a component that writes has to make each step idempotent,
//! or to put something into its state that it uses up.

use std::time::{Duration, SystemTime};

use rmcp::{
    ErrorData,
    model::{InputRequiredResult, InputResponses, RequestMetaObject, ResultType},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::{self, parse};
use crate::auth::{IdentityHash, Sealer, sealed_token::TokenKind};

/// Somebody may have to be asked, and may be in a meeting.
const LIFETIME: Duration = Duration::from_secs(3600);

pub(super) struct RequestStates {
    sealer: Sealer,
}

#[derive(Serialize, Deserialize)]
struct StateClaims {
    state: String,
    /// Seconds since 1970.
    expires: u64,
}

/// To one caller, one request of theirs.
pub(super) struct RequestBinding<'a> {
    sealer: &'a Sealer,
    context: Vec<u8>,
}

pub(super) enum ToolOutcome<T> {
    InputRequired(InputRequiredResult),
    Complete(T),
}

impl RequestStates {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            sealer: Sealer::with_key(key),
        }
    }

    /// `about` is the method, the name of what is asked for, and the arguments.
    pub(super) fn bind(&self, who: Option<IdentityHash>, about: [&str; 3]) -> RequestBinding<'_> {
        let who = who.map(|who| who.0);
        let who: &[u8] = who.as_ref().map_or(&[], |who| who);
        let mut context = Vec::new();
        for part in [who, about[0].as_bytes(), about[1].as_bytes(), about[2].as_bytes()] {
            context.extend((part.len() as u64).to_be_bytes());
            context.extend(part);
        }
        RequestBinding {
            sealer: &self.sealer,
            context,
        }
    }
}

impl RequestBinding<'_> {
    /// What else a request brings, for the component.
    pub(super) fn context(
        &self,
        meta: &RequestMetaObject,
        input_responses: Option<InputResponses>,
        request_state: Option<String>,
    ) -> Result<String, ErrorData> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Context<T> {
            #[serde(skip_serializing_if = "Option::is_none")]
            client_capabilities: Option<T>,
            #[serde(skip_serializing_if = "Option::is_none")]
            input_responses: Option<InputResponses>,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_state: Option<String>,
        }
        let opened = request_state.map(|sealed| {
            self.open(&sealed, SystemTime::now()).ok_or_else(|| {
                ErrorData::invalid_params(
                    "The requestState is over, or was not given for this request; send the request again without it.",
                    None,
                )
            })
        });
        let context = Context {
            client_capabilities: meta.client_capabilities(),
            input_responses,
            request_state: opened.transpose()?,
        };
        serde_json::to_string(&context).map_err(|error| error::invalid_answer(&error))
    }

    pub(super) fn answer<T: DeserializeOwned>(&self, answer: &str) -> Result<ToolOutcome<T>, ErrorData> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            result_type: Option<ResultType>,
        }
        let asks = parse::<Kind>(answer)?.result_type == Some(ResultType::INPUT_REQUIRED);
        if !asks {
            return parse(answer).map(ToolOutcome::Complete);
        }
        let mut asked: InputRequiredResult = parse(answer)?;
        if let Some(state) = asked.request_state.take() {
            let sealed = self.seal(state, SystemTime::now() + LIFETIME);
            let sealed = sealed.ok_or_else(|| {
                ErrorData::internal_error(
                    "The server has no random numbers to give; send the request again.",
                    None,
                )
            })?;
            asked.request_state = Some(sealed);
        }
        Ok(ToolOutcome::InputRequired(asked))
    }

    /// `None` where the system has no random numbers to give.
    fn seal(&self, state: String, until: SystemTime) -> Option<String> {
        let claims = StateClaims {
            state,
            expires: seconds(until),
        };
        self.sealer.seal_bound(TokenKind::RequestState, &self.context, &claims)
    }

    fn open(&self, sealed: &str, now: SystemTime) -> Option<String> {
        let claims: StateClaims = self.sealer.open_bound(TokenKind::RequestState, &self.context, sealed)?;
        (claims.expires >= seconds(now)).then_some(claims.state)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_for_its_request_and_its_time() {
        let states = RequestStates::new(&[1; 32]);
        let about = ["tools/call", "delete", r#"{"id": 1}"#];
        let now = SystemTime::now();
        let sealed = states.bind(None, about).seal("half done".to_owned(), now).unwrap();
        assert_eq!(
            states.bind(None, about).open(&sealed, now).as_deref(),
            Some("half done")
        );
        let later = now + Duration::from_secs(1);
        assert_eq!(states.bind(None, about).open(&sealed, later), None);
        // Another caller, though the log calls both the same.
        let mut one = [7; 32];
        let of_one = states
            .bind(Some(IdentityHash(one)), about)
            .seal("half done".to_owned(), now)
            .unwrap();
        one[31] = 8;
        assert_eq!(IdentityHash(one).to_string(), IdentityHash([7; 32]).to_string());
        let opened = |who| states.bind(Some(IdentityHash(who)), about).open(&of_one, now);
        assert_eq!((opened([7; 32]).is_some(), opened(one)), (true, None));
        assert_eq!(states.bind(None, about).open(&of_one, now), None);
        for other in [
            ["tools/call", "delete", r#"{"id": 2}"#],
            ["tools/call", "close", r#"{"id": 1}"#],
            ["prompts/get", "delete", r#"{"id": 1}"#],
            ["tools/call", "delet", r#"e{"id": 1}"#],
        ] {
            assert_eq!(states.bind(None, other).open(&sealed, now), None, "{other:?}");
        }
        assert_eq!(RequestStates::new(&[2; 32]).bind(None, about).open(&sealed, now), None);
        for text in ["", "half done", &sealed[1..], &format!("{sealed}AAAA")] {
            assert_eq!(states.bind(None, about).open(text, now), None, "{text}");
        }
    }
}
