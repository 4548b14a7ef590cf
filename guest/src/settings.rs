//! The guest's settings, none of them secret.

pub struct Settings {
    /// `https://acme.daktela.com`, without a trailing slash.
    pub origin: String,
    /// The most that a caller may ask for with `max_bytes`.
    pub max_answer_bytes: usize,
}

impl Settings {
    /// Reads the settings from the variables that `wit/world.wit` names.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let origin = var("DAKTELA_URL")
            .ok_or("DAKTELA_URL is not set: give the origin of your Daktela, e.g. https://acme.daktela.com")?;
        let max_answer_bytes = match var("DAKTELA_MAX_ANSWER_BYTES") {
            None => 1_000_000,
            Some(text) => text
                .parse()
                .map_err(|_| format!("DAKTELA_MAX_ANSWER_BYTES is {text:?}; expected a number of bytes"))?,
        };
        Ok(Settings {
            origin: origin.trim_end_matches('/').to_owned(),
            max_answer_bytes,
        })
    }
}
