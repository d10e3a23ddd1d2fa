"""Who is on the other end of the socket, as the kernel of the operating system says.

SO_PEERCRED (unix(7)) gives the process, user and group that connected. The client cannot claim it, and no
header is ever read for it.
"""

import asyncio
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

_CREDENTIALS: Final = struct.Struct("3i")
STATE_KEY: Final = "peer"


@dataclass(frozen=True)
class Peer:
    """The process that connected.

    Attributes:
        pid: its process id then; for people to read, never to decide by, since pids are used again.
        uid: its user's number.
        gid: its group's number.
        user: its user's name, or `uid-N` where the number has none.
    """

    pid: int
    uid: int
    gid: int
    user: str


class PeerProtocol(H11Protocol):
    """uvicorn's HTTP protocol; each request finds its connection's `Peer` in `request.state.peer`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Ask the operating system who this is, once, before anything is read."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, STATE_KEY: peer_of(transport.get_extra_info("socket"))}


def peer_of(connection: Any) -> Peer:
    """Return who is at the other end of a Unix socket.

    Args:
        connection: a socket, or asyncio's view of one.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid, gid, _name(uid))


def may_connect(peer: Peer, *, own_uid: int) -> bool:
    """Tell whether a peer may use the control API: root, or the user whose `serve` this is.

    The socket's mode and its directory's keep others out already; this holds when somebody opened them.
    """
    return peer.uid in {0, own_uid}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
