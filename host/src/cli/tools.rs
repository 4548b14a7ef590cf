//! `mcp-daktela tools`: lists the tools.

use super::{ExitError, print};
use crate::{host::Host, mcp};

pub(super) async fn run(host: &Host, json: bool) -> Result<(), ExitError> {
    let list = mcp::list_tools(host).await.map_err(ExitError::failed)?;
    if json {
        print::out(&serde_json::to_string_pretty(&list).map_err(ExitError::failed)?);
        return Ok(());
    }
    let width = list.tools.iter().map(|tool| tool.name.len()).max().unwrap_or_default();
    for tool in &list.tools {
        let about = tool.description.as_deref().unwrap_or_default();
        print::out(&format!("{:width$}  {}", tool.name, first_sentence(about)));
    }
    Ok(())
}

fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(". ")
        .map_or(line, |(sentence, _)| sentence)
        .trim_end_matches('.')
}
