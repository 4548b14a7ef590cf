//! The account behind the credential, for a host that keeps it: login, role, zone, and the part of its role map that tools are
//! compared with.

use serde_json::{Map, Value, json};

use crate::{
    daktela::{
        client::Client,
        error::Error,
        query::{Filter, Query},
    },
    value,
};

/// What of a role map is kept.
type RoleFilter = fn(&Map<String, Value>) -> Map<String, Value>;

/// Of the user's own record.
const FIELDS: &[&str] = &["name", "role.title", "role.options"];

/// `{"user": login, "zone": name, "role": title, "rights": {key: mask}}`, what is not known absent. `relevant` leaves of a role map
/// what is kept; without it no role is read.
///
/// # Errors
///
/// That of the read of `whoim`, or `Forbidden` for a credential that Daktela knows no user by.
pub(crate) fn account(client: &Client, relevant: Option<RoleFilter>) -> Result<Value, Error> {
    let whoim = client.read_single("whoim")?;
    let login = whoim.get("user").and_then(|user| value::text_at(user, "name"));
    let login = login.ok_or_else(|| Error::Forbidden("Daktela knows no user by this credential.".to_owned()))?;
    let mut out = json!({"user": login});
    if let Some(zone) = client.zone() {
        out["zone"] = zone.into();
    }
    let Some(relevant) = relevant else { return Ok(out) };
    let own = Query::new("users", 1)
        .fields(FIELDS)
        .filter(Filter::eq("name", login.as_str()));
    // Who may not read users may still have a role in `whoim`.
    let row = client
        .read_page(&own)
        .ok()
        .and_then(|page| page.rows.into_iter().next());
    let at = |path: &str| {
        let own = row.as_ref().and_then(|row| value::first(row, path));
        own.or_else(|| whoim.get("user").and_then(|user| value::first(user, path)))
    };
    if let Some(title) = at("role.title").and_then(value::text) {
        out["role"] = crate::text::line(&title).into();
    }
    if let Some(Value::Object(options)) = at("role.options") {
        out["rights"] = Value::Object(relevant(options));
    }
    Ok(out)
}
