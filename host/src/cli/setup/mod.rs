//! `mcp-daktela setup`: asks for address and token, tries them, keeps the token, and writes the entry of MCP clients; `--remove`
//! undoes that.

mod ask;
mod client;
mod config_file;

use std::{collections::BTreeSet, env, path::PathBuf};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use self::{
    ask::Ask,
    client::Client,
    config_file::{ConfigFile, ConfigFileError},
};
use super::{ExitError, check, print};
use crate::{
    app,
    config::{
        ConfigError, Options,
        token_store::{self, Place},
    },
    egress::{Credential, Origin},
};

/// The entry's name in the files of clients.
const NAME: &str = "daktela";

/// Somebody who mistyped twice gets another go.
const ATTEMPTS: usize = 3;

#[derive(Debug, Args)]
pub struct SetupOptions {
    /// Program to connect; may be given several times. Without it setup asks, and offers those that it finds
    #[arg(long = "client", value_name = "NAME", value_enum)]
    clients: Vec<Client>,

    /// Do not ask: take address and token from the settings, and write what would be shown
    #[arg(long)]
    yes: bool,

    /// Undo: remove the entries that setup wrote and the tokens that it kept
    #[arg(long)]
    remove: bool,

    /// Where to keep the token
    #[arg(long, value_name = "PLACE", value_enum, default_value_t = Place::Auto)]
    store: Place,
}

/// What the questions gave: the instance with its token, or the sample company.
enum Answers {
    Demo,
    Instance { origin: Origin, token: SecretString },
}

pub(super) async fn run(options: &Options, setup: &SetupOptions) -> Result<(), ExitError> {
    let mut ask = Ask::new(setup.yes);
    if setup.remove {
        return remove(options, setup, &mut ask);
    }
    let program = program()?;
    let answers = answers(options, &mut ask).await?;
    let clients = clients(setup, &mut ask)?;
    let entry = entry(&program, &answers, options);
    // All are read and tried before the first is written.
    let changes = clients
        .iter()
        .map(|client| Change::adding(*client, &entry))
        .collect::<Result<Vec<_>, _>>()?;
    for change in &changes {
        print::out(&change.shown());
    }
    if clients.is_empty() {
        print::out(&format!(
            "No program was chosen. This is the entry for one that is set up by hand:\n\n{}\n",
            pretty(&json!({ "mcpServers": { NAME: entry } }))
        ));
    }
    if !changes.is_empty() && !ask.agrees("Write this?")? {
        return Err(ExitError::failed("nothing was written and no token was kept"));
    }
    if let Answers::Instance { origin, token } = &answers {
        let kept = token_store::write(origin, token, setup.store).map_err(ExitError::failed)?;
        print::out(&format!("The token is kept in {kept}."));
    }
    for change in changes {
        change.write()?;
    }
    if !clients.is_empty() {
        print::out(
            "\nThen ask there, for instance: How many tickets are open? `mcp-daktela setup --remove` undoes all this.",
        );
    }
    Ok(())
}

/// The path that clients are to start, which has to stay.
fn program() -> Result<PathBuf, ExitError> {
    let program = env::current_exe().map_err(ExitError::failed)?;
    if program.iter().any(|part| part == "_npx") {
        return Err(ExitError::failed(
            "this program lies in npx's cache, which npm empties at times. Install it first: npm install --global mcp-daktela. \
             Then run: mcp-daktela setup",
        ));
    }
    Ok(program)
}

async fn answers(options: &Options, ask: &mut Ask) -> Result<Answers, ExitError> {
    if options.daktela.demo {
        return Ok(Answers::Demo);
    }
    let (mut given, mut token) = given(options)?;
    if given.is_none() || token.is_none() {
        print::out(
            "This connects an assistant to your Daktela, for reading only. It needs two things: the address of your Daktela, and an \
             API token.\nThe token stands in Daktela in the user's detail in the list of users; who does not see that list asks an \
             administrator. The\nassistant sees what that user may see, so a user made for it, with few rights, is the safest.\n",
        );
    }
    for attempt in 1.. {
        let origin = match given.take() {
            Some(origin) => origin,
            None => address(ask)?,
        };
        let token = match token.take() {
            Some(token) => token,
            None => ask.secret("API token (it does not show while you paste it): ")?,
        };
        match try_out(options, origin.clone(), token.clone()).await {
            Ok(found) => {
                print::out(&format!("\nIt works:\n{found}\n"));
                return Ok(Answers::Instance { origin, token });
            }
            Err(error) if ask.may_ask() && attempt < ATTEMPTS => print::out(&format!("\n{error}\n\nOnce more.\n")),
            Err(error) => return Err(ExitError::failed(error)),
        }
    }
    Err(ExitError::failed("no attempt is left"))
}

/// What flags and variables already say.
fn given(options: &Options) -> Result<(Option<Origin>, Option<SecretString>), ExitError> {
    let variable = |name: &str| env::var(name).ok();
    match options.daktela.upstream(variable, |_| Ok(None)) {
        Ok((origin, Credential::Token(token))) => Ok((Some(origin), Some(token))),
        Ok((_, Credential::Login { .. })) | Err(ConfigError::NoPassword | ConfigError::NoUsername) => {
            Err(ExitError::usage(
                "setup takes an API token; leave DAKTELA_USERNAME and DAKTELA_PASSWORD out. An entry with those is written by hand.",
            ))
        }
        Err(ConfigError::NoCredential) => {
            let url = options.daktela.url.as_deref().unwrap_or_default();
            Ok((Some(url.parse().map_err(ExitError::usage)?), None))
        }
        Err(ConfigError::NoUrl) => Ok((None, None)),
        Err(error) => Err(ExitError::usage(error)),
    }
}

fn address(ask: &mut Ask) -> Result<Origin, ExitError> {
    for _ in 0..ATTEMPTS {
        let typed =
            ask.line("Address of your Daktela, as the browser shows it (for example https://acme.daktela.com): ")?;
        match completed(&typed).parse() {
            Ok(origin) => return Ok(origin),
            Err(error) => print::out(&format!("{error}\n")),
        }
    }
    Err(ExitError::usage("no address was given"))
}

/// `acme` and `acme.daktela.com` are the address of an instance, too.
fn completed(typed: &str) -> String {
    let typed = typed.trim();
    if typed.is_empty() || typed.contains("://") {
        typed.to_owned()
    } else if typed.contains(['.', ':', '/']) {
        format!("https://{typed}")
    } else {
        format!("https://{typed}.daktela.com")
    }
}

async fn try_out(options: &Options, origin: Origin, token: SecretString) -> Result<String, String> {
    if token.expose_secret().is_empty() {
        return Err("No token was given.".to_owned());
    }
    let host = app::reading(options, origin, Credential::Token(token)).map_err(|error| error.to_string())?;
    check::login(&host).await.map(|login| login.described)
}

fn clients(setup: &SetupOptions, ask: &mut Ask) -> Result<Vec<Client>, ExitError> {
    if !setup.clients.is_empty() {
        return Ok(setup.clients.clone());
    }
    let found: Vec<Client> = Client::ALL.into_iter().filter(|client| client.is_found()).collect();
    if found.is_empty() || !ask.may_ask() {
        return Ok(found);
    }
    let mut list = String::from("Programs found here:\n");
    for (number, client) in found.iter().enumerate() {
        list += &format!("  {}  {}\n", number + 1, client.title());
    }
    print::out(&list);
    for _ in 0..ATTEMPTS {
        let typed = ask.line("Which ones? Numbers with blanks between them, or Enter for all: ")?;
        if typed.trim().is_empty() {
            return Ok(found);
        }
        let chosen: Option<Vec<Client>> = typed
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| found.get(word.parse::<usize>().ok()?.checked_sub(1)?).copied())
            .collect();
        match chosen {
            Some(chosen) => return Ok(chosen),
            None => print::out(&format!("Expected numbers from 1 to {}.", found.len())),
        }
    }
    Err(ExitError::usage("no program was chosen"))
}

/// What a client needs to start the program. The token is not in it.
fn entry(program: &std::path::Path, answers: &Answers, options: &Options) -> Value {
    let mut entry = Map::new();
    entry.insert("command".to_owned(), json!(program));
    match answers {
        Answers::Demo => {
            entry.insert("args".to_owned(), json!(["--demo"]));
        }
        Answers::Instance { origin, .. } => {
            let mut variables = json!({"DAKTELA_URL": origin.as_str()});
            // Without these the address may not be reachable, as it was not for setup.
            if let Some(proxy) = &options.daktela.proxy {
                variables["DAKTELA_PROXY"] = json!(proxy.as_str());
            }
            if let Some(file) = env::var("SSL_CERT_FILE").ok().filter(|file| !file.is_empty()) {
                variables["SSL_CERT_FILE"] = json!(file);
            }
            entry.insert("args".to_owned(), json!([]));
            entry.insert("env".to_owned(), variables);
        }
    }
    Value::Object(entry)
}

/// The change of one client's file, worked out and not yet written.
struct Change {
    client: Client,
    file: ConfigFile,
    text: String,
    /// The part that changes: the entry as it was and as it will be.
    old: Option<Value>,
    new: Option<Value>,
}

impl Change {
    fn adding(client: Client, entry: &Value) -> Result<Self, ExitError> {
        let entry = client.entry(entry);
        let by_hand = |error: ConfigFileError| {
            ExitError::failed(format!(
                "{error}. Nothing was written. Mend the file, or add this to it by hand (the token is not kept then: \
                 DAKTELA_ACCESS_TOKEN holds it), or leave {} out with --client:\n\n{}",
                client.title(),
                pretty(&json!({ client.key(): { NAME: entry } }))
            ))
        };
        let file = client
            .file()
            .ok_or_else(no_home)
            .and_then(|path| ConfigFile::read(path).map_err(by_hand))?;
        let text = file.with_entry(client.key(), NAME, &entry).map_err(by_hand)?;
        let old = file.entry(client.key(), NAME);
        Ok(Self {
            client,
            file,
            text,
            old,
            new: Some(entry),
        })
    }

    /// `None` where there is no entry that setup could have written.
    fn removing(client: Client) -> Result<Option<Self>, ExitError> {
        let Some(path) = client.file().filter(|path| path.exists()) else {
            return Ok(None);
        };
        let by_hand = |error: ConfigFileError| {
            ExitError::failed(format!(
                "{error}. Nothing was changed. If the file has an entry {NAME:?}, remove it by hand, and leave {} out with --client",
                client.title()
            ))
        };
        let file = ConfigFile::read(path).map_err(by_hand)?;
        let Some(old) = file.entry(client.key(), NAME) else {
            return Ok(None);
        };
        if !is_ours(&old) {
            print::out(&format!(
                "{} has an entry {NAME:?} that starts something else; it stays: {}",
                client.title(),
                file.path().display()
            ));
            return Ok(None);
        }
        let text = file.without_entry(client.key(), NAME).map_err(by_hand)?;
        Ok(Some(Self {
            client,
            file,
            text,
            old: Some(old),
            new: None,
        }))
    }

    fn shown(&self) -> String {
        let (title, path) = (self.client.title(), self.file.path().display());
        let part = |entry: &Value| pretty(&json!({ self.client.key(): { NAME: entry } }));
        match (&self.old, &self.new) {
            (Some(old), Some(new)) if old == new => format!("{title} has this entry already: {path}\n"),
            (Some(old), Some(new)) => format!(
                "{title}: in {path} this entry\n\n{}\n\nis replaced by\n\n{}\n",
                part(old),
                part(new)
            ),
            (None, Some(new)) => format!("{title}: into {path}\n\n{}\n", part(new)),
            (Some(old), None) => format!("{title}: out of {path}\n\n{}\n", part(old)),
            (None, None) => String::new(),
        }
    }

    fn write(self) -> Result<(), ExitError> {
        let title = self.client.title();
        if self.old == self.new {
            return Ok(());
        }
        let backup = self.file.write(&self.text).map_err(ExitError::failed)?;
        let backup = backup.map_or(String::new(), |backup| {
            format!(" The file as it was is {}.", backup.display())
        });
        print::out(&format!("{title}: done.{backup} {}", self.client.afterwards()));
        Ok(())
    }
}

/// Whether an entry starts this program, wherever it lies.
fn is_ours(entry: &Value) -> bool {
    let command = entry["command"].as_str().unwrap_or_default();
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name) == env!("CARGO_PKG_NAME")
}

fn instance_of(entry: &Value) -> Option<Origin> {
    entry["env"]["DAKTELA_URL"].as_str()?.parse().ok()
}

fn remove(options: &Options, setup: &SetupOptions, ask: &mut Ask) -> Result<(), ExitError> {
    let chosen = if setup.clients.is_empty() {
        Client::ALL.to_vec()
    } else {
        setup.clients.clone()
    };
    let mut changes = Vec::new();
    for client in chosen {
        changes.extend(Change::removing(client)?);
    }
    let named = options.daktela.url.as_deref().map(str::parse).transpose();
    let mut instances: BTreeSet<String> = BTreeSet::new();
    instances.extend(
        named
            .map_err(ExitError::usage)?
            .map(|origin: Origin| origin.to_string()),
    );
    let removed = changes.iter().filter_map(|change| change.old.as_ref());
    instances.extend(removed.filter_map(instance_of).map(|origin| origin.to_string()));
    // A token that another client's entry still needs stays.
    let staying = Client::ALL
        .into_iter()
        .filter(|client| changes.iter().all(|change| change.client != *client));
    for entry in staying.filter_map(|client| ConfigFile::read(client.file()?).ok()?.entry(client.key(), NAME)) {
        if let Some(origin) = instance_of(&entry) {
            instances.remove(origin.as_str());
        }
    }
    if changes.is_empty() && instances.is_empty() {
        print::out("Nothing to remove: no program has an entry that setup wrote.");
        return Ok(());
    }
    for change in &changes {
        print::out(&change.shown());
    }
    if !ask.agrees("Remove this, and the tokens that are kept for it?")? {
        return Err(ExitError::failed("nothing was removed"));
    }
    for change in changes {
        change.write()?;
    }
    for instance in instances {
        let origin: Origin = instance.parse().map_err(ExitError::failed)?;
        if token_store::remove(&origin).map_err(ExitError::failed)? {
            print::out(&format!(
                "The token for {origin} is removed here. It is valid until it is replaced in Daktela, in the user's detail."
            ));
        }
    }
    Ok(())
}

fn no_home() -> ExitError {
    ExitError::failed("the environment does not name your folder (HOME, on Windows APPDATA and USERPROFILE)")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_for_an_address_is_completed() {
        for (typed, address) in [
            ("acme", "https://acme.daktela.com"),
            (" acme.daktela.com ", "https://acme.daktela.com"),
            ("https://acme.daktela.com/tickets/update/1", "https://acme.daktela.com"),
            ("acme.daktela.com/#!/tickets", "https://acme.daktela.com"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            let origin: Origin = completed(typed).parse().unwrap();
            assert_eq!(origin.as_str(), address, "{typed}");
        }
        assert!(completed("").parse::<Origin>().is_err());
    }

    #[test]
    fn only_entries_of_this_program_count_as_its_own() {
        for (command, ours) in [
            ("/usr/bin/mcp-daktela", true),
            (r"C:\Program Files\Daktela\mcp-daktela.exe", true),
            ("docker", false),
            ("/opt/mcp-daktela/start", false),
        ] {
            assert_eq!(is_ours(&json!({ "command": command })), ours, "{command}");
        }
    }
}
