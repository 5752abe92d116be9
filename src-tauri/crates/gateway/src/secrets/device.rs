//! Signing in to GitHub by device flow: the owner types a short code on GitHub's own page.

use super::accounts;
use crate::{
    config::TaskSettings,
    gateway::App,
    wire::desk::{AccountChecked, SignInCode, SignInLine},
};
use ::accounts::{
    forge::{DeviceError, DeviceFlow},
    keychain::Account,
};
use domain::{Code, Problem, shown::shown_line};
use tokio::sync::mpsc;

/// In GitHub's words, for an OAuth app; a GitHub App has permissions of its own.
pub const SCOPE: &str = "repo";
const TOKEN_INSTEAD: &str = "Keep a fine-grained token instead: lanyard config set-key github.";

/// # Errors
/// `CONFIG_INVALID` where no app is named that may sign in, or GitHub's address is none.
pub fn flow(settings: &TaskSettings) -> Result<DeviceFlow, Problem> {
    let Some(app) = settings.github_app.clone() else {
        return Err(Problem::with_detail(Code::ConfigInvalid, "tasks.github_app names no app.").suggest(TOKEN_INSTEAD));
    };
    let forge = settings.forges.iter().find(|forge| forge.host == "github.com").ok_or(Code::NoForge)?;
    let at = |what: &str| format!("{}/{what}", forge.login.as_str().trim_end_matches('/')).parse();
    let (Ok(begin), Ok(token)) = (at("device/code"), at("oauth/access_token")) else {
        return Err(Problem::with_detail(Code::ConfigInvalid, "tasks.forges: login is no address."));
    };
    DeviceFlow::new(begin, token, app).map_err(|e| refused(&e))
}

pub fn refused(e: &DeviceError) -> Problem {
    Problem::with_detail(e.code(), format!("{e}.")).suggest(TOKEN_INSTEAD)
}

/// What to do about a token that is good for a while only.
pub fn runs_out(seconds: u64) -> String {
    format!(
        "GitHub says that it runs out in {} hours: switch the expiry of user tokens off in the app's settings, and sign in again.",
        seconds / 3600
    )
}

/// Signs in and tells of it: the code, and how it ended. Ends with the code's life, or when nobody listens any more.
///
/// # Errors
/// As [`flow`]'s, and what GitHub says of the beginning.
pub async fn sign_in(app: &App) -> Result<mpsc::Receiver<SignInLine>, Problem> {
    let flow = flow(&app.config.tasks)?;
    let begun = flow.begin(SCOPE).await.map_err(|e| refused(&e))?;
    let (lines, told) = mpsc::channel(2);
    let code = SignInCode {
        code: shown_line(&begun.user_code, 40),
        url: shown_line(&begun.verification_uri, 200),
        expires_in: begun.expires_in,
    };
    let own = app.clone();
    app.tasks.spawn(async move {
        if lines.send(SignInLine::Code(code)).await.is_err() {
            return;
        }
        let signed_in = tokio::select! {
            signed_in = flow.wait(&begun) => signed_in,
            () = lines.closed() => return,
            () = own.stop.cancelled() => return,
        };
        let line = match signed_in {
            Ok(signed_in) => match accounts::keep(&own, Account::Github, &signed_in.token, true).await {
                Ok(kept) => SignInLine::Done(with_expiry(kept, signed_in.expires_in)),
                Err(problem) => SignInLine::Refused(problem.into()),
            },
            Err(e) => SignInLine::Refused(refused(&e).into()),
        };
        let _nobody_listens = lines.send(line).await;
    });
    Ok(told)
}

fn with_expiry(mut kept: AccountChecked, expires_in: Option<u64>) -> AccountChecked {
    if let Some(seconds) = expires_in.filter(|_| kept.checked.ok) {
        kept.checked.suggestion = Some(runs_out(seconds));
    }
    kept
}
