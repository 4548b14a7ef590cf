//! The kind of a JSON value whose content is of no interest: read to its end, never into memory.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum JsonKind {
    /// `null`, or absent where that is the default.
    #[default]
    Null,
    /// `[]`, `{}` or `""`.
    Empty,
    Object,
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for JsonKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KindVisitor;

        impl<'de> Visitor<'de> for KindVisitor {
            type Value = JsonKind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<JsonKind, E> {
                Ok(JsonKind::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<JsonKind, E> {
                Ok(JsonKind::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<JsonKind, E> {
                Ok(JsonKind::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<JsonKind, E> {
                Ok(JsonKind::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<JsonKind, E> {
                Ok(JsonKind::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonKind, E> {
                Ok(if text.is_empty() {
                    JsonKind::Empty
                } else {
                    JsonKind::Other
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JsonKind, A::Error> {
                let mut kind = JsonKind::Empty;
                while items.next_element::<IgnoredAny>()?.is_some() {
                    kind = JsonKind::Other;
                }
                Ok(kind)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonKind, A::Error> {
                let mut kind = JsonKind::Empty;
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    kind = JsonKind::Object;
                }
                Ok(kind)
            }
        }

        deserializer.deserialize_any(KindVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_kind() {
        for (text, kind) in [
            ("null", JsonKind::Null),
            ("[]", JsonKind::Empty),
            ("{}", JsonKind::Empty),
            (r#""""#, JsonKind::Empty),
            (r#"{"a":[1,{"b":2}]}"#, JsonKind::Object),
            ("[0,0]", JsonKind::Other),
            (r#""x""#, JsonKind::Other),
            ("true", JsonKind::Other),
            ("-1", JsonKind::Other),
            ("1", JsonKind::Other),
            ("0.5", JsonKind::Other),
        ] {
            assert_eq!(serde_json::from_str::<JsonKind>(text).unwrap(), kind, "{text}");
        }
    }
}
