//! The tunnel from a token to an address: the token is tried with ngrok, kept, and the tunnel switched on.

use crate::{
    approvals::internal,
    gateway::App,
    secrets::accounts::keep,
    settings,
    wire::desk::{TunnelSetup, TunnelSetupShown},
};
use accounts::keychain::Account;
use domain::{Code, Problem};
use serde_json::json;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use tunnel::TunnelStatus;

/// A tunnel that is going to open has done so within this time, or says why not.
const OPENS_WITHIN: Duration = Duration::from_secs(20);
/// Its visitors' last answers and its goodbye included.
const SHUTS_WITHIN: Duration = Duration::from_secs(20);

/// # Errors
/// `TUNNEL_TOKEN_REFUSED` and what else ngrok says of the token, which is not kept then; `CONFIG_INVALID` for a domain that is
/// none; what keeps the token from being kept. What becomes of the tunnel itself is in the answer.
pub async fn set_up(app: &App, wish: TunnelSetup) -> Result<TunnelSetupShown, Problem> {
    if let Some(token) = &wish.token {
        let tried = keep(app, Account::Ngrok, token, true).await?.checked;
        if !tried.ok {
            let code = tried.code.unwrap_or(Code::TunnelRefused);
            let suggestion = tried.suggestion.unwrap_or_else(|| code.entry().suggestion.to_owned());
            return Err(Problem { code, message: tried.says, suggestion });
        }
    }
    if let Some(domain) = &wish.domain {
        settings::change(app, &json!({ "tunnel": { "domain": domain.trim() } })).await?;
    }
    open_anew(app).await?;
    let status = app.address.status().borrow().clone();
    let url = status.url().map(str::to_owned);
    Ok(TunnelSetupShown {
        open: url.is_some(),
        url,
        says: status.in_words(SystemTime::now()),
        restart_needed: !settings::waiting(app).is_empty(),
    })
}

/// It is shut first: what an older token or domain opened, or what was refused before, is not what becomes of it now.
pub async fn open_anew(app: &App) -> Result<(), Problem> {
    let mut status = app.address.status();
    app.address.switch.turn(false);
    // Where it takes longer, it closes by itself.
    drop(timeout(SHUTS_WITHIN, status.wait_for(|s| matches!(s, TunnelStatus::Off))).await);
    app.address.switch.keep(&app.store, true).await.map_err(internal)?;
    let settled = |s: &TunnelStatus| matches!(s, TunnelStatus::Open { .. } | TunnelStatus::Refused { .. });
    drop(timeout(OPENS_WITHIN, status.wait_for(settled)).await);
    Ok(())
}
