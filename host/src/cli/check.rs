//! `mcp-daktela check`: logs in and prints instance, user, version and time zone; with `--tools` also how each tool answers,
//! and with `--report` a file of that, without a word of a customer's.

use std::{fs, path::Path};

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{
    ExitError, print,
    smoke_test::{self, Findings, Name},
};
use crate::{
    egress::{Egress, EgressError, WHO_AM_I},
    host::Host,
};

/// The form of the report; moves on when a key changes its meaning.
const REPORT_FORMAT: u32 = 1;

/// What a user can send to this project: names, numbers, and who made it.
#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    program: &'static str,
    /// The build of Daktela.
    api_version: Option<Name>,
    time_zone: Option<Name>,
    #[serde(flatten)]
    findings: &'a Findings,
}

/// Prints what it finds; `report` is the file for the findings about tools.
pub(super) async fn run(host: &Host, tools: bool, report: Option<&Path>) -> Result<(), ExitError> {
    let mut instance = None;
    if let Some(egress) = host.egress() {
        let whole = logged_in_user(host, egress).await.map_err(ExitError::failed)?;
        let origin = egress.origin();
        let described = describe(&origin.to_string(), &whole)
            .ok_or_else(|| ExitError::failed(format!("{origin} does not know the credential. {NEW_TOKEN}")))?;
        print::out(&described);
        instance = Some(whole);
    }
    if !tools && report.is_none() {
        return Ok(());
    }
    let findings = smoke_test::run(host).await?;
    if let Some(path) = report {
        let name = |text: Option<String>| text.map(Name::from);
        let instance = instance.as_ref();
        let report = Report {
            format: REPORT_FORMAT,
            program: env!("CARGO_PKG_VERSION"),
            api_version: name(instance.and_then(|whole| version(&whole["result"]["version"]))),
            time_zone: name(instance.and_then(|whole| whole["_timezone"].as_str().map(str::to_owned))),
            findings: &findings,
        };
        let text = serde_json::to_string_pretty(&report).map_err(ExitError::failed)? + "\n";
        fs::write(path, text).map_err(|error| ExitError::failed(format!("{}: {error}", path.display())))?;
        print::out(&format!(
            "The report is in {}: wire names and numbers, nothing of your records. docs/check.md says how to read it.",
            path.display()
        ));
    }
    findings.verdict()
}

/// The build: `{"current": "6.29.1", …}` in 2026, a text or a number before.
fn version(version: &Value) -> Option<String> {
    match version {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("current").and_then(self::version),
        _ => None,
    }
}

async fn logged_in_user(host: &Host, egress: &Egress) -> Result<Value, String> {
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
    serde_json::from_slice(answer.body())
        .map_err(|_| format!("{origin} does not answer as a Daktela does. Check DAKTELA_URL."))
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
        (
            "API version",
            result.get("version").and_then(version).unwrap_or_else(|| text(None)),
        ),
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
    fn a_version_is_said_in_every_shape() {
        for (given, said) in [
            (json!("6.29.1"), Some("6.29.1")),
            (json!(6), Some("6")),
            (json!({"current": "6.29.1", "latest": "6.30.0"}), Some("6.29.1")),
            (json!({}), None),
            (json!(null), None),
        ] {
            assert_eq!(version(&given).as_deref(), said, "{given}");
        }
    }

    #[test]
    fn an_answer_without_a_user_is_an_answer_to_a_stranger() {
        assert_eq!(
            describe("x", &json!({"result": {"user": null, "version": "2026.2"}})),
            None
        );
    }
}
