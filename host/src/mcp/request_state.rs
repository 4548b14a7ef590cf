//! Request state: what a component that asks its client for input wants to get back together with the reply.
//!
//! It keeps nothing itself, so its state travels through the client, which must not be able to make one up, to use
//! another's, or to use one for something else. The host signs it; a component has no secret that it could sign with.
//!
//! A client can send the same state again within its lifetime: a component that writes has to make each step idempotent,
//! or to put something into its state that it uses up.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use rmcp::{
    ErrorData,
    model::{InputRequiredResult, InputResponses, RequestMetaObject, ResultType},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::{self, parse};
use crate::auth::IdentityHash;

/// Somebody may have to be asked, and may be in a meeting.
const LIFETIME: Duration = Duration::from_secs(3600);

const TAG_BYTES: usize = 32;
const TIME_BYTES: usize = 8;

pub(super) struct RequestStates {
    key: hmac::Key,
}

/// To one caller, one request of theirs.
pub(super) struct RequestBinding<'a> {
    key: &'a hmac::Key,
    about: Vec<u8>,
}

pub(super) enum ToolOutcome<T> {
    InputRequired(InputRequiredResult),
    Complete(T),
}

impl RequestStates {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// `about` is the method, the name of what is asked for, and the arguments.
    pub(super) fn bind(&self, who: Option<IdentityHash>, about: [&str; 3]) -> RequestBinding<'_> {
        let who = who.map(|who| who.0);
        let who: &[u8] = who.as_ref().map_or(&[], |who| who);
        let mut bytes = b"mcp-daktela request state".to_vec();
        for part in [who, about[0].as_bytes(), about[1].as_bytes(), about[2].as_bytes()] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        RequestBinding {
            key: &self.key,
            about: bytes,
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
        let state = asked.request_state.take();
        asked.request_state = state.map(|state| self.seal(&state, SystemTime::now() + LIFETIME));
        Ok(ToolOutcome::InputRequired(asked))
    }

    fn seal(&self, state: &str, until: SystemTime) -> String {
        let signed = [&seconds(until), state.as_bytes()].concat();
        let tag = hmac::sign(self.key, &[&self.about, &*signed].concat());
        BASE64.encode([tag.as_ref(), &signed].concat())
    }

    fn open(&self, sealed: &str, now: SystemTime) -> Option<String> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (tag, signed) = bytes.split_at_checked(TAG_BYTES)?;
        hmac::verify(self.key, &[&self.about, signed].concat(), tag).ok()?;
        let (until, state) = signed.split_at_checked(TIME_BYTES)?;
        let fresh = until >= &seconds(now)[..];
        fresh.then(|| String::from_utf8(state.to_owned()).ok()).flatten()
    }
}

/// Big-endian, so that later is greater.
fn seconds(time: SystemTime) -> [u8; TIME_BYTES] {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_for_its_request_and_its_time() {
        let states = RequestStates::new(&[1; 32]);
        let about = ["tools/call", "delete", r#"{"id": 1}"#];
        let now = SystemTime::now();
        let sealed = states.bind(None, about).seal("half done", now);
        assert_eq!(
            states.bind(None, about).open(&sealed, now).as_deref(),
            Some("half done")
        );
        let later = now + Duration::from_secs(1);
        assert_eq!(states.bind(None, about).open(&sealed, later), None);
        // Another caller, though the log calls both the same.
        let mut one = [7; 32];
        let of_one = states.bind(Some(IdentityHash(one)), about).seal("half done", now);
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
