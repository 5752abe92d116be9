"""More than its share: processes, files and connections.

A session's share of memory has a test of its own: `a_command_over_its_sessions_memory_is_ended_and_the_owner_is_told`.
"""
import contextlib
import errno
import os
import resource
import signal
import subprocess
import tempfile

from door import RELAY, statuses
from wall import connected, refused

# Of each write.
PIECE = b"x" * 1_000_000
# More than the relay carries at once.
CONNECTIONS = 300
# Seconds: a connection that rests is given up at once, one that has ended after a moment.
PATIENCE = 10
HELLO = b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def attempts(job):
    largest = job["limits"]["file"]
    return {
        "more processes than there may be": fewer_processes(job["limits"]["pids"]),
        "a file that is too large": refused({errno.EFBIG}, lambda: large_file(2 * largest)),
        "a higher limit for files": refused(
            {errno.EPERM}, lambda: resource.prlimit(0, resource.RLIMIT_FSIZE, (2 * largest, 2 * largest))
        ),
        "more memory as files in memory": refused({errno.ENOSPC}, lambda: files_in_memory(largest)),
        "every place at the door, in silence": still_answered(b""),
        "every place at the door, with half a request": still_answered(b"POST /v1/messages HTTP/1.1\r\nHost: a\r\n"),
        "every place at the door, after the end": still_answered(HELLO),
    }


def fewer_processes(most):
    """A bounded bomb: what it starts only waits, and is ended whatever happens."""

    def attempt():
        started = []
        try:
            while len(started) <= most:
                started.append(os.posix_spawn("/usr/bin/sleep", ["sleep", "60"], os.environ))
            return False, f"{len(started)} were started"
        except BlockingIOError as error:
            held = error.errno == errno.EAGAIN
        finally:
            for pid in started:
                os.kill(pid, signal.SIGKILL)
            for pid in started:
                os.waitpid(pid, 0)
        # What it took is free again.
        after = subprocess.run(["/usr/bin/true"], timeout=30).returncode
        return held and after == 0, f"{len(started)} were started"

    return attempt


def still_answered(first_words):
    """Holds where a newcomer is served while hundreds said no more than this and stay."""

    def attempt():
        with contextlib.ExitStack() as all_of_them:
            for _ in range(CONNECTIONS):
                connection = all_of_them.enter_context(connected(RELAY))
                with contextlib.suppress(OSError):
                    connection.sendall(first_words)
            newcomer = all_of_them.enter_context(connected(RELAY))
            newcomer.settimeout(PATIENCE)
            newcomer.sendall(HELLO)
            said = newcomer.recv(65536).decode("latin-1")
            return statuses(said) == [200], said[:200]

    return attempt


def large_file(size):
    with tempfile.NamedTemporaryFile(dir="/workspace", buffering=0) as file:
        fill(file, size)


def files_in_memory(size):
    """A gigabyte in files that are each small enough."""
    with contextlib.ExitStack() as files:
        for _ in range((1 << 30) // size):
            fill(files.enter_context(tempfile.NamedTemporaryFile(dir="/dev/shm", buffering=0)), size)


def fill(file, size):
    for _ in range(size // len(PIECE)):
        file.write(PIECE)
