//! A small far side of Twilio's webhooks: it proves and reads what is posted, as the gateway will.

use accounts::twilio::{
    Called, InboundText, Proof, SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, Signer, StatusReport, parse_form,
};
use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// The address Twilio knows; it is no real one.
pub const PUBLIC: &str = "https://desk.example";
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand more";

#[derive(Default)]
pub struct Got {
    pub texts: Vec<InboundText>,
    pub reports: Vec<StatusReport>,
    pub refused: usize,
}

pub struct Desk {
    pub at: SocketAddr,
    pub got: Arc<Mutex<Got>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Inside {
    signer: Signer,
    got: Arc<Mutex<Got>>,
}

impl Desk {
    pub async fn open() -> Self {
        let got = Arc::new(Mutex::new(Got::default()));
        let inside = Inside { signer: Signer::new(&standins::twilio::TOKEN.into()), got: got.clone() };
        let app = Router::new()
            .route("/sms", post(hook))
            .route("/status", post(hook))
            .route("/p.png", get(|| async { ([(header::CONTENT_TYPE, "image/png")], PNG) }))
            .with_state(inside);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        Self { at, got, server: tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }) }
    }

    pub fn reports(&self) -> Vec<StatusReport> {
        self.got.lock().unwrap().reports.clone()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn hook(
    State(inside): State<Inside>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let pairs = parse_form(&body).unwrap();
    let called = Called { base: PUBLIC, path_and_query: uri.path_and_query().unwrap().as_str() };
    let proof =
        Proof { signature: header(SIGNATURE_HEADER).unwrap_or_default(), settings: header(SIGNATURE_SETTINGS_HEADER) };
    let mut got = inside.got.lock().unwrap();
    if !inside.signer.verify_form(called, &pairs, proof) {
        got.refused += 1;
        return StatusCode::FORBIDDEN.into_response();
    }
    match uri.path() {
        "/sms" => got.texts.push(InboundText::read(&pairs).unwrap()),
        _ => got.reports.push(StatusReport::read(&pairs).unwrap()),
    }
    ([(header::CONTENT_TYPE, "text/xml")], "<Response></Response>").into_response()
}
