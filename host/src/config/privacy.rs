//! Settings of the privacy level: the floor that requests can only raise, and the key of pseudonyms.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, filled, read_secret_setting};

/// The variable that holds the key, and what a file of it is named by.
const KEY: &str = "DAKTELA_PRIVACY_KEY";
/// As the component wants it.
const KEY_MIN: usize = 16;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Privacy")]
pub struct PrivacyOptions {
    /// What answers show of people: everything; masks such as [name]; or pseudonyms such as Person-7F3A2C9K, which tell people apart
    /// and can be named in further calls. A request may hide more (header X-Daktela-Privacy), never less
    #[arg(
        long,
        global = true,
        env = "DAKTELA_PRIVACY",
        value_name = "LEVEL",
        default_value = "off",
        ignore_case = true,
        help_heading = "Privacy"
    )]
    pub privacy: Level,

    /// Hide agents, too: names, logins, e-mail addresses
    #[arg(long, global = true, env = "DAKTELA_PRIVACY_AGENTS", help_heading = "Privacy")]
    pub privacy_agents: bool,

    /// File with the secret that pseudonyms are made with, at least 16 random characters. Or give it in DAKTELA_PRIVACY_KEY. Without
    /// it they hold until the program ends
    #[arg(
        long,
        global = true,
        env = "DAKTELA_PRIVACY_KEY_FILE",
        value_name = "FILE",
        help_heading = "Privacy"
    )]
    pub privacy_key_file: Option<PathBuf>,
}

/// A level, from the least to the most that is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    Off,
    Pseudonym,
    Mask,
}

impl PrivacyOptions {
    /// The settings of the component: environment variables with their values. `random` makes a key for this process.
    ///
    /// Fails where the key is given twice, cannot be read, or is too short.
    pub fn settings(
        &self,
        variable: impl Fn(&str) -> Option<String>,
        random: impl FnOnce() -> Option<String>,
    ) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let key: Option<SecretString> = read_secret_setting(KEY, filled(variable(KEY)), &self.privacy_key_file)?;
        let key = match key {
            Some(key) if key.expose_secret().len() < KEY_MIN => return Err(ConfigError::ShortPrivacyKey(KEY_MIN)),
            Some(key) => key.expose_secret().to_owned(),
            // A request may ask for pseudonyms where the operator asks for none.
            None => random().ok_or(ConfigError::NoRandomNumbers)?,
        };
        let level = match self.privacy {
            Level::Off => "off",
            Level::Pseudonym => "pseudonym",
            Level::Mask => "mask",
        };
        Ok(vec![
            ("DAKTELA_PRIVACY", level.to_owned()),
            ("DAKTELA_PRIVACY_AGENTS", self.privacy_agents.to_string()),
            (KEY, key),
        ])
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        privacy: PrivacyOptions,
    }

    fn settings(arguments: &[&str], key: Option<&str>) -> Result<Vec<String>, ConfigError> {
        let cli = Cli::try_parse_from(["x"].iter().chain(arguments)).expect("flags");
        let settings = cli
            .privacy
            .settings(|_| key.map(str::to_owned), || Some("random".to_owned()))?;
        Ok(settings
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect())
    }

    #[test]
    fn the_key_is_the_operator_s_or_a_random_one() {
        let plain = settings(&[], None).expect("right");
        assert_eq!(
            plain,
            [
                "DAKTELA_PRIVACY=off",
                "DAKTELA_PRIVACY_AGENTS=false",
                "DAKTELA_PRIVACY_KEY=random"
            ]
        );
        let own = settings(&["--privacy", "Mask", "--privacy-agents"], Some("0123456789abcdef")).expect("right");
        assert_eq!(
            own,
            [
                "DAKTELA_PRIVACY=mask",
                "DAKTELA_PRIVACY_AGENTS=true",
                "DAKTELA_PRIVACY_KEY=0123456789abcdef"
            ]
        );
    }

    #[test]
    fn a_short_key_is_refused_and_not_repeated() {
        let error = settings(&[], Some("secret")).expect_err("short").to_string();
        assert!(error.contains("16") && !error.contains("secret\""), "{error}");
    }

    #[test]
    fn an_unknown_level_is_refused() {
        assert!(Cli::try_parse_from(["x", "--privacy", "none"]).is_err());
    }
}
