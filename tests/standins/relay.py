"""A socket that leads to the engine's until it is cut: an engine that goes away while its boxes live on."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

ENGINE = "/var/run/docker.sock"
_PIECE_BYTES = 65_536


class Relay:
    """Leads every connection on to the engine; `cut` ends all of them and takes no more, until `mend`."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
                leading = threading.Thread(target=_lead_on, args=(near, far), daemon=True)
                leading.start()
                self._leading.append(leading)


def _lead_on(near: socket.socket, far: socket.socket) -> None:
    with near, far, suppress(OSError):
        far.connect(ENGINE)
        back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
        back.start()
        _pass_on(near, far)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
