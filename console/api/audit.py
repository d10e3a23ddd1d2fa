"""Routes for reading the record. `verify` is not here: an auditor reads the database itself."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from starlette.concurrency import iterate_in_threadpool

from console.api.deps import KernelDep, StopDep
from console.api.streams import lines, poll
from console.api.views import Json, entry_view, open_view
from console.kernel import Kernel
from runtime.record.export import export_log
from runtime.record.keyring import KeyRing
from runtime.record.reconcile import open_actions
from runtime.record.trace import tail as read_tail
from runtime.record.trace import trace_run
from runtime.runs import store
from runtime.tables.log import LogHeadRow

router = APIRouter(prefix="/audit")
_SIZE = LogHeadRow.__table__.c.size  # type: ignore[attr-defined]  # SQLModel does not type its tables
_AT_ONCE = 500


@router.get("/trace/{run}")
async def trace(kernel: KernelDep, run: str) -> StreamingResponse:
    """Stream every entry of one run, in order."""
    await asyncio.to_thread(_must_exist, kernel, run)
    return lines(iterate_in_threadpool(_trace(kernel, run)))


@router.get("/tail")
async def tail(
    kernel: KernelDep,
    stop: StopDep,
    count: Annotated[int, Query(alias="lines", ge=0, le=10_000)] = 20,
    *,
    follow: bool = False,
) -> StreamingResponse:
    """Stream the newest entries; with `follow`, go on as they come."""
    reader = _Reader(kernel, await asyncio.to_thread(_size, kernel) - count - 1)
    return lines(poll(reader.more, ended=lambda: not follow and reader.at_end, stop=stop))


@router.get("/export")
async def export(kernel: KernelDep, *, payloads: bool = False) -> StreamingResponse:
    """Stream the log as the lines of an export, each wrapped so that a broken stream is noticed."""
    return lines(iterate_in_threadpool(_export(kernel, payloads=payloads)))


@router.get("/open")
def unfinished(kernel: KernelDep) -> Json:
    """List the actions whose end nobody knows."""
    with kernel.ledger.read() as connection:
        return {"open": [open_view(one) for one in open_actions(connection)]}


class _Reader:
    """Reads on from where it stopped."""

    def __init__(self, kernel: Kernel, after: int) -> None:
        self._kernel = kernel
        self._after = max(-1, after)
        self.at_end = False

    def more(self) -> list[Json]:
        """Return the next entries, a bounded number at a time."""
        with self._kernel.ledger.read() as connection:
            entries = read_tail(connection, self._kernel.keyring, after=self._after)
            found = [entry_view(entry) for entry in islice(entries, _AT_ONCE)]
        self.at_end = len(found) < _AT_ONCE
        if found:
            self._after = found[-1]["seq"]
        return found


def _trace(kernel: Kernel, run: str) -> Iterator[Json]:
    with kernel.ledger.read() as connection:
        for entry in trace_run(connection, kernel.keyring, run):
            yield entry_view(entry)


def _export(kernel: Kernel, *, payloads: bool) -> Iterator[Json]:
    ring: KeyRing | None = kernel.keyring if payloads else None
    with kernel.ledger.read() as connection:
        for line in export_log(connection, payloads=ring):
            yield {"text": line}


def _must_exist(kernel: Kernel, run: str) -> None:
    with kernel.ledger.read() as connection:
        store.find(connection, run)


def _size(kernel: Kernel) -> int:
    with kernel.ledger.read() as connection:
        return int(connection.execute(select(_SIZE)).scalar_one())
