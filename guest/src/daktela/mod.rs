//! Daktela's API: client, queries, envelopes, normalization of records, errors, and the network as a trait.

pub mod client;
pub mod envelope;
pub mod error;
pub mod http;
pub mod normalize;
pub mod query;
