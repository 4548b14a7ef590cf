//! Tool filter: which tools of the catalogue are served, by the operator's settings and by what a request wants of those.
//!
//! A request's lists are applied to what the operator serves, so they can narrow it only. Within one filter the toolsets and
//! the single tools add up, and excluded tools are left out last.

use super::{TOOLSETS, find, rights::Account, tools};
use crate::{
    model::tool::Tool,
    settings::{Rights, Settings, ToolFilter},
};

/// For all toolsets, as other servers have it.
const ALL: &str = "all";

/// The tools that are served, in the order of the catalogue.
pub struct Selection {
    served: Vec<&'static Tool>,
    /// Where rights are looked at and it is known.
    pub account: Option<Account>,
    /// Three tools stand for all: search, describe, call.
    pub is_single: bool,
}

/// A name that a filter has and the catalogue has not. The text says which are known.
#[derive(Debug, PartialEq, Eq)]
pub enum SelectionError {
    /// In the operator's settings.
    Operator(String),
    /// In what a request wants.
    Request(String),
}

impl SelectionError {
    pub fn text(&self) -> &str {
        match self {
            SelectionError::Operator(text) | SelectionError::Request(text) => text,
        }
    }
}

/// What the lists of a filter are called where they come from.
struct Origin {
    toolsets: &'static str,
    tools: &'static str,
    exclude_tools: &'static str,
}

const OPERATOR: Origin = Origin {
    toolsets: "--toolsets (DAKTELA_TOOLSETS)",
    tools: "--tools (DAKTELA_TOOLS)",
    exclude_tools: "--exclude-tools (DAKTELA_EXCLUDE_TOOLS)",
};

const REQUEST: Origin = Origin {
    toolsets: "X-MCP-Toolsets",
    tools: "X-MCP-Tools",
    exclude_tools: "X-MCP-Exclude-Tools",
};

impl Selection {
    /// # Errors
    ///
    /// A toolset or a tool that the catalogue does not have, or an operator's filter that leaves no tool.
    pub fn of(settings: &Settings) -> Result<Self, SelectionError> {
        let all: Vec<&'static Tool> = tools().collect();
        let served = filtered(&all, &all, &settings.served, &OPERATOR).map_err(SelectionError::Operator)?;
        if served.is_empty() {
            return Err(SelectionError::Operator(
                "--toolsets, --tools and --exclude-tools leave no tool to serve; name a toolset or a tool more."
                    .to_owned(),
            ));
        }
        let wanted = filtered(&served, &all, &settings.wanted, &REQUEST).map_err(SelectionError::Request)?;
        let account = Account::of(settings);
        let is_hidden = |tool: &Tool| {
            settings.rights == Rights::Hide && account.as_ref().is_some_and(|account| !account.may_use(tool))
        };
        let left = wanted.into_iter().filter(|tool| !is_hidden(tool)).collect();
        Ok(Selection {
            served: left,
            account,
            is_single: settings.served.is_single || settings.wanted.is_single,
        })
    }

    pub fn tools(&self) -> impl Iterator<Item = &'static Tool> {
        self.served.iter().copied()
    }

    /// The tool of this name, where it is served.
    pub fn find(&self, name: &str) -> Option<&'static Tool> {
        self.tools().find(|tool| tool.name == name)
    }

    /// Whether the account's role may not read what a tool shows.
    pub fn is_forbidden(&self, tool: &Tool) -> bool {
        self.account.as_ref().is_some_and(|account| !account.may_use(tool))
    }

    /// Whether all tools of the catalogue are served.
    pub fn is_whole(&self) -> bool {
        self.served.len() == tools().count()
    }
}

/// Those of `served` that a filter leaves. Names are checked against the whole catalogue, and an error names those that are
/// served.
fn filtered(
    served: &[&'static Tool],
    all: &[&'static Tool],
    filter: &ToolFilter,
    origin: &Origin,
) -> Result<Vec<&'static Tool>, String> {
    let is_served = |tool: &Tool| served.iter().any(|served| served.name == tool.name);
    for toolset in &filter.toolsets {
        if toolset != ALL && !TOOLSETS.iter().any(|known| known.id == toolset) {
            let known = TOOLSETS.iter().filter(|set| set.tools.iter().any(is_served));
            let known: Vec<&str> = known.map(|set| set.id).chain([ALL]).collect();
            return Err(unknown(origin.toolsets, "toolset", toolset, &known));
        }
    }
    for (list, names) in [
        (origin.tools, &filter.tools),
        (origin.exclude_tools, &filter.exclude_tools),
    ] {
        for name in names {
            if !all.iter().any(|tool| tool.name == name) {
                let known: Vec<&str> = served.iter().map(|tool| tool.name).collect();
                return Err(unknown(list, "tool", name, &known));
            }
        }
    }
    let in_toolset = |tool: &Tool, id: &str| {
        id == ALL
            || TOOLSETS
                .iter()
                .any(|set| set.id == id && set.tools.iter().any(|one| one.name == tool.name))
    };
    let has_all = filter.toolsets.is_empty() && filter.tools.is_empty();
    let is_left = |tool: &Tool| {
        let is_named = has_all
            || filter.toolsets.iter().any(|id| in_toolset(tool, id))
            || filter.tools.iter().any(|name| name == tool.name);
        is_named && !filter.exclude_tools.iter().any(|name| name == tool.name)
    };
    Ok(served.iter().copied().filter(|tool| is_left(tool)).collect())
}

fn unknown(list: &str, kind: &str, name: &str, known: &[&str]) -> String {
    format!("{list}: no {kind} is called {name:?}; known are {}.", known.join(", "))
}

/// Whether a text names a tool: its name, or a pattern such as `list_*_chats`. `None` for a word that names none.
pub fn named(word: &str, is_served: impl Fn(&Tool) -> bool) -> Option<bool> {
    match word.split_once('*') {
        Some((start, end)) => {
            let mut fitting = tools()
                .filter(|tool| tool.name.starts_with(start) && tool.name.ends_with(end))
                .peekable();
            fitting.peek()?;
            Some(fitting.any(is_served))
        }
        // `search` is mostly the argument.
        None => find(word)
            .filter(|_| word.contains('_') || !is_argument(word))
            .map(is_served),
    }
}

fn is_argument(word: &str) -> bool {
    tools().any(|tool| tool.params().iter().any(|param| param.name == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(toolsets: &str, tools: &str, exclude: &str) -> ToolFilter {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        ToolFilter {
            toolsets: list(toolsets),
            tools: list(tools),
            exclude_tools: list(exclude),
            is_single: false,
        }
    }

    fn names(served: ToolFilter, wanted: ToolFilter) -> Result<Vec<&'static str>, SelectionError> {
        let settings = Settings {
            served,
            wanted,
            ..Settings::default()
        };
        Selection::of(&settings).map(|selection| selection.tools().map(|tool| tool.name).collect())
    }

    #[test]
    fn toolsets_and_tools_add_up_and_excluded_tools_are_left_out() {
        let none = ToolFilter::default;
        assert_eq!(names(none(), none()).expect("all").len(), tools().count());
        let served = names(filter("accounts", "get_contact", "list_account_tickets"), none()).expect("known");
        assert!(
            served.contains(&"get_account") && served.contains(&"get_contact"),
            "{served:?}"
        );
        assert!(
            !served.contains(&"list_account_tickets") && !served.contains(&"list_tickets"),
            "{served:?}"
        );
        assert_eq!(names(filter("", "get_contact", ""), none()), Ok(vec!["get_contact"]));
    }

    #[test]
    fn a_request_narrows_and_never_widens() {
        let served = || filter("contacts", "", "list_contacts");
        let operator = names(served(), ToolFilter::default()).expect("known");
        for wanted in [
            filter("all", "", ""),
            filter("tickets contacts", "", ""),
            filter("", "list_contacts get_contact", ""),
            filter("tickets", "list_tickets", ""),
            filter("", "", "get_contact"),
        ] {
            let narrowed = names(served(), wanted.clone()).expect("known");
            assert!(
                narrowed.iter().all(|name| operator.contains(name)),
                "{wanted:?}: {narrowed:?}"
            );
        }
        assert_eq!(names(served(), filter("tickets", "", "")), Ok(Vec::new()));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let none = ToolFilter::default;
        let Err(SelectionError::Operator(text)) = names(filter("tikets", "", ""), none()) else {
            panic!("served");
        };
        assert!(text.contains("\"tikets\"; known are tickets, find, "), "{text}");
        let Err(SelectionError::Request(text)) = names(filter("contacts", "", ""), filter("", "", "list_x")) else {
            panic!("served");
        };
        assert!(
            text.contains("known are list_contacts") && !text.contains("list_tickets"),
            "{text}"
        );
        let everything = tools().map(|tool| tool.name).collect::<Vec<_>>().join(" ");
        assert!(matches!(
            names(filter("", "", &everything), none()),
            Err(SelectionError::Operator(_))
        ));
    }

    #[test]
    fn patterns_name_tools() {
        let served = |tool: &Tool| tool.name == "list_sms_chats";
        assert_eq!(named("list_*_chats", served), Some(true));
        assert_eq!(named("*_statistics", served), Some(false));
        assert_eq!(named("list_tickets", served), Some(false));
        assert_eq!(named("date_from", served), None);
        assert_eq!(named("wallboard", served), Some(false));
        assert_eq!(named("search", served), None);
    }
}
