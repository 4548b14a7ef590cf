//! Colleagues with their roles, and customers with their companies.

use serde_json::{Value, json};

use super::{Company, clock, id, json_file, object, roll};
use crate::{store::Row, value::hash};

/// How many customers there are besides the hand-written ones, and how many of them work for Cyklo Morava.
const CONTACTS: usize = 210;
const AT_CYKLO_MORAVA: usize = 64;

pub(super) fn add(company: &mut Company) {
    company.store.forms = forms();
    roles(company);
    let Value::Object(reference) = json_file("reference.json", include_str!("../../data/reference.json")) else {
        panic!("reference.json is an object")
    };
    for (model, mut rows) in reference {
        if model == "queues" {
            rows.as_array_mut().into_iter().flatten().for_each(queue_settings);
        }
        company.add_all(crate::schema::model(&model).name, rows);
    }
    users(company);
    company.add_all(
        "accounts",
        json_file("accounts.json", include_str!("../../data/accounts.json")),
    );
    shops(company);
    company.add_all(
        "contacts",
        json_file("contacts.json", include_str!("../../data/contacts.json")),
    );
    contacts(company);
}

/// The forms of custom fields, with the settings that every entry has on the wire.
fn forms() -> Row {
    let mut forms = object(json_file("forms.json", include_str!("../../data/forms.json")));
    for field in forms.values_mut().flat_map(each_mut).flat_map(each_mut) {
        let mut whole = json!({
            "type": "TEXT", "title": "", "hidden": false, "readonly": false, "readonly_in_activity": false,
            "readonly_in_update": false, "multiple": false, "show_in_incoming": false, "items": [],
        });
        whole.as_object_mut().expect("just made").extend(object(field.take()));
        *field = whole;
    }
    forms
}

fn each_mut(map: &mut Value) -> impl Iterator<Item = &mut Value> {
    map.as_object_mut().into_iter().flat_map(|map| map.values_mut())
}

fn roles(company: &mut Company) {
    let roles = object(json_file("roles.json", include_str!("../../data/roles.json")));
    for (name, role) in &roles {
        let mut options = role["like"]
            .as_str()
            .map_or_else(Row::new, |like| object(roles[like]["options"].clone()));
        options.extend(object(role["options"].clone()));
        company.store.add(
            "roles",
            json!({"name": name, "title": role["title"], "description": role["description"], "options": options}),
        );
    }
}

/// What the server tells about a queue and nobody should pass on.
fn queue_settings(queue: &mut Value) {
    let number = queue["name"].to_string();
    queue["options"] = match queue["type"].as_str() {
        Some("email") => json!({
            "power": true, "in_ssl": true, "address": queue["title"], "in_type": "imap", "in_server": "imap.stoupak.example",
            "out_server": "smtp.stoupak.example", "out_port": "587", "username": queue["title"],
            "password": format!("canary-mailbox-password-{number}"), "oauthToken": [], "helpdesk": "stoupak",
            "signtemplate": "template_podpis", "timecondition": "timegroups_pracovni_doba",
        }),
        _ => {
            json!({"savetime": "", "use_form": false, "wrapuptime": "30", "routing": format!("canary-queue-routing-{number}")})
        }
    };
}

fn users(company: &mut Company) {
    for user in json_file("people.json", include_str!("../../data/people.json"))
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        let mut user = user.take();
        let login = user["name"].as_str().expect("a login").to_owned();
        user["options"] = json!({
            "sign": format!("S pozdravem\n{}", user["title"].as_str().unwrap_or_default()),
            "target": "terminate|busy",
            "who_to_record": "both_agent_and_customer",
            "registration_ids": [
                {"type": "FCM", "title": "Pixel 9", "token": format!("canary-push-token-{login}"),
                 "created": "2026-03-02 08:15:00", "platform": "android", "device_id": format!("{:016x}", hash("device", &login))},
            ],
            "ad_password_update": 1_772_000_000,
        });
        user["fcmSettings"] = json!({"notifications": true});
        user["forwarding_number"] = json!(format!("canary-forwarding-{login}"));
        company.store.add("users", user);
    }
}

fn shops(company: &mut Company) {
    for (number, title) in company.words("shops").iter().enumerate() {
        let created = clock::moment(number * 3, 100);
        company.store.add(
            "accounts",
            json!({
                "name": id("account", number),
                "title": title,
                "database": "partneri",
                "sla": if number % 3 == 0 { json!("sla_partner") } else { Value::Null },
                "user": (["tomas.novak", "zofia.wisniewska", "marta@stoupak.example"][number % 3]),
                "created": clock::text(created),
                "edited": clock::text(clock::after(created, 86_400)),
                "customFields": {"ico": [format!("999{:05}", roll("ico", number, 90_000) + 10_000)],
                                 "segment": [(["prodejna", "pujcovna", "servis"][number % 3])]},
            }),
        );
    }
}

fn contacts(company: &mut Company) {
    let shops: Vec<Value> = company
        .store
        .rows("accounts")
        .iter()
        .skip(5)
        .map(|row| row["name"].clone())
        .collect();
    for number in 0..CONTACTS {
        let account = match number {
            _ if number < AT_CYKLO_MORAVA => json!("account_cyklo_morava"),
            _ if number % 3 == 0 => shops[number % shops.len()].clone(),
            _ => Value::Null,
        };
        let (first, last) = full_name(company, number);
        let address = ascii(&format!("{first}.{last}"))
            .to_lowercase()
            .replace([' ', '\''], "");
        let email = format!("{address}{number}@posta.example");
        // Numbers beginning with 999 are given to nobody in Czechia; the spellings are those met in the wild.
        let local = format!("999{:06}", 400_000 + number * 37);
        let phone = match number % 4 {
            0 => format!("00420{local}"),
            1 => format!("+420{local}"),
            2 => local,
            _ => format!("00420 {} {} {}", &local[..3], &local[3..6], &local[6..]),
        };
        let partner = !account.is_null();
        let fields = match partner {
            true => json!({"telefon_prodejny": [phone], "e_mail_prodejny": [email],
                           "role_kontaktu": [(["vedouci", "prodavac", "mechanik"][number % 3])]}),
            false => json!({"number": [phone], "email": [email],
                            "address": [format!("{} {}, {}", company.word("streets", "street", number), number % 40 + 1,
                                                company.word("cities", "city", number))]}),
        };
        let created = clock::moment(number, CONTACTS + 20);
        company.store.add(
            "contacts",
            json!({
                "name": if number % 7 == 3 { email.clone() } else { id("contact", number) },
                "title": format!("{first} {last}"),
                "firstname": first,
                "lastname": last,
                "database": if partner { "partneri" } else { "default" },
                "account": account,
                "user": if number % 4 == 0 { json!("simona.beranova") } else { Value::Null },
                "nps_score": number % 11,
                "created": clock::text(created),
                "edited": clock::text(clock::after(created, 3_600)),
                "customFields": fields,
            }),
        );
        if number % 20 == 0 {
            snapshot(company, number);
        }
    }
}

/// What a contact was called before.
fn snapshot(company: &mut Company, number: usize) {
    let contact = company.store.rows("contacts").last().expect("just added").clone();
    company.store.add(
        "contactsSnapshots",
        json!({
            "name": id("snapshot", number), "contact": contact["name"], "title": contact["lastname"],
            "time": contact["edited"], "account": contact["account"], "created_by": "api.eshop",
        }),
    );
}

pub(super) fn full_name(company: &Company, number: usize) -> (String, String) {
    if number % 12 == 5 {
        let name = company.words("foreign")[number / 12 % 12]
            .as_str()
            .expect("words are texts");
        let (first, last) = name.split_once(' ').expect("two names");
        return (first.to_owned(), last.to_owned());
    }
    let last = company.word("surnames", "surname", number);
    match number % 2 {
        0 => (company.word("men", "first", number).to_owned(), last.to_owned()),
        _ => (company.word("women", "first", number).to_owned(), feminine(last)),
    }
}

fn feminine(surname: &str) -> String {
    let stem = |ending: &str| surname.strip_suffix(ending).map(str::to_owned);
    let from_adjective = stem("ý").map(|stem| stem + "á");
    let from_vowel = stem("a").map(|stem| stem + "ová");
    let from_ek = stem("ek").map(|stem| stem + "ková");
    from_adjective
        .or(from_vowel)
        .or(from_ek)
        .unwrap_or_else(|| format!("{surname}ová"))
}

/// Enough for addresses of the names in our lists.
pub(super) fn ascii(text: &str) -> String {
    const PLAIN: [(&str, char); 20] = [
        ("áăâäÁ", 'a'),
        ("čćČ", 'c'),
        ("ďĎ", 'd'),
        ("éěęÉĚ", 'e'),
        ("íÍ", 'i'),
        ("łŁ", 'l'),
        ("ňńŇ", 'n'),
        ("óöøÓ", 'o'),
        ("řŘ", 'r'),
        ("šśşșŠȘ", 's'),
        ("ťțŤȚ", 't'),
        ("úůüÚ", 'u'),
        ("ýÝ", 'y'),
        ("žźżŽ", 'z'),
        ("åÅ", 'a'),
        ("ß", 's'),
        ("ğ", 'g'),
        ("ő", 'o'),
        ("ű", 'u'),
        ("ì", 'i'),
    ];
    let plain = |c: char| {
        PLAIN
            .iter()
            .find(|(letters, _)| letters.contains(c))
            .map_or(c, |(_, plain)| *plain)
    };
    text.chars().map(plain).collect()
}
