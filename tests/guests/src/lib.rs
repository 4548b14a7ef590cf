//! Paths of precompiled test components: misbehaving ones, one for conformance, the authors' example, and the adapters.

/// Does what the name of a tool says; see its own docs. It loads, since it asks for nothing beyond our world.
pub const HOSTILE: &str = concat!(env!("OUT_DIR"), "/hostile.cwasm");

/// What the official conformance suite expects of a server.
pub const CONFORMANCE: &str = concat!(env!("OUT_DIR"), "/conformance.cwasm");

/// Where authors of components start.
pub const HELLO: &str = concat!(env!("OUT_DIR"), "/hello.cwasm");

/// Wants files, which no component of ours is given.
pub const FILES: &str = concat!(env!("OUT_DIR"), "/files.cwasm");

/// Wants sockets, which no component of ours is given.
pub const SOCKETS: &str = concat!(env!("OUT_DIR"), "/sockets.cwasm");

/// Our tools for hosts of ACT, not compiled.
pub const ACT_ADAPTER: &str = concat!(env!("OUT_DIR"), "/act.wasm");

/// Our server for runtimes that serve `wasi:http`.
pub const HTTP_ADAPTER: &str = concat!(env!("OUT_DIR"), "/http.cwasm");

/// Our tools as functions, one for each.
pub const WASSETTE_ADAPTER: &str = concat!(env!("OUT_DIR"), "/wassette.cwasm");

/// The component that the program embeds, not compiled.
pub const PLUGIN: &str = concat!(env!("OUT_DIR"), "/plugin.wasm");
