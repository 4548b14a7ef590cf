//! Privacy levels through the front door: what a company of planted identities shows at each level, in every answer.

mod generate;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use daktela_demo::{Demo, Quirks, TOKEN};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
    settings::{Privacy, PrivacyLevel},
};
use serde_json::{Map, Value, json};

use generate::{Dice, Person};

const ORIGIN: &str = "https://acme.example";
/// Of a person: a name, an e-mail address, a phone number, an address, an account, a birth number, a card, a plate.
const IDENTITIES_EACH: usize = 8;
const IDENTITIES: usize = 10_000;
/// Texts that name somebody whom the instance does not know.
const UNKNOWN: usize = 1_000;

/// An instance with planted records, and the way to it.
struct Instance {
    demo: Demo,
    agent: ureq::Agent,
}

impl Http for Instance {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let get = |request: &Request| {
            let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
            let url = format!("{}{}", self.demo.origin(), request.path);
            let mut answer = self
                .agent
                .get(url)
                .header("x-auth-token", TOKEN)
                .call()
                .map_err(broken)?;
            Ok(Response {
                status: answer.status().as_u16(),
                body: answer
                    .body_mut()
                    .with_config()
                    .limit(64_000_000)
                    .read_to_vec()
                    .map_err(broken)?,
                is_aged: false,
            })
        };
        requests.iter().map(get).collect()
    }
}

impl Instance {
    fn with(records: Vec<(&'static str, Value)>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        Instance {
            demo: Demo::start_with_records(Quirks::default(), records).expect("a demo instance"),
            agent: config.into(),
        }
    }

    /// All that an answer of a tool is.
    fn call(&self, settings: &Settings, tool: &str, arguments: &Value) -> String {
        Server::new(settings, Ok(self))
            .call_tool(tool, &arguments.to_string())
            .unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    }

    fn text(&self, settings: &Settings, tool: &str, arguments: &Value) -> String {
        let answer: Value = serde_json::from_str(&self.call(settings, tool, arguments)).expect("JSON");
        answer["content"][0]["text"].as_str().expect("a text").to_owned()
    }
}

fn settings(level: PrivacyLevel, agents: bool) -> Settings {
    Settings {
        origin: ORIGIN.to_owned(),
        privacy: Privacy {
            level,
            agents,
            key: Some("a key of the tests, long enough".to_owned()),
        },
        ..Settings::default()
    }
}

const LEVELS: [PrivacyLevel; 2] = [PrivacyLevel::Mask, PrivacyLevel::Pseudonym];

/// A planted company: its records, and every spelling that must not show, with its kind.
struct Planted {
    records: Vec<(&'static str, Value)>,
    secrets: Vec<(&'static str, String)>,
    people: Vec<(String, Person)>,
}

fn planted(seed: u64, people: usize) -> Planted {
    let mut dice = Dice(seed);
    let mut of = Planted {
        records: Vec::new(),
        secrets: Vec::new(),
        people: Vec::new(),
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    while of.people.len() < people {
        let person = Person::new(&mut dice);
        if !names.insert(person.full()) {
            // Somebody of the same name is another contact of it.
            if dice.below(4) > 0 {
                continue;
            }
        }
        let number = of.people.len();
        let email = generate::email(&mut dice, &person);
        let (digits, phone) = generate::phone(&mut dice);
        let (street, address) = generate::address(&mut dice);
        let (account, birth) = (generate::bank_account(&mut dice), generate::birth_number(&mut dice));
        let (card, plate, ip) = (
            generate::card(&mut dice),
            generate::plate(&mut dice),
            generate::ip(&mut dice),
        );
        // Some instances name contacts by an address.
        let name = match number % 5 {
            0 => email.clone(),
            _ => format!("contact_69{number:011x}000000"),
        };
        let [
            (_, genitive),
            (_, dative),
            (ins_first, instrumental),
            (vocative_first, vocative),
        ] = &person.cases;
        let pan = if person.is_woman { "paní" } else { "panu" };
        let ticket = 900_000 + number;
        let description = format!(
            "<p>Dobrý den, volám za {} {genitive}. Předejte to {pan} {dative}, mluvil jsem s {ins_first} {instrumental}.</p>\
             <p>{vocative_first}, {vocative}, {} i {} to potvrdí. Tel. {phone}, {email}, adresa {address}. Účet {account}, r. č. {birth}, karta {card}, auto {plate}, z {ip}.</p>\
             <p>S pozdravem<br>{}</p>",
            person.first,
            person.last.to_uppercase(),
            generate::plain(&person.last),
            person.full(),
        );
        let time = format!(
            "2026-11-{:02} {:02}:{:02}:00",
            number % 18 + 1,
            number % 10 + 8,
            number % 60
        );
        of.records.push((
            "contacts",
            json!({
                "name": name, "title": person.full(), "firstname": person.first, "lastname": person.last, "database": "default",
                "created": time, "edited": time, "description": format!("Rodné číslo {birth}, účet {account}."),
                "customFields": {"number": [phone], "email": [email], "address": [address], "note": [format!("{} má vůz {plate}", person.first)]},
            }),
        ));
        of.records.push((
            "tickets",
            json!({
                "name": ticket, "title": format!("Dotaz od {} {}", person.cases[0].0, genitive), "category": "reklamace", "contact": name,
                "email": email, "description": description, "stage": "OPEN", "priority": "LOW", "created": time, "edited": time,
                "last_activity": time, "customFields": {},
            }),
        ));
        of.records.push((
            "activitiesEmail",
            json!({
                "name": format!("emails_69{number:011x}000000"), "queue": 3001, "contact": name, "title": format!("Re: {} {}", person.last, person.first),
                "address": email, "direction": "in", "answered": true, "time": time,
                "text": format!("<p>Platba z {account} kartou {card}.</p><p>{}<br>{address}<br>{phone}</p>", person.full()),
                "options": {"headers": {"from": [{"address": email, "display": person.full()}], "to": [{"address": "info@stoupak.example", "display": "Stoupák"}]}},
            }),
        ));
        of.records.push((
            "activitiesCall",
            json!({
                "id_call": format!("17{number:08}.{number}"), "call_time": time, "direction": "in", "answered": true, "clid": format!("00420{digits}"),
                "prefix_clid_name": person.full(), "contact": name, "did": "800123456", "id_queue": 3002, "duration": 60,
            }),
        ));
        let mut secret = |kind, text: &str| of.secrets.push((kind, text.to_owned()));
        secret("name", &person.last);
        for (_, form) in &person.cases {
            secret("name", form);
        }
        secret("name", &person.last.to_uppercase());
        secret("name", &generate::plain(&person.last));
        secret("e-mail", &email);
        secret("e-mail", &email.replace('@', "%40"));
        secret("phone", &phone);
        secret("phone", &digits);
        secret("address", &street);
        secret("address", &address);
        secret("account", &account);
        secret("birth number", &birth);
        secret("card", &card);
        secret("plate", &plate);
        secret("IP", &ip);
        of.people.push((name, person));
    }
    of
}

/// Texts by words and signs, so that a name is not found within another word.
fn holds(text: &str, secret: &str) -> bool {
    text.match_indices(secret).any(|(at, _)| {
        let ends = |part: Option<char>| part.is_none_or(|c| !c.is_alphanumeric());
        ends(text[..at].chars().next_back()) && ends(text[at + secret.len()..].chars().next())
    })
}

/// How many secrets of each kind show in these answers.
fn left(answers: &[String], secrets: &[(&'static str, String)]) -> BTreeMap<String, usize> {
    // A set of the words that occur spares most searches.
    let words: BTreeSet<&str> = answers
        .iter()
        .flat_map(|answer| answer.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().count() > 1)
        .collect();
    let mut out = BTreeMap::new();
    for (kind, secret) in secrets {
        let mut parts = secret
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 1);
        if parts.all(|word| words.contains(word))
            && let Some(answer) = answers.iter().find(|answer| holds(answer, secret))
        {
            *out.entry((*kind).to_owned()).or_insert(0) += 1;
            let at = answer.find(secret.as_str()).unwrap_or(0);
            let around: String = answer[..at]
                .chars()
                .rev()
                .take(60)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            eprintln!(
                "{kind} {secret}: …{around}{}",
                answer[at..].chars().take(60).collect::<String>()
            );
        }
    }
    out
}

/// Every page of the lists, whole, and single records with the ids that the lists give.
fn all_answers(instance: &Instance, settings: &Settings, people: usize) -> Vec<String> {
    let mut out = Vec::new();
    for skip in (0..people).step_by(200) {
        for tool in ["list_contacts", "list_tickets", "list_emails", "list_calls"] {
            let page = json!({"take": 200, "skip": skip, "text_chars": 100_000, "max_bytes": 900_000});
            let mut page = page.as_object().expect("an object").clone();
            if tool == "list_calls" {
                page.remove("text_chars");
            }
            out.push(instance.call(settings, tool, &Value::Object(page)));
        }
    }
    out
}

#[test]
fn no_more_planted_identities_are_left_than_the_golden_number() {
    let people = IDENTITIES / IDENTITIES_EACH;
    let planted = planted(14, people);
    let instance = Instance::with(planted.records.clone());
    let open = all_answers(&instance, &settings(PrivacyLevel::Off, false), people);
    let shown = left_quietly(&open, &planted.secrets);
    // The test could not fail otherwise.
    assert!(
        shown > planted.secrets.len() * 7 / 10,
        "{shown} of {}",
        planted.secrets.len()
    );
    let mut figures = Map::new();
    for level in LEVELS {
        let settings = settings(level, true);
        let mut answers = all_answers(&instance, &settings, people);
        let server = Server::new(&settings, Ok(&instance));
        for (i, (name, person)) in planted.people.iter().enumerate().step_by(125) {
            let ticket = 900_000 + i;
            for (tool, arguments) in [
                ("get_contact", json!({"name": name})),
                ("get_ticket_detail", json!({"name": ticket.to_string()})),
                ("search", json!({"query": person.last})),
                ("fetch", json!({"id": format!("ticket:{ticket}")})),
                ("fetch", json!({"id": format!("contact:{name}")})),
                ("list_tickets", json!({"contact": person.full()})),
                ("list_tickets", json!({"contact": person.last})),
                ("list_tickets", json!({"contact": format!("{}x", person.full())})),
                ("list_contacts", json!({"search": person.last})),
                ("find_tickets", json!({"words": person.last, "date_from": "2026-11-01"})),
                (
                    "call_statistics",
                    json!({"group_by": "contact", "date_from": "2026-11-01"}),
                ),
                (
                    "call_statistics",
                    json!({"group_by": "caller", "date_from": "2026-11-01"}),
                ),
            ] {
                answers.push(instance.call(&settings, tool, &arguments));
            }
            let prompt = server.get_prompt("account_brief", &json!({"account": person.full()}).to_string());
            answers.push(format!("{prompt:?}"));
            let uri = format!("daktela://ticket/{ticket}");
            answers.push(format!("{:?}", server.read_resource(&uri)));
            answers.push(format!(
                "{:?}",
                server.read_resource(&format!("daktela://nothing/{}", name))
            ));
            let completion = json!({"ref": {"type": "ref/prompt", "name": "email_audit"}, "argument": {"name": "user", "value": ""}});
            answers.push(format!("{:?}", server.complete(&completion.to_string())));
        }
        figures.insert(format!("{level:?}"), json!(left(&answers, &planted.secrets)));
    }
    golden("privacy-left.json", &json!({"planted": IDENTITIES, "left": figures}));
}

fn left_quietly(answers: &[String], secrets: &[(&'static str, String)]) -> usize {
    let whole = answers.concat();
    secrets
        .iter()
        .filter(|(_, secret)| whole.contains(secret.as_str()))
        .count()
}

/// Tickets of nobody with these descriptions.
fn texts(texts: &[String]) -> Vec<(&'static str, Value)> {
    let ticket = |(i, text): (usize, &String)| {
        let time = format!("2026-11-{:02} 10:00:00", i % 18 + 1);
        let html = text.replace('<', "&lt;").replace('\n', "<br>");
        let row = json!({
            "name": 950_000 + i, "title": format!("Zpráva {i}"), "category": "reklamace", "description": html, "stage": "OPEN", "priority": "LOW",
            "created": time, "edited": time, "last_activity": time, "customFields": {},
        });
        ("tickets", row)
    };
    texts.iter().enumerate().map(ticket).collect()
}

#[test]
fn unknown_identities_are_found_and_harmless_words_stay() {
    let mut dice = Dice(99);
    let (mut sentences, mut secrets): (Vec<String>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    for _ in 0..UNKNOWN {
        let person = Person::new(&mut dice);
        let (text, words) = generate::unknown_name(&mut dice, &person);
        sentences.push(text);
        secrets.push(words);
    }
    let harmless: Vec<String> = generate::HARMLESS.iter().map(|&text| text.to_owned()).collect();
    let all: Vec<String> = sentences.iter().chain(&harmless).cloned().collect();
    let instance = Instance::with(texts(&all));
    let settings = settings(PrivacyLevel::Mask, false);
    let shown = |i: usize| instance.text(&settings, "get_ticket", &json!({"name": (950_000 + i).to_string()}));
    let missed = secrets.iter().enumerate().filter(|(i, words)| {
        let text = shown(*i);
        words.iter().any(|word| holds(&text, word))
    });
    let missed = missed.count();
    let (mut words, mut hit) = (0, 0);
    for (i, text) in harmless.iter().enumerate() {
        let shown = shown(UNKNOWN + i);
        for word in text.split_whitespace() {
            words += 1;
            hit += usize::from(!shown.contains(word));
        }
    }
    let figures = json!({
        "unknown_names": UNKNOWN, "unknown_names_missed": missed, "harmless_words": words, "harmless_words_hit": hit,
    });
    assert!(missed * 20 <= UNKNOWN && hit * 100 <= words, "{figures}");
    golden("privacy.json", &figures);
}

/// The figures are golden numbers.
fn golden(file: &str, figures: &Value) {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/{}"), file);
    let text = format!("{figures:#}\n");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let expected = std::fs::read_to_string(path).expect("a file in tests/golden; UPDATE_EXPECT=1 writes it");
    assert_eq!(text, expected, "UPDATE_EXPECT=1 rewrites it");
}

/// The pseudonym that a list shows for a contact's or a person's name.
fn pseudonym_of(instance: &Instance, settings: &Settings, name: &str) -> String {
    let open = Settings {
        privacy: Privacy::default(),
        ..Settings {
            origin: ORIGIN.to_owned(),
            ..Settings::default()
        }
    };
    let row = instance.text(&open, "list_contacts", &json!({"search": name, "take": 1}));
    assert!(row.contains(name), "{row}");
    let hidden = instance.text(settings, "list_contacts", &json!({"search": name, "take": 1}));
    let at = hidden
        .find("Person-")
        .unwrap_or_else(|| panic!("no pseudonym: {hidden}"));
    hidden[at..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '-')
        .collect()
}

#[test]
fn joins_by_pseudonym_give_the_answers_of_names() {
    let planted = planted(5, 60);
    let instance = Instance::with(planted.records.clone());
    let settings = settings(PrivacyLevel::Pseudonym, true);
    let mut compared = 0;
    for (name, person) in &planted.people {
        let full = person.full();
        let pseudonym = pseudonym_of(&instance, &settings, &full);
        for (tool, argument) in [
            ("list_tickets", "contact"),
            ("count_tickets", "contact"),
            ("list_emails", "contact"),
            ("list_calls", "contact"),
            ("list_contacts", "search"),
        ] {
            let by_name = instance.call(&settings, tool, &json!({argument: full}));
            let by_pseudonym = instance.call(&settings, tool, &json!({argument: pseudonym}));
            assert_eq!(by_pseudonym, by_name, "{tool} {full} {pseudonym}");
            compared += 1;
        }
        // The id that an answer shows leads to the record, also where it hides an address.
        let row = instance.text(&settings, "list_contacts", &json!({"search": full, "take": 1}));
        let shown = row.find("Id-").map(|at| {
            row[at..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '-')
                .collect::<String>()
        });
        let id = shown.unwrap_or_else(|| name.clone());
        if id.starts_with("Id-") || !name.contains('@') {
            let by_id = instance.text(&settings, "get_contact", &json!({"name": id}));
            assert!(by_id.contains(&pseudonym), "{id}: {by_id}");
        }
    }
    assert_eq!(compared, 300);
}

#[test]
fn one_person_has_one_pseudonym_in_every_spelling() {
    let row = |name: &str, fields: Value| {
        (
            "contacts",
            json!({"name": name, "title": "Ing. Jan Vobdák", "database": "default", "created": "2026-11-01 10:00:00", "edited": "2026-11-01 10:00:00", "customFields": fields}),
        )
    };
    let instance = Instance::with(vec![
        row(
            "contact_6900000000001000000",
            json!({"email": ["Jan@Vobdak.example"], "number": ["+420 777 000 111"]}),
        ),
        row(
            "contact_6900000000002000000",
            json!({"email": ["jan@vobdak.example"], "number": ["777000111"]}),
        ),
    ]);
    let text = instance.text(
        &settings(PrivacyLevel::Pseudonym, true),
        "list_contacts",
        &json!({"search": "Vobdák"}),
    );
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    for kind in ["Person-", "Email-", "Phone-"] {
        let distinct: BTreeSet<&&str> = words.iter().filter(|word| word.starts_with(kind)).collect();
        assert_eq!(distinct.len(), 1, "{text}");
    }
    let other_key = Settings {
        privacy: Privacy {
            key: Some("another key of the tests, long enough".to_owned()),
            ..settings(PrivacyLevel::Pseudonym, true).privacy
        },
        ..settings(PrivacyLevel::Pseudonym, true)
    };
    assert_ne!(
        instance.text(&other_key, "list_contacts", &json!({"search": "Vobdák"})),
        text
    );
}

#[test]
fn a_request_can_hide_more_and_never_less() {
    let instance = Instance::with(planted(3, 4).records);
    let arguments = json!({"take": 4}).to_string();
    let answer = |level: PrivacyLevel, wanted: Value| {
        let settings = settings(level, false);
        Server::new(&settings, Ok(&instance)).call_tool_in(
            &json!({"privacy": wanted}).to_string(),
            "list_contacts",
            &arguments,
        )
    };
    let plain = |level| answer(level, Value::Null).expect("an answer");
    for (floor, wanted, is) in [
        (PrivacyLevel::Off, "mask", PrivacyLevel::Mask),
        (PrivacyLevel::Off, "pseudonym", PrivacyLevel::Pseudonym),
        (PrivacyLevel::Pseudonym, "mask", PrivacyLevel::Mask),
        (PrivacyLevel::Pseudonym, "off", PrivacyLevel::Pseudonym),
        (PrivacyLevel::Mask, "off", PrivacyLevel::Mask),
        (PrivacyLevel::Mask, "pseudonym", PrivacyLevel::Mask),
    ] {
        assert_eq!(
            answer(floor, json!(wanted)).expect("an answer"),
            plain(is),
            "{floor:?} {wanted}"
        );
    }
    for wrong in [json!("none"), json!(""), json!(0), json!(["off"]), json!({})] {
        assert!(answer(PrivacyLevel::Mask, wrong.clone()).is_err(), "{wrong}");
    }
    // Nothing else of a context, and no argument, has a say.
    let settings = settings(PrivacyLevel::Mask, false);
    let server = Server::new(&settings, Ok(&instance));
    for context in [
        json!({"Privacy": "off", "DAKTELA_PRIVACY": "off", "_meta": {"daktela/privacy": "off"}}),
        json!([]),
    ] {
        let given = server
            .call_tool_in(&context.to_string(), "list_contacts", &arguments)
            .expect("an answer");
        assert_eq!(given, plain(PrivacyLevel::Mask), "{context}");
    }
    for argument in ["privacy", "mask", "_meta", "level"] {
        let given = server
            .call_tool("list_contacts", &json!({argument: "off"}).to_string())
            .expect("an answer");
        assert!(given.contains("\"isError\":true"), "{given}");
    }
}

#[test]
fn settings_say_what_was_expected() {
    let read = |variables: &[(&str, &str)]| {
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from_env(|name| variables.get(name).cloned())
    };
    let level = |variables: &[(&str, &str)]| read(variables).map(|settings| settings.privacy.level);
    assert_eq!(level(&[]), Ok(PrivacyLevel::Off));
    assert_eq!(level(&[("DAKTELA_PRIVACY", "Mask")]), Ok(PrivacyLevel::Mask));
    assert_eq!(
        level(&[("DAKTELA_PRIVACY", "mask"), ("DAKTELA_REQUEST_PRIVACY", "off")]),
        Ok(PrivacyLevel::Mask)
    );
    assert_eq!(
        level(&[("DAKTELA_REQUEST_PRIVACY", "pseudonym")]),
        Ok(PrivacyLevel::Pseudonym)
    );
    for wrong in [
        [("DAKTELA_PRIVACY", "maks")],
        [("DAKTELA_REQUEST_PRIVACY", "none")],
        [("DAKTELA_PRIVACY_AGENTS", "perhaps")],
        [("DAKTELA_PRIVACY_KEY", "short")],
    ] {
        let error = level(&wrong).expect_err("wrong");
        assert!(error.contains(wrong[0].0) && error.contains("expected"), "{error}");
        // A secret is not repeated.
        assert!(!error.contains("short\""), "{error}");
    }
    let no_key = Settings {
        privacy: Privacy {
            level: PrivacyLevel::Pseudonym,
            ..Privacy::default()
        },
        ..Settings::default()
    };
    let error = Server::new(&no_key, Err("none".to_owned()))
        .call_tool("list_contacts", "{}")
        .expect_err("no key");
    assert!(error.message.contains("DAKTELA_PRIVACY_KEY"), "{}", error.message);
}

#[test]
fn off_is_the_bytes_of_before() {
    let instance = Instance::with(Vec::new());
    let settings = settings(PrivacyLevel::Off, true);
    let text = instance.text(&settings, "list_contacts", &json!({"take": 50}));
    let rows: Vec<Map<String, Value>> = instance.demo.records("contacts");
    let shown = rows
        .iter()
        .filter(|row| row["title"].as_str().is_some_and(|title| text.contains(title)))
        .count();
    assert!(shown >= 50, "{shown}");
    for mask in ["[name]", "[e-mail]", "[phone]", "Person-", "Email-"] {
        assert!(!text.contains(mask), "{mask}");
    }
}
