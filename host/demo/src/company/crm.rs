//! Deals, service orders, campaigns, articles, and who is at work at this moment.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::{
    Company,
    clock::{self, after, moment, now},
    id, json_file, object, pick, roll,
};

pub(super) const RECORDS: usize = 120;
pub(super) const CAMPAIGN_RECORDS: usize = 150;

pub(super) fn add(company: &mut Company) {
    for (model, rows) in object(json_file("crm.json", include_str!("../../data/crm.json"))) {
        company.add_all(crate::schema::model(&model).name, rows);
    }
    (0..RECORDS).for_each(|number| record(company, number, moment(number, RECORDS)));
    (0..CAMPAIGN_RECORDS).for_each(|number| campaign_record(company, number, moment(number, CAMPAIGN_RECORDS)));
}

pub(super) fn record(company: &mut Company, number: usize, created: DateTime) {
    let bike = company.word("bikes", "record bike", number);
    let contacts = company.store.rows("contacts");
    let contact = &contacts[7 + roll("record contact", number, contacts.len() - 7)];
    let open = roll("record stage", number, 3) > 0;
    let closed: &[&str] = &["status_vyreseno", "status_nezajem"];
    let (kind, title, fields) = match number % 3 {
        0 => (
            "type_servisni_zakazka",
            format!("Servis {bike}"),
            json!({
            "cislo_ramu": [format!("STP-{}", 26_000_000 + number * 119)], "prijato": [clock::text(created)]}),
        ),
        1 => (
            "type_obchodni_pripad",
            format!("Nákup {bike}"),
            json!({
            "hodnota_kc": [format!("{}", 38_000 + number * 900)], "pravdepodobnost": [(["20", "50", "90"][number % 3])]}),
        ),
        _ => (
            "type_leasing",
            format!("Leasing {bike}"),
            json!({"pocet_kol": [(number % 12 + 1).to_string()]}),
        ),
    };
    let row = json!({
        "name": id("record", number),
        "type": kind,
        "user": pick(&["tomas.novak", "zofia.wisniewska", "marta@stoupak.example", "oliver.smith"], "seller", number),
        "contact": if number % 8 == 6 { Value::Null } else { contact["name"].clone() },
        "account": contact["account"],
        "title": title,
        "description": if number.is_multiple_of(2) { company.word("notes", "record note", number) } else { "" },
        "status": if open { Value::Null } else { json!(pick(closed, "record status", number)) },
        "created": clock::text(created),
        "edited": clock::text(after(created, 5400).min(now())),
        "stage": if open { "OPEN" } else { "CLOSE" },
        "customFields": fields,
    });
    company.store.add("crmRecords", row);
}

pub(super) fn campaign_record(company: &mut Company, number: usize, created: DateTime) {
    let action = number % 7;
    let contacts = company.store.rows("contacts");
    let contact = contacts[7 + number % (contacts.len() - 7)].clone();
    let phone = format!("00420999{:06}", 700_000 + number * 53 % 300_000);
    let (kind, database, more) = match number % 3 {
        0 => (
            "campaign_jarni_vyzva",
            "databaze_jaro_2026",
            json!({"posledni_servis": ["2025-11-03"]}),
        ),
        1 => (
            "campaign_spokojenost",
            "databaze_nakupy",
            json!({"znamka": if action == 5 { json!(["1"]) } else { json!([]) }}),
        ),
        _ => (
            "campaign_obnova_baterii",
            "databaze_baterie",
            json!({"rok_vyroby": [(2019 + number % 4).to_string()]}),
        ),
    };
    let mut fields = object(json!({"telefon": [phone]}));
    fields.extend(object(more));
    let statuses: &[&str] = match action {
        5 => &["status_zajem"],
        4 => &["status_nedovolano"],
        6 => &["status_zavolat_pozdeji"],
        _ => &[],
    };
    let called = (3..=6).contains(&action).then(|| {
        let calls = company.store.rows("activitiesCall");
        calls[7 + number % (calls.len() - 7)].clone()
    });
    let later = matches!(action, 2 | 6).then(|| clock::text(after(now(), 3600 * (2 + number as i64 % 1000))));
    company.store.add(
        "campaignsRecords",
        json!({
            "name": id("campaigns_record", number),
            "user": if action == 0 { Value::Null } else { json!((["zofia.wisniewska", "marta@stoupak.example"][number % 2])) },
            "record_type": kind,
            "database": database,
            "nextcall": later,
            "action": action,
            "call_id": called.as_ref().map(|call| call["id_call"].clone()),
            "activity": called.as_ref().map(|call| call["activities"][0].clone()),
            "contact": if number % 6 == 1 { Value::Null } else { contact["name"].clone() },
            "created": clock::text(created),
            "edited": clock::text(after(created, 600).min(now())),
            "statuses": statuses,
            "customFields": fields,
        }),
    );
}
