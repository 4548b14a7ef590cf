//! Token encryption (sealed tokens, stateless): client ids, logins under way, codes, access and refresh tokens, request
//! states.
//!
//! Nothing is stored. A token holds all that it stands for, encrypted and authenticated, and any replica with the same secret
//! opens it: `prefix ‖ base64url(salt[32] ‖ ciphertext ‖ tag[16])`. Each token has a key of its own, by HKDF-SHA256 from the secret
//! and the random salt, for ChaCha20-Poly1305; as a key encrypts one text only, its nonce is constant. The kind of a token, and
//! what it is bound to, are associated data, so that no token passes for another. The text is padded, so that its length does
//! not tell how long a password in it is.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD as BASE64},
};
use ring::{
    aead::{self, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Serialize, de::DeserializeOwned};

/// As long as the keys that are made of it.
const SECRET_BYTES_MIN: usize = 32;

/// 32 random bytes as text have some twenty. `aaaa…` has one.
const DIFFERENT_BYTES_MIN: usize = 10;

/// Of 43 random characters of base64, some thirty differ.
const DIFFERENT_BASE64_MIN: usize = 20;

const SALT_BYTES: usize = 32;

/// Texts are padded to a multiple of it.
const PADDING_BYTES: usize = 64;

/// Longer texts are none of ours: the longest, a client of many addresses and a pair of tokens, are a third of it. What a
/// component wants back is bounded by the request that brings it.
const SEALED_BYTES_MAX: usize = 16 * 1024;

/// What a token is; one never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Client,
    Login,
    Code,
    Access,
    Refresh,
    /// What a refresh token was answered with, for the other replicas.
    RefreshAnswer,
    /// What a component wants back with the reply to its question.
    RequestState,
}

impl TokenKind {
    /// In front of the text, so that people and scanners for leaked secrets know what they see.
    fn prefix(self) -> &'static str {
        match self {
            Self::Client => "mdclient_",
            Self::Login => "mdlogin_",
            Self::Code => "mdcode_",
            Self::Access => "mdaccess_",
            Self::Refresh => "mdrefresh_",
            Self::RefreshAnswer => "mdanswer_",
            Self::RequestState => "mdstate_",
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
    secrets: Vec<SecretSlice<u8>>,
    stretched: bool,
    random: SystemRandom,
}

impl Sealer {
    /// Several secrets with commas: a new one goes to the front, an old one leaves when its last token has expired.
    ///
    /// A secret that is not 32 random bytes as base64 or hex may be a phrase, at which anybody who holds a token can guess
    /// offline. It is stretched, so that each guess takes long (Argon2id).
    pub fn new(list: &SecretString) -> Result<Self, WeakSecret> {
        let texts = list.expose_secret().split(',').map(str::trim);
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        for text in &texts {
            if text.len() < SECRET_BYTES_MIN {
                return Err(WeakSecret::Short(text.len()));
            }
            if different_bytes(text) < DIFFERENT_BYTES_MIN {
                return Err(WeakSecret::Guessable);
            }
        }
        if texts.is_empty() {
            return Err(WeakSecret::None);
        }
        let key = |text: &&str| {
            if is_random(text) {
                Ok(text.as_bytes().to_vec().into())
            } else {
                stretch(text).ok_or(WeakSecret::Guessable)
            }
        };
        Ok(Self {
            secrets: texts.iter().map(key).collect::<Result<_, _>>()?,
            stretched: !texts.iter().all(|text| is_random(text)),
            random: SystemRandom::new(),
        })
    }

    /// With one random key, e.g. for as long as the program runs.
    pub fn with_key(key: &[u8; 32]) -> Self {
        Self {
            secrets: vec![key.to_vec().into()],
            stretched: false,
            random: SystemRandom::new(),
        }
    }

    /// Whether one of the secrets may be a phrase.
    pub(crate) fn is_stretched(&self) -> bool {
        self.stretched
    }

    /// The same for all replicas, for names of identities.
    pub fn identity_key(&self) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secrets[0].expose_secret());
        let mut derived = [0; 32];
        derived.copy_from_slice(hmac::sign(&key, b"mcp-daktela identities").as_ref());
        derived
    }

    /// Unguessable; `None` where the system has no random numbers to give.
    pub(crate) fn random<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).ok().map(|()| bytes)
    }

    /// `None` where the system has no random numbers to give.
    pub(crate) fn seal<T: Serialize>(&self, kind: TokenKind, claims: &T) -> Option<String> {
        self.seal_bound(kind, &[], claims)
    }

    /// `None` for whatever was not sealed here as this kind, with a secret that still counts. Expiry is the claims' own.
    pub(crate) fn open<T: DeserializeOwned>(&self, kind: TokenKind, sealed: &str) -> Option<T> {
        self.open_bound(kind, &[], sealed)
    }

    /// A token that opens only where the same `context` is given, e.g. the caller and the request that it belongs to.
    pub(crate) fn seal_bound<T: Serialize>(&self, kind: TokenKind, context: &[u8], claims: &T) -> Option<String> {
        let salt: [u8; SALT_BYTES] = self.random()?;
        let mut text = serde_json::to_vec(claims).ok()?;
        // JSON may end in blanks.
        text.resize(text.len().next_multiple_of(PADDING_BYTES), b' ');
        key(&self.secrets[0], &salt, kind)?
            .seal_in_place_append_tag(only_nonce(), associated_data(kind, context), &mut text)
            .ok()?;
        Some(format!(
            "{}{}",
            kind.prefix(),
            BASE64.encode([&salt[..], &text].concat())
        ))
    }

    pub(crate) fn open_bound<T: DeserializeOwned>(&self, kind: TokenKind, context: &[u8], sealed: &str) -> Option<T> {
        let text = sealed
            .strip_prefix(kind.prefix())
            .filter(|text| text.len() <= SEALED_BYTES_MAX || kind == TokenKind::RequestState)?;
        let bytes = BASE64.decode(text).ok()?;
        let (salt, sealed) = bytes.split_at_checked(SALT_BYTES)?;
        self.secrets.iter().find_map(|secret| {
            let mut sealed = sealed.to_vec();
            let text = key(secret, salt, kind)?
                .open_in_place(only_nonce(), associated_data(kind, context), &mut sealed)
                .ok()?;
            serde_json::from_slice(text).ok()
        })
    }
}

fn different_bytes(text: &str) -> usize {
    let mut bytes = text.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// Whether it looks like 32 random bytes in base64 or hex. Words do not: they are of one case, or have no digits.
fn is_random(text: &str) -> bool {
    let is_hex = text.len() >= 2 * SECRET_BYTES_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bare = text.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(bare).or_else(|_| BASE64.decode(bare));
    let is_base64 = decoded.is_ok_and(|bytes| bytes.len() >= SECRET_BYTES_MIN)
        && different_bytes(bare) >= DIFFERENT_BASE64_MIN
        && [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit]
            .iter()
            .all(|class| bare.bytes().any(|byte| class(&byte)));
    is_hex || is_base64
}

/// Argon2id as OWASP has it: 19 MiB, two passes. The salt is the same on all replicas.
fn stretch(text: &str) -> Option<SecretSlice<u8>> {
    let params = Params::new(19 * 1024, 2, 1, Some(SECRET_BYTES_MIN)).ok()?;
    let mut key = vec![0; SECRET_BYTES_MIN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(text.as_bytes(), b"mcp-daktela OAUTH_SECRET", &mut key)
        .ok()?;
    Some(key.into())
}

/// A key for one token: its salt is random and long enough never to come twice, on however many replicas.
fn key(secret: &SecretSlice<u8>, salt: &[u8], kind: TokenKind) -> Option<LessSafeKey> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret.expose_secret());
    let info = [b"mcp-daktela 1 ".as_slice(), kind.prefix().as_bytes()];
    let key: UnboundKey = derived.expand(&info, &CHACHA20_POLY1305).ok()?.into();
    Some(LessSafeKey::new(key))
}

/// No prefix is the beginning of another.
fn associated_data(kind: TokenKind, context: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([kind.prefix().as_bytes(), context].concat())
}

/// Each key seals one text only, so that the nonce need not differ.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "tOq0dJYc3bq1vXn2mT9yPzR4sWk7uLhEtOq0dJYc3bA=";
    const NEW: &str = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cDfG8hJ2kL5nM=";

    fn sealer(list: &str) -> Sealer {
        Sealer::new(&list.to_owned().into()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_sealed_is_opened_as_what_it_is_and_as_nothing_else() {
        let sealer = sealer(NEW);
        let sealed = sealer.seal(TokenKind::Refresh, &"password").unwrap();
        assert_eq!(
            sealer.open::<String>(TokenKind::Refresh, &sealed).as_deref(),
            Some("password")
        );
        let renamed = sealed.replace("mdrefresh_", "mdaccess_");
        assert_eq!(sealer.open::<String>(TokenKind::Access, &sealed), None);
        assert_eq!(sealer.open::<String>(TokenKind::Access, &renamed), None);
        assert_ne!(sealed, sealer.seal(TokenKind::Refresh, &"password").unwrap());
    }

    #[test]
    fn no_bit_can_be_changed() {
        let sealer = sealer(NEW);
        let sealed = sealer.seal(TokenKind::Code, &"x").unwrap();
        let start = TokenKind::Code.prefix().len();
        for at in start..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(sealer.open::<String>(TokenKind::Code, &changed), None, "{at}");
        }
        for cut in ["", "mdcode_", &sealed[..start + 20], &sealed[..sealed.len() - 1]] {
            assert_eq!(sealer.open::<String>(TokenKind::Code, cut), None);
        }
    }

    #[test]
    fn secrets_rotate() {
        let sealed = sealer(OLD).seal(TokenKind::Client, &1).unwrap();
        assert_eq!(
            sealer(&format!("{NEW}, {OLD}")).open::<u8>(TokenKind::Client, &sealed),
            Some(1)
        );
        assert_eq!(sealer(NEW).open::<u8>(TokenKind::Client, &sealed), None);
    }

    #[test]
    fn weak_secrets_are_refused() {
        let refused = |list: &str| Sealer::new(&list.to_owned().into()).err();
        assert_eq!(refused("short"), Some(WeakSecret::Short(5)));
        assert_eq!(refused(&format!("{NEW},short")), Some(WeakSecret::Short(5)));
        assert_eq!(refused(&"a".repeat(64)), Some(WeakSecret::Guessable));
        assert_eq!(refused(" , "), Some(WeakSecret::None));
    }

    #[test]
    fn a_bound_token_opens_for_what_it_is_bound_to() {
        let sealer = sealer(NEW);
        let sealed = sealer
            .seal_bound(TokenKind::RequestState, b"jan: delete", &"half done")
            .unwrap();
        let open = |context: &[u8]| sealer.open_bound::<String>(TokenKind::RequestState, context, &sealed);
        assert_eq!(open(b"jan: delete").as_deref(), Some("half done"));
        assert_eq!((open(b"eva: delete"), open(b"")), (None, None));
    }

    #[test]
    fn a_token_does_not_tell_how_long_a_password_is() {
        let sealer = sealer(NEW);
        let lengths = (1..40).map(|length| sealer.seal(TokenKind::Refresh, &"x".repeat(length)).unwrap().len());
        assert_eq!(lengths.collect::<std::collections::HashSet<_>>().len(), 1);
    }

    #[test]
    fn phrases_are_stretched_and_random_bytes_are_not() {
        for phrase in [
            "your-secret-key-here-please-change",
            "please-change-this-secret-in-production",
            "please-change-this-secret-in-production-2026",
            "correct horse battery staple again!",
            "Correct-Horse-Battery-Staple-Again-And-Again",
            "0123456789012345678901234567890123456789",
        ] {
            assert!(!is_random(phrase), "{phrase}");
        }
        for random in [
            NEW,
            "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
        ] {
            assert!(is_random(random), "{random}");
        }
        let phrase = sealer("correct horse battery staple again!");
        assert!(phrase.is_stretched() && !sealer(NEW).is_stretched());
        assert_ne!(
            phrase.secrets[0].expose_secret(),
            b"correct horse battery staple again!"
        );
        let sealed = phrase.seal(TokenKind::Client, &1).unwrap();
        assert_eq!(
            sealer("correct horse battery staple again!").open(TokenKind::Client, &sealed),
            Some(1)
        );
    }
}
