//! What went wrong with an update, as a person reads it.

use domain::{Code, Problem};
use std::{error::Error as _, io};
use tauri_plugin_updater::Error;

/// Each error of the plugin has its code. The whole chain is logged here, once.
pub fn of(error: &Error) -> Problem {
    tracing::warn!(error = %chain(error), "an update went wrong");
    match error {
        Error::Reqwest(e) if e.is_decode() => Code::UpdateUnreadable.into(),
        Error::Reqwest(e) => Problem::with_detail(Code::UpdateUnreachable, deepest(e)),
        Error::Network(why) => Problem::with_detail(Code::UpdateUnreachable, format!("{why}.")),
        Error::ReleaseNotFound
        | Error::Serialization(_)
        | Error::Semver(_)
        | Error::UrlParse(_)
        | Error::FormatDate
        | Error::Http(_) => Code::UpdateUnreadable.into(),
        Error::TargetNotFound(_) | Error::TargetsNotFound(_) | Error::UnsupportedArch | Error::UnsupportedOs => {
            Code::UpdateNotForHere.into()
        }
        Error::Minisign(_) | Error::Base64(_) | Error::SignatureUtf8(_) => Code::UpdateRefused.into(),
        Error::SignedVersionMismatch { signed, announced } => Problem::with_detail(
            Code::UpdateRefused,
            format!("It was announced as {announced} and is signed as {signed}."),
        ),
        Error::MissingSignedVersion => Problem::with_detail(Code::UpdateRefused, "Its signature names no version."),
        Error::InvalidUpdaterFormat | Error::BinaryNotFoundInArchive => no_program(),
        Error::AuthenticationFailed | Error::DebInstallFailed | Error::PackageInstallFailed => {
            Code::UpdateNotAllowed.into()
        }
        // The plugin found no program that could ask for the right.
        Error::Io(e) if e.kind() == io::ErrorKind::NotFound => Code::UpdateNotAllowed.into(),
        Error::Io(e) => not_written(e),
        Error::PreviousAppNotRestored(at) => {
            Problem::with_detail(Code::UpdateNotInstalled, format!("The version before it lies at {}.", at.display()))
                .suggest("Move it back to where Lanyard was, or install Lanyard anew; your data is untouched.")
        }
        Error::EmptyEndpoints | Error::InsecureTransportProtocol => Code::UpdatesOff.into(),
        other => Problem::with_detail(Code::UpdateNotInstalled, format!("{other}.")),
    }
}

/// It is signed, and yet nothing that runs here.
pub fn no_program() -> Problem {
    Problem::with_detail(Code::UpdateRefused, "It is no program for this computer.")
}

/// A file could not be put in place.
pub fn not_written(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull => Problem::with_detail(Code::UpdateNotInstalled, "The disk is full.")
            .suggest("Free some space and try again. This version goes on as it was."),
        _ => Problem::with_detail(Code::UpdateNotInstalled, format!("{error}.")),
    }
}

fn chain(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

/// The last cause is what a person can do something about: no route, an unknown certificate.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    format!("{}.", cause.to_string().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_fail_has_its_code() {
        let io = |kind| Error::Io(io::Error::from(kind));
        let mismatch = Error::SignedVersionMismatch { signed: "0.2.0".into(), announced: "0.3.0".into() };
        let known = [
            (Error::ReleaseNotFound, Code::UpdateUnreadable),
            (Error::TargetsNotFound(vec!["linux-x86_64".into()]), Code::UpdateNotForHere),
            (Error::SignatureUtf8("?".into()), Code::UpdateRefused),
            (Error::MissingSignedVersion, Code::UpdateRefused),
            (mismatch, Code::UpdateRefused),
            (Error::InvalidUpdaterFormat, Code::UpdateRefused),
            (Error::AuthenticationFailed, Code::UpdateNotAllowed),
            (io(io::ErrorKind::NotFound), Code::UpdateNotAllowed),
            (io(io::ErrorKind::StorageFull), Code::UpdateNotInstalled),
            (Error::TempDirNotFound, Code::UpdateNotInstalled),
            (Error::Network("Download request failed with status: 404".into()), Code::UpdateUnreachable),
            (Error::EmptyEndpoints, Code::UpdatesOff),
        ];
        for (error, code) in known {
            assert_eq!(of(&error).code, code, "{error}");
        }
    }
}
