//! Components that misbehave, compiled for this machine: paths of what `--component` takes.

/// Does what the name of a tool says; see its own docs. It loads, since it asks for nothing beyond our world.
pub const HOSTILE: &str = concat!(env!("OUT_DIR"), "/hostile.cwasm");

/// Wants files, which no component of ours is given.
pub const FILES: &str = concat!(env!("OUT_DIR"), "/files.cwasm");

/// Wants sockets, which no component of ours is given.
pub const SOCKETS: &str = concat!(env!("OUT_DIR"), "/sockets.cwasm");
