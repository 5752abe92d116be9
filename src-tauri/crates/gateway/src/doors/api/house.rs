//! How the gateway stands, and whether an agent could work.

use super::{
    Chat, PairedPhone, Read,
    auth::caller,
    no::{No, Refusals},
};
use crate::{
    gateway::App,
    sessions::{SandboxState, stops_every_turn},
    stream::view,
    talk::{self, AGENTS, IMAGE_BYTES, IMAGES, PROMPT_BYTES},
    wire::{Ask, Claude, ClaudeTest, Health, Info, Limits, SessionState},
};
use accounts::keychain::Account;
use axum::{
    Json,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use domain::{Code, PermissionMode, pairing::Scope};

/// Without a token only whether something answers.
#[utoipa::path(get, path = "/health", tag = "house", security((), ("bearer" = [])), responses((status = 200, body = Health), Refusals))]
pub async fn health(State(app): State<App>, request: Request) -> Json<Health> {
    let (parts, _no_body) = request.into_parts();
    let known = caller(&app, &parts).is_ok_and(|caller| caller.scopes.has(Scope::Read));
    if !known {
        return Json(Health { status: "ok", ..Health::default() });
    }
    let (house, claude) = (view::house(&app).await, claude(&app).await);
    Json(Health {
        status: if claude.available { "ok" } else { "trouble" },
        version: Some(env!("CARGO_PKG_VERSION")),
        uptime: Some(crate::clock::now().since(app.started).as_secs()),
        claude: Some(claude),
        sessions: Some(house.sessions),
        sandbox: Some(house.sandbox),
        tunnel: house.tunnel,
        tunnel_state: Some(house.tunnel_state),
    })
}

async fn claude(app: &App) -> Claude {
    let key = app.secrets.get(Account::Anthropic).await;
    let trouble = match app.workshop.state().await {
        SandboxState::Trouble { code, .. } => Some(code.entry().sentence.to_owned()),
        SandboxState::Paused => Some(Code::SandboxPaused.entry().sentence.to_owned()),
        SandboxState::Unknown | SandboxState::Preparing { .. } | SandboxState::Ready => None,
    };
    judged(key.err().map(|e| e.problem(Account::Anthropic).message), trouble, app.last_failure.code())
}

/// From what is wrong with the key, with the sandbox, and with the last agent.
fn judged(no_key: Option<String>, trouble: Option<String>, failed: Option<Code>) -> Claude {
    let key = no_key.is_none();
    Claude {
        available: key && trouble.is_none() && !failed.is_some_and(stops_every_turn),
        version: sandbox::CLAUDE_VERSION.to_owned(),
        key,
        last_error: trouble.or(no_key).or(failed.map(|code| code.entry().sentence.to_owned())),
    }
}

/// What this gateway is and can do.
#[utoipa::path(get, path = "/api/info", tag = "house", responses((status = 200, body = Info), Refusals))]
pub async fn info(State(app): State<App>, _phone: PairedPhone<Read>) -> Result<Json<Info>, No> {
    let mut features = vec!["chat", "approvals", "search", "export", "pictures", "push", "tasks"];
    if app.texting.now().is_some() {
        features.push("texting");
    }
    let model = app.config.written.agent.model.clone();
    let mut models: Vec<String> = ["sonnet", "opus", "haiku"].map(str::to_owned).into();
    if !model.is_empty() && !models.contains(&model) {
        models.insert(0, model);
    }
    use SessionState::{Closed, Cold, Idle, Starting, Working};
    Ok(Json(Info {
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        version: env!("CARGO_PKG_VERSION"),
        features,
        limits: limits(&app),
        permission_modes: PermissionMode::ALL.map(Into::into).into(),
        models,
        agents: AGENTS.map(str::to_owned).into(),
        session_states: vec![Cold, Starting, Idle, Working, Closed],
    }))
}

fn limits(app: &App) -> Limits {
    let patience = &app.config.patience;
    Limits {
        sessions: app.config.api.sessions,
        waiting: patience.waiting,
        turn_minutes: patience.turn.as_secs() / 60,
        idle_minutes: patience.idle.as_secs() / 60,
        frame_bytes: crate::stream::FRAME_BYTES,
        prompt_bytes: PROMPT_BYTES,
        image_bytes: IMAGE_BYTES,
        images: IMAGES,
        requests_per_minute: app.config.api.per_minute.get(),
    }
}

/// Whether a turn could run, as far as can be told without one.
#[utoipa::path(get, path = "/api/claude/status", tag = "house", responses((status = 200, body = Claude), Refusals))]
pub async fn claude_status(State(app): State<App>, _phone: PairedPhone<Read>) -> Json<Claude> {
    Json(claude(&app).await)
}

/// Proves it with one tiny turn, in a session of its own.
#[utoipa::path(post, path = "/api/claude/test", tag = "house", responses((status = 200, body = ClaudeTest), Refusals))]
pub async fn claude_test(State(app): State<App>, phone: PairedPhone<Chat>) -> Result<Json<ClaudeTest>, No> {
    let prompt = "Answer with the one word ready. Use no tool.".to_owned();
    let ask = Ask { prompt, agent: None, images: Vec::new(), timeout_ms: Some(60_000) };
    let answer = talk::ask(&app, &phone.0, ask).await?;
    talk::close(&app, domain::SessionId(answer.session_id)).await?;
    Ok(Json(ClaudeTest {
        ok: true,
        session_id: answer.session_id,
        text: answer.text,
        duration_ms: answer.duration_ms,
        cost_dollars: answer.cost_dollars,
    }))
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "house",
    responses((status = 200, content_type = "application/openmetrics-text", body = String), Refusals))]
pub async fn metrics(State(app): State<App>, _phone: PairedPhone<Read>) -> Result<Response, No> {
    let text = app.metrics.text(&app).await?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fail_the_next_turn_too_makes_claude_unavailable_and_any_failure_is_told() {
        assert_eq!((judged(None, None, None).available, judged(None, None, None).last_error), (true, None));
        for (code, available) in [
            (Code::KeyRefused, false),
            (Code::CreditTooLow, false),
            (Code::AgentDied, false),
            (Code::Overloaded, true),
            (Code::PromptTooLong, true),
        ] {
            let claude = judged(None, None, Some(code));
            assert_eq!((claude.available, claude.last_error.as_deref()), (available, Some(code.entry().sentence)));
        }
    }
}
