#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| egress::fuzzing::usage(input));

/// Only `cargo xtask fuzz` makes something of it.
#[cfg(not(fuzzing))]
fn main() {}
