"""What the rounds share: an attempt that must fail with one of some errors, and calls that Python has no words for."""
import ctypes
import errno
import os
import platform
import socket

LIBC = ctypes.CDLL(None, use_errno=True)
# Of x86_64 and of aarch64, for calls that the C library has no name for.
NUMBERS = {
    "bpf": (321, 280),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "userfaultfd": (323, 282),
}
# Seconds for one connection; a loopback or a missing route answers at once.
PATIENCE = 10


class Piece(ctypes.Structure):
    """The kernel's `struct iovec`."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def refused(errors, action):
    """Holds where the action fails with one of these errors, and with no other."""

    def attempt():
        try:
            got = action()
        except OSError as error:
            return error.errno in errors, f"{errno.errorcode.get(error.errno, error.errno)}: {error}"
        return False, f"it worked: {got!r}"

    return attempt


def every(errors, actions):
    """Holds where each of several actions does, and there is one at all."""

    def attempt():
        all_of_them = [refused(errors, action)() for action in actions()]
        return bool(all_of_them) and all(held for held, _ in all_of_them), [detail for _, detail in all_of_them]

    return attempt


def called(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def libc(name, *arguments):
    return lambda: called(getattr(LIBC, name)(*arguments))


def kernel(name, *arguments):
    number = NUMBERS[name][platform.machine() == "aarch64"]
    # As long as a register: a smaller argument would leave the rest of it to chance.
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return lambda: called(LIBC.syscall(ctypes.c_long(number), *wide))


def read_in(pid):
    """A byte of another process's memory, by its number."""
    byte = ctypes.create_string_buffer(1)
    here, there = Piece(ctypes.addressof(byte), 1), Piece(0x400000, 1)
    called(LIBC.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
    return byte.raw


def connected(address, family=socket.AF_INET):
    connection = socket.socket(family)
    connection.settimeout(PATIENCE)
    connection.connect(address)
    return connection


def tcp(host, port, family=socket.AF_INET):
    return lambda: connected((host, port), family).close()


def udp(host, port, message=b"x"):
    """Sends and waits for an answer."""

    def action():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(PATIENCE)
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.connect((host, port))
            sender.send(message)
            return sender.recv(512)

    return action


def opened(path, flags=os.O_RDONLY):
    return lambda: os.close(os.open(path, flags))
