"""A workshop: a town with one agent, one deployment, granted classes, a running run, and a real gate."""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import text

from profiles.compile import compile_profile
from profiles.effects import Effect
from profiles.load import parse_profile
from profiles.schema import Profile
from profiles.within import narrowest
from runtime.broker import Broker
from runtime.canonical import canonical
from runtime.cedar import CedarEngine
from runtime.clock import new_id, random_bytes
from runtime.gate.actions import Action, ActionKind
from runtime.gate.cards import HoldCard
from runtime.gate.context import RunContext
from runtime.gate.enforce import Gate
from runtime.gate.holds import Voted
from runtime.gate.parts import GateParts
from runtime.gate.replies import Executor, NotPerformedError, Performed, Progress, Reply
from runtime.gate.states import HoldState
from runtime.gate.suggestions import Suggestions
from runtime.grants import Issued
from runtime.people.roster import Refused
from runtime.people.statement import StatementType
from runtime.record.batch import Tx
from runtime.tables.actions import HoldRow
from tests.standins.databases import Database
from tests.standins.persons import Person, Town
from tests.standins.recorded import add_agent, add_deployment, add_run, end_run
from tests.standins.towns import DORA, EVERYONE, LENA, OLGA, ROSA, STAFF, SVEN, grant, order

AGENT = "bot"
GRANTERS: Mapping[Effect, tuple[Person, ...]] = {
    Effect.READ: (ROSA,),
    Effect.DRAFT: (ROSA,),
    Effect.UPDATE: (ROSA, DORA),
    Effect.SEND: (DORA, SVEN),
    Effect.CRITICAL: (ROSA, SVEN, LENA),
}
PROFILE = """
profile: bot
version: 1
purpose: Answer suppliers and keep the ledger in order, for tests of the gate.
image: none:1
upstreams:
  office: {kind: http, url: "http://127.0.0.1:9/mcp"}
model: {alias: mind, provider: openai, name: gpt-test, max_calls: 5}
tools:
  list_folders: {upstream: office, effect: read}
  read_folder:
    upstream: office
    effect: read
    args: {folder: collection, message_id: {role: id, required: false}}
  search: {upstream: office, effect: read, args: {query: query}}
  list_records:
    upstream: office
    effect: read
    args:
      limit: {role: option, type: integer, max: 20}
      words: {role: query, required: false, max_length: 40}
  fetch: {upstream: office, effect: read, args: {url: url}}
  read_file: {upstream: office, effect: read, args: {path: path}}
  set_label:
    upstream: office
    effect: draft
    args: {message_id: id, label: {role: option, values: [good, bad]}}
  label_many: {upstream: office, effect: draft, each: ids, args: {ids: {role: id, many: true}}}
  update_record: {upstream: office, effect: update, args: {number: id, note: {role: body, required: false}}}
  send_mail:
    upstream: office
    effect: send
    args: {to: {role: recipient, many: true}, subject: text, body: body}
  pay: {upstream: office, effect: critical, args: {to: recipient, amount: {role: amount}}}
  shred: {upstream: office, effect: critical, args: {number: id}}
  publish:
    upstream: office
    effect: {argument: where, values: {draft: draft, public: send}}
    args: {where: {role: option}}
requests: {resources: read, prompts: read, logging: read}
sources: {trusted: [office]}
known:
  collections: [INBOX, "docs", "test://static"]
  recipients: ["*@known.example", "bob@partner.example"]
  hosts: [known.example, "*.trusted.example"]
never:
  - {id: never-shred, text: Never shred anything at all., tools: [shred]}
  - id: never-rival
    text: Never write to the rival company.
    tools: [send_mail]
    when: [{argument: to, like: ["*@rival.example"]}]
hold_above_tier: [draft, update]
limits:
  actions_per_run: 50
  actions_per_hour: 80
  per_effect: {send: 4}
  fan_out: 10
  max_amount: 1000
  argument_bytes: 65536
"""


@dataclass
class Hands(Executor):
    """Carries out by writing down; can be told to fail."""

    done: list[Action] = field(default_factory=list)
    error: Exception | None = None

    async def perform(self, action: Action, *, progress: Progress | None = None) -> Performed:
        del progress
        if self.error is not None:
            raise self.error
        self.done.append(action)
        return Performed({"done": action.tool}, f"done {action.tool}")


@dataclass
class Workshop:
    """Everything one test of the gate needs."""

    town: Town
    run: RunContext
    gate: Gate
    hands: Hands
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def action(self, tool: str, args: Mapping[str, Any] | None = None, **fields: Any) -> Action:
        given = {"kind": ActionKind.TOOL, "run": self.run.run, **fields}
        return Action(id=f"act-{next(self.ids)}", tool=tool, args=dict(args or {}), **given)

    async def act(self, tool: str, args: Mapping[str, Any] | None = None, **fields: Any) -> Reply:
        return await self.take(self.action(tool, args, **fields))

    async def take(self, action: Action, progress: Progress | None = None) -> Reply:
        return await self.gate.enforce(
            self.run, action, lambda: self.hands.perform(action), progress=progress
        )

    def grant(self, *effects: Effect) -> None:
        """Issue signed grants to the deployment."""
        for effect in effects:
            asked = order(self.town, effect, deployment=self.run.deployment, owner="mallory")
            signers = (OLGA,) if effect is Effect.READ else GRANTERS[effect]
            assert isinstance(grant(self.town, asked, *signers), Issued)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        return self.town.read(lambda conn: list(conn.execute(text(sql), values)))

    def states(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT state FROM action ORDER BY decided_at, log_seq")]

    def codes(self) -> set[str]:
        """The reason codes of the newest decision, as they stand in its leaf."""
        seq = self.rows("SELECT max(log_seq) FROM action")[0][0]
        found = self.town.ledger.entry(seq).leaf.data["reasons"]
        assert isinstance(found, list)
        return {str(code) for code in found}

    async def waiting(self) -> HoldCard:
        """The one hold that waits."""
        (row,) = await self.gate.holds.listed()
        return await self.gate.holds.card(row.id)

    async def vote(self, card: HoldCard, *persons: Person, yes: bool = True) -> list[Voted | Refused]:
        type_ = StatementType.APPROVAL if yes else StatementType.REJECTION
        matter = card.matter(type_, reason="looked at it")
        return [await self.gate.vote(self.town.signed(person, matter), card.hold) for person in persons]

    @property
    def suggestions(self) -> Suggestions:
        return Suggestions(self.town.ledger, self.town.book)

    def end_run(self, outcome: str = "exited") -> None:
        run = self.run
        names = {"agent": run.agent, "deployment": run.deployment}
        self.town.write(lambda tx: end_run(tx, run.run, outcome, at=self.town.now, **names))

    async def holds_in(self, *states: HoldState) -> Sequence[HoldRow]:
        return await self.gate.holds.listed(states)

    def renewed(self, **changes: Any) -> "Workshop":
        """The same workshop with another gate, as after a restart of the process."""
        return replace(self, gate=make_gate(self.town, self.run, self.hands, **changes))


class OneCarrier:
    """Opens the one run there is; counts how often."""

    def __init__(self, run: RunContext, hands: Hands) -> None:
        self._run = run
        self._hands = hands

    @asynccontextmanager
    async def open(self, run: str) -> AsyncIterator[tuple[RunContext, Executor]]:
        assert run == self._run.run
        yield self._run, self._hands


def make_gate(town: Town, run: RunContext, hands: Hands, **changes: Any) -> Gate:
    given = {
        "ledger": town.ledger,
        "book": town.book,
        "broker": Broker(new_id, random_bytes),
        "clock": lambda: town.now,
        "new_id": new_id,
        "carrier": OneCarrier(run, hands),
        "hold_wait_seconds": 5.0,
    }
    return Gate(GateParts(**(given | changes)))


def make_workshop(
    directory: Path,
    *,
    tier: int = 0,
    profile: str = PROFILE,
    database: Database | None = None,
    **changes: Any,
) -> Workshop:
    """Open a workshop whose deployment has the classes up to a tier granted."""
    town = Town(directory, database=database)
    town.begin(STAFF, *EVERYONE)
    run = make_context(town, _read(profile), wide=True)
    write_rows(town, run)
    hands = Hands()
    shop = Workshop(town, run, make_gate(town, run, hands, **changes), hands)
    shop.grant(*[effect for effect in Effect if effect.tier <= tier])
    return shop


@cache
def _read(profile: str) -> Profile:
    """A profile, which never changes once it is read."""
    return parse_profile(profile.encode(), source="test").profile


def make_context(town: Town, profile: Profile, *, wide: bool = False, **changes: Any) -> RunContext:
    """What the gate knows of the run; `wide` leaves the profile wider than the policy's ceiling."""
    policy = town.state.head.policy
    narrowed = profile if wide else narrowest(policy, profile)
    given = {
        "run": "run-1",
        "agent": AGENT,
        "owner": "mallory",
        "deployment": sha256(_PARTS).hexdigest(),
        "profile": narrowed,
        "policy": policy,
        "engine": CedarEngine.from_compiled(compile_profile(narrowed)),
        "task": "keep the books",
        "operator": "olga",
    }
    return RunContext(**(given | changes))


def write_rows(town: Town, run: RunContext) -> None:
    """Write what the rooms above the gate write before a run acts."""
    moment = town.now
    agent = {"name": run.agent, "owner": run.owner, "traits": "[]", "risk": "high", "registered_at": moment}
    deployment = {
        "digest": run.deployment,
        "agent": run.agent,
        "parts": _PARTS,
        "profile_text": "",
        "statement": "none",
        "created_at": moment,
    }
    row = {
        "id": run.run,
        "deployment": run.deployment,
        "agent": run.agent,
        "state": "running",
        "operator": run.operator,
        "proof": b"{}",
        "requested_at": moment,
        "released_at": moment,
        "expires_at": moment.replace(year=moment.year + 1),
    }

    def unit(tx: Tx) -> None:
        add_agent(tx, agent)
        add_deployment(tx, deployment)
        add_run(tx, row)

    town.write(unit)


def refuses() -> NotPerformedError:
    return NotPerformedError("nothing was sent")


_PARTS = canonical({"agent": AGENT})
