//! The log: one JSON object per line on stderr, for stdout belongs to the protocol.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries tell about a client that went away, or a request with its URL. Only ours may speak of what is usual.
const LIBRARIES: LevelFilter = LevelFilter::OFF;

pub fn init(level: LevelFilter) {
    let filter = Targets::new().with_default(LIBRARIES).with_target("mcp_daktela", level);
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    // A second start within one process, as tests do, keeps the first one's.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}
