"""The sample that was signed for is computed again from real verdicts, as the record held them then (F8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.effects import Effect
from rollout.evidence.assessor import Assessor
from rollout.evidence.model import AuditState, Sample
from runtime.gate.states import JudgementVerdict
from runtime.people.revocation import matter_to_revoke, revoke_keys
from tests.standins.evidence import Desk, make_desk
from tests.standins.persons import START
from tests.standins.towns import DORA, OLGA, SVEN


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with four suggestions that were drawn, of which two were judged."""
    made = make_desk(tmp_path)
    made.label("m1", "m2", "m3", "m4")
    made.draw(blind_share=0.1)
    for item in _open(made)[:2]:
        made.judge(item, DORA)
    yield made
    made.town.close()


def _open(desk: Desk) -> list[str]:
    return [item.id for item in desk.items() if not item.blind]


def _frozen(desk: Desk, before: int) -> Sample:
    """What a promotion asks when it is applied."""
    assessor = Assessor(desk.town.book, lambda now: AuditState(0, 0, (), now))
    deployment = desk.shop.run.deployment
    return desk.town.read(
        lambda conn: assessor.sample(conn, deployment, Effect.DRAFT, since=START, before=before)
    )


def test_the_same_entries_give_the_same_sample(desk: Desk) -> None:
    entries = desk.town.count("log_entry")

    assert _frozen(desk, entries).digest == desk.sample().digest


def test_later_verdicts_edit_nothing(desk: Desk) -> None:
    """A request does not go stale because reviewers go on with their work."""
    entries, then = desk.town.count("log_entry"), desk.sample().digest
    desk.judge(_open(desk)[2], SVEN, JudgementVerdict.HARMFUL)
    desk.judge(_open(desk)[0], SVEN)

    assert desk.sample().digest != then
    assert _frozen(desk, entries).digest == then


def test_verdicts_of_a_reviewer_who_no_longer_counts_are_missing_from_it(desk: Desk) -> None:
    """F17: what was approved rested on them."""
    town, entries, then = desk.town, desk.town.count("log_entry"), desk.sample().digest
    signed = town.signed(OLGA, matter_to_revoke(town.state, "dora", reason="not looking"))
    town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=tx.now))

    assert _frozen(desk, entries).digest != then
