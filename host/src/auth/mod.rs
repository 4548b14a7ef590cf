//! Callers of the HTTP server: their credentials, the instances they may name, their identities, and sealed tokens.

mod allowed_domains;
mod headers;
mod identity;
pub(crate) mod login_guard;
pub(crate) mod sealed_token;

pub use allowed_domains::{AllowedDomains, DomainError, InvalidDomain};
pub use headers::{CredentialError, Credentials, read_credentials};
pub use identity::{Caller, Identities, Identity, IdentityHash};
pub use sealed_token::{Sealer, WeakSecret};
