//! The audit: looked through, and taken out whole.

use crate::{
    approvals::internal,
    audit,
    doors::{api::no::No, owners::owners},
    gateway::App,
    wire::desk::AuditShown,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Problem;
use futures::StreamExt;
use serde_json::{Value, json};
use store::audit::Link;

owners! {
    post "/audit/verify" => verify,
    get "/audit" => export,
}

async fn verify(State(app): State<App>) -> Result<Json<AuditShown>, No> {
    Ok(Json(audit::verify(&app).await?))
}

/// Rows read at once.
const BATCH: usize = 1000;

/// JSON lines, oldest first; each with its hash, so that the chain can be followed outside too.
async fn export(State(app): State<App>) -> Result<Response, No> {
    audit::note(&app, store::audit::Kind::Exported, json!({ "what": "audit" })).await;
    let lines = futures::stream::try_unfold((app.clone(), 0), |(app, after)| async move {
        let rows = app.store.read(move |r| store::audit::after(r, after, BATCH)).await.map_err(internal)?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok::<_, Problem>(None) };
        let lines: String = rows.iter().map(line).collect();
        Ok(Some((Bytes::from(lines), (app, last))))
    });
    let stub = app.store.read(|r| store::facts::get(r, store::facts::AUDIT_STUB)).await?;
    let stub = stub.and_then(|stub| serde_json::from_str::<Value>(&stub).ok());
    let first = stub.map(|stub| Ok::<_, Problem>(Bytes::from(format!("{}\n", json!({ "cut": stub })))));
    let lines = futures::stream::iter(first).chain(lines);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"lanyard-audit.jsonl\"")),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn line(row: &Link) -> String {
    let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    let line = json!({ "id": row.id, "at": row.at, "kind": row.kind, "body": body, "hash": STANDARD.encode(row.hash) });
    format!("{line}\n")
}
