//! Adapter for Wassette: the tools as functions of a component, one for each, for hosts that make a tool of every function
//! (Wassette, wasmic, `wasmtime run --invoke`, programs in other languages). The build script makes them of the catalogue;
//! `daktela-wassette-world` has their types, `tests/golden/tools.wit` shows the outcome.

use bindings::{Failure, Kind};
use daktela_wasi_http::WasiHttp;
use guest::{Error, Settings, catalog, render::markdown, run};
use serde_json::Value;

#[expect(unsafe_code, clippy::too_many_arguments, reason = "generated from the world")]
mod bindings {
    use serde_json::json;

    use super::{Adapter, answer};

    wit_bindgen::generate!({ path: concat!(env!("OUT_DIR"), "/world.wit") });

    include!(concat!(env!("OUT_DIR"), "/functions.rs"));

    export!(Adapter with_types_in self);

    /// Where hosts look for the documentation of functions.
    #[used]
    #[unsafe(link_section = "package-docs")]
    static DOCS: [u8; include_bytes!(concat!(env!("OUT_DIR"), "/package-docs")).len()] =
        *include_bytes!(concat!(env!("OUT_DIR"), "/package-docs"));
}

struct Adapter;

/// The text of a tool's answer.
fn answer(tool: &str, arguments: &Value) -> Result<String, Failure> {
    let forbidden = |error| Failure {
        kind: Kind::Forbidden,
        error,
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let settings = Settings::from_env(variable).map_err(forbidden)?;
    let origin = settings.instance().map_err(forbidden)?;
    let http = WasiHttp::new(origin, variable("DAKTELA_ACCESS_TOKEN")).map_err(forbidden)?;
    let tool = catalog::find(tool).expect("the functions are made of the catalogue");
    match run::run(tool, &http, &settings, &arguments.to_string()) {
        Ok(output) => Ok(markdown::output(&output)),
        Err(error) => Err(Failure {
            kind: match error {
                Error::Argument(_) => Kind::Argument,
                Error::NotFound(_) => Kind::NotFound,
                Error::Refused(_) => Kind::Refused,
                Error::Forbidden(_) | Error::NoRight(_) => Kind::Forbidden,
                Error::Upstream(_) => Kind::Upstream,
            },
            error: error.text().to_owned(),
        }),
    }
}
