"""The threat: a gate that acts on what was true a moment ago.

The gate reads the world of a run anew only if it can have changed. Each test changes it in one way between
two actions, with time standing still, so that nothing but the change itself can be what the gate notices.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from profiles.effects import Effect
from runtime import grants
from runtime.broker import Broker
from runtime.clock import new_id, random_bytes
from runtime.errors import LedgerError
from runtime.freeze import stop
from runtime.freeze_rules import Scope
from runtime.gate.replies import Done, Reply
from runtime.record.batch import BatchLostError, Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from tests.standins.persons import policy_of
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, grant, order, set_freeze, stop_of
from tests.standins.workshop import Workshop, make_workshop

NewShop = Callable[..., Workshop]


@pytest.fixture
def new_shop(tmp_path: Path) -> Iterator[NewShop]:
    made: list[Workshop] = []

    def make(*, tier: int = 0) -> Workshop:
        made.append(make_workshop(tmp_path / str(len(made)), tier=tier))
        return made[-1]

    yield make
    for shop in made:
        shop.town.close()


@pytest.fixture
def shop(new_shop: NewShop) -> Workshop:
    """Its agent may read, and the gate has read its world and used it again."""
    made = new_shop()
    assert [isinstance(reply, Done) for reply in acted(made, 4)] == [True] * 4
    return made


def acted(shop: Workshop, times: int = 1) -> list[Reply]:
    async def act() -> list[Reply]:
        return [await shop.act("list_folders") for _ in range(times)]

    return asyncio.run(act())


def passes(shop: Workshop) -> bool:
    done = len(shop.hands.done)
    (reply,) = acted(shop)
    assert isinstance(reply, Done) == (len(shop.hands.done) > done), "the reply must be what happened"
    return isinstance(reply, Done)


BY_HAND = {
    "a grant revoked": "UPDATE effect_grant SET revoked_at = '2026-11-21T08:00:00.000000Z'",
    "a grant ended": (
        "UPDATE effect_grant SET valid_from = '2026-11-20T09:00:00.000000Z',"
        " valid_until = '2026-11-21T09:00:00.000000Z'"
    ),
    "a grant deleted": "DELETE FROM grant_cause",
    "a signature broken": "UPDATE statement SET signature = 'x'",
    "a run ended": "UPDATE run SET state = 'ended', outcome = 'stopped'",
    "a run expired": "UPDATE run SET expires_at = '2026-11-21T09:00:00.000000Z'",
    "a proof withdrawn": "UPDATE run SET proof = NULL",
    "a deployment's parts changed": "UPDATE deployment SET parts = x'00'",
    "a run's lease revoked": "UPDATE lease SET revoked_at = expires_at WHERE id LIKE 'lease-of-%'",
    "a run's lease spent": "UPDATE lease SET uses_left = 0 WHERE id LIKE 'lease-of-%'",
    "a freeze nobody signed": (
        "INSERT INTO freeze (id, scope, target, reason, owner, set_at)"
        " VALUES ('f', 'all', 'all', 'r', 'o', '2026-11-21T08:00:00.000000Z')"
    ),
    "a freeze that is only in the log": (
        "INSERT INTO log_entry (seq, leaf, leaf_hash, at, kind, subject)"
        " VALUES (99999, x'00', x'00', '2026-11-21T08:00:00.000000Z', 'freeze.set', 'gone')"
    ),
    "a policy deleted": "DELETE FROM policy_version",
}


@pytest.mark.parametrize("sql", BY_HAND.values(), ids=BY_HAND.keys())
def test_what_another_connection_wrote_bites_at_the_next_action(shop: Workshop, sql: str) -> None:
    """R-16, R-69."""
    shop.town.tamper(sql)

    assert not passes(shop)


def test_what_another_process_wrote_bites_at_the_next_action(shop: Workshop) -> None:
    """R-69: a revocation by hand, in an emergency, with any SQLite shell."""
    code = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=5) as c: c.execute(sys.argv[2])"
    database = shop.town.settings.state_dir / "handrail.db"
    subprocess.run([sys.executable, "-c", code, database, BY_HAND["a grant revoked"]], check=True)

    assert not passes(shop)


def test_a_grant_that_another_process_restores_counts_again(shop: Workshop) -> None:
    """It works both ways: the gate follows the database, and never keeps an answer."""
    shop.town.tamper(BY_HAND["a grant revoked"])
    assert not passes(shop)

    shop.town.tamper("UPDATE effect_grant SET revoked_at = NULL")

    assert passes(shop)


def _revoke(shop: Workshop, tx: Tx) -> object:
    effects = [Effect.READ]
    return grants.revoke(tx, shop.run.deployment, effects=effects, cause="t", actor="t", now=tx.now)


def _stop(shop: Workshop, tx: Tx) -> object:
    return stop(tx, stop_of(Scope.ALL, "all", shop.town), owner="test", now=tx.now)


def _revoke_lease(shop: Workshop, tx: Tx) -> object:
    return Broker(new_id, random_bytes).revoke(tx, shop.run.run, cause="t", actor="t")


def _end(_shop: Workshop, tx: Tx) -> object:
    return tx.conn.exec_driver_sql("UPDATE run SET state = 'ended', outcome = 'stopped'")


def _log_a_revocation(_shop: Workshop, tx: Tx) -> object:
    """Append an entry and change no row at all."""
    id_ = tx.conn.exec_driver_sql("SELECT id FROM effect_grant").scalar()
    return tx.append(Event(kind=EventKind.GRANT_REVOKED, at=tx.now, actor="t", subject=id_))


def _log_a_freeze(_shop: Workshop, tx: Tx) -> object:
    return tx.append(Event(kind=EventKind.FREEZE_SET, at=tx.now, actor="t", subject="gone"))


@pytest.mark.parametrize("change", [_revoke, _stop, _revoke_lease, _end, _log_a_revocation, _log_a_freeze])
def test_what_another_unit_wrote_bites_at_the_next_action(
    shop: Workshop, change: Callable[[Workshop, Tx], object]
) -> None:
    """R-69, R-74."""
    shop.town.write(lambda tx: change(shop, tx))

    assert not passes(shop)


SUSPENDED = (
    "INSERT INTO suspension (id, deployment, effect, code, subject, reason, set_at)"
    " VALUES ('susp-1', 'all', NULL, 'alert-overdue', 'alert-1', 'r', '2026-11-21T08:00:00.000000Z')"
)


def _labels(shop: Workshop) -> bool:
    return isinstance(asyncio.run(shop.act("set_label", {"message_id": "m-1", "label": "good"})), Done)


def _suspend(shop: Workshop) -> None:
    shop.town.write(
        lambda tx: suspend(
            tx,
            shop.run.deployment,
            effect=None,
            code=SuspensionCode.ALERT_OVERDUE,
            subject="alert-1",
            reason="r",
            now=tx.now,
        )
    )


def _try_what_is_never_done(shop: Workshop) -> None:
    assert not isinstance(asyncio.run(shop.act("shred", {"number": "1"})), Done)


@pytest.mark.parametrize(
    "take", [lambda shop: shop.town.tamper(SUSPENDED), _suspend, _try_what_is_never_done]
)
def test_writes_that_are_taken_away_are_gone_at_the_next_action(
    new_shop: NewShop, take: Callable[[Workshop], None]
) -> None:
    """R-38, R-44: by hand, by a unit, and in the very transaction in which the gate denies something else."""
    shop = new_shop(tier=1)
    assert _labels(shop)
    assert _labels(shop)

    take(shop)

    assert not _labels(shop)


def test_a_new_policy_bites_at_the_next_action(shop: Workshop) -> None:
    """R-56: olga, whose word the grant stands on, has no role any more."""
    without = policy_of(
        OLGA.enrolled("policy"),
        ROSA.enrolled("operations", "rollout", "policy"),
        DORA.enrolled("domain"),
        SVEN.enrolled("security"),
        LENA.enrolled("leadership"),
        version=2,
    )
    shop.town.change(without, OLGA, ROSA)

    assert not passes(shop)


def test_a_change_in_the_very_transaction_of_the_action_bites(shop: Workshop) -> None:
    """R-69: what is queued together is committed together, one after the other."""

    async def together() -> list[Reply]:
        shop.town.ledger.submit(lambda _tx: time.sleep(0.3))
        await asyncio.sleep(0.1)
        before = asyncio.create_task(shop.act("list_folders"))
        await asyncio.sleep(0.05)
        shop.town.ledger.submit(lambda tx: _revoke(shop, tx))
        after = asyncio.create_task(shop.act("list_folders"))
        return list(await asyncio.gather(before, after))

    assert [isinstance(reply, Done) for reply in asyncio.run(together())] == [True, False]


def test_power_from_a_transaction_that_was_undone_is_worth_nothing(shop: Workshop) -> None:
    """A grant, an action that would stand on it, and a full disk, all in one transaction."""
    asked = order(shop.town, Effect.DRAFT, deployment=shop.run.deployment, owner="mallory")
    signed = shop.town.signed(ROSA, asked.matter())
    roster, label = shop.town.state.roster, {"message_id": "m-1", "label": "good"}

    def issue(tx: Tx) -> object:
        return grants.issue(tx, asked, [signed], roster=roster, now=shop.town.now)

    def lose(_tx: Tx) -> None:
        raise BatchLostError("the disk is full")

    async def together() -> None:
        shop.town.ledger.submit(lambda _tx: time.sleep(0.3))
        await asyncio.sleep(0.1)
        futures = [shop.town.ledger.submit(issue)]
        acting = asyncio.create_task(shop.act("set_label", label))
        await asyncio.sleep(0.05)
        futures.append(shop.town.ledger.submit(lose))
        assert not isinstance(await acting, Done)
        for future in futures:
            with pytest.raises(LedgerError):
                await asyncio.wrap_future(future)
        assert not isinstance(await shop.act("set_label", label), Done)

    asyncio.run(together())
    assert "set_label" not in {action.tool for action in shop.hands.done}
    assert passes(shop)  # what stood before stands


def test_a_change_that_was_undone_leaves_the_gate_where_it_was(shop: Workshop) -> None:
    def undone(tx: Tx) -> None:
        _revoke(shop, tx)
        raise ValueError("undo me")

    with pytest.raises(ValueError, match="undo me"):
        shop.town.write(undone)

    assert passes(shop)


RUN_ENDS, LEASES_END = "UPDATE run SET expires_at = :at", "UPDATE lease SET expires_at = :at"
ENDS = {
    "the grant": ("SELECT valid_until FROM effect_grant", ()),
    "the run": ("SELECT expires_at FROM run", (RUN_ENDS, LEASES_END)),
    "the run's lease": ("SELECT expires_at FROM lease", (LEASES_END, RUN_ENDS)),
}


@pytest.mark.parametrize(("asked", "first_and_last"), ENDS.values(), ids=ENDS.keys())
def test_an_end_that_comes_between_two_actions_bites_at_its_very_moment(
    shop: Workshop, asked: str, first_and_last: tuple[str, ...]
) -> None:
    """R-81: the last action comes one microsecond before; nobody writes anything in between."""
    for sql, clock in zip(first_and_last, ("09:10", "19:00"), strict=False):
        shop.town.tamper(sql, at=f"2026-11-21T{clock}:00.000000Z")
    ends = datetime.fromisoformat(shop.rows(asked)[0][0])
    shop.town.now = ends - timedelta(microseconds=2)
    assert passes(shop)
    shop.town.now = ends - timedelta(microseconds=1)
    assert passes(shop)

    shop.town.now = ends

    assert not passes(shop)


def test_a_freeze_ends_and_a_grant_begins_at_its_very_moment(shop: Workshop) -> None:
    """Time gives power, too, and not a microsecond early."""
    asked = order(shop.town, Effect.DRAFT, deployment=shop.run.deployment, owner="mallory")
    begins = shop.town.now + timedelta(milliseconds=500)
    asked = replace(asked, valid_from=begins)
    grant(shop.town, asked, ROSA)
    label = {"message_id": "m-1", "label": "good"}

    async def draft() -> bool:
        return isinstance(await shop.act("set_label", label), Done)

    assert not asyncio.run(draft())
    shop.town.now = begins - timedelta(microseconds=1)
    assert not asyncio.run(draft())
    shop.town.now = begins
    assert asyncio.run(draft())
    stopped = replace(stop_of(Scope.ALL, "all", shop.town), expires_at=begins + timedelta(milliseconds=500))
    set_freeze(shop.town, stopped, OLGA)
    assert not passes(shop)
    shop.town.now = begins + timedelta(milliseconds=500)
    assert passes(shop)


def test_a_budget_that_another_process_spent_counts_at_the_next_action(shop: Workshop) -> None:
    """R-23."""
    shop.town.tamper("UPDATE budget SET used = 1000000 WHERE key = 'run'")

    assert not passes(shop)
