//! What all HTTP endpoints share: base URL, client address, bodies, parameters and errors.

pub(crate) mod authority;
pub(crate) mod base_url;
pub(crate) mod body;
pub(crate) mod body_guard;
pub(crate) mod client_ip;
pub(crate) mod error;
pub(crate) mod params;
