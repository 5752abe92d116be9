use crate::support::*;
use domain::SandboxId;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn an_answer_under_way_is_ended_before_the_door_stops() {
    let (mut model, house, door) = world().await;
    let (inside, outside) = tokio::io::duplex(64 << 10);
    let stop = CancellationToken::new();
    let served = tokio::spawn({
        let (door, stop) = (door.clone(), stop.clone());
        async move { door.serve(outside, SandboxId::new(), stop).await }
    });
    let (mut client, wire) = http1::handshake(TokioIo::new(inside)).await.unwrap();
    tokio::spawn(wire);
    let (say, response) = begun(&mut model, &mut client).await;
    let body = response.into_body();
    stop.cancel();
    for said in [START, LAST, STOP] {
        say.send(Ok(said)).await.unwrap();
    }
    drop(say);
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), [START, LAST, STOP].concat());
    soon(served).await.unwrap();
    soon(door.settled()).await;
    assert_eq!(house.told.borrow().spends[0].cost, COST);
}

#[tokio::test]
async fn a_door_that_is_dropped_in_mid_answer_still_records() {
    let (mut model, house, door) = world().await;
    let (inside, outside) = tokio::io::duplex(64 << 10);
    let served = tokio::spawn({
        let door = door.clone();
        async move { door.serve(outside, SandboxId::new(), CancellationToken::new()).await }
    });
    let (mut client, wire) = http1::handshake(TokioIo::new(inside)).await.unwrap();
    tokio::spawn(wire);
    let (say, response) = begun(&mut model, &mut client).await;
    let mut body = response.into_body();
    say.send(Ok(START)).await.unwrap();
    piece(&mut body).await.unwrap();
    served.abort();
    let _ = served.await;
    soon(door.settled()).await;
    assert_eq!(house.told.borrow().spends[0].tokens.input, 1000);
}
