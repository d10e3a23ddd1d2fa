"""Somebody with a database shell cannot make evidence better: a row more, less or changed is an error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout.evidence.items import EvidenceError
from runtime.gate.states import JudgementVerdict
from tests.standins.evidence import Desk, make_desk
from tests.standins.towns import DORA, SVEN

DISAGREE = JudgementVerdict.DISAGREE
_INSERT = (
    "INSERT INTO drawn_item SELECT 'sug-mine', draw, deployment, agent, effect, kind, cluster, 0, "
    "happened_at, 1 FROM drawn_item LIMIT 1"
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Six items drawn; all but one are judged, and one is a miss."""
    made = make_desk(tmp_path)
    made.label(*[f"m{number}" for number in range(6)])
    made.draw()
    made.open_all(DORA)
    items = [item.id for item in made.items()]
    made.judge(items[0], DORA, DISAGREE)
    for item in items[1:5]:
        made.judge(item, DORA)
    yield made
    made.town.close()


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM drawn_item WHERE item = (SELECT suggestion FROM judgement WHERE verdict = 'disagree')",
        "DELETE FROM drawn_item",
        "UPDATE drawn_item SET cluster = item",
        "UPDATE drawn_item SET blind = 1",
        "UPDATE drawn_item SET item = 'sug-another' WHERE item = (SELECT min(item) FROM drawn_item)",
        _INSERT,
        "DELETE FROM statement WHERE type = 'judgement'",
        "DELETE FROM statement WHERE type = 'expectation'",
    ],
)
def test_a_draw_or_a_word_that_was_touched_is_an_error(desk: Desk, attack: str) -> None:
    """G2: dropping what disagrees, splitting clusters and choosing one's own items are all seen."""
    desk.town.tamper(attack)

    with pytest.raises(EvidenceError, match="audit verify"):
        desk.sample()


def test_rows_that_the_record_does_not_know_count_nothing(desk: Desk) -> None:
    before = desk.sample()
    desk.town.tamper(
        "INSERT INTO draw SELECT 'draw-mine', deployment, effect, kind, seed, from_at, '2030', 1, 1, made_at "
        "FROM draw LIMIT 1"
    )
    desk.town.tamper(
        "INSERT INTO drawn_item SELECT 'sug-mine', 'draw-mine', deployment, agent, effect, kind, 'c', 0, "
        "happened_at, 1 FROM drawn_item LIMIT 1"
    )
    desk.town.tamper(
        "INSERT INTO judgement SELECT 'mine', id, 'sven', 'agree', '', created_at FROM suggestion LIMIT 1"
    )
    desk.town.tamper("UPDATE drawn_item SET settled = 1")
    desk.town.tamper("UPDATE judgement SET verdict = 'agree'")

    assert desk.sample() == before


def test_a_verdict_whose_bytes_were_changed_is_no_verdict(desk: Desk) -> None:
    """The signed bytes decide; under another id they are not the statement that the record names."""
    desk.town.tamper(
        "UPDATE statement SET body = CAST(replace(CAST(body AS TEXT), '\"disagree\"', '\"agree\"') AS BLOB) "
        "WHERE type = 'judgement'"
    )

    with pytest.raises(EvidenceError):
        desk.sample()


def test_a_word_for_one_item_is_none_for_another(desk: Desk) -> None:
    """F9: a judgement names one suggestion and one card."""
    one, other = [item.id for item in desk.items() if not item.blind][:2]
    whole = desk.show(one, SVEN).card
    signed = desk.town.signed(SVEN, whole.judged(JudgementVerdict.AGREE, "looked"))

    answer = desk.hand_in(signed, other)

    assert answer is not None
    assert answer.code == "other_matter"
