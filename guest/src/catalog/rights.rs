//! Rights of the account behind a credential: which tools read models that its role does not let it read.
//!
//! The role map (`role.options` of a user) has an integer bit mask for each model or page of Daktela. Of a model, 2 is the right to
//! read; of a page, whose key begins with `p`, 16 is the access to it. The bits are inferred from recordings, not documented, so a
//! key that is not there says nothing. Rights on single records (the profile) are not readable as such.

use serde_json::{Map, Value};

use crate::{
    model::tool::{Run, Tool},
    settings::{Rights, Settings},
};

/// Models, each with its key in the role map.
const KEYS: &[(&str, &str)] = &[
    ("tickets", "tickets"),
    ("ticketsCategories", "ticketsCategories"),
    ("ticketsViews", "ticketsViews"),
    ("activities", "pActivities"),
    ("activitiesCall", "pCalls"),
    ("activitiesCallTranscripts", "pCalls"),
    ("activitiesEmail", "pEmails"),
    ("activitiesWeb", "pChats"),
    ("activitiesSms", "pSmses"),
    ("activitiesFbm", "pFbms"),
    ("activitiesIgdm", "pIgdms"),
    ("activitiesWap", "pWaps"),
    ("activitiesVbr", "pVbrs"),
    ("contacts", "contacts"),
    ("accounts", "accounts"),
    ("crmRecords", "crmRecords"),
    ("crmRecordsTypes", "crmRecordsTypes"),
    ("campaignsRecords", "campaignsRecords"),
    ("campaignsTypes", "campaignsTypes"),
    ("queues", "queues"),
    ("users", "users"),
    ("groups", "groups"),
    ("pauses", "pauses"),
    ("statuses", "statuses"),
    ("templates", "templates"),
    ("realtimeSessions", "pRealtime"),
    ("articles", "articles"),
    ("articlesFolders", "articlesFolders"),
    ("articlesTags", "articlesTags"),
];

/// Tools with logic of their own, each with the model without which it has nothing to show; none where it reads several and
/// does without any one of them.
const CUSTOM: &[(&str, Option<&str>)] = &[
    ("list_conversations", Some("activities")),
    ("list_article_folders", Some("articlesFolders")),
    ("get_call_transcript", Some("activitiesCallTranscripts")),
    ("list_call_transcripts", Some("activitiesCallTranscripts")),
    ("find_in_conversations", Some("activities")),
    ("find_tickets", Some("tickets")),
    ("find_articles", Some("articles")),
    ("search", None),
    ("fetch", None),
    ("wallboard", None),
    ("describe", None),
    ("who_am_i", None),
    ("get_ticket_detail", Some("tickets")),
    ("list_ticket_threads", Some("tickets")),
    ("list_account_tickets", Some("tickets")),
];

const READ: u64 = 2;
const PAGE_ACCESS: u64 = 16;

/// The account behind the credential, as far as it is known.
pub struct Account {
    pub user: String,
    role: Option<String>,
    rights: Map<String, Value>,
}

impl Account {
    /// The account that the settings name, where rights are looked at and it was read before.
    pub fn of(settings: &Settings) -> Option<Self> {
        if settings.rights == Rights::Off {
            return None;
        }
        let mut known: Value = serde_json::from_str(settings.account.as_deref()?).ok()?;
        let text = |key: &str| known[key].as_str().map(str::to_owned);
        let (user, role) = (text("user")?, text("role"));
        let rights = match known["rights"].take() {
            Value::Object(rights) => rights,
            _ => return None,
        };
        Some(Account { user, role, rights })
    }

    /// Whether the role lets the account read a model; also where the map has nothing on it.
    fn may_read(&self, model: &str) -> bool {
        let key = KEYS.iter().find(|(known, _)| *known == model).map(|(_, key)| *key);
        let Some((key, mask)) = key.and_then(|key| Some((key, self.rights.get(key)?.as_u64()?))) else {
            return true;
        };
        let needed = if key.starts_with('p') && key[1..].starts_with(|c: char| c.is_ascii_uppercase()) {
            PAGE_ACCESS
        } else {
            READ
        };
        mask & needed != 0
    }

    /// Whether the role lets the account read what a tool shows.
    pub fn may_use(&self, tool: &Tool) -> bool {
        let models = models(tool);
        models.is_empty() || models.iter().any(|model| self.may_read(model))
    }

    /// Whose eyes an answer was read with, for one that is empty; `None` for an account that may read all models.
    pub fn said(&self) -> Option<String> {
        let is_limited = KEYS.iter().any(|(model, _)| !self.may_read(model));
        let role = self
            .role
            .as_ref()
            .map(|role| format!(" (role {role})"))
            .unwrap_or_default();
        is_limited.then(|| {
            format!(
                "This is what {}{role} may see: records beyond the rights of this account are missing, not counted as none.",
                self.user
            )
        })
    }
}

/// What a tool reads; several where one of them is enough.
fn models(tool: &Tool) -> Vec<&'static str> {
    match &tool.run {
        Run::List(list) | Run::Count(list) => vec![list.entity.endpoint],
        Run::Get(entity) => vec![entity.endpoint],
        Run::Statistics(statistics) => statistics
            .sources
            .iter()
            .map(|source| source.list.entity.endpoint)
            .collect(),
        Run::Custom { .. } => {
            let own = CUSTOM.iter().find(|(name, _)| *name == tool.name);
            own.and_then(|(_, model)| *model).into_iter().collect()
        }
    }
}

/// The part of a role map that tools are compared with, so that no more of it has to be kept.
pub fn relevant(options: &Map<String, Value>) -> Map<String, Value> {
    let is_used = |key: &str| KEYS.iter().any(|(_, known)| *known == key);
    let used = options.iter().filter(|(key, _)| is_used(key));
    used.map(|(key, mask)| (key.clone(), mask.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tools;

    fn account(rights: &str) -> Account {
        let settings = Settings {
            rights: Rights::Hide,
            account: Some(format!(r#"{{"user": "jan", "role": "Operátor", "rights": {rights}}}"#)),
            ..Settings::default()
        };
        Account::of(&settings).expect("known")
    }

    #[test]
    fn every_tool_with_logic_of_its_own_says_what_it_reads() {
        for tool in tools() {
            if matches!(tool.run, Run::Custom { .. }) {
                assert!(CUSTOM.iter().any(|(name, _)| *name == tool.name), "{}", tool.name);
            }
            for model in models(tool) {
                assert!(KEYS.iter().any(|(known, _)| *known == model), "{}: {model}", tool.name);
            }
        }
        for (name, _) in CUSTOM {
            let tool = tools().find(|tool| tool.name == *name).expect(name);
            assert!(matches!(tool.run, Run::Custom { .. }), "{name}");
        }
    }

    #[test]
    fn a_role_without_a_right_may_not_use_the_tools_on_it() {
        let limited = account(r#"{"articles": 0, "tickets": 23, "pCalls": 752, "pSmses": 0, "crmRecords": 16}"#);
        let may = |name: &str| limited.may_use(super::super::find(name).expect(name));
        assert!(!may("list_articles") && !may("find_articles") && !may("list_sms_chats") && !may("list_crm_records"));
        // 752 has bit 16.
        assert!(may("list_tickets") && may("list_calls") && may("list_call_transcripts"));
        // Nothing is known of these.
        assert!(may("list_contacts") && may("search"));
        assert!(limited.said().is_some_and(|said| said.contains("jan (role Operátor)")));
        assert_eq!(account(r#"{"tickets": 31}"#).said(), None);
    }
}
