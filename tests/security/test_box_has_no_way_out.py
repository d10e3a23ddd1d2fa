"""R-64, R-80: what a hostile program in a box tries, it tries in vain; on runc and on gVisor."""

import socket
from collections.abc import Iterator

import pytest

from sandboxes.channel import open_channel
from sandboxes.driver import Phase
from sandboxes.spec import BoxLimits, Runtime
from tests.standins.boxes import Boxes, small_spec

pytestmark = pytest.mark.engine
ATTEMPTS = {
    "a name server": "nc -w 2 192.0.2.53 53 </dev/null",
    "the metadata address of clouds": "nc -w 2 169.254.169.254 80 </dev/null",
    "the engine's bridge": "nc -w 2 172.17.0.1 {host_port} </dev/null",
    "a listener of the host on every address": "nc -w 2 127.0.0.1 {host_port} </dev/null",
    "a name": "nc -w 2 example.com 80 </dev/null",
    "another gateway port": "nc -w 2 127.0.0.1 8081 </dev/null",
    "a write to the root": "touch /x",
    "a write to a program": "echo x >> /bin/cat",
    "a write to the settings of the kernel": "echo x > /proc/sys/kernel/hostname",
    "the magic request key": "test -e /proc/sysrq-trigger && echo h > /proc/sysrq-trigger",
    "a mount": "mount -t tmpfs none /tmp",
    "a second proc": "mkdir /tmp/p && mount -t proc proc /tmp/p",
    "a new host name": "hostname other",
    "the engine's socket": "find / -name '*docker.sock' 2>/dev/null | grep .",
    "a device of the host": "find /dev -type b 2>/dev/null | grep .",
    "a program started from shared memory": "cp /bin/cat /dev/shm/cat && /dev/shm/cat /etc/hostname",
    "a program started from /tmp": "cp /bin/cat /tmp/cat && /tmp/cat /etc/hostname",
}


@pytest.fixture
def host_port() -> Iterator[int]:
    """A service of the host on all its addresses, as databases and dashboards are."""
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 - the exposure is what is tested
        yield listener.getsockname()[1]
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_every_attempt_fails_and_the_host_sees_none(runtime: Runtime, boxes: Boxes, host_port: int) -> None:
    box = boxes.started(small_spec(runtime))
    channel = open_channel(boxes.driver, box)
    attempts = [
        f"if ( {attempt.format(host_port=host_port)} ) >/dev/null 2>&1; then echo 'GOT {what}'; fi"
        for what, attempt in ATTEMPTS.items()
    ]

    boxes.driver.release(box, ["sh", "-c", "\n".join([*attempts, "echo end"])], {"PATH": "/bin"})
    boxes.driver.wait(box)
    channel.close()

    assert b"".join(boxes.driver.logs(box)) == b"end\n"


def test_the_same_attempts_succeed_where_they_may(runtime: Runtime, boxes: Boxes) -> None:
    """The tools that fail above do work: home is writable and executable, the gateway's port answers."""
    box = boxes.started(small_spec(runtime))
    channel = open_channel(boxes.driver, box)
    script = "nc -w 5 127.0.0.1 8080 </dev/null && cp /bin/cat $HOME/cat && $HOME/cat /etc/hostname"

    boxes.driver.release(box, ["sh", "-c", script], {"PATH": "/bin", "HOME": "/home/agent"})
    channel.listeners[8080].settimeout(10)
    channel.listeners[8080].accept()[0].close()
    boxes.driver.wait(box)
    channel.close()

    assert b"".join(boxes.driver.logs(box)) == b"box\n"


def test_scratch_space_has_an_end(runtime: Runtime, boxes: Boxes) -> None:
    """tmpfs with a size: a box cannot fill the host's disk or memory."""
    spec = small_spec(runtime, limits=BoxLimits(memory_mib=256, pids=32))

    output = boxes.output(spec, "dd if=/dev/zero of=/tmp/big bs=1M count=100 2>/dev/null; wc -c </tmp/big")

    assert int(output.split()[-1]) <= 64 * 1024 * 1024


def test_two_boxes_cannot_see_or_signal_each_other(runtime: Runtime, boxes: Boxes) -> None:
    neighbour = boxes.released(small_spec(runtime), "exec sleep 600")

    output = boxes.output(small_spec(runtime), "ls -d /proc/[0-9]* | wc -l; kill -9 -1 2>/dev/null")

    assert int(output.split()[0]) < 10
    assert boxes.driver.inspect(neighbour).phase is Phase.RUNNING
