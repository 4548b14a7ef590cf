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
    assert_eq!(
        with(Quirks::default(), &wanted).result(),
        json!({"name": 787_258, "user": {"title": "Eva Dvořáková"}})
    );
    let refusing = build(|quirks| quirks.unknown_field = UnknownField::Refused);
    assert_eq!(with(refusing, &wanted).status, 400);
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
    assert_eq!(
        with(quirks(), &format!("{TICKET}?{}", fields("isParent"))).result(),
        json!([])
    );
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
        with(quirks(), &format!("activitiesEmail?take=1&{}", fields("attachments"))).result()["data"],
        json!([[]])
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

#[test]
fn picks_may_stop_at_what_is_many_or_deep() {
    let quirks = build(|quirks| quirks.dotted_fields = DottedFields::ToOne);
    let wanted = fields("name,user.title,contact.account.title,statuses.title");
    assert_eq!(
        with(quirks, &format!("{TICKET}?{wanted}")).result(),
        json!({"name": 787_258, "user": {"title": "Eva Dvořáková"}})
    );
}

#[test]
fn conditions_and_sorts_may_fail_without_a_word() {
    let count = |quirks, path: String| with(quirks, &path).result()["total"].as_u64().unwrap();
    let list = |model: &str, field: &str| vec![(model.to_owned(), field.to_owned())];
    let incoming = || format!("activitiesCall?take=1&{}", filter("direction eq out; answered eq 1"));
    let ignoring = build(|quirks| quirks.ignored_filters = list("activitiesCall", "direction"));
    assert!(count(ignoring, incoming()) > count(Quirks::default(), incoming()));
    let activity = "activities_dlouhy_hovor";
    let back = || format!("activitiesCall?take=1&{}", filter(&format!("activities eq {activity}")));
    assert_eq!(count(Quirks::default(), back()), 1);
    assert_eq!(count(build(|quirks| quirks.back_references = false), back()), 0);
    let transcripts = || {
        format!(
            "activitiesCallTranscripts?take=1&{}",
            filter(&format!("activity eq {activity}"))
        )
    };
    assert!(count(Quirks::default(), transcripts()) > 100);
    let relation = || "activitiesCall/1795165201.00000417/transcripts?take=1".to_owned();
    let by_relation = count(Quirks::default(), relation());
    assert_eq!(
        count(build(|quirks| quirks.transcripts_by_activity = false), transcripts()),
        0
    );
    assert_eq!(
        count(build(|quirks| quirks.transcripts_by_activity = false), relation()),
        by_relation
    );
    assert_eq!(count(build(|quirks| quirks.transcripts = false), relation()), 0);
    let sorted = "contacts?take=1&sort[0][field]=edited".to_owned();
    let unsortable = build(|quirks| quirks.unsortable = list("contacts", "edited"));
    assert_eq!(count(unsortable, sorted), 0);
    let number = |operator| {
        format!(
            "contacts?{}",
            filter(&format!("customFields.number {operator} 999300200"))
        )
    };
    let exact = || build(|quirks| quirks.custom_field_patterns = false);
    assert_eq!((count(exact(), number("eq")), count(exact(), number("like"))), (1, 0));
    let capped = build(|quirks| quirks.max_page = 10);
    let page = with(capped, "contacts?take=100").result();
    assert_eq!(page["data"].as_array().unwrap().len(), 10);
    assert!(page["total"].as_u64() > Some(100));
}

#[test]
fn refusals_differ() {
    let ask = |refusals, token, path: &str| {
        let demo = Demo::start_with(build(|quirks| quirks.refusals = refusals)).unwrap();
        let answer = super::try_get(&demo, token, path).unwrap();
        (answer.status, answer.json()["error"].to_string())
    };
    for (refusals, token, path, status, words) in [
        (Refusals::NotFoundInWords, TOKEN, "tickets/1", 400, "not found"),
        (Refusals::With200, TOKEN, "tickets/1", 200, "not found"),
        (Refusals::With200, TOKEN, "tickets?take=1001", 200, "Max defined take"),
        (Refusals::With200, AGENT_TOKEN, "crmRecords", 200, "no permission"),
        (Refusals::RightsInWords, AGENT_TOKEN, "crmRecords", 400, "no permission"),
    ] {
        let (got, error) = ask(refusals, token, path);
        assert!(
            got == status && error.contains(words),
            "{refusals:?} {path}: {got} {error}"
        );
    }
}

#[test]
fn definitions_of_custom_fields_differ() {
    let scheme = |custom_field_scheme| {
        let quirks = build(|quirks| quirks.custom_field_scheme = custom_field_scheme);
        with(quirks, "contacts/contact_dvorak_petr").result()["_sys"]["cfScheme"].take()
    };
    let map = scheme(Scheme::Map);
    assert_eq!(map["role_kontaktu"]["items"][0]["title"], "Vedoucí prodejny");
    let list = scheme(Scheme::List);
    assert_eq!(list[2]["name"], "role_kontaktu");
    assert_eq!(list[2]["items"], map["role_kontaktu"]["items"]);
    let options = scheme(Scheme::Options);
    assert_eq!(options["role_kontaktu"]["options"]["vedouci"], "Vedoucí prodejny");
    assert_eq!(options["role_kontaktu"].get("items"), None);
    assert_eq!(scheme(Scheme::Absent), Value::Null);
}

#[test]
fn chats_sessions_headers_and_versions_differ() {
    let whole = with(
        build(|quirks| quirks.messages_in_chats = true),
        "activitiesWeb/web_ai_predani",
    )
    .result();
    let listed = with(Quirks::default(), "activitiesWeb/web_ai_predani/messages").result();
    assert_eq!(whole["messages"].as_array().unwrap().len() as u64, listed["total"]);
    assert_eq!(whole["messages"][0]["text"], listed["data"][0]["text"]);
    let old = || build(|quirks| quirks.old_web_chats = true);
    assert_eq!(with(old(), "activitiesChat/web_ai_predani").status, 200);
    assert_eq!(with(old(), "activitiesWeb/web_ai_predani").status, 404);
    assert_eq!(with(Quirks::default(), "activitiesChat/web_ai_predani").status, 400);
    let sessions = with(
        build(|quirks| quirks.projected_sessions = false),
        &format!("realtimeSessions?{}", fields("id_agent.title,state")),
    );
    let sessions = sessions.result();
    assert_eq!((&sessions["data"], &sessions["total"]), (&json!([]), &json!(10)));
    let picked = with(
        build(|quirks| quirks.messages_in_chats = true),
        &format!("activitiesWeb/web_ai_predani?{}", fields("name,messages")),
    );
    assert_eq!(picked.result()["messages"], whole["messages"]);
    let sent = with(
        build(|quirks| quirks.header_case = true),
        "activitiesEmail/emails_ram_1",
    )
    .result();
    assert!(sent["options"]["headers"].get("Auto-Submitted").is_some());
    let version = |version_object| with(build(|quirks| quirks.version_object = version_object), "whoim").result();
    assert!(version(true)["version"]["current"].is_string() && version(false)["version"].is_string());
    let missing = build(|quirks| quirks.relations = Relations::EmptyIsMissing);
    assert_eq!(with(missing, "accounts/account_sumavska_pujcovna/contacts").status, 404);
}
