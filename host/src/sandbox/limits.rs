//! How much of the machine the component may use.

use std::time::Duration;
use wasmtime::{InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter};

/// Bounds of the sandbox. Each default says why in its constant.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls that run at the same time; more wait for their turn.
    pub calls: usize,
    pub memory_bytes: usize,
    /// How long a call may compute, waiting not counted.
    pub compute: Duration,
    /// How large an answer may be asked for with `max_bytes`; the component is told.
    pub answer_bytes: usize,
}

/// With its 128 MB each, a full house takes 4 GB; a call at rest takes 60 kB. Two cores are busy long before.
pub const CALLS: usize = 32;

/// The largest body that the gate lets through (16 MB), parsed into a tree of JSON values, takes about six times as much.
pub const MEMORY_BYTES: usize = 128 * 1024 * 1024;

/// A page of a thousand full records takes 20 ms. Five seconds are a loop, also on a machine that is busy elsewhere.
pub const COMPUTE: Duration = Duration::from_secs(5);

/// Some 250,000 tokens: beyond what any model reads, and still no burden to a client.
pub const ANSWER_BYTES: usize = 1_000_000;

/// A call gets this much longer than its upstream: to say what is missing, where requests ran out of time.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Entries of the component's function tables, a hundredfold.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// rustc's components are three core modules: the program, and two that tie its imports together.
const CORE_INSTANCES_MAX: u32 = 8;
const TABLES_MAX: u32 = 8;

/// Bookkeeping of the largest component instance; ours takes about 10 kB.
const INSTANCE_BYTES_MAX: usize = 1024 * 1024;

/// Memory for `calls` instances is set aside as address space, and costs nothing until it is used.
pub(super) fn allocation(limits: &Limits) -> InstanceAllocationStrategy {
    // Above any number that a flag may sensibly name.
    let calls = u32::try_from(limits.calls).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(TABLES_MAX))
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(1)
        .max_tables_per_component(TABLES_MAX)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_memory_size(limits.memory_bytes)
        .table_elements(TABLE_ELEMENTS_MAX)
        // Pages kept for the next call made a call slower, and would hold what the last caller had in them.
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Refuses memory instead of trapping: the component meets a failed allocation as any program would, and the host
/// remembers why it then ended.
#[derive(Debug)]
pub(super) struct Meter {
    memory_bytes_max: usize,
    pub(super) memory_refused: bool,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes_max: limits.memory_bytes,
            memory_refused: false,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory_bytes_max;
        self.memory_refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        1
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: CALLS,
            memory_bytes: MEMORY_BYTES,
            compute: COMPUTE,
            answer_bytes: ANSWER_BYTES,
        }
    }
}
