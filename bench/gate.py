"""The gate's figures: durable actions a second at `enforce` alone, and the latency of one.

An action is decided, its intent committed, a no-op performed, and its outcome committed. Beside it, in turns
in the same run: the same two entries written to the same record without any deciding.

And whether an action costs more the more there were before it: one that is allowed, one that becomes a
suggestion, and one that is denied for a spent budget, which alarms and at every third time opens an incident.
Beside them, call by call: the same in an installation that has done little.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any

from bench.gate_ground import open_gate, spent
from bench.rows import row, spread
from runtime.canonical import JsonValue
from runtime.clock import new_id, utc_now
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.replies import Done, Performed, Reply, Withheld
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.ledger import Ledger

CLIENTS = 32
ROUNDS = 7
ROUND_ACTIONS = 1_600
ALONE_ACTIONS = 300
ACTIONS_GOAL = 2_500
EARLIER, MANY_EARLIER = 100, 100_000
EARLIER_CLIENTS = 128
TURNS = 600
HISTORY_GOAL = 1.2
_ARGS: Mapping[str, JsonValue] = {"folder": "INBOX", "message_id": "m-1"}

Act = Callable[[], Awaitable[object]]


def measure(*, large: int = MANY_EARLIER) -> Iterator[dict[str, Any]]:
    """Yield the gate's rows: name, unit, ours, beside, ratio, goal, ok.

    Args:
        large: how many actions there are before the one whose cost is held against that of an early one.
    """
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as scratch:
        young, old = (open_gate(Path(scratch) / name) for name in ("young", "old"))
        try:
            yield from asyncio.run(_history(Kinds(*young[1:]), Kinds(*old[1:]), large))
            yield from asyncio.run(_measure(*young))
        finally:
            young[0].close()
            old[0].close()


async def _measure(ledger: Ledger, gate: Gate, run: RunContext) -> list[dict[str, Any]]:
    ours, beside = _enforced(gate, run), _written(ledger, run)
    await _latencies(ours, 50)
    rates: tuple[list[float], list[float]] = ([], [])
    alone: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for act, found, times in ((ours, rates[0], alone[0]), (beside, rates[1], alone[1])):
            found.append(await _rate(act))
            times.extend(await _latencies(act, ALONE_ACTIONS // ROUNDS))
    rate, bare = median(rates[0]), median(rates[1])
    p50, p99 = median(alone[0]), quantiles(alone[0], n=100)[98]
    name = f"durable actions at enforce, {CLIENTS} clients, min/median/p99 {spread(rates[0])}"
    goal = f"at least {ACTIONS_GOAL}"
    return [
        row(name, "actions/s", rate, bare, goal=goal, ok=rate >= ACTIONS_GOAL),
        row("one durable action at enforce, p50", "ms", p50, median(alone[1]), goal="-", ok=None),
        row(
            "one durable action at enforce, p99", "ms", p99, quantiles(alone[1], n=100)[98], goal="-", ok=None
        ),
    ]


async def _rate(act: Act) -> float:
    async def client() -> None:
        for _ in range(ROUND_ACTIONS // CLIENTS):
            await act()

    began = time.perf_counter()
    await asyncio.gather(*[client() for _ in range(CLIENTS)])
    return ROUND_ACTIONS / (time.perf_counter() - began)


async def _latencies(act: Act, count: int) -> list[float]:
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await act()
        found.append((time.perf_counter() - began) * 1000)
    return found


async def _history(young: "Kinds", old: "Kinds", earlier: int) -> list[dict[str, Any]]:
    await young.past(EARLIER)
    await old.past(earlier)
    rows = []
    for kind in young.all:
        late: list[float] = []
        early: list[float] = []
        for _ in range(TURNS):
            late += await _latencies(old.all[kind], 1)
            early += await _latencies(young.all[kind], 1)
        ratio = _steady(late) / _steady(early)
        name = f"{kind} action after {earlier:,} earlier ones (beside: after {EARLIER})"
        goal = f"<= {HISTORY_GOAL} x"
        rows.append(row(name, "ms", _steady(late), _steady(early), goal=goal, ok=ratio <= HISTORY_GOAL))
    return rows


def _steady(values: list[float]) -> float:
    """Return the mean without the slowest tenth, so that every third denial counts and a stall does not."""
    return fmean(sorted(values)[: len(values) * 9 // 10])


class Kinds:
    """The three things that become of an action, in one installation."""

    def __init__(self, gate: Gate, run: RunContext) -> None:
        self._gate = gate
        self._run, self._spent = run, spent(run)
        self._numbers = count()
        self.all: Mapping[str, Act] = {
            "an allowed": self._allowed,
            "a suggested": self._suggested,
            "a denied": self._denied,
        }

    async def past(self, actions: int) -> None:
        """Do so many, of all kinds alike."""
        acts = tuple(self.all.values())
        await self._allowed()  # now the budget of one action is spent

        async def client(first: int) -> None:
            for number in range(first, actions, EARLIER_CLIENTS):
                await acts[number % len(acts)]()

        await asyncio.gather(*[client(number) for number in range(EARLIER_CLIENTS)])

    async def _allowed(self) -> None:
        _expect(await self._take(self._run, "read_folder", _ARGS), Done)

    async def _suggested(self) -> None:
        text = f"mail number {next(self._numbers)}"
        _expect(await self._take(self._run, "send_mail", {"to": "kim@example.com", "text": text}), Withheld)

    async def _denied(self) -> None:
        _expect(await self._take(self._spent, "read_folder", _ARGS), Withheld)

    async def _take(self, run: RunContext, tool: str, args: Mapping[str, JsonValue]) -> Reply:
        return await self._gate.enforce(run, _action(run, tool, args), _nothing)


def _enforced(gate: Gate, run: RunContext) -> Act:
    async def act() -> None:
        _expect(await gate.enforce(run, _action(run, "read_folder", _ARGS), _nothing), Done)

    return act


def _action(run: RunContext, tool: str, args: Mapping[str, JsonValue]) -> Action:
    return Action(new_id("act"), run.run, ActionKind.TOOL, tool, args)


async def _nothing() -> Performed:
    return Performed({"content": []})


def _expect(reply: Reply, kind: type[Reply]) -> None:
    if not isinstance(reply, kind):
        sys.exit(f"bench: an action ended as {type(reply).__name__}, expected {kind.__name__}")


def _written(ledger: Ledger, run: RunContext) -> Act:
    def event(kind: EventKind) -> Event:
        payload: Mapping[str, JsonValue] = {"args": _ARGS, "verdicts": "x" * 200}
        return Event(
            kind=kind, at=utc_now(), actor="bench", run=run.run, subject=new_id("act"), payload=payload
        )

    async def act() -> None:
        for kind in (EventKind.SERVE_STARTED, EventKind.SESSION_NOTED):
            await ledger.write(partial(_append, event(kind)))

    return act


def _append(event: Event, tx: Tx) -> int:
    return tx.append(event)
