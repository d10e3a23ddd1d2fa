"""Frames of a hijacked connection, over a real Unix socket."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from sandboxes.docker_failures import failure_from
from sandboxes.errors import BoxGoneError, EngineRefusedError, EngineUnavailableError, ImageMissingError
from sandboxes.hijack import exchange, read_frames, request_bytes, status_of, written
from sandboxes.stdio import Stdio, open_stdio

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(payload)) + payload


def engine(place: Path, pieces: list[bytes], *, hang: bool = False) -> str:
    """A stand-in that answers one connection with these pieces, then closes it or stays silent."""
    path = str(place / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
            if hang:
                connection.settimeout(10)
                connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    return path


def gathered(path: str, use: Callable[[Stdio], Coroutine[None, None, list[bytes]]]) -> list[bytes]:
    async def talk() -> list[bytes]:
        stdio = await open_stdio(path, "b" * 64)
        try:
            return await use(stdio)
        finally:
            await stdio.close()

    return asyncio.run(talk())


def test_frames_cut_anywhere_are_put_together_again(tmp_path: Path) -> None:
    whole = SWITCH + frame(1, b"one\ntw") + frame(2, b"error") + frame(1, b"o\n") + frame(1, b"rest")

    async def lines(stdio: Stdio) -> list[bytes]:
        return [await stdio.readline() for _ in range(4)] + [stdio.stderr_tail]

    path = engine(tmp_path, [whole[at : at + 1] for at in range(len(whole))])
    assert gathered(path, lines) == [b"one\n", b"two\n", b"rest", b"", b"error"]


def test_what_the_engine_says_of_its_own_trouble_is_not_what_the_box_wrote() -> None:
    said: list[str] = []
    frames = [(1, b"one\n"), (3, b"Error grabbing logs: unexpected EOF\n"), (2, b"two\n")]

    assert b"".join(written(frames, by_engine=said.append)) == b"one\ntwo\n"
    assert said == ["Error grabbing logs: unexpected EOF"]


def test_pieces_and_lines_can_be_mixed(tmp_path: Path) -> None:
    async def mixed(stdio: Stdio) -> list[bytes]:
        return [await stdio.readline(), await stdio.read(), await stdio.read(), await stdio.read()]

    path = engine(tmp_path, [SWITCH, frame(1, b"a\nb"), frame(1, b"c")])
    assert gathered(path, mixed) == [b"a\n", b"b", b"c", b""]


@pytest.mark.parametrize("head", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"nonsense\r\n\r\n", b""])
def test_anything_but_the_switch_is_refused(head: bytes, tmp_path: Path) -> None:
    path = engine(tmp_path, [head])

    with pytest.raises(EngineRefusedError, match="attach"):
        asyncio.run(open_stdio(path, "b" * 64))


def test_a_silent_engine_is_not_waited_for_without_limit(tmp_path: Path) -> None:
    path = engine(tmp_path, [], hang=True)

    with pytest.raises(EngineRefusedError, match="TimeoutError"):
        asyncio.run(open_stdio(path, "b" * 64, timeout_s=0.1))


def test_a_stream_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """An engine that forgets to close an exec's stream must not hang its caller."""
    path = engine(tmp_path, [SWITCH, frame(1, b"x")], hang=True)

    with exchange(path, request_bytes("POST", "/x", upgrade=True), 5) as (status, connection, first):
        frames = read_frames(connection, first, 0.2)
        assert status == 101
        assert next(frames) == (1, b"x")
        with pytest.raises(TimeoutError):
            next(frames)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1", b"SSH-2.0-x y"])
def test_what_is_no_http_answer_is_an_error(head: bytes) -> None:
    with pytest.raises(ValueError, match="expected an HTTP status line"):
        status_of(head)


@pytest.mark.parametrize(
    ("status", "about_image", "kind"),
    [
        (None, False, EngineUnavailableError),
        (404, True, ImageMissingError),
        (404, False, BoxGoneError),
        (409, False, EngineRefusedError),
        (500, True, EngineRefusedError),
    ],
)
def test_a_failed_request_becomes_the_failure_a_caller_can_tell_apart(
    status: int | None, about_image: bool, kind: type[Exception]
) -> None:
    failure = failure_from("create box", status, "the engine's words", about_image=about_image)

    assert type(failure) is kind
    assert "create box" in str(failure)
    assert "the engine's words" in str(failure)


def test_a_missing_image_is_said_to_be_missing_once() -> None:
    """The engine names it twice in its one sentence."""
    theirs = "no such image: a:1: No such image: a:1"

    failure = failure_from("image a:1", 404, theirs, about_image=True)

    assert str(failure) == (
        "image a:1: the engine has no such image; nothing is pulled, so build or import it first"
    )
