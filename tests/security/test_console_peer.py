"""The control API serves root and its own user. Who that is, the operating system says, not the client."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request

from console.api.app import Activity, Guard
from console.api.listener import bind, serve_until
from console.api.peer import Peer, may_connect, peer_of
from console.client import Client

NOBODY = 65534
CALL = """
import json, os, socket, sys
os.setgid(65534)
os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
lines = [b"GET /v1/who HTTP/1.1", b"Host: h", b"X-Remote-User: root", b"Connection: close", b"", b""]
connection.sendall(b"\\r\\n".join(lines))
answer = b""
while piece := connection.recv(65536):
    answer += piece
head, _, body = answer.partition(b"\\r\\n\\r\\n")
print(json.dumps([head.split()[1].decode(), json.loads(body)]))
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    app = FastAPI()

    @app.get("/v1/who")
    def who(request: Request) -> dict[str, object]:
        peer: Peer = request.state.peer
        return {"user": peer.user, "uid": peer.uid, "pid": peer.pid}

    app.add_middleware(Guard, own_uid=os.geteuid(), activity=Activity())
    path = tmp_path / "deep" / "serve.sock"
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve_until(app, bind(path), stop)))
    thread.start()
    while not path.is_socket():
        pass
    yield path
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def test_the_peer_is_the_process_that_connected(served: Path) -> None:
    answer = Client(served).get("who")

    assert (answer["uid"], answer["pid"]) == (os.geteuid(), os.getpid())


def test_the_socket_is_open_to_owner_and_group_in_a_directory_of_the_owner(served: Path) -> None:
    assert served.stat().st_mode & 0o7777 == 0o660
    assert served.parent.stat().st_mode & 0o7777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_another_user_is_refused_even_where_the_files_let_him_in_and_whatever_he_claims(served: Path) -> None:
    for directory in (served.parent, *served.parent.parents):
        if directory.stat().st_uid == os.geteuid() and str(directory).startswith("/tmp/"):
            directory.chmod(0o755)
    served.chmod(0o666)

    done = subprocess.run(
        [sys.executable, "-c", CALL, str(served)], capture_output=True, text=True, check=True
    )

    status, problem = json.loads(done.stdout)
    assert status == "403"
    assert problem["error"] == "this user may not use this control plane"
    assert problem["got"] == "nobody"


@pytest.mark.parametrize(
    ("uid", "own", "welcome"), [(0, 1000, True), (1000, 1000, True), (1001, 1000, False), (NOBODY, 0, False)]
)
def test_only_root_and_the_own_user_may_connect(uid: int, own: int, welcome: bool) -> None:
    assert may_connect(Peer(1, uid, uid, "someone"), own_uid=own) is welcome


def test_a_user_without_a_name_is_named_by_number() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_of(ours).uid == os.geteuid()


def test_a_file_in_the_way_of_the_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "serve.sock"
    path.write_text("precious")

    with pytest.raises(Exception, match="is in the way"):
        bind(path)

    assert path.read_text() == "precious"
