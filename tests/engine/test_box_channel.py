"""The channel: listeners of the host inside the box's own network namespace, and nowhere else."""

import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes.channel import open_channel
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import Box, BoxState
from sandboxes.errors import BoxGoneError, ChannelError
from sandboxes.host_view import BoxProcess, confirm_process
from sandboxes.spec import Runtime
from tests.standins.boxes import Boxes, small_spec

pytestmark = pytest.mark.engine
ASK = "echo ping | nc -w 5 127.0.0.1 {port}"


class Misnaming(DockerDriver):
    """A driver whose engine answers with another process's number, as one that lags behind would."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid

    def inspect(self, box: Box) -> BoxState:
        return replace(super().inspect(box), pid=self._pid)


def answer_once(listener: socket.socket, reply: bytes) -> bytes:
    listener.settimeout(10)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        asked = connection.recv(100)
        connection.sendall(reply)
    return asked


def test_a_program_in_the_box_reaches_the_host_through_its_listener(runtime: Runtime, boxes: Boxes) -> None:
    box = boxes.started(small_spec(runtime))
    channel = open_channel(boxes.driver, box)
    boxes.driver.release(box, ["sh", "-c", ASK.format(port=8080)], {"PATH": "/bin"})

    asked = answer_once(channel.listeners[8080], b"pong\n")

    boxes.driver.wait(box)
    channel.close()
    assert asked == b"ping\n"
    assert b"".join(boxes.driver.logs(box)) == b"pong\n"


def test_each_box_has_its_own_listener_on_the_same_port(boxes: Boxes) -> None:
    """The listener is the identity: which socket accepted tells which box called."""
    first, second = boxes.started(small_spec()), boxes.started(small_spec())
    channels = [open_channel(boxes.driver, box, ports=(8080, 9000)) for box in (first, second)]

    boxes.driver.release(second, ["sh", "-c", ASK.format(port=9000)], {"PATH": "/bin"})

    assert answer_once(channels[1].listeners[9000], b"second\n") == b"ping\n"
    channels[0].listeners[9000].settimeout(0)
    with pytest.raises(BlockingIOError):
        channels[0].listeners[9000].accept()
    assert channels[0].network_inode != channels[1].network_inode
    for channel in channels:
        channel.close()


def test_the_host_itself_does_not_listen(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    channel = open_channel(boxes.driver, box, ports=(18937,))

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 18937), timeout=5)
    channel.close()


def test_a_closed_channel_leaves_no_listener(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    open_channel(boxes.driver, box).close()

    boxes.driver.release(box, ["sh", "-c", ASK.format(port=8080) + "; echo ended $?"], {"PATH": "/bin"})
    boxes.driver.wait(box)

    assert b"ended 1" in b"".join(boxes.driver.logs(box))


def test_a_box_on_the_hosts_network_gets_no_channel(boxes: Boxes) -> None:
    def share(arguments: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        return arguments | {"HostConfig": arguments["HostConfig"] | {"NetworkMode": "host"}}

    with boxes.one(small_spec(), share) as box, pytest.raises(ChannelError, match="host's network"):
        open_channel(boxes.driver, box)


def test_a_box_with_a_way_out_gets_no_channel(boxes: Boxes) -> None:
    def bridge(arguments: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        return arguments | {"HostConfig": arguments["HostConfig"] | {"NetworkMode": "bridge"}}

    with boxes.one(small_spec(), bridge) as box, pytest.raises(ChannelError, match="expected lo alone"):
        open_channel(boxes.driver, box)


def test_a_box_that_ended_gets_no_channel(boxes: Boxes) -> None:
    box = boxes.released(small_spec(), "exit 0")
    boxes.driver.wait(box)

    with pytest.raises(ChannelError, match="expected a running process"):
        open_channel(boxes.driver, box)


def test_a_recycled_process_number_gets_no_channel(boxes: Boxes) -> None:
    """The engine names a process that lives, but in no control group of this box."""
    box = boxes.started(small_spec())
    stranger = subprocess.Popen(["sleep", "60"])
    driver = Misnaming(stranger.pid)
    try:
        with pytest.raises(ChannelError, match="no control group of this box"):
            open_channel(driver, box)
    finally:
        driver.close()
        stranger.kill()
        stranger.wait()


def test_another_boxes_process_gets_no_channel(boxes: Boxes) -> None:
    """A number recycled by a second box must not lead the first one's requests there."""
    box, other = boxes.started(small_spec()), boxes.started(small_spec())
    driver = Misnaming(boxes.driver.inspect(other).pid)
    try:
        with pytest.raises(ChannelError, match="no control group of this box"):
            open_channel(driver, box)
    finally:
        driver.close()


def test_a_process_that_started_at_another_time_is_another_process(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    pid = boxes.driver.inspect(box).pid

    with pytest.raises(BoxGoneError, match="given to another process"):
        confirm_process(boxes.driver, box, BoxProcess(pid, start_ticks=1))


def test_the_calling_process_stays_in_its_own_network(boxes: Boxes) -> None:
    before = Path("/proc/self/ns/net").stat().st_ino
    open_channel(boxes.driver, boxes.started(small_spec())).close()

    assert Path("/proc/self/ns/net").stat().st_ino == before
