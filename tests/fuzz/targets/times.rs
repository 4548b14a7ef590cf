//! Fuzz target: any text as a date argument and as a `Retry-After` is read or refused, and never gives an endless pause.
#![no_main]

use daktela_egress::fuzzing;
use guest::date::{self, Bound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for bound in [Bound::From, Bound::Until] {
        match date::parse(text, bound) {
            Ok(date) => {
                assert_eq!(date.len(), 19, "{date}");
                assert_eq!(
                    date::parse(&date, bound).as_ref(),
                    Ok(&date),
                    "what is complete stays as it is"
                );
            }
            Err(why) => assert!(!why.is_empty()),
        }
    }
    if let Some(pause) = fuzzing::pause(text) {
        assert!(pause.as_secs() <= 15, "{pause:?}");
    }
});
