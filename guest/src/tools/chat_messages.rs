//! Messages of chats, with their speakers.

use serde_json::Value;

use crate::{
    daktela::query::{self, Query, TAKE_MAX},
    model::{args::Args, context::Context, entity::Entity, output::Related, param},
    render::html,
    text, value,
};

/// The conversations of these chats, in order: one request for each.
pub(crate) fn messages(context: &Context, entity: &Entity, args: &Args, chats: &[Value]) -> Vec<Related> {
    if !args.flag(&param::MESSAGES) {
        return Vec::new();
    }
    let names: Vec<Option<String>> = chats.iter().map(|chat| value::text_at(chat, entity.key)).collect();
    let queries: Vec<Query> = names
        .iter()
        .flatten()
        .map(|name| {
            Query::new(query::path(entity.endpoint, &[name, "messages"]), TAKE_MAX).fields(&[
                "time_created",
                "direction",
                "type",
                "from",
                "text",
                "user.title",
            ])
        })
        .collect();
    let mut pages = context.client.read_all_of_each(&queries).into_iter();
    names
        .iter()
        .map(|name| match name.as_ref().and_then(|_| pages.next()) {
            None => Related::remark("[no id, so no messages]"),
            Some(Err(error)) => Related::remark(format!(
                "[the messages could not be read: {}]",
                text::line(error.text())
            )),
            Some(Ok(page)) => {
                let mut part = conversation(&page.rows);
                let read = page.rows.len() as u64;
                if let Some(total) = page.total.filter(|total| *total > read) {
                    part.lines.push(format!(
                        "[only {} of {} messages could be read]",
                        text::thousands(read),
                        text::thousands(total)
                    ));
                }
                part
            }
        })
        .collect()
}

fn conversation(messages: &[Value]) -> Related {
    let time = |message: &Value| value::text_at(message, "time_created").unwrap_or_default();
    let mut messages: Vec<&Value> = messages.iter().collect();
    messages.sort_by_key(|message| time(message));
    let lines: Vec<String> = messages
        .into_iter()
        .map(|message| {
            let said = text::clean(&html::to_text(&value::text_at(message, "text").unwrap_or_default()));
            // Lines of one message after its first are set in, so that none can pass for a message.
            let said = said
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join("\n    ");
            // A picture, say: the message was sent, though there is nothing of it to read.
            let said = if said.is_empty() { "[no text]" } else { &said };
            format!("{} {}: {said}", time(message), speaker(message))
                .trim_start()
                .to_owned()
        })
        .collect();
    Related::conversation("Messages", &lines, "[no messages]")
}

/// Who wrote a message. Names of agents are Daktela's own data, the customer's is not shown here.
fn speaker(message: &Value) -> String {
    let agent = value::text_at(message, "user.title").map(|title| text::line(&title));
    // In capitals here, but calls and e-mails have the same words in small letters.
    let direction = value::text_at(message, "direction")
        .unwrap_or_default()
        .to_ascii_uppercase();
    let who = match direction.as_str() {
        "IN" => "Customer".to_owned(),
        "BOT" => "Bot".to_owned(),
        "OUT" => agent.map_or_else(|| "Agent".to_owned(), |title| format!("Agent {title}")),
        _ if value::text_at(message, "from").as_deref() == Some("COWORKERS") => "AI coworker".to_owned(),
        _ => agent.map_or_else(|| "System".to_owned(), |title| format!("Agent {title}")),
    };
    match value::text_at(message, "type").as_deref() {
        Some("PRIVATE") => format!("{who} (internal note)"),
        Some("COMMAND") => format!("{who} (command)"),
        _ => who,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_message_shows_with_its_speaker() {
        let part = conversation(&[
            json!({"time_created": "2026-11-20 10:00:01", "direction": "out", "user": {"title": "Jan"}, "text": "Hi"}),
            json!({"time_created": "2026-11-20 10:00:00", "direction": "in", "text": "<p>Help"}),
            json!({"time_created": "2026-11-20 10:00:02", "direction": "IN", "text": null}),
        ]);
        assert_eq!(
            part.text.expect("messages").body,
            "2026-11-20 10:00:00 Customer: Help\n2026-11-20 10:00:01 Agent Jan: Hi\n2026-11-20 10:00:02 Customer: [no text]"
        );
    }
}
