"""R-70, R-77: what a run writes goes to its own draft, with where it came from."""

import pytest

from profiles.setting import Setting
from runtime.context.note import Taint
from runtime.memory.book import NotStoredError
from runtime.memory.model import Standing
from tests.standins.remembering import Remembering


def test_a_run_reads_what_it_wrote_and_no_other_run_does(memory: Remembering) -> None:
    """R-70: a draft is read by its own run only, also by later ones only once it was adopted."""
    deployment = memory.deploy()
    first, beside = memory.begin(deployment), memory.begin(deployment)
    memory.writes(first, "habits", "paid on Fridays")

    assert memory.book.of(first).read("habits") == "paid on Fridays"
    assert memory.book.of(beside).read("habits") is None
    assert memory.ends(first) is not None
    assert memory.book.of(beside).entries() == ()
    assert memory.book.of(memory.begin(deployment)).entries() == ()


def test_the_end_of_a_run_closes_its_draft_under_one_digest(memory: Remembering) -> None:
    """R-77: each entry says which action of which run wrote it, when, and whose words it was made from."""
    run = memory.begin(memory.deploy())
    memory.writes(run, "habits", "paid on Mondays")
    memory.writes(run, "habits", "paid on Fridays")
    memory.writes(run, "people", "Ines counts twice")

    version = memory.ends(run)

    assert version is not None
    assert [entry.name for entry in version.entries] == ["habits", "people"]
    assert {entry.run for entry in version.entries} == {run}
    assert {entry.taint for entry in version.entries} == {Taint.MODEL}
    assert {entry.action[:4] for entry in version.entries} == {"act-"}
    assert memory.line().standing(version) is Standing.PROPOSED
    memory.files.check(version)


def test_a_run_that_changes_nothing_leaves_nothing(memory: Remembering) -> None:
    deployment = memory.deploy()
    silent, undoing = memory.begin(deployment), memory.begin(deployment)
    memory.writes(undoing, "habits", "paid on Mondays")
    assert memory.book.of(undoing).delete("habits", action="act-1")

    assert memory.ends(silent) is None
    assert memory.ends(undoing) is None
    assert memory.line().closed == ()


@pytest.mark.parametrize(
    ("before", "taint"),
    [
        ((), Taint.MODEL),
        (("read_day",), Taint.MODEL),
        (("memory_read", "memory_write"), Taint.MODEL),
        (("read_mail",), Taint.UNTRUSTED),
        (("read_day", "read_mail"), Taint.UNTRUSTED),
        (("no_such_tool",), Taint.UNTRUSTED),
    ],
)
def test_an_entry_is_untrusted_once_its_run_has_read_what_is(
    memory: Remembering, before: tuple[str, ...], taint: Taint
) -> None:
    """R-77: the taint is that of all that the run had read before, by the profile's sources."""
    run = memory.begin(memory.deploy())
    for tool in before:
        memory.reads(run, tool)
    memory.writes(run, "habits", "paid on Fridays")

    assert [entry.taint for entry in memory.book.of(run).entries()] == [taint]


@pytest.mark.parametrize(
    ("source", "said", "taint"),
    [
        ("tools", Taint.UNTRUSTED, Taint.MODEL),
        ("resourceTemplates", Taint.UNTRUSTED, Taint.MODEL),
        ("notice:message", Taint.UNTRUSTED, Taint.UNTRUSTED),
        ("notice:message", Taint.TRUSTED, Taint.MODEL),
    ],
)
def test_what_upstreams_say_beside_their_answers_counts_too(
    memory: Remembering, source: str, said: Taint, taint: Taint
) -> None:
    """R-77: notices and questions are words of a source; lists were read by people and are pinned."""
    run = memory.begin(memory.deploy())
    memory.hears(run, source, said)
    memory.writes(run, "habits", "paid on Fridays")

    assert [entry.taint for entry in memory.book.of(run).entries()] == [taint]


def test_taint_is_handed_on_by_reading_the_memory(memory: Remembering) -> None:
    """R-77: what is made from an untrusted entry is untrusted, though a reviewer took that entry."""
    run = memory.begin(memory.deploy())
    memory.reads(run, "read_mail")
    memory.writes(run, "habits", "paid on Fridays")
    version = memory.ends(run)
    assert version is not None
    memory.adopt(version)
    later = memory.deploy()
    reader, blind = memory.begin(later), memory.begin(later)
    memory.reads(reader, "memory_list")
    memory.writes(reader, "other", "made from it")
    memory.writes(blind, "other", "made from nothing")

    assert {e.name: e.taint for e in memory.book.of(reader).entries()}["other"] is Taint.UNTRUSTED
    assert {e.name: e.taint for e in memory.book.of(blind).entries()}["other"] is Taint.MODEL


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "no name"),
        ("n" * 129, "a long name"),
        ("two\nlines", "a name that moves the cursor"),
        ("nul\x00", "a name that no database takes"),
        ("large", "x" * 1025),
        ("half", "half a pair \ud83d of surrogates, which no file takes"),
    ],
)
def test_what_is_too_much_is_not_stored(memory: Remembering, name: str, words: str) -> None:
    run = memory.begin(memory.deploy())

    with pytest.raises(NotStoredError):
        memory.writes(run, name, words)

    assert memory.book.of(run).entries() == ()


def test_the_bounds_of_a_whole_version_hold(memory: Remembering) -> None:
    """Four entries, two KiB in all; replacing one is no further entry."""
    run = memory.begin(memory.deploy())
    for name in ("a", "b", "c", "d"):
        memory.writes(run, name, "x" * 400)
    memory.writes(run, "d", "y" * 400)

    with pytest.raises(NotStoredError):
        memory.writes(run, "e", "")
    with pytest.raises(NotStoredError):
        memory.writes(run, "d", "y" * 1000)


def test_a_replaced_text_leaves_no_file_behind(memory: Remembering) -> None:
    run = memory.begin(memory.deploy())
    for words in ("one", "two", "three"):
        memory.writes(run, "habits", words)

    texts = [path.read_text() for path in memory.town.settings.memory_dir.rglob("*") if path.is_file()]

    assert texts == ["three"]


def test_a_draft_begins_with_what_the_run_could_read(memory: Remembering) -> None:
    first = memory.leaves("paid on Fridays")
    memory.adopt(first)
    run = memory.begin(memory.deploy())
    memory.writes(run, "people", "Ines counts twice")
    second = memory.ends(run)

    assert second is not None
    assert [entry.name for entry in second.entries] == ["habits", "people"]
    assert second.parent == first.id
    assert second.entry("habits") == first.entry("habits")
    memory.files.check(second)


def test_an_approved_write_after_the_end_is_a_further_version(memory: Remembering) -> None:
    """A held write that is carried out when its run is over is closed at once, on top of what it left."""
    run = memory.begin(memory.deploy())
    memory.writes(run, "habits", "paid on Fridays")
    first = memory.ends(run)
    memory.writes(run, "people", "Ines counts twice")
    closed = memory.line().closed

    assert first is not None
    assert [one.parent for one in closed] == [None, first.id]
    assert [entry.name for entry in memory.version(closed[1].id).entries] == ["habits", "people"]


def test_an_evaluation_has_a_line_of_its_own(memory: Remembering) -> None:
    """R-21: neither setting reads what the other remembers, and no digest is good for both."""
    deployment = memory.deploy()
    run = memory.begin(deployment, Setting.EVALUATION)
    memory.writes(run, "habits", "paid on Fridays")
    version = memory.ends(run)
    assert version is not None
    memory.adopt(version)

    assert memory.line().closed == ()
    assert memory.book.of(memory.begin(deployment)).entries() == ()
    assert [e.name for e in memory.book.of(memory.begin(deployment, Setting.EVALUATION)).entries()] == [
        "habits"
    ]
