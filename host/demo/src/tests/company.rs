//! Referential integrity of the sample data.

use serde_json::Value;

use super::{fields, filter, found, get, total};
use crate::NOW;

fn all(model: &str, wanted: &str) -> Vec<Value> {
    let result = get(&format!("{model}?take=1000&{}", fields(wanted))).result();
    result["data"].as_array().unwrap().clone()
}

#[test]
fn there_is_enough_of_everything() {
    for (model, least) in [
        ("tickets", 250),
        ("activities", 700),
        ("activitiesCall", 200),
        ("activitiesCallTranscripts", 500),
        ("activitiesEmail", 200),
        ("activitiesWeb", 20),
        ("activitiesSms", 20),
        ("activitiesFbm", 20),
        ("activitiesIgdm", 20),
        ("activitiesWap", 20),
        ("activitiesVbr", 20),
        ("contacts", 200),
        ("accounts", 20),
        ("crmRecords", 120),
        ("campaignsRecords", 150),
        ("users", 20),
        ("queues", 16),
        ("ticketsCategories", 8),
        ("statuses", 12),
        ("groups", 5),
        ("pauses", 6),
        ("templates", 8),
        ("campaignsTypes", 3),
        ("articles", 7),
        ("articlesFolders", 5),
        ("articlesTags", 4),
    ] {
        let count = total(&format!("{model}?take=1"));
        assert!(count >= least, "{count} {model}");
    }
}

#[test]
fn the_last_week_is_dense() {
    assert!(total(&format!("tickets?{}&take=1", filter("created gte 2026-11-13"))) > 100);
    assert!(total(&format!("activities?{}&take=1", filter("time gte 2026-11-13"))) > 300);
}

#[test]
fn nothing_happened_after_the_story_stands_still() {
    for (model, field) in [
        ("tickets", "edited"),
        ("tickets", "closed"),
        ("activities", "time"),
        ("activitiesCall", "call_time"),
        ("crmRecords", "edited"),
        ("campaignsRecords", "edited"),
        ("contacts", "edited"),
    ] {
        assert_eq!(
            total(&format!("{model}?{}&take=1", filter(&format!("{field} gt {NOW}")))),
            0,
            "{model}.{field}"
        );
    }
}

#[test]
fn tickets_agree_with_their_activities() {
    let activities = all("activities", "ticket.name,time,contact.name,type");
    for ticket in all(
        "tickets",
        "name,stage,created,closed,last_activity,last_activity_client,last_activity_operator,\
                                  interaction_activity_count,contact.name,edited",
    ) {
        let own: Vec<_> = activities
            .iter()
            .filter(|activity| activity["ticket"]["name"] == ticket["name"])
            .collect();
        let text = |field: &str| ticket[field].as_str();
        assert_eq!(ticket["interaction_activity_count"], own.len());
        assert_eq!(
            text("last_activity"),
            own.iter().filter_map(|activity| activity["time"].as_str()).max()
        );
        // A draft is an activity, and nobody's move.
        assert!(text("last_activity") >= text("last_activity_client").max(text("last_activity_operator")));
        assert!(text("edited") >= text("created").max(text("last_activity")), "{ticket}");
        assert_eq!(
            text("closed").is_some(),
            matches!(text("stage"), Some("CLOSE" | "ARCHIVE")),
            "{ticket}"
        );
        assert!(
            text("closed").is_none_or(|closed| Some(closed) >= text("last_activity").max(text("created"))),
            "{ticket}"
        );
        // A chat may come a little before the ticket that it leads to.
        let day = |time: &str| time[..10].to_owned();
        assert!(
            own.iter()
                .all(|activity| activity["time"].as_str().map(day) >= text("created").map(day)),
            "{ticket}"
        );
        let known = own
            .iter()
            .filter(|activity| activity["type"] != "" && !activity["contact"].is_null());
        assert!(
            known
                .into_iter()
                .all(|activity| activity["contact"] == ticket["contact"]),
            "{ticket}"
        );
    }
}

#[test]
fn channel_records_and_activities_point_at_each_other() {
    for (model, key) in [("activitiesCall", "id_call"), ("activitiesEmail", "name")] {
        for row in all(model, &format!("{key},activities.item.{key}")) {
            assert!(row["activities"][0]["item"].is_u64(), "{row}");
        }
        let named = all("activities", &format!("item.{key},type"));
        let count = named.iter().filter(|row| row["item"][key].is_string()).count() as u64;
        assert!(count >= total(&format!("{model}?take=1")), "{model}: {count}");
    }
}

#[test]
fn transcripts_fit_into_their_calls() {
    for call in all("activitiesCall", "id_call,duration,activities.name") {
        let activity = call["activities"][0]["name"].as_str().unwrap();
        let query = filter(&format!("activity eq {activity}"));
        let last = get(&format!(
            "activitiesCallTranscripts?{query}&sort[0][field]=start&sort[0][dir]=desc&take=1&fields[0]=end"
        ));
        let end = last.result()["data"]
            .get(0)
            .map_or(0.0, |row| crate::value::text(&row["end"]).parse::<f64>().unwrap());
        assert!(end <= call["duration"].as_f64().unwrap() + 1.0, "{call} ends at {end}");
    }
}

#[test]
fn the_names_that_tests_need_are_ambiguous_in_the_right_way() {
    assert_eq!(found("users", "title like %Novák%"), "jan.novak tomas.novak of 2");
    assert_eq!(found("users", "title like %beran%"), "simona.beranova of 1");
    assert_eq!(get("users/beran").result()["title"], "Vojtěch Kučera");
    assert_eq!(
        found("ticketsCategories", "title startswith Reklamace"),
        "reklamace reklamace_ramu of 2"
    );
    assert_eq!(
        found("accounts", "title like Cyklo Morava%"),
        "account_cyklo_morava account_cyklo_morava_servis of 2"
    );
    assert_eq!(
        found("contacts", "title eq Jana Horáková"),
        "contact_horakova_2 jana.horakova@seznam.example of 2"
    );
    assert!(total("accounts/account_cyklo_morava/contacts?take=1") > 60);
    assert_eq!(total("accounts/account_sumavska_pujcovna/contacts?take=1"), 0);
}

#[test]
fn hostile_texts_are_there_to_be_defused() {
    let mail = get("activitiesEmail/emails_utok").result()["text"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in [
        "IGNORE ALL PREVIOUS",
        "&lt;/data&gt;",
        "\u{200b}",
        "\u{202e}",
        "\0",
        "\u{1b}[2J",
        "javascript:",
        "<script>",
    ] {
        assert!(mail.contains(part), "{part:?}");
    }
    let long = get("activitiesEmail/emails_dlouhe_slovo").result()["text"]
        .as_str()
        .unwrap()
        .chars()
        .count();
    assert!(long > 19_000, "{long}");
    assert!(
        get("activitiesEmail/emails_plain_crlf").result()["text"]
            .as_str()
            .unwrap()
            .contains("<servis@cyklomorava.example>,")
    );
}
