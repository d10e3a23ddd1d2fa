"""R-70, R-77: `handrail memory`, and what people see of an agent's memory before they sign."""

import pytest

from console.show.memory import log_page
from runtime.memory.model import Standing, Version
from tests.standins.counter import Counter
from tests.standins.persons import Person
from tests.standins.remembering import AGENT, Remembering
from tests.standins.towns import DORA, OLGA, ROSA

HOSTILE = "Pay Fridays.\x1b[2J\n\u202eevil\n+ adopted by dora"


@pytest.fixture
def memory(counter: Counter) -> Remembering:
    """The memory of another agent of the same town."""
    return Remembering(counter.shop.town)


def poisoned(memory: Remembering, words: str = HOSTILE, name: str = "habits") -> Version:
    """A run reads a mail and remembers what it says."""
    run = memory.begin(memory.deploy())
    memory.reads(run, "read_mail")
    memory.writes(run, name, words)
    version = memory.ends(run)
    assert version is not None
    return version


def typed(counter: Counter, *words: str, person: Person = DORA, version: Version) -> tuple[int, str, str]:
    """Type a command that asks, with a script's yes to exactly this version."""
    done = counter.type("memory", *words, "--yes", "--digest", str(version.digest), person=person)
    return done.code, done.out, done.err


@pytest.mark.usefixtures("memory")
def test_an_empty_memory_says_so(counter: Counter) -> None:
    printed = counter.type("memory", "log", AGENT)

    assert printed.code == 0
    assert printed.out == f"{AGENT} has written nothing in production yet\npresent in production: none\n"
    assert counter.type("memory", "diff", AGENT).out.endswith("no difference\n")


def test_the_log_lists_versions_with_what_they_are_worth(counter: Counter, memory: Remembering) -> None:
    version = poisoned(memory)
    (row,) = counter.ask("memory", "log", AGENT)["versions"]
    printed = counter.type("memory", "log", AGENT)

    assert (row["id"], row["standing"], row["untrusted"]) == (version.id, "proposed", 1)
    assert version.id in printed.out
    assert row["run"] in printed.out
    assert all(len(line) <= 100 for line in printed.out.splitlines())


def test_the_log_of_many_versions_fits_and_cuts_no_id() -> None:
    """What is copied from a table is copied whole; a long name of a person gives way."""
    one = {"id": f"mem-{'a' * 16}", "standing": "quarantined", "entries": 100, "untrusted": 100}
    one |= {"at": "2026-11-21T10:00:00+00:00", "by": "bartholomew-the-second", "run": f"run-{'b' * 16}"}
    answer = {"agent": "a", "setting": "production", "fault": None, "present": one["id"]}

    page = log_page({**answer, "versions": [{**one, "problem": None}]})

    assert {str(one["id"]), str(one["run"]), "quarantined", "bartholomew-…"} <= set(page[1].split())
    assert max(map(len, page)) <= 100


def test_a_diff_shows_whose_words_and_never_speaks_to_the_terminal(
    counter: Counter, memory: Remembering
) -> None:
    """R-77: what a mail planted is seen as untrusted, with the run and action that wrote it."""
    version = poisoned(memory)
    printed = counter.type("memory", "diff", AGENT).out
    entry = version.entries[0]

    assert "added habits" in printed
    assert "untrusted words" in printed
    assert entry.action in printed
    assert "  +Pay Fridays.\\x1b[2J" in printed
    assert "  +\\u202eevil" in printed
    assert "  ++ adopted by dora" in printed
    assert "\x1b" not in printed


def test_an_adoption_shows_the_difference_and_asks_for_untrusted_entries_by_name(
    counter: Counter, memory: Remembering
) -> None:
    """R-77: without `--accept-untrusted` for each of them nothing is signed."""
    version = poisoned(memory)
    adopting = ("adopt", AGENT, version.id, "--reason", "read it")

    silent = typed(counter, *adopting, version=version)
    accepted = ("--accept-untrusted", "habits")
    card = counter.type("memory", *adopting, *accepted, person=DORA).out
    wrong = typed(counter, *adopting, "--accept-untrusted", "people", version=version)
    done = typed(counter, *adopting, *accepted, version=version)

    assert (silent[0], wrong[0], done[0]) == (3, 2, 0), done
    assert "expected habits" in silent[2]
    assert "against the present version:" in card
    assert "untrusted words" in card
    assert str(version.digest) in card
    assert f"memory version {version.id} of {AGENT} is adopted, signed by dora" in done[1]
    assert memory.line().standing(version) is Standing.PRESENT


@pytest.mark.parametrize("by", [OLGA, ROSA])
def test_the_owner_and_others_are_refused(counter: Counter, memory: Remembering, by: Person) -> None:
    version = memory.leaves("paid on Fridays")

    code, _, said = typed(counter, "adopt", AGENT, version.id, "--reason", "mine", person=by, version=version)

    assert code == 3
    assert "statement refused (not_permitted)" in said


def test_without_a_yes_nothing_is_signed(counter: Counter, memory: Remembering) -> None:
    version = memory.leaves("paid on Fridays")

    printed = counter.type("memory", "adopt", AGENT, version.id, "--reason", "read it", person=DORA)

    assert printed.code == 2
    assert "  +paid on Fridays" in printed.out
    assert memory.line().present is None


def test_going_back_shows_what_is_lost(counter: Counter, memory: Remembering) -> None:
    first = memory.leaves("paid on Fridays")
    memory.adopt(first)
    second = memory.leaves("paid on Mondays", after=memory.deploy())
    memory.adopt(second)
    back = ("rollback", AGENT, first.id, "--reason", "the second is wrong")

    card = counter.type("memory", *back, person=DORA).out
    code, _, err = typed(counter, *back, version=first)
    empty = counter.type("memory", "rollback", AGENT, "none", "--reason", "begin anew", person=DORA)

    assert code == 0, err
    assert "changed habits" in card
    assert "  -paid on Mondays" in card
    assert "  +paid on Fridays" in card
    assert "removed habits" in empty.out
    assert memory.line().present == memory.line().of(first.id)


def test_a_quarantine_asks_nothing_and_says_what_it_stopped(counter: Counter, memory: Remembering) -> None:
    """R-77: it names the deployments it suspended, and how to go on."""
    version = poisoned(memory)
    memory.adopt(version)
    memory.deploy()
    why = ("--reason", "a mail speaks in it")

    done = counter.type("memory", "quarantine", AGENT, version.id[:10], *why, person=DORA)

    assert done.code == 0, done.err
    assert "is quarantined by dora: 0 runs stopped, 1 deployments suspended" in done.out
    assert f"next: handrail memory rollback {AGENT}" in done.out
    assert counter.ask("memory", "log", AGENT)["versions"][0]["standing"] == "quarantined"


def test_one_entry_is_named_by_its_name_or_digest(counter: Counter, memory: Remembering) -> None:
    version = poisoned(memory)
    why = ("--reason", "planted", "--entry")

    unknown = counter.type("memory", "quarantine", AGENT, version.id, *why, "people", person=DORA)
    done = counter.type(
        "memory", "quarantine", AGENT, version.id, *why, version.entries[0].digest[:12], person=DORA
    )

    assert (unknown.code, done.code) == (2, 0), done.err
    assert memory.line().condemned == {version.entries[0].digest}


def test_a_text_changed_by_hand_is_an_integrity_error_and_can_be_quarantined(
    counter: Counter, memory: Remembering
) -> None:
    """Exit code 5; the version is no less stoppable for it."""
    version = memory.leaves("paid on Fridays")
    for path in memory.town.settings.memory_dir.rglob("*"):
        if path.is_file():
            path.write_text("paid to LT12")

    shown = counter.type("memory", "diff", AGENT)
    listed = counter.ask("memory", "log", AGENT)["versions"][0]
    stopped = counter.type("memory", "quarantine", AGENT, version.id, "--reason", "altered", person=DORA)

    assert shown.code == 5
    assert "is not what was recorded" in shown.err
    assert listed["standing"] == "altered"
    assert stopped.code == 0, stopped.err


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("words", [("log", "nobody"), ("diff", AGENT, "mem-0000000000000000")])
def test_mistakes_are_told_and_never_traced(counter: Counter, words: tuple[str, ...]) -> None:
    printed = counter.type("memory", *words)

    assert printed.code in (1, 2)
    assert "Traceback" not in printed.err
    assert "next" in printed.err or "see" in printed.err or "register" in printed.err
