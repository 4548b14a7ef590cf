//! Contacts and accounts of the larger company.

use serde_json::{Value, json};

use super::{
    super::{Company, id, people},
    ACCOUNTS, CONTACTS,
    chance::{self, Dice},
};

/// What conversations need to know of a customer.
#[derive(Clone)]
pub(super) struct Customer {
    pub(super) name: Value,
    pub(super) title: Value,
    pub(super) account: Value,
    pub(super) email: Value,
    /// As the telephone exchange shows it.
    pub(super) phone: Value,
}

/// Numbers of these that hand-written and generated ones of scale 1 do not have.
const FIRST_NUMBER: usize = 410_000;
const SECONDS_A_DAY: i64 = 86_400;

pub(super) fn add(company: &mut Company, dice: &mut Dice, times: usize) -> Vec<Customer> {
    let accounts: Vec<Value> = (0..times * ACCOUNTS)
        .map(|number| account(company, dice, number))
        .collect();
    (0..times * CONTACTS)
        .map(|number| contact(company, dice, number, &accounts))
        .collect()
}

fn account(company: &mut Company, dice: &mut Dice, number: usize) -> Value {
    let name = json!(id("account", format!("volume {number}")));
    let (shops, cities) = (company.words("shops"), company.words("cities"));
    let word = |list: &[Value], at: usize| list[at % list.len()].as_str().expect("words are texts").to_owned();
    let title = format!(
        "{} {}",
        word(shops, number),
        word(cities, number / shops.len() + number)
    );
    let created = dice.below(150) as i64 * SECONDS_A_DAY + 36_000;
    company.store.put(
        "accounts",
        [
            ("name", name.clone()),
            ("title", json!(title)),
            ("database", json!("partneri")),
            (
                "sla",
                if dice.chance(30) {
                    json!("sla_partner")
                } else {
                    Value::Null
                },
            ),
            (
                "user",
                json!(dice.one(&["tomas.novak", "zofia.wisniewska", "marta@stoupak.example"])),
            ),
            ("created", json!(chance::text(created))),
            ("edited", json!(chance::text(created + SECONDS_A_DAY))),
            (
                "customFields",
                json!({"ico": [format!("998{number:05}")], "segment": [dice.one(&["prodejna", "pujcovna", "servis"])]}),
            ),
        ],
    );
    name
}

fn contact(company: &mut Company, dice: &mut Dice, number: usize, accounts: &[Value]) -> Customer {
    // A stride that meets all combinations of first and last names.
    let (first, last) = people::full_name(company, 1000 + number * 7);
    let email = format!(
        "{}{number}@zakaznik.example",
        people::ascii(&format!("{first}.{last}"))
            .to_lowercase()
            .replace([' ', '\''], "")
    );
    let local = format!("999{:06}", FIRST_NUMBER + number * 13);
    let phone = format!("00420{local}");
    let written = match dice.weighted(&[40, 30, 15, 15]) {
        0 => phone.clone(),
        1 => format!("+420{local}"),
        2 => local,
        _ => format!("+420 {} {} {}", &local[..3], &local[3..6], &local[6..]),
    };
    let account = if dice.chance(30) {
        accounts[dice.skewed(accounts.len())].clone()
    } else {
        Value::Null
    };
    let partner = !account.is_null();
    let fields = match partner {
        true => json!({"telefon_prodejny": [written], "e_mail_prodejny": [email],
                       "role_kontaktu": [dice.one(&["vedouci", "prodavac", "mechanik"])]}),
        false => json!({"number": [written], "email": [email]}),
    };
    let created = dice.below(170) as i64 * SECONDS_A_DAY + 28_800 + dice.below(36_000) as i64;
    let customer = Customer {
        name: json!(id("contact", format!("volume {number}"))),
        title: json!(format!("{first} {last}")),
        account,
        email: json!(email),
        phone: json!(phone),
    };
    company.store.put(
        "contacts",
        [
            ("name", customer.name.clone()),
            ("title", customer.title.clone()),
            ("firstname", json!(first)),
            ("lastname", json!(last)),
            ("database", json!(if partner { "partneri" } else { "default" })),
            ("account", customer.account.clone()),
            (
                "user",
                if dice.chance(20) {
                    json!("simona.beranova")
                } else {
                    Value::Null
                },
            ),
            ("nps_score", json!(dice.below(11))),
            ("created", json!(chance::text(created))),
            ("edited", json!(chance::text(created + 3600))),
            ("customFields", fields),
        ],
    );
    customer
}
