//! One agent's link: TLS, then muxado with this side as its server, then typed streams.

use super::{
    certificates::Authority,
    gate::{Gate, Hand},
    rpc, sessions,
    world::World,
};
use muxado::{
    SessionBuilder,
    typed::{Typed, TypedAccept, TypedSession, TypedStream},
};
use std::{net::SocketAddr, sync::Arc, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

const HEARTBEAT: u32 = u32::MAX;

/// The side of a link that opens streams to the agent.
pub(super) type Opener = Typed<muxado::MuxadoOpen>;

/// What a link is to the requests that come over it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) world: Arc<World>,
    pub(super) opener: Opener,
    pub(super) hand: Hand,
}

/// Takes links until `stop`. While the edge is down its port refuses.
pub(super) async fn listen(
    listener: TcpListener,
    authority: Arc<Authority>,
    world: Arc<World>,
    stop: CancellationToken,
) {
    let Ok(at) = listener.local_addr() else { return };
    let Ok(tls) = authority.server(&[]) else { return };
    let acceptor = TlsAcceptor::from(tls);
    let mut down = world.down();
    // It may have been told to be down before it came to listen.
    down.mark_changed();
    let mut listener = Some(listener);
    let mut links = JoinSet::new();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            _ = down.changed() => {
                let down = *down.borrow_and_update();
                listener = if down { None } else { again(at, listener) };
                world.port_refuses(down);
            }
            Some(_) = links.join_next() => {}
            Some(stream) = accept(listener.as_ref()) => drop(links.spawn(serve(stream, acceptor.clone(), world.clone()))),
        }
    }
    world.change(|state| state.links.values().for_each(Hand::cut));
    while links.join_next().await.is_some() {}
}

/// The same port once more (the runtime sets SO_REUSEADDR on it).
fn again(at: SocketAddr, there: Option<TcpListener>) -> Option<TcpListener> {
    there.or_else(|| {
        let listener = std::net::TcpListener::bind(at).ok()?;
        listener.set_nonblocking(true).ok()?;
        TcpListener::from_std(listener).ok()
    })
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, world: Arc<World>) {
    let hand = Hand::new(world.read(|state| state.graves.clone()));
    let number = world.change(|state| {
        let number = state.number();
        state.links.insert(number, hand.clone());
        if state.hole {
            hand.swallow();
        }
        number
    });
    let _ = stream.set_nodelay(true);
    tokio::select! {
        () = hand.when_cut() => {}
        () = speak(Gate::new(stream, hand.clone()), acceptor, number, hand.clone(), world.clone()) => {}
    }
    hand.cut();
    world.change(|state| {
        state.links.remove(&number);
        sessions::end_with_link(state, number);
    });
}

async fn speak(gate: Gate, acceptor: TlsAcceptor, number: u64, hand: Hand, world: Arc<World>) {
    let Ok(tls) = acceptor.accept(gate).await else { return };
    let session = Typed::new(SessionBuilder::new(tls).server().start());
    let (opener, mut streams) = session.split_typed();
    let link = Link { number, world, opener, hand };
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = requests.join_next() => {}
            stream = streams.accept_typed() => match stream {
                Ok(stream) if *stream.typ() == HEARTBEAT => drop(requests.spawn(beat(stream, link.clone()))),
                Ok(stream) => drop(requests.spawn(rpc::answer(stream, link.clone()))),
                Err(_) => return,
            },
        }
    }
}

/// Gives every heartbeat back. The stream is never finished from this side: ngrok's agent would spin on its end.
async fn beat(mut stream: TypedStream, link: Link) {
    let mut beat = [0; 4];
    while stream.read_exact(&mut beat).await.is_ok() {
        link.world.change(|state| {
            let ours = state.sessions.values_mut().filter(|session| session.link == link.number);
            ours.for_each(|session| session.heard = Instant::now());
        });
        if stream.write_all(&beat).await.is_err() {
            return;
        }
    }
    link.hand.when_cut().await;
}
