//! Texting: what arrives by webhook, what is meant by it, and what leaves.

pub mod desk;
pub mod letters;
pub mod media;
pub mod outbox;
pub mod reconcile;
pub mod refusals;
pub mod shot;
pub mod texting;
pub mod webhook;
