//! Everything end to end, in one program. A new test goes where its subject is:
//!
//! - `authors`: the component that `docs/writing-components.md` starts from.
//! - `catalog`: what callers see of the tools, as golden files, and the rules of the family.
//! - `stdio`: the protocol, byte by byte where clients differ.
//! - `secrets`: credentials stay in the host.
//! - `faults`: what comes of faults of the instance and of components that misbehave.
//! - `settings`: what operators write, and what they hear when it is wrong.
//! - `limits`: what a call, a component and a caller may take, and what happens beyond.
//! - `docs`: pages that are made from the code.
//! - `links`: dead links and stale paths in the pages.
//! - `cases`: question and answer of each tool over the demo company, natively and through the program.
//! - `http_face`: the component that is a server by itself, as other runtimes serve it.
//! - `wassette_face`: the component whose functions are the tools.
//! - `hosts`: the faces under hosts that others make.
//! - `components`: their sizes.
//! - `http`: the server for many, over real sockets.
//! - `oauth`: its logins and tokens, and what must not work.
//! - `rebinding`: names that lead elsewhere from one moment to the next.
//! - `tls`: certificates, and HTTP/2 to the instance.
//! - `spans`: what a collector of OpenTelemetry is told.
//!
//! `UPDATE_EXPECT=1 cargo test --release` rewrites the golden files; read the difference before you commit it.

mod authors;
mod builds;
mod cases;
mod catalog;
mod components;
mod docs;
mod faults;
mod golden;
// What jco starts is ended by its process group.
#[cfg(unix)]
mod hosts;
mod http;
mod http_face;
mod limits;
mod links;
mod native;
mod oauth;
mod program;
mod rebinding;
mod runtime;
mod secrets;
mod served;
mod settings;
mod skip;
mod spans;
mod stdio;
mod tidy;
mod tls;
mod wassette_face;
