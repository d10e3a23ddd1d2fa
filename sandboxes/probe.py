"""A program of its own: enters a box as the host, becomes like the box's process, and tries forbidden things.

Run by `sandboxes.inside` as `python -I -S probe.py` with a JSON request on stdin, one JSON answer on stdout.
It imports the standard library alone, and all of it before it enters the box, whose files are not ours.

1. Copy the exact filter programs from the box's process (ptrace(2), PTRACE_SECCOMP_GET_FILTER).
2. Join its control groups and namespaces, then fork so that the process namespace takes hold.
3. Take over its groups, ids, capabilities, no-new-privileges and filters: no more and no less.
4. Try, and report what the kernel answered. Nothing is judged here.
"""
# ruff: noqa: PTH112, PTH116, PTH123, PTH208 - loading pathlib costs a tenth of this program's whole life

import base64
import ctypes
import errno
import json
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

DEADLINE_S = 10
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GET_FILTER = 17, 0x4206, 0x4207, 0x420C
WAIT_ALL = 0x40000000
PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_CAPBSET_DROP = 8, 22, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47
AMBIENT_RAISE, SECCOMP_MODE_FILTER, CAPABILITY_V3 = 2, 2, 0x20080522
INSTRUCTION_BYTES, LAST_CAPABILITY = 8, 40
NAMESPACE_ORDER = ("user", "cgroup", "ipc", "uts", "net", "pid", "mnt")
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "keyctl": 250, "add_key": 248, "unshare": 272, "bpf": 321, "process_vm_readv": 310,
        "io_uring_setup": 425, "mount": 165, "perf_event_open": 298, "userfaultfd": 323, "setns": 308,
        "pidfd_getfd": 438, "kcmp": 312, "open_by_handle_at": 304, "init_module": 175, "kexec_load": 246,
    },
    "aarch64": {
        "ptrace": 117, "keyctl": 219, "add_key": 217, "unshare": 97, "bpf": 280, "process_vm_readv": 270,
        "io_uring_setup": 425, "mount": 40, "perf_event_open": 241, "userfaultfd": 282, "setns": 268,
        "pidfd_getfd": 438, "kcmp": 272, "open_by_handle_at": 265, "init_module": 105, "kexec_load": 104,
    },
}  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def checked(result: int, what: str) -> int:
    """Pass a libc result on. Raises OSError when it is -1."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def status_of(pid: int) -> dict[str, str]:
    """/proc/pid/status as names and values."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def start_ticks(pid: int) -> int:
    """Start time of a process, so that a reused number is noticed."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def copy_filters(pid: int, count: int) -> list[bytes]:
    """Read the filter programs of a process, outermost first; it is stopped for an instant."""
    ptrace = LIBC.ptrace
    ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    ptrace.restype = ctypes.c_long
    checked(ptrace(PTRACE_SEIZE, pid, None, None), "ptrace seize")
    try:
        checked(ptrace(PTRACE_INTERRUPT, pid, None, None), "ptrace interrupt")
        os.waitpid(pid, WAIT_ALL)
        return [one_filter(ptrace, pid, index) for index in range(count)]
    finally:
        ptrace(PTRACE_DETACH, pid, None, None)


def one_filter(ptrace: "ctypes._FuncPointer", pid: int, index: int) -> bytes:
    """Read one filter program: its length, then its instructions."""
    length = checked(ptrace(PTRACE_GET_FILTER, pid, index, None), "read filter length")
    buffer = ctypes.create_string_buffer(length * INSTRUCTION_BYTES)
    checked(ptrace(PTRACE_GET_FILTER, pid, index, ctypes.addressof(buffer)), "read filter")
    return buffer.raw


def enter(pid: int, procs_files: list[str]) -> None:
    """Join the control groups and namespaces of a process, and its root directory."""
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    spaces = {}
    for name in NAMESPACE_ORDER:
        path = f"/proc/{pid}/ns/{name}"
        if os.stat(path).st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:
            spaces[name] = os.open(path, os.O_RDONLY)
    for procs in procs_files:
        with open(procs, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    for name in (name for name in NAMESPACE_ORDER if name in spaces):
        checked(LIBC.setns(spaces[name], 0), f"enter {name} namespace")
    os.fchdir(root)
    os.chroot(".")


def install(filters: list[bytes]) -> None:
    """Install filter programs, the oldest first, as the box's process did."""
    for code in reversed(filters):
        buffer = ctypes.create_string_buffer(code, len(code))
        program = Program(len(code) // INSTRUCTION_BYTES, ctypes.addressof(buffer))
        checked(
            LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "install filter"
        )


def become(status: dict[str, str], filters: list[bytes]) -> None:
    """Take over groups, ids, capabilities, no-new-privileges and filters."""
    bounding = int(status["CapBnd"], 16)
    for capability in range(LAST_CAPABILITY + 1):
        if not bounding >> capability & 1:
            checked(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop capability")
    guarded = status["NoNewPrivs"] == "1"
    os.setgroups([int(group) for group in status["Groups"].split()])
    checked(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setresgid(*(int(part) for part in status["Gid"].split()[:3]))
    if not guarded:
        install(filters)
    os.setresuid(*(int(part) for part in status["Uid"].split()[:3]))
    set_capabilities(*(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")))
    if guarded:
        checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
        install(filters)


def set_capabilities(effective: int, permitted: int, inheritable: int, ambient: int) -> None:
    """capset(2), version 3: two 32-bit halves of three sets; then the ambient set one by one."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_V3, 0)
    sets = (effective, permitted, inheritable)
    data = (ctypes.c_uint32 * 6)(*(part & 0xFFFFFFFF for part in sets), *(part >> 32 for part in sets))
    checked(LIBC.capset(header, data), "set capabilities")
    for capability in range(LAST_CAPABILITY + 1):
        if ambient >> capability & 1:
            checked(LIBC.prctl(PR_CAP_AMBIENT, AMBIENT_RAISE, capability, 0, 0), "raise ambient")


def answer_of(result: int) -> str:
    """`done`, or the name of the kernel's error."""
    return "done" if result != -1 else errno.errorcode.get(ctypes.get_errno(), "error")


def call(name: str, *arguments: object) -> str:
    """Make one raw system call."""
    return answer_of(LIBC.syscall(NUMBERS[platform.machine()][name], *arguments))


def outcome(action: Callable[[], object]) -> str:
    """Do something and say `done`, or the name of the kernel's error."""
    try:
        action()
    except OSError as refused:
        return errno.errorcode.get(refused.errno or 0, "error")
    return "done"


def try_open(path: str, flags: int) -> str:
    """Open a path and say how that went."""
    return outcome(lambda: os.close(os.open(path, flags, 0o600)))


def try_socket(family: int, kind: int) -> str:
    """Make a socket of a family no agent needs."""
    return outcome(lambda: socket.socket(family, kind).close())


def try_connect(family: int, address: tuple[object, ...]) -> str:
    """Route a datagram socket to an address outside; nothing is sent."""

    def connect() -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)

    return outcome(connect)


def content(path: str) -> str:
    """`absent`, `empty`, `readable`, or the kernel's refusal."""
    try:
        if os.path.isdir(path):
            return "readable" if os.listdir(path) else "empty"
        with open(path, "rb") as file:
            return "readable" if file.read(1) else "empty"
    except FileNotFoundError:
        return "absent"
    except OSError as refused:
        return errno.errorcode.get(refused.errno or 0, "error")


def try_everything(request: dict[str, list[str]]) -> dict[str, str]:
    """All tries; those that would change this process come last."""
    nothing = ctypes.c_void_p(0)
    tries = {
        "write to /": try_open("/.write-test", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        "write to /etc": try_open("/etc/.write-test", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        "IPv4 to outside": try_connect(socket.AF_INET, ("192.0.2.1", 9)),
        "IPv6 to outside": try_connect(socket.AF_INET6, ("2001:db8::1", 9, 0, 0)),
        "raw packet socket": try_socket(17, socket.SOCK_RAW),
        "vsock socket": try_socket(40, socket.SOCK_STREAM),
        "kernel crypto socket": try_socket(38, socket.SOCK_SEQPACKET),
        "host name": socket.gethostname(),
        "ids": " ".join(str(part) for part in (*os.getresuid(), *os.getresgid(), *os.getgroups())),
    }
    tries |= {f"truncate {path}": try_open(path, os.O_WRONLY | os.O_TRUNC) for path in request["readonly"]}
    tries |= {f"read {path}": content(path) for path in request["masked"]}
    tries |= {f"read {path}": text_of(path) for path in request["texts"]}
    for name in NUMBERS[platform.machine()]:
        if name not in ("ptrace", "unshare", "mount", "io_uring_setup"):
            tries[f"call {name}"] = call(name, nothing, nothing, nothing, nothing, nothing, nothing)
    tries["call io_uring_setup"] = call("io_uring_setup", 1, nothing)
    tries["call mount"] = call("mount", b"none", b"/tmp", b"tmpfs", 0, nothing)
    tries["gain root"] = answer_of(LIBC.setuid(0))
    tries["gain a capability"] = gain_capability()
    tries["call unshare"] = call("unshare", 0)
    tries["call ptrace"] = call("ptrace", 0, 0, nothing, nothing)
    return tries


def text_of(path: str) -> str:
    """A small file's text, or why it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return " ".join(file.read(4096).split())
    except OSError as refused:
        return errno.errorcode.get(refused.errno or 0, "error")


def gain_capability() -> str:
    """Ask for CAP_NET_ADMIN (12) in every set."""
    return outcome(lambda: set_capabilities(1 << 12, 1 << 12, 1 << 12, 0))


def inside(status: dict[str, str], filters: list[bytes], request: dict[str, list[str]], out: int) -> None:
    """The forked part: become like the box's process, try, and send the answers home."""
    try:
        become(status, filters)
        answer: dict[str, object] = {"tries": try_everything(request)}
    except OSError as failed:
        answer = {"error": str(failed)}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(answer, file)


def main() -> None:
    """Read the request, probe, write the answer."""
    signal.alarm(DEADLINE_S)
    request = json.load(sys.stdin)
    pid = int(request["pid"])
    status = status_of(pid)
    filters, unreadable = list[bytes](), ""
    try:
        filters = copy_filters(pid, int(status.get("Seccomp_filters", "0")))
    except OSError as cause:
        unreadable = str(cause)
    answer: dict[str, object] = {"error": f"process number {pid} was given to another process"}
    if start_ticks(pid) == int(request["start_ticks"]):
        answer = enter_and_try(pid, status, filters, request)
    answer["filters"] = [base64.b64encode(code).decode() for code in filters]
    answer["unreadable"] = unreadable
    json.dump(answer, sys.stdout)


def enter_and_try(
    pid: int, status: dict[str, str], filters: list[bytes], request: dict[str, list[str]]
) -> dict[str, object]:
    """Enter the box, fork inside it, and collect the answers of the fork."""
    home, out = os.pipe()
    enter(pid, request["procs_files"])
    child = os.fork()
    if child == 0:
        signal.alarm(DEADLINE_S)
        with suppress(BaseException):
            inside(status, filters, request, out)
        os._exit(0)
    os.close(out)
    with open(home, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(child, 0)
    answer: dict[str, object] = json.loads(text) if text else {"error": "the probe inside the box was killed"}
    return answer


if __name__ == "__main__":
    main()
