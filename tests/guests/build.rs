//! Build script: builds the test components and compiles them ahead of time.

fn main() {
    for (package, name) in [
        ("daktela-test-conformance", "conformance"),
        ("daktela-test-hostile", "hostile"),
        ("daktela-test-files", "files"),
        ("daktela-test-sockets", "sockets"),
        ("daktela-hello", "hello"),
        ("daktela-http", "http"),
        ("daktela-wassette", "wassette"),
    ] {
        daktela_compile::component(package, name, None);
    }
    daktela_compile::plain_component("daktela-act", "act");
    daktela_compile::plain_component("daktela-plugin", "plugin");
}
