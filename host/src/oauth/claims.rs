//! Claims of the sealed tokens, and how long each of them lives. Each has an expiry, but for a client's registration.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// Time to look up the password.
pub(super) const LOGIN_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A client exchanges its code at once.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// A refresh token that nobody uses.
pub(super) const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// All tokens that come of one login, however often they are refreshed.
pub(super) const FAMILY_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// A client that registered itself: the token is its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClientClaims {
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "r")]
    pub(super) redirect_uris: Vec<String>,
}

/// A login under way: what the client asked for, checked. It travels in the page's form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoginClaims {
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// PKCE.
    pub(super) challenge: String,
    /// CSRF token: the same as in the browser's cookie, so that the form is of use in no other browser.
    pub(super) browser: String,
    pub(super) expires: u64,
}

/// An authorization code: goes to the client by way of the browser's address bar, and serves once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CodeClaims {
    /// Also the id of the family of tokens that it begins.
    pub(super) id: String,
    /// Fingerprint of the client's id.
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) audience: String,
    pub(super) origin: String,
    pub(super) username: String,
    pub(super) grant: UpstreamGrant,
    pub(super) expires: u64,
}

/// A token of Daktela's, and with what the next is had.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UpstreamGrant {
    #[serde(rename = "t", serialize_with = "expose")]
    pub(super) token: SecretString,
    #[serde(rename = "e")]
    pub(super) expires: u64,
    #[serde(rename = "k")]
    pub(super) renewal: UpstreamRenewal,
}

/// With what a new token of Daktela's is had when the old one has expired.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum UpstreamRenewal {
    #[serde(rename = "r", serialize_with = "expose")]
    Refresh(SecretString),
    /// For builds of Daktela that give out no refresh tokens.
    #[serde(rename = "p", serialize_with = "expose")]
    Password(SecretString),
    /// An API token, which is good until somebody revokes it.
    #[serde(rename = "t", serialize_with = "expose")]
    Token(SecretString),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessClaims {
    #[serde(rename = "o")]
    pub(super) origin: String,
    #[serde(rename = "t", serialize_with = "expose")]
    pub(super) token: SecretString,
    #[serde(rename = "a")]
    pub(super) audience: String,
    #[serde(rename = "f")]
    pub(super) family: String,
    #[serde(rename = "e")]
    pub(super) expires: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RefreshClaims {
    pub(super) family: String,
    /// Counts the refreshes of the family: an older token than the newest was used before.
    pub(super) generation: u64,
    pub(super) client: String,
    pub(super) audience: String,
    pub(super) origin: String,
    pub(super) username: String,
    pub(super) renewal: UpstreamRenewal,
    /// When the login ends, however often it is refreshed.
    pub(super) family_expires: u64,
    pub(super) expires: u64,
}

/// A claim goes into a token, which is sealed.
fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_do_not_print_their_secrets() {
        let secret = || SecretString::from("hunter2");
        let renewals = [
            UpstreamRenewal::Refresh(secret()),
            UpstreamRenewal::Password(secret()),
            UpstreamRenewal::Token(secret()),
        ];
        let access = AccessClaims {
            origin: "https://acme.daktela.com".to_owned(),
            token: secret(),
            audience: String::new(),
            family: String::new(),
            expires: 0,
        };
        let grant = UpstreamGrant {
            token: secret(),
            expires: 0,
            renewal: renewals[0].clone(),
        };
        let printed = format!("{renewals:?} {access:?} {grant:?}");
        assert!(printed.contains("acme") && !printed.contains("hunter2"), "{printed}");
        // Sealed, they are whole.
        let text = serde_json::to_string(&access).unwrap();
        let read: AccessClaims = serde_json::from_str(&text).unwrap();
        assert_eq!(read.token.expose_secret(), "hunter2");
    }
}
