//! Adapter for Wassette, called as a host calls it that knows their types and nothing else.

use std::fs;

use daktela_demo::{Demo, TOKEN};
use daktela_wassette_world as world;
use serde_json::{Value, json};
use wasmtime::component::{Type, Val};

use super::runtime::Runtime;
use crate::{golden, tools::cases};

/// Calls the function of a tool. `None` where its types do not take the arguments.
async fn call(runtime: &Runtime, tool: &str, arguments: &Value) -> Option<Value> {
    let mut store = runtime.store();
    let instance = runtime.pre.instantiate_async(&mut store).await.expect("an instance");
    let name = format!("daktela-{}", tool.replace('_', "-"));
    let function = instance.get_func(&mut store, &name).expect("a function for each tool");
    let mut given = arguments.as_object().expect("an object").clone();
    let mut values = Vec::new();
    for (name, wanted) in function.ty(&store).params() {
        values.push(value(
            &wanted,
            &given.remove(&name.replace('-', "_")).unwrap_or_default(),
        )?);
    }
    if !given.is_empty() {
        return None;
    }
    let mut results = [Val::Bool(false)];
    function
        .call_async(&mut store, &values, &mut results)
        .await
        .expect("no trap");
    Some(answer(&results[0]))
}

fn value(wanted: &Type, given: &Value) -> Option<Val> {
    match wanted {
        Type::Option(_) if given.is_null() => Some(Val::Option(None)),
        Type::Option(inner) => Some(Val::Option(Some(Box::new(value(&inner.ty(), given)?)))),
        Type::Bool => given.as_bool().map(Val::Bool),
        Type::U64 => given.as_u64().map(Val::U64),
        // Who has a number for an id writes it as text.
        Type::String if given.is_number() => Some(Val::String(given.to_string())),
        Type::String => given.as_str().map(|text| Val::String(text.to_owned())),
        Type::Enum(cases) => {
            // As the type spells it, which is all that a caller sees.
            let case = given.as_str()?.replace('_', "-");
            let spelled = cases.names().find(|name| name.eq_ignore_ascii_case(&case))?;
            Some(Val::Enum(spelled.to_owned()))
        }
        other => panic!("no argument is a {other:?}"),
    }
}

/// The function's result as MCP would show it.
fn answer(result: &Val) -> Value {
    let (text, failed) = match result {
        Val::Result(Ok(Some(text))) => (text.as_ref(), false),
        Val::Result(Err(Some(failure))) => match failure.as_ref() {
            Val::Record(fields) => (&fields[1].1, true),
            other => panic!("a failure is a record, not {other:?}"),
        },
        other => panic!("a text or a failure, not {other:?}"),
    };
    let Val::String(text) = text else {
        panic!("a text, not {text:?}")
    };
    json!({"content": [{"type": "text", "text": text}], "isError": failed})
}

#[test]
fn cases_hold_through_the_functions() {
    // Until they are written, there is nothing that could hold.
    if golden::updating() {
        return;
    }
    let demo = Demo::start().expect("a demo instance");
    let environment = [
        ("DAKTELA_URL", demo.origin()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN.to_owned()),
    ];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let runtime = Runtime::new(daktela_test_guests::WASSETTE_ADAPTER, &environment);
    let passed_over = cases::hold_through("through the functions", &demo, |tool, arguments| {
        runtime.tokio.block_on(call(&runtime, tool, arguments))
    });
    // Their arguments are wrong in ways that the types rule out, or hold several values where a function takes one.
    assert_eq!(
        passed_over,
        [
            "call_statistics/unknown-measure.md",
            "count_tickets/of-a-view-in-two-stages.md",
            "describe/of-two-kinds.md",
            "find_in_conversations/chats-of-a-contact.md",
            "find_in_conversations/mails-and-comments-of-a-ticket.md",
            "find_tickets/in-title-and-description.md",
            "get_ticket/missing-name.md",
            "list_account_tickets/two-stages.md",
            "list_articles/folder-with-those-below.md",
            "list_calls/unknown-facts.md",
            "list_campaign_records/by-type-state-and-next-call.md",
            "list_realtime_sessions/by-state.md",
            "list_ticket_threads/ends-within-a-thread.md",
            "list_ticket_threads/whole-conversations.md",
            "list_tickets/a-custom-field-among-the-facts.md",
            "list_tickets/numbers-as-text.md",
            "list_tickets/of-a-view.md",
            "list_tickets/only-some-facts.md",
            "list_tickets/placeholders.md",
            "list_tickets/several-values.md",
            "list_tickets/wrong-arguments.md",
            "list_web_chats/no-direction.md",
        ]
    );
}

#[test]
fn what_is_wrong_with_the_settings_is_said() {
    let without = Runtime::new(daktela_test_guests::WASSETTE_ADAPTER, &[]);
    assert_eq!(
        without
            .tokio
            .block_on(call(&without, "list_groups", &json!({})))
            .expect("types hold")["content"][0]["text"],
        "DAKTELA_URL is not set: give the origin of your Daktela, e.g. https://acme.daktela.com"
    );
}

/// What the outside sees of the functions.
#[test]
fn the_world_is_made_of_the_catalogue() {
    golden::assert_eq(&golden::folder().join("golden/tools.wit"), &world::wit());
}

/// Hosts show what stands in a section of the component.
#[test]
fn the_component_carries_its_documentation() {
    let component = fs::read(daktela_test_guests::WASSETTE_ADAPTER.replace(".cwasm", ".wasm")).expect("the component");
    let docs = world::package_docs();
    assert!(component.windows(docs.len()).any(|window| window == docs));
}
