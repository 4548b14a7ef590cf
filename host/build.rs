//! Leaves the component, compiled for the target's processor, for the program to embed.

/// Names a component that is already built, e.g. where the target of the component cannot be had.
const PREBUILT: &str = "MCP_DAKTELA_COMPONENT";

fn main() {
    daktela_compile::component("daktela-plugin", "component", Some(PREBUILT));
}
