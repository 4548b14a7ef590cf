//! Resource limits of the sandbox: concurrency, memory, CPU time, tables.

use std::time::Duration;

use wasmtime::{InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter};

/// Bounds of the sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls that run at the same time.
    pub calls: usize,
    /// Calls that wait in the fair queue; further ones are refused as busy (load shedding).
    pub waiting: usize,
    pub memory_bytes: usize,
    /// How long a call may compute, waiting not counted.
    pub compute: Duration,
    /// How large an answer may be asked for with `max_bytes`; the component is told.
    pub answer_bytes: usize,
    /// What a call reads at most where it computes over all records that match; the component is told.
    pub scan: ScanLimits,
    /// Core modules of one component, and tables of functions.
    pub modules: u32,
    /// Entries of one such table.
    pub table_elements: usize,
}

/// How far a component scans for figures over all records that match. Past a limit its answer says what it covers, while the
/// limits of the egress end a call.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    pub rows: u64,
    pub requests: u64,
    pub bytes: u64,
    pub seconds: u64,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            // Ten busy months of calls.
            rows: 100_000,
            // That many in pages of a thousand, and as much again for what a comparison reads.
            requests: 200,
            // Three quarters of what one call may read in all.
            bytes: 48_000_000,
            // Two thirds of what one call has.
            seconds: 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // With its 128 MB each, a full house takes 4 GB; a call at rest takes 60 kB. Two cores are busy long before.
            calls: 32,
            // Whoever comes behind so many would not have an answer in time.
            waiting: 256,
            // The largest body that the egress lets through (16 MB), parsed into a tree of JSON values, takes about six
            // times as much.
            memory_bytes: 128 * 1024 * 1024,
            // A page of a thousand full records takes 20 ms. Five seconds are a loop, also on a machine that is busy
            // elsewhere.
            compute: Duration::from_secs(5),
            // Some 250,000 tokens: beyond what any model reads, and still no burden to a client.
            answer_bytes: 1_000_000,
            scan: ScanLimits::default(),
            // rustc's components are three: the program, and two that tie its imports together.
            modules: 8,
            // The component's function tables, a hundredfold.
            table_elements: 100_000,
        }
    }
}

/// Upstream grace: how much longer a call may run than its upstream requests, to report what is missing when those time out.
pub(crate) const UPSTREAM_GRACE: Duration = Duration::from_secs(5);

/// Bookkeeping of the largest component instance; ours takes about 10 kB.
const INSTANCE_BYTES_MAX: usize = 1024 * 1024;

/// Memory for `calls` instances is set aside as address space, and costs nothing until it is used.
pub(super) fn allocation(limits: &Limits) -> InstanceAllocationStrategy {
    // Above any number that a flag may sensibly name.
    let calls = u32::try_from(limits.calls).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(limits.modules))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(limits.modules))
        .total_stacks(calls)
        .max_core_instances_per_component(limits.modules)
        .max_memories_per_component(1)
        .max_tables_per_component(limits.modules)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        // Pages kept for the next call made a call slower, and would hold what the last caller had in them.
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Memory limiter: refuses growth beyond the limits instead of trapping. The component sees a failed allocation, as any
/// program would, and `memory_refused` tells why it then ended.
#[derive(Debug)]
pub(super) struct MemoryLimiter {
    limits: Limits,
    pub(super) memory_refused: bool,
}

impl MemoryLimiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            memory_refused: false,
        }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.limits.memory_bytes;
        self.memory_refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= self.limits.table_elements)
    }

    fn instances(&self) -> usize {
        self.limits.modules as usize
    }

    fn tables(&self) -> usize {
        self.limits.modules as usize
    }

    fn memories(&self) -> usize {
        1
    }
}
