//! Credentials of Daktela, and how a token goes into a request.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::EgressError;

/// Prints without its secret.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API token. Good until somebody revokes it.
    Token(SecretString),
    /// A user name and a password, for which Daktela gives tokens that expire.
    Login { username: String, password: SecretString },
}

/// The value of `X-AUTH-TOKEN`.
pub(crate) fn header(token: &SecretString) -> Result<HeaderValue, EgressError> {
    let mut value = HeaderValue::from_str(token.expose_secret())
        .map_err(|_| EgressError::UserActionable("The access token holds characters that no token has.".to_owned()))?;
    // Keeps it out of Debug, and out of what HTTP/2 compression shares between requests.
    value.set_sensitive(true);
    Ok(value)
}
