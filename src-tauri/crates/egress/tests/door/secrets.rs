use crate::support::*;
use bytes::Bytes;
use egress::{Admission, Credential, Door, Left};
use http_body_util::Full;
use hyper::Request;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_at_any_level_has_the_key_or_the_token() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(written.clone())
        .finish();
    // Of this thread, on which the whole test runs.
    let _log = tracing::subscriber::set_default(subscriber);
    let (mut model, house) = (Model::start().await, FakeHouse::new());
    let door = Door::new(model.settings(), house).unwrap();
    let mut client = client(&door).await;
    for token in [TOKEN, "lanyard-wrong-token"] {
        let answer = tokio::spawn(client.send_request(ask(token)));
        if token == TOKEN {
            model.next().await.answer.send(whole(200, "{}")).unwrap();
        }
        text(soon(answer).await.unwrap().unwrap()).await;
        soon(client.ready()).await.unwrap();
    }
    let proxied = Request::connect("user:pass-word@evil.example:443")
        .header("proxy-authorization", basic(TOKEN))
        .body(Full::<Bytes>::default())
        .unwrap();
    text(soon(client.send_request(proxied)).await.unwrap()).await;
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("TRACE") && log.contains("hyper") && log.contains("BAD_SANDBOX_TOKEN"),
        "the log is on: {log}"
    );
    for secret in [KEY, TOKEN, "lanyard-wrong-token", "pass-word", basic(TOKEN).trim_start_matches("Basic ")] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn nothing_prints_a_key() {
    for key in [Credential::ApiKey(KEY.into()), Credential::Bearer(KEY.into())] {
        assert!(!format!("{:?}", Admission { key, left: Left::default() }).contains(KEY));
    }
}
