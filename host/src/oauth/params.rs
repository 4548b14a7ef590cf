//! Parameters of a query or a form: at most one of each.

use url::form_urlencoded;

/// A token may be for several servers (RFC 8707).
const SEVERAL: &str = "resource";

pub(super) struct Params(Vec<(String, String)>);

/// Two of a kind could be read differently by client, proxy and server.
pub(super) struct Twice(pub(super) String);

impl Params {
    pub(super) fn read(text: &[u8]) -> Result<Self, Twice> {
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text).into_owned() {
            if name != SEVERAL && found.iter().any(|(known, _)| *known == name) {
                return Err(Twice(name));
            }
            found.push((name, value));
        }
        // OAuth reads what is empty as absent.
        Ok(Self(found.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}
