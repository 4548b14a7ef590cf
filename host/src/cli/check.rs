//! `mcp-daktela check`: logs in and prints instance, user, version and time zone.

use http::StatusCode;
use serde_json::Value;

use super::{ExitError, print, smoke_test};
use crate::{
    egress::{Egress, EgressError, WHO_AM_I},
    host::Host,
};

pub(super) async fn run(host: &Host, tools: bool) -> Result<(), ExitError> {
    if let Some(egress) = host.egress() {
        print::out(&logged_in_user(host, egress).await.map_err(ExitError::failed)?);
    }
    if tools { smoke_test::run(host).await } else { Ok(()) }
}

async fn logged_in_user(host: &Host, egress: &Egress) -> Result<String, String> {
    let origin = egress.origin();
    let answer = egress
        .get(&host.new_call(), WHO_AM_I)
        .await
        .map_err(|failure| match failure {
            EgressError::UserActionable(text) => text,
            other => format!("{origin} gives no answer: {other}"),
        })?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Err(format!("{origin} refuses the credential. {NEW_TOKEN}")),
        status => {
            return Err(format!(
                "{origin} answers with HTTP {}: is it a Daktela? Check DAKTELA_URL; an instance below a path is not supported.",
                status.as_u16()
            ));
        }
    }
    let whole: Value = serde_json::from_slice(answer.body())
        .map_err(|_| format!("{origin} does not answer as a Daktela does. Check DAKTELA_URL."))?;
    describe(&origin.to_string(), &whole).ok_or_else(|| format!("{origin} does not know the credential. {NEW_TOKEN}"))
}

const NEW_TOKEN: &str = "Copy the API token anew from the user's detail in Daktela's list of users (who does not see that list asks an administrator), or \
                         check the password.";

/// `None` where Daktela answers as if nobody were logged in.
fn describe(origin: &str, whole: &Value) -> Option<String> {
    let result = whole.get("result")?;
    let user = result.get("user").filter(|user| user.is_object())?;
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "(not said)".to_owned(),
    };
    let rows = [
        ("Instance", origin.to_owned()),
        (
            "User",
            format!("{} ({})", text(user.get("title")), text(user.get("name"))),
        ),
        ("API version", text(version(result))),
        ("Time zone", text(whole.get("_timezone"))),
        (
            "Server time",
            text(whole.get("_serverTime").or_else(|| whole.get("_time"))),
        ),
    ];
    Some(
        rows.iter()
            .map(|(name, value)| format!("{name:<12}  {value}"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// The build: `{"current": "6.29.1", …}` in 2026, a text or a number before.
fn version(result: &Value) -> Option<&Value> {
    let version = result.get("version")?;
    version.get("current").or(Some(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_user_the_version_and_the_clock_are_said() {
        let whole = json!({
            "result": {"user": {"name": "jan.novak", "title": "Jan Novák"}, "version": "2026.2"},
            "_serverTime": "2026-11-22 10:00:00", "_timezone": "Europe/Prague"
        });
        assert_eq!(
            describe("https://acme.daktela.com", &whole).unwrap(),
            "Instance      https://acme.daktela.com\nUser          Jan Novák (jan.novak)\nAPI version   2026.2\n\
             Time zone     Europe/Prague\nServer time   2026-11-22 10:00:00"
        );
    }

    #[test]
    fn the_version_may_be_an_object() {
        let whole = json!({"result": {"user": {"name": "a", "title": "A"}, "version": {"current": "6.29.1", "latest": "6.30.0"}}});
        let said = describe("https://acme.daktela.com", &whole).unwrap();
        assert!(said.contains("API version   6.29.1\n"), "{said}");
    }

    #[test]
    fn an_answer_without_a_user_is_an_answer_to_a_stranger() {
        assert_eq!(
            describe("x", &json!({"result": {"user": null, "version": "2026.2"}})),
            None
        );
    }
}
