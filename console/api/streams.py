"""Answers that go on: one JSON object a line (NDJSON) until there is no more, or serve ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

Json = dict[str, Any]
POLL_SECONDS = 0.25


def lines(items: AsyncIterator[Json]) -> StreamingResponse:
    """Return an answer that writes each item on a line of its own as it comes."""
    return StreamingResponse(_encoded(items), media_type="application/x-ndjson")


async def poll(
    more: Callable[[], Sequence[Json]], *, ended: Callable[[], bool], stop: asyncio.Event
) -> AsyncIterator[Json]:
    """Yield what `more` finds, again and again.

    Args:
        more: what is new since it was last called; runs in a thread.
        ended: whether nothing can follow; asked before each look, so that the last look misses nothing.
        stop: set when serve ends.
    """
    while True:
        last = stop.is_set() or await run_in_threadpool(ended)
        for item in await run_in_threadpool(more):
            yield item
        if last:
            return
        await _pause(stop)


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await stop.wait()
    except TimeoutError:
        return


async def _encoded(items: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    async for item in items:
        yield json.dumps(item).encode() + b"\n"
