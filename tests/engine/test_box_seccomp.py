"""Our list of system calls: no wider than the engine's own, and wide enough for real programs."""

import json
import platform
import shutil
import struct
from base64 import b64decode
from collections.abc import Iterator

import pytest

from sandboxes.cgroups import read_limits
from sandboxes.docker_options import seccomp_profile
from sandboxes.driver import Box
from sandboxes.host_view import find_process, read_view
from sandboxes.inside import finish_helper, start_helper
from sandboxes.spec import BoxLimits, BoxSpec, Mount, Runtime, Tmpfs
from tests.standins.altered import security
from tests.standins.boxes import BUSYBOX, Boxes, small_spec

pytestmark = pytest.mark.engine
ALLOW, ARCHITECTURES = 0x7FFF0000, {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HOST_PROGRAMS = ("/usr", "/lib", "/lib64")


def filter_of(boxes: Boxes, box: Box) -> bytes:
    process = find_process(boxes.driver, box)
    tries = finish_helper(start_helper(), process, read_limits(read_view(process).cgroups))
    return b64decode(tries.filters[0])


def verdict(code: bytes, number: int, arguments: tuple[int, ...]) -> int:
    """Run a classic BPF program over one struct seccomp_data (linux/seccomp.h, linux/filter.h)."""
    arch = ARCHITECTURES[platform.machine()]
    padded = arguments + (0,) * (6 - len(arguments))
    data = struct.pack("<IIQ6Q", number, arch, 0, *padded)
    accumulator, at = 0, 0
    while True:
        op, when_true, when_false, k = struct.unpack_from("<HBBI", code, at * 8)
        at += 1
        match op:
            case 0x20:  # load word
                accumulator = struct.unpack_from("<I", data, k)[0]
            case 0x54:  # and
                accumulator &= k
            case 0x05:  # jump
                at += k
            case 0x15:  # jump if equal
                at += when_true if accumulator == k else when_false
            case 0x25:  # jump if greater
                at += when_true if accumulator > k else when_false
            case 0x45:  # jump if any bit is set
                at += when_true if accumulator & k else when_false
            case 0x35:  # jump if greater or equal
                at += when_true if accumulator >= k else when_false
            case 0x06:  # return
                return int(k)
            case _:
                raise AssertionError(f"instruction {op:#x} is not one a filter compiler emits")


def allowed(code: bytes) -> Iterator[tuple[int, int]]:
    """Every (system call, first argument) a filter lets pass, over arguments that filters look at."""
    firsts = (0, 1, 2, 10, 16, 17, 38, 40, 0x20000, 0x10000000, 0x7E020000, 0xFFFFFFFF)
    for number in range(470):
        for first in firsts:
            if verdict(code, number, (first,)) == ALLOW:
                yield number, first


def test_our_filter_allows_nothing_the_engines_own_denies(boxes: Boxes) -> None:
    """Both programs are read back from real processes and run over every call number."""
    with boxes.one(small_spec()) as ours, boxes.one(small_spec(), security("no-new")) as engines:
        mine, theirs = set(allowed(filter_of(boxes, ours))), set(allowed(filter_of(boxes, engines)))

    assert mine < theirs
    assert len({number for number, _ in mine}) > 200


@pytest.mark.parametrize(
    "name",
    [
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "io_uring_setup",
        "unshare",
        "setns",
        "bpf",
        "keyctl",
    ],
)
def test_the_list_does_not_name_calls_no_agent_needs(name: str) -> None:
    profile = json.loads(seccomp_profile())
    names = {
        entry for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for entry in rule["names"]
    }

    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert name not in names


PYTHON = """
import asyncio, ctypes, hashlib, json, multiprocessing, os, socket, sqlite3, ssl, subprocess, tempfile
print(subprocess.run(["sh", "-c", "echo child"], capture_output=True, text=True).stdout.strip())
with tempfile.TemporaryDirectory() as place:
    db = sqlite3.connect(place + "/x.db")
    db.execute("pragma journal_mode=wal")
    db.execute("create table t(a)")
    os.mkfifo(place + "/fifo"); os.symlink("x.db", place + "/link")
a, b = socket.socketpair(); a.send(b"x"); b.recv(1)
server = socket.create_server(("127.0.0.1", 0)); socket.create_connection(server.getsockname()).close()
socket.getaddrinfo("localhost", 80)
async def main():
    process = await asyncio.create_subprocess_exec("true"); await process.wait()
    await asyncio.to_thread(hashlib.sha256, b"x")
asyncio.run(main())
with multiprocessing.get_context("spawn").Pool(2) as pool: print(pool.map(abs, [-1, -2]))
print("python runs")
"""


def test_python_runs_in_the_base_image(runtime: Runtime, boxes: Boxes, base_image: str) -> None:
    spec = BoxSpec(image=base_image, runtime=runtime, limits=BoxLimits(memory_mib=256))
    box = boxes.started(spec)
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/agent", "TMPDIR": "/tmp"}

    boxes.driver.release(box, ["python3", "-c", PYTHON], path)
    state = boxes.driver.wait(box)

    output = b"".join(boxes.driver.logs(box)).decode()
    assert output.endswith("python runs\n"), output
    assert state.exit_code == 0


GIT = """
cd $HOME && git init -q r && cd r && echo x > a && git add a
git -c user.name=n -c user.email=e@x commit -qm m && git log --oneline | wc -l && git gc -q && echo ok
"""
NODE = """node -e 'require("fs").promises.readdir("/").then(() => console.log("ok"))'"""


@pytest.mark.parametrize(("program", "script"), [("git", GIT), ("node", NODE)])
def test_the_hosts_programs_run_under_our_filter(program: str, script: str, boxes: Boxes) -> None:
    """The host's own binaries, mounted read-only, so that no image with them is needed."""
    if shutil.which(program) is None:
        pytest.skip(f"this host has no {program}")
    sources = {"/usr": "/usr", "/lib": "/usr/lib", "/lib64": "/usr/lib64"}
    spec = BoxSpec(
        image=BUSYBOX,
        limits=BoxLimits(memory_mib=512),
        mounts=tuple(Mount(source=sources[target], target=target) for target in HOST_PROGRAMS),
        tmpfs=(Tmpfs(target="/tmp", size_mib=32), Tmpfs(target="/home/agent", size_mib=64, executable=True)),
    )

    output = boxes.output(spec, script)

    assert output.endswith("ok\n"), output
