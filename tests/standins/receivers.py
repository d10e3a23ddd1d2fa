"""Where notices arrive: a web server and a mail server on the loopback, and a program."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from ssl import SSLContext

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Posted:
    """One post as it arrived."""

    headers: dict[str, str]
    body: bytes


@dataclass
class WebReceiver:
    """Answers with these codes, one after the other, then 204."""

    codes: list[int] = field(default_factory=list)
    posts: list[Posted] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            yield self.url
        finally:
            server.close()
            await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:]
        headers = dict(line.lower().split(": ", 1) for line in head if ": " in line)
        self.posts.append(Posted(headers, await reader.readexactly(int(headers["content-length"]))))
        code = self.codes.pop(0) if self.codes else 204
        answer = f"HTTP/1.1 {code} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()
        writer.close()


@dataclass
class MailReceiver:
    """Keeps the mails that it takes; refuses the first `refusals`."""

    refusals: int = 0
    mails: list[tuple[list[str], Message]] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        del server, session
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.mails.append((list(envelope.rcpt_tos), message_from_bytes(bytes(envelope.content or b""))))
        return "250 taken"

    @contextmanager
    def open(self, *, tls: SSLContext | None = None) -> Iterator[int]:
        self.port = _free_port()
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, tls_context=tls, require_starttls=tls is not None
        )
        controller.start()
        try:
            yield self.port
        finally:
            controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def script(path: Path, body: str) -> Path:
    """A program of one shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
