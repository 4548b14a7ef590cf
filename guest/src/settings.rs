//! The guest's settings, none of them secret.

/// What the variables that `wit/world.wit` names say.
pub struct Settings {
    /// `https://acme.daktela.com`, without a trailing slash; empty where `DAKTELA_URL` is not set, as lists need none.
    pub origin: String,
    /// The most that a caller may ask for with `max_bytes`.
    pub max_answer_bytes: usize,
    /// What one call reads at most where it computes over all records that match.
    pub scan: ScanLimits,
}

/// How far a scan goes that computes over all records that match. What lies beyond is said in the answer.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    pub rows: u64,
    pub requests: u64,
    pub bytes: u64,
    pub seconds: u64,
}

impl Default for ScanLimits {
    fn default() -> Self {
        ScanLimits {
            // Ten busy months of calls.
            rows: 100_000,
            // That many rows in pages of a thousand, and as much again for what a comparison reads.
            requests: 200,
            // A projected row has some 200 bytes. Below what our host lets through for one call, which is 64 MB.
            bytes: 48_000_000,
            // Below the 30 seconds that our host gives to a call, so that the answer says what it covers.
            seconds: 20,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            origin: String::new(),
            max_answer_bytes: 1_000_000,
            scan: ScanLimits::default(),
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
        let number = |name: &str, default: u64, unit: &str| match var(name) {
            Some(given) => given
                .parse::<u64>()
                .map_err(|_| format!("{name} is {given:?}; expected a number of {unit}")),
            None => Ok(default),
        };
        let bytes = number("DAKTELA_MAX_ANSWER_BYTES", settings.max_answer_bytes as u64, "bytes")?;
        settings.max_answer_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let default = settings.scan;
        settings.scan = ScanLimits {
            rows: number("DAKTELA_MAX_SCAN_ROWS", default.rows, "records")?,
            requests: number("DAKTELA_MAX_SCAN_REQUESTS", default.requests, "requests")?,
            bytes: number("DAKTELA_MAX_SCAN_BYTES", default.bytes, "bytes")?,
            seconds: number("DAKTELA_MAX_SCAN_SECONDS", default.seconds, "seconds")?,
        };
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
