//! Keyed pseudonyms (HMAC-SHA256) of identities, and deterministic authenticated encryption of ids, in the way of SIV.
//!
//! An identity becomes its kind and 40 bits of a MAC, `Person-7F3A2C9K`: the same for every call with the same key and
//! instance, and of no use without the key. It is short, since it stands in every row; what it stands for is found by
//! computing the pseudonyms of candidates. An id that holds an identity has to lead back without a search, so it is
//! encrypted: the MAC of the id is the initial vector, and the check when it comes back. No store is needed for either.

use sha2::{Digest, Sha256};

/// Letters of pseudonyms, five bits each, without those that are mistaken for others (Crockford's Base32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Two of a million people share a pseudonym of 40 bits in one instance of three; two of ten thousand, in one of 20,000.
const NAME_BYTES: usize = 5;
/// 64 bits: a forged id is accepted once in 10^19 tries.
const VECTOR_BYTES: usize = 8;
/// The length of an address is a part of it, so it is rounded up to this.
const PADDING: usize = 8;
const BLOCK: usize = 64;

/// The keys of one instance.
pub(super) struct Keys {
    name: [u8; 32],
    vector: [u8; 32],
    stream: [u8; 32],
}

impl Keys {
    /// Keys of an instance, by its origin, so that one secret gives each tenant pseudonyms of its own.
    pub(super) fn new(secret: &[u8], origin: &str) -> Self {
        let derived = |purpose: &str| {
            hmac(
                secret,
                &[b"mcp-daktela privacy 1", purpose.as_bytes(), origin.as_bytes()],
            )
        };
        Keys {
            name: derived("name"),
            vector: derived("vector"),
            stream: derived("stream"),
        }
    }

    /// The pseudonym of an identity in its normal form, without its kind.
    pub(super) fn name(&self, kind: &str, normal: &str) -> String {
        base32(&hmac(&self.name, &[kind.as_bytes(), normal.as_bytes()])[..NAME_BYTES])
    }

    /// An id, encrypted: the same each time.
    pub(super) fn seal(&self, id: &str) -> String {
        let mut plain = id.as_bytes().to_vec();
        plain.push(0x80);
        plain.resize(plain.len().next_multiple_of(PADDING), 0);
        let vector = hmac(&self.vector, &[&plain]);
        let mut out = vector[..VECTOR_BYTES].to_vec();
        self.apply_stream(&vector[..VECTOR_BYTES], &mut plain);
        out.extend(plain);
        base32(&out)
    }

    /// The id that [`Self::seal`] was given; `None` where it never was, or with another key.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let bytes = from_base32(sealed)?;
        let (vector, rest) = bytes.split_at_checked(VECTOR_BYTES)?;
        let mut plain = rest.to_vec();
        self.apply_stream(vector, &mut plain);
        let is_ours = hmac(&self.vector, &[&plain])[..VECTOR_BYTES]
            .iter()
            .zip(vector)
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0;
        let end = plain.iter().rposition(|byte| *byte != 0)?;
        plain.truncate(end);
        is_ours.then(|| String::from_utf8(plain).ok()).flatten()
    }

    fn apply_stream(&self, vector: &[u8], data: &mut [u8]) {
        for (i, part) in data.chunks_mut(32).enumerate() {
            let stream = hmac(&self.stream, &[vector, &(i as u64).to_be_bytes()]);
            part.iter_mut().zip(stream).for_each(|(byte, by)| *byte ^= by);
        }
    }
}

/// HMAC (RFC 2104) over parts, each with its length before it.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let message: Vec<u8> = parts
        .iter()
        .flat_map(|part| {
            (part.len() as u64)
                .to_be_bytes()
                .into_iter()
                .chain(part.iter().copied())
        })
        .collect();
    hmac_sha256(key, &message)
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = |pad: u8, message: &[u8]| -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(block.map(|byte| byte ^ pad));
        hash.update(message);
        hash.finalize().into()
    };
    keyed(0x5c, &keyed(0x36, message))
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut count) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            out.push(char::from(LETTERS[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        out.push(char::from(LETTERS[(bits << (5 - count) & 31) as usize]));
    }
    out
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        bits = bits << 5 | value as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 255) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(b"a secret of the tests", "https://acme.daktela.com")
    }

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac_sha256(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn an_id_comes_back_and_a_forged_one_does_not() {
        for id in ["jan.novak@acme.cz", "", "š", &"x".repeat(200)] {
            let sealed = keys().seal(id);
            assert_eq!(keys().open(&sealed).as_deref(), Some(id));
            assert_eq!(keys().open(&sealed.to_lowercase()).as_deref(), Some(id));
            assert_eq!(sealed, keys().seal(id));
            assert_eq!(Keys::new(b"another", "https://acme.daktela.com").open(&sealed), None);
            assert_eq!(
                Keys::new(b"a secret of the tests", "https://b.daktela.com").open(&sealed),
                None
            );
            let mut forged = sealed.into_bytes();
            forged[0] = if forged[0] == b'0' { b'1' } else { b'0' };
            assert_eq!(keys().open(&String::from_utf8(forged).expect("letters")), None);
        }
        assert_eq!(keys().open(""), None);
        assert_eq!(keys().open("ILOU"), None);
    }

    #[test]
    fn a_pseudonym_depends_on_kind_identity_and_key() {
        let name = keys().name("Person", "jan novak");
        assert_eq!(name.len(), 8);
        assert_eq!(name, keys().name("Person", "jan novak"));
        assert_ne!(name, keys().name("Person", "jana novak"));
        assert_ne!(name, keys().name("Company", "jan novak"));
        assert_ne!(
            name,
            Keys::new(b"b", "https://acme.daktela.com").name("Person", "jan novak")
        );
    }
}
