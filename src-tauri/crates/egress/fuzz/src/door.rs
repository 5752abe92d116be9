#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| egress::fuzzing::door(input));

/// Only `cargo xtask fuzz` makes something of it.
#[cfg(not(fuzzing))]
fn main() {}
