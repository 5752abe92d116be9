//! A file per row, each told as: ours, the other, the verdict.

pub mod caught_up;
pub mod cold_turn;
pub mod egress;
pub mod fan_out;
pub mod idle_memory;
pub mod open_long;
pub mod page_weight;
pub mod sandbox_start;
pub mod sandbox_wake;
pub mod search;
pub mod sms_ack;
pub mod start_up;
pub mod task;
pub mod warm_turn;

pub const NAMES: [&str; 16] = [
    "warm-turn",
    "added-latency",
    "cold-turn",
    "egress",
    "sms-ack",
    "sandbox-start",
    "sandbox-wake",
    "idle-memory",
    "start-up",
    "fan-out",
    "search",
    "caught-up",
    "open-long",
    "page-weight",
    "task",
    "second-clone",
];
