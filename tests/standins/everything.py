"""Installations in which, taken together, every table of the database has rows that were truly written."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from profiles.effects import Effect
from rollout.activity import scan_activity
from rollout.evidence.items import ItemKind
from rollout.monitor import beat
from runtime import deployments
from runtime.alerts.baseline import watch_rates
from runtime.alerts.rules import AlertRule
from runtime.freeze_rules import Scope, Stop
from runtime.gate.actions import ActionKind, ModelAsk
from runtime.gate.replies import Performed
from runtime.gate.states import JudgementVerdict
from runtime.leader import take
from runtime.models.pins import ModelPins
from runtime.models.prices import Used
from runtime.people.revocation import matter_to_revoke, revoke_keys
from tests.standins.alarms import (
    acknowledge_in,
    alerts_in,
    close_in,
    deviation,
    incidents_in,
    raise_in,
    watch_in,
)
from tests.standins.databases import Database
from tests.standins.evidence import make_desk
from tests.standins.persons import Town
from tests.standins.promoting import Stage
from tests.standins.proving import prove
from tests.standins.remembering import Remembering
from tests.standins.reviewing import Reviewing
from tests.standins.settings import evaluating
from tests.standins.towns import (
    DORA,
    EVERYONE,
    LENA,
    OLGA,
    ROSA,
    STAFF,
    SVEN,
    lift,
    set_freeze,
    stop_of,
)
from tests.standins.workshop import Workshop

BASELINE_DAYS: Final = 7
EACH_DAY: Final = 20
Build = Callable[[Path, Database | None], Town]


def busy_gate(directory: Path, database: Database | None = None) -> Town:
    """Actions carried out, suggested, denied and held; judged, drawn and counted; alarms and words."""
    desk = make_desk(directory, tier=0, database=database)
    shop, town = desk.shop, desk.town
    for day in range(BASELINE_DAYS + 1):
        desk.label(*(f"m{day}-{number}" for number in range(EACH_DAY)))
        _live(town)
    desk.draw()
    desk.open_all(DORA)
    desk.judge(desk.items()[0].id, DORA, JudgementVerdict.DISAGREE)
    shop.grant(Effect.READ, Effect.DRAFT)
    desk.label("m0", "m1")
    desk.draw(kind=ItemKind.EXECUTED)
    asyncio.run(_ask(shop))
    asyncio.run(_ask_in_evaluation(evaluating(shop)))
    _live(town)
    _alarm(town)
    _stop(town)
    _sign(town)
    town.write(lambda tx: take(tx, "one", tx.now))
    asyncio.run(shop.act("list_folders"))
    return town


def promoted(directory: Path, database: Database | None = None) -> Town:
    """Requests for more power: one voted on, one rejected."""
    town = _staffed(directory, database)
    stage = Stage(town)
    stage.approved()
    stage.reject(stage.asked(effect=Effect.UPDATE), DORA)
    prove(town, town.read(lambda conn: deployments.find(conn, stage.deployment)))
    return town


def reviewed(directory: Path, database: Database | None = None) -> Town:
    """Reviews that are owed, printed, overdue."""
    town = _staffed(directory, database)
    reviewing = Reviewing(town)
    reviewing.later(days=6)
    reviewing.later(days=9)
    return town


def remembered(directory: Path, database: Database | None = None) -> Town:
    """A memory of two versions, one adopted, and a draft."""
    town = _staffed(directory, database)
    office = Remembering(town)
    office.adopt(office.leaves("the office closes at six"))
    run = office.begin(office.deploy(image="sha256:bb"))
    office.writes(run, "more", "and opens at nine")
    return town


ALL: Final[Mapping[str, Build]] = {
    "busy gate": busy_gate,
    "promoted": promoted,
    "reviewed": reviewed,
    "remembered": remembered,
}


def _staffed(directory: Path, database: Database | None) -> Town:
    town = Town(directory, database=database)
    town.begin(STAFF, *EVERYONE)
    return town


def _live(town: Town) -> None:
    """Let a day pass, with the clock's work on it."""
    town.write(lambda tx: beat(tx, tx.now))
    town.later(minutes=5)
    town.write(lambda tx: beat(tx, tx.now))
    town.later(days=1)
    scan_activity(town.ledger)
    watch_rates(town.ledger, town.book)


async def _ask(shop: Workshop) -> None:
    """A held read that a person approves, model calls, a write without a grant, one that is never done."""
    quick = shop.renewed(hold_wait_seconds=0.01)
    for folder, yes in (("Private", True), ("Secret", False), ("Hidden", None)):
        await quick.act("read_folder", {"folder": folder})
        if yes is not None:
            await quick.vote(await quick.waiting(), DORA, yes=yes)
            await quick.act("read_folder", {"folder": folder})
    await _ask_model(shop)
    await ModelPins(shop.town.ledger, shop.town.book).is_same(shop.run, "a model")
    await shop.act("send_mail", {"to": ["a@known.example"], "subject": "hi", "body": "there"})
    shop.hands.error = RuntimeError("the line broke")
    await shop.act("list_folders")
    shop.hands.error = None


async def _ask_model(shop: Workshop) -> None:
    ask = ModelAsk(10, 3, "agent:bot:production", f"{shop.town.now:%Y-%m-%d}")
    for used in (Used(4, 5, 2), None):
        action = shop.action("mind", {"messages": "hi"}, kind=ActionKind.MODEL, model=ask)
        await shop.gate.enforce(shop.run, action, partial(_answer, used))


async def _answer(used: Used | None) -> Performed:
    return Performed({"said": "hello"}, "hello", used=used)


async def _ask_in_evaluation(shop: Workshop) -> None:
    await shop.act("read_folder", {"folder": "INBOX"})


def _alarm(town: Town) -> None:
    for _ in range(3):
        raise_in(town, deviation(deployment=None))
        town.later(minutes=1)
    raise_in(town, deviation(AlertRule.CHANGED, tool="another"))
    close_in(town, alerts_in(town)[0], DORA)
    acknowledge_in(town, incidents_in(town)[0], LENA)
    town.later(days=3)
    watch_in(town)


def _stop(town: Town) -> None:
    for days in (1, 2):
        stopped = set_freeze(town, stop_of(Scope.AGENT, "another", town, days=days), OLGA)
        assert isinstance(stopped, Stop)
    lift(town, stopped.id, OLGA)


def _sign(town: Town) -> None:
    """A change of the policy that waits for more signatures, and a key that counts no more."""
    text = STAFF.replace("version: 1", "version: 2", 1)
    town.change(text + "# a later word\n", ROSA)
    signed = town.signed(SVEN, matter_to_revoke(town.state, SVEN.name, reason="laptop lost"))
    town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=town.now))
