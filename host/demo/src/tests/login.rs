//! Login: ways to send the credentials, and tokens that expire.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{Answer, DEMO, agent, filter, read, total, try_get};
use crate::{
    AGENT_PASSWORD, AGENT_TOKEN, AGENT_USERNAME, Demo, LoginAnswer, PASSWORD, Quirks, READERS, SSO_TOKEN, TOKEN,
    USERNAME, reader_token,
};

fn send(demo: &Demo, method: &str, content_type: &str, path: &str, body: &str) -> Answer {
    let address = format!("{}/api/v6/{path}", demo.origin());
    let request = if method == "PUT" {
        agent().put(&address)
    } else {
        agent().post(&address)
    };
    read(request.header("content-type", content_type).send(body).unwrap()).unwrap()
}

fn log_in(demo: &Demo, more: &str) -> Answer {
    let body = format!(r#"{{"username":"{USERNAME}","password":"{PASSWORD}"{more}}}"#);
    send(demo, "POST", "application/json", "login.json", &body)
}

fn status(demo: &Demo, token: &Value) -> u16 {
    try_get(demo, token.as_str().unwrap(), "tickets?take=1").unwrap().status
}

#[test]
fn json_form_and_query_all_log_in() {
    let demo = Demo::start().unwrap();
    let result = log_in(&demo, "").result();
    assert_eq!(result["accessTokenExpirationDate"], "2026-11-20 18:30:00");
    assert_eq!(result["user"]["title"], "Lucie Králová");
    assert_eq!(status(&demo, &result["accessToken"]), 200);
    let form = format!("username={USERNAME}&password={PASSWORD}");
    let by_form = send(&demo, "POST", "application/x-www-form-urlencoded", "login", &form).result();
    assert_eq!(status(&demo, &by_form["accessToken"]), 200);
    let by_query = send(&demo, "POST", "text/plain", &format!("login.json?{form}"), "").result();
    assert_eq!(status(&demo, &by_query["accessToken"]), 200);
    assert_ne!(by_form["accessToken"], by_query["accessToken"]);
}

#[test]
fn wrong_missing_and_former_credentials_are_refused() {
    let login = |body: &str| send(&DEMO, "POST", "application/json", "login.json", body);
    for body in [
        r#"{"username":"lucie.kralova","password":"wrong"}"#,
        r#"{"username":"nobody","password":"wrong"}"#,
        r#"{"username":"karel.zeman","password":"byvaly-kolega"}"#,
        r#"{"username":"martin.hora","password":""}"#,
    ] {
        let answer = login(body);
        assert_eq!((answer.status, answer.bytes.len()), (401, 0), "{body}");
    }
    assert_eq!(login("{}").json()["error"]["form"]["username"], "Entry is required");
}

#[test]
fn no_two_readers_see_the_same() {
    for model in ["tickets", "users"] {
        let seen: HashSet<String> = (0..READERS)
            .map(|number| {
                let path = format!("{model}?take=1000&fields[0]=name");
                let answer = try_get(&DEMO, &reader_token(number), &path).unwrap().result();
                assert_ne!(answer["total"], 0, "reader {number} sees no {model}");
                answer["data"].to_string()
            })
            .collect();
        assert_eq!(seen.len() as u64, READERS, "{model}");
    }
    assert_eq!(try_get(&DEMO, &reader_token(READERS), "users").unwrap().status, 401);
}

#[test]
fn a_refresh_token_serves_once() {
    let demo = Demo::start().unwrap();
    let first = log_in(&demo, "").result();
    let body = json!({"refreshToken": first["refreshToken"]}).to_string();
    let second = send(&demo, "PUT", "application/json", "login.json", &body);
    assert_eq!(status(&demo, &second.result()["accessToken"]), 200);
    assert_eq!(send(&demo, "PUT", "application/json", "login.json", &body).status, 401);
}

#[test]
fn a_token_from_login_dies_and_a_static_one_does_not() {
    let demo = Demo::start_with(Quirks {
        token_lifetime: Duration::from_millis(50),
        ..Quirks::default()
    })
    .unwrap();
    let token = log_in(&demo, "").result()["accessToken"].take();
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(status(&demo, &token), 401);
    assert_eq!(status(&demo, &json!(TOKEN)), 200);
}

#[test]
fn older_builds_answer_with_the_bare_token() {
    let build = |login| {
        Demo::start_with(Quirks {
            login,
            ..Quirks::default()
        })
        .unwrap()
    };
    let asked = build(LoginAnswer::TokenWhenAsked);
    assert!(log_in(&asked, "").result().is_object());
    assert_eq!(status(&asked, &log_in(&asked, r#","only_token":1"#).result()), 200);
    let always = build(LoginAnswer::AlwaysToken);
    assert_eq!(status(&always, &log_in(&always, "").result()), 200);
    assert!(log_in(&DEMO, r#","only_token":1"#).result().is_object());
}

#[test]
fn the_token_travels_in_header_query_or_cookie() {
    let address = format!("{}/api/v6/tickets?take=1", DEMO.origin());
    let status =
        |request: ureq::RequestBuilder<ureq::typestate::WithoutBody>| request.call().unwrap().status().as_u16();
    assert_eq!(status(agent().get(&address)), 401);
    assert_eq!(status(agent().get(&address).header("X-AUTH-TOKEN", TOKEN)), 200);
    assert_eq!(status(agent().get(format!("{address}&accessToken={TOKEN}"))), 200);
    assert_eq!(
        status(
            agent()
                .get(&address)
                .header("cookie", format!("lang=cs; c_user={TOKEN}"))
        ),
        200
    );
    assert_eq!(status(agent().get(&address).header("X-Access-Token", TOKEN)), 401);
}

#[test]
fn whoim_answers_everybody_and_names_those_it_knows() {
    let nobody = try_get(&DEMO, "wrong", "whoim.json").unwrap().result();
    assert!(nobody["user"].is_null() && nobody["version"]["current"].is_string());
    let lead = try_get(&DEMO, TOKEN, "whoim").unwrap().result();
    assert_eq!(
        (&lead["user"]["name"], &lead["user"]["_sys"]["accessToken"]),
        (&json!(USERNAME), &json!(TOKEN))
    );
    assert_eq!(
        try_get(&DEMO, SSO_TOKEN, "whoim").unwrap().result()["user"]["title"],
        "Martin Hora"
    );
}

#[test]
fn rights_narrow_models_and_rows() {
    let agent = |path: &str| try_get(&DEMO, AGENT_TOKEN, path).unwrap();
    for (path, status) in [
        ("crmRecords", 403),
        ("articles", 403),
        ("activitiesCall?take=1", 200),
        ("contacts?take=1", 200),
    ] {
        assert_eq!(agent(path).status, status, "{path}");
    }
    assert_eq!(agent("contacts/contact_clarke/crmRecords").status, 403);
    let technical = total(&format!("tickets?{}&take=1", filter("category eq technicka_podpora")));
    assert_eq!(agent("tickets?take=1").result()["total"], technical);
    assert_eq!(
        (agent("tickets/787258").status, agent("tickets/787256").status),
        (200, 404)
    );
    let body = format!(r#"{{"username":"{AGENT_USERNAME}","password":"{AGENT_PASSWORD}"}}"#);
    assert_eq!(
        send(&DEMO, "POST", "application/json", "login", &body).result()["user"]["name"],
        AGENT_USERNAME
    );
}
