//! The way out and the way in, the same facts over both carriers.

use crate::world::{World, pattern, until};
use domain::SandboxId;
use sandbox::{Carrier, Command, Error, Health, RelayStream, SandboxSpec};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// `ask` sends words and data to the door, ends its side, and returns all that comes.
const CLIENT: &str = "
import hashlib, socket, sys, threading, time
def open():
    return socket.create_connection(('127.0.0.1', 3128), 30)
def rest(s):
    parts = []
    while part := s.recv(65536):
        parts.append(part)
    return b''.join(parts)
def ask(words, data=b''):
    with open() as s:
        s.sendall(words.encode() + b'\\n' + data)
        s.shutdown(socket.SHUT_WR)
        return rest(s)
def pattern(n):
    return bytes(i % 251 for i in range(251)) * (n // 251 + 1)
";

async fn python(world: &World, id: SandboxId, script: &str) -> String {
    let output = world.exec(id, Command::new(["python3", "-c", &format!("{CLIENT}{script}")])).await.unwrap();
    assert_eq!(output.status, 0, "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

async fn up(carrier: Carrier) -> (World, SandboxSpec) {
    let world = World::with(carrier).await;
    let spec = world.up().await;
    (world, spec)
}

async fn a_connection_says_whose_it_is_and_both_its_ends_are_kept(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    assert_eq!(python(&world, spec.id, "print(ask('who').decode())").await, spec.id.to_string());
    assert_eq!(python(&world, spec.id, "print(ask('count', bytes(5_000_000)).decode())").await, "5000000");
    let script = "n = 20_000_000; print(ask(f'give {n}') == pattern(n)[:n])";
    assert_eq!(python(&world, spec.id, script).await, "True");
}

async fn an_answer_that_is_cut_is_an_error_and_not_a_short_answer(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let script = "
try: print('short', len(ask('cut 100000')))
except ConnectionResetError: print('reset')";
    assert_eq!(python(&world, spec.id, script).await, "reset");
}

async fn two_hundred_connections_at_once_are_carried(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let script = "
all = [open() for _ in range(200)]
data = pattern(65536)[:65536]
def one(s):
    s.sendall(b'echo\\n' + data); s.shutdown(socket.SHUT_WR); good.append(rest(s) == data)
good = []
threads = [threading.Thread(target=one, args=[s]) for s in all]
[t.start() for t in threads]; [t.join() for t in threads]
print(good.count(True))";
    assert_eq!(python(&world, spec.id, script).await, "200");
}

async fn a_client_that_does_not_read_holds_its_own_answer_back_only(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let script = "
lazy = [open() for _ in range(20)]
for s in lazy: s.sendall(b'give 100000000\\n')
time.sleep(1)
print(ask('who').decode())
rss = [line.split()[1] for line in __import__('builtins').open(f'/proc/{sys.argv[1]}/status') if line.startswith('VmRSS')]
print(int(rss[0]) < 20_000)";
    let relay = world.sh(spec.id, "pgrep -f '^/?[a-z/]*lanyard-relay serve$'").await;
    let script = script.replace("sys.argv[1]", relay.split_whitespace().last().unwrap());
    assert_eq!(python(&world, spec.id, &script).await, format!("{}\nTrue", spec.id));
}

async fn get(mut stream: RelayStream, path: &str) -> Vec<u8> {
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

async fn a_server_inside_is_reached_and_a_closed_port_refuses_at_once(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let bytes = pattern(1 << 20);
    world.write_file(spec.id, "/workspace/file", bytes.clone()).await.unwrap();
    let server = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "8000"];
    let _server = world.attach(spec.id, Command::new(server)).await.unwrap();
    until("the server listens", async || world.dial(spec.id, 8000).await.is_ok()).await;
    let answer = get(world.dial(spec.id, 8000).await.unwrap(), "/file").await;
    assert!(answer.ends_with(&bytes));
    let began = Instant::now();
    assert!(matches!(world.dial(spec.id, 8001).await, Err(Error::Unreachable { port: 8001, .. })));
    assert!(began.elapsed() < Duration::from_secs(1));
}

async fn a_gateway_that_goes_fails_connections_at_once_and_the_next_one_takes_over(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let held = "
s = open(); s.sendall(b'echo\\nheld'); print(s.recv(4).decode(), flush=True)
try: print('end', s.recv(4))
except ConnectionResetError: print('reset', flush=True)
print(ask('who').decode())";
    let mut held = world.attach(spec.id, Command::new(["python3", "-c", &format!("{CLIENT}{held}")])).await.unwrap();
    assert_eq!(line(&mut held).await, "held\n");
    let began = Instant::now();
    world.sandboxes.clone().close().await;
    assert_eq!(line(&mut held).await, "reset\n");
    assert!(began.elapsed() < Duration::from_secs(2));
    // The next connection waits for the next gateway.
    let next = world.next_run().await;
    next.ensure(&spec).await.unwrap();
    assert_eq!(line(&mut held).await, spec.id.to_string() + "\n");
    assert_eq!(next.health(spec.id).await, Health::Well);
}

async fn line(attached: &mut sandbox::Attached) -> String {
    use futures::StreamExt;
    match tokio::time::timeout(Duration::from_secs(10), attached.output.next()).await {
        Ok(Some(sandbox::Chunk::Stdout(bytes) | sandbox::Chunk::Stderr(bytes))) => {
            String::from_utf8(bytes.into()).unwrap()
        }
        ended => panic!("{ended:?}"),
    }
}

async fn a_paused_sandbox_goes_on_with_its_connections(carrier: Carrier) {
    let (world, spec) = up(carrier).await;
    let script = "
s = open(); s.sendall(b'echo\\none'); print(s.recv(4).decode(), flush=True)
sys.stdin.readline()
s.sendall(b'two'); print(s.recv(4).decode(), flush=True)";
    let mut held = world.attach(spec.id, Command::new(["python3", "-c", &format!("{CLIENT}{script}")])).await.unwrap();
    assert_eq!(line(&mut held).await, "one\n");
    world.pause(spec.id).await.unwrap();
    world.resume(spec.id).await.unwrap();
    held.stdin.write_all(b"\n").await.unwrap();
    held.stdin.flush().await.unwrap();
    assert_eq!(line(&mut held).await, "two\n");
}

macro_rules! over_both {
    ($($fact:ident)+) => {
        mod socket {
            $(#[tokio::test] async fn $fact() { super::$fact(sandbox::Carrier::Socket).await })+
        }
        mod exec {
            $(#[tokio::test] async fn $fact() { super::$fact(sandbox::Carrier::Exec).await })+
        }
    };
}

over_both! {
    a_connection_says_whose_it_is_and_both_its_ends_are_kept
    an_answer_that_is_cut_is_an_error_and_not_a_short_answer
    two_hundred_connections_at_once_are_carried
    a_client_that_does_not_read_holds_its_own_answer_back_only
    a_server_inside_is_reached_and_a_closed_port_refuses_at_once
    a_gateway_that_goes_fails_connections_at_once_and_the_next_one_takes_over
    a_paused_sandbox_goes_on_with_its_connections
}

#[tokio::test]
async fn a_client_without_a_gateway_is_told_so() {
    let world = World::new().await;
    let spec = world.up().await;
    world.sandboxes.clone().close().await;
    let answer = world.sh(spec.id, "curl -sS -m 10 -w '%{http_code}' http://example.org/").await;
    assert_eq!(answer, "Lanyard is not connected to this sandbox.\r\n503");
}
