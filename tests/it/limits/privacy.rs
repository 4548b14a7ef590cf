//! Privacy levels through the program: the operator's floor, what a request can raise it by, and that nothing lowers it.

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

use crate::{
    program::Program,
    server_harness::{Ask, Served},
};

/// A contact of the sample company, in the parts that must not show.
const NAME: &str = "Dvořák";
const EMAIL: &str = "petr.dvorak@cyklomorava.example";
const KEY: &str = "a key of the tests, long enough";

fn contact(meta: Value) -> Value {
    json!({"name": "get_contact", "arguments": {"name": "contact_dvorak_petr"}, "_meta": meta})
}

fn answer(served: &Served, demo: &Demo, headers: &[(&'static str, &'static str)], meta: Value) -> Value {
    let ask = Ask::mcp("tools/call", contact(meta)).read_as(&demo.origin(), TOKEN);
    let ask = headers.iter().fold(ask, |ask, (name, value)| ask.and(name, *value));
    served.ask(&ask).json()
}

fn shows(answer: &Value) -> &'static str {
    let text = answer.to_string();
    match (
        text.contains(NAME) || text.contains(EMAIL),
        text.contains("Person-"),
        text.contains("[name]"),
    ) {
        (true, false, false) => "off",
        (false, true, false) => "pseudonym",
        (false, false, true) => "mask",
        (false, false, false) => "nothing",
        mixed => panic!("{mixed:?}: {text}"),
    }
}

#[test]
fn a_request_raises_the_operators_level_and_never_lowers_it() {
    let demo = Demo::start().expect("a demo instance");
    const LEVELS: [&str; 3] = ["off", "pseudonym", "mask"];
    for (rank, floor) in LEVELS.iter().enumerate() {
        let served = Served::start(&[("DAKTELA_PRIVACY", *floor), ("DAKTELA_PRIVACY_KEY", KEY)]);
        let plain = answer(&served, &demo, &[], json!({}));
        assert_eq!(shows(&plain), *floor, "{plain}");
        for (asked, wanted) in LEVELS.iter().enumerate() {
            let expected = LEVELS[rank.max(asked)];
            let by_header = answer(&served, &demo, &[("x-daktela-privacy", *wanted)], json!({}));
            assert_eq!(shows(&by_header), expected, "{floor} {wanted}: {by_header}");
            let by_meta = answer(&served, &demo, &[], json!({"daktela/privacy": wanted}));
            assert_eq!(shows(&by_meta), expected, "{floor} {wanted}: {by_meta}");
            let twice = [("x-daktela-privacy", *wanted), ("x-daktela-privacy", "off")];
            assert_eq!(
                shows(&answer(&served, &demo, &twice, json!({"daktela/privacy": "off"}))),
                expected
            );
        }
        for others in [
            [("x-daktela-privacy-agents", "false"), ("x-privacy", "off")],
            [("daktela-privacy", "off"), ("x-mcp-privacy", "off")],
            [
                ("x-daktela-request-privacy", "off"),
                ("x-daktela-privacy-key", "a key of the caller's own"),
            ],
        ] {
            assert_eq!(answer(&served, &demo, &others, json!({})), plain, "{others:?}");
        }
        for wrong in ["none", "0", "mask;off"] {
            let refused = answer(&served, &demo, &[("x-daktela-privacy", wrong)], json!({}));
            assert_eq!(shows(&refused), "nothing", "{wrong}: {refused}");
        }
        for wrong in [json!(0), json!(["off"]), json!({"level": "off"}), json!(false)] {
            let refused = answer(&served, &demo, &[], json!({"daktela/privacy": wrong}));
            assert_eq!(shows(&refused), "nothing", "{refused}");
        }
        let log = served.whole_log();
        for secret in [NAME, EMAIL, KEY] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

#[test]
fn pseudonyms_hold_over_restarts_with_a_key_and_not_without() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let text = |key: Option<&str>| {
        let ours = [
            ("DAKTELA_URL", origin.as_str()),
            ("DAKTELA_ACCESS_TOKEN", TOKEN),
            ("DAKTELA_PRIVACY", "pseudonym"),
        ];
        let key: Vec<(&str, &str)> = key.map(|key| ("DAKTELA_PRIVACY_KEY", key)).into_iter().collect();
        let mut program = Program::start(&[&ours[..], &key].concat());
        let call = |program: &mut Program| {
            program
                .call("get_contact", &json!({"name": "contact_dvorak_petr"}))
                .to_string()
        };
        let first = call(&mut program);
        assert_eq!(call(&mut program), first);
        first
    };
    assert_eq!(text(Some(KEY)), text(Some(KEY)));
    assert_ne!(text(None), text(None));
    assert!(!text(Some(KEY)).contains(NAME));
}
