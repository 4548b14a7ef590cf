//! Refusal of requests that the real API refuses.

use serde_json::json;

use super::{Answer, DEMO, agent, filter, get, read, try_get, with};
use crate::{AGENT_TOKEN, Quirks, TOKEN, UnknownField};

fn refused(path: &str) -> String {
    let answer = get(path);
    assert_eq!(answer.status, 400, "{path}");
    let body = answer.json();
    assert!(body["result"].is_null() && body["_time"] == crate::NOW);
    body["error"].to_string()
}

#[test]
fn refusals_of_400_have_the_four_real_shapes() {
    assert_eq!(refused("tickets?take=1001"), r#"["Max defined take is 1000"]"#);
    assert_eq!(
        refused(&format!("tickets?{}", filter("stage nin OPEN"))),
        r#""Unknown operator nin""#
    );
    assert_eq!(
        refused("tickets?take=-1"),
        r#"{"form":{"take":"Non-negative number expected"}}"#
    );
    assert_eq!(
        refused("tickets?colour=red"),
        r#"{"primary":["Unknown parameter colour","error"]}"#
    );
}

#[test]
fn what_is_not_known_is_refused() {
    for path in [
        format!("tickets?{}", filter("colour eq red")),
        format!("tickets?{}", filter("contact.colour eq red")),
        format!("tickets?{}", filter("customFields.colour eq red")),
        format!("tickets?{}", filter("customFields eq red")),
        format!("queues?{}", filter("agents eq jan.novak")),
        format!("queues?{}", filter("options isnotnull")),
        format!("tickets?{}", filter("stage ne OPEN")),
        format!("tickets?{}", filter("title begins A")),
        format!("tickets?{}", filter("stage eq")),
        format!("tickets?{}", filter("id_merge isnull false")),
        format!("tickets?{}", filter("name between 1")),
        "tickets?filter[0][field]=stage&filter[0][operator]=in&filter[0][value]=OPEN".into(),
        "tickets?filter[0][field]=stage&filter[0][operator]=eq&filter[0][value][]=OPEN".into(),
        "tickets?filter[0][field]=stage&filter[0][value]=OPEN".into(),
        "tickets?filter[0][logic]=or&filter[0][filters][0][field]=stage".into(),
        "tickets?filter[logic]=xor&filter[filters][0][field]=stage&filter[filters][0][operator]=isnull".into(),
        "tickets?filter[stage][gte]=OPEN".into(),
        "tickets?filters[0][field]=stage".into(),
        "tickets?filter=stage".into(),
        "tickets?fields=name,title".into(),
        "tickets?take=ten".into(),
        "tickets?skip=-5".into(),
        "tickets?sort[0][field]=name&sort[0][dir]=down".into(),
        "tickets?sort=name".into(),
        "tickets/787251?take=5".into(),
        "nonsense".into(),
        "roles".into(),
    ] {
        assert!(refused(&path).len() > 5, "{path}");
    }
}

#[test]
fn an_unknown_pick_is_passed_over_or_refused() {
    for pick in [
        "tickets?fields[0]=colour",
        "tickets?fields[0]=user.colour",
        "tickets?fields[0]=title.name",
        "activitiesEmail?fields[0]=ticket",
        "realtimeSessions?fields[0]=name",
    ] {
        let first = get(&format!("{pick}&take=1")).result()["data"][0].take();
        assert_eq!(first, json!([]), "{pick}");
        let refusing = Quirks {
            unknown_field: UnknownField::Refused,
            ..Quirks::default()
        };
        assert_eq!(with(refusing, pick).status, 400, "{pick}");
    }
}

#[test]
fn an_unknown_sort_among_known_ones_still_leaves_nothing() {
    let sessions = get("realtimeSessions?sort[0][field]=name&sort[0][dir]=asc").result();
    assert_eq!(sessions["total"], 0);
}

fn empty(answer: &Answer, status: u16) {
    assert_eq!((answer.status, answer.bytes.len()), (status, 0));
}

#[test]
fn other_refusals_have_no_body() {
    empty(&try_get(&DEMO, "wrong", "tickets").unwrap(), 401);
    empty(&try_get(&DEMO, AGENT_TOKEN, "crmRecords").unwrap(), 403);
    empty(&try_get(&DEMO, AGENT_TOKEN, "articles/article_e07").unwrap(), 403);
    empty(&get("tickets/1"), 404);
    empty(&get("tickets/787251/nonsense"), 404);
    empty(&get("tickets/787251/activities/1"), 404);
    empty(&get("realtimeSessions/0"), 404);
    empty(&get("tickets/../users"), 404);
    for address in ["/", "/api/v4/tickets", "/file/recording/activities_dlouhy_hovor"] {
        let response = agent()
            .get(format!("{}{address}", DEMO.origin()))
            .header("x-auth-token", TOKEN)
            .call();
        empty(&read(response.unwrap()).unwrap(), 404);
    }
}

#[test]
fn nothing_can_be_written() {
    let address = |path: &str| format!("{}/api/v6/{path}", DEMO.origin());
    let post = agent()
        .post(address("tickets.json"))
        .header("x-auth-token", TOKEN)
        .send("{}");
    empty(&read(post.unwrap()).unwrap(), 405);
    let put = agent()
        .put(address("tickets/787251.json"))
        .header("x-auth-token", TOKEN)
        .send("{}");
    empty(&read(put.unwrap()).unwrap(), 405);
    let delete = agent()
        .delete(address("tickets/787251.json"))
        .header("x-auth-token", TOKEN)
        .call();
    empty(&read(delete.unwrap()).unwrap(), 405);
    empty(&read(agent().get(address("login.json")).call().unwrap()).unwrap(), 405);
}

#[test]
fn a_segment_is_decoded_once_and_loses_only_the_last_suffix() {
    for (path, title) in [
        ("contacts/eshop%2F1001%20%237%2Btest", json!("Šimon Bílý")),
        ("contacts/eshop%2F1001%20%237%2Btest.json", json!("Šimon Bílý")),
        ("contacts/jana.horakova%40seznam.example.json", json!("Jana Horáková")),
        ("users/jan%2Enovak.json", json!("Jan Novák")),
        ("users/jan.novak", json!("Jan Novák")),
    ] {
        assert_eq!(get(path).result()["title"], title, "{path}");
    }
    let call = get("activitiesCall/1795165201%2E00000417.json").result();
    assert_eq!(call["id_call"], "1795165201.00000417");
    empty(&get("contacts/eshop/1001"), 404);
}
