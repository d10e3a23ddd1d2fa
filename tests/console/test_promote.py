"""Requests, approvals and demotions by the command, with keys that `ssh-keygen` uses."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from profiles.effects import Effect
from runtime.grants import Issued
from runtime.tables.reviews import ObligationRow
from tests.standins.counter import Counter
from tests.standins.deployed import deployed
from tests.standins.persons import Person
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, grant, order

WHY = ("--reason", "40 labels, no miss")


CLERK = "clerk"


@pytest.fixture
def desk(counter: Counter) -> Counter:
    """A counter at which a clerk is deployed, with a review to come, so that a grant can have an end."""
    town = counter.shop.town
    deployment = deployed(town, CLERK, profile="action-executor")
    row = {"id": "rev-1", "deployment": deployment, "agent": CLERK, "kind": "periodic", "state": "open"}
    times = {"period_start": town.now, "created_at": town.now, "due_at": town.now + timedelta(days=7)}
    town.write(lambda tx: tx.conn.execute(insert(ObligationRow).values(**row, **times)) and None)
    return counter


def asked(desk: Counter, effect: str = "draft") -> tuple[str, str]:
    """Ask for a class as olga; return the request and its basis."""
    said = desk.type("promote", "request", CLERK, effect, *WHY, person=OLGA)
    assert said.code == 0, said.err
    (row,) = desk.ask("promote", "list")["promotions"]
    return row["promotion"], desk.ask("promote", "show", row["promotion"])["basis"]


def sign(desk: Counter, word: str, request: str, basis: str, person: Person, *more: str) -> tuple[int, str]:
    said = desk.type("promote", word, request, *more, "--yes", "--digest", basis, person=person)
    return said.code, said.out + said.err


def test_a_draft_shows_what_would_be_frozen_and_makes_nothing(desk: Counter) -> None:
    said = desk.type("promote", "request", CLERK, "draft", "--draft")

    assert said.code == 0, said.err
    assert said.out.startswith("gates now:\n  G1")
    assert desk.type("promote", "list").out == "no requests; next: handrail promote request\n"


def test_a_request_shows_all_that_approvers_sign_in_100_columns(desk: Counter) -> None:
    request, basis = asked(desk)

    page = desk.type("promote", "show", request[:9]).out
    frozen = desk.ask("promote", "show", request)["frozen"]

    assert page.endswith(f"digest {basis}\n")
    assert max(map(len, page.splitlines())) <= 100
    for value in (frozen["deployment"], frozen["grant"], frozen["reason"], frozen["owner"]):
        assert value in page
    for name in ("sample.digest", "dwell.since", "policy", "threshold.agreement", "audit.anchored"):
        assert f"  {name} " in page


def test_without_a_terminal_nothing_is_signed_before_it_was_read(desk: Counter) -> None:
    request, basis = asked(desk)

    unread = desk.type("promote", "approve", request, person=ROSA)
    wrong = desk.type("promote", "approve", request, "--yes", "--digest", "0" * 64, person=ROSA)

    assert (unread.code, wrong.code) == (2, 3)
    assert basis[:12] in unread.err
    assert desk.ask("promote", "show", request)["approved_by"] == []


def test_an_approval_waits_for_the_gates_and_apply_says_what_is_missing(desk: Counter) -> None:
    """R-91: the exit codes tell scripts; nothing is granted while a gate does not pass."""
    request, basis = asked(desk)

    code, said = sign(desk, "approve", request, basis, ROSA)
    assert (code, said.splitlines()[0]) == (0, f"{request}: awaiting, signed by rosa")
    applied = desk.type("promote", "apply", request)

    assert applied.code in {3, 4}
    assert f"{request} is not applied" in applied.out
    assert "G2" in applied.out
    assert not any(row["effect"] == "draft" for row in desk.ask("grants", "list")["grants"])


@pytest.mark.parametrize(
    ("word", "person", "more", "said"),
    [
        ("approve", OLGA, (), "neither may decide"),
        ("approve", DORA, (), "has no role that approves draft"),
        ("reject", LENA, ("--reason", "no"), "has no role that decides on draft"),
        ("except", OLGA, ("--gate", "G1", "--reason", "x"), "neither may decide"),
        ("except", SVEN, ("--gate", "G3", "--reason", "x"), "only G1 and G2 can be excepted"),
    ],
)
def test_whose_word_does_not_count_is_told_so(
    desk: Counter, word: str, person: Person, more: tuple[str, ...], said: str
) -> None:
    """F7."""
    request, basis = asked(desk)

    code, told = sign(desk, word, request, basis, person, *more)

    assert code == 3
    assert said in told


def test_two_persons_of_two_groups_except_and_it_shows(desk: Counter) -> None:
    request, basis = asked(desk)
    more = ("--gate", "G1", "--gate", "G2", "--reason", "a pilot")
    for person in (SVEN, DORA):
        code, told = sign(desk, "except", request, basis, person, *more)
        assert code == 0, told
        assert f"exception signed by {person.name}\nit takes two persons of two groups" in told

    assert desk.ask("promote", "show", request)["exceptions"] == {
        "G1": ["dora", "sven"],
        "G2": ["dora", "sven"],
    }


def test_one_no_ends_it_and_the_list_says_so(desk: Counter) -> None:
    request, basis = asked(desk)

    assert sign(desk, "reject", request, basis, SVEN, "--reason", "not yet") == (
        0,
        f"{request}: rejected by sven\n",
    )
    assert sign(desk, "approve", request, basis, ROSA)[0] == 3
    assert desk.ask("promote", "list")["promotions"] == []
    assert desk.ask("promote", "list", "--past")["promotions"][0]["state"] == "rejected"
    assert desk.type("promote", "apply", request).code == 3


def test_a_request_is_withdrawn_by_who_made_it(desk: Counter) -> None:
    request, _ = asked(desk)

    assert desk.type("promote", "withdraw", request, "--reason", "early", person=DORA).code == 3
    assert desk.type("promote", "withdraw", request, "--reason", "early", person=OLGA).code == 0


def test_demote_takes_the_grants_and_voids_the_requests(desk: Counter) -> None:
    """F20."""
    (reading,) = [row for row in desk.ask("grants", "list")["grants"] if row["agent"] == CLERK]
    drafting = order(desk.shop.town, Effect.DRAFT, deployment=reading["deployment"])
    assert isinstance(grant(desk.shop.town, drafting, ROSA), Issued)
    request, _ = asked(desk, "send")

    said = desk.type("demote", CLERK, "--reason", "odd labels", person=SVEN)

    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "clerk is at tier 0 from the next action on, said by sven",
        f"1 grants revoked; requests void: {request}",
    ]
    left = desk.ask("grants", "list", "--agent", CLERK)["grants"]
    assert [row["effect"] for row in left] == ["read"]
    assert desk.ask("promote", "list", "--past")["promotions"][0]["state"] == "stale"


def test_demoting_takes_a_role(desk: Counter) -> None:
    assert desk.type("demote", CLERK, "--reason", "x", person=LENA).code == 3


def test_an_unknown_request_is_named(desk: Counter) -> None:
    said = desk.type("promote", "show", "prom-aaaaaaaaaaaaaaaa")

    assert said.code == 1
    assert "0 match; see `handrail promote list`" in said.err
