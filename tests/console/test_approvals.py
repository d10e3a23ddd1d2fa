"""A held action is decided by persons who saw all of it, each with a key of their own."""

from typing import Any

import pytest

from runtime.gate.replies import Done, Withheld
from tests.standins.counter import Counter
from tests.standins.towns import DORA, OLGA, ROSA, SVEN

HOSTILE = "secret\x1b[2J\u202e\x9b31m"


def _held(counter: Counter, folder: str = "secret") -> tuple[Any, str, str]:
    """Let the agent look into a strange folder; return the reply to come, hold, digest."""
    coming = counter.begin(counter.shop.act("read_folder", {"folder": folder}))
    hold = counter.waiting()
    return coming, hold, counter.ask("approvals", "show", hold)["digest"]


def test_the_card_shows_the_exact_action_why_it_waits_who_may_decide_and_its_digest(counter: Counter) -> None:
    _, hold, digest = _held(counter)

    shown = counter.type("approvals", "show", hold).out

    assert f"hold        {hold}\n" in shown
    assert "state       waiting\n" in shown
    assert 'tool read_folder, effect read\n  folder: "secret"\n' in shown
    assert "the agent gives no reason\n" in shown
    assert "because:\n  first_seen: " in shown
    assert "needed      1 person with role reviewer or domain-reviewer or security\n" in shown
    assert shown.endswith(f"digest {digest}\n")


def test_a_signed_yes_to_the_card_that_was_shown_lets_exactly_this_happen(counter: Counter) -> None:
    coming, hold, digest = _held(counter)

    said = counter.type(
        "approvals", "approve", hold, "--yes", "--digest", digest[:12], "--reason", "known now", person=SVEN
    )

    assert said.out == f"{hold}: approved, signed by sven\n"
    assert coming.result(20) == Done({"done": "read_folder"})
    assert [action.args for action in counter.shop.hands.done] == [{"folder": "secret"}]


def test_one_signed_no_is_enough(counter: Counter) -> None:
    coming, hold, digest = _held(counter)

    said = counter.type(
        "approvals", "reject", hold, "--reason", "not his", "--yes", "--digest", digest, person=DORA
    )

    assert (said.code, said.out) == (0, f"{hold}: rejected, signed by dora\n")
    assert coming.result(20) == Withheld()
    assert counter.shop.hands.done == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "nobody can be asked here; got no terminal; next: read the above, then add: --yes --digest "),
        (["--yes"], 2, "--yes; got no --digest, expected the digest that was shown before"),
        (["--yes", "--digest", "0123456789abcdef"], 3, "--digest does not fit"),
        (["--yes", "--digest", ""], 3, "--digest does not fit"),
    ],
)
def test_without_having_been_shown_the_card_a_script_approves_nothing(
    counter: Counter, words: list[str], code: int, told: str
) -> None:
    _, hold, _ = _held(counter)

    said = counter.type("approvals", "approve", hold, *words, person=SVEN)

    assert said.code == code
    assert said.err.startswith(f"handrail: {told}")
    assert counter.ask("approvals", "show", hold)["state"] == "waiting"


def test_the_digest_of_another_card_approves_nothing(counter: Counter) -> None:
    """F9: a yes is to one card."""
    _, first, digest = _held(counter)
    counter.begin(counter.shop.act("read_folder", {"folder": "other"}))
    holds = {one["hold"] for one in counter.ask("approvals", "list")["approvals"]}
    while holds == {first}:
        holds = {one["hold"] for one in counter.ask("approvals", "list")["approvals"]}
    (other,) = holds - {first}

    said = counter.type("approvals", "approve", other, "--yes", "--digest", digest, person=SVEN)

    assert said.code == 3
    assert counter.ask("approvals", "show", other)["state"] == "waiting"


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (OLGA, "statement refused (not_permitted)"),  # she launched the run
        (ROSA, "statement refused (not_permitted)"),  # her role approves no reads
    ],
)
def test_a_person_without_the_right_role_or_with_a_part_in_it_approves_nothing(
    counter: Counter, person: Any, told: str
) -> None:
    """R-17, F7: no self-approval."""
    _, hold, digest = _held(counter)

    said = counter.type("approvals", "approve", hold, "--yes", "--digest", digest, person=person)

    assert said.code == 3
    assert told in said.err
    assert counter.ask("approvals", "show", hold)["state"] == "waiting"


def test_what_the_agent_wrote_reaches_the_terminal_as_visible_text(counter: Counter) -> None:
    _, hold, _ = _held(counter, HOSTILE)

    shown = counter.type("approvals", "show", hold).out

    assert "secret\\u001b[2J\\u202e\\u009b31m" in shown
    assert not set(HOSTILE) - set("secret[2Jm31") & set(shown)


def test_the_list_is_one_line_for_each_and_the_past_is_kept(counter: Counter) -> None:
    _, hold, digest = _held(counter)
    counter.type("approvals", "approve", hold, "--yes", "--digest", digest, person=SVEN)

    assert counter.type("approvals", "list").out == "nothing waits\n"
    past = counter.type("approvals", "list", "--past").out.splitlines()
    assert past[0].split() == ["HOLD", "TOOL", "EFFECT", "STATE", "EXPIRES", "RUN"]
    assert past[1].split()[:3] == [hold, "read_folder", "read"]
    assert len(past) == 2


def test_an_unknown_hold_is_answered_with_the_next_step(counter: Counter) -> None:
    said = counter.type("approvals", "show", "hold-nope")

    assert said.code == 1
    assert said.err == "handrail: no hold hold-nope; `handrail approvals list` shows those that wait\n"
