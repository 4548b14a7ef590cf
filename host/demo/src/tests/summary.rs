//! One-line summaries of requests, as the cases show them.

use super::{fields, filter, try_get};
use crate::{Demo, TOKEN, USERNAME};

/// The summary of one request.
fn check(path: &str, wanted: &str) {
    let demo = Demo::start().unwrap();
    try_get(&demo, TOKEN, path).unwrap();
    let requests = demo.take_requests();
    assert_eq!(
        requests
            .iter()
            .map(|request| request.summary.as_str())
            .collect::<Vec<_>>(),
        [wanted]
    );
    assert!(demo.take_requests().is_empty());
}

#[test]
fn a_request_reads_as_one_line() {
    let query = filter(
        "stage eq OPEN; user eq jan.novak; id_merge isnull; name in 1|2|3|4; created between 2026-11-01|2026-11-02",
    );
    check(
        &format!(
            "tickets.json?{query}&sort[0][field]=edited&sort[0][dir]=desc&skip=0&take=50&{}",
            fields("name,title,user.title")
        ),
        "GET tickets  stage eq OPEN, user eq jan.novak, id_merge isnull, name in [1, 2, 3, … 4 in all], \
         created between 2026-11-01..2026-11-02  sort edited desc  skip 0 take 50  fields name,title,user.title",
    );
    check(
        "contacts/eshop%2F1001%20%237%2Btest.json",
        "GET contacts/eshop/1001 #7+test",
    );
    check("articles?q=E07+chyba&take=5", "GET articles  take 5  q \"E07 chyba\"");
    check("whoim.json", "GET whoim");
}

#[test]
fn groups_read_with_brackets() {
    let query = "filter[logic]=and&filter[filters][0][field]=stage&filter[filters][0][operator]=eq&filter[filters][0][value]=OPEN\
        &filter[filters][1][logic]=or&filter[filters][1][filters][0][field]=user&filter[filters][1][filters][0][operator]=isnull\
        &filter[filters][1][filters][1][field]=title&filter[filters][1][filters][1][operator]=like&filter[filters][1][filters][1][value]=%25a%25";
    check(
        &format!("tickets?{query}"),
        "GET tickets  stage eq OPEN, (user isnull or title like %a%)",
    );
}

#[test]
fn what_makes_no_sense_is_shown_as_it_came() {
    check("tickets?filter[stage]=OPEN", r#"GET tickets  filter {"stage":"OPEN"}"#);
}

#[test]
fn a_record_tells_who_asked_and_how() {
    let demo = Demo::start().unwrap();
    try_get(&demo, TOKEN, "users/jan%2Enovak.json").unwrap();
    try_get(&demo, "wrong", "tickets").unwrap();
    let requests = demo.take_requests();
    assert_eq!(requests[0].raw, "/api/v6/users/jan%2Enovak.json");
    assert_eq!((&*requests[0].method, &*requests[0].path), ("GET", "users/jan.novak"));
    assert_eq!(requests[0].user.as_deref(), Some(USERNAME));
    assert_eq!(requests[1].user, None);
    assert!(requests[0].headers.contains(&("x-auth-token".into(), TOKEN.into())));
}
