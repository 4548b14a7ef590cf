//! What a call tells its host (report, account), rights of the account, and questions to a person, over the demo instance.

use std::time::Duration;

use daktela_demo::{AGENT_TOKEN, AGENT_USERNAME, Demo, TOKEN, USERNAME};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
    settings::Rights,
};
use serde_json::{Value, json};

struct Account {
    demo: Demo,
    agent: ureq::Agent,
    token: &'static str,
    settings: Settings,
}

impl Account {
    fn new(token: &'static str, rights: Rights) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        let mut account = Account {
            demo: Demo::start().expect("a demo instance"),
            agent: config.into(),
            token,
            settings: Settings {
                origin: "https://acme.example".to_owned(),
                rights,
                ..Settings::default()
            },
        };
        let told = account.ask(json!({"account": true}), "", json!({}));
        account.settings.account = Some(told["_meta"]["daktela/account"].to_string());
        account
    }

    fn ask(&self, context: Value, tool: &str, arguments: Value) -> Value {
        let answer = Server::new(&self.settings, Ok(self))
            .call_tool_in(&context.to_string(), tool, &arguments.to_string())
            .expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    }

    fn tools(&self) -> Vec<Value> {
        let list = Server::new(&self.settings, Ok(self)).list_tools(None).expect("tools");
        let list: Value = serde_json::from_str(&list).expect("JSON");
        list["tools"].as_array().expect("tools").clone()
    }
}

impl Http for Account {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
        let get = |request: &Request| {
            let request = self.agent.get(format!("{}{}", self.demo.origin(), request.path));
            let mut answer = request.header("x-auth-token", self.token).call().map_err(broken)?;
            Ok(Response {
                status: answer.status().as_u16(),
                body: answer.body_mut().read_to_vec().map_err(broken)?,
                is_aged: false,
            })
        };
        requests.iter().map(get).collect()
    }
}

fn text(answer: &Value) -> &str {
    answer["content"][0]["text"].as_str().expect("a text")
}

#[test]
fn a_call_tells_its_host_what_it_read_if_asked() {
    let account = Account::new(TOKEN, Rights::Off);
    let arguments = json!({"take": 2});
    let plain = account.ask(json!({}), "list_tickets", arguments.clone());
    assert_eq!(plain["_meta"].get("daktela/report"), None);
    let mut told = account.ask(json!({"report": true}), "list_tickets", arguments.clone());
    let report = told["_meta"]["daktela/report"].take();
    assert_eq!(
        (&report["tool"], &report["arguments"]),
        (&json!("list_tickets"), &arguments)
    );
    assert_eq!(report["records"][0]["kind"], "ticket");
    assert_eq!(report["records"][0]["count"], 2);
    for id in report["records"][0]["ids"].as_array().expect("ids") {
        let id = id.as_str().expect("an id");
        assert!(text(&told).contains(id), "{id}");
    }
    let personal = report["personal"].to_string();
    assert!(
        personal.contains(r#"{"kind":"name","treatment":"shown"}"#),
        "{personal}"
    );
    assert_eq!(text(&told), text(&plain));
    // What failed says what was asked for.
    let failed = account.ask(json!({"report": true}), "get_ticket_detail", json!({"name": "0"}));
    let report = &failed["_meta"]["daktela/report"];
    assert_eq!(
        (&report["records"], &report["arguments"]["name"]),
        (&json!([]), &json!("0"))
    );
    // Counted records have no ids.
    let counted = account.ask(json!({"report": true}), "ticket_statistics", json!({}));
    let records = &counted["_meta"]["daktela/report"]["records"][0];
    assert!(
        records["ids"] == json!([]) && records["count"].as_u64() > Some(0),
        "{records}"
    );
    let address = "daktela://ticket/787979";
    let read = Server::new(&account.settings, Ok(&account)).read_resource_in(r#"{"report": true}"#, address);
    assert!(read.is_err() || read.is_ok_and(|read| read.contains("daktela/report")));
}

#[test]
fn the_account_is_named_with_its_zone_and_the_rights_only_where_they_matter() {
    let known = |account: &Account| -> Value {
        let text = account.settings.account.as_deref().expect("known");
        serde_json::from_str(text).expect("JSON")
    };
    let plain = known(&Account::new(TOKEN, Rights::Off));
    assert_eq!(plain, json!({"user": USERNAME, "zone": "Europe/Prague"}));
    let limited = known(&Account::new(AGENT_TOKEN, Rights::Hide));
    assert_eq!(
        (&limited["user"], &limited["role"]),
        (&json!(AGENT_USERNAME), &json!("Operátor"))
    );
    assert_eq!(limited["rights"]["articles"], 0);
    let mut stranger = Account::new(TOKEN, Rights::Off);
    stranger.token = "0000000000000000000000000000000000000000";
    let told = stranger.ask(json!({"account": true}), "", json!({}));
    assert_eq!(told["_meta"]["daktela/account"], Value::Null);
    assert_eq!(told["_meta"]["daktela/error"], "forbidden");
}

#[test]
fn tools_that_the_role_may_not_read_are_marked_or_left_out() {
    let names = |account: &Account| -> Vec<String> {
        let tools = account.tools();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let all = names(&Account::new(AGENT_TOKEN, Rights::Off));
    assert_eq!(names(&Account::new(TOKEN, Rights::Hide)), all);
    let hidden = Account::new(AGENT_TOKEN, Rights::Hide);
    let left = names(&hidden);
    let gone: Vec<&String> = all.iter().filter(|name| !left.contains(name)).collect();
    assert!(
        gone.iter().any(|name| *name == "list_articles") && gone.iter().any(|name| *name == "list_crm_records"),
        "{gone:?}"
    );
    // Each of them is one that the instance refuses, and none that is left is.
    let open = Account::new(AGENT_TOKEN, Rights::Off);
    for name in &all {
        let needs_nothing = open
            .tools()
            .iter()
            .any(|tool| tool["name"] == **name && tool["inputSchema"].get("required").is_none());
        if needs_nothing {
            let answer = open.ask(json!({}), name, json!({}));
            let is_refused = answer["_meta"]["daktela/error"] == "no_right";
            assert_eq!(is_refused, gone.contains(&name), "{name}: {}", text(&answer));
        }
    }
    let unknown = Server::new(&hidden.settings, Ok(&hidden)).call_tool("list_articles", "{}");
    assert!(unknown.is_err_and(|error| error.message.contains("Unknown tool")));
    let marked = Account::new(AGENT_TOKEN, Rights::Mark).tools();
    assert_eq!(marked.len(), all.len());
    for tool in &marked {
        let is_marked = tool["description"]
            .as_str()
            .is_some_and(|text| text.starts_with("Forbidden. "));
        assert_eq!(
            is_marked,
            gone.iter().any(|name| tool["name"] == ***name),
            "{}",
            tool["name"]
        );
    }
}

#[test]
fn an_empty_answer_says_whose_eyes_it_was() {
    let nothing = json!({"search": "xyzzy nothing has this"});
    let limited = Account::new(AGENT_TOKEN, Rights::Mark).ask(json!({}), "list_tickets", nothing.clone());
    assert!(
        text(&limited).contains("eva.dvorakova (role Operátor)"),
        "{}",
        text(&limited)
    );
    for account in [
        Account::new(TOKEN, Rights::Mark),
        Account::new(AGENT_TOKEN, Rights::Off),
    ] {
        let answer = account.ask(json!({}), "list_tickets", nothing.clone());
        assert!(!text(&answer).contains("may see"), "{}", text(&answer));
    }
    let some = Account::new(AGENT_TOKEN, Rights::Mark).ask(json!({}), "list_queues", json!({}));
    assert!(!text(&some).contains("role Operátor"), "{}", text(&some));
}

#[test]
fn an_ambiguous_name_is_put_to_the_person_who_can_be_asked() {
    let account = Account::new(TOKEN, Rights::Off);
    let arguments = json!({"user": "Novák", "take": 1});
    let as_text = account.ask(json!({}), "list_tickets", arguments.clone());
    assert!(text(&as_text).starts_with("2 users answer to"), "{}", text(&as_text));
    let context = json!({"clientCapabilities": {"elicitation": {}}});
    let asked = account.ask(context, "list_tickets", arguments.clone());
    assert_eq!(asked["resultType"], "input_required");
    let question = &asked["inputRequests"]["user"];
    assert_eq!(question["method"], "elicitation/create");
    let choices = question["params"]["requestedSchema"]["properties"]["choice"]["oneOf"]
        .as_array()
        .expect("choices");
    assert_eq!(choices.len(), 2);
    let reply = |reply: Value| {
        let context = json!({
            "clientCapabilities": {"elicitation": {}},
            "requestState": asked["requestState"],
            "inputResponses": {"user": reply},
        });
        account.ask(context, "list_tickets", arguments.clone())
    };
    let chosen = reply(json!({"action": "accept", "content": {"choice": "jan.novak"}}));
    let direct = account.ask(json!({}), "list_tickets", json!({"user": "jan.novak", "take": 1}));
    assert_eq!(text(&chosen), text(&direct));
    for refused in [json!({"action": "decline"}), json!({"action": "cancel"}), Value::Null] {
        assert_eq!(text(&reply(refused)), text(&as_text));
    }
    // The same through one tool for all.
    let mut single = Account::new(TOKEN, Rights::Off);
    single.settings.served.is_single = true;
    let context = json!({"clientCapabilities": {"elicitation": {"form": {}}}});
    let call = json!({"name": "list_tickets", "arguments": arguments});
    assert_eq!(single.ask(context, "call_tool", call)["resultType"], "input_required");
}
