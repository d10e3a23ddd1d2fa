"""The gate's figures: durable actions a second at `enforce` alone, and the latency of one.

An action is decided, its intent committed, a no-op performed, and its outcome committed. Beside it, in turns
in the same run: the same two entries written to the same record without any deciding.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from bench.rows import row, spread
from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.load import parse_profile, shipped_policy
from runtime import grants
from runtime.broker import Broker
from runtime.canonical import JsonValue, canonical
from runtime.cedar import CedarEngine
from runtime.clock import new_id, random_bytes, utc_now
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.parts import GateParts
from runtime.gate.replies import Done, Performed
from runtime.grant_rules import Order
from runtime.people.changes import first_version, init_policy
from runtime.people.edit import NewPerson, with_people
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.policies import PolicyBook
from runtime.people.sshsig import public_key_of, sign
from runtime.people.statement import Matter, SignedStatement, draft
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger, prepare_state
from runtime.settings import Settings
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow

CLIENTS = 32
ROUNDS = 7
ROUND_ACTIONS = 1_600
ALONE_ACTIONS = 300
ACTIONS_GOAL = 2_500

_OPERATOR = "ann"
_PARTS = canonical({"agent": "bench"})
_PROFILE = """
profile: bench
version: 1
purpose: Read folders, to be measured.
image: none:1
upstreams: {office: {kind: http, url: "http://127.0.0.1:9/mcp"}}
tools:
  read_folder: {upstream: office, effect: read, args: {folder: collection, message_id: id}}
known: {collections: [INBOX]}
never:
  - {id: never-anything, text: Nothing critical at all., effects: [critical]}
limits: {actions_per_run: 100000, actions_per_hour: 1000000}
"""

Act = Callable[[], Awaitable[object]]


def measure() -> Iterator[dict[str, Any]]:
    """Yield the gate's rows: name, unit, ours, beside, ratio, goal, ok."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as scratch:
        ledger, gate, run = _open(Path(scratch))
        try:
            yield from asyncio.run(_measure(ledger, gate, run))
        finally:
            ledger.close()


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


def _enforced(gate: Gate, run: RunContext) -> Act:
    async def nothing() -> Performed:
        return Performed({"content": []})

    async def act() -> None:
        args = {"folder": "INBOX", "message_id": "m-1"}
        action = Action(new_id("act"), run.run, ActionKind.TOOL, "read_folder", args)
        if not isinstance(await gate.enforce(run, action, nothing), Done):
            sys.exit("bench: an action that should pass was withheld")

    return act


def _written(ledger: Ledger, run: RunContext) -> Act:
    def event(kind: EventKind) -> Event:
        args: JsonValue = {"folder": "INBOX", "message_id": "m-1"}
        payload = {"args": args, "verdicts": "x" * 200}
        return Event(
            kind=kind, at=utc_now(), actor="bench", run=run.run, subject=new_id("act"), payload=payload
        )

    async def act() -> None:
        for kind in (EventKind.SERVE_STARTED, EventKind.SESSION_NOTED):
            await ledger.write(partial(_append, event(kind)))

    return act


def _open(root: Path) -> tuple[Ledger, Gate, RunContext]:
    settings = Settings(state_dir=root / "state", anchor_dir=root / "anchor")
    prepare_state(settings)
    key, origin = Ed25519PrivateKey.generate(), load_keys(settings.keys_dir).signer.verifier.name
    person = NewPerson(_OPERATOR, (public_key_of(key).line,), ("operations", "policy"))
    policy = with_people(shipped_policy().text, [person], version=1)
    ledger = open_ledger(settings)
    signed = [_says(key, origin, first_version(policy).matter)]
    pin = ledger.write_sync(lambda tx: init_policy(tx, policy, signed, installation=origin))
    write_pin(settings.state_dir / PIN_NAME, pin)
    book = PolicyBook(settings.state_dir / PIN_NAME, origin)
    run = _run(ledger, book)
    _grant(ledger, book, key, run)
    broker = Broker(new_id, random_bytes)
    parts = GateParts(
        ledger=ledger, book=book, broker=broker, clock=utc_now, new_id=new_id, carrier=_Nobody()
    )
    return ledger, Gate(parts), run


def _run(ledger: Ledger, book: PolicyBook) -> RunContext:
    now = utc_now()
    with ledger.read() as connection:
        policy = book.current(connection).head.policy
    profile = parse_profile(_PROFILE.encode(), source="bench").profile
    run = RunContext(
        run="run-bench",
        agent="bench",
        owner=_OPERATOR,
        deployment=sha256(_PARTS).hexdigest(),
        profile=profile,
        policy=policy,
        engine=CedarEngine.from_compiled(compile_profile(profile)),
        task=None,
        operator=_OPERATOR,
    )
    rows: list[tuple[Any, dict[str, Any]]] = [
        (
            AgentRow,
            {"name": run.agent, "owner": _OPERATOR, "traits": "[]", "risk": "low", "registered_at": now},
        ),
        (
            DeploymentRow,
            {
                "digest": run.deployment,
                "agent": run.agent,
                "parts": _PARTS,
                "profile_text": "",
                "statement": "",
                "created_at": now,
            },
        ),
        (
            RunRow,
            {
                "id": run.run,
                "deployment": run.deployment,
                "agent": run.agent,
                "state": "running",
                "operator": _OPERATOR,
                "proof": b"{}",
                "requested_at": now,
                "expires_at": now + timedelta(hours=2),
            },
        ),
    ]
    for table, values in rows:
        ledger.write_sync(partial(_insert, table, values))
    return run


def _append(event: Event, tx: Tx) -> int:
    return tx.append(event)


def _insert(table: Any, values: dict[str, Any], tx: Tx) -> None:
    tx.conn.execute(insert(table).values(values))


def _grant(ledger: Ledger, book: PolicyBook, key: Ed25519PrivateKey, run: RunContext) -> None:
    now = utc_now()
    order = Order(
        new_id("grant"), run.deployment, Effect.READ, now, now + timedelta(hours=2), _OPERATOR, _OPERATOR
    )
    with ledger.read() as connection:
        roster = book.current(connection).roster
    said = [_says(key, roster.installation, order.matter())]
    issued = ledger.write_sync(lambda tx: grants.issue(tx, order, said, roster=roster, now=now))
    if not isinstance(issued, grants.Issued):
        sys.exit(f"bench: the grant was refused: {issued.detail}")


def _says(key: Ed25519PrivateKey, origin: str, matter: Matter) -> SignedStatement:
    said = draft(matter, installation=origin, person=_OPERATOR, now=utc_now(), nonce=random_bytes(16))
    return SignedStatement(said.to_bytes(), sign(key, said.to_bytes()))


class _Nobody:
    """Carries out nothing: reads are never carried out later."""

    def open(self, run: str) -> Any:
        """Refuse."""
        raise LookupError(run)
