//! Stored events as frames: the same for a socket and for a page of history.

use super::letters::{self, named};
use crate::wire::{
    ApprovalShown, ApprovalState, ArtifactFact, Complete, ErrorData, ErrorFrame, Frame, FromServer, ModeFact, Notice,
    Resolved, SaidFact, SessionFact, Status, Steered, StreamData, TextFact, ToolFinished, ToolUse, ToolUsed, TurnFact,
};
use domain::{ApprovalId, Problem, event::Event, shown::shown};
use serde_json::Value;
use store::{Rows, approvals, artifacts, events::Stored};

/// # Errors
/// As the store's: some facts are shown with what their rows say now.
pub fn frame(rows: &impl Rows, stored: Stored) -> store::Result<Frame> {
    let seq = stored.seq;
    body(rows, stored).map(|body| Frame::event(seq, body))
}

fn body(rows: &impl Rows, stored: Stored) -> store::Result<FromServer> {
    let (session_id, at, seq) = (stored.session.0, stored.at.0, stored.seq);
    Ok(match stored.event {
        Event::Said { message, channel, text, pictures, when } => FromServer::StreamData(StreamData::Said(SaidFact {
            session_id,
            at,
            message,
            channel: channel.into(),
            text,
            pictures: pictures.into_iter().map(|id| id.0).collect(),
            when: when.into(),
        })),
        Event::TurnStarted { turn, messages } => {
            FromServer::Status(Status::TurnStarted(TurnFact { session_id, at, turn: turn.0, messages }))
        }
        Event::Steered { turn, message } => {
            FromServer::Status(Status::Steered(Steered { session_id, at, turn: turn.0, message }))
        }
        Event::ToolUsed { turn, id, tool, input, parent } => FromServer::StreamToolUse(ToolUse::Used(ToolUsed {
            session_id,
            at,
            turn: turn.map(|t| t.0),
            id,
            tool,
            input,
            parent,
        })),
        Event::ToolFinished { id, ok, text, detail, pictures } => {
            FromServer::StreamToolUse(ToolUse::Finished(ToolFinished {
                session_id,
                at,
                id,
                ok,
                text,
                detail: detail.unwrap_or(Value::Null),
                pictures: pictures.into_iter().map(|id| id.0).collect(),
            }))
        }
        Event::Asked { approval, .. } => {
            let known = approvals::expect(rows, approval)?;
            FromServer::PermissionRequest(Box::new(ApprovalShown::of(&known, letters::sent(rows, seq)?)))
        }
        Event::Resolved { approval, decision, channel } => FromServer::PermissionResolved(Resolved {
            session_id,
            at,
            id: approval.0,
            decision: ApprovalState::of(Some(&decision)),
            channel: channel.map(Into::into),
            by: decided_by(rows, approval)?,
        }),
        Event::Answered { turn, message, text } => FromServer::StreamData(StreamData::Text(TextFact {
            session_id,
            at,
            turn: turn.map(|t| t.0),
            message,
            text,
        })),
        Event::ArtifactMade { turn, artifact, media_type, caption } => {
            FromServer::StreamData(StreamData::Artifact(ArtifactFact {
                session_id,
                at,
                turn: turn.map(|t| t.0),
                artifact: artifact.0,
                media_type,
                caption,
            }))
        }
        Event::TurnEnded { turn, outcome, tokens, cost, duration_ms } => FromServer::StreamComplete(Complete {
            session_id,
            at,
            turn: turn.0,
            outcome: outcome.into(),
            usage: tokens.into(),
            cost_dollars: cost.dollars(),
            duration_ms,
            artifacts: artifacts::of_turn(rows, turn)?.into_iter().map(|(id, ..)| id.0).collect(),
            sent: letters::sent(rows, seq)?,
        }),
        Event::Failed { turn, code, detail } => {
            let mut error = ErrorData::from(Problem::with_detail(code, shown(&detail)));
            // It is past: when to come again was counted from then.
            error.details.retry_after = None;
            FromServer::Error(ErrorFrame { error, session_id: Some(session_id), turn: turn.map(|t| t.0), at: Some(at) })
        }
        Event::Noticed { text } => FromServer::Status(Status::Notice(Notice { session_id, at, text })),
        Event::ModeChanged { mode } => {
            FromServer::Status(Status::ModeChanged(ModeFact { session_id, at, permission_mode: mode.into() }))
        }
        Event::Closed => FromServer::Status(Status::Closed(SessionFact { session_id, at })),
    })
}

fn decided_by(rows: &impl Rows, approval: ApprovalId) -> store::Result<Option<String>> {
    let by = approvals::decided_by(rows, approval)?;
    Ok(by.map(named))
}
