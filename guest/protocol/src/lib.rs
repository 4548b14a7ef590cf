//! MCP's constants that the host and the component share: protocol revisions, JSON-RPC error codes, lifetime of lists.

pub mod json;

/// Protocol revisions with an `initialize` handshake, the oldest first. Official SDKs of 2024 and 2025, and bridges of
/// today, take no other than the first.
pub const HANDSHAKE_REVISIONS: [&str; 4] = ["2024-11-05", BATCH_REVISION, "2025-06-18", "2025-11-25"];

/// The revision without a handshake: each request names it, in `_meta` and in headers.
pub const STATELESS_REVISION: &str = "2026-07-28";

/// The only revision in which a client may send several messages as one JSON array.
pub const BATCH_REVISION: &str = "2025-03-26";

/// Messages in one batch. Beyond so many a client should send them one by one, so that each gets its turn.
pub const BATCH_MAX: usize = 50;

/// Lists change with the program only. Five minutes after an update a client has the new ones.
pub const LIST_TTL_MS: u64 = 5 * 60 * 1000;

/// Error codes of JSON-RPC and of MCP.
pub mod code {
    pub const PARSE_ERROR: i32 = -32700;
    pub const INVALID_REQUEST: i32 = -32600;
    pub const METHOD_NOT_FOUND: i32 = -32601;
    pub const INVALID_PARAMS: i32 = -32602;
    pub const INTERNAL_ERROR: i32 = -32603;
    pub const RESOURCE_NOT_FOUND: i32 = -32002;
    pub const HEADER_MISMATCH: i32 = -32020;
    pub const UNSUPPORTED_VERSION: i32 = -32022;
}
