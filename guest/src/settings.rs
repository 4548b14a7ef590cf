//! The guest's settings, none of them secret.

/// What the variables that `wit/world.wit` names say.
pub struct Settings {
    /// `https://acme.daktela.com`, without a trailing slash; empty where `DAKTELA_URL` is not set, as lists need none.
    pub origin: String,
    /// The most that a caller may ask for with `max_bytes`.
    pub max_answer_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            origin: String::new(),
            max_answer_bytes: 1_000_000,
        }
    }
}

impl Settings {
    /// Reads the settings. Fails where one is malformed, and says what was expected.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut settings = Settings::default();
        if let Some(origin) = var("DAKTELA_URL") {
            settings.origin = origin.trim_end_matches('/').to_owned();
        }
        if let Some(bytes) = var("DAKTELA_MAX_ANSWER_BYTES") {
            settings.max_answer_bytes = bytes
                .parse()
                .map_err(|_| format!("DAKTELA_MAX_ANSWER_BYTES is {bytes:?}; expected a number of bytes"))?;
        }
        Ok(settings)
    }

    /// The origin of the instance, which calls need, or what to set.
    pub fn instance(&self) -> Result<&str, String> {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        if authority.contains('/') {
            Err(format!(
                "DAKTELA_URL is {:?}; expected the origin alone, e.g. https://acme.daktela.com. An instance below a path is not supported.",
                self.origin
            ))
        } else if self.origin.is_empty() {
            Err("DAKTELA_URL is not set: give the origin of your Daktela, e.g. https://acme.daktela.com".to_owned())
        } else {
            Ok(&self.origin)
        }
    }
}
