//! Adapters under third-party hosts, and packaging manifests under the official validators.
//! `tests/hosts/install` puts them where these tests look.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Demo, TOKEN};
use guest::catalog;
use serde_json::{Value, json};

use crate::{golden, program::Program, tools::cases};

/// The host's program. Where it is not installed, that is said past the test's own captured output.
fn host(name: &str, program: &str) -> Option<PathBuf> {
    let path = golden::folder().join("../target/hosts").join(name).join(program);
    if !path.exists() {
        let skipped = format!("SKIPPED: a test with {name}, which is not here; tests/hosts/install gets it\n");
        io::stderr().write_all(skipped.as_bytes()).expect("stderr");
        return None;
    }
    Some(path)
}

/// The program with an environment of its own, apart from what it takes to find its interpreter.
fn command(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// ACT over stdio, with a file of metadata that names an instance, and a grant.
fn act(name: &str, url: &str, granted: &str) -> Option<Program> {
    let program = host("act", "bin/act")?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let settings = json!({"DAKTELA_URL": url, "DAKTELA_ACCESS_TOKEN": TOKEN});
    fs::write(folder.join("daktela.json"), settings.to_string()).expect("a file");
    let mut command = command(program);
    command.current_dir(&folder).env("HOME", &folder).args([
        "run",
        "--mcp",
        daktela_test_guests::ACT_ADAPTER,
        "--metadata-file",
        "daktela.json",
        "--allow",
        granted,
    ]);
    Some(Program::over(command, Stdio::null()))
}

#[test]
fn cases_hold_through_act() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let Some(mut act) = act("act", &origin, &format!("http={origin}")) else {
        return;
    };
    let passed_over = cases::hold_through("through ACT", &demo, |tool, arguments| Some(act.call(tool, arguments)));
    assert!(passed_over.is_empty(), "{passed_over:?}");
}

#[test]
fn act_shows_the_tools_as_they_are() {
    let Some(mut act) = act("act-tools", "https://acme.daktela.com", "http") else {
        return;
    };
    let listed = act.request("tools/list", json!({}))["result"]["tools"].take();
    let shown: Vec<Value> = listed.as_array().expect("tools").clone();
    let expected: Vec<Value> = catalog::tools()
        .map(|tool| {
            let tool = guest::model::schema::tool(tool);
            json!({
                "name": tool["name"],
                "description": tool["description"],
                "inputSchema": tool["inputSchema"],
                "annotations": {"readOnlyHint": true, "idempotentHint": true},
            })
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn act_refuses_what_is_not_granted_and_what_is_not_declared() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    // Another name of the same place, and none that the component declares.
    let undeclared = origin.replace("127.0.0.1", "localhost");
    for (url, granted) in [
        (&origin, "https://acme.daktela.com"),
        (&undeclared, undeclared.as_str()),
    ] {
        let Some(mut act) = act("act-denied", url, &format!("http={granted}")) else {
            return;
        };
        demo.take_requests();
        let answer = act.call("list_groups", &json!({}));
        assert_eq!(
            (answer["isError"].as_bool(), answer["content"][0]["text"].as_str()),
            (
                Some(true),
                Some(
                    "The sandbox's policy refused to read groups. Grant this component the host of DAKTELA_URL for GET requests."
                )
            )
        );
        assert_eq!(demo.take_requests().len(), 0);
    }
}

/// jco runs the server in a process below its own, so the whole group has to end.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(mut command: Command, port: u16) -> Self {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the host starts");
        let server = Server {
            child,
            url: format!("http://127.0.0.1:{port}/mcp"),
        };
        let deadline = Instant::now() + Duration::from_secs(120);
        while server
            .post(&json!({"jsonrpc": "2.0", "id": 0, "method": "ping"}))
            .is_err()
        {
            assert!(Instant::now() < deadline, "the host does not serve within two minutes");
            thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn post(&self, message: &Value) -> Result<Value, ureq::Error> {
        let request = ureq::post(&self.url).header("content-type", "application/json");
        let body = request.send(message.to_string())?.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&body).expect("JSON"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let ended = Command::new("kill").args(["--", &group]).status();
        assert!(ended.is_ok_and(|status| status.success()), "the host ends");
        self.child.wait().expect("the host ends");
    }
}

/// `jco serve`, with options beside those that say where.
fn jco(demo: &Demo, options: &[&str]) -> Option<Server> {
    let program = host("jco", "node_modules/.bin/jco")?;
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("a port").port();
    drop(free);
    let mut command = command(program);
    command
        .env("DAKTELA_URL", demo.origin())
        .env("DAKTELA_ACCESS_TOKEN", TOKEN)
        .args([
            "serve",
            &daktela_test_guests::HTTP_ADAPTER.replace(".cwasm", ".wasm"),
            "--host",
            "127.0.0.1",
            "--port",
        ])
        .arg(port.to_string())
        .args(options);
    Some(Server::start(command, port))
}

#[test]
fn cases_hold_through_jco() {
    let demo = Demo::start().expect("a demo instance");
    let Some(jco) = jco(&demo, &[]) else {
        return;
    };
    let passed_over = cases::hold_through("through jco", &demo, |tool, arguments| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        Some(jco.post(&call).expect("an answer")["result"].take())
    });
    assert!(passed_over.is_empty(), "{passed_over:?}");
}

/// With the options of `docs/hosts/jco.md`, and without them: then one instance serves all, and gives a client up that takes
/// nothing for ten seconds.
#[test]
fn clients_that_disconnect_do_not_block_jco() {
    let demo = Demo::start().expect("a demo instance");
    let options = "--isolate-requests worker --isolate-worker-pool-size 4";
    let page = fs::read_to_string(golden::folder().join("../docs/hosts/jco.md")).expect("a page");
    assert!(page.contains(options), "the page names other options");
    let isolated: Vec<&str> = options.split(' ').collect();
    for (options, disconnects) in [(isolated.as_slice(), 3), (&[], 1)] {
        let Some(jco) = jco(&demo, options) else {
            return;
        };
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        for _ in 0..disconnects {
            let request = ureq::post(&jco.url).header("content-type", "application/json");
            let answer = request.send(list.to_string()).expect("an answer");
            let mut beginning = [0; 100];
            let mut body = answer.into_body().into_reader();
            body.read_exact(&mut beginning).expect("its first bytes");
        }
        let answer = jco.post(&list).expect("an answer");
        let tools = answer["result"]["tools"].as_array().expect("tools").len();
        assert_eq!(tools, catalog::tools().count());
    }
}

/// Runs a judge, whose exit code is the verdict.
fn judge(mut command: Command) {
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", said.concat());
}

#[test]
fn the_bundle_s_manifest_is_valid() {
    let Some(mcpb) = host("mcpb", "node_modules/.bin/mcpb") else {
        return;
    };
    let mut mcpb = command(mcpb);
    mcpb.arg("validate").arg(packaging().join("mcpb/manifest.json"));
    judge(mcpb);
}

/// skillsaw holds the schemas of the registry.
#[test]
fn the_registry_s_entry_is_valid() {
    let Some(skillsaw) = host("skillsaw", "bin/skillsaw") else {
        return;
    };
    let mut skillsaw = command(skillsaw);
    skillsaw.args(["lint", "--strict"]).arg(packaging());
    judge(skillsaw);
}

fn packaging() -> PathBuf {
    golden::folder().join("../host/packaging")
}

/// One version everywhere, so that a release cannot leave one behind.
#[test]
fn the_packaging_is_of_this_version() {
    let read = |file: &str| fs::read_to_string(packaging().join(file)).expect("a file");
    let version = env!("CARGO_PKG_VERSION");
    for file in ["mcpb/manifest.json", "server.json"] {
        let json: Value = serde_json::from_str(&read(file)).expect("JSON");
        assert_eq!(json["version"], version, "{file}");
    }
    assert!(read("server.json").contains(&format!("mcp-daktela:{version}\"")));
    assert!(read("spin.toml").contains(&format!("\nversion = \"{version}\"\n")));
}
