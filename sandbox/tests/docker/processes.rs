//! Processes and files in a sandbox.

use crate::world::{World, pattern, until};
use domain::{Code, SandboxId};
use futures::StreamExt;
use sandbox::{Attached, Chunk, Command, Ended, Error, Health};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_program_gets_its_input_place_and_environment_and_gives_both_outputs_and_its_code() {
    let world = World::new().await;
    let id = world.up().await.id;
    let script = "pwd; echo $GREETING; cat; echo bad >&2; exit 42";
    let command = Command::new(["sh", "-c", script]).cwd("/tmp").env("GREETING", "hello").stdin("in\n");
    let output = world.exec(id, command).await.unwrap();
    assert_eq!((output.status, output.stdout.as_slice()), (42, b"/tmp\nhello\nin\n".as_slice()));
    assert_eq!((output.stderr.as_slice(), output.truncated), (b"bad\n".as_slice(), false));
    let missing = world.exec(id, Command::new(["no-such-program"])).await.unwrap();
    assert!([126, 127].contains(&missing.status), "{missing:?}");
}

#[tokio::test]
async fn large_input_and_output_pass_at_the_same_time_and_the_cap_holds() {
    let world = World::new().await;
    let id = world.up().await.id;
    let bytes = pattern(8 << 20);
    let whole = world.exec(id, Command::new(["cat"]).stdin(bytes.clone()).cap(9 << 20)).await.unwrap();
    assert!(whole.stdout == bytes && !whole.truncated);
    let capped = world.exec(id, Command::new(["cat"]).stdin(bytes.clone()).cap(1000)).await.unwrap();
    assert!(capped.stdout == bytes[..1000] && capped.truncated && capped.status == 0);
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_its_children() {
    let world = World::new().await;
    let id = world.up().await.id;
    let command = Command::new(["sh", "-c", "setsid sleep 1003 & sleep 1003"]).timeout(Duration::from_millis(500));
    let late = world.exec(id, command).await.unwrap_err();
    assert!(matches!(late, Error::TimedOut { .. }) && late.code() == Code::SandboxFailed, "{late:?}");
    assert_eq!(world.sh(id, "pgrep -c sleep || true").await, "0");
}

async fn next_line(attached: &mut Attached) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        match attached.output.next().await {
            Some(Chunk::Stdout(bytes) | Chunk::Stderr(bytes)) => line.extend_from_slice(&bytes),
            None => break,
        }
    }
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn an_attached_program_is_talked_with_until_its_input_ends() {
    let world = World::new().await;
    let id = world.up().await.id;
    let mut attached = world.attach(id, Command::new(["cat"])).await.unwrap();
    for line in ["one\n", "two\n"] {
        attached.stdin.write_all(line.as_bytes()).await.unwrap();
        attached.stdin.flush().await.unwrap();
        assert_eq!(next_line(&mut attached).await, line);
    }
    assert_eq!(attached.exec.sandbox, id);
    attached.stdin.shutdown().await.unwrap();
    assert!(attached.output.next().await.is_none());
    assert_eq!(attached.exec.status().await, Some(0));
}

/// A process that has started children which left its session, its parent and its outputs.
async fn with_daemons(world: &World, id: SandboxId) -> Attached {
    let script = "nohup setsid sh -c 'sleep 1004; true' >/dev/null 2>&1 & (setsid sleep 1004 &) ; echo ready; wait";
    let mut attached = world.attach(id, Command::new(["sh", "-c", script])).await.unwrap();
    assert_eq!(next_line(&mut attached).await, "ready\n");
    until("all are started", async || world.sh(id, "pgrep -c sleep || true").await == "2").await;
    attached
}

#[tokio::test]
async fn ending_a_process_ends_daemons_that_left_it_and_spares_others() {
    let world = World::new().await;
    let id = world.up().await.id;
    let (doomed, spared) = (with_daemons(&world, id).await, world.attach(id, Command::new(["cat"])).await.unwrap());
    let ended = world.end_process(id, doomed.exec.mark, None).await.unwrap();
    assert!(matches!(ended, Ended::Killed(n) if n >= 4), "{ended:?}");
    assert_eq!(doomed.exec.status().await, Some(137));
    assert_eq!(world.sh(id, "pgrep -c sleep || true").await, "0");
    assert_eq!(world.end_process(id, doomed.exec.mark, None).await.unwrap(), Ended::Gone);
    assert_eq!(world.sh(id, "pgrep -c -x cat").await, "1");
    drop(spared);
}

#[tokio::test]
async fn a_process_that_heeds_its_interrupt_is_not_killed() {
    let world = World::new().await;
    let id = world.up().await.id;
    let script = "trap 'kill $!; echo bye; exit 1' INT; sleep 1005 & echo $$; wait";
    let mut attached = world.attach(id, Command::new(["bash", "-c", script])).await.unwrap();
    let pid = next_line(&mut attached).await.trim().parse().unwrap();
    assert_eq!(world.end_process(id, attached.exec.mark, Some(pid)).await.unwrap(), Ended::Interrupted);
    assert_eq!(next_line(&mut attached).await, "bye\n");
    assert_eq!(attached.exec.status().await, Some(1));
}

#[tokio::test]
async fn a_fork_bomb_is_ended_and_the_sandbox_is_well_after_it() {
    let world = World::new().await;
    let spec = world.up().await;
    world.sh(spec.id, "echo kept > /workspace/work").await;
    let bomb = "bomb() { bomb | bomb & }; echo lit; bomb 2>/dev/null; sleep 1006";
    let mut attached = world.attach(spec.id, Command::new(["bash", "-c", bomb])).await.unwrap();
    next_line(&mut attached).await;
    let ended = world.end_process(spec.id, attached.exec.mark, None).await.unwrap();
    assert!(matches!(ended, Ended::Killed(_) | Ended::Restarted), "{ended:?}");
    world.ensure(&spec).await.unwrap();
    assert_eq!(world.sh(spec.id, "cat /workspace/work; pgrep -c bash || true").await, "kept\n1");
    assert_eq!(world.health(spec.id).await, Health::Well);
}

#[tokio::test]
async fn files_are_written_whole_for_the_agent_and_read_up_to_a_size() {
    let world = World::new().await;
    let id = world.up().await.id;
    let bytes = pattern(3 << 20);
    for path in ["/workspace/a b/c'd.bin", "/tmp/x", "relative", "-dash"] {
        world.write_file(id, path, bytes.clone()).await.unwrap();
        assert!(world.read_file(id, path, 3 << 20).await.unwrap() == bytes, "{path}");
        let too_large = world.read_file(id, path, (3 << 20) - 1).await.unwrap_err();
        assert_eq!(too_large.code(), Code::TooLarge);
    }
    assert_eq!(
        world.sh(id, "stat -c '%U %a' /workspace/relative; ls -A /workspace").await,
        "agent 644\n-dash\na b\nrelative"
    );
    let missing = world.read_file(id, "/workspace/none", 10).await.unwrap_err();
    assert!(missing.to_string().contains("No such file"), "{missing}");
    assert!(world.write_file(id, "/etc/passwd", "x").await.is_err());
}

#[tokio::test]
async fn work_in_an_absent_or_stopped_sandbox_is_refused_by_name() {
    let world = World::new().await;
    let refused = world.exec(SandboxId::new(), Command::new(["true"])).await.unwrap_err();
    assert!(matches!(refused, Error::Unknown(_)), "{refused:?}");
    let id = world.up().await.id;
    world.stop(id).await.unwrap();
    let refused = world.exec(id, Command::new(["true"])).await.unwrap_err();
    assert!(matches!(refused, Error::NotRunning(_)), "{refused:?}");
}
