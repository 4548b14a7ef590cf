//! Daktela's API: channels, client, compatibility fallbacks, hints, queries, envelopes, normalization of records, observations, errors, and the network as a trait.

pub mod channels;
pub mod client;
mod compat;
pub mod envelope;
pub mod error;
pub mod hints;
pub mod http;
pub mod lenient_json;
pub mod normalize;
pub mod observations;
pub mod query;
mod reads;
mod verify;
