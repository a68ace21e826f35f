//! `schedule`, `status`, `vmi`, `render` and `metrics` by their whole text, through the program itself.

mod answers;
mod bad_input;
mod instance_types;
mod program;
mod real_code;
mod streams;

#[path = "../../../sim/tests/vectors/files.rs"]
mod files;
#[expect(dead_code, reason = "here the pod comes from the program")]
#[path = "../../../sim/tests/vectors/launcher.rs"]
mod launcher;
