//! Build script: compiles the component ahead of time for the target, to be embedded in the program.

/// Names a component that is already built, e.g. where the target of the component cannot be had.
const PREBUILT: &str = "MCP_DAKTELA_COMPONENT";

fn main() {
    daktela_compile::component("daktela-plugin", "component", Some(PREBUILT));
}
