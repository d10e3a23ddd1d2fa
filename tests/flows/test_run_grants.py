"""What signed grants let happen, and that taking them away stops the very next action of a running agent."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from profiles.effects import Effect
from runtime.clock import new_id, utc_now
from runtime.freeze_rules import Freeze, Scope
from runtime.gate.replies import WITHHELD_TEXT
from runtime.gate.states import HoldState
from runtime.kill import Killed
from runtime.kill import kill as kill_in
from runtime.people.roster import Refused
from runtime.record.batch import Tx
from runtime.record.verify import verify_state
from tests.flows.conftest import Firm
from tests.standins.flow_profiles import CLERK
from tests.standins.house import House, Launched, Step, patiently
from tests.standins.towns import DORA, OLGA, ROSA

pytestmark = pytest.mark.engine

WITHHELD = {"error": True, "text": WITHHELD_TEXT, "data": None}
LETTER = {"to": "billing@lindqvist.example", "subject": "Re: payment", "body": "It is due on 1 April."}
NOTE: Step = {"until": "add_note", "args": {"number": "RE-4100", "text": "seen {}"}}


def label(firm: Firm, text: str = "matched") -> Step:
    message = next(iter(firm.world.labels))
    return {"call": "set_label", "args": {"folder": "INBOX", "message_id": message, "label": text}}


def match(number: str) -> Step:
    args = {"number": number, "message_id": "m1", "result": "matched"}
    return {"call": "record_match", "args": args}


def in_ledger(firm: Firm, sql: str) -> list[Any]:
    """Ask the ledger's own database, on the host."""
    with closing(sqlite3.connect(firm.house.volume("ledger") / "ledger.db")) as db:
        return db.execute(sql).fetchall()


def test_at_tier_1_a_label_is_written_and_a_mail_is_not_sent(firm: Firm) -> None:
    deployment = firm.house.deploy(firm.profile, "labeller")
    firm.house.grant(deployment, Effect.DRAFT)
    run = firm.house.launch(deployment, label(firm), {"call": "send_message", "args": LETTER})
    labelled, sent = run.finished()
    assert (labelled["error"], sent) == (False, WITHHELD)
    assert '"matched"' in firm.labels
    assert run.states() == [("set_label", "done"), ("send_message", "suggested")]
    assert firm.outbox.delivered == []


def test_at_tier_3_exactly_one_mail_leaves_through_the_boxed_mail_server(firm: Firm) -> None:
    """R-73's counterpart: with every class granted by the people whom the policy asks for."""
    deployment = firm.house.deploy(firm.profile, "writer")
    firm.house.grant(deployment, Effect.DRAFT, Effect.UPDATE, Effect.SEND)
    run = firm.house.launch(deployment, {"call": "send_message", "args": LETTER})
    (sent,) = run.finished()
    assert (sent["error"], sent["text"]) == (False, f"sent to {LETTER['to']}")
    (mail,) = firm.outbox.delivered
    assert LETTER["body"] in mail
    assert f"To: {LETTER['to']}" in mail
    assert run.states() == [("send_message", "done")]


def test_a_higher_class_without_the_lower_ones_gives_nothing(firm: Firm) -> None:
    """R-33: no tier is skipped."""
    deployment = firm.house.deploy(firm.profile, "skipper")
    firm.house.grant(deployment, Effect.SEND)
    (sent,) = firm.house.launch(deployment, {"call": "send_message", "args": LETTER}).finished()
    assert sent == WITHHELD


def test_an_approved_write_is_carried_out_once_and_its_repetition_gets_the_result(firm: Firm) -> None:
    """DESIGN section 3: answered at once, carried out by `serve`, the same call repeated gets that result."""
    house, ask = firm.house, match("RE-4100")
    deployment = house.deploy(CLERK, "holder")
    house.grant(deployment, Effect.DRAFT)
    run = house.launch(deployment, ask, {"wait": "/tmp/done"}, ask, ask)
    house.vote(house.waiting(run.id), DORA)
    patiently(lambda: in_ledger(firm, "SELECT 1 FROM matches WHERE number = 'RE-4100'"))
    patiently(lambda: ("record_match", "done") in run.states())
    run.tell("/tmp/done")
    first, _, second, third = run.finished()
    assert first == WITHHELD
    assert (second["error"], second["text"]) == (False, "RE-4100: matched")
    assert third == second
    assert in_ledger(firm, "SELECT count(*) FROM matches WHERE number = 'RE-4100'") == [(1,)]


def test_a_write_approved_after_its_run_has_ended_is_carried_out_all_the_same(firm: Firm) -> None:
    """DESIGN section 3: even if the run has ended; its upstreams are opened afresh and closed again."""
    house = firm.house
    deployment = house.deploy(CLERK, "leaver")
    house.grant(deployment, Effect.DRAFT)
    run = house.launch(deployment, match("RE-4101"))
    assert run.finished() == [WITHHELD]
    assert house.vote(house.waiting(run.id), DORA).state is HoldState.APPROVED
    patiently(lambda: in_ledger(firm, "SELECT 1 FROM matches WHERE number = 'RE-4101'"))
    patiently(lambda: not house.boxes())
    assert in_ledger(firm, "SELECT count(*) FROM matches WHERE number = 'RE-4101'") == [(1,)]
    assert house.rows("SELECT state FROM hold WHERE run = :run", run=run.id) == [("used",)]


def test_a_rejected_write_is_never_carried_out(firm: Firm) -> None:
    house = firm.house
    deployment = house.deploy(CLERK, "loser")
    house.grant(deployment, Effect.DRAFT)
    run = house.launch(deployment, match("RE-4102"), {"wait": "/tmp/done"}, match("RE-4102"))
    house.vote(house.waiting(run.id), ROSA)  # a roll-out manager may not
    house.vote(house.waiting(run.id), DORA, yes=False)
    run.tell("/tmp/done")
    first, _, second = run.finished()
    assert first == second == WITHHELD
    house.do(house.kernel.gate.sweep())
    assert in_ledger(firm, "SELECT count(*) FROM matches WHERE number = 'RE-4102'") == [(0,)]


def revoke(house: House, run: Launched) -> None:
    house.revoke(run.view.deployment, Effect.DRAFT)


def freeze(house: House, run: Launched) -> None:
    house.freeze(run.view.agent)


def kill(house: House, run: Launched) -> None:
    order = Freeze(new_id("frz"), Scope.AGENT, run.view.agent, "a test", utc_now() + timedelta(days=1))
    signed = OLGA.says(order.matter, to=house.installation, at=utc_now())

    def unit(tx: Tx) -> Killed | Refused:
        roster = house.kernel.policies.current(tx.conn).roster
        return kill_in(tx, order, signed, roster=roster, now=tx.now)

    killed = house.write(unit)
    assert isinstance(killed, Killed)
    assert killed.runs == (run.id,)
    assert killed.demoted == (run.view.deployment,)


@pytest.mark.parametrize("end", [revoke, freeze, kill])
def test_what_takes_power_away_in_mid_run_stops_the_next_action(
    firm: Firm, end: Callable[[House, Launched], None]
) -> None:
    """R-22, R-64, R-69: power is read at every action; nothing is done after the word is on record."""
    house, agent = firm.house, f"stopped-by-{end.__name__}"
    deployment = house.deploy(CLERK, agent)
    house.grant(deployment, Effect.DRAFT)
    run = house.launch(deployment, NOTE)
    run.progress(2)
    end(house, run)
    (told,) = run.finished()
    assert told["text"] == WITHHELD_TEXT
    assert told["after"] >= 2
    done = [state for state in run.states() if state == ("add_note", "done")]
    assert len(done) == told["after"]
    late = """SELECT count(*) FROM log_entry WHERE run = :run AND kind = 'action.intent' AND seq >
              (SELECT max(seq) FROM log_entry WHERE kind IN ('grant.revoked', 'freeze.set'))"""
    assert house.rows(late, run=run.id) == [(0,)]


def test_an_expired_grant_lets_nothing_happen_any_more(firm: Firm) -> None:
    """A grant is a lease, not a state: only time has to pass."""
    house = firm.house
    deployment = house.deploy(CLERK, "expired")
    run = house.launch(deployment, {"list": True}, {"wait": "/tmp/go"}, NOTE)
    run.has_said(1)
    (grant,) = house.grant(deployment, Effect.DRAFT, life=timedelta(seconds=3))
    run.tell("/tmp/go")
    *_, told = run.finished()
    assert told["text"] == WITHHELD_TEXT
    (last,) = house.rows("SELECT max(decided_at) FROM action WHERE run = :run AND state = 'done'", run=run.id)
    assert told["after"] > 0
    assert last[0] < grant.valid_until.isoformat()


def test_a_grant_written_by_hand_grants_nothing(firm: Firm) -> None:
    """DESIGN section 5: a copied row with another class, even with its true statement, is no grant."""
    house = firm.house
    deployment = house.deploy(CLERK, "forger")
    copied = """INSERT INTO effect_grant
                    (id, effect, deployment, valid_from, valid_until, requester, owner, issued_at)
                SELECT 'grant-forged', 'draft', deployment, valid_from, valid_until, requester, owner,
                    issued_at FROM effect_grant WHERE deployment = ?"""
    caused = """INSERT INTO grant_cause SELECT 'grant-forged', statement FROM grant_cause
                JOIN effect_grant ON id = "grant" WHERE deployment = ?"""
    with closing(sqlite3.connect(house.settings.state_dir / "handrail.db", timeout=5)) as shell, shell:
        assert shell.execute(caused, (deployment,)).rowcount == 1
        assert shell.execute(copied, (deployment,)).rowcount == 1
    note = {"call": "add_note", "args": {"number": "RE-4100", "text": "forged"}}
    assert house.launch(deployment, note).finished() == [WITHHELD]
    assert in_ledger(firm, "SELECT count(*) FROM notes WHERE text = 'forged'") == [(0,)]
    found = {one.where: str(one.row).split()[0] for one in verify_state(house.settings).findings}
    assert found == {"effect_grant": "grant-forged", "grant_cause": "grant-forged"}
    with closing(sqlite3.connect(house.settings.state_dir / "handrail.db", timeout=5)) as shell, shell:
        shell.execute("DELETE FROM grant_cause WHERE \"grant\" = 'grant-forged'")
        shell.execute("DELETE FROM effect_grant WHERE id = 'grant-forged'")


def test_the_record_of_all_this_holds(firm: Firm) -> None:
    assert firm.house.verified()
