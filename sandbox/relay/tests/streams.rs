//! Streams over a carrier in memory: nothing is lost, changed or taken for whole when it was cut.

use proptest::prelude::*;
use relay::{Answer, Header, Kind, Mux, Offer, Offers, RelayStream, Side, start};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};

const OUT: Header = Header { kind: Kind::Out, port: 3128 };

/// Two ends of a carrier that holds at most `room` bytes on its way.
fn pair(room: usize) -> (Mux, Mux, Offers) {
    let (near, far) = duplex(room);
    let (relay, _) = run(near, Side::Relay);
    let (gateway, offers) = run(far, Side::Gateway);
    (relay, gateway, offers)
}

fn run(io: DuplexStream, side: Side) -> (Mux, Offers) {
    let (mux, offers, driver) = start(io, side);
    tokio::spawn(driver);
    (mux, offers)
}

async fn connection(relay: &Mux, offers: &mut Offers) -> (RelayStream, RelayStream) {
    let mut near = relay.open(OUT).await.unwrap();
    near.flush().await.unwrap();
    let offer = Offer::read(offers.recv().await.unwrap()).await.unwrap();
    assert_eq!(offer.header, OUT);
    (near, offer.take().await.unwrap())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(20), work).await.expect("it hangs") })
}

async fn send(mut to: impl AsyncWriteExt + Unpin, pieces: &[Vec<u8>]) {
    for piece in pieces {
        to.write_all(piece).await.unwrap();
    }
    to.shutdown().await.unwrap();
}

async fn receive(mut from: impl AsyncReadExt + Unpin) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).await.map(|_| all)
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (any::<u8>(), 30_000usize..400_000).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop::collection::vec(piece, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sent_both_ways_at_once_arrives_whole(there in pieces(), back in pieces(), room in 64usize..200_000) {
        block_on(async {
            let (relay, _gateway, mut offers) = pair(room);
            let (near, far) = connection(&relay, &mut offers).await;
            let ((near_reads, near_writes), (far_reads, far_writes)) = (tokio::io::split(near), tokio::io::split(far));
            let (_, _, got_there, got_back) =
                tokio::join!(send(near_writes, &there), send(far_writes, &back), receive(far_reads), receive(near_reads));
            prop_assert_eq!(got_there.unwrap(), there.concat());
            prop_assert_eq!(got_back.unwrap(), back.concat());
            Ok(())
        })?;
    }

    #[test]
    fn what_is_dropped_before_its_end_is_an_error_after_all_that_was_flushed(sent in pieces()) {
        block_on(async {
            let (relay, _gateway, mut offers) = pair(1 << 20);
            let (mut near, far) = connection(&relay, &mut offers).await;
            let sent = sent.concat();
            let sending = async {
                near.write_all(&sent).await.unwrap();
                near.flush().await.unwrap();
                drop(near);
            };
            let (_, got) = tokio::join!(sending, async {
                let (mut far, mut all) = (far, Vec::new());
                let end = far.read_to_end(&mut all).await;
                (end, all)
            });
            prop_assert_eq!(got.0.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
            prop_assert_eq!(got.1, sent);
            Ok(())
        })?;
    }

    #[test]
    fn a_far_side_that_speaks_nonsense_ends_the_carrier_and_nothing_else(noise in prop::collection::vec(any::<u8>(), 1..300)) {
        block_on(async {
            let (near, mut far) = duplex(1 << 16);
            let (mux, mut offers) = run(near, Side::Gateway);
            far.write_all(&noise).await.unwrap();
            drop(far);
            mux.closed().await;
            while let Some(stream) = offers.recv().await {
                let _ = Offer::read(stream).await;
            }
            prop_assert_eq!(mux.open(OUT).await.err().unwrap().kind(), io::ErrorKind::NotConnected);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_writer_to_one_who_left_is_woken() {
    let (relay, _gateway, mut offers) = pair(1 << 16);
    let (mut near, mut far) = connection(&relay, &mut offers).await;
    // The reader has ended its own side first, as a client does after its request.
    near.shutdown().await.unwrap();
    let writer = tokio::spawn(async move {
        while far.write_all(&[0; 65536]).await.is_ok() {}
        far.shutdown().await
    });
    let mut first = [0];
    near.read_exact(&mut first).await.unwrap();
    drop(near);
    let ended = timeout(Duration::from_secs(10), writer).await.expect("the writer hangs").unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_refusal_is_told_apart_from_a_cut() {
    let (relay, _gateway, mut offers) = pair(1 << 16);
    for (answer, kind) in
        [(Answer::Refused, io::ErrorKind::ConnectionRefused), (Answer::Unserved, io::ErrorKind::Unsupported)]
    {
        let mut near = relay.open(OUT).await.unwrap();
        let far = async {
            let offer = Offer::read(offers.recv().await.unwrap()).await.unwrap();
            offer.refuse(answer).await.unwrap();
        };
        let (told, ()) = tokio::join!(near.taken(), far);
        assert_eq!(told.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn one_connection_more_than_allowed_waits_for_room() {
    let (relay, _gateway, mut offers) = pair(1 << 16);
    let mut open = Vec::new();
    for _ in 0..relay::CONNECTIONS {
        open.push(connection(&relay, &mut offers).await);
    }
    let mut one_more = Box::pin(connection(&relay, &mut offers));
    assert!(futures::poll!(one_more.as_mut()).is_pending());
    open.pop();
    timeout(Duration::from_secs(10), one_more).await.expect("there is room now");
}

#[tokio::test]
async fn a_closed_carrier_cuts_its_connections_on_both_sides() {
    let (relay, gateway, mut offers) = pair(1 << 16);
    let (near, far) = connection(&relay, &mut offers).await;
    gateway.close();
    for side in [near, far] {
        let cut = timeout(Duration::from_secs(10), receive(side)).await.expect("it hangs");
        assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    relay.closed().await;
}
