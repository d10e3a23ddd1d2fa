"""Power at the command line: what is granted and for how long, what is suspended, and the kill."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from runtime.moments import utc_text
from runtime.suspension_rules import SuspensionCode
from tests.standins.counter import Counter
from tests.standins.persons import Person
from tests.standins.power import suspend_in
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN


def suspended(counter: Counter, code: SuspensionCode, *, effect: Effect | None = None) -> str:
    shop = counter.shop
    return suspend_in(shop.town, code, "alert-1", effect=effect, deployment=shop.run.deployment) or ""


def test_grants_are_listed_with_the_time_they_have_left(counter: Counter) -> None:
    counter.shop.grant(Effect.DRAFT)
    counter.shop.town.later(days=5, hours=1)
    (reading, drafting) = sorted(counter.ask("grants", "list")["grants"], key=lambda g: g["effect"])[::-1]

    printed = counter.type("grants", "list").out

    assert (reading["effect"], reading["state"], reading["seconds_left"]) == ("read", "granted", 169_200)
    assert drafting["valid_until"] == utc_text(counter.shop.town.now + timedelta(seconds=169_200))
    assert "1d 23h" in printed
    assert all(len(line) <= 100 for line in printed.splitlines())


def test_a_suspended_grant_says_so_and_why(counter: Counter) -> None:
    counter.shop.grant(Effect.DRAFT)
    found = suspended(counter, SuspensionCode.ALERT_OVERDUE)

    rows = {row["effect"]: row for row in counter.ask("grants", "list")["grants"]}
    printed = counter.type("grants", "list").out

    assert (rows["read"]["state"], rows["draft"]["state"]) == ("granted", "suspended")
    assert [one["id"] for one in rows["draft"]["suspensions"]] == [found]
    assert "alert-overdue" in printed


def test_suspensions_are_listed_and_one_is_ended_by_signature(counter: Counter) -> None:
    counter.shop.grant(Effect.DRAFT)
    found = suspended(counter, SuspensionCode.HEARTBEAT, effect=Effect.DRAFT)
    (listed,) = counter.ask("resume")["suspensions"]
    table = counter.type("resume").out

    silent = counter.type("resume", found, person=ROSA)
    done = counter.type("resume", found, "--reason", "the monitor is back", person=ROSA)

    assert (listed["id"], listed["effect"], listed["code"]) == (found, "draft", "heartbeat")
    assert found in table
    assert all(len(line) <= 100 for line in table.splitlines())
    assert silent.code == 2
    assert (done.code, done.out) == (0, f"suspension {found} is ended by rosa\n")
    assert counter.type("resume").out == "nothing is suspended\n"
    assert {row["state"] for row in counter.ask("grants", "list")["grants"]} == {"granted"}


@pytest.mark.parametrize("person", [OLGA, DORA, LENA], ids=lambda person: person.name)
def test_nobody_else_ends_it(counter: Counter, person: Person) -> None:
    found = suspended(counter, SuspensionCode.HEARTBEAT)

    printed = counter.type("resume", found, "--reason", "x", person=person)

    assert printed.code == 3
    assert "resuming takes the role" in printed.err
    assert len(counter.ask("resume")["suspensions"]) == 1


def test_outdated_rules_are_not_resumed(counter: Counter) -> None:
    """R-38."""
    found = suspended(counter, SuspensionCode.OUTDATED)

    printed = counter.type("resume", found, "--reason", "x", person=SVEN)

    assert printed.code == 3
    assert "deploy create" in printed.err


def test_a_suspension_of_everything_is_listed_as_such(counter: Counter) -> None:
    suspend_in(counter.shop.town, SuspensionCode.CLOCK, "entry-1", deployment="all")

    assert "every one" in counter.type("resume").out


@pytest.mark.parametrize("words", [("bot",), ("--all",)])
def test_a_kill_holds_at_the_next_action_and_takes_the_writes(
    counter: Counter, words: tuple[str, ...]
) -> None:
    """R-69."""
    counter.shop.grant(Effect.DRAFT)
    counter.shop.end_run()

    printed = counter.type("kill", *words, "--reason", "it pays the wrong vendor", person=LENA)

    assert printed.code == 0, printed.err
    assert "frozen from the next action on" in printed.out
    assert "deployments back at tier 0: 1" in printed.out
    assert [row["effect"] for row in counter.ask("grants", "list")["grants"]] == ["read"]
    (stop,) = counter.ask("unfreeze")["freezes"]
    assert stop["reason"] == "it pays the wrong vendor"
    counter.act("list_folders")
    assert "frozen" in counter.shop.codes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "what to kill"),
        (("bot", "--all"), "what to kill"),
        (("nobody",), "no agent nobody"),
        (("run-aaaaaaaaaaaaaaaa",), "run-aaaaaaaaaaaaaaaa"),
    ],
)
def test_a_kill_of_nothing_is_refused(counter: Counter, words: tuple[str, ...], told: str) -> None:
    printed = counter.type("kill", *words, "--reason", "x", person=LENA)

    assert printed.code != 0
    assert told in printed.err
    assert counter.ask("unfreeze")["freezes"] == []


def test_a_stranger_kills_nothing(counter: Counter) -> None:
    printed = counter.type("kill", "--all", "--reason", "x", person=Person("mallory"))

    assert printed.code != 0
    assert counter.ask("unfreeze")["freezes"] == []
