//! How fast the way out of a sandbox is: bytes per second and time to the first byte, over both carriers and, to compare,
//! over a plain unix socket on this machine.
//!
//! `LANYARD_RELAY=<static lanyard-relay> cargo run --release -p sandbox --example speed`, with an engine that has the
//! base image (`LANYARD_BASE`, or lanyard-base:bookworm).

use domain::SandboxId;
use sandbox::{Carrier, Command, Incoming, SandboxSpec, Sandboxes, Settings, Size, Volumes, Workspace};
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UnixListener,
    sync::mpsc,
};

const BYTES: usize = 1_000_000_000;

/// Runs where the clients are: `connect` is put before it.
const CLIENT: &str = "
import time
def first_byte():
    began = time.perf_counter()
    with connect() as s:
        s.sendall(b'g' + (1).to_bytes(8, 'big')); s.recv(1)
        return (time.perf_counter() - began) * 1e6
times = sorted(first_byte() for _ in range(1000))
def rate(read):
    n, began, buffer = 1000000000, time.perf_counter(), memoryview(bytearray(1 << 20))
    with connect() as s:
        s.sendall((b'g' if read else b't') + n.to_bytes(8, 'big'))
        left = n
        while left:
            left -= s.recv_into(buffer) if read else s.send(buffer[:min(left, 1 << 20)])
        if not read: s.recv(1)
    return n / (time.perf_counter() - began) / 1e6
print(f'first byte {times[500]:.0f} us (p99 {times[990]:.0f})  in {rate(True):.0f} MB/s  out {rate(False):.0f} MB/s')
";

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    println!("plain socket: {}", plain(folder.path()).await);
    for carrier in [Carrier::Socket, Carrier::Exec] {
        let run_dir = folder.path().join(format!("{carrier:?}"));
        println!("{carrier:?}: {}", carried(carrier, &run_dir).await);
    }
}

async fn plain(folder: &Path) -> String {
    let socket = folder.join("plain.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client));
        }
    });
    let connect = format!(
        "import socket\ndef connect():\n    s = socket.socket(socket.AF_UNIX); s.connect('{}'); return s\n",
        socket.display()
    );
    let output = tokio::process::Command::new("python3").args(["-c", &(connect + CLIENT)]).output().await;
    String::from_utf8_lossy(&output.expect("python3").stdout).trim().to_owned()
}

async fn carried(carrier: Carrier, run_dir: &Path) -> String {
    let (sandboxes, incoming) = Sandboxes::connect(settings(carrier, run_dir)).await.expect("an engine");
    tokio::spawn(door(incoming));
    let spec = SandboxSpec { id: SandboxId::new(), size: Size::Medium, workspace: Workspace::Volume, base: None };
    sandboxes.ensure(&spec).await.expect("a sandbox");
    let connect = "import socket\ndef connect(): return socket.create_connection(('127.0.0.1', 3128))\n";
    let client = Command::new(["python3", "-c", &format!("{connect}{CLIENT}")]).timeout(Duration::from_secs(300));
    let output = sandboxes.exec(spec.id, client).await.expect("python3");
    let relay = "grep -h VmRSS $(grep -l lanyard-relay /proc/[0-9]*/comm | sed s/comm/status/)";
    let memory = sandboxes.exec(spec.id, Command::new(["sh", "-c", relay])).await.expect("sh");
    sandboxes.remove(spec.id, Volumes::Delete).await.expect("removed");
    sandboxes.close().await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{}  relay's {}{}", text(&output.stdout), text(&memory.stdout), text(&output.stderr))
}

fn settings(carrier: Carrier, run_dir: &Path) -> Settings {
    Settings {
        engine: None,
        base: std::env::var("LANYARD_BASE").unwrap_or_else(|_| "lanyard-base:bookworm".to_owned()),
        relay_binary: std::env::var_os("LANYARD_RELAY").expect("LANYARD_RELAY names the static relay").into(),
        cache_dir: std::env::temp_dir().join("lanyard-npm"),
        run_dir: run_dir.to_owned(),
        agent_uid: 1000,
        carrier,
        instance: format!("speed-{}", std::process::id()),
    }
}

async fn door(mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(connection) = incoming.recv().await {
        tokio::spawn(serve(connection.stream));
    }
}

/// `g` gives that many bytes, `t` takes them and then answers one.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let (kind, bytes) = (stream.read_u8().await?, stream.read_u64().await?);
    let mut left = usize::try_from(bytes).unwrap_or(BYTES);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let n = left.min(buffer.len());
        left -= if kind == b'g' {
            stream.write_all(&buffer[..n]).await?;
            n
        } else {
            stream.read(&mut buffer[..n]).await?
        };
    }
    stream.write_all(if kind == b't' { b"k" } else { b"" }).await?;
    stream.shutdown().await
}
