"""Past the container: another network, the relay, the engine and the kernel, the owner's key.

What is missing here: other agents. Every session's Claude Code is a process of the one user that programs in the sandbox are, and so a
program may read its environment (with the token of another session), its memory where the kernel lets one user's programs do that, and
end it. What it is spoken to by cannot be opened, so nobody else answers what it asks.
"""
import errno
import os
import resource
import socket
import stat
import subprocess

from wall import LIBC, called, connected, every, kernel, libc, opened, read_in, refused, tcp, udp

NO_ROUTE = {errno.ENETUNREACH}
# Where the sandbox has no IPv6 at all.
NO_ROUTE_6 = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
NOT_ALLOWED = {errno.EPERM}
# Not allowed, or no such family: the sandbox's own filter says the latter.
NO_SUCH_SOCKET = {errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT}
NOT_READ = {errno.EACCES}
READ_ONLY = {errno.EROFS, errno.EACCES}
NOBODY_THERE = {errno.ECONNREFUSED}

RELAY_PORT = 3128
RELAY_UID = 990
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
PTRACE_ATTACH, PTRACE_SEIZE, MNT_DETACH = 16, 0x4206, 2
# A query for leak.example.
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04leak\x07example\x00\x00\x01\x00\x01"


def attempts(job):
    return {**network(job), **names(), **relay(), **agent(), **engine(job), **powers(), **surfaces(), **secrets(job)}


def network(job):
    ports = job["ports"]
    return {
        "tcp to a public address": refused(NO_ROUTE, tcp("203.0.113.7", 443)),
        "tcp over IPv6": refused(NO_ROUTE_6, tcp("2001:db8::7", 443, socket.AF_INET6)),
        "tcp to the engine's bridge": refused(NO_ROUTE, tcp("172.17.0.1", ports["public"])),
        "tcp to a metadata service": refused(NO_ROUTE, tcp("169.254.169.254", 80)),
        "tcp to the gateway's public door": refused(NOBODY_THERE, tcp("127.0.0.1", ports["public"])),
        "tcp to the model": refused(NOBODY_THERE, tcp("127.0.0.1", ports["model"])),
        "tcp to another program of the owner's": refused(NOBODY_THERE, tcp("127.0.0.1", ports["owner"])),
        "something on the loopback beside the relay": only_the_relay_listens,
        "listening in the relay's place": refused({errno.EADDRINUSE}, in_the_relays_place),
        "udp to a public address": refused(NO_ROUTE, udp("203.0.113.7", 4433)),
        "udp to everybody": refused(NO_ROUTE, udp("255.255.255.255", 9)),
        "icmp over a raw socket": refused(NOT_ALLOWED, made_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)),
        "icmp without a raw socket": refused(NO_ROUTE | NOT_READ | NOT_ALLOWED, ping),
        "frames of the link layer": refused(NO_SUCH_SOCKET, made_socket(socket.AF_PACKET, socket.SOCK_RAW)),
        # It belongs to no network namespace, so that none keeps it in.
        "a socket to the virtual machine's host": refused(
            NO_SUCH_SOCKET, made_socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        ),
        "an abstract unix socket of the owner's": refused(
            NOBODY_THERE, lambda: connected("\0" + job["abstract"], socket.AF_UNIX)
        ),
    }


def names():
    return {
        "a name looked up": refused({socket.EAI_AGAIN, socket.EAI_NONAME}, lambda: socket.getaddrinfo("leak.example", 443)),
        "a question to a public name server": refused(NO_ROUTE, udp("8.8.8.8", 53, QUERY)),
        "a question to the engine's name server": refused(NOBODY_THERE, udp("127.0.0.11", 53, QUERY)),
        "a question to the engine's name server over tcp": refused(NOBODY_THERE, tcp("127.0.0.11", 53)),
    }


def agent():
    claude, within = above("claude"), above("lanyard-relay")
    return {
        "the agent's input": refused({errno.ENXIO}, opened(f"/proc/{claude}/fd/0", os.O_WRONLY)),
        "the agent's output": refused({errno.ENXIO}, opened(f"/proc/{claude}/fd/1", os.O_WRONLY)),
        "the input of what runs the agent": refused(NOT_READ, opened(f"/proc/{within}/fd/0", os.O_WRONLY)),
        "one of the agent's descriptors": refused(NOT_ALLOWED, lambda: taken_from(claude)),
        "tracing the agent": refused(NOT_ALLOWED, libc("ptrace", PTRACE_SEIZE, claude, None, None)),
    }


def above(program):
    """The nearest of this name among those that this program was started by."""
    pid = os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/stat") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        if name == program[:15]:
            return pid
        pid = int(rest.split()[1])
    raise LookupError(program)


def relay():
    return {
        "the relay's environment": on_the_relay(NOT_READ, lambda pid: opened(f"/proc/{pid}/environ")),
        "the relay's memory": on_the_relay(NOT_READ, lambda pid: opened(f"/proc/{pid}/mem")),
        "the relay's memory by another call": on_the_relay(NOT_ALLOWED, lambda pid: lambda: read_in(pid)),
        "the relay's open files": on_the_relay(NOT_READ, lambda pid: lambda: os.listdir(f"/proc/{pid}/fd")),
        "one of the relay's descriptors": on_the_relay(NOT_ALLOWED, lambda pid: lambda: taken_from(pid)),
        "the root as the relay has it": on_the_relay(NOT_READ, lambda pid: lambda: os.listdir(f"/proc/{pid}/root/")),
        "the root of the first process": refused(NOT_READ, lambda: os.listdir("/proc/1/root/")),
        "tracing the relay": on_the_relay(NOT_ALLOWED, lambda pid: libc("ptrace", PTRACE_ATTACH, pid, None, None)),
        "seizing the relay": on_the_relay(NOT_ALLOWED, lambda pid: libc("ptrace", PTRACE_SEIZE, pid, None, None)),
        "the relay's limits": on_the_relay(
            NOT_ALLOWED, lambda pid: lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, 1))
        ),
        "the relay as the first to go when memory is short": on_the_relay(
            NOT_READ, lambda pid: write(f"/proc/{pid}/oom_score_adj")
        ),
        "the relay's own folder": refused(NOT_READ, lambda: os.listdir("/run/lanyard-relay")),
        "a socket below /run that answers": nothing_below_run_answers,
    }


def engine(job):
    sockets = ["docker.sock", "containerd/containerd.sock", "podman/podman.sock", "crio/crio.sock"]
    return {
        "the engine's socket": absent([folder + name for folder in ("/run/", "/var/run/") for name in sockets]),
        "the gateway's local door": absent([job["local_door"]]),
        "the gateway's folder": absent([job["home"]]),
    }


def powers():
    """What a process of the agent's may do: nothing beside what any program may."""
    return {
        "a privilege of the process": nothing_but({
            **{name: "0" * 16 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
            "NoNewPrivs": "1",
            "Seccomp": "2",
        }),
        "the user id of root": refused(NOT_ALLOWED, lambda: os.setuid(0)),
        "the groups of root": refused(NOT_ALLOWED, lambda: os.setgroups([0])),
        "a program that runs as root": as_root,
        "another root": refused(NOT_ALLOWED, lambda: os.chroot("/tmp")),
        "a pivot of the root": refused(NOT_ALLOWED, kernel("pivot_root", b"/tmp", b"/tmp")),
        "a mount": refused(NOT_ALLOWED, libc("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
        "taking a cover off /proc": refused(NOT_ALLOWED, libc("umount2", b"/proc/sys", MNT_DETACH)),
        "a user namespace": refused(NOT_ALLOWED, libc("unshare", CLONE_NEWUSER)),
        "a network namespace": refused(NOT_ALLOWED, libc("unshare", CLONE_NEWNET)),
        "a mount namespace": refused(NOT_ALLOWED, libc("unshare", CLONE_NEWNS)),
        "entering a namespace": refused(NOT_ALLOWED, entered),
        "the node of a disk": refused(NOT_ALLOWED, lambda: os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(8, 0))),
        "the node of memory": refused(NOT_ALLOWED, lambda: os.mknod("/tmp/mem", stat.S_IFCHR | 0o600, os.makedev(1, 1))),
        "a kernel module": refused(NOT_ALLOWED, kernel("init_module", None, 0, b"")),
        "a kernel module from a file": refused(NOT_ALLOWED, kernel("finit_module", -1, b"", 0)),
        "another kernel": refused(NOT_ALLOWED, kernel("kexec_load", 0, 0, None, 0)),
        # -3: the session's keyring, which no namespace has of its own.
        "the kernel's keys": refused(NOT_ALLOWED, kernel("keyctl", 0, -3, 0)),
        "a program for the kernel": refused(NOT_ALLOWED, kernel("bpf", 0, None, 0)),
        "the kernel's counters": refused(NOT_ALLOWED, kernel("perf_event_open", None, 0, -1, -1, 0)),
        "the kernel's page faults": refused(NOT_ALLOWED, kernel("userfaultfd", 0)),
        "work that no filter sees": refused({errno.ENOSYS, errno.EPERM}, kernel("io_uring_setup", 8, None)),
        "a file by its handle": refused(NOT_ALLOWED, kernel("open_by_handle_at", -1, None, 0)),
    }


def surfaces():
    """Files of the kernel. To open one is enough; nothing is ever written."""
    groups = ["cgroup.procs", "memory.max", "pids.max", "memory/memory.limit_in_bytes", "pids/pids.max", "devices/devices.allow"]
    there = [path for path in (f"/sys/fs/cgroup/{name}" for name in groups) if os.path.exists(path)]
    return {
        "the kernel's settings": refused(READ_ONLY, write("/proc/sys/kernel/core_pattern")),
        "the kernel's settings of the network": refused(READ_ONLY, write("/proc/sys/net/ipv4/ip_forward")),
        "the kernel's magic key": refused(READ_ONLY | {errno.ENOENT}, write("/proc/sysrq-trigger")),
        "the kernel's devices": refused(READ_ONLY | {errno.ENOENT}, write("/sys/kernel/uevent_helper")),
        "the sandbox's own limits": every(READ_ONLY, lambda: [write(path) for path in there]),
        "the kernel's memory and log": nothing_to_read(["/proc/kcore", "/proc/kmsg", "/proc/keys", "/dev/mem", "/dev/kmsg"]),
        "a disk among the devices": no_disks,
    }


def secrets(job):
    """They come backwards: written as they are they would be found in the very file that asks for them."""
    return {f"the owner's {name}": nowhere(backwards[::-1].encode()) for name, backwards in job["secrets"].items()}


def write(path):
    return opened(path, os.O_WRONLY)


def made_socket(*kind):
    return lambda: socket.socket(*kind).close()


def ping():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as echo:
        echo.sendto(b"\x08\0\0\0\0\0\0\0", ("203.0.113.7", 0))


def only_the_relay_listens():
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table) as lines:
            rows = [line.split() for line in lines][1:]
        # 0A: it listens.
        found |= {(int(row[1].rpartition(":")[2], 16), int(row[7])) for row in rows if row[3] == "0A"}
    return found == {(RELAY_PORT, RELAY_UID)}, found


def in_the_relays_place():
    with socket.socket() as poser:
        poser.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        poser.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        poser.bind(("0.0.0.0", RELAY_PORT))
        poser.listen()


def on_the_relay(errors, action):
    """On every process of the relay's user, the first of the sandbox among them."""

    def relays():
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [action(pid) for pid in pids if owner(pid) == RELAY_UID]

    return every(errors, relays)


def taken_from(pid):
    """The first of its descriptors."""
    process = os.pidfd_open(pid)
    try:
        return kernel("pidfd_getfd", process, 0, 0)()
    finally:
        os.close(process)


def owner(pid):
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        return None


def nothing_below_run_answers():
    """The gateway's socket is in sight, and hangs up on whoever is not the relay."""
    said = {}
    for folder, _, files in os.walk("/run"):
        for path in (os.path.join(folder, name) for name in files):
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                said[path] = answer_of(path)
    return not any(said.values()), said


def answer_of(path):
    try:
        with connected(path, socket.AF_UNIX) as poser:
            # How the relay opens a stream: version, window update, SYN, stream 1.
            poser.sendall(bytes([0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]))
            return poser.recv(64)
    except (ConnectionError, PermissionError):
        return b""


def absent(paths):
    def attempt():
        found = [path for path in paths if os.path.lexists(path)]
        return not found, found

    return attempt


def nothing_but(expected):
    def attempt():
        with open("/proc/self/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        found = {name: status.get(name) for name in expected}
        return found == expected, found

    return attempt


def as_root():
    """One that would, by its file: it waits for a password meanwhile."""
    with subprocess.Popen(["/usr/bin/su"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as su:
        try:
            with open(f"/proc/{su.pid}/status") as status:
                users = next(line for line in status if line.startswith("Uid:")).split()[1:]
        finally:
            su.kill()
    marked = bool(os.stat("/usr/bin/su").st_mode & stat.S_ISUID)
    return marked and set(users) == {str(os.getuid())}, users


def entered():
    with open("/proc/self/ns/net") as namespace:
        called(LIBC.setns(namespace.fileno(), 0))


def nothing_to_read(paths):
    """The engine covers some of them with an empty file."""

    def attempt():
        found = {path: first_byte(path) for path in paths}
        return not any(found.values()), found

    return attempt


def first_byte(path):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 1)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def no_disks():
    found = [entry.path for entry in os.scandir("/dev") if stat.S_ISBLK(entry.stat(follow_symlinks=False).st_mode)]
    return not found, found


def nowhere(secret):
    def attempt():
        found = [path for path in places() if holds(path, secret)]
        return not found, found

    return attempt


def places():
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield from (f"/proc/{name}/environ", f"/proc/{name}/cmdline")
    for top in ("/home", "/workspace", "/tmp", "/run", "/etc", "/var", "/dev/shm"):
        for folder, _, files in os.walk(top):
            yield from (os.path.join(folder, name) for name in files)


def holds(path, secret):
    try:
        # A pipe or a device would never end.
        if path.startswith("/proc/") or stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "rb") as file:
                return secret in file.read()
    except OSError:
        pass
    return False
