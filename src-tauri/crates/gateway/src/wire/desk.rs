//! The local door's words: what the window and the command line ask and are told at the desk. No phone and no stranger can
//! ask these; they stand in the page's TypeScript, not in the companion API's description.

mod records;

pub use records::{
    Activity, ActivityItem, ActivityKind, ImportFound, ImportLine, ImportProgress, ImportWish, Imported, Skipped,
    Usage, UsageBy, UsageRow,
};
