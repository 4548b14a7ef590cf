//! Documents that only this server can read or write: client ids, logins under way, codes, tokens.
//!
//! Nothing is stored. Whoever holds one holds everything that we need to know, sealed; any replica with the same secret
//! can open it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    aead::{self, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

/// As long as the keys that are made of it.
const SECRET_BYTES_MIN: usize = 32;

/// 32 random bytes as text have some twenty. `aaaa…` has one.
const DIFFERENT_BYTES_MIN: usize = 10;

const SALT_BYTES: usize = 32;

/// Longer texts are none of ours: the longest, a client of many addresses and a pair of tokens, are a third of it.
const SEALED_BYTES_MAX: usize = 16 * 1024;

/// What a document is; one never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Login,
    Code,
    Access,
    Refresh,
    /// What a refresh token was answered with, for the other replicas.
    Answer,
}

impl Kind {
    /// In front of the text, so that people and scanners for lost secrets know what they see.
    fn prefix(self) -> &'static str {
        match self {
            Self::Client => "mdclient_",
            Self::Login => "mdlogin_",
            Self::Code => "mdcode_",
            Self::Access => "mdaccess_",
            Self::Refresh => "mdrefresh_",
            Self::Answer => "mdanswer_",
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    #[error("a secret has at least 32 bytes, this one {0}. Make one with: openssl rand -base64 32")]
    Short(usize),
    #[error("a secret is random, and this one is not. Make one with: openssl rand -base64 32")]
    Guessable,
    #[error("there is no secret in it")]
    None,
}

/// Seals with its first secret, and opens with any of them.
pub struct Sealer {
    secrets: Vec<SecretString>,
    random: SystemRandom,
}

impl Sealer {
    /// Several secrets with commas: a new one goes to the front, an old one leaves when its last token is over.
    pub fn new(list: &SecretString) -> Result<Self, WeakSecret> {
        let secrets: Vec<SecretString> = list
            .expose_secret()
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(SecretString::from)
            .collect();
        for secret in &secrets {
            let bytes = secret.expose_secret().as_bytes();
            if bytes.len() < SECRET_BYTES_MIN {
                return Err(WeakSecret::Short(bytes.len()));
            }
            let mut different = bytes.to_vec();
            different.sort_unstable();
            different.dedup();
            if different.len() < DIFFERENT_BYTES_MIN {
                return Err(WeakSecret::Guessable);
            }
        }
        if secrets.is_empty() {
            return Err(WeakSecret::None);
        }
        Ok(Self {
            secrets,
            random: SystemRandom::new(),
        })
    }

    /// The same for all replicas, for names of identities.
    pub fn identity_key(&self) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secrets[0].expose_secret().as_bytes());
        let mut derived = [0; 32];
        derived.copy_from_slice(hmac::sign(&key, b"mcp-daktela identities").as_ref());
        derived
    }

    /// Unguessable; `None` where the system has no random numbers to give.
    pub(super) fn random<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).ok().map(|()| bytes)
    }

    pub(super) fn seal<T: Serialize>(&self, kind: Kind, document: &T) -> Option<String> {
        let salt: [u8; SALT_BYTES] = self.random()?;
        let mut text = serde_json::to_vec(document).ok()?;
        key(&self.secrets[0], &salt, kind)?
            .seal_in_place_append_tag(only_nonce(), Aad::from(kind.prefix()), &mut text)
            .ok()?;
        Some(format!(
            "{}{}",
            kind.prefix(),
            BASE64.encode([&salt[..], &text].concat())
        ))
    }

    /// `None` for whatever we did not seal as this kind, with a secret that still counts.
    pub(super) fn open<T: DeserializeOwned>(&self, kind: Kind, sealed: &str) -> Option<T> {
        let text = sealed
            .strip_prefix(kind.prefix())
            .filter(|text| text.len() <= SEALED_BYTES_MAX)?;
        let bytes = BASE64.decode(text).ok()?;
        let (salt, sealed) = bytes.split_at_checked(SALT_BYTES)?;
        self.secrets.iter().find_map(|secret| {
            let mut sealed = sealed.to_vec();
            let text = key(secret, salt, kind)?
                .open_in_place(only_nonce(), Aad::from(kind.prefix()), &mut sealed)
                .ok()?;
            serde_json::from_slice(text).ok()
        })
    }
}

/// A key for one document: its salt is random and long enough never to come twice, on however many replicas.
fn key(secret: &SecretString, salt: &[u8], kind: Kind) -> Option<LessSafeKey> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret.expose_secret().as_bytes());
    let info = [b"mcp-daktela 1 ".as_slice(), kind.prefix().as_bytes()];
    let key: UnboundKey = derived.expand(&info, &CHACHA20_POLY1305).ok()?.into();
    Some(LessSafeKey::new(key))
}

/// Each key seals one text only, so that the nonce need not differ.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "tOq0dJYc3bq1vXn2mT9yPzR4sWk7uLhE";
    const NEW: &str = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cD";

    fn sealer(list: &str) -> Sealer {
        Sealer::new(&list.to_owned().into()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_sealed_is_opened_as_what_it_is_and_as_nothing_else() {
        let sealer = sealer(NEW);
        let sealed = sealer.seal(Kind::Refresh, &"password").unwrap();
        assert_eq!(
            sealer.open::<String>(Kind::Refresh, &sealed).as_deref(),
            Some("password")
        );
        let renamed = sealed.replace("mdrefresh_", "mdaccess_");
        assert_eq!(sealer.open::<String>(Kind::Access, &sealed), None);
        assert_eq!(sealer.open::<String>(Kind::Access, &renamed), None);
        assert_ne!(sealed, sealer.seal(Kind::Refresh, &"password").unwrap());
    }

    #[test]
    fn no_bit_can_be_changed() {
        let sealer = sealer(NEW);
        let sealed = sealer.seal(Kind::Code, &"x").unwrap();
        let start = Kind::Code.prefix().len();
        for at in start..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(sealer.open::<String>(Kind::Code, &changed), None, "{at}");
        }
        for cut in ["", "mdcode_", &sealed[..start + 20], &sealed[..sealed.len() - 1]] {
            assert_eq!(sealer.open::<String>(Kind::Code, cut), None);
        }
    }

    #[test]
    fn secrets_rotate() {
        let sealed = sealer(OLD).seal(Kind::Client, &1).unwrap();
        assert_eq!(
            sealer(&format!("{NEW}, {OLD}")).open::<u8>(Kind::Client, &sealed),
            Some(1)
        );
        assert_eq!(sealer(NEW).open::<u8>(Kind::Client, &sealed), None);
    }

    #[test]
    fn weak_secrets_are_refused() {
        let refused = |list: &str| Sealer::new(&list.to_owned().into()).err();
        assert_eq!(refused("short"), Some(WeakSecret::Short(5)));
        assert_eq!(refused(&format!("{NEW},short")), Some(WeakSecret::Short(5)));
        assert_eq!(refused(&"a".repeat(64)), Some(WeakSecret::Guessable));
        assert_eq!(refused(" , "), Some(WeakSecret::None));
    }
}
