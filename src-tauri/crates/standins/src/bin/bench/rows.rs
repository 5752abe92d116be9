//! A file per row, each told as: ours, the other, the verdict.

pub mod cold_turn;
pub mod egress;
pub mod idle_memory;
pub mod sandbox_start;
pub mod sandbox_wake;
pub mod sms_ack;
pub mod start_up;
pub mod warm_turn;

pub const NAMES: [&str; 9] = [
    "warm-turn",
    "added-latency",
    "cold-turn",
    "egress",
    "sms-ack",
    "sandbox-start",
    "sandbox-wake",
    "idle-memory",
    "start-up",
];
