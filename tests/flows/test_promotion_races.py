"""Six clients race to ask, approve, apply and demote: no double promotion, no lost demotion (F5, F20).

Real control planes in processes of their own, real keys, the real record and review gates; only the evidence
is invented, so that there is something to promote again and again (`tests.standins.racing`).
"""

import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from console.client import Client
from console.errors import ProblemError
from profiles.effects import Effect, Tier
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import matter_to_ask, matter_to_demote
from runtime.clock import new_id, utc_now
from runtime.db import open_engine, reading
from runtime.people.statement import Matter
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.record.verify import verify_state
from runtime.settings import Settings
from runtime.tables.log import LogEntryRow
from tests.standins.databases import Database
from tests.standins.deployed import deployed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.towns import DORA, OLGA, ROSA, SVEN

ROOT = Path(__file__).parents[2]
RITA = Person("rita")
STAFF = policy_of(
    OLGA.enrolled("operations", "policy"),
    ROSA.enrolled("rollout", "policy"),
    RITA.enrolled("rollout"),
    DORA.enrolled("domain"),
    SVEN.enrolled("security"),
)
AGENTS = ("one", "two", "three")
CLIENTS = 6
ENOUGH = 4
GRACE_SECONDS = 60
WORDS = {"ask": 3, "approve": 5, "apply": 6, "demote": 1}
EVENTS = (
    EventKind.PROMOTION_REQUESTED,
    EventKind.PROMOTION_APPLIED,
    EventKind.PROMOTION_ENDED,
    EventKind.GRANT_ISSUED,
    EventKind.GRANT_REVOKED,
    EventKind.STATEMENT_MADE,
)


@dataclass
class Race:
    """What the clients did, and what they were told."""

    deployments: dict[str, str]
    installation: str
    seconds: float
    until: float = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def goes_on(self) -> bool:
        """Whether time is left; on a slow machine some more, until enough has happened to judge it."""
        over = time.monotonic() - self.until
        return over < 0 or (over < GRACE_SECONDS and min(self.done["apply"], self.done["demote"]) < ENOUGH)


@dataclass
class Runner:
    """One client that does what comes to its mind."""

    race: Race
    client: Client
    dice: random.Random

    def run(self) -> None:
        while self.race.goes_on:
            word = self.dice.choices(list(WORDS), list(WORDS.values()))[0]
            try:
                told = getattr(self, word)()
            except ProblemError as error:
                self._note(self.race.refused, word)
                if error.status >= 500:
                    self.race.broken.append(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the race has failed
                self.race.broken.append(repr(error))
            else:
                if told:
                    self._note(self.race.done, word)

    def ask(self) -> bool:
        agent = self.dice.choice(AGENTS)
        deployment = self.race.deployments[agent]
        matter = matter_to_ask(
            new_id("prom"), agent=agent, deployment=deployment, effect=Effect.DRAFT, reason="a race"
        )
        self.client.post("promotions", body=self._signed(OLGA, matter))
        return True

    def approve(self) -> bool:
        frozen = self._some()
        if frozen is None:
            return False
        who = self.dice.choice((ROSA, RITA))
        said = self._signed(who, frozen.order.matter())
        self.client.post("promotions", frozen.promotion, "approvals", body=said)
        return True

    def apply(self) -> bool:
        frozen = self._some()
        if frozen is None:
            return False
        answer = self.client.post("promotions", frozen.promotion, "applications")
        return bool(answer["state"] == "applied")

    def demote(self) -> bool:
        agent = self.dice.choice(AGENTS)
        matter = matter_to_demote(agent, self.race.deployments[agent], Tier.OBSERVE, reason="a race")
        self.client.post("demotions", body=self._signed(SVEN, matter))
        return True

    def _some(self) -> Frozen | None:
        listed = self.client.get("promotions")
        assert listed["faults"] == []
        found = [row["promotion"] for row in listed["promotions"]]
        if not found:
            return None
        return Frozen.model_validate(self.client.get("promotions", self.dice.choice(found))["frozen"])

    def _signed(self, who: Person, matter: Matter) -> dict[str, str]:
        said = who.says(matter, to=self.race.installation, at=utc_now())
        return {"body": said.body.decode(), "signature": said.signature}

    def _note(self, counter: Counter[str], word: str) -> None:
        with self.race.lock:
            counter[word] += 1


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.race, id="a-minute")])
def test_six_clients_race_through_one_serve(tmp_path: Path, sqlite: Database, seconds: float) -> None:
    """F5, F20. The minute is for `make test`."""
    settings, race = _found(tmp_path, sqlite, seconds)
    with _serving(settings, tmp_path / "one.sock") as client:
        _run(race, [client])

    _check(race, settings)


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.race, id="a-minute")])
def test_six_clients_race_through_two_serves_on_one_database(
    tmp_path: Path, postgresql: Database, seconds: float
) -> None:
    """F5, F20: two processes, each with its own state directory and the same keys."""
    settings, race = _found(tmp_path, postgresql, seconds)
    shutil.copytree(settings.state_dir, tmp_path / "other")
    other = Settings(
        state_dir=tmp_path / "other", anchor_dir=tmp_path / "other-anchor", database_url=postgresql.url
    )
    with ExitStack() as stack:
        clients = [
            stack.enter_context(_serving(one, tmp_path / f"{number}.sock"))
            for number, one in enumerate((settings, other))
        ]
        _run(race, clients)

    _check(race, settings)


def _found(directory: Path, database: Database, seconds: float) -> tuple[Settings, Race]:
    town = Town(directory, database=database, now=utc_now())
    town.begin(STAFF, OLGA, ROSA, RITA, DORA, SVEN)
    made = {agent: deployed(town, agent, profile="action-executor") for agent in AGENTS}
    town.close()
    return town.settings, Race(made, town.installation, seconds)


@contextmanager
def _serving(settings: Settings, path: Path) -> Iterator[Client]:
    words = [settings.state_dir, settings.anchor_dir, path, settings.database]
    line = [sys.executable, "-m", "tests.standins.racing", *map(str, words)]
    with subprocess.Popen(
        line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == "serving\n"
            yield Client(path)
        finally:
            process.stdin.close()
            process.wait(30)
    assert process.returncode == 0


def _run(race: Race, clients: Sequence[Client]) -> None:
    """Let all run at once; the time begins when the control planes answer."""
    runners = [Runner(race, clients[n % len(clients)], _dice(n)) for n in range(CLIENTS)]
    threads = [threading.Thread(target=runner.run) for runner in runners]
    race.until = time.monotonic() + race.seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _dice(number: int) -> random.Random:
    return random.Random(number)  # noqa: S311 - what a client does next is no secret


def _check(race: Race, settings: Settings) -> None:
    assert race.broken == []
    leaves = _leaves(settings)
    applied = _replay(leaves)
    assert applied == race.done["apply"], "each client that was told so, and nobody else"
    assert min(applied, race.done["demote"]) >= ENOUGH, (race.done, race.refused)
    assert race.refused["approve"] + race.refused["ask"] > 0, "they did get into each other's way"
    assert _demotions(leaves) == race.done["demote"], "no word was lost"
    assert verify_state(settings).findings == ()


def _replay(leaves: Sequence[Leaf]) -> int:
    """Read the record from its beginning; return how many promotions were applied.

    A class is never granted twice, a request ends once, and what was asked for before a demotion is not
    applied after it.
    """
    held: dict[str, str] = {}
    asked: dict[str, str] = {}
    applied = 0
    for leaf in leaves:
        deployment, subject = leaf.deployment or "", leaf.subject or ""
        match leaf.kind:
            case EventKind.PROMOTION_REQUESTED:
                assert deployment not in asked, "two open requests for one class"
                asked[deployment] = subject
            case EventKind.GRANT_ISSUED if leaf.data["effect"] == Effect.DRAFT.value:
                assert deployment not in held, "granted twice"
                held[deployment] = subject
            case EventKind.GRANT_REVOKED:
                assert held.pop(deployment) == subject, "revoked twice"
            case EventKind.PROMOTION_APPLIED:
                assert asked.pop(deployment) == subject, "applied after it had ended"
                assert held[deployment] == leaf.data["grant"]
                applied += 1
            case EventKind.PROMOTION_ENDED:
                assert asked.pop(deployment) == subject
            case EventKind.STATEMENT_MADE if leaf.data["type"] == "demote":
                _must_fall(leaves, leaf.seq, held.get(subject), asked.get(subject))
            case _:
                pass
    return applied


def _must_fall(leaves: Sequence[Leaf], seq: int, grant: str | None, asked: str | None) -> None:
    """The word to demote is followed at once by the end of the grant, and of the request."""
    after = [leaf for leaf in leaves if leaf.seq > seq][:3]
    if grant is not None:
        assert after.pop(0).subject == grant, "the grant outlived the demotion"
    if asked is not None:
        assert after[0].subject == asked, "the request outlived the demotion"
        assert after[0].kind is EventKind.PROMOTION_ENDED


def _demotions(leaves: Sequence[Leaf]) -> int:
    return sum(leaf.kind is EventKind.STATEMENT_MADE and leaf.data["type"] == "demote" for leaf in leaves)


def _leaves(settings: Settings) -> list[Leaf]:
    log = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
    query = select(log.c.leaf).where(log.c.kind.in_([kind.value for kind in EVENTS])).order_by(log.c.seq)
    engine = open_engine(settings.database)
    try:
        with reading(engine) as conn:
            return [decode_leaf(row.leaf) for row in conn.execute(query)]
    finally:
        engine.dispose()
