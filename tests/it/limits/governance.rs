//! What an operator decides (toolsets, rights, audit, quotas, hours), through the program; and that no caller loosens it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use daktela_demo::{AGENT_TOKEN, AGENT_USERNAME, Demo, PASSWORD, TOKEN, USERNAME};
use guest::catalog;
use serde_json::{Value, json};

use crate::{
    program::{self, Program},
    server_harness::{Ask, Served},
};

fn text(answer: &Value) -> &str {
    answer["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {answer}"))
}

fn result(served: &Served, ask: &Ask<'_>) -> Value {
    served.ask(ask).json()["result"].clone()
}

fn names(list: &Value) -> Vec<&str> {
    let tools = list["tools"].as_array().unwrap_or_else(|| panic!("no tools: {list}"));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect()
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mcp-daktela-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("text").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stdio<'a>(demo: &'a str, more: &[(&'a str, &'a str)]) -> Program {
    let ours = [("DAKTELA_URL", demo), ("DAKTELA_ACCESS_TOKEN", TOKEN)];
    Program::start(&[&ours[..], more].concat())
}

fn lines(path: &str) -> Vec<Value> {
    let whole = fs::read_to_string(path).expect("a file");
    let lines = whole.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

fn verify(files: &[&str]) -> (bool, String) {
    let mut command = program::command(&[]);
    let output = command
        .args(["audit", "verify"])
        .args(files)
        .output()
        .expect("the program runs");
    (output.status.success(), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn toolsets_are_the_operators_and_headers_only_narrow_them() {
    let demo = Demo::start().expect("a demo instance");
    let operator = [
        ("DAKTELA_TOOLSETS", "contacts,tickets"),
        ("DAKTELA_EXCLUDE_TOOLS", "list_tickets"),
    ];
    let served = Served::start(&operator);
    let ask = |ask: Ask<'static>| ask.read_as(&demo.origin(), TOKEN);
    let list = || ask(Ask::mcp("tools/list", json!({})));
    let all = result(&served, &list());
    let all = names(&all);
    assert!(
        all.contains(&"get_ticket_detail") && all.contains(&"list_contacts"),
        "{all:?}"
    );
    assert!(
        !all.contains(&"list_tickets") && !all.contains(&"list_calls"),
        "{all:?}"
    );
    let hidden = catalog::tools().filter(|tool| !all.contains(&tool.name));
    let hidden: Vec<&str> = hidden.map(|tool| tool.name).collect();
    for headers in [
        &[("x-mcp-toolsets", "all")][..],
        &[
            ("x-mcp-toolsets", "calls,tickets"),
            ("x-mcp-tools", "list_tickets,list_calls"),
        ],
        &[("x-mcp-tools", "list_tickets")],
        &[("x-mcp-exclude-tools", "get_contact")],
        &[("x-mcp-single-tool", "false")],
        &[("x-mcp-single-tool", "true")],
        &[("x-mcp-readonly", "false"), ("x-mcp-lockdown", "false")],
    ] {
        let with = |ask: Ask<'static>| headers.iter().fold(ask, |ask, (name, value)| ask.with(name, *value));
        let listed = result(&served, &with(list()));
        let is_single = headers.contains(&("x-mcp-single-tool", "true"));
        let is_narrower = names(&listed).iter().all(|name| all.contains(name));
        assert!(is_narrower != is_single, "{headers:?}: {listed}");
        for name in &hidden {
            let answer = served.ask(&with(ask(Ask::call(name, json!({}))))).json();
            assert_eq!(
                answer["error"]["message"],
                format!("Unknown tool {name:?}."),
                "{headers:?}"
            );
            let through = json!({"name": name, "arguments": {}});
            let answer = served.ask(&with(ask(Ask::call("call_tool", through)))).body;
            assert!(answer.contains("Unknown tool"), "{headers:?}: {answer}");
        }
    }
    // What narrows is for its own request, and private.
    let narrowed = result(&served, &list().with("x-mcp-toolsets", "contacts"));
    assert_eq!(names(&narrowed), ["list_contacts", "get_contact"]);
    let unknown = served.ask(&list().with("x-mcp-toolsets", "tikets")).json();
    let message = unknown["error"]["message"].as_str().expect("a message");
    assert!(message.contains("known are tickets, contacts, all"), "{message}");
    assert_eq!(names(&result(&served, &list())), all);
    let prompts = result(&served, &ask(Ask::mcp("prompts/list", json!({}))));
    let prompts = prompts["prompts"].to_string();
    assert!(
        prompts.contains("ticket_brief") && !prompts.contains("backlog_triage") && !prompts.contains("email_audit")
    );
    let said = |headers: &[(&'static str, &'static str)]| {
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        let start = ask(Ask::mcp("initialize", params));
        let start = headers.iter().fold(start, |ask, (name, value)| ask.with(name, *value));
        result(&served, &start)["instructions"]
            .as_str()
            .expect("instructions")
            .to_owned()
    };
    assert!(said(&[]).contains("get_ticket_detail") && !said(&[]).contains("list_calls"));
    assert!(!said(&[("x-mcp-toolsets", "contacts")]).contains("get_ticket_detail"));
}

#[test]
fn an_unknown_name_ends_the_start_with_those_that_are_known() {
    for (variables, said) in [
        (
            ("DAKTELA_TOOLSETS", "tikets"),
            "no toolset is called \"tikets\"; known are tickets, find, ",
        ),
        (
            ("DAKTELA_TOOLS", "list_ticket"),
            "no tool is called \"list_ticket\"; known are list_tickets, ",
        ),
        (("DAKTELA_EXCLUDE_TOOLS", "x"), "no tool is called \"x\""),
        (("DAKTELA_HOURS", "always"), "Mon-Fri 07:00-19:00"),
        (("DAKTELA_TIME_ZONE", "Brno"), "IANA name"),
        (("DAKTELA_DAILY_CALLS", "0"), "DAKTELA_DAILY_CALLS"),
    ] {
        let mut command = program::command(&[variables]);
        let output = command
            .arg("--demo")
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let errors = String::from_utf8(output.stderr).expect("text");
        assert!(
            !output.status.success() && errors.contains(said),
            "{variables:?}: {errors}"
        );
    }
}

#[test]
fn every_call_is_a_line_of_a_chain_that_goes_on_after_a_restart() {
    let demo = Demo::start().expect("a demo instance");
    let (folder, origin) = (Folder::new("audit"), demo.origin());
    let file = folder.file("audit.jsonl");
    let start = || stdio(&origin, &[("AUDIT_FILE", &file), ("AUDIT_REQUIRED", "true")]);
    let mut program = start();
    let tickets = program.call("list_tickets", &json!({"take": 2}));
    assert!(
        tickets
            .get("_meta")
            .is_none_or(|meta| !meta.to_string().contains("daktela/report"))
    );
    program.call("get_ticket_detail", &json!({"name": "0"}));
    program.close();
    program.wait();
    let written = lines(&file);
    let first = &written[0];
    assert_eq!(
        (
            &first["seq"],
            &first["event"],
            &first["who"],
            &first["user"],
            &first["tool"],
            &first["status"]
        ),
        (
            &json!(1),
            &json!("call"),
            &json!("local"),
            &json!(USERNAME),
            &json!("list_tickets"),
            &json!("ok")
        )
    );
    assert_eq!(
        (&first["arguments"], &first["records"][0]["count"]),
        (&json!({"take": 2}), &json!(2))
    );
    for id in first["records"][0]["ids"].as_array().expect("ids") {
        assert!(text(&tickets).contains(id.as_str().expect("an id")));
    }
    assert_eq!(
        (&written[1]["status"], &written[1]["records"]),
        (&json!("error answer"), &json!([]))
    );
    // A crash tore the last line.
    let whole = fs::read(&file).expect("a file");
    fs::write(&file, &whole[..whole.len() - 7]).expect("a file");
    let (is_whole, said) = verify(&[&file]);
    assert!(!is_whole && said.contains("line 2: the last line is torn"), "{said}");
    let mut program = start();
    program.call("count_tickets", &json!({}));
    // Rotated while it runs.
    let former = folder.file("audit.jsonl.1");
    fs::rename(&file, &former).expect("a file");
    program.call("count_tickets", &json!({}));
    program.close();
    program.wait();
    let (is_whole, said) = verify(&[&former, &file]);
    assert!(is_whole && said.contains("line 2: torn by a crash"), "{said}");
    let changed = fs::read_to_string(&former)
        .expect("a file")
        .replacen("list_tickets", "list_contact", 1);
    fs::write(&former, changed).expect("a file");
    let (is_whole, said) = verify(&[&former, &file]);
    assert!(!is_whole && said.contains("line 1: "), "{said}");
    let (is_whole, said) = verify(&[&file]);
    assert!(is_whole && said.contains("goes on from line number"), "{said}");
}

#[test]
fn without_an_audit_line_there_is_no_answer_where_one_is_required() {
    if !Path::new("/dev/full").exists() {
        return crate::skip::impossible("a full disk", "there is no /dev/full");
    }
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let refused = "The audit file of this server cannot be written";
    let mut strict = stdio(&origin, &[("AUDIT_FILE", "/dev/full"), ("AUDIT_REQUIRED", "true")]);
    for _ in 0..2 {
        let answer = strict.call("list_tickets", &json!({"take": 1}));
        assert!(
            answer["isError"] == true && text(&answer).starts_with(refused),
            "{answer}"
        );
    }
    demo.take_requests();
    strict.call("list_tickets", &json!({"take": 1}));
    assert!(demo.take_requests().is_empty(), "nothing is read once it is known");
    // One process writes to an audit file at a time.
    drop(strict);
    let mut lenient = stdio(&origin, &[("AUDIT_FILE", "/dev/full")]);
    assert_eq!(
        lenient.call("list_tickets", &json!({"take": 1}))["isError"],
        json!(false)
    );
}

#[test]
fn a_quota_is_an_accounts_whatever_credential_it_comes_with() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("DAKTELA_DAILY_CALLS", "2"), ("DAKTELA_CONTACT", "it@example.com")]);
    let call = || Ask::call("count_tickets", json!({}));
    for _ in 0..2 {
        assert_eq!(
            result(&served, &call().read_as(&demo.origin(), TOKEN))["isError"],
            json!(false)
        );
    }
    let by_password = call()
        .with("x-daktela-url", demo.origin())
        .with("x-daktela-username", USERNAME)
        .with("x-daktela-password", PASSWORD);
    for again in [call().read_as(&demo.origin(), TOKEN), by_password] {
        let refused = result(&served, &again);
        let said = text(&refused);
        assert!(
            refused["isError"] == true && said.starts_with("The quota of 2 calls for one caller and day is used up"),
            "{said}"
        );
        assert!(
            said.contains("resets at") && said.contains("Who decides on it: it@example.com"),
            "{said}"
        );
    }
    // Lists cost nothing, and another account has a quota of its own.
    assert!(
        served
            .ask(&Ask::mcp("tools/list", json!({})).read_as(&demo.origin(), TOKEN))
            .json()["result"]
            .is_object()
    );
    assert_eq!(
        result(&served, &call().read_as(&demo.origin(), AGENT_TOKEN))["isError"],
        json!(false)
    );
    let denied = served.log("call", 5);
    assert_eq!(denied.iter().filter(|line| line["status"] == "denied").count(), 2);
}

#[test]
fn records_and_bytes_of_answers_have_quotas() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    for (variable, limit) in [("DAKTELA_DAILY_RECORDS", "5"), ("DAKTELA_DAILY_BYTES", "2000")] {
        let mut program = stdio(&origin, &[(variable, limit)]);
        assert_eq!(
            program.call("list_tickets", &json!({"take": 5}))["isError"],
            json!(false)
        );
        let refused = program.call("list_tickets", &json!({"take": 5}));
        assert!(
            refused["isError"] == true && text(&refused).contains(limit),
            "{refused}"
        );
    }
}

#[test]
fn outside_of_the_hours_calls_are_refused() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    // One minute of a week, which this is not, and all of it.
    let now = weekday();
    let other_day = if now == "Mon" { "Tue" } else { "Mon" };
    let hours = format!("{other_day} 03:00-03:01");
    let mut closed = stdio(&origin, &[("DAKTELA_HOURS", &hours)]);
    let refused = closed.call("list_tickets", &json!({"take": 1}));
    let said = text(&refused);
    assert!(
        said.starts_with("This server serves calls") && said.contains("(Europe/Prague)"),
        "{said}"
    );
    assert!(
        said.contains("the next time is") && said.contains("Whoever runs this server decides"),
        "{said}"
    );
    let mut open = stdio(&origin, &[("DAKTELA_HOURS", "Mon-Sun 00:00-24:00")]);
    assert_eq!(open.call("list_tickets", &json!({"take": 1}))["isError"], json!(false));
}

/// The day of the week where the sample company is; around midnight either of two fits.
fn weekday() -> &'static str {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    // 1970-01-01 was a Thursday; Prague is an hour ahead or two.
    let days = (seconds + 5_400) / 86_400;
    ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize]
}

#[test]
fn tools_follow_the_rights_of_each_account() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("DAKTELA_RIGHTS", "hide")]);
    let list = |token: &str| {
        result(
            &served,
            &Ask::mcp("tools/list", json!({})).read_as(&demo.origin(), token),
        )
    };
    let (lead, agent) = (list(TOKEN), list(AGENT_TOKEN));
    assert!(names(&lead).contains(&"list_articles") && !names(&agent).contains(&"list_articles"));
    assert_eq!(names(&list(AGENT_TOKEN)), names(&agent));
    let call = Ask::call("list_articles", json!({})).read_as(&demo.origin(), AGENT_TOKEN);
    assert_eq!(
        served.ask(&call).json()["error"]["message"],
        "Unknown tool \"list_articles\"."
    );
    let nothing = Ask::call("list_tickets", json!({"search": "xyzzy nothing has this"}));
    let empty = result(&served, &nothing.read_as(&demo.origin(), AGENT_TOKEN));
    assert!(text(&empty).contains(AGENT_USERNAME), "{}", text(&empty));
    // The account is read once for a credential.
    demo.take_requests();
    list(AGENT_TOKEN);
    assert!(demo.take_requests().is_empty());
}

#[test]
fn an_ambiguous_name_is_asked_about_within_the_session() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let mut program = Program::launch(&[("DAKTELA_URL", &origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let client = json!({"name": "tests", "version": "0"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {"elicitation": {}}, "clientInfo": client});
    program.request("initialize", params);
    program.notify("notifications/initialized", json!({}));
    let arguments = json!({"user": "Novák", "take": 1});
    for (reply, is_error) in [
        (json!({"action": "accept", "content": {"choice": "jan.novak"}}), false),
        (json!({"action": "decline"}), true),
    ] {
        program.send_request("tools/call", json!({"name": "list_tickets", "arguments": arguments}));
        let question = program.receive_message();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let message = json!({"jsonrpc": "2.0", "id": question["id"], "result": reply});
        program.send_line(message.to_string().as_bytes());
        let (_, answer) = program.receive();
        assert_eq!(answer["result"]["isError"], json!(is_error), "{answer}");
    }
}
