"""Server-sent events, read as they arrive (WHATWG HTML, section 9.2 "Server-sent events")."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final

from runtime.upstreams.errors import ReplyTooLargeError

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """One event; empty fields were not sent.

    Attributes:
        raw: the event's bytes as received, with the empty line that ends it.
    """

    data: str = ""
    name: str = ""
    id: str = ""
    retry_ms: int | None = None
    raw: bytes = b""


async def events(pieces: AsyncIterable[bytes], *, limit: int) -> AsyncIterator[Event]:
    """Yield each event as soon as its empty line is there; an unfinished one at the end is dropped.

    Args:
        pieces: the body, cut anywhere.
        limit: largest event in bytes.

    Raises:
        ReplyTooLargeError: an event is larger.
    """
    held = b""
    async for piece in pieces:
        held += piece
        blocks, held = split_events(held)
        for block in blocks:
            yield parse_event(block)
        if len(held) > limit:
            raise ReplyTooLargeError(f"event of more than {limit} bytes")


def split_events(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut complete events off the front; the rest is returned with its line ends as they are."""
    blocks = []
    while (cut := _end_of_event(data)) > 0:
        blocks.append(data[:cut])
        data = data[cut:]
    return blocks, data


def parse_event(block: bytes) -> Event:
    """Read one event's fields; comments and unknown fields are skipped."""
    fields: dict[str, list[str]] = {}
    for line in _LINE_END.split(block.decode("utf-8", "replace")):
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
    retry = fields.get("retry", [""])[-1]
    return Event(
        data="\n".join(fields.get("data", [])),
        name=fields.get("event", [""])[-1],
        id=fields.get("id", [""])[-1],
        retry_ms=int(retry) if retry.isascii() and retry.isdigit() else None,
        raw=block,
    )


def _end_of_event(data: bytes) -> int:
    ends = ((data.find(mark), len(mark)) for mark in (b"\n\n", b"\r\n\r\n", b"\r\r"))
    return min((at + size for at, size in ends if at >= 0), default=0)
