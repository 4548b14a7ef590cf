//! Replay protection and revocation across replicas, with a shared Redis and without.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Demo, PASSWORD, TOKEN, USERNAME};
use serde_json::json;

use super::{CALLBACK, SECRET, Site, Tokens};
use crate::{
    egress::tls::Authority,
    server_harness::{Ask, Reply, Served},
    skip::skipped,
};

const REDIS_PASSWORD: &str = "kolobezka-28";
const PATIENCE: Duration = Duration::from_secs(30);

/// A `redis-server` of the test's own. What it was told outlives its process, and the folder does not outlive the test.
struct Redis {
    child: Child,
    port: u16,
    folder: PathBuf,
    /// Certificate and key, where it speaks TLS.
    tls: Option<[String; 2]>,
}

impl Redis {
    /// `None`, and a word about it, where the machine has none.
    fn start() -> Option<Self> {
        Self::start_with(None)
    }

    fn start_with(tls: Option<[String; 2]>) -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        if Command::new("redis-server").arg("--version").output().is_err() {
            skipped(
                "replicas with Redis",
                "there is no redis-server (Debian: apt-get install redis-server)",
            );
            return None;
        }
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mcp-daktela-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        Some(Redis {
            child: spawn(port, &folder, tls.as_ref()),
            port,
            folder,
            tls,
        })
    }

    fn url(&self) -> String {
        format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{}", self.port)
    }

    fn stop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("a process");
    }

    fn restart(&mut self) {
        self.child = spawn(self.port, &self.folder, self.tls.as_ref());
    }

    /// Each key with its value, and the seconds for which it is kept.
    fn entries(&self) -> Vec<(String, String, i64)> {
        let client = redis::Client::open(self.url()).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).expect("keys");
        let entry = |key: String| {
            let value = redis::cmd("GET").arg(&key).query(&mut connection).expect("a text");
            let seconds = redis::cmd("TTL").arg(&key).query(&mut connection).expect("a number");
            (key, value, seconds)
        };
        keys.into_iter().map(entry).collect()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(port: u16, folder: &Path, tls: Option<&[String; 2]>) -> Child {
    let mut command = Command::new("redis-server");
    match tls {
        None => command.args(["--port", &port.to_string()]),
        Some([certificate, key]) => command
            .args([
                "--port",
                "0",
                "--tls-port",
                &port.to_string(),
                "--tls-auth-clients",
                "no",
            ])
            .args(["--tls-cert-file", certificate, "--tls-key-file", key]),
    };
    let child = command
        .args(["--bind", "127.0.0.1", "--requirepass", REDIS_PASSWORD])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server starts");
    until("Redis listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    child
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Two replicas that share a Redis.
fn replicas(redis: &str, more: &[(&str, &str)]) -> Site {
    let ours = [
        ("OAUTH_SECRET", SECRET),
        ("PUBLIC_URL", "http://localhost:8443"),
        ("REDIS_URL", redis),
    ];
    let site = Site {
        replicas: (0..2).map(|_| Served::start(&[&ours, more].concat())).collect(),
        host: "localhost:8443".to_owned(),
        turn: AtomicUsize::new(0),
    };
    for replica in &site.replicas {
        assert_eq!(replica.log("redis_answers", 1).len(), 1, "{}", replica.whole_log());
    }
    site
}

impl Site {
    /// The next request goes to this replica.
    fn at(&self, replica: usize) -> &Self {
        self.turn.store(replica, Ordering::Relaxed);
        self
    }
}

/// Status and words of a refusal by the token endpoint.
fn refusal(reply: &Reply) -> (u16, String, String) {
    let json = reply.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (reply.status, text("error"), text("error_description"))
}

fn refused(status: u16, error: &str, words: &str) -> (u16, String, String) {
    (status, error.to_owned(), words.to_owned())
}

#[test]
fn two_replicas_serve_one_user_through_login_calls_and_refresh() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::replicas(2);
    let client = site.client(CALLBACK);
    let mut tokens = site.tokens(&client, &demo);
    for _ in 0..3 {
        assert!(site.call(&tokens.access).text().contains("244"));
        assert!(site.call(&tokens.access).text().contains("244"));
        tokens = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    }
}

#[test]
fn a_code_that_one_replica_used_is_refused_by_the_other() {
    let Some(redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[]);
    let client = site.client(CALLBACK);
    let code = site.code(&client, &demo);
    let tokens = Tokens::read(&site.at(0).exchange(&client, &code, &[]));
    assert!(site.at(1).call(&tokens.access).text().contains("244"));
    assert_eq!(
        refusal(&site.at(1).exchange(&client, &code, &[])),
        refused(
            400,
            "invalid_grant",
            "The code was used before; what came of it is revoked."
        )
    );
    for replica in 0..2 {
        assert_eq!(site.at(replica).call(&tokens.access).status, 401);
        assert_eq!(
            refusal(&site.at(replica).refresh(&client, &tokens.refresh, &[])),
            refused(400, "invalid_grant", "The token is revoked; log in anew.")
        );
    }
}

#[test]
fn a_refresh_token_that_one_replica_used_is_found_out_by_the_other() {
    let Some(redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[("OAUTH_REFRESH_REUSE_SECONDS", "1")]);
    let client = site.client(CALLBACK);
    let first = site.tokens(&client, &demo);
    let second = Tokens::read(&site.at(0).refresh(&client, &first.refresh, &[]));
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(
        refusal(&site.at(1).refresh(&client, &first.refresh, &[])),
        refused(
            400,
            "invalid_grant",
            "The token was used before; all that came of it is revoked. Log in anew."
        )
    );
    assert_eq!(
        refusal(&site.at(0).refresh(&client, &second.refresh, &[])),
        refused(400, "invalid_grant", "The token is revoked; log in anew.")
    );
    assert_eq!(site.at(0).call(&second.access).status, 401);
}

#[test]
fn an_answer_that_was_lost_is_given_again_by_any_replica() {
    let Some(redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    demo.take_requests();
    let replies: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| site.refresh(&client, &tokens.refresh, &[]).body))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert!(
        replies
            .iter()
            .all(|reply| *reply == replies[0] && reply.contains("access_token")),
        "{replies:?}"
    );
    let logins = demo
        .take_requests()
        .iter()
        .filter(|request| request.path == "login")
        .count();
    assert_eq!(logins, 1);
}

#[test]
fn what_one_replica_revokes_is_refused_by_the_other() {
    let Some(redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    assert_eq!(
        site.at(0)
            .ask(Ask::form("/revoke", &[("token", &tokens.access)]))
            .status,
        200
    );
    assert_eq!(site.at(1).call(&tokens.access).status, 401);
}

#[test]
fn redis_learns_no_secret() {
    let Some(redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    assert_eq!(site.ask(Ask::form("/revoke", &[("token", &next.refresh)])).status, 200);
    let mut kinds = Vec::new();
    for (key, value, seconds) in redis.entries() {
        let kind = key.split(':').nth(1).expect("a kind").to_owned();
        let id = key.split(':').nth(2).expect("an id");
        assert!(id.len() == 22 && key == format!("mcp-daktela:{kind}:{id}"), "{key}");
        let (fits, kept) = match kind.as_str() {
            "code" => (value.is_empty(), 120),
            // How often it was refreshed.
            "family" => (value == "1", 30 * 24 * 3600),
            "revoked" => (value.is_empty(), 90 * 24 * 3600),
            // Sealed; who reads Redis has no key to it.
            "answer" => (value.starts_with("mdanswer_"), 60),
            _ => (false, 0),
        };
        assert!(fits && (kept - 30..=kept).contains(&seconds), "{key} {value} {seconds}");
        let secrets = [PASSWORD, USERNAME, TOKEN, SECRET, &*demo.origin()];
        for secret in secrets
            .into_iter()
            .chain([&*next.access, &next.refresh, &tokens.access, &tokens.refresh])
        {
            assert!(!key.contains(secret) && !value.contains(secret), "{key}");
        }
        kinds.push(kind);
    }
    kinds.sort();
    assert_eq!(kinds, ["answer", "code", "family", "revoked"]);
    for replica in &site.replicas {
        assert!(!replica.whole_log().contains(REDIS_PASSWORD));
    }
}

#[test]
fn redis_is_reached_over_tls() {
    let authority = Authority::new();
    let files = authority.certify("localhost", false).write(&authority);
    let Some(redis) = Redis::start_with(Some(files)) else {
        return;
    };
    let demo = Demo::start().expect("a demo instance");
    let url = format!("rediss://:{REDIS_PASSWORD}@localhost:{}", redis.port);
    let site = replicas(&url, &[("SSL_CERT_FILE", &authority.file())]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    assert_eq!(
        site.at(0)
            .ask(Ask::form("/revoke", &[("token", &tokens.access)]))
            .status,
        200
    );
    assert_eq!(site.at(1).call(&tokens.access).status, 401);
    // A Redis whose certificate nobody vouches for is none.
    let stranger = Served::start(&[("OAUTH_SECRET", SECRET), ("REDIS_URL", &url)]);
    assert_eq!(stranger.log("redis_away", 1).len(), 1);
}

#[test]
fn without_redis_oauth_is_refused_and_other_callers_are_served() {
    const LATER: &str = "The server cannot look up what was used before; try again in a minute.";
    let Some(mut redis) = Redis::start() else { return };
    let demo = Demo::start().expect("a demo instance");
    let site = replicas(&redis.url(), &[]);
    let client = site.client(CALLBACK);
    let spare = site.code(&client, &demo);
    let revoked = site.tokens(&client, &demo);
    let tokens = site.tokens(&client, &demo);
    assert_eq!(
        site.ask(Ask::form("/revoke", &[("token", &revoked.refresh)])).status,
        200
    );

    redis.stop();
    for replica in &site.replicas {
        let [away] = &replica.log("redis_away", 1)[..] else {
            panic!("{}", replica.whole_log())
        };
        assert_eq!(
            away["meaning"],
            "OAuth is refused until Redis answers; credentials in headers are served"
        );
    }
    for replica in 0..2 {
        let call = site.at(replica).call(&tokens.access);
        assert_eq!(
            (call.status, call.json()["error"]["message"].as_str()),
            (
                503,
                Some("Whether the token was revoked cannot be looked up just now; try again in a minute.")
            )
        );
        let later = refused(503, "temporarily_unavailable", LATER);
        assert_eq!(refusal(&site.at(replica).exchange(&client, &spare, &[])), later);
        assert_eq!(refusal(&site.at(replica).refresh(&client, &tokens.refresh, &[])), later);
        let revocation = Ask::form("/revoke", &[("token", &tokens.refresh)]);
        assert_eq!(refusal(&site.at(replica).ask(revocation)), later);
        let page = site.at(replica).authorize(&client, &[]);
        assert!(page.status == 503 && page.body.contains("Logging in is not possible just now."));
        let with_headers = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
        assert!(site.at(replica).ask(with_headers).text().contains("244"));
        let ready = site.at(replica).ask(Ask::get("/readyz"));
        assert_eq!(
            (ready.status, ready.body.as_str()),
            (
                200,
                "ready, but Redis does not answer: OAuth is refused until it does\n"
            )
        );
    }

    redis.restart();
    for replica in 0..2 {
        until("the replica is ready", || {
            site.at(replica).ask(Ask::get("/readyz")).body == "ready\n"
        });
        assert!(site.at(replica).call(&tokens.access).text().contains("244"));
        assert_eq!(site.at(replica).call(&revoked.access).status, 401);
    }
    let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    assert!(site.call(&next.access).text().contains("244"));
    assert!(!site.replicas[0].whole_log().contains(REDIS_PASSWORD));
}

/// A server by itself, which a restart finds as it was.
#[test]
fn a_state_file_outlives_a_restart() {
    let demo = Demo::start().expect("a demo instance");
    let file = std::env::temp_dir().join(format!("mcp-daktela-state-{}", std::process::id()));
    let path = file.to_str().expect("UTF-8").to_owned();
    let variables = [
        ("PUBLIC_URL", "http://localhost:8443"),
        ("OAUTH_STATE_FILE", path.as_str()),
        ("OAUTH_REFRESH_REUSE_SECONDS", "600"),
    ];
    let start = || Site::start_at(&variables, "localhost:8443");
    let site = start();
    let client = site.client(CALLBACK);
    let (good, revoked, used) = (
        site.tokens(&client, &demo),
        site.tokens(&client, &demo),
        site.tokens(&client, &demo),
    );
    assert_eq!(
        site.ask(Ask::form("/revoke", &[("token", &revoked.refresh)])).status,
        200
    );
    assert_eq!(site.call(&revoked.access).status, 401);
    let next = Tokens::read(&site.refresh(&client, &used.refresh, &[]));
    let code = site.code(&client, &demo);
    assert_eq!(site.exchange(&client, &code, &[]).status, 200);
    let log = site.replicas[0].whole_log();
    assert!(!log.contains("oauth_store_in_memory"), "{log}");

    drop(site);
    let site = start();
    assert_eq!(site.call(&revoked.access).status, 401);
    assert_eq!(site.refresh(&client, &revoked.refresh, &[]).status, 400);
    assert_eq!(site.call(&good.access).status, 200);
    assert_eq!(site.refresh(&client, &good.refresh, &[]).status, 200);
    assert_eq!(site.exchange(&client, &code, &[]).status, 400);
    // Used before: somebody has a copy, so the whole login ends.
    assert_eq!(site.call(&next.access).status, 200);
    assert_eq!(site.refresh(&client, &used.refresh, &[]).status, 400);
    assert_eq!(site.call(&next.access).status, 401);

    // The file is one process's.
    let output = crate::program::command(&[
        ("MCP_TRANSPORT", "streamable-http"),
        ("PORT", "0"),
        ("OAUTH_SECRET", SECRET),
        ("OAUTH_STATE_FILE", &path),
    ])
    .output()
    .expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        output.status.code() == Some(2) && said.contains("another process uses it"),
        "{said}"
    );
    drop(site);
    let kept = fs::read_to_string(&file).expect("a file");
    assert!(
        !kept.contains(PASSWORD) && !kept.contains(USERNAME) && kept.lines().count() >= 4,
        "{kept}"
    );
    fs::remove_file(file).expect("a file");
}
