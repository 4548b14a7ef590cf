//! What compiled code depends on. The build script and the program both read this file: they have to agree, or the
//! program refuses the component that it carries.

use wasmtime::Config;

pub(crate) fn config() -> Config {
    let mut config = Config::new();
    // A loop without end has to be stoppable. Fuel would stop it too, for up to 15 % more time.
    config.epoch_interruption(true);
    // The component carries no names, so offsets into it would tell nobody anything.
    config.generate_address_map(false).wasm_backtrace_max_frames(None);
    config
}
