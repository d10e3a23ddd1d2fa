"""The only way out of a box: listeners the host makes inside the box's network namespace.

A socket belongs for ever to the namespace in which it was made, not to the thread that uses it. So one
short-lived thread enters the box's namespace, binds 127.0.0.1 there, and hands the sockets back; no byte
of ours enters the box, and which listener a connection came from tells which box is calling. Source:
setns(2), network_namespaces(7).
"""

import ctypes
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import BoxGoneError, ChannelError
from sandboxes.host_view import (
    PROC,
    BoxProcess,
    confirm_process,
    find_process,
    namespace_inode,
    parse_interfaces,
)

GATEWAY_PORT = 8080
BACKLOG = 1024
LOOPBACK, LOOPBACK_INTERFACE = "127.0.0.1", "lo"
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """The listeners of one box, by port. They outlive the box until closed."""

    box_id: str
    process: BoxProcess
    network_inode: int
    listeners: Mapping[int, socket.socket] = field(repr=False)

    def close(self) -> None:
        """Close every listener; the namespace goes with the last of them."""
        for listener in self.listeners.values():
            listener.close()


def open_channel(
    driver: SandboxDriver, box: Box, ports: Sequence[int] = (GATEWAY_PORT,), proc: Path = PROC
) -> Channel:
    """Make the listeners of a running box.

    Args:
        driver: names the box's process, before and after.
        box: the box; it may still wait behind its stdin gate.
        ports: loopback ports inside the box.
        proc: where the host's proc file system is mounted.

    Returns:
        The channel, its sockets non-blocking and listening.

    Raises:
        ChannelError: the box is gone, its process number was reused, or its network is not its own.
    """
    try:
        process = find_process(driver, box, proc)
        namespace = os.open(proc / str(process.pid) / "ns" / "net", os.O_RDONLY | os.O_CLOEXEC)
    except (BoxGoneError, OSError) as cause:
        raise ChannelError(f"box {box.id[:12]}: no channel: {cause}") from cause
    try:
        inode = _foreign_inode(namespace, box, process, proc)
        _confirm(driver, box, process, proc)
        listeners = _listen_inside(namespace, ports)
    finally:
        os.close(namespace)
    return Channel(box_id=box.id, process=process, network_inode=inode, listeners=listeners)


def _confirm(driver: SandboxDriver, box: Box, process: BoxProcess, proc: Path) -> None:
    """The open namespace is pinned by its descriptor, so one look after opening it is enough."""
    try:
        confirm_process(driver, box, process, proc)
    except BoxGoneError as cause:
        raise ChannelError(f"box {box.id[:12]}: no channel: {cause}") from cause


def _foreign_inode(namespace: int, box: Box, process: BoxProcess, proc: Path) -> int:
    """Refuse our own network, and any that has a way out: the host's own is not always ours to compare."""
    inode = os.fstat(namespace).st_ino
    if inode == namespace_inode("self", "net", proc):
        raise ChannelError(f"box {box.id[:12]}: it shares the host's network, expected a network of its own")
    interfaces = parse_interfaces((proc / str(process.pid) / "net" / "dev").read_text(encoding="ascii"))
    if interfaces != (LOOPBACK_INTERFACE,):
        raise ChannelError(f"box {box.id[:12]}: its network has {', '.join(interfaces)}, expected lo alone")
    return inode


def _listen_inside(namespace: int, ports: Sequence[int]) -> dict[int, socket.socket]:
    made: dict[int, socket.socket] = {}
    failures: list[OSError] = []

    def work() -> None:
        try:
            _enter_network(namespace)
            for port in ports:
                made[port] = _listener(port)
        except OSError as cause:
            failures.append(cause)

    thread = threading.Thread(target=work, name="channel")
    thread.start()
    thread.join()
    if failures:
        for listener in made.values():
            listener.close()
        raise ChannelError(f"no listener inside the box: {failures[0]}") from failures[0]
    return made


def _enter_network(namespace: int) -> None:
    """Move the calling thread, and only it, into a network namespace; the thread must end afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}; serve needs root or CAP_SYS_ADMIN")


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener
