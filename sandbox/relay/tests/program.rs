//! The real program, on this machine, over both its carriers.
#![cfg(target_os = "linux")]

use relay::{Header, Kind, Mux, Offer, Offers, Side, start};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, join},
    net::{TcpListener, TcpStream, UnixListener},
    process::{Child, Command},
    time::timeout,
};

#[derive(Clone, Copy)]
enum Carrier {
    Socket,
    Pipe,
}

/// A relay that runs, and the gateway's end of its carrier.
struct World {
    carrier: Carrier,
    folder: TempDir,
    listener: UnixListener,
    port: u16,
    _relay: Child,
}

/// One carrier as the gateway has it; dropping it is the gateway's death.
struct Line {
    mux: Mux,
    offers: Offers,
    _pipe: Option<Child>,
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard-relay"));
    command.args(arguments).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

impl World {
    async fn new(carrier: Carrier) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, door) = (folder.path().join("pipe.sock"), folder.path().join("door.sock"));
        let listener = UnixListener::bind(&door).unwrap();
        let mut arguments = vec!["serve", "0", pipe.to_str().unwrap()];
        if let Carrier::Socket = carrier {
            arguments.push(door.to_str().unwrap());
        }
        let mut relay = program(&arguments).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(relay.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
        Self { carrier, listener, port: port.trim().parse().unwrap(), folder, _relay: relay }
    }

    fn pipe_socket(&self) -> PathBuf {
        self.folder.path().join("pipe.sock")
    }

    async fn line(&self) -> Line {
        match self.carrier {
            Carrier::Socket => {
                let (relay, _) = self.listener.accept().await.unwrap();
                let (mux, offers, driver) = start(relay, Side::Gateway);
                tokio::spawn(driver);
                Line { mux, offers, _pipe: None }
            }
            Carrier::Pipe => {
                let mut pipe = program(&["pipe", self.pipe_socket().to_str().unwrap()]).spawn().unwrap();
                let io = join(pipe.stdout.take().unwrap(), pipe.stdin.take().unwrap());
                let (mux, offers, driver) = start(io, Side::Gateway);
                tokio::spawn(driver);
                Line { mux, offers, _pipe: Some(pipe) }
            }
        }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.mux.close();
    }
}

impl Line {
    async fn next(&mut self) -> relay::RelayStream {
        let stream = timeout(Duration::from_secs(10), self.offers.recv()).await.expect("nobody calls").unwrap();
        Offer::read(stream).await.unwrap().take().await.unwrap()
    }
}

async fn either_side_may_end_first(carrier: Carrier) {
    let world = World::new(carrier).await;
    let mut line = world.line().await;
    for client_first in [true, false] {
        let mut client = world.client().await;
        let mut door = line.next().await;
        if client_first {
            ends(&mut client, &mut door).await;
            ends(&mut door, &mut client).await;
        } else {
            ends(&mut door, &mut client).await;
            ends(&mut client, &mut door).await;
        }
    }
}

/// One side says its last words; the other hears them and the end.
async fn ends<A, B>(from: &mut A, to: &mut B)
where
    A: tokio::io::AsyncWrite + Unpin,
    B: tokio::io::AsyncRead + Unpin,
{
    from.write_all(b"last words").await.unwrap();
    from.shutdown().await.unwrap();
    let mut heard = Vec::new();
    timeout(Duration::from_secs(10), to.read_to_end(&mut heard)).await.expect("no end came").unwrap();
    assert_eq!(heard, b"last words");
}

async fn a_client_that_hangs_up_is_a_cut_at_the_door(carrier: Carrier) {
    let world = World::new(carrier).await;
    let mut line = world.line().await;
    let client = world.client().await;
    let mut door = line.next().await;
    client.set_zero_linger().unwrap();
    drop(client);
    let cut = timeout(Duration::from_secs(10), door.read_u8()).await.expect("no end came").unwrap_err();
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
}

async fn a_client_that_stays_after_the_far_end_has_left_is_let_go(carrier: Carrier) {
    let world = World::new(carrier).await;
    let mut line = world.line().await;
    let mut client = world.client().await;
    let mut door = line.next().await;
    ends(&mut door, &mut client).await;
    drop(door);
    let let_go = async {
        while client.write_all(b"anybody there?").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), let_go).await.expect("it is still carried");
}

async fn a_gateway_that_dies_resets_clients_and_the_next_one_serves_them(carrier: Carrier) {
    let world = World::new(carrier).await;
    let mut line = world.line().await;
    let mut client = world.client().await;
    let door = line.next().await;
    drop((door, line));
    let reset = timeout(Duration::from_secs(5), client.read_u8()).await.expect("no end came").unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    let mut waiting = world.client().await;
    let mut next = world.line().await;
    let mut door = next.next().await;
    ends(&mut waiting, &mut door).await;
}

async fn ports_inside_are_reached_or_refused(carrier: Carrier) {
    let world = World::new(carrier).await;
    let line = world.line().await;
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let open = Header { kind: Kind::In, port };
    let mut stream = line.mux.open(open).await.unwrap();
    stream.taken().await.unwrap();
    let (mut client, _) = server.accept().await.unwrap();
    ends(&mut stream, &mut client).await;
    ends(&mut client, &mut stream).await;
    drop(server);
    let refused = line.mux.open(open).await.unwrap().taken().await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let outward = line.mux.open(Header { kind: Kind::Out, port }).await.unwrap().taken().await.unwrap_err();
    assert_eq!(outward.kind(), std::io::ErrorKind::Unsupported);
}

macro_rules! over_both {
    ($($fact:ident)+) => {
        mod socket {
            $(#[tokio::test] async fn $fact() { super::$fact(super::Carrier::Socket).await })+
        }
        mod pipe {
            $(#[tokio::test] async fn $fact() { super::$fact(super::Carrier::Pipe).await })+
        }
    };
}

over_both! {
    either_side_may_end_first
    a_client_that_hangs_up_is_a_cut_at_the_door
    a_client_that_stays_after_the_far_end_has_left_is_let_go
    a_gateway_that_dies_resets_clients_and_the_next_one_serves_them
    ports_inside_are_reached_or_refused
}

#[tokio::test]
async fn a_pipe_ends_when_its_relay_does() {
    let mut world = World::new(Carrier::Pipe).await;
    let line = world.line().await;
    line.mux.open(Header { kind: Kind::In, port: 0 }).await.unwrap().taken().await.unwrap_err();
    world._relay.kill().await.unwrap();
    timeout(Duration::from_secs(5), line.mux.closed()).await.expect("the carrier lives on");
}
