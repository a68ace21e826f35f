//! GENERATORS: random objects as a user writes them, each out of a tape of numbers that proptest draws and shrinks.
//!
//! A tape that ends reads as zeros, and zero always means the plainest choice, so that a shrunken failure is a small
//! world.

pub(crate) mod nodes;
pub(crate) mod pods;
pub(crate) mod quantities;
pub(crate) mod reach;
pub(crate) mod rules;
pub(crate) mod storage;
pub(crate) mod tape;
pub(crate) mod world;
