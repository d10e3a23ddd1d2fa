"""The ways by which people are told: a program, a signed HTTP post, a mail."""

import asyncio
import hashlib
import hmac
import shlex
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Protocol

import httpx

from runtime.clock import Clock
from runtime.errors import KernelError
from runtime.notices.message import Message
from runtime.notices.outbox import Route
from runtime.settings import MailTls

SECONDS_EACH: Final = 10.0
TIMESTAMP_HEADER: Final = "handrail-timestamp"
SIGNATURE_HEADER: Final = "handrail-signature"


class NoticeError(KernelError):
    """A channel that did not take a notice."""


class Channel(Protocol):
    """One way by which people are told."""

    async def send(self, message: Message) -> None:
        """Tell people; it comes back only when the other side has taken it.

        Raises:
            NoticeError: the other side did not take it.
        """
        ...


@dataclass(frozen=True)
class Command:
    """A program with arguments, split as a shell would, run without one; the message is its input.

    Its environment is empty but for PATH.
    """

    command: str

    async def send(self, message: Message) -> None:
        """Run the program.

        Raises:
            NoticeError: it cannot be started, takes too long, or ends with another code than 0.
        """
        process = await self._start()
        try:
            async with asyncio.timeout(SECONDS_EACH):
                await process.communicate(message.as_json.encode())
        except TimeoutError as error:
            raise NoticeError(f"the notify command took longer than {SECONDS_EACH:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise NoticeError(f"the notify command ended with code {process.returncode}, expected 0")

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            program, *arguments = shlex.split(self.command)
            return await asyncio.create_subprocess_exec(
                program,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        except (OSError, ValueError) as error:
            raise NoticeError(f"the notify command cannot be started: {error}") from error


@dataclass(frozen=True)
class Webhook:
    """An HTTP post of the message as JSON. Redirects are not followed.

    Attributes:
        url: where to.
        clock: dates the post.
        key: shared with the receiver; without one the post is not signed.
    """

    url: str
    clock: Clock
    key: str | None = None

    async def send(self, message: Message) -> None:
        """Post the message.

        Raises:
            NoticeError: it could not be reached, or did not answer with a code from 200 to 299.
        """
        body = message.as_json
        headers = {"content-type": "application/json", **self._signed(body)}
        try:
            async with httpx.AsyncClient(
                timeout=SECONDS_EACH, follow_redirects=False, trust_env=False
            ) as client:
                answer = await client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NoticeError(f"the notify webhook cannot be reached: {type(error).__name__}") from error
        if not answer.is_success:
            raise NoticeError(f"the notify webhook answered {answer.status_code}, expected 2xx")

    def _signed(self, body: str) -> Mapping[str, str]:
        timestamp = str(int(self.clock().timestamp()))
        if self.key is None:
            return {TIMESTAMP_HEADER: timestamp}
        return {
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature(self.key, timestamp=timestamp, body=body),
        }


def signature(key: str, *, timestamp: str, body: str) -> str:
    """Return the signature of a post: HMAC-SHA256 (RFC 2104) over `TIMESTAMP.BODY`, in hex, after `v1=`.

    The receiver computes the same, compares it in constant time, and refuses old timestamps.
    """
    signed = hmac.new(key.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256)
    return f"v1={signed.hexdigest()}"


@dataclass(frozen=True)
class Mail:
    """A mail by SMTP.

    Attributes:
        host: the mail server.
        port: its port.
        sender: the address it comes from.
        to: the addresses of each route.
        tls: how the way there is protected.
        login: user and password, if the server asks for them.
    """

    host: str
    port: int
    sender: str
    to: Mapping[Route, tuple[str, ...]]
    tls: MailTls = MailTls.STARTTLS
    login: tuple[str, str] | None = None

    async def send(self, message: Message) -> None:
        """Hand the mail to the server.

        Raises:
            NoticeError: the server cannot be reached or did not take it for every address.
        """
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(self.to[message.route])
        mail["Subject"] = message.title
        mail.set_content(message.text)
        try:
            with self._connect() as server:
                if self.tls is MailTls.STARTTLS:
                    server.starttls(context=ssl.create_default_context())
                if self.login is not None:
                    server.login(*self.login)
                if refused := server.send_message(mail):
                    raise NoticeError(f"the mail server refused {len(refused)} of the addresses")
        except (OSError, smtplib.SMTPException) as error:
            raise NoticeError(f"the mail server did not take a mail: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.tls is MailTls.IMPLICIT:
            trusted = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS_EACH, context=trusted)
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS_EACH)
