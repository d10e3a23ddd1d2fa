"""A boxed server that speaks over stdin and stdout."""

import asyncio

import pytest

from sandboxes.driver import Box
from sandboxes.errors import EngineRefusedError
from sandboxes.spec import BoxSpec, Runtime
from tests.standins.boxes import SHELLLESS, Boxes, small_spec

pytestmark = pytest.mark.engine


def server(runtime: Runtime, *command: str, image: str | None = None) -> BoxSpec:
    changes = {"image": image} if image else {}
    return small_spec(runtime, command=command, stdio=True, **changes)


async def started(boxes: Boxes, box: Box) -> None:
    await asyncio.to_thread(boxes.driver.start, box)


def test_bytes_go_in_and_come_back(runtime: Runtime, boxes: Boxes) -> None:
    async def talk() -> list[bytes]:
        box = boxes.created(server(runtime, "cat", image=SHELLLESS))
        stdio = await boxes.driver.attach_stdio(box)
        await started(boxes, box)
        await stdio.write(b'{"jsonrpc": "2.0"}\n\x00\xff' + b"x" * 300_000 + b"\n")
        lines = [await stdio.readline(), await stdio.readline()]
        await stdio.close()
        return lines

    assert asyncio.run(talk()) == [b'{"jsonrpc": "2.0"}\n', b"\x00\xff" + b"x" * 300_000 + b"\n"]


def test_stderr_is_kept_apart_and_the_end_is_seen(runtime: Runtime, boxes: Boxes) -> None:
    async def talk() -> tuple[bytes, bytes, bytes]:
        box = boxes.created(server(runtime, "sh", "-c", "echo trouble >&2; echo fine; exit 4"))
        stdio = await boxes.driver.attach_stdio(box)
        await started(boxes, box)
        first, end = await stdio.readline(), await stdio.readline()
        await stdio.close()
        return first, end, stdio.stderr_tail

    assert asyncio.run(talk()) == (b"fine\n", b"", b"trouble\n")


def test_a_flood_on_stderr_neither_stalls_nor_fills_memory(boxes: Boxes) -> None:
    async def talk() -> tuple[bytes, int]:
        box = boxes.created(server(Runtime.RUNC, "sh", "-c", "yes | head -c 5000000 >&2; echo through"))
        stdio = await boxes.driver.attach_stdio(box)
        await started(boxes, box)
        line = await stdio.readline()
        await stdio.close()
        return line, len(stdio.stderr_tail)

    assert asyncio.run(talk()) == (b"through\n", 64 * 1024)


def test_a_killed_server_is_seen_as_the_end_of_its_stream(boxes: Boxes) -> None:
    async def talk() -> bytes:
        box = boxes.created(server(Runtime.RUNC, "cat"))
        stdio = await boxes.driver.attach_stdio(box)
        await started(boxes, box)
        await asyncio.to_thread(boxes.driver.kill, box)
        async with asyncio.timeout(20):
            line = await stdio.readline()
        await stdio.close()
        return line

    assert asyncio.run(talk()) == b""


def test_a_line_without_end_is_refused(boxes: Boxes) -> None:
    async def talk() -> None:
        box = boxes.created(server(Runtime.RUNC, "sh", "-c", "yes | tr -d '\\n'"))
        stdio = await boxes.driver.attach_stdio(box)
        await started(boxes, box)
        try:
            await stdio.readline(limit=100_000)
        finally:
            await stdio.close()

    with pytest.raises(ValueError, match="expected at most 100000"):
        asyncio.run(talk())


def test_the_stream_of_a_box_that_is_gone_is_refused(boxes: Boxes) -> None:
    box = boxes.created(server(Runtime.RUNC, "cat"))
    boxes.driver.remove(box)

    with pytest.raises(EngineRefusedError, match="attach answered 404"):
        asyncio.run(boxes.driver.attach_stdio(box))
