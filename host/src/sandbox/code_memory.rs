//! Code memory in place: the compiled component runs from the program's own mapped pages. A copy would take two megabytes of
//! memory, and two milliseconds of each start.
//!
//! On x86-64 Linux only: other processors want their instruction caches told, and other systems may refuse.

use wasmtime::{Config, Engine, component::Component};

/// A component that was compiled by the build script, at the start of a page.
#[repr(C)]
#[cfg_attr(target_arch = "x86_64", repr(align(4096)))]
pub(super) struct PageAligned<T: ?Sized>(pub(super) T);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod in_place {
    use std::{io, ptr::NonNull, sync::Arc};

    use rustix::{
        mm::{MprotectFlags, mprotect},
        param::page_size,
    };
    use wasmtime::CustomCodeMemory;

    use super::{Component, Config, Engine, PageAligned};

    struct MappedPages;

    impl MappedPages {
        fn protect(start: *const u8, length: usize, flags: MprotectFlags) -> wasmtime::Result<()> {
            #[expect(unsafe_code, reason = "there is no other way to run code that is mapped as data")]
            // SAFETY: wasmtime names whole pages that hold nothing but a component's code, and data of the component that is
            // never written.
            unsafe { mprotect(start.cast_mut().cast(), length, flags) }.map_err(|error| io::Error::from(error).into())
        }
    }

    impl CustomCodeMemory for MappedPages {
        fn required_alignment(&self) -> usize {
            page_size()
        }

        fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
            Self::protect(start, length, MprotectFlags::READ | MprotectFlags::EXEC)
        }

        fn unpublish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
            Self::protect(start, length, MprotectFlags::READ | MprotectFlags::WRITE)
        }
    }

    pub(in super::super) fn prepare(config: &mut Config) {
        config.with_custom_code_memory(Some(Arc::new(MappedPages)));
    }

    pub(in super::super) fn load(engine: &Engine, code: &'static PageAligned<[u8]>) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "the bytes are ours: the build script made them, and nobody can have changed them"
        )]
        // SAFETY: the bytes are what `precompile_component` returned, stay for as long as the program, and are never written.
        unsafe {
            Component::deserialize_raw(engine, NonNull::from(&code.0))
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod in_place {
    use super::{Component, Config, Engine, PageAligned};

    pub(in super::super) fn prepare(_config: &mut Config) {}

    pub(in super::super) fn load(engine: &Engine, code: &'static PageAligned<[u8]>) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "the bytes are ours: the build script made them, and nobody can have changed them"
        )]
        // SAFETY: the bytes are what `precompile_component` returned.
        unsafe {
            Component::deserialize(engine, &code.0)
        }
    }
}

pub(super) use in_place::{load, prepare};
