//! De-identification of answers: masks or keyed pseudonyms in place of identities, on the typed result before it is rendered, so that
//! text and structure are covered by one pass.

mod arguments;
mod kind;
mod lists;
mod numbers;
mod pseudonym;
mod shield;
mod slots;
mod stem;
mod words;

pub use self::{
    kind::Kind,
    shield::{Shield, run},
};
