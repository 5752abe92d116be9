use crate::support::*;
use domain::{Code, Problem, usage::MicroDollars};
use egress::Left;
use http_body_util::BodyExt;
use hyper::StatusCode;

#[tokio::test]
async fn past_the_cap_the_next_request_is_refused_with_its_sentence() {
    let (mut model, house, door) = world().await;
    *house.refuse.lock().unwrap() = Some(Problem::with_detail(Code::SpendCap, "Today: $5.00 of $5.00."));
    let response = soon(client(&door).await.send_request(ask(TOKEN))).await.unwrap();
    assert_eq!(response.headers()["x-should-retry"], "false");
    assert_eq!(response.headers()["x-lanyard-code"], "SPEND_CAP");
    let (status, body) = text(response).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    assert!(body.contains("Today: $5.00 of $5.00."), "{body}");
    assert!(model.exchanges.try_recv().is_err());
}

#[tokio::test]
async fn the_end_is_seen_only_when_the_money_is_recorded() {
    let (mut model, house, door) = world().await;
    house.records.send_replace(false);
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    for said in [START, LAST] {
        say.send(Ok(said)).await.unwrap();
        assert_eq!(piece(&mut body).await.as_deref(), Some(said));
    }
    say.send(Ok(STOP)).await.unwrap();
    let mut end = std::pin::pin!(body.frame());
    // The door has taken the piece (its channel holds one more) and still gives nothing on.
    say.reserve().await.unwrap();
    assert!(futures::poll!(&mut end).is_pending() && house.told.borrow().spends.is_empty());
    house.records.send_replace(true);
    assert_eq!(soon(end).await.unwrap().unwrap().into_data().unwrap(), STOP);
    assert_eq!(house.told.borrow().spends.len(), 1);
}

#[tokio::test]
async fn words_that_came_with_the_end_do_not_wait_for_it() {
    let (mut model, house, door) = world().await;
    house.records.send_replace(false);
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    say.send(Ok(Box::leak([START, DELTA, LAST, STOP].concat().into_boxed_str()))).await.unwrap();
    assert_eq!(piece(&mut body).await, Some([START, DELTA, LAST].concat()));
    assert!(futures::poll!(std::pin::pin!(body.frame())).is_pending() && house.told.borrow().spends.is_empty());
    house.records.send_replace(true);
    assert_eq!(piece(&mut body).await.as_deref(), Some(STOP));
    assert_eq!(house.told.borrow().spends.len(), 1);
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_pays_for_what_passed() {
    let (mut model, house, door) = world().await;
    let mut client = client(&door).await;
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    for said in [START, DELTA, DELTA, DELTA] {
        say.send(Ok(said)).await.unwrap();
        piece(&mut body).await.unwrap();
    }
    drop(body);
    let spend = house.one_spend().await;
    assert_eq!((spend.tokens.input, spend.complete), (1000, false));
    assert!(spend.tokens.output >= 3, "{:?}", spend.tokens);
    soon(say.closed()).await;
}

#[tokio::test]
async fn whoever_goes_away_before_the_first_count_pays_for_the_asking() {
    let (mut model, house, door) = world().await;
    let request = ask_with(
        TOKEN,
        format!(r#"{{"model":"claude-opus-5","messages":[{{"role":"user","content":"{}"}}]}}"#, "x".repeat(40_000)),
    );
    let asking = tokio::spawn(client(&door).await.send_request(request));
    let _held = model.next().await;
    asking.abort();
    let spend = house.one_spend().await;
    assert!(spend.tokens.input > 10_000 && !spend.complete && spend.status == 0, "{spend:?}");
}

#[tokio::test]
async fn parallel_requests_do_not_outrun_a_cap_together() {
    let (mut model, house, door) = world().await;
    // Room for one request's worst case (about a hundredth of a cent of prompt and 100 tokens out), not for two.
    *house.left.lock().unwrap() = Left { session: Some(MicroDollars(4_000)), all: None };
    let first = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
    let exchange = model.next().await;
    let second = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
    house.until(|t| t.admitted == 2).await;
    assert!(model.exchanges.try_recv().is_err());
    exchange
        .answer
        .send(whole(200, r#"{"model":"claude-opus-5","usage":{"input_tokens":10,"output_tokens":4}}"#))
        .unwrap();
    text(soon(first).await.unwrap().unwrap()).await;
    model.next().await.answer.send(whole(200, "{}")).unwrap();
    assert_eq!(soon(second).await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn one_that_waited_is_refused_when_the_other_used_up_the_cap() {
    let (mut model, house, door) = world().await;
    *house.left.lock().unwrap() = Left { session: Some(MicroDollars(4_000)), all: None };
    let first = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
    let exchange = model.next().await;
    let second = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
    house.until(|t| t.admitted == 2).await;
    *house.refuse.lock().unwrap() = Some(Code::SpendCap.into());
    exchange.answer.send(whole(200, "{}")).unwrap();
    text(soon(first).await.unwrap().unwrap()).await;
    assert_eq!(soon(second).await.unwrap().unwrap().status(), StatusCode::PAYMENT_REQUIRED);
    assert!(model.exchanges.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_passed_on_and_is_paid_for() {
    let (mut model, house, door) = world().await;
    let answer = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
    let mut response = whole(200, "???");
    response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    model.next().await.answer.send(response).unwrap();
    assert_eq!(soon(answer).await.unwrap().unwrap().status(), StatusCode::BAD_GATEWAY);
    assert!(house.one_spend().await.cost > MicroDollars(0));
}

#[tokio::test]
async fn a_tool_of_the_models_servers_does_not_get_out() {
    let (mut model, _house, door) = world().await;
    let body = r#"{"model":"claude-opus-5","max_tokens":1,"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}],"messages":[]}"#;
    let (status, body) = text(soon(client(&door).await.send_request(ask_with(TOKEN, body))).await.unwrap()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("HOST_BLOCKED"));
    assert!(model.exchanges.try_recv().is_err());
}
