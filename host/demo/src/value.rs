//! Values as text, and pseudo-random numbers: a leaf of the crate.

use serde_json::Value;

/// The same number for the same question, on every machine.
pub(crate) fn hash(what: &str, which: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let sum = what.bytes().chain([0]).chain(which.bytes()).fold(start, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (sum ^ (sum >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// A value as SQL compares it with text: a flag is 0 or 1.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => u8::from(*yes).to_string(),
        other => other.to_string(),
    }
}
