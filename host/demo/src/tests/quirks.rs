//! Quirks: each switch changes the dialect of the API as its name says.

use serde_json::{Value, json};

use super::{fields, filter, names, with};
use crate::*;

const TICKET: &str = "tickets/787258";

fn build(change: impl Fn(&mut Quirks)) -> Quirks {
    let mut quirks = Quirks::default();
    change(&mut quirks);
    quirks
}

#[test]
fn unknown_and_dotted_fields_differ() {
    let wanted = format!("{TICKET}?{}", fields("name,colour,user.title"));
    let ignoring = build(|quirks| quirks.unknown_field = UnknownField::Ignored);
    assert_eq!(
        with(ignoring, &wanted).result(),
        json!({"name": 787_258, "user": {"title": "Eva Dvořáková"}})
    );
    let dotted = format!("{TICKET}?{}", fields("name,user.title"));
    let absent = build(|quirks| quirks.dotted_fields = DottedFields::Absent);
    assert_eq!(with(absent, &dotted).result(), json!({"name": 787_258}));
    assert_eq!(
        with(build(|quirks| quirks.dotted_fields = DottedFields::Refused), &dotted).status,
        400
    );
}

#[test]
fn fields_on_single_records_differ() {
    let path = format!("{TICKET}?{}", fields("name"));
    let ignored = with(build(|quirks| quirks.single_fields = SingleFields::Ignored), &path).result();
    assert_eq!(ignored["user"]["name"], "eva.dvorakova");
    assert_eq!(
        with(build(|quirks| quirks.single_fields = SingleFields::Refused), &path).status,
        400
    );
}

#[test]
fn sys_may_not_be_picked() {
    let quirks = build(|quirks| quirks.sys_in_fields = false);
    assert_eq!(
        with(quirks, &format!("{TICKET}?{}", fields("name,_sys"))).result(),
        json!({"name": 787_258})
    );
}

#[test]
fn older_builds_lack_fields() {
    let quirks = || build(|quirks| quirks.missing_fields = vec![("tickets".into(), "isParent".into())]);
    assert_eq!(with(quirks(), TICKET).result().get("isParent"), None);
    assert_eq!(with(quirks(), &format!("{TICKET}?{}", fields("isParent"))).status, 400);
    assert_eq!(
        with(quirks(), &format!("tickets?{}", filter("isParent eq 1"))).status,
        400
    );
}

#[test]
fn dotted_filters_differ() {
    let path = format!(
        "tickets?{}&take=1&fields[0]=name",
        filter("contact.account eq account_674b6c0b2a9aa")
    );
    let build = |dotted_filters| Quirks {
        dotted_filters,
        ..Quirks::default()
    };
    assert_eq!(with(build(DottedFilters::Work), &path).result()["total"], 2);
    assert_eq!(with(build(DottedFilters::Refused), &path).status, 400);
    assert_eq!(with(build(DottedFilters::MatchNothing), &path).result()["total"], 0);
    assert!(with(build(DottedFilters::Ignored), &path).result()["total"].as_u64() > Some(200));
    let own = format!("contacts?{}", filter("customFields.email eq horakova@prace.example"));
    assert_eq!(with(build(DottedFilters::Refused), &own).result()["total"], 1);
}

#[test]
fn relations_differ() {
    let build = |relations| Quirks {
        relations,
        ..Quirks::default()
    };
    let path = "tickets/787258/activities";
    let filtered = format!("{path}?{}", filter("type eq EMAIL"));
    assert_eq!(with(build(Relations::Missing), path).status, 404);
    assert_eq!(with(build(Relations::RefuseFilters), path).status, 200);
    assert_eq!(with(build(Relations::RefuseFilters), &filtered).status, 400);
    let silent = Quirks {
        chat_messages: false,
        ..Quirks::default()
    };
    assert_eq!(with(silent, "activitiesWeb/web_ai_predani/messages").status, 404);
}

#[test]
fn data_and_total_differ() {
    let build = |change: fn(&mut Quirks)| with(build(change), "queues?take=1&fields[0]=title").result();
    let by_name = build(|quirks| quirks.data = DataShape::ByName);
    assert_eq!(by_name["data"], json!({"1001": {"title": "Podpora – příchozí"}}));
    assert_eq!(build(|quirks| quirks.total = Total::Text)["total"], "16");
    assert_eq!(build(|quirks| quirks.total = Total::Null)["total"], Value::Null);
    assert_eq!(build(|quirks| quirks.total = Total::Absent).get("total"), None);
    let none = with(
        Quirks {
            data: DataShape::ByName,
            ..Quirks::default()
        },
        &format!("queues?{}", filter("name eq 1")),
    );
    assert_eq!(none.result()["data"], json!([]));
}

#[test]
fn items_differ() {
    let build = |item| {
        with(
            Quirks {
                item,
                ..Quirks::default()
            },
            "activities/activities_dlouhy_hovor",
        )
        .result()
    };
    assert!(build(Item::Integer)["item"].is_u64());
    assert!(build(Item::Null)["item"].is_null());
}

#[test]
fn mails_kept_files_elsewhere() {
    let quirks = || Quirks {
        email_files: EmailFiles::Files,
        ..Quirks::default()
    };
    let email = with(quirks(), "activitiesEmail/emails_ram_1").result();
    assert_eq!(
        (email["files"].as_array().unwrap().len(), email.get("attachments")),
        (3, None)
    );
    assert_eq!(with(quirks(), "activitiesEmail/emails_ram_1/attachments").status, 404);
    assert_eq!(
        with(quirks(), "activitiesEmail/emails_ram_1/files").result()["total"],
        3
    );
    assert_eq!(
        with(quirks(), &format!("activitiesEmail?{}", fields("attachments"))).status,
        400
    );
    assert_eq!(
        with(quirks(), &format!("activitiesEmail?{}", fields("files"))).status,
        200
    );
    assert_eq!(
        with(Quirks::default(), "activitiesEmail/emails_ram_1/files").status,
        404
    );
}

#[test]
fn lists_of_calls_and_alternatives_may_be_refused() {
    let path = format!("activitiesCallTranscripts?{}", filter("activity in a|b"));
    assert_eq!(
        with(
            Quirks {
                transcripts_in: false,
                ..Quirks::default()
            },
            &path
        )
        .status,
        400
    );
    let or = "tickets?filter[logic]=or&filter[filters][0][field]=stage&filter[filters][0][operator]=eq&filter[filters][0][value]=OPEN";
    assert_eq!(
        with(
            Quirks {
                or_groups: false,
                ..Quirks::default()
            },
            or
        )
        .status,
        400
    );
    assert_eq!(with(Quirks::default(), or).status, 200);
}

#[test]
fn the_clock_may_be_missing_or_elsewhere() {
    let body = with(
        Quirks {
            server_time: false,
            ..Quirks::default()
        },
        "queues?take=1",
    )
    .json();
    assert_eq!(
        (body.get("_serverTime"), body.get("_timezone"), &body["_time"]),
        (None, None, &json!(NOW))
    );
    let zone = Quirks {
        time_zone: "Europe/Bucharest".into(),
        ..Quirks::default()
    };
    assert_eq!(with(zone, "queues?take=1").json()["_timezone"], "Europe/Bucharest");
}

#[test]
fn a_running_instance_can_become_another_build() {
    let demo = Demo::start().unwrap();
    let path = "users?take=1&fields[0]=name";
    let ask = || super::try_get(&demo, TOKEN, path).unwrap();
    assert_eq!(names(&ask()), "lucie.kralova of 20");
    demo.set_quirks(Quirks {
        total: Total::Null,
        ..Quirks::default()
    });
    assert_eq!(names(&ask()), "lucie.kralova of null");
}
