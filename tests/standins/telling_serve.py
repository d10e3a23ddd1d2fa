"""A control plane that says what a test tells it to say, on a real Unix socket."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Answer = Iterator[dict[str, Any]]
Script = Callable[[str, str], Answer]
"""Takes the method and the address, and gives the objects of the answer, one a line."""


@contextmanager
def telling_serve(path: Path, script: Script) -> Iterator[None]:
    """Serve for the length of a block; a script that raises ConnectionError breaks off in the middle."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer("POST")

        def _answer(self, method: str) -> None:
            answer = script(method, self.path)
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            for item in answer:
                self._chunk(json.dumps(item).encode() + b"\n")
            self._chunk(b"")

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            """Say nothing beside the test's own output."""

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """What a script breaks off is meant."""

    with Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            path.unlink(missing_ok=True)
