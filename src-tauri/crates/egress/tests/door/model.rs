use crate::support::*;
use bytes::Bytes;
use egress::Door;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use std::{io, sync::atomic::Ordering};

#[tokio::test]
async fn each_piece_passes_before_the_next_is_made() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert!(response.headers().get("set-cookie").is_none());
    let mut body = response.into_body();
    for said in [START, DELTA, LAST, STOP] {
        say.send(Ok(said)).await.unwrap();
        assert_eq!(piece(&mut body).await.as_deref(), Some(said));
    }
    drop(say);
    assert_eq!(piece(&mut body).await, None);
    let spend = house.one_spend().await;
    assert_eq!((spend.cost, spend.priced, spend.complete, spend.streamed, spend.status), (COST, true, true, true, 200));
    assert_eq!((spend.payer, spend.request_id.as_deref()), (house.payer, Some("req_2")));
}

#[tokio::test]
async fn the_token_comes_off_and_the_key_goes_on() {
    let (mut model, _house, door) = world().await;
    for header in ["x-api-key", "authorization"] {
        let mut request = ask(TOKEN);
        request.headers_mut().remove("x-api-key");
        let value = if header == "x-api-key" { TOKEN.to_owned() } else { format!("Bearer {TOKEN}") };
        request.headers_mut().insert(header, value.parse().unwrap());
        let mut client = client(&door).await;
        let answer = tokio::spawn(client.send_request(request));
        let got = model.next().await;
        assert_eq!(got.parts.headers["x-api-key"], KEY);
        assert_eq!(got.parts.headers["host"], model.address.to_string());
        assert_eq!(got.parts.headers["accept-encoding"], "identity");
        assert_eq!(got.parts.uri, "/v1/messages?beta=true");
        assert!(got.body.starts_with(b"{\"model\":"));
        assert!(got.parts.headers.get("authorization").is_none() && got.parts.headers.get("cookie").is_none());
        assert!(!format!("{:?}", got.parts.headers).contains(TOKEN));
        got.answer.send(whole(200, "{}")).unwrap();
        soon(answer).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_unknown_token_and_a_missing_one_are_told_so_in_anthropics_shape() {
    let (mut model, _house, door) = world().await;
    let mut client = client(&door).await;
    let mut bare = ask("");
    bare.headers_mut().remove("x-api-key");
    for request in [ask("wrong"), bare] {
        let response = soon(client.send_request(request)).await.unwrap();
        assert_eq!(response.headers()["x-lanyard-code"], "BAD_SANDBOX_TOKEN");
        assert_eq!(response.headers()["x-should-retry"], "false");
        let (status, body) = text(response).await;
        let error: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, &error["type"], &error["error"]["type"]),
            (StatusCode::UNAUTHORIZED, &"error".into(), &"authentication_error".into())
        );
        assert!(error["error"]["message"].as_str().unwrap().starts_with("BAD_SANDBOX_TOKEN: "));
    }
    assert!(model.exchanges.try_recv().is_err());
}

#[tokio::test]
async fn other_paths_do_not_reach_the_model() {
    let (mut model, _house, door) = world().await;
    let mut client = client(&door).await;
    for path in [
        "/v1/files",
        "/v1/organizations",
        "/v1/messages/batches",
        "/v1/messages/../files",
        "/api/hello",
        "/v1/complete",
    ] {
        let request =
            Request::post(path).header("x-api-key", TOKEN).body(Full::new(Bytes::from_static(b"{}"))).unwrap();
        let (status, body) = text(soon(client.send_request(request)).await.unwrap()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(body.contains("NOT_FOUND"));
    }
    assert!(model.exchanges.try_recv().is_err());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_a_sentence() {
    let (model, house) = (Model::start().await, FakeHouse::new());
    let door = Door::new(egress::Settings { max_request: 1000, ..model.settings() }, house).unwrap();
    let response = soon(client(&door).await.send_request(ask_with(TOKEN, vec![b' '; 1001]))).await.unwrap();
    assert_eq!(text(response).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let chunked = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "64\r\n".to_owned() + &"x".repeat(100) + "\r\n"
    );
    let said = raw(
        &door,
        (chunked + &("64\r\n".to_owned() + &"x".repeat(100) + "\r\n").repeat(10) + "0\r\n\r\n").as_bytes(),
        "TOO_LARGE",
    )
    .await;
    assert!(said.contains("413"), "{said}");
}

#[tokio::test]
async fn a_model_that_is_not_there_is_said_at_once() {
    let house = FakeHouse::new();
    let door = Door::new(egress::Settings::new("http://127.0.0.1:1".parse().unwrap()), house.clone()).unwrap();
    let response = soon(client(&door).await.send_request(ask(TOKEN))).await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["x-lanyard-code"].to_str().unwrap()),
        (StatusCode::BAD_GATEWAY, "UPSTREAM_UNREACHABLE")
    );
    let spend = house.one_spend().await;
    assert_eq!((spend.status, spend.cost.0, spend.complete), (0, 0, false));
}

#[tokio::test]
async fn an_answer_in_one_piece_and_an_error_pass_and_are_counted() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    for (status, said, cost) in [
        (
            200,
            r#"{"type":"message","model":"claude-opus-5","content":[],"usage":{"input_tokens":1000,"output_tokens":40}}"#,
            COST.0,
        ),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, 0),
    ] {
        let answer = tokio::spawn(client.send_request(ask(TOKEN)));
        model.next().await.answer.send(whole(status, said)).unwrap();
        assert_eq!(
            text(soon(answer).await.unwrap().unwrap()).await,
            (StatusCode::from_u16(status).unwrap(), said.to_owned())
        );
        let spend = house.until(|t| t.spends.last().is_some_and(|s| s.status == status)).await.spends.pop().unwrap();
        assert_eq!((spend.cost.0, spend.streamed), (cost, false));
        soon(client.ready()).await.unwrap();
    }
}

#[tokio::test]
async fn counting_and_listing_models_pass_and_cost_nothing() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let count = Request::post("/v1/messages/count_tokens")
        .header("x-api-key", TOKEN)
        .body(Full::new(Bytes::from_static(b"{\"messages\":[]}")))
        .unwrap();
    let list = Request::get("/v1/models?limit=5").header("x-api-key", TOKEN).body(Full::default()).unwrap();
    for request in [count, list] {
        let answer = tokio::spawn(client.send_request(request));
        let got = model.next().await;
        assert_eq!(got.parts.headers["x-api-key"], KEY);
        got.answer.send(whole(200, "{\"input_tokens\":3}")).unwrap();
        assert_eq!(text(soon(answer).await.unwrap().unwrap()).await.0, StatusCode::OK);
        soon(client.ready()).await.unwrap();
    }
    assert!(house.told.borrow().spends.is_empty());
}

#[tokio::test]
async fn a_hello_opens_the_connection_that_the_first_request_uses() {
    let (mut model, _house, door) = world().await;
    let mut client = client(&door).await;
    let hello = Request::head("/").body(Full::default()).unwrap();
    assert_eq!(soon(client.send_request(hello)).await.unwrap().status(), StatusCode::OK);
    let warm = model.next().await;
    assert!(warm.parts.headers.get("x-api-key").is_none());
    warm.answer.send(whole(404, "")).unwrap();
    soon(door.settled()).await;
    soon(client.ready()).await.unwrap();
    let answer = tokio::spawn(client.send_request(ask(TOKEN)));
    model.next().await.answer.send(whole(200, "{}")).unwrap();
    soon(answer).await.unwrap().unwrap();
    assert_eq!(model.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stream_cut_between_events_ends_with_a_sentence_and_the_connection_lives() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    say.send(Ok(START)).await.unwrap();
    assert_eq!(piece(&mut body).await.as_deref(), Some(START));
    say.send(Err(io::ErrorKind::ConnectionReset.into())).await.unwrap();
    let said = piece(&mut body).await.unwrap();
    assert!(said.starts_with("event: error\ndata: {") && said.contains("STREAM_BROKEN"), "{said}");
    assert_eq!(piece(&mut body).await, None);
    soon(client.ready()).await.unwrap();
    let spend = house.one_spend().await;
    assert_eq!((spend.tokens.input, spend.tokens.output, spend.complete), (1000, 1, false));
}

#[tokio::test]
async fn a_stream_cut_within_an_event_breaks_as_it_broke() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    say.send(Ok("event: message_start\ndata: {\"ty")).await.unwrap();
    assert!(piece(&mut body).await.is_some());
    say.send(Err(io::ErrorKind::ConnectionReset.into())).await.unwrap();
    assert!(soon(body.frame()).await.unwrap().is_err());
    assert!(!house.one_spend().await.complete);
}

#[tokio::test]
async fn a_thousand_turns_on_one_connection_break_none() {
    let (model, house, door) = world().await;
    model.always(|_| {
        let (say, response) = streamed();
        tokio::spawn(async move {
            for said in [START, DELTA, LAST, STOP] {
                say.send(Ok(said)).await.unwrap();
            }
        });
        response
    });
    let mut client = client(&door).await;
    for turn in 0..1000 {
        soon(client.ready()).await.unwrap_or_else(|e| panic!("connection closed before turn {turn}: {e}"));
        let response = soon(client.send_request(ask(TOKEN))).await.unwrap();
        assert_eq!(text(response).await, (StatusCode::OK, [START, DELTA, LAST, STOP].concat()), "turn {turn}");
    }
    let told = house.until(|t| t.spends.len() == 1000).await;
    assert!(told.spends.iter().all(|s| s.cost == COST && s.complete));
}

#[tokio::test]
async fn a_limit_of_the_provider_is_told_before_its_answer_and_is_not_asked_past() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let answer = tokio::spawn(async move { client.send_request(ask(TOKEN)).await.unwrap() });
    let exchange = model.next().await;
    let mut refused = whole(429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"limit"}}"#);
    let until = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 3600;
    refused.headers_mut().insert("anthropic-ratelimit-unified-reset", until.into());
    exchange.answer.send(refused).unwrap();
    let answer = soon(answer).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["x-should-retry"]), (429, &"false".parse().unwrap()));
    assert_eq!(house.told.borrow().limits, [domain::Timestamp(until as i64 * 1000)]);
}
