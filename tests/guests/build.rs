fn main() {
    for name in ["hostile", "files", "sockets"] {
        daktela_compile::component(&format!("daktela-test-{name}"), name, None);
    }
}
