//! Compile-time settings of wasmtime's engine, shared by the build script that compiles the component and the program
//! that runs it. wasmtime refuses code that was compiled with other settings than the engine's own.

use std::num::NonZeroUsize;

use wasmtime::Config;

/// Frames of a backtrace, innermost first: an overflow of the stack has thousands.
const FRAMES_MAX: usize = 16;

/// The settings both engines start from. The program adds those that do not change the code, e.g. how memory is allocated;
/// the build script adds the target.
pub fn config() -> Config {
    let mut config = Config::new();
    // Epoch interruption stops a loop without end. Fuel would stop it too, for up to 15 % more time.
    config.epoch_interruption(true);
    // Names of functions are enough to find a trap, and the component carries no line numbers.
    config
        .generate_address_map(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES_MAX));
    // Proposals that no component of ours uses: less of the compiler and the runtime is reachable.
    config
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false);
    config
}
