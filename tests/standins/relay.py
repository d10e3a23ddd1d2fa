"""A socket that leads to the engine's until it is cut: an engine that goes away while its boxes live on."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ENGINE = "/var/run/docker.sock"
_PIECE_BYTES = 65_536


class Relay:
    """Leads every connection on to the engine; `cut` ends all of them and takes no more, until `mend`.

    The engine's answer to a request in which `mute` stands does not arrive: its connection ends instead.
    """

    def __init__(self, path: Path, *, mute: bytes = b"") -> None:
        self.path = path
        self._mute = mute
        self._open: list[socket.socket] = []
        self._leading: list[threading.Thread] = []
        self.mend()

    def mend(self) -> None:
        """Be there (again)."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Be gone, with every connection closed."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._leading:
            thread.join()
        self._open.clear()
        self._leading.clear()

    def _accept(self, listener: socket.socket) -> None:
        with listener, suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._open += [near, far]
                leading = threading.Thread(target=_lead_on, args=(near, far, self._mute), daemon=True)
                leading.start()
                self._leading.append(leading)


def _lead_on(near: socket.socket, far: socket.socket, mute: bytes) -> None:
    muted = threading.Event()

    def asked(piece: bytes) -> bool:
        if mute and mute in piece:
            muted.set()
        return True

    with near, far, suppress(OSError):
        far.connect(ENGINE)
        back = threading.Thread(target=_pass_on, args=(far, near, lambda _: not muted.is_set()), daemon=True)
        back.start()
        _pass_on(near, far, asked)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket, passes: Callable[[bytes], bool]) -> None:
    with suppress(OSError):
        while (piece := source.recv(_PIECE_BYTES)) and passes(piece):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
