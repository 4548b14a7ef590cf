//! Credentials stay in the host: not in an answer, not in a log line, not where a component can look.

use std::fmt::Write;

use daktela_demo::{CANARY, Demo, PASSWORD, TOKEN, USERNAME};
use serde_json::{Value, json};

use crate::{
    golden,
    program::{self, Program},
    server::http,
    server_harness::{self, Ask, Served},
};

/// What must never show: what the operator gave, every token that Daktela gave for it, and the secrets that Daktela
/// embeds in its records.
fn secrets(demo: &Demo) -> Vec<String> {
    let mut secrets = vec![TOKEN.to_owned(), PASSWORD.to_owned(), CANARY.to_owned()];
    for request in demo.take_requests() {
        secrets.extend(
            request
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("x-auth-token"))
                .map(|(_, token)| token.clone()),
        );
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

#[track_caller]
fn assert_none(secrets: &[String], text: &str, what: &str) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{what} holds {secret:?}: {text}");
    }
}

/// Calls every tool, those that need an id with one from the tool that its definition names.
fn call_every_tool(program: &mut Program) -> Vec<String> {
    let tools = program.request("tools/list", json!({}))["result"]["tools"].clone();
    let mut answers = vec![tools.to_string()];
    for tool in tools.as_array().expect("tools") {
        let example = &tool["_meta"]["daktela/example"];
        let mut arguments = json!({});
        if let Some(source) = example["tool"].as_str() {
            let first = program.call(source, &json!({}));
            let value = &first["_meta"]["daktela/first"][example["key"].as_str().expect("a key")];
            assert!(value.is_string(), "{source} names no record for {}", tool["name"]);
            arguments[example["argument"].as_str().expect("an argument")] = value.clone();
        }
        let name = tool["name"].as_str().expect("a name");
        let answer = program.call(name, &arguments);
        assert_eq!(answer["isError"], false, "{name}: {answer}");
        answers.push(answer.to_string());
    }
    answers
}

fn nothing_shows(variables: &[(&str, &str)], demo: &Demo) {
    let log = program::log_file();
    let mut program = Program::start_with_log(variables, log.try_clone().expect("a file"));
    let mut answers = call_every_tool(&mut program);
    answers.push(program.call("get_ticket", &json!({"name": "0"})).to_string());
    drop(program);
    let secrets = secrets(demo);
    assert!(
        secrets.len() > 3,
        "a login gives a token of its own, beside what the operator gave"
    );
    for answer in &answers {
        assert_none(&secrets, answer, "an answer");
    }
    let log = program::read_back(log);
    let lines = log.lines().count();
    assert!(lines >= 40, "one line a call: {lines}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert_none(&secrets, &log, "the log");
    assert!(!log.contains("Novák"), "the log holds no text of records");
}

#[test]
fn a_login_shows_nowhere() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    nothing_shows(
        &[
            ("DAKTELA_URL", &origin),
            ("DAKTELA_USERNAME", USERNAME),
            ("DAKTELA_PASSWORD", PASSWORD),
        ],
        &demo,
    );
}

/// Over HTTP, where each call brings its credential: not in answers or their headers, the log, or what is counted.
#[test]
fn what_a_request_brings_shows_nowhere() {
    let demo = Demo::start().expect("a demo instance");
    let metrics = http::free_address();
    let served = Served::start(&[("METRICS_ADDRESS", &metrics)]);
    let mut seen = String::new();
    for (name, value) in [
        ("x-daktela-access-token", TOKEN.to_owned()),
        ("x-daktela-password", PASSWORD.to_owned()),
        ("x-daktela-access-token", format!("{CANARY}-unknown")),
    ] {
        for tool in guest::catalog::tools() {
            let ask = Ask::call(tool.name, json!({"name": "787258"})).with("x-daktela-url", demo.origin());
            let ask = match name {
                "x-daktela-password" => ask.with("x-daktela-username", USERNAME),
                _ => ask,
            };
            let _ = write!(seen, "{:?}", served.ask(&ask.with(name, value.clone())));
        }
    }
    let tools = guest::catalog::tools().count();
    assert_eq!(served.log("call", 3 * tools).len(), 3 * tools);
    let secrets = secrets(&demo);
    assert!(secrets.len() > 3, "a login gives a token of its own");
    assert_none(&secrets, &seen, "an answer");
    assert_none(&secrets, &served.whole_log(), "the log");
    let counted = server_harness::ask_at(&metrics, &Ask::get("/metrics")).body;
    assert!(counted.contains("mcp_daktela_calls_total"), "{counted}");
    assert_none(&secrets, &counted, "what is counted");
}

/// Under our host a component finds its settings in the environment, and nothing else anywhere.
#[test]
fn a_component_finds_no_credential() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let variables = [
        ("DAKTELA_URL", origin.as_str()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("MCP_DAKTELA_TEST", "canary-of-the-environment"),
        ("DAKTELA_COMPONENT", daktela_test_guests::HOSTILE),
    ];
    let mut program = Program::start(&variables);
    let mut ask = |tool: &str, arguments: Value| {
        let answer = program.call(tool, &arguments);
        answer["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{tool}: {answer}"))
            .to_owned()
    };
    let environment = ask("environment", json!({}));
    assert_eq!(
        serde_json::from_str::<Value>(&environment).expect("JSON"),
        json!({
            "variables": {
                "DAKTELA_MAX_ANSWER_BYTES": "1000000",
                "DAKTELA_MAX_SCAN_BYTES": "48000000",
                "DAKTELA_MAX_SCAN_REQUESTS": "200",
                "DAKTELA_MAX_SCAN_ROWS": "100000",
                "DAKTELA_MAX_SCAN_SECONDS": "20",
                "DAKTELA_URL": origin,
            },
            "arguments": [],
        })
    );
    // Nothing outlives a call, so no caller finds what another left.
    assert_eq!(
        [ask("remember", json!({})), ask("remember", json!({}))],
        ["call 1", "call 1"]
    );
    // What comes back from Daktela: the body is Daktela's, the headers are reduced to harmless ones.
    let answer: Value =
        serde_json::from_str(&ask("send", json!({"path": "/api/v6/tickets.json?take=1"}))).expect("JSON");
    assert_eq!(answer["status"], 200);
    let headers: Vec<&str> = answer["headers"]
        .as_object()
        .expect("headers")
        .keys()
        .map(String::as_str)
        .collect();
    assert!(
        headers
            .iter()
            .all(|name| ["content-type", "date", "retry-after", "content-length"].contains(name)),
        "{headers:?}"
    );
    let sent = demo.take_requests().pop().expect("a request");
    assert!(
        sent.headers
            .iter()
            .any(|(name, value)| name == "x-auth-token" && value == TOKEN),
        "the host adds the credential"
    );

    let refused = [
        json!({"method": "POST"}),
        json!({"method": "PUT", "path": "/api/v6/login.json"}),
        json!({"method": "DELETE", "path": "/api/v6/tickets/787256.json"}),
        json!({"authority": "evil.example"}),
        json!({"authority": "127.0.0.1:1"}),
        json!({"scheme": "https"}),
        json!({"path": "/internal/globalsettings.json"}),
        json!({"path": "/api/v6/../../file/download.php"}),
        json!({"path": "/api/v6/%2e%2e/users.json"}),
        json!({"headers": {"x-auth-token": "mine"}}),
        json!({"headers": {"authorization": "Bearer mine"}}),
        json!({"headers": {"cookie": "c_user=mine"}}),
    ];
    for arguments in refused {
        let answer = ask("send", arguments.clone());
        assert!(answer.starts_with("refused: "), "{arguments} was let through: {answer}");
    }
    assert!(demo.take_requests().is_empty(), "nothing of that left the sandbox");
}

/// What cannot be run is told why.
#[test]
fn a_file_that_is_no_compiled_component_does_not_load() {
    let plain = golden::folder().join("golden/catalogue-bytes.txt");
    for (component, why) in [
        (plain.to_string_lossy().into_owned(), "holds no compiler"),
        ("no-such-file".to_owned(), "no-such-file"),
    ] {
        let output = program::command(&[])
            .args(["--component", &component, "tools"])
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
    }
}

/// Core dumps and debuggers of the same user would read the credentials of many. The kernel gives the files in `/proc` of a
/// process that must not be dumped to root, whoever runs it.
#[cfg(target_os = "linux")]
#[test]
fn the_memory_of_the_server_cannot_be_dumped() {
    use std::{
        fs,
        os::unix::{
            fs::{MetadataExt, PermissionsExt},
            process::CommandExt,
        },
    };

    /// As distributions call nobody.
    const NOBODY: u32 = 65534;
    let me = fs::metadata("/proc/self").expect("a process").uid();
    let folder = std::env::temp_dir().join(format!("mcp-daktela-dump-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("mcp-daktela");
    fs::copy(program::path(), &program).expect("a copy");
    for path in [&folder, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let mut command = std::process::Command::new(&program);
    command.env_clear();
    if me == 0 {
        command.uid(NOBODY);
    }
    let served = Served::over(command, &[]);
    let owner = |file: &str| {
        let file = fs::metadata(format!("/proc/{}/{file}", served.pid())).expect("a process");
        file.uid()
    };
    assert_eq!((owner("environ"), owner("mem")), (0, 0));
    // Else it would prove nothing.
    let mut plain = std::process::Command::new("sleep");
    plain.arg("60");
    if me == 0 {
        plain.uid(NOBODY);
    }
    let mut other = plain.spawn().expect("a process");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let uid = fs::metadata(format!("/proc/{}/environ", other.id()))
        .expect("a process")
        .uid();
    other.kill().expect("it ends");
    other.wait().expect("it ends");
    assert_eq!(uid, if me == 0 { NOBODY } else { me });
    fs::remove_dir_all(folder).expect("a folder");
}
