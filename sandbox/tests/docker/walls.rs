//! What an agent meets when it tries to get out.

use crate::world::World;
use domain::Code;
use sandbox::{Command, Health};

#[tokio::test]
async fn a_process_has_no_privilege_and_the_root_is_read_only() {
    let world = World::new().await;
    let id = world.up().await.id;
    let status = world.sh(id, "cat /proc/self/status").await;
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    assert_eq!(world.sh(id, "id -u; id -g; pwd; echo $HOME").await, "1000\n1000\n/workspace\n/home/agent");
    for path in ["/x", "/usr/local/bin/x", "/etc/x", "/run/x", "/run/lanyard/x", "/run/lanyard-relay/x"] {
        assert_ne!(world.run(id, &format!("touch {path}")).await.status, 0, "{path} can be written");
    }
    assert_eq!(world.sh(id, "cp /bin/true /tmp/t && /tmp/t && touch ~/x /workspace/x && echo can").await, "can");
}

#[tokio::test]
async fn there_is_no_way_out_but_the_relay() {
    let world = World::new().await;
    let id = world.up().await.id;
    assert_eq!(world.sh(id, "ls /sys/class/net").await, "lo");
    assert_eq!(world.sh(id, "tail -n +2 /proc/net/route | wc -l").await, "0");
    assert_eq!(world.sh(id, "ls /var/run/docker.sock /run/docker.sock 2>/dev/null | wc -l").await, "0");
    let direct = world.run(id, "curl --noproxy '*' -sS -m 3 http://172.17.0.1/").await;
    assert_ne!(direct.status, 0);
    assert_eq!(world.sh(id, "exec 3<>/dev/tcp/127.0.0.1/3128; echo who >&3; cat <&3").await, id.to_string());
}

#[tokio::test]
async fn the_agent_can_neither_stop_the_relay_nor_pose_as_gateway_or_relay() {
    let world = World::new().await;
    let id = world.up().await.id;
    for kill in ["pkill -9 lanyard-relay", "kill -9 1", "kill -STOP $(pgrep -o lanyard-relay)"] {
        assert_ne!(world.run(id, kill).await.status, 0, "{kill} worked");
    }
    let poser =
        "import socket; s=socket.socket(socket.AF_UNIX); s.connect('%'); s.sendall(b'x'); print(len(s.recv(9)))";
    let as_gateway = poser.replace('%', "/run/lanyard-relay/pipe.sock");
    assert_ne!(world.exec(id, Command::new(["python3", "-c", &as_gateway])).await.unwrap().status, 0);
    // The gateway's socket is in sight, and hangs up on whoever is not the relay.
    let as_relay = poser.replace('%', "/run/lanyard/door.sock");
    let turned_away = world.exec(id, Command::new(["python3", "-c", &as_relay])).await.unwrap();
    assert!(turned_away.status != 0 || turned_away.stdout == b"0\n", "{turned_away:?}");
    assert_ne!(world.run(id, "exec 3<>/dev/tcp/127.0.0.1/0").await.status, 0);
    assert_eq!(world.health(id).await, Health::Well);
}

#[tokio::test]
async fn memory_overrun_ends_the_process_and_not_the_sandbox() {
    let world = World::new().await;
    let id = world.up().await.id;
    let hog = world.exec(id, Command::new(["python3", "-c", "x = bytearray(3 << 30)"])).await.unwrap();
    assert_eq!(hog.status, 137);
    assert_eq!(world.health(id).await, Health::Well);
    assert!(world.memory_used(id).await.unwrap() < 200 << 20);
}

#[tokio::test]
async fn processes_are_counted_and_more_are_refused() {
    let world = World::new().await;
    let id = world.up().await.id;
    let script = "for i in $(seq 600); do sleep 20 & done 2>/dev/null; jobs -r | wc -l; kill $(jobs -p)";
    let started = world.run(id, script).await;
    let said = String::from_utf8_lossy(&started.stderr) + String::from_utf8_lossy(&started.stdout);
    assert!(!said.contains("600"), "{said}");
    assert_eq!(world.health(id).await, Health::Well);
}

#[tokio::test]
async fn a_paused_sandbox_refuses_work_with_its_own_code() {
    let world = World::new().await;
    let spec = world.up().await;
    world.pause(spec.id).await.unwrap();
    world.pause(spec.id).await.unwrap();
    let refused = world.exec(spec.id, Command::new(["true"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::SandboxPaused);
    assert_eq!(world.ensure(&spec).await.unwrap_err().code(), Code::SandboxPaused);
    assert_eq!(world.health(spec.id).await, Health::Paused { by_owner: true });
    world.resume(spec.id).await.unwrap();
    assert_eq!(world.sh(spec.id, "echo on").await, "on");
    assert_eq!(world.health(spec.id).await, Health::Well);
}
