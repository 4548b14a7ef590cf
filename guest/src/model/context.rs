//! Context of a tool call: the API client and the settings.

use crate::{daktela::client::Client, settings::Settings};

/// What a call works with.
pub struct Context<'a> {
    pub client: Client<'a>,
    pub settings: &'a Settings,
}
