//! Where requests to Daktela may go, and what they carry.

pub(crate) mod dns_rebinding;
mod secrets;
pub(crate) mod tls;
