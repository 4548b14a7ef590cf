//! Tickets with the calls, e-mails, chats and comments about them, and those that no ticket was made of.

use serde_json::{Value, json};

use super::{
    super::{Channel, Company, calls, channel_of, chats, emails, tickets},
    chance::{self, Dice, NOW},
    customers::Customer,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Above all numbers of the smaller company.
const FIRST_TICKET: usize = 800_001;
const FIRST_CHAT: usize = 1000;

/// Quantiles, in seconds.
const TALK: [i64; 11] = [8, 40, 75, 110, 145, 190, 240, 310, 430, 660, 2700];
const WAIT_ANSWERED: [i64; 11] = [0, 3, 6, 9, 13, 18, 26, 38, 60, 110, 420];
const WAIT_MISSED: [i64; 11] = [2, 8, 15, 25, 40, 60, 85, 120, 180, 300, 700];
const RING: [i64; 5] = [1, 4, 7, 11, 25];
const CALL_BACK: [i64; 6] = [4 * MINUTE, 12 * MINUTE, 25 * MINUTE, 50 * MINUTE, 2 * HOUR, 8 * HOUR];
const FIRST_ANSWER: [i64; 8] = [
    6 * MINUTE,
    25 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    9 * HOUR,
    20 * HOUR,
    50 * HOUR,
];
const FOLLOW_UP: [i64; 5] = [15 * MINUTE, 2 * HOUR, 9 * HOUR, DAY, 3 * DAY];
const SOLUTION: [i64; 6] = [5 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 10 * DAY];
const CHAT: [i64; 6] = [40, 130, 240, 400, 700, 1800];
const WRITING: [i64; 5] = [30, 110, 200, 340, 900];

/// Weights of the hours in which nobody picks up, in percent: short of people at noon and at the ends of the day.
const MISSED_PERCENT: [usize; 24] = [
    90, 90, 90, 90, 90, 90, 90, 38, 12, 15, 16, 11, 18, 10, 9, 8, 8, 22, 55, 80, 90, 90, 90, 90,
];
/// Those at the front of a queue take more calls.
const AGENTS: [usize; 5] = [5, 4, 4, 3, 2];
const OUTGOING: u32 = 1010;
const CAMPAIGN: u32 = 1020;
/// One in so many answered calls about tickets is transcribed.
const TRANSCRIBED_EVERY: usize = 6;
/// So many callers are remembered, of whom some call again.
const RECENT: usize = 40;

/// Weights of the channels of chats, in the order of `chats::KINDS`.
const CHATS: [usize; 6] = [45, 10, 12, 8, 20, 5];

pub(super) struct Conversations<'a> {
    company: &'a mut Company,
    dice: Dice,
    customers: Vec<Customer>,
    recent: Vec<Customer>,
    /// How many records were made, for names.
    made: usize,
    talks: usize,
}

/// A ticket whose conversation is being made.
struct Ticket {
    name: Value,
    topic: &'static Value,
    title: String,
    bike: &'static str,
    customer: Customer,
    user: &'static str,
    last: i64,
}

/// What differs between calls.
struct Call<'c> {
    at: i64,
    direction: &'c str,
    queue: Option<u32>,
    customer: Option<&'c Customer>,
    number: Value,
    ticket: Value,
    agent: Value,
    answered: bool,
    /// Of a missed one: the call that answered it.
    returned: Option<Value>,
    waits: bool,
}

impl<'a> Conversations<'a> {
    pub(super) fn new(company: &'a mut Company, dice: Dice, customers: Vec<Customer>) -> Self {
        Conversations {
            company,
            dice,
            customers,
            recent: Vec::new(),
            made: 0,
            talks: 0,
        }
    }

    pub(super) fn ticket(&mut self, number: usize, at: i64) {
        let topic = self.dice.one(self.company.topics);
        let bikes = self.company.words("bikes");
        let customer = self.customer();
        let mut ticket = Ticket {
            name: json!(FIRST_TICKET + number),
            topic,
            title: topic["subject"].as_str().unwrap_or_default().to_owned(),
            bike: self.dice.one(bikes).as_str().expect("words are texts"),
            user: self.dice.one::<&str>(tickets::team(topic)),
            customer,
            last: at,
        };
        match channel_of(self.dice.below(20)) {
            Channel::Email => self.exchange(&mut ticket, at),
            Channel::Call => self.call_about(&mut ticket, at),
            Channel::Chat => self.chat_about(&ticket, at),
            Channel::None => {}
        }
        if self.dice.chance(25) {
            self.comment(&mut ticket);
        }
        self.close(number, at, ticket);
    }

    /// Few customers make most of the traffic.
    fn customer(&mut self) -> Customer {
        self.customers[self.dice.skewed(self.customers.len())].clone()
    }

    fn name(&mut self, prefix: &str) -> Value {
        self.made += 1;
        json!(format!(
            "{prefix}_6a{:011x}{:06}",
            self.made * 7919,
            self.made % 1_000_000
        ))
    }

    fn close(&mut self, number: usize, at: i64, ticket: Ticket) {
        let solved = ticket.last + self.dice.from(&SOLUTION);
        let forgotten = self.dice.chance(3);
        let stage = match solved < *NOW && !forgotten {
            true if solved < *NOW - 60 * DAY => "ARCHIVE",
            true => "CLOSE",
            false if self.dice.chance(25) => "WAIT",
            false => "OPEN",
        };
        let closed = matches!(stage, "CLOSE" | "ARCHIVE");
        let statuses: &[&str] = match (stage, self.dice.below(6)) {
            ("CLOSE" | "ARCHIVE", 0..4) => &["status_vyreseno"],
            ("CLOSE" | "ARCHIVE", 4) => &["status_bez_odpovedi"],
            ("OPEN", 0) => &["status_ceka_na_dil"],
            ("OPEN", 1) => &["status_predano_servisu", "status_ceka_na_dil"],
            _ => &[],
        };
        let fields = match ticket.topic["category"].as_str() {
            Some("reklamace") => json!({
                "cislo_ramu": [format!("STP-700-26-{number:06}")], "v_zaruce": [if self.dice.chance(80) { "1" } else { "0" }],
                "model_kola": [self.dice.one(&["hreben-700", "udoli-city", "kargo-max"])],
            }),
            Some("objednavky") => json!({
                "cislo_objednavky": [format!("2026-{}", 50_000 + number)],
                "doprava": [if self.dice.chance(70) { "kuryr" } else { "osobne" }],
            }),
            Some("velkoobchod") => json!({"temata": [self.dice.one(&["cenik", "dostupnost", "marketing"])]}),
            _ => json!({}),
        };
        let description = match self.dice.chance(30) {
            true => ticket.topic["ask"][1]
                .as_str()
                .unwrap_or_default()
                .replace("{bike}", ticket.bike),
            false => String::new(),
        };
        let unassigned = stage == "OPEN" && self.dice.chance(20);
        let priority = ["LOW", "MEDIUM", "HIGH"][self.dice.weighted(&[25, 55, 20])];
        let reopen = match stage {
            "WAIT" => json!(chance::text(*NOW + self.dice.from(&[HOUR, DAY, 7 * DAY]))),
            _ => Value::Null,
        };
        self.company.store.put(
            "tickets",
            [
                ("name", ticket.name),
                ("title", json!(ticket.title)),
                ("category", ticket.topic["category"].clone()),
                ("user", if unassigned { Value::Null } else { json!(ticket.user) }),
                ("contact", ticket.customer.name),
                ("description", json!(description)),
                ("stage", json!(stage)),
                ("priority", json!(priority)),
                ("statuses", json!(statuses)),
                ("reopen", reopen),
                ("created", json!(chance::text(at))),
                (
                    "closed",
                    if closed {
                        json!(chance::text(solved))
                    } else {
                        Value::Null
                    },
                ),
                ("customFields", fields),
            ],
        );
    }

    fn comment(&mut self, ticket: &mut Ticket) {
        let at = ticket.last + self.dice.from(&FOLLOW_UP);
        if at >= *NOW {
            return;
        }
        ticket.last = at;
        let text = self.dice.one(self.company.words("notes")).clone();
        let time = json!(chance::text(at));
        let author = json!(self.dice.one(&["lucie.kralova", "jan.novak", "simona.beranova"]));
        let name = self.name("activities");
        self.company.store.put(
            "activities",
            [
                ("name", name),
                ("ticket", ticket.name.clone()),
                ("title", json!(ticket.title)),
                ("user", author.clone()),
                ("created_by", author),
                ("description", text),
                ("time", time.clone()),
                ("time_open", time.clone()),
                ("time_close", time),
            ],
        );
    }

    /// A mail, its answer, and perhaps thanks or a further question.
    fn exchange(&mut self, ticket: &mut Ticket, at: i64) {
        let answered = Some(at + self.dice.from(&FIRST_ANSWER)).filter(|answer| *answer < *NOW && self.dice.chance(93));
        let text = emails::body(ticket.topic, ticket.bike, "ask");
        self.email_about(ticket, at, "in", answered, &text);
        let Some(answer) = answered else { return };
        let text = emails::body(ticket.topic, ticket.bike, "answer");
        self.email_about(ticket, answer, "out", None, &text);
        if self.dice.chance(35) {
            let at = answer + self.dice.from(&FOLLOW_UP);
            if at < *NOW {
                self.email_about(ticket, at, "in", None, &emails::thanks(ticket.topic));
            }
        }
    }

    fn email_about(&mut self, ticket: &mut Ticket, at: i64, direction: &str, answered: Option<i64>, text: &str) {
        let title = match direction {
            "out" => format!("Re: {} #{}", ticket.title, ticket.name),
            _ if at > ticket.last => format!("Re: {}", ticket.title),
            _ => ticket.title.clone(),
        };
        ticket.last = at;
        let queue = emails::queue(ticket.topic);
        let user = if direction == "out" {
            json!(ticket.user)
        } else {
            Value::Null
        };
        let customer = ticket.customer.clone();
        self.write(
            &customer,
            &ticket.name,
            at,
            direction,
            queue,
            user,
            &title,
            text,
            answered,
        );
    }

    /// A mail that no ticket was made of: an order, a newsletter, an automatic reply.
    pub(super) fn email(&mut self, at: i64) {
        let customer = self.customer();
        let topic = self.dice.one(self.company.topics);
        let queue = *self.dice.one(&[3001, 3002, 3003]);
        let title = topic["subject"].as_str().unwrap_or_default().to_owned();
        let text = emails::body(topic, "Hřeben 700", "ask");
        let answered = Some(at + self.dice.from(&FIRST_ANSWER)).filter(|answer| *answer < *NOW && self.dice.chance(40));
        self.write(
            &customer,
            &Value::Null,
            at,
            "in",
            queue,
            Value::Null,
            &title,
            &text,
            answered,
        );
        if let Some(answer) = answered {
            let agents = tickets::team(topic);
            let user = json!(self.dice.one(agents));
            let (title, text) = (format!("Re: {title}"), emails::body(topic, "Hřeben 700", "answer"));
            self.write(&customer, &Value::Null, answer, "out", queue, user, &title, &text, None);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a mail has these parts, and two callers give them"
    )]
    fn write(
        &mut self,
        customer: &Customer,
        ticket: &Value,
        at: i64,
        direction: &str,
        queue: u32,
        user: Value,
        title: &str,
        text: &str,
        answered: Option<i64>,
    ) {
        let (name, activity, time) = (self.name("emails"), self.name("activities"), json!(chance::text(at)));
        let out = direction == "out";
        let headers = emails::headers(
            self.company,
            &name,
            &json!(queue),
            &customer.email,
            out,
            &time,
            &json!(title),
            ticket,
        );
        let duration = if out { self.dice.from(&WRITING) } else { 0 };
        let state = if out { json!("SENT") } else { Value::Null };
        self.company.store.put(
            "activitiesEmail",
            [
                ("name", name.clone()),
                ("queue", json!(queue)),
                ("user", user.clone()),
                ("contact", customer.name.clone()),
                ("title", json!(title)),
                ("address", customer.email.clone()),
                ("direction", json!(direction)),
                ("wait_time", answered.map_or(Value::Null, |answer| json!(answer - at))),
                ("duration", json!(duration)),
                ("answered", json!(answered.is_some())),
                ("text", json!(text)),
                ("options", json!({"headers": headers})),
                ("time", time.clone()),
                ("state", state),
                ("activities", json!([activity])),
            ],
        );
        self.company.store.put(
            "activities",
            [
                ("name", activity),
                ("type", json!("EMAIL")),
                ("item", name),
                ("ticket", ticket.clone()),
                ("title", json!(title)),
                ("queue", json!(queue)),
                ("user", user),
                ("contact", customer.name.clone()),
                ("time", time.clone()),
                ("time_close", time),
                ("duration", json!(duration)),
            ],
        );
    }

    fn call_about(&mut self, ticket: &mut Ticket, at: i64) {
        // Nobody takes calls at night: what is written then is called about in the morning.
        let at = match at % DAY / HOUR {
            8..17 => at,
            hour if hour < 8 => at - at % DAY + 8 * HOUR + at % HOUR,
            _ => at - at % DAY + 16 * HOUR + at % HOUR,
        };
        let customer = ticket.customer.clone();
        let queue = calls::queue(ticket.topic);
        let (name, agent, answered) = self.incoming(at, queue, Some(&customer), customer.phone.clone(), &ticket.name);
        ticket.last = ticket.last.max(at);
        if !answered {
            return;
        }
        self.talks += 1;
        // What was said must fit into the call.
        if self.talks.is_multiple_of(TRANSCRIBED_EVERY) && at < *NOW - HOUR {
            let lines = calls::lines(self.company, ticket.topic, &agent);
            calls::transcribe(
                self.company,
                name.as_str().unwrap_or_default(),
                &lines,
                self.talks.is_multiple_of(2),
            );
        }
        let at = at + 30 * MINUTE;
        if self.dice.chance(33) && at < *NOW {
            let text = emails::body(ticket.topic, ticket.bike, "answer");
            self.email_about(ticket, at, "out", None, &text);
        }
    }

    /// A call that no ticket was made of.
    pub(super) fn call(&mut self, at: i64) {
        // Some call again soon, most of them because nothing came of it before.
        let known = match self.recent.is_empty() || !self.dice.chance(14) {
            true => self.customer(),
            false => self.dice.one(&self.recent).clone(),
        };
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(known.clone());
        let (customer, number) = match self.dice.weighted(&[76, 20, 4]) {
            0 => (Some(&known), known.phone.clone()),
            // People who are no contacts; some of them call often.
            1 => (None, json!(format!("004209998{:05}", self.dice.skewed(20_000)))),
            _ => (None, json!("anonymous")),
        };
        match self.dice.weighted(&[64, 22, 6, 8]) {
            0 => {
                let queue = [1001, 1002, 1003][self.dice.weighted(&[50, 30, 20])];
                self.incoming(at, queue, customer, number, &Value::Null);
            }
            kind @ 1..=2 => {
                let queue = if kind == 1 { OUTGOING } else { CAMPAIGN };
                let agent = self.agent(queue);
                let answered = self.dice.chance(if kind == 1 { 72 } else { 45 });
                let number = if number == "anonymous" {
                    known.phone.clone()
                } else {
                    number
                };
                self.add(Call {
                    at,
                    direction: "out",
                    queue: Some(queue),
                    customer,
                    number,
                    ticket: Value::Null,
                    agent,
                    answered,
                    returned: None,
                    waits: false,
                });
            }
            _ => {
                let queue = *self.dice.one(&[1001, 1002, 1003]);
                let agent = self.agent(queue);
                self.add(Call {
                    at,
                    direction: "internal",
                    queue: None,
                    customer: None,
                    number: json!("201"),
                    ticket: Value::Null,
                    agent,
                    answered: true,
                    returned: None,
                    waits: false,
                });
            }
        }
    }

    /// Gives the activity, the agent, and whether somebody took it. A missed one is returned, or still waits, or nobody cared.
    fn incoming(
        &mut self,
        at: i64,
        queue: u32,
        customer: Option<&Customer>,
        number: Value,
        ticket: &Value,
    ) -> (Value, Value, bool) {
        let answered = !self.dice.chance(MISSED_PERCENT[(at % DAY / HOUR) as usize]);
        let agent = self.agent(queue);
        let back = at + self.dice.from(&CALL_BACK);
        let returns = !answered && number != "anonymous" && back < *NOW && self.dice.chance(68);
        let returned = returns.then(|| json!(id_call(back, self.made + 2)));
        let name = self.add(Call {
            at,
            direction: "in",
            queue: Some(queue),
            customer,
            number: number.clone(),
            ticket: ticket.clone(),
            agent: agent.clone(),
            answered,
            returned,
            waits: !answered && !returns && at > *NOW - 2 * DAY,
        });
        if returns {
            let back_by = self.agent(OUTGOING);
            let answered = self.dice.chance(78);
            self.add(Call {
                at: back,
                direction: "out",
                queue: Some(OUTGOING),
                customer,
                number,
                ticket: ticket.clone(),
                agent: back_by,
                answered,
                returned: None,
                waits: false,
            });
        }
        (name, agent, answered)
    }

    fn agent(&mut self, queue: u32) -> Value {
        let queue = self.company.store.get("queues", &json!(queue));
        let agents = queue
            .and_then(|queue| queue["agents"].as_array())
            .expect("a queue has agents");
        agents[self.dice.weighted(&AGENTS[..agents.len().min(AGENTS.len())])].clone()
    }

    /// A call with its activity, whose name it gives.
    fn add(&mut self, call: Call<'_>) -> Value {
        let activity = self.name("activities");
        let id = json!(id_call(call.at, self.made));
        let incoming = call.direction == "in";
        let missed = incoming && !call.answered;
        let waiting = match (incoming, missed) {
            (true, true) => self.dice.from(&WAIT_MISSED),
            (true, false) => self.dice.from(&WAIT_ANSWERED),
            _ => 0,
        };
        let ringing = self.dice.from(&RING);
        // Nobody is still talking when the story stands still, and transcripts need their time.
        let longest = (*NOW - call.at - waiting - ringing).max(0);
        let duration = if call.answered {
            self.dice
                .from(&TALK)
                .max(95 * i64::from(!call.ticket.is_null()))
                .min(longest)
        } else {
            0
        };
        let hold = if call.answered && self.dice.chance(18) {
            self.dice.from(&[3, 15, 40, 180]).min(duration)
        } else {
            0
        };
        let disposition = match call.answered {
            true => ["caller", "agent", "transfer"][self.dice.weighted(&[55, 40, 5])],
            false => "",
        };
        let disconnection = match (call.answered, missed) {
            (true, _) => "",
            (false, true) => "abandon",
            (false, false) => ["noanswer", "busy"][self.dice.weighted(&[70, 30])],
        };
        let (time, open) = (json!(chance::text(call.at)), call.at + waiting + ringing);
        let close = json!(chance::text(open + duration));
        let queue = call.queue.map_or(Value::Null, |queue| json!(queue));
        let agent = if missed { Value::Null } else { call.agent };
        let contact = call.customer.map_or(Value::Null, |customer| customer.name.clone());
        let title = call
            .customer
            .map_or(call.number.clone(), |customer| customer.title.clone());
        self.company.store.put(
            "activitiesCall",
            [
                ("id_call", id.clone()),
                ("call_time", time.clone()),
                ("direction", json!(call.direction)),
                ("answered", json!(call.answered)),
                ("id_queue", queue.clone()),
                ("id_agent", agent.clone()),
                ("clid", call.number),
                ("contact", contact.clone()),
                (
                    "did",
                    json!(if call.direction == "internal" {
                        "212"
                    } else {
                        "00420999100100"
                    }),
                ),
                ("waiting_time", json!(waiting)),
                ("ringing_time", json!(ringing)),
                ("hold_time", json!(hold)),
                ("duration", json!(duration)),
                ("disposition_cause", json!(disposition)),
                ("disconnection_cause", json!(disconnection)),
                (
                    "missed_call",
                    if missed {
                        json!(u8::from(call.returned.is_none()))
                    } else {
                        Value::Null
                    },
                ),
                (
                    "missed_call_time",
                    if missed {
                        json!(chance::text(call.at + waiting))
                    } else {
                        Value::Null
                    },
                ),
                ("missed_callback", call.returned.unwrap_or_default()),
                ("activities", json!([activity])),
            ],
        );
        self.company.store.put(
            "activities",
            [
                ("name", activity.clone()),
                ("type", json!("CALL")),
                ("item", id),
                ("ticket", call.ticket),
                ("title", title),
                ("action", json!(if call.waits { "WAIT" } else { "CLOSE" })),
                ("queue", queue),
                ("user", agent),
                ("contact", contact),
                ("time", time.clone()),
                ("time_wait", time),
                (
                    "time_open",
                    if call.answered {
                        json!(chance::text(open))
                    } else {
                        Value::Null
                    },
                ),
                ("time_close", if call.waits { Value::Null } else { close }),
                ("duration", json!(duration)),
                ("ringing_time", json!(ringing)),
                ("aaw", json!(duration / 10)),
                ("priority", json!(5)),
            ],
        );
        activity
    }

    fn chat_about(&mut self, ticket: &Ticket, at: i64) {
        let customer = ticket.customer.clone();
        self.chat_with(&customer, ticket.topic, ticket.name.clone(), at);
    }

    pub(super) fn chat(&mut self, at: i64) {
        let customer = self.customer();
        let topic = self.dice.one(self.company.topics);
        self.chat_with(&customer, topic, Value::Null, at);
    }

    fn chat_with(&mut self, customer: &Customer, topic: &'static Value, ticket: Value, at: i64) {
        self.made += 1;
        let kind = self.dice.weighted(&CHATS);
        let office = (7..18).contains(&(at % DAY / HOUR));
        let answered = self.dice.chance(if office { 88 } else { 35 });
        let duration = if answered { self.dice.from(&CHAT) } else { 0 };
        let talk = topic["talk"].as_array().map_or(&[][..], Vec::as_slice);
        let lines = talk.iter().enumerate().filter(|(line, _)| answered || line % 2 == 0);
        let messages: Vec<Value> = lines
            .map(|(line, text)| json!([if line % 2 == 0 { "IN" } else { "OUT" }, text]))
            .collect();
        let agents = ["anke.bauer", "simona.beranova", "dusan.zeleznik", "oliver.smith"];
        let row = json!({
            "contact": customer.name, "time": chance::text(at), "answered": answered, "ticket": ticket,
            "user": if answered { json!(agents[self.dice.weighted(&[4, 3, 3, 1])]) } else { Value::Null },
            "missed": if answered { "NO" } else { "YES" },
            "missed_time": if answered { Value::Null } else { json!(chance::text((at + 300).min(*NOW))) },
            "wait_time": self.dice.from(&WAIT_ANSWERED), "duration": duration.min(*NOW - at),
            "disconnection": if answered { *self.dice.one(&["CLIENT", "USER"]) } else { "TIMEOUT" }, "messages": messages,
        });
        chats::of(
            self.company,
            kind,
            FIRST_CHAT + self.made,
            row,
            &customer.title,
            &customer.email,
            false,
        );
    }
}

/// As a telephone exchange counts.
fn id_call(at: i64, number: usize) -> String {
    calls::id_call(chance::civil(at), 1_000_000 + number)
}
