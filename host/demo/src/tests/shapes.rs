//! Shapes of answers: envelope, embedded records, custom fields.

use serde_json::{Value, json};

use super::{fields, filter, get, names, total};

fn one(path: &str) -> Value {
    get(path).result()["data"][0].take()
}

#[test]
fn the_envelope_is_the_recorded_one() {
    let list = get("queues?take=1&fields[0]=name").json();
    let wanted = json!({
        "error": [], "result": {"data": [{"name": 1001}], "total": 16},
        "_serverTime": crate::NOW, "_time": crate::NOW, "_timezone": "Europe/Prague",
    });
    assert_eq!(list, wanted);
    assert_eq!(get("queues/1001").json()["result"]["title"], "Podpora – příchozí");
}

#[test]
fn whole_records_have_every_field_and_what_the_server_adds() {
    let ticket = get("tickets/787251.json").result();
    assert_eq!(
        (&ticket["name"], &ticket["_sys"]["model"]),
        (&json!(787_251), &json!("tickets"))
    );
    assert_eq!(
        (&ticket["_rdata"], &ticket["_guiData"], &ticket["_access"]),
        (&Value::Null, &json!([]), &json!(true))
    );
    assert_eq!(ticket["category"]["sla"]["response_high"], 4);
    assert_eq!(ticket["followers"][1]["name"], "jan.novak");
    assert!(one("tickets?take=1").get("_access").is_none());
}

#[test]
fn embedded_records_carry_what_a_reader_must_drop() {
    let text = String::from_utf8(get("tickets/787251.json").bytes).unwrap();
    assert!(text.len() > 20_000, "{} bytes", text.len());
    for secret in [
        "canary-push-token-lucie.kralova",
        "canary-mailbox-password-3001",
        "canary-forwarding-",
        "canary-hidden-custom-field",
    ] {
        assert!(text.contains(secret), "{secret}");
    }
    let user = get("tickets/787251").result()["user"].take();
    assert_eq!(
        (&user["extension"], &user["role"]["options"]["pCalls"]),
        (&json!("201"), &json!(752))
    );
    assert!(user["role"]["options"].as_object().unwrap().len() > 85);
    let chat = get("activitiesWap/wap_dealer").result();
    assert_eq!(chat["connector"]["options"]["token"], "canary-connector-secret-wap");
}

#[test]
fn embedding_ends_somewhere() {
    fn depth(value: &Value) -> usize {
        match value {
            Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
            Value::Array(list) => list.iter().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    let chat = get("activitiesWeb/web_ai_predani").result();
    assert_eq!(
        chat["activities"][0]["ticket"]["contact"]["account"]["database"],
        Value::Null
    );
    assert!((6..12).contains(&depth(&chat)), "{}", depth(&chat));
}

#[test]
fn fields_bring_what_was_asked_for_and_nothing_else() {
    let query = format!(
        "tickets/787258?{}",
        fields("name,title,user.title,contact.account.title,contact.title,parentTicket.name")
    );
    let wanted = json!({
        "name": 787_258, "title": "Error E07 and a rattling motor", "user": {"title": "Eva Dvořáková"},
        "contact": {"account": {"title": "Leeds Cycle Works Ltd"}, "title": "Emma Clarke"}, "parentTicket": null,
    });
    assert_eq!(get(&query).result(), wanted);
}

#[test]
fn dotted_fields_go_through_lists_items_and_custom_fields() {
    let email = one(&format!(
        "activitiesEmail?{}&{}",
        filter("name eq emails_english"),
        fields("activities.ticket.name,activities.name")
    ));
    assert_eq!(email["activities"][0]["ticket"], json!({"name": 787_258}));
    let call = one(&format!(
        "activities?{}&{}",
        filter("name eq activities_dlouhy_hovor"),
        fields("item.id_call,item.id_agent.title")
    ));
    assert_eq!(
        call,
        json!({"item": {"id_call": "1795165201.00000417", "id_agent": {"title": "Eva Dvořáková"}}})
    );
    let contact = get(&format!(
        "contacts/contact_dvorak_petr?{}",
        fields("customFields.telefon_prodejny")
    ))
    .result();
    assert_eq!(
        contact,
        json!({"customFields": {"telefon_prodejny": ["00420999200100", "+420 999 200 101"]}})
    );
}

#[test]
fn a_whole_related_record_wins_over_its_parts() {
    let ticket = get(&format!("tickets/787258?{}", fields("user.title,user"))).result();
    assert_eq!(
        ticket["user"]["options"]["registration_ids"][0]["token"],
        "canary-push-token-eva.dvorakova"
    );
    assert_eq!(ticket.get("_sys"), None);
}

#[test]
fn labels_of_custom_fields_come_with_sys() {
    let contact = get(&format!("contacts/contact_dvorak_petr?{}", fields("customFields,_sys"))).result();
    assert_eq!(contact["_sys"]["cfScheme"]["telefon_prodejny"]["type"], "PHONE");
    assert_eq!(
        contact["_sys"]["cfScheme"]["role_kontaktu"]["items"][0]["title"],
        "Vedoucí prodejny"
    );
    let other = get("contacts/jana.horakova@seznam.example").result();
    assert_eq!(other["_sys"]["cfScheme"]["number"]["title"], "Telefon");
    let unset = get("contacts/contact_bez_udaju").result();
    assert_eq!(
        unset["customFields"],
        json!({"number": [], "email": [], "address": [], "note": []})
    );
}

#[test]
fn empty_maps_are_lists_as_php_has_it() {
    let ticket = get("tickets/787260").result();
    assert_eq!(
        (
            &ticket["customFields"],
            &ticket["category"]["email_queue"]["options"]["oauthToken"]
        ),
        (&json!([]), &json!([]))
    );
    assert_eq!(get("activitiesCall/1795165201.00000417").result()["options"], json!([]));
    assert!(get("tickets/787260").result()["_sys"].get("cfScheme").is_none());
}

#[test]
fn an_item_is_the_channel_record_at_the_top_and_a_number_below() {
    let call = get("activities/activities_dlouhy_hovor").result();
    assert_eq!(call["item"]["id_call"], "1795165201.00000417");
    assert!(call["item"]["activities"][0]["item"].is_u64());
    let listed = one(&format!("activities?{}", filter("item.name eq emails_ram_1")));
    assert_eq!(listed["item"]["title"], "Prasklý rám po třech měsících");
    assert_eq!(
        listed["options"]["item"],
        json!({"name": "emails_ram_1", "model": "activitiesEmail"})
    );
    assert!(get("activitiesEmail/emails_ram_1").result()["activities"][0]["item"].is_u64());
    assert!(one(&format!("activities?{}", filter("item.name eq web_utok")))["item"].is_u64());
    assert!(get("activities/activities_komentar_fotky").result()["item"].is_null());
}

#[test]
fn types_are_those_of_the_wire() {
    let call = get("activitiesCall/1795081500.00000379").result();
    assert_eq!(
        (&call["direction"], &call["missed_call"], &call["answered"]),
        (&json!("out"), &Value::Null, &json!(true))
    );
    let missed = get("activitiesCall/1795080600.00000377").result();
    assert_eq!(
        (&missed["missed_call"], &missed["missed_callback"]["id_call"]),
        (&json!(0), &json!("1795081500.00000379"))
    );
    assert_eq!(get("activitiesCall/1795162500.00000411").result()["missed_call"], 1);
    let chat = get("activitiesFbm/fbm_rozhorceny").result();
    assert_eq!((&chat["missed"], &chat["direction"]), (&json!("YES"), &json!("IN")));
    assert_eq!(get("activitiesIgdm/igdm_zminka").result()["type"], "STORY_MENTION");
    assert_eq!(get("activitiesWeb/web_ai_predani").result().get("direction"), None);
    let email = get("activitiesEmail/emails_ram_1").result();
    assert_eq!(
        (&email["state"], &email["options"]["headers"]["ticket"]),
        (&Value::Null, &json!("787256"))
    );
    assert_eq!(get("activities/activities_komentar_fotky").result()["type"], "");
    assert!(one("campaignsRecords?take=1")["action"].is_u64());
}

#[test]
fn files_show_in_the_mail_and_as_a_relation() {
    let listed = get("activitiesEmail/emails_ram_1/attachments.json").result();
    assert_eq!(listed["total"], 3);
    assert_eq!(
        get("activitiesEmail/emails_ram_1").result()["attachments"],
        listed["data"]
    );
    let inline = &listed["data"][2];
    assert_eq!(
        (&inline["inline"], &inline["cid"], &inline["_sys"]["model"]),
        (&json!("1"), &json!("image001@stoupak"), &json!("activitiesEmailFiles"))
    );
    let comment = get("activities/activities_komentar_fotky").result();
    assert_eq!(comment["attachments"][1]["title"], "posudek.pdf");
    let photos = get("activities/activities_komentar_fotky/attachments").result();
    assert_eq!(
        (&photos["total"], &photos["data"][0]["_sys"]["model"]),
        (&json!(2), &json!("activities\\Attachments"))
    );
}

#[test]
fn relations_list_like_models() {
    let list = |path: &str| names(&get(&format!("{path}?sort[0][field]=name&take=5&fields[0]=name")));
    assert_eq!(list("accounts/account_674b6c0b2a9aa/contacts"), "contact_clarke of 1");
    assert_eq!(list("accounts/account_674b6c0b2a9aa/tickets"), "787258 787259 of 2");
    assert_eq!(list("accounts/account_674b6c0b2a9aa/records"), "record_leeds of 1");
    assert_eq!(list("contacts/contact_clarke/tickets"), "787258 787259 of 2");
    assert_eq!(list("tickets/787251/mergeTickets"), "787254 of 1");
    assert_eq!(
        list("tickets/787251/statuses"),
        "status_ceka_na_dil status_predano_servisu of 2"
    );
    assert_eq!(list("tickets/787257/records"), "record_leasing_urad of 1");
    assert_eq!(
        list("activitiesEmail/emails_english/activities")
            .matches("activities_")
            .count(),
        1
    );
    assert_eq!(list("users/eva.dvorakova/queues"), "1003 of 1");
    assert_eq!(list("users/eva.dvorakova/groups"), "technici of 1");
    assert_eq!(
        list("groups/technici/members"),
        "eva.dvorakova katerina.ctvrtlikova ondrej.riha of 3"
    );
    assert_eq!(list("articles/article_nabijecky/comments"), "comment_1 of 1");
    assert!(list("activitiesCall/1795165201%2E00000417/transcripts").ends_with("of 300"));
    let all = total("tickets/787256/activities");
    let mails = total(&format!(
        "tickets/787256/activities?{}&sort[0][field]=time&sort[0][dir]=asc",
        filter("type eq EMAIL")
    ));
    assert!(mails == 4 && all > 8, "{mails} of {all}");
}

#[test]
fn every_channel_shows_its_messages() {
    for (path, count, first) in [
        (
            "activitiesWeb/web_ai_predani",
            9,
            "Hi, is anybody there? My display says <b>E07</b>.",
        ),
        (
            "activitiesSms/sms_pripraveno",
            2,
            "Dobry den, zapujcene kolo je pripravene k vyzvednuti. Servis Stoupak",
        ),
        ("activitiesFbm/fbm_rozhorceny", 2, "Už mám toho čekání plné zuby 😡"),
        ("activitiesIgdm/igdm_zminka", 2, "Zmínila se o vás ve svém příběhu"),
        (
            "activitiesWap/wap_dealer",
            5,
            "Morning Oliver, can we add five Kargo Mini to the order?",
        ),
    ] {
        let result = get(&format!(
            "{path}/messages.json?sort[0][field]=time_created&sort[0][dir]=asc"
        ))
        .result();
        assert_eq!(
            (&result["total"], &result["data"][0]["text"]),
            (&json!(count), &json!(first)),
            "{path}"
        );
    }
    assert_eq!(total("activitiesVbr/vbr_ticho/messages"), 0);
    let web = get("activitiesWeb/web_ai_predani/messages").result();
    let marks = |field: &str| {
        web["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[field].to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(marks("direction"), r#""IN" "BOT" "IN" "BOT" "" "OUT" "OUT" "IN" "OUT""#);
    assert!(
        marks("type").contains("PRIVATE") && marks("type").contains("COMMAND") && marks("from").contains("COWORKERS")
    );
}

#[test]
fn transcripts_go_by_activity_one_or_many() {
    let some = format!(
        "activitiesCallTranscripts?{}&take=1",
        filter("activity eq activities_dlouhy_hovor")
    );
    assert_eq!(total(&some), 300);
    let both = filter("activity in activities_dlouhy_hovor|activities_zpetne_volani");
    assert_eq!(total(&format!("activitiesCallTranscripts?{both}&take=1")), 307);
    assert_eq!(
        total(&format!("activitiesCallTranscripts?{}", filter("activity eq nothing"))),
        0
    );
    let result = get("activitiesCallTranscripts?take=1000&fields[0]=start&fields[1]=type&fields[2]=text").result();
    let rows = result["data"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["start"].is_string()) && rows.iter().any(|row| row["start"].is_number()));
    assert!(rows.iter().any(|row| row["type"] == "customer") && rows.iter().any(|row| row["text"] == ""));
}

#[test]
fn sessions_have_no_name() {
    let sessions = get("realtimeSessions?take=1000").result();
    assert_eq!(sessions["total"], 10);
    assert!(sessions["data"][0].get("name").is_none() && sessions["data"][0].get("#").is_none());
    assert_eq!(sessions["data"][3]["id_pause"]["title"], "Káva");
}
