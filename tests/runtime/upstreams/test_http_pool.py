"""Connections to servers that behave and servers that do not, byte by byte."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from runtime.clock import utc_now
from runtime.gateway.app import running_task
from runtime.upstreams.http_connection import AHEAD_BYTES, HEAD_BYTES
from runtime.upstreams.http_pool import PooledTransport

pytestmark = pytest.mark.anyio
CLOSE = b"<close>"
"""In what a server says: it closes the connection here."""


def whole(text: str, head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()


class Server:
    """Says the next of its lines for every request, on whichever connection it comes."""

    def __init__(self, said: Sequence[bytes]) -> None:
        self.said = list(said)
        self.connections = 0
        self.heads: list[bytes] = []
        self.port = 0
        self.serving: set[asyncio.Task[Any]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.add(running_task())
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                size = self.heads[-1].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(size or 0))
                text, mark, _ = self.said.pop(0).partition(CLOSE)
                writer.write(text)
                await writer.drain()
                if mark:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def asking(
    *said: bytes, most: int = 4, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    server = Server(said)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    scheme = "http" if tls is None else "https"
    base, transport = f"{scheme}://127.0.0.1:{server.port}", PooledTransport(idle_s=5, most=most)
    try:
        async with httpx.AsyncClient(
            transport=transport, trust_env=False, base_url=base, timeout=2
        ) as client:
            yield server, client
    finally:
        listening.close()
        await asyncio.gather(*server.serving, return_exceptions=True)
        await asyncio.sleep(0)


async def test_a_connection_is_used_again_once_its_response_is_read() -> None:
    async with asking(whole("one"), whole("two"), whole("")) as (server, client):
        texts = [(await client.post("/a", content=b"x" * 10)).text for _ in range(3)]
    assert (texts, server.connections) == (["one", "two", ""], 1)
    assert server.heads[0].startswith(b"POST /a HTTP/1.1\r\n")


async def test_requests_at_once_have_a_connection_each() -> None:
    async with asking(*(whole(str(n)) for n in range(3))) as (server, client):
        answers = await asyncio.gather(*(client.get("/") for _ in range(3)))
    assert {answer.text for answer in answers} == {"0", "1", "2"}
    assert server.connections == 3


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole("yes"), "yes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\nLate: x\r\n\r\n",
            "yes",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nyes" + CLOSE, "yes"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes" + CLOSE, "yes"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", ""),
    ],
)
async def test_every_form_of_a_response_is_read(said: bytes, text: str) -> None:
    async with asking(said, whole("next")) as (_, client):
        answer = await client.get("/")
        after = await client.get("/")
    assert (answer.text, after.text) == (text, "next")
    assert not {"link", "late"} & answer.headers.keys()


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * HEAD_BYTES),
        b"HTTP/1.1 200 OK\r\nContent-Len" + CLOSE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc" + CLOSE,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye" + CLOSE,
        CLOSE,
    ],
)
async def test_what_is_no_whole_response_is_an_error_and_the_next_request_is_answered(said: bytes) -> None:
    async with asking(said, whole("next")) as (_, client):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.get("/")
        after = await client.get("/")
    assert after.text == "next"


@pytest.mark.parametrize("more", [whole("forged"), b"HTTP/1.1 200 OK\r\n", b"x"])
async def test_what_comes_unasked_is_no_answer_to_a_later_request(more: bytes) -> None:
    """Response splitting: a server that can make another's answer two must not answer the next caller."""
    async with asking(whole("one") + more, whole("two"), whole("three")) as (server, client):
        texts = [(await client.get("/")).text for _ in range(3)]
    assert texts == ["one", "two", "three"]
    assert server.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    async with asking(whole("one") + CLOSE, whole("two")) as (server, client):
        first = await client.get("/")
        await asyncio.sleep(0.05)
        second = await client.get("/")
    assert (first.text, second.text, server.connections) == ("one", "two", 2)


async def test_a_connection_that_was_closed_while_the_loop_was_busy_is_not_used() -> None:
    """Its end waits unread; a request sent then would be lost, and its effect not known."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _OneAnswer) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        transport = PooledTransport(idle_s=5)
        async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=2) as client:
            url = f"http://127.0.0.1:{server.server_port}/"
            first = await client.get(url)
            assert _OneAnswer.closed.wait(5)  # the loop stands still, as it does while rules are compiled
            second = await client.get(url)
        server.shutdown()
        thread.join()
    assert (first.text, second.text) == ("yes", "yes")


class _OneAnswer(BaseHTTPRequestHandler):
    """Promises to keep the connection, and closes it a moment later."""

    protocol_version = "HTTP/1.1"
    closed = Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"yes")
        self.wfile.flush()
        time.sleep(0.2)  # until the client's loop stands still
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        self.closed.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
        del format, args


async def test_a_connection_whose_response_was_not_read_is_not_used_again() -> None:
    async with asking(whole("x" * 20_000_000), whole("two"), most=1) as (server, client):
        async with client.stream("GET", "/") as answer:
            assert answer.status_code == 200
        after = await client.get("/")
    assert (after.text, server.connections) == ("two", 2)


async def test_a_server_that_sends_without_end_is_held_up_by_who_does_not_read() -> None:
    sent = whole("x" * 50_000_000)
    async with asking(sent, most=1) as (server, client), client.stream("GET", "/") as answer:
        pieces = answer.aiter_raw()
        first = await anext(pieces)
        await asyncio.sleep(0.2)
        second = await anext(pieces)
        assert len(first) + len(second) < 8 * AHEAD_BYTES
        total = len(first) + len(second) + sum([len(piece) async for piece in pieces])
    assert total == 50_000_000
    assert server.connections == 1


@pytest.mark.parametrize(
    "headers",
    [{"x": "a\r\nInjected: b"}, {"x": "a\nb"}, {"x": "a\x00b"}, {"x y": "a"}, {"x:": "a"}, {"": "a"}],
)
async def test_a_header_that_would_be_read_as_more_than_one_is_not_sent(headers: dict[str, str]) -> None:
    """Request splitting: some headers come from the agent."""
    async with asking(whole("one")) as (server, client):
        with pytest.raises(httpx.LocalProtocolError):
            await client.post("/", headers=headers, content=b"x")
    assert server.heads == []


async def test_a_body_of_unknown_length_is_not_sent() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    async with asking(whole("one")) as (server, client):
        with pytest.raises(httpx.LocalProtocolError):
            await client.post("/", content=pieces())
    assert server.heads == []


async def test_each_way_to_be_late_has_its_name() -> None:
    async with asking(b"", whole("x"), most=1) as (server, client):
        slow = asyncio.create_task(client.get("/", timeout=httpx.Timeout(None, read=0.3)))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.PoolTimeout):
            await client.get("/", timeout=httpx.Timeout(None, pool=0.05))
        with pytest.raises(httpx.ReadTimeout):
            await slow
        with pytest.raises(httpx.ConnectTimeout):  # it waits for a handshake that a plain server never makes
            await client.get(f"https://127.0.0.1:{server.port}", timeout=httpx.Timeout(None, connect=0.1))
        assert (await client.get("/")).text == "x"


async def test_where_nobody_listens_is_not_reached() -> None:
    async with asking() as (server, _):
        port = server.port
    async with httpx.AsyncClient(transport=PooledTransport(idle_s=1), trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_a_caller_that_gives_up_makes_room_for_the_next() -> None:
    async with asking(b"", whole("two"), most=1) as (server, client):
        given_up = asyncio.create_task(client.get("/"))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        after = await client.get("/")
    assert (after.text, server.connections) == ("two", 2)


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_asked(tmp_path: Path) -> None:
    async with asking(whole("one"), tls=_self_signed(tmp_path)) as (server, client):
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get("/")
    assert server.heads == []


def _self_signed(where: Path) -> ssl.SSLContext:
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = utc_now()
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1))
    signed = made.not_valid_after(now + timedelta(days=1)).sign(key, None)
    (where / "cert").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (where / "key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where / "cert", where / "key")
    return context
