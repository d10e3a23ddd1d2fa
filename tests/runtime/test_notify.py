"""Notices: they reach their hooks, are tried again, hold no agent text, and are in nobody's way."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.notify import HookNotifier, Hooks, NoticeError, post, run_command
from tests.standins.persons import Town
from tests.standins.towns import town
from tests.standins.workshop import make_workshop

__all__ = ["town"]


@asynccontextmanager
async def _receiver(codes: list[int], bodies: list[bytes]) -> AsyncIterator[str]:
    """A web server that answers with these codes, one after the other, then 204."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().splitlines() if b"content-length" in line
        )
        bodies.append(await reader.readexactly(length))
        code = codes.pop(0) if codes else 204
        writer.write(
            f"HTTP/1.1 {code} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await server.wait_closed()


def _script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def _until(ready: "list[bytes] | Path", count: int = 1) -> None:
    async with asyncio.timeout(30):
        while (len(ready) if isinstance(ready, list) else ready.exists()) < count:  # noqa: ASYNC110 the other side is a process or a socket
            await asyncio.sleep(0.02)


def test_a_batch_is_told_once_as_counts_and_ids(town: Town) -> None:
    bodies: list[bytes] = []

    async def work() -> None:
        async with _receiver([], bodies) as url:
            notifier = HookNotifier(Hooks(webhook=url), town.ledger, lambda: town.now)
            notifier.waiting("hold", ("hold-1",))
            notifier.waiting("suggestion", ("sug-1",))
            notifier.waiting("suggestion", ("sug-2",))
            await _until(bodies)
            await notifier.close()

    asyncio.run(work())

    assert [json.loads(body) for body in bodies] == [
        {
            "waiting": {"hold": 1, "suggestion": 2},
            "ids": {"hold": ["hold-1"], "suggestion": ["sug-1", "sug-2"]},
        }
    ]


def test_a_hook_that_fails_is_tried_again_and_the_record_says_that_it_worked(town: Town) -> None:
    bodies: list[bytes] = []

    async def work() -> None:
        async with _receiver([500, 302], bodies) as url:
            notifier = HookNotifier(
                Hooks(webhook=url, first_wait_seconds=0.01), town.ledger, lambda: town.now
            )
            notifier.waiting("hold", ("hold-1",))
            await _until(bodies, 3)
            async with asyncio.timeout(30):
                while "notice.sent" not in town.kinds():  # noqa: ASYNC110 a row of the database has no event
                    await asyncio.sleep(0.02)
            await notifier.close()

    asyncio.run(work())

    assert len(bodies) == 3


def test_a_command_gets_the_notice_as_input_and_no_environment_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_OPENAI_API_KEY", "planted")
    out = tmp_path / "out"
    script = _script(tmp_path / "tell", f"cat > {out}.tmp; env >> {out}.tmp; mv {out}.tmp {out}")

    asyncio.run(run_command(f"{script} --quiet", '{"waiting": {}}'))

    text = out.read_text()
    assert text.startswith('{"waiting": {}}')
    assert "planted" not in text


@pytest.mark.parametrize("command", ["/no/such/program", "", "'unclosed", "false"])
def test_a_command_that_does_not_work_is_an_error_that_says_so(command: str) -> None:
    with pytest.raises(NoticeError, match="notify command"):
        asyncio.run(run_command(command, "{}"))


def test_a_redirect_is_not_followed() -> None:
    async def work() -> None:
        async with _receiver([302], []) as url:
            await post(url, "{}")

    with pytest.raises(NoticeError, match="302"):
        asyncio.run(work())


def test_no_word_of_an_agents_is_in_a_notice_and_a_dead_hook_holds_nobody_up(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    async def work() -> None:
        async with _receiver([], bodies) as url:
            shop = make_workshop(tmp_path, tier=0)
            hooks = Hooks(webhook=url, command="/no/such/program")
            notifier = HookNotifier(hooks, shop.town.ledger, lambda: shop.town.now)
            shop = shop.renewed(notifier=notifier)
            mail = {"to": ["$reboot@x.example"], "subject": "`id`", "body": "\x1b]0;planted\x07"}
            async with asyncio.timeout(20):
                await shop.act("send_mail", mail, rationale="planted")
            await _until(bodies)
            await notifier.close()
            shop.town.close()

    asyncio.run(work())

    (body,) = bodies
    assert b"planted" not in body
    assert b"reboot" not in body
    assert json.loads(body)["waiting"] == {"suggestion": 1}
