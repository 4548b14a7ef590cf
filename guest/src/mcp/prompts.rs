//! Prompts: ready-made requests for common work with a contact centre's data.

use serde_json::{Map, Value, json};

use crate::{
    daktela::error::Error,
    model::args::Args,
    model::param::{self, Param},
};

struct Prompt {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    params: &'static [Param],
    /// `{name}` stands for an argument; a line with one that is absent is left out.
    text: &'static str,
}

const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "email_audit",
        title: "Audit outgoing e-mails",
        description: "Judge the quality of the e-mails that agents sent.",
        params: &[param::DATE_FROM.required(), param::DATE_TO, param::USER, param::QUEUE],
        text: "Audit the e-mails that our agents sent. Use list_emails with direction=out and read every page before you conclude.\n\
               From: {date_from}\nUntil: {date_to}\nAgent: {user}\nQueue: {queue}\n\
               Judge for each whether it answers the question, is correct, complete and polite, and is in the customer's language. Leave out automatic replies. \
               Where a mail cannot be judged alone, read its ticket with get_ticket_detail.\n\
               Give a table by agent with the number of mails and a mark, then the best three and the worst three with a quote and the ticket's link.",
    },
    Prompt {
        name: "call_review",
        title: "Review calls",
        description: "Read the transcripts of a period and report what needs attention.",
        params: &[param::DATE_FROM.required(), param::DATE_TO, param::USER, param::QUEUE],
        text: "Review our calls by their transcripts. Use list_call_transcripts and read every page before you conclude.\n\
               From: {date_from}\nUntil: {date_to}\nAgent: {user}\nQueue: {queue}\n\
               Look for anger, threats to leave, broken promises, compliance risks, lost deals and remarkable service. \
               Give the figures first (calls, with and without transcript), then the findings by weight, each with the time, a quote with its minute, the agent, \
               and the ticket's link.",
    },
    Prompt {
        name: "open_deals",
        title: "Judge every open deal",
        description: "Go through all open CRM records and say which need a hand.",
        params: &[param::USER, param::ACCOUNT],
        text: "Judge every open deal. Use list_crm_records with stage=OPEN and text_chars=100000, and read every page.\n\
               Owner: {user}\nAccount: {account}\n\
               For each deal: the next step, who has to take it, the last sign of life, the risk. Where the record does not say, look at the contact's last \
               conversation. Sort by how much a hand is needed and name the deals without any next step.",
    },
    Prompt {
        name: "ticket_brief",
        title: "Brief on a ticket",
        description: "What a ticket is about, what was promised, what is next.",
        params: &[param::TICKET.required()],
        text: "Read ticket {ticket} with get_ticket_detail, all of its activities, and the transcripts of its calls where there are any. Say in ten lines what the customer \
               wants, what we promised, what happened, who has the next move, and draft the next answer in the customer's language.",
    },
    Prompt {
        name: "account_brief",
        title: "Brief on an account",
        description: "All about a company before a meeting.",
        params: &[param::ACCOUNT.required()],
        text: "Prepare me for a meeting with {account}. Find the account's id with list_accounts and its search. Read get_account, list_contacts and list_crm_records of the account, list_account_tickets with stage=ALL, and the detail of the \
               tickets that matter. Give: who is who, open matters with their age, mood with quotes, deals, and three things to say.",
    },
    Prompt {
        name: "agent_coaching",
        title: "Coach an agent",
        description: "Strengths and habits of one agent, by their own conversations.",
        params: &[param::USER.required(), param::DATE_FROM, param::DATE_TO],
        text: "Prepare a coaching talk with agent {user}.\nFrom: {date_from}\nUntil: {date_to}\n\
               Without dates take the last two weeks. Read list_call_transcripts and list_emails (direction=out) of the agent, every page, and count_tickets by stage for the load. \
               Give three strengths and three habits to change, each with two quotes and where they are from, and one exercise.",
    },
    Prompt {
        name: "backlog_triage",
        title: "Triage the backlog",
        description: "Open tickets by urgency: overdue, waiting for us, forgotten.",
        params: &[param::CATEGORY, param::USER],
        text: "Triage our open tickets. Use list_tickets with stage=OPEN, sort=last_activity_client and sort_dir=asc, every page.\n\
               Category: {category}\nAgent: {user}\n\
               Make three groups: overdue, the customer waits for us, no move for long. For the ten most urgent read get_ticket_detail and say the next step in one line, with the link.",
    },
];

/// The texts of all prompts.
#[cfg(test)]
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    PROMPTS.iter().map(|prompt| prompt.text)
}

pub fn list() -> Value {
    let prompts: Vec<Value> = PROMPTS
        .iter()
        .map(|prompt| {
            let arguments: Vec<Value> = prompt
                .params
                .iter()
                .map(|param| json!({"name": param.name, "description": param.description, "required": param.required}))
                .collect();
            json!({"name": prompt.name, "title": prompt.title, "description": prompt.description, "arguments": arguments})
        })
        .collect();
    json!({"prompts": prompts})
}

/// A GetPromptResult; `None` for an unknown name.
pub fn get(name: &str, arguments: &str) -> Option<Result<Value, Error>> {
    let prompt = PROMPTS.iter().find(|prompt| prompt.name == name)?;
    Some(fill(prompt, arguments))
}

fn fill(prompt: &Prompt, arguments: &str) -> Result<Value, Error> {
    let args = Args::check(prompt.params, arguments)?;
    let given: Map<String, Value> = prompt
        .params
        .iter()
        .filter_map(|param| Some((format!("{{{}}}", param.name), args.text(param)?.into())))
        .collect();
    let lines: Vec<String> = prompt
        .text
        .lines()
        .map(|line| {
            given.iter().fold(line.to_owned(), |line, (mark, value)| {
                line.replace(mark, value.as_str().unwrap_or_default())
            })
        })
        .filter(|line| {
            !prompt
                .params
                .iter()
                .any(|param| line.contains(&format!("{{{}}}", param.name)))
        })
        .collect();
    Ok(json!({
        "description": prompt.description,
        "messages": [{"role": "user", "content": {"type": "text", "text": lines.join("\n")}}],
    }))
}

/// The argument of a prompt.
pub fn param(prompt: &str, argument: &str) -> Option<&'static Param> {
    PROMPTS
        .iter()
        .find(|known| known.name == prompt)?
        .params
        .iter()
        .find(|param| param.name == argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_arguments_leave_their_lines_out() {
        let filled = get("open_deals", r#"{"user": "Jan Novák"}"#)
            .expect("known")
            .expect("right");
        let text = filled["messages"][0]["content"]["text"].as_str().expect("text");
        assert!(
            text.contains("\nOwner: Jan Novák\n") && !text.contains("Account:") && !text.contains('{'),
            "{text}"
        );
    }

    #[test]
    fn a_missing_argument_is_named() {
        let error = get("ticket_brief", "{}").expect("known").expect_err("wrong");
        assert!(error.text().contains("ticket is required"), "{}", error.text());
    }
}
