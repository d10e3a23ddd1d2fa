"""Server-sent events, read as they arrive (WHATWG HTML, section 9.2 "Server-sent events")."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final

from runtime.upstreams.errors import ReplyTooLargeError

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_EVENT_END: Final = re.compile(rb"\n\n|\r\n\r\n|\r\r")
_CUT: Final = 3  # bytes of an event's end that may have come without its last one


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
    held = bytearray()
    async for piece in pieces:
        looked = max(0, len(held) - _CUT)
        held += piece
        for block in take_events(held, looked):
            yield parse_event(block)
        if len(held) > limit:
            raise ReplyTooLargeError(f"event of more than {limit} bytes")


def take_events(held: bytearray, looked: int = 0) -> list[bytes]:
    """Take complete events off the front; what is left has its line ends as they are.

    Args:
        held: what has come; the events are gone from it afterwards.
        looked: where to look from, as no event ends before: a long one is looked through once.
    """
    blocks, begin = [], 0
    for end in [found.end() for found in _EVENT_END.finditer(held, looked)]:
        blocks.append(bytes(held[begin:end]))
        begin = end
    del held[:begin]
    return blocks


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
