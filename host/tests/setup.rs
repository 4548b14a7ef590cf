//! `mcp-daktela setup` through the program: a home of its own, the sample company as instance, the files of real clients where they
//! are on Linux.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mcp-daktela");

/// A user's folder, with a blank and letters beyond ASCII in its path; removed at the end.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("Žofie Nováková {name} {}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// As a client leaves it.
    fn has(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).expect("JSON")
    }

    /// Every file, by its path below the home.
    fn files(&self) -> Vec<String> {
        let mut folders = vec![self.0.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(&self.0).expect("below it");
                    files.push(path.to_str().expect("UTF-8").to_owned());
                }
            }
        }
        files.sort();
        files
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.0).env("PATH", "/usr/bin:/bin");
        command
    }

    /// Runs `setup` with these arguments, and with these lines on stdin.
    fn setup(&self, variables: &[(&str, &str)], arguments: &[&str], lines: &[&str]) -> (Option<i32>, String) {
        let mut command = self.command(PROGRAM);
        command
            .envs(variables.iter().copied())
            .arg("setup")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut input = child.stdin.take().expect("a pipe");
        let typed: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // It may end before it has read everything.
        let _ = input.write_all(typed.as_bytes());
        drop(input);
        said(&child.wait_with_output().expect("it ends"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), text.concat())
}

const CURSOR: &str = ".cursor/mcp.json";
const DESKTOP: &str = ".config/Claude/claude_desktop_config.json";
const VS_CODE: &str = ".config/Code/User/mcp.json";
const TOKENS: &str = ".config/mcp-daktela/tokens.json";

#[test]
fn questions_and_answers_lead_to_an_entry_that_works() {
    let (home, demo) = (Home::new("questions"), Demo::start().expect("a demo instance"));
    let before = "{\n  \"mcpServers\": {\n    \"files\": {\n      \"command\": \"npx\"\n    }\n  }\n}\n";
    home.has(CURSOR, before);
    home.has(DESKTOP, "");
    let origin = demo.origin();
    let (code, said) = home.setup(&[], &[], &[&origin, TOKEN, "", "y"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("User          ") && !said.contains(TOKEN), "{said}");
    let entry = json!({"command": PROGRAM, "args": [], "env": {"DAKTELA_URL": origin}});
    assert_eq!(home.json(DESKTOP), json!({"mcpServers": {"daktela": entry}}));
    assert_eq!(
        home.json(CURSOR),
        json!({"mcpServers": {"files": {"command": "npx"}, "daktela": entry}})
    );
    assert_eq!(home.read(&format!("{CURSOR}.backup-1")), before);
    // As the client starts it, with a call in place of a conversation.
    let call = || {
        let mut command = home.command(entry["command"].as_str().expect("a path"));
        command.env("DAKTELA_URL", &origin).args(["call", "count_tickets"]);
        said_by(&mut command)
    };
    assert_eq!(call(), (Some(0), "244 tickets (without merged tickets)\n".to_owned()));
    let (code, said) = home.setup(&[], &["--remove", "--yes"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(home.read(CURSOR), before);
    assert_eq!(home.json(DESKTOP), json!({"mcpServers": {}}));
    assert!(!home.path(TOKENS).exists());
    let (code, said) = call();
    assert!(code == Some(2) && said.contains("no credential is given"), "{said}");
}

fn said_by(command: &mut Command) -> (Option<i32>, String) {
    said(&command.output().expect("the program runs"))
}

/// The arguments and variables for a setup without questions.
fn unasked<'a>(origin: &'a str, token: &'a str) -> [(&'a str, &'a str); 2] {
    [("DAKTELA_URL", origin), ("DAKTELA_ACCESS_TOKEN", token)]
}

#[test]
fn a_token_that_is_refused_is_asked_for_again_and_never_kept() {
    let (home, demo) = (Home::new("refused"), Demo::start().expect("a demo instance"));
    home.has(CURSOR, "{}");
    let origin = demo.origin();
    let (code, said) = home.setup(&unasked(&origin, "wrong"), &["--yes"], &[]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("refuses the credential. Copy the API token anew") || said.contains("does not know the"),
        "{said}"
    );
    assert_eq!(home.files(), [CURSOR]);
    let (code, said) = home.setup(&[], &[], &[&origin, "wrong", &origin, TOKEN, "1", ""]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Once more."), "{said}");
    assert_eq!(home.files(), [TOKENS, CURSOR, ".cursor/mcp.json.backup-1"]);
}

#[test]
fn whoever_does_not_agree_or_goes_away_leaves_everything_as_it_was() {
    let (home, demo) = (Home::new("no"), Demo::start().expect("a demo instance"));
    home.has(CURSOR, "{}");
    let origin = demo.origin();
    for (lines, why) in [
        (
            &[&*origin, TOKEN, "1", "n"][..],
            "nothing was written and no token was kept",
        ),
        (&[&*origin, TOKEN, "1"][..], "the input ended before setup did"),
        (&[&*origin][..], "the input ended before setup did"),
        (
            &["http://acme.daktela.com", "", "gopher://x"][..],
            "no address was given",
        ),
    ] {
        let (code, said) = home.setup(&[], &[], lines);
        assert!(code != Some(0) && said.contains(why), "{lines:?}: {said}");
        assert_eq!(home.files(), [CURSOR]);
    }
}

/// Comments, trailing commas, tabs, numbers that no program could hold, the ends of lines of Windows and its byte order mark.
#[test]
fn everything_else_in_a_file_stays_byte_for_byte() {
    let home = Home::new("bytes");
    let before = "\u{feff}{\r\n\t// mine\r\n\t\"servers\": {\r\n\t\t\"other\": { \"command\": \"x\", \"n\": 12345678901234567890123, },\r\n\t},\r\n\t\"inputs\": [ ], /* later */\r\n}\r\n";
    home.has(VS_CODE, before);
    let (code, said) = home.setup(&[], &["--demo", "--client", "vscode", "--yes"], &[]);
    assert_eq!(code, Some(0), "{said}");
    let after = home.read(VS_CODE);
    let (start, rest) = before
        .split_once("\r\n\t},\r\n\t\"inputs\"")
        .expect("the end of the servers");
    assert!(after.starts_with(start) && after.ends_with(rest), "{after}");
    let added = &after[start.len()..after.len() - rest.len()];
    assert!(
        added.contains(r#""daktela": {"#) && added.contains(r#""args": ["--demo"]"#),
        "{added}"
    );
    assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");
    let (code, said) = home.setup(&[], &["--remove", "--yes"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(home.read(VS_CODE), before);
}

#[test]
fn a_file_that_is_not_understood_is_left_alone() {
    let (home, demo) = (Home::new("broken"), Demo::start().expect("a demo instance"));
    for (text, why) in [
        ("{\"mcpServers\": {", "is no JSON: "),
        ("[]", "the whole of it is no JSON object"),
        ("{\"mcpServers\": []}", "\"mcpServers\" is no JSON object"),
        (
            "{\"mcpServers\": {}, \"mcpServers\": {}}",
            "has the key \"mcpServers\" twice",
        ),
    ] {
        home.has(CURSOR, text);
        let (code, said) = home.setup(&unasked(&demo.origin(), TOKEN), &["--yes"], &[]);
        assert!(code == Some(1) && said.contains(why), "{text}: {said}");
        assert!(
            said.contains("Nothing was written") && said.contains("\"DAKTELA_URL\""),
            "{said}"
        );
        assert_eq!(
            (home.read(CURSOR), home.files()),
            (text.to_owned(), vec![CURSOR.to_owned()])
        );
    }
}

#[test]
fn a_second_setup_changes_nothing() {
    let home = Home::new("twice");
    let setup = || {
        home.setup(
            &[],
            &["--demo", "--client", "claude-code", "--client", "gemini", "--yes"],
            &[],
        )
    };
    assert_eq!(setup().0, Some(0));
    let files = [".claude.json", ".gemini/settings.json"];
    let first = files.map(|file| home.read(file));
    let (code, said) = setup();
    assert!(
        code == Some(0) && said.contains("Claude Code has this entry already"),
        "{said}"
    );
    assert_eq!(files.map(|file| home.read(file)), first);
    assert_eq!(home.files(), files);
    let entry = json!({"type": "stdio", "command": PROGRAM, "args": ["--demo"]});
    assert_eq!(home.json(".claude.json"), json!({"mcpServers": {"daktela": entry}}));
}

/// Somebody wrote it by hand, for a container, say.
#[test]
fn an_entry_of_the_same_name_is_shown_before_it_is_replaced_and_not_removed() {
    let home = Home::new("foreign");
    let foreign = r#"{"mcpServers": {"daktela": {"command": "docker"}}}"#;
    home.has(CURSOR, foreign);
    let (code, said) = home.setup(&[], &["--remove", "--yes"], &[]);
    assert!(
        code == Some(0) && said.contains("that starts something else; it stays"),
        "{said}"
    );
    assert_eq!(home.read(CURSOR), foreign);
    let (code, said) = home.setup(&[], &["--demo", "--client", "cursor", "--yes"], &[]);
    assert!(
        code == Some(0) && said.contains("\"docker\"") && said.contains("is replaced by"),
        "{said}"
    );
    assert_eq!(home.read(&format!("{CURSOR}.backup-1")), foreign);
    assert_eq!(home.json(CURSOR)["mcpServers"]["daktela"]["command"], PROGRAM);
}

#[test]
fn a_token_stays_as_long_as_an_entry_needs_it() {
    let (home, demo) = (Home::new("shared"), Demo::start().expect("a demo instance"));
    let origin = demo.origin();
    let clients = ["--client", "cursor", "--client", "gemini", "--yes"];
    assert_eq!(home.setup(&unasked(&origin, TOKEN), &clients, &[]).0, Some(0));
    assert_eq!(
        home.setup(&[], &["--remove", "--client", "cursor", "--yes"], &[]).0,
        Some(0)
    );
    assert_eq!(home.json(TOKENS), json!({&*origin: TOKEN}));
    assert_eq!(home.setup(&[], &["--remove", "--yes"], &[]).0, Some(0));
    assert!(!home.path(TOKENS).exists());
}

#[test]
fn a_file_of_tokens_is_closed_to_others_or_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (home, demo) = (Home::new("mode"), Demo::start().expect("a demo instance"));
    let origin = demo.origin();
    let (code, said) = home.setup(
        &unasked(&origin, TOKEN),
        &["--client", "cursor", "--store", "file", "--yes"],
        &[],
    );
    assert_eq!(code, Some(0), "{said}");
    let tokens = home.path(TOKENS);
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&tokens), 0o600);
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o644)).expect("its mode");
    let mut command = home.command(PROGRAM);
    command.env("DAKTELA_URL", &origin).args(["call", "count_tickets"]);
    let (code, said) = said_by(&mut command);
    assert!(code == Some(2) && said.contains("chmod 600 '"), "{said}");
}

#[test]
fn without_questions_everything_has_to_be_given() {
    let home = Home::new("unasked");
    let (code, said) = home.setup(&[], &["--yes"], &[]);
    assert!(code == Some(2) && said.contains("DAKTELA_ACCESS_TOKEN"), "{said}");
    let login = [
        ("DAKTELA_URL", "https://acme.daktela.com"),
        ("DAKTELA_USERNAME", "jan"),
        ("DAKTELA_PASSWORD", "p"),
    ];
    let (code, said) = home.setup(&login, &["--yes"], &[]);
    assert!(code == Some(2) && said.contains("setup takes an API token"), "{said}");
    assert_eq!(home.files(), [""; 0]);
}

/// In a terminal of its own, which `script` gives it: what is typed for the token does not come back.
#[test]
fn a_token_does_not_show_on_a_terminal() {
    let (home, demo) = (Home::new("terminal"), Demo::start().expect("a demo instance"));
    home.has(CURSOR, "{}");
    let mut command = home.command("script");
    command
        .args(["--quiet", "--flush", "--return", "--echo", "never", "--command"])
        .arg(format!("'{PROGRAM}' setup --client cursor"))
        .arg("/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("script of util-linux");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = child.stdout.take().expect("a pipe");
    let mut shown = String::new();
    for (question, typed) in [
        ("https://acme.daktela.com): ", demo.origin()),
        ("while you paste it): ", TOKEN.to_owned()),
        ("[Y/n] ", "y".to_owned()),
    ] {
        read_until(&mut output, &mut shown, question);
        input.write_all(format!("{typed}\r").as_bytes()).expect("it reads");
    }
    read_until(&mut output, &mut shown, "undoes all this.");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    assert!(!shown.contains(TOKEN), "{shown}");
    assert_eq!(home.json(TOKENS), json!({&*demo.origin(): TOKEN}));
}

fn read_until(output: &mut impl std::io::Read, shown: &mut String, end: &str) {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&bytes).contains(end) {
        let read = output.read(&mut byte).expect("its output");
        assert_ne!(
            read,
            0,
            "it ended before {end:?}: {shown}{}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.extend(byte);
    }
    shown.push_str(&String::from_utf8_lossy(&bytes));
}
