//! Context of a tool call: the API client, the settings, and what hides identities.

use super::{output::Output, param::Param};
use crate::{
    daktela::{client::Client, error::Error, observations::Title},
    settings::{ScanLimits, Settings},
};

/// What a call works with.
pub struct Context<'a> {
    pub client: Client<'a>,
    pub settings: &'a Settings,
    /// Hides identities, where a privacy level is set.
    pub deidentify: Option<&'a dyn Deidentify>,
}

/// Hides identities in what leaves a call, and leads what stands for them back in what comes in. It is declared here and
/// implemented above, so that the interpreter need not know how.
pub trait Deidentify {
    /// The endpoints whose records' titles are identities.
    fn endpoints(&self) -> &'static [&'static str];

    /// The JSON text of arguments with what their pseudonyms stand for.
    fn arguments(
        &self,
        client: &Client,
        limits: &ScanLimits,
        params: &[Param],
        arguments: &str,
    ) -> Result<String, Error>;

    /// Replaces all identities of an answer. `titles` are those of the records that were read for it.
    fn output(&self, output: &mut Output, titles: &[Title]);

    /// The same of an error.
    fn error(&self, error: Error, titles: &[Title]) -> Error;
}

impl Context<'_> {
    /// An output of which a part becomes text before the call ends, without its identities.
    pub fn deidentified(&self, mut output: Output) -> Output {
        if let Some(deidentify) = self.deidentify {
            deidentify.output(&mut output, &self.client.titles());
        }
        output
    }
}
