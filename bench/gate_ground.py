"""A gate on a record of its own in a scratch directory, for one running run that may read."""

import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.load import parse_profile, shipped_policy
from runtime import grants
from runtime.broker import Broker
from runtime.canonical import canonical
from runtime.cedar import CedarEngine
from runtime.clock import new_id, random_bytes, utc_now
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.parts import GateParts
from runtime.grant_rules import Order
from runtime.people.changes import first_version, init_policy
from runtime.people.edit import NewPerson, with_people
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.policies import PolicyBook
from runtime.people.sshsig import public_key_of, sign
from runtime.people.statement import Matter, SignedStatement, draft
from runtime.record.batch import Tx
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger, prepare_state
from runtime.settings import Settings
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow

_OPERATOR = "ann"
_PARTS = canonical({"agent": "bench"})
_PROFILE = """
profile: bench
version: 1
purpose: Read folders and answer mails, to be measured.
image: none:1
upstreams: {office: {kind: http, url: "http://127.0.0.1:9/mcp"}}
tools:
  read_folder: {upstream: office, effect: read, args: {folder: collection, message_id: id}}
  send_mail: {upstream: office, effect: send, args: {to: recipient, text: body}}
known: {collections: [INBOX]}
never:
  - {id: never-anything, text: Nothing critical at all., effects: [critical]}
limits: {actions_per_run: 100000, actions_per_hour: 1000000}
"""
_SPENT = _PROFILE.replace("actions_per_run: 100000", "fan_out: 1, actions_per_run: 1")


def open_gate(root: Path) -> tuple[Ledger, Gate, RunContext]:
    """Open a new installation with a gate; whoever asked closes the record."""
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


def spent(run: RunContext) -> RunContext:
    """Return a run as it would be with a budget of one action."""
    profile = parse_profile(_SPENT.encode(), source="bench").profile
    return replace(run, profile=profile, engine=CedarEngine.from_compiled(compile_profile(profile)))


class _Nobody:
    """Carries out nothing: reads are never carried out later."""

    def open(self, run: str) -> Any:
        """Refuse."""
        raise LookupError(run)
