"""Items are drawn by our own seed, after everything in the draw had happened."""

from datetime import UTC, datetime

import pytest

from profiles.effects import Effect
from profiles.load import parse_profile
from profiles.policy import EvidenceRules
from rollout.evidence.drawing import Drawing
from rollout.evidence.draws import blind_of, take
from rollout.evidence.items import Candidate, ItemKind, cluster_of
from runtime.clock import random_bytes
from tests.standins.evidence import Desk
from tests.standins.persons import START
from tests.standins.workshop import PROFILE

TOOLS = parse_profile(PROFILE.encode(), source="test").profile.tools
MESSAGES = [f"m{number}" for number in range(10)]


def _candidates(count: int) -> list[Candidate]:
    return [Candidate(f"sug-{n}", "bot", None, "set_label", "0" * 64, n, START) for n in range(count)]


def _cluster(tool: str, args: object, task: str = "keep the books", digest: str = "d") -> str:
    return cluster_of(task, tool, TOOLS.get(tool), args, args_digest=digest)  # type: ignore[arg-type]  # JSON


def test_one_task_split_into_many_items_is_one_cluster() -> None:
    """F14: the same tool on the same target, in whatever words, counts once."""
    first = _cluster("send_mail", {"to": ["a@known.example", "b@known.example"], "subject": "1", "body": "x"})

    again = {"to": ["b@known.example", "a@known.example"], "subject": "2", "body": "y"}
    assert _cluster("send_mail", again, digest="other") == first
    assert _cluster("send_mail", {**again, "to": ["a@known.example"]}) != first
    assert _cluster("send_mail", again, task="another") != first
    assert _cluster("update_record", {"number": 1}) != _cluster("update_record", {"number": 2})


@pytest.mark.parametrize("tool", ["list_folders", "unknown"])
def test_without_a_target_the_exact_arguments_make_the_cluster(tool: str) -> None:
    assert _cluster(tool, {}, digest="a") == _cluster(tool, {}, digest="a")
    assert _cluster(tool, {}, digest="a") != _cluster(tool, {}, digest="b")
    assert _cluster(tool, "not kept", digest="a") == _cluster(tool, {}, digest="a")


def test_a_seed_alone_says_what_is_taken() -> None:
    """G2: nobody picks; the same seed takes the same, another one something else."""
    found, rules = _candidates(500), EvidenceRules()

    taken = take(found, "aa", ItemKind.SUGGESTION, rules)

    assert len(taken) == rules.draw_all_up_to
    assert take(found[::-1], "aa", ItemKind.SUGGESTION, rules) == taken
    assert take(found, "bb", ItemKind.SUGGESTION, rules) != taken


@pytest.mark.parametrize(("made", "executed", "blind"), [(1, 1, 1), (5, 1, 1), (11, 2, 3), (100, 10, 20)])
def test_shares_are_rounded_up_and_never_nothing(made: int, executed: int, blind: int) -> None:
    """R-84: at least one of the writes that were carried out; a fifth of the suggestions are blind."""
    found, rules = _candidates(made), EvidenceRules()

    assert len(take(found, "aa", ItemKind.EXECUTED, rules)) == executed
    assert len(blind_of(found, "aa", ItemKind.SUGGESTION, rules)) == blind
    assert blind_of(found, "aa", ItemKind.EXECUTED, rules) == frozenset()


def test_a_draw_takes_what_happened_since_the_last_one(desk: Desk) -> None:
    desk.label(*MESSAGES[:4])
    first = desk.draw()
    none = desk.draw()
    desk.label(*MESSAGES[4:])
    second = desk.draw()

    assert first is not None
    assert second is not None
    assert none is None
    assert (first.population, second.population) == (4, 6)
    assert second.from_at == first.through_at
    assert not set(first.items) & set(second.items)
    assert len(desk.items()) == 10
    assert first.seed != second.seed


def test_what_happens_at_the_very_moment_of_a_draw_is_for_the_next(desk: Desk) -> None:
    desk.label("m1")
    first = desk.draw()
    desk.label("m2")  # the clock has not moved

    second = desk.draw()

    assert first is not None
    assert second is not None
    assert (first.population, second.population) == (1, 1)


def test_a_large_draw_takes_a_part_and_says_of_how_many(desk: Desk) -> None:
    desk.label(*[f"n{number}" for number in range(30)])

    made = desk.draw(draw_all_up_to=20)

    assert made is not None
    assert (made.population, len(made.items)) == (30, 20)
    assert (desk.sample().population, desk.sample().drawn) == (30, 20)


def test_writes_that_were_carried_out_are_drawn_too(draft_desk: Desk) -> None:
    """R-84: a random sample of executed actions goes to people; reads and suggestions are not among them."""
    draft_desk.label(*MESSAGES)

    made = draft_desk.draw(kind=ItemKind.EXECUTED, executed_share=0.3)

    assert made is not None
    assert (made.population, len(made.items), made.blind) == (10, 3, frozenset())
    assert draft_desk.draw(Effect.READ, ItemKind.EXECUTED) is None
    assert draft_desk.draw() is None
    assert draft_desk.sample().drawn == 0


def test_the_clock_draws_once_a_day_and_late_is_as_good(desk: Desk) -> None:
    """F3, F4: what was done on an earlier day is drawn at the next tick, once, however late it comes."""
    drawing = Drawing(desk.town.ledger, desk.town.book, random_bytes)
    desk.label(*MESSAGES[:3])

    same_day = drawing.daily(desk.town.later(hours=1))
    desk.town.now = datetime(2026, 12, 12, 0, 1, tzinfo=UTC)  # three weeks later
    late = drawing.daily(desk.town.now)
    again = drawing.daily(desk.town.later(minutes=1))

    assert (same_day, again) == ([], [])
    assert [(one.population, one.effect, one.kind) for one in late] == [
        (3, Effect.DRAFT, ItemKind.SUGGESTION)
    ]


def test_a_person_who_asks_has_everything_drawn_at_once(desk: Desk) -> None:
    drawing = Drawing(desk.town.ledger, desk.town.book, random_bytes)
    desk.label("m1")
    now = desk.town.later(seconds=1)

    other, own = drawing.ask(now, "another-agent"), drawing.ask(now, "bot")

    assert other == []
    assert [one.population for one in own] == [1]
