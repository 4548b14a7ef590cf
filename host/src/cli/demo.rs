//! `mcp-daktela demo`: a few real calls over the sample company, then how to connect a client.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ExitError, call, print};
use crate::host::Host;

/// The tour is data, so that no tool is named in code.
const TOUR: &str = include_str!("../tour.json");

/// Longer answers are for a model; the tour shows how they begin.
const LINES_MAX: usize = 40;

#[derive(Deserialize)]
struct Step {
    say: String,
    tool: String,
    arguments: Value,
}

pub(super) async fn run(host: &Host) -> Result<(), ExitError> {
    let steps: Vec<Step> = serde_json::from_str(TOUR).map_err(ExitError::failed)?;
    for (index, step) in steps.into_iter().enumerate() {
        print::out(&format!(
            "{}. {}\n\n   > {} {}\n",
            index + 1,
            step.say,
            step.tool,
            step.arguments
        ));
        let (text, _) = call::answer(host, step.tool, step.arguments.to_string()).await?;
        print::out(&format!("{}\n", indented(&text)));
    }
    let program = std::env::current_exe().map_err(ExitError::failed)?;
    print::out(&how_to_connect(&program));
    Ok(())
}

fn indented(text: &str) -> String {
    let mut lines: Vec<String> = text
        .lines()
        .take(LINES_MAX)
        .map(|line| format!("   {line}").trim_end().to_owned())
        .collect();
    let more = text.lines().count().saturating_sub(LINES_MAX);
    if more > 0 {
        lines.push(format!("   … and {more} more lines"));
    }
    lines.join("\n")
}

fn how_to_connect(program: &Path) -> String {
    let config = json!({"mcpServers": {"daktela": {
        "command": program,
        "env": {"DAKTELA_URL": "https://acme.daktela.com", "DAKTELA_ACCESS_TOKEN": "…"}
    }}});
    format!(
        "Connect it\n\n\
         Claude Desktop, in claude_desktop_config.json:\n\n{config:#}\n\n\
         Claude Code:\n\n\
         claude mcp add daktela --env DAKTELA_URL=https://acme.daktela.com --env DAKTELA_ACCESS_TOKEN=… -- {program}\n\n\
         To try a client with the sample company first, leave the variables out and add the argument --demo.",
        program = shell_word(&program.to_string_lossy()),
    )
}

/// A path as it can be pasted into a shell.
fn shell_word(text: &str) -> String {
    let plain = text
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || "/._-+@:\\".contains(char));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_pasted() {
        let text = how_to_connect(Path::new("/opt/my tools/mcp-daktela"));
        assert!(text.contains("-- '/opt/my tools/mcp-daktela'\n"), "{text}");
        let json: Value = serde_json::from_str(&text[text.find('{').unwrap()..=text.rfind('}').unwrap()]).unwrap();
        assert_eq!(json["mcpServers"]["daktela"]["command"], "/opt/my tools/mcp-daktela");
    }

    #[test]
    fn the_tour_can_be_read() {
        assert!(!serde_json::from_str::<Vec<Step>>(TOUR).unwrap().is_empty());
    }

    #[test]
    fn a_long_answer_says_how_much_is_left_out() {
        let text = (1..=46).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(indented(&text).ends_with("   40\n   … and 6 more lines"));
    }
}
