"""Nobody with a database shell hides a suggestion, a person's word or a grant from `audit verify`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.gate.states import JudgementVerdict
from runtime.record.verify import verify_state
from tests.standins.evidence import Desk, make_desk
from tests.standins.towns import DORA

_INSERT = (
    "INSERT INTO suggestion SELECT 'sug-mine', 'act-mine', run, deployment, agent, tool, effect, "
    "args_digest, log_seq, created_at FROM suggestion LIMIT 1"
)

_GRANT = (
    "INSERT INTO effect_grant (id, deployment, effect, valid_from, valid_until, requester, owner, issued_at) "
    "SELECT 'grant-mine', deployment, 'send', valid_from, valid_until, requester, owner, issued_at "
    "FROM effect_grant LIMIT 1"
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Three suggestions, drawn; one was judged to disagree."""
    made = make_desk(tmp_path)
    made.label("m0", "m1", "m2")
    made.draw()
    made.open_all(DORA)
    made.judge(made.items()[0].id, DORA, JudgementVerdict.DISAGREE)
    yield made
    made.town.close()


def found(desk: Desk) -> list[str]:
    return [str(one) for one in verify_state(desk.town.settings).findings]


def test_what_was_not_touched_is_intact(desk: Desk) -> None:
    assert found(desk) == []


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (
            "DELETE FROM suggestion WHERE id = (SELECT max(id) FROM suggestion)",
            "row deleted: suggestion",
        ),
        ("UPDATE suggestion SET effect = 'read'", "column changed: suggestion.effect"),
        ("UPDATE suggestion SET tool = 'another'", "column changed: suggestion.tool"),
        ("UPDATE suggestion SET args_digest = 'x'", "column changed: suggestion.args_digest"),
        ("UPDATE suggestion SET deployment = 'another'", "column changed: suggestion.deployment"),
        ("UPDATE suggestion SET agent = 'another'", "column changed: suggestion.agent"),
        ("UPDATE suggestion SET log_seq = 0", "column changed: suggestion.log_seq"),
        (
            "UPDATE suggestion SET created_at = '2020-01-01T00:00:00.000000Z'",
            "column changed: suggestion.created_at",
        ),
        (
            _INSERT,
            "row added: suggestion",
        ),
        ("UPDATE suggestion SET created_at = 'never'", "column changed: suggestion.created_at"),
        ("DELETE FROM judgement", "row deleted: judgement"),
        ("UPDATE judgement SET verdict = 'agree'", "column changed: judgement.verdict"),
        ("UPDATE judgement SET person = 'olga'", "column changed: judgement.person"),
        ("UPDATE judgement SET statement = 'another'", "row deleted: judgement"),
        (
            "INSERT INTO judgement SELECT 'mine', suggestion, 'olga', 'agree', '', judged_at FROM judgement",
            "row added: judgement",
        ),
        ("DELETE FROM statement WHERE type = 'judgement'", "row deleted: statement"),
        ("UPDATE statement SET body = x'00'", "column changed: statement.body"),
        ("UPDATE statement SET body = 'words'", "column changed: statement.body"),
        ("UPDATE statement SET person = 'olga'", "column changed: statement.person"),
        ("UPDATE statement SET subject = 'another'", "column changed: statement.subject"),
        ("UPDATE statement SET id = 'another' WHERE type = 'judgement'", "row added: statement"),
        ("DELETE FROM effect_grant", "row deleted: effect_grant"),
        ("UPDATE effect_grant SET effect = 'send'", "column changed: effect_grant.effect"),
        ("UPDATE effect_grant SET valid_until = 'never'", "column changed: effect_grant.valid_until"),
        ("UPDATE effect_grant SET owner = 'another'", "column changed: effect_grant.owner"),
        ("UPDATE effect_grant SET revoke_cause = 'superseded'", "column changed: effect_grant.revoke_cause"),
        (_GRANT, "row added: effect_grant"),
    ],
)
def test_a_row_less_more_or_changed_is_named(desk: Desk, attack: str, named: str) -> None:
    """R-10, F27: evidence is drawn from these rows, so the record vouches for each of them."""
    desk.town.tamper(attack)

    assert any(one.startswith(named) for one in found(desk))
