//! What compiled code depends on. The build script and the program both read this file: they have to agree, or the
//! program refuses the component that it carries.

use std::num::NonZeroUsize;
use wasmtime::Config;

/// The innermost: an overflow of the stack has thousands.
const FRAMES_MAX: usize = 16;

pub(crate) fn config() -> Config {
    let mut config = Config::new();
    // A loop without end has to be stoppable. Fuel would stop it too, for up to 15 % more time.
    config.epoch_interruption(true);
    // Names of functions are enough to find a trap, and the component carries no line numbers.
    config
        .generate_address_map(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES_MAX));
    config
}
