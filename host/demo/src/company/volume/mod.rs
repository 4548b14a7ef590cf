//! The company many times as large: customers and half a year of conversations, spread over months, weekdays and hours as in
//! a real contact centre. Colleagues, queues and settings stay what they are, and so does every record of the company of
//! scale 1.

mod chance;
mod conversations;
mod customers;

use super::{Company, crm};
use chance::{Dice, HOURS_OF_CALLS, HOURS_OF_WRITING, moments};

/// For each time that the company is taken, so many more. At 50 that makes about 10,000 calls, 5,000 e-mails and 4,000 tickets
/// in October 2026, the busiest month.
const TICKETS: usize = 240;
/// Besides those about tickets, which are about 100 calls, 260 e-mails and 48 chats.
const CALLS: usize = 510;
const EMAILS: usize = 42;
const CHATS: usize = 52;
const CONTACTS: usize = 110;
const ACCOUNTS: usize = 4;
const RECORDS: usize = 60;
const CAMPAIGN_RECORDS: usize = 80;

/// Adds what a company `scale` times as large has besides the one of scale 1.
pub(super) fn add(company: &mut Company, scale: usize) {
    let times = scale - 1;
    let mut dice = Dice::new(0x5707_ba1c);
    let people = customers::add(company, &mut dice, times);
    let mut conversations = conversations::Conversations::new(company, dice, people);
    for (number, at) in moments(times * TICKETS, &HOURS_OF_WRITING, 1).into_iter().enumerate() {
        conversations.ticket(number, at);
    }
    for at in moments(times * CALLS, &HOURS_OF_CALLS, 2) {
        conversations.call(at);
    }
    for at in moments(times * EMAILS, &HOURS_OF_WRITING, 3) {
        conversations.email(at);
    }
    for at in moments(times * CHATS, &HOURS_OF_WRITING, 4) {
        conversations.chat(at);
    }
    for (number, at) in moments(times * RECORDS, &HOURS_OF_CALLS, 5).into_iter().enumerate() {
        crm::record(company, crm::RECORDS + number, chance::civil(at));
    }
    for (number, at) in moments(times * CAMPAIGN_RECORDS, &HOURS_OF_CALLS, 6)
        .into_iter()
        .enumerate()
    {
        crm::campaign_record(company, crm::CAMPAIGN_RECORDS + number, chance::civil(at));
    }
}
