//! The `stuckvm` command.

mod cli;

use std::process::ExitCode;

/// The store makes and drops many small objects: see "An allocator for small objects" in ARCHITECTURE.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
