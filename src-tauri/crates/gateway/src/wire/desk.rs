//! The local door's words: what the window and the command line ask and are told at the desk. No phone and no stranger can
//! ask these; they stand in the page's TypeScript, not in the companion API's description.

mod accounts;
mod audit;
mod hosts;
mod house;
mod records;
mod rules;
mod settings;
mod setup;

pub use accounts::{AccountChecked, AccountShown, AccountState, Checked, KeepSecret, SignInCode, SignInLine};
pub use audit::{AuditBroken, AuditShown};
pub use hosts::{HostAllowed, HostOfPackages, HostWish, Hosts};
pub use house::{
    BuildImage, Finding, FindingState, Home, ImageProgress, ImageProgressState, ImageShown, ImageShownState, LockShown,
    ProblemShown, Restart, Restarting, SandboxShown, SpendToday, TextingShown, WindowShown,
};
pub use records::{
    Activity, ActivityItem, ActivityKind, ImportFound, ImportLine, ImportProgress, ImportWish, Imported, Skipped,
    Usage, UsageBy, UsageRow,
};
pub use rules::{PinShown, PinWish, RuleGone, RuleMade, RulesMade};
pub use settings::{Field, FieldChoice, FieldKind, Settings};
pub use setup::{
    HelloAsk, HelloSent, HelloShown, HelloState, NumberKind, Registration, RegistrationState, SetupStep, Skip, StepId,
    StepState, TunnelSetup, TunnelSetupShown, TwilioAccountShown, TwilioAccountWish, TwilioAllow, TwilioNumber,
    TwilioNumberWish, TwilioSaved, WebhookShown,
};
