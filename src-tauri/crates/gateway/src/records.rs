//! What was kept, as the owner looks at it: what was spent, what happened, and the history of another program.

pub mod activity;
pub mod import;
pub mod usage;
