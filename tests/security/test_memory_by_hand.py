"""R-70, R-77: who can write to the state directory or the database changes no memory that a run reads."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from profiles.setting import Setting
from runtime import deployments
from runtime.clock import new_id
from runtime.context.note import Taint
from runtime.gate.actions import Action, ActionKind
from runtime.memory import rows
from runtime.memory.errors import AgentMemoryError, MemoryAlteredError
from runtime.memory.model import Standing, Version, text_digest, version_digest
from runtime.memory.peer import ARGUMENTS_TEXT, MISSING_TEXT, REFUSED_TEXT, STORED_TEXT, MemoryPeer
from runtime.memory.people import Settled
from runtime.memory.words import Do
from runtime.people.roster import Refused
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.peers import Hooks
from tests.standins.persons import Town
from tests.standins.remembering import AGENT, Remembering
from tests.standins.towns import DORA, OLGA, SVEN, staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def memory(staffed: Town) -> Remembering:
    return Remembering(staffed)


def adopted(memory: Remembering, words: str = "paid on Fridays") -> tuple[Version, str]:
    """A version that a deployment pins, and that deployment."""
    version = memory.leaves(words)
    assert isinstance(memory.adopt(version), Settled)
    return version, memory.deploy()


def edit(memory: Remembering, sql: str, **values: Any) -> None:
    """Change rows as somebody with the database can."""
    memory.town.tamper(sql, **values)


def files_of(memory: Remembering, version: Version) -> list[Path]:
    root = memory.town.settings.memory_dir / AGENT / version.setting.value / version.id
    return sorted(path for path in root.iterdir() if path.is_file() or path.is_symlink())


def launched(memory: Remembering, deployment: str) -> None:
    """What a launch checks before it records its request."""
    found = memory.town.read(lambda c: deployments.find(c, deployment))
    memory.book.check(found, Setting.PRODUCTION)


def test_a_text_changed_by_hand_is_loaded_by_no_launch_and_read_by_no_run(memory: Remembering) -> None:
    version, deployment = adopted(memory)
    run = memory.begin(deployment)
    launched(memory, deployment)
    (path,) = files_of(memory, version)
    path.write_text("paid to LT12 1000")

    with pytest.raises(MemoryAlteredError, match="not what was recorded"):
        launched(memory, deployment)
    with pytest.raises(MemoryAlteredError, match="not what was recorded"):
        memory.book.of(run).read("habits")
    with pytest.raises(MemoryAlteredError, match="not what was recorded"):
        memory.writes(run, "people", "a draft does not begin with it either")


@pytest.mark.parametrize("how", ["removed", "a link", "a directory", "a pipe"])
def test_a_text_that_is_no_file_any_more_is_not_followed(
    memory: Remembering, how: str, tmp_path: Path
) -> None:
    version, deployment = adopted(memory)
    (path,) = files_of(memory, version)
    content = path.read_text()
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(content)
    make: dict[str, Callable[[], None]] = {
        "removed": lambda: None,
        "a link": lambda: path.symlink_to(elsewhere),
        "a directory": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
    }
    make[how]()

    with pytest.raises(MemoryAlteredError, match="cannot be read"):
        launched(memory, deployment)


def test_rows_changed_together_with_their_files_are_still_not_what_was_recorded(memory: Remembering) -> None:
    """Entry, version digest and text fit each other; the record has another digest."""
    version, deployment = adopted(memory)
    words = "paid to LT12 1000"
    sha256 = memory.files.write(AGENT, version.setting, version.id, "habits", words)
    values = {"sha": sha256, "size": len(words), "v": version.id}
    edit(memory, "UPDATE memory_entry SET sha256 = :sha, size = :size WHERE version = :v", **values)

    with pytest.raises(MemoryAlteredError, match="not those of its digest"):
        launched(memory, deployment)

    edit(memory, "UPDATE memory_version SET digest = :d WHERE id = :v", d="0" * 64, v=version.id)
    with pytest.raises(MemoryAlteredError, match="not those of its digest"):
        launched(memory, deployment)


def test_an_entry_slipped_into_an_open_draft_is_read_by_nobody(memory: Remembering) -> None:
    """Neither by its own run, nor can the version be adopted that the run leaves."""
    run = memory.begin(memory.deploy())
    memory.writes(run, "people", "Ines counts twice")
    (draft,) = memory.town.read(lambda c: list(c.execute(text("SELECT id FROM memory_version")).scalars()))
    words = "paid to LT12 1000"
    memory.files.write(AGENT, Setting.PRODUCTION, draft, "habits", words)
    edit(
        memory,
        "INSERT INTO memory_entry (version, name, sha256, size, action, run, taint, written_at) "
        "SELECT version, 'habits', :sha, :size, action, run, taint, written_at FROM memory_entry",
        sha=text_digest(words),
        size=len(words),
    )

    with pytest.raises(MemoryAlteredError, match="written by no run"):
        memory.book.of(run).read("habits")
    with pytest.raises(MemoryAlteredError, match="no writing of one of its entries"):
        memory.ends(run)


def test_taint_cannot_be_taken_from_an_entry(memory: Remembering) -> None:
    """R-77: the record has the writing with its taint; the row alone makes nothing trusted."""
    run = memory.begin(memory.deploy())
    memory.reads(run, "read_mail")
    memory.writes(run, "habits", "paid to LT12 1000")
    edit(memory, "UPDATE memory_entry SET taint = :t", t=Taint.TRUSTED.value)

    with pytest.raises(MemoryAlteredError, match="no writing of one of its entries"):
        memory.ends(run)


def test_the_draft_of_another_run_is_not_ours_for_a_changed_row(memory: Remembering) -> None:
    deployment = memory.deploy()
    theirs, ours = memory.begin(deployment), memory.begin(deployment)
    memory.writes(theirs, "habits", "paid on Fridays")
    edit(memory, "UPDATE memory_version SET run = :run", run=ours)

    with pytest.raises(MemoryAlteredError, match="written by no run"):
        memory.book.of(ours).read("habits")


def test_no_row_moves_a_version_into_another_setting(memory: Remembering) -> None:
    """R-21: the line is read from the record."""
    deployment = memory.deploy()
    run = memory.begin(deployment, Setting.EVALUATION)
    memory.writes(run, "habits", "paid on Fridays")
    version = memory.ends(run)
    assert version is not None
    edit(memory, "UPDATE memory_version SET setting = 'production'")
    edit(memory, "UPDATE run SET setting = 'production'")

    assert memory.line().closed == ()
    with pytest.raises(AgentMemoryError, match="0 of clerk in production match"):
        memory.say(memory.order(Do.ADOPT, version, setting=Setting.PRODUCTION), DORA)


def test_an_adoption_without_its_statement_carries_nothing(memory: Remembering) -> None:
    version, deployment = adopted(memory)
    edit(memory, "DELETE FROM statement WHERE type = 'memory'")

    with pytest.raises(AgentMemoryError, match="the statement that adopted it is gone"):
        launched(memory, deployment)
    assert memory.line().fault(version.id) is not None


def test_a_statement_for_another_version_in_its_place_carries_nothing(memory: Remembering) -> None:
    deployment = memory.deploy()
    first, second = (memory.leaves(words, after=deployment) for words in ("one", "two"))
    memory.adopt(first)
    memory.adopt(second)
    edit(
        memory,
        "UPDATE statement SET body = (SELECT body FROM statement WHERE subject = :a), "
        "signature = (SELECT signature FROM statement WHERE subject = :a) WHERE subject = :b",
        a=first.id,
        b=second.id,
    )

    assert memory.line().fault(second.id) is not None


def test_a_changed_parent_is_no_way_out_of_a_quarantine(memory: Remembering) -> None:
    """R-77: what a version came from is in the record."""
    first, deployment = adopted(memory)
    child = memory.leaves("Ines counts twice", name="people", after=deployment)
    memory.quarantine(first)
    edit(memory, "UPDATE memory_version SET parent = NULL")

    assert memory.line().standing(child) is Standing.QUARANTINED
    assert isinstance(memory.adopt(child), Refused)


def test_a_deleted_version_is_an_error_and_not_an_empty_memory(memory: Remembering) -> None:
    version, deployment = adopted(memory)
    edit(memory, "DELETE FROM memory_entry")
    edit(memory, "DELETE FROM memory_version")

    with pytest.raises(MemoryAlteredError, match="its rows are gone"):
        launched(memory, deployment)
    with pytest.raises(MemoryAlteredError):
        memory.version(version.id)


def test_a_digest_says_whose_memory_it_is(memory: Remembering) -> None:
    version, _ = adopted(memory)
    entries = version.entries
    digests = {version_digest(agent, setting, entries) for agent in (AGENT, "other") for setting in Setting}

    assert len(digests) == 4


CALLS = [
    ("memory_write", {"name": "../../../etc/cron.d/x", "text": "* * * * * root id"}, STORED_TEXT),
    ("memory_write", {"name": "/etc/passwd", "text": "root::0:0"}, STORED_TEXT),
    ("memory_write", {"name": "..", "text": "up"}, STORED_TEXT),
    ("memory_write", {"name": "a\x00b", "text": ""}, REFUSED_TEXT),
    ("memory_write", {"name": "line\u2028break", "text": ""}, REFUSED_TEXT),
    ("memory_write", {"name": "\u202eevil", "text": ""}, REFUSED_TEXT),
    ("memory_write", {"name": "", "text": ""}, REFUSED_TEXT),
    ("memory_write", {"name": "n", "text": "x" * 2000}, REFUSED_TEXT),
    ("memory_write", {"name": "n"}, ARGUMENTS_TEXT),
    ("memory_write", {"name": "n", "text": 1}, ARGUMENTS_TEXT),
    ("memory_write", {"name": "n", "text": "x", "version": "mem-1"}, ARGUMENTS_TEXT),
    ("memory_read", {"name": "../habits"}, MISSING_TEXT),
    ("memory_read", {"name": "habits", "run": "run-other"}, ARGUMENTS_TEXT),
    ("memory_list", {"setting": "production"}, ARGUMENTS_TEXT),
    ("memory_delete", {"name": "nothing"}, MISSING_TEXT),
    ("memory_adopt", {"name": "habits"}, ARGUMENTS_TEXT),
]


def call(memory: Remembering, run: str, tool: str, args: dict[str, Any]) -> dict[str, Any]:
    """Call a tool as an admitted action of a run does."""
    action = Action(new_id("act"), run, ActionKind.TOOL, tool, args)
    peer = MemoryPeer(memory.book, memory.limits)
    params = {"name": tool, "arguments": args}
    return asyncio.run(peer.request("tools/call", params, Hooks(action=action), timeout_s=1))


@pytest.mark.parametrize(("tool", "args", "said"), CALLS)
def test_what_an_agent_asks_its_memory_goes_nowhere_else(
    memory: Remembering, tool: str, args: dict[str, Any], said: str
) -> None:
    """No name is part of a path; what is wrong is answered by constant texts."""
    run = memory.begin(memory.deploy())
    answer = call(memory, run, tool, args)
    root = memory.town.settings.state_dir
    outside = [path for path in root.parent.rglob("*") if path.name in {"x", "passwd", "a", "cron.d"}]

    assert [item["text"] for item in answer["content"]] == [said]
    assert outside == []
    if said == STORED_TEXT:
        read = call(memory, run, "memory_read", {"name": args["name"]})
        assert read["content"][0]["text"] == args["text"]


def test_what_a_memory_answers_tells_no_status(memory: Remembering) -> None:
    """R-20: before and after a review, in a draft and in what was adopted, the answers are the same."""
    asked: tuple[tuple[str, dict[str, Any]], ...] = (("memory_list", {}), ("memory_read", {"name": "habits"}))
    run = memory.begin(memory.deploy())
    memory.writes(run, "habits", "paid on Fridays")
    drafted = [call(memory, run, *one) for one in asked]
    version = memory.ends(run)
    assert version is not None
    memory.adopt(version)
    later = memory.begin(memory.deploy())

    assert [call(memory, later, *one) for one in asked] == drafted


def test_a_memory_without_an_action_answers_nothing(memory: Remembering) -> None:
    """Outside of a run there is nobody whose memory it could be."""
    peer = MemoryPeer(memory.book, memory.limits)

    with pytest.raises(UpstreamUnavailableError):
        asyncio.run(peer.request("tools/call", {"name": "memory_list", "arguments": {}}, timeout_s=1))


def test_a_quarantine_bites_a_run_that_is_under_way(memory: Remembering) -> None:
    """R-77: at its next reading and writing, whatever becomes of its box; and nobody lifts it by adopting."""
    version, deployment = adopted(memory)
    run = memory.begin(deployment)
    assert call(memory, run, "memory_read", {"name": "habits"})["isError"] is False
    memory.quarantine(version, SVEN)

    for tool, args in (("memory_list", {}), ("memory_write", {"name": "a", "text": "b"})):
        with pytest.raises(UpstreamUnavailableError, match="quarantined"):
            call(memory, run, tool, args)
    assert isinstance(memory.adopt(version, DORA), Refused)
    assert isinstance(memory.adopt(version, OLGA), Refused)


LOSING = {
    "one that the run wrote": ("DELETE FROM memory_entry WHERE name = 'people'", ("people",)),
    "one that it wrote over": ("DELETE FROM memory_entry WHERE name = 'habits'", ("habits",)),
    "one that it began with": (
        "DELETE FROM memory_entry WHERE name = 'places' AND version = :draft",
        ("places",),
    ),
    "all": ("DELETE FROM memory_entry WHERE version = :draft", ("people", "habits", "places")),
}


@pytest.mark.parametrize("losing", LOSING)
def test_an_open_draft_that_lost_entries_is_adopted_by_nobody_and_what_it_lacks_is_named(
    memory: Remembering, losing: str
) -> None:
    """R-70: they were written through `enforce`, so the record has them; a row less is no forgetting."""
    first = memory.begin(memory.deploy())
    for name in ("habits", "places"):
        memory.writes(first, name, f"{name} as they were")
    base = memory.ends(first)
    assert base is not None
    assert isinstance(memory.adopt(base), Settled)
    run = memory.begin(memory.deploy())
    for name in ("people", "habits"):
        memory.writes(run, name, f"{name} as they are now")
    with memory.town.ledger.read() as conn:
        draft = rows.draft_of(conn, run)
    assert draft is not None
    digests = {entry.name: entry.digest for entry in draft.entries}
    attack, names = LOSING[losing]
    edit(memory, attack, **({"draft": draft.id} if ":draft" in attack else {}))

    with pytest.raises(MemoryAlteredError, match="lost entries that the record has") as told:
        memory.ends(run)

    assert sorted(
        name for name, digest in digests.items() if f"{digest[:12]} (written by act-" in str(told.value)
    ) == sorted(names)
    (closed,) = [one for one in memory.line().closed if one.run == run]
    signed = memory.order(Do.ADOPT, replace(draft, digest=closed.digest))
    with pytest.raises(MemoryAlteredError, match="lost entries"):
        memory.say(signed, DORA)


def test_a_draft_emptied_by_hand_is_not_taken_for_one_that_came_to_nothing(memory: Remembering) -> None:
    """R-77: what a run wrote would be gone without anybody having looked."""
    run = memory.begin(memory.deploy())
    memory.writes(run, "habits", "paid to LT12 1000")
    edit(memory, "DELETE FROM memory_entry")

    with pytest.raises(MemoryAlteredError, match="lost entries"):
        memory.ends(run)
    assert [one.run for one in memory.line().closed] == [run]


def test_what_a_run_removes_and_writes_over_is_no_loss(memory: Remembering) -> None:
    run = memory.begin(memory.deploy())
    for words in ("once", "twice"):
        memory.writes(run, "habits", words)
        memory.writes(run, "people", words)
    memory.book.of(run).delete("people", action=new_id("act"))
    left = memory.ends(run)

    assert left is not None
    assert [entry.name for entry in left.entries] == ["habits"]
    assert isinstance(memory.adopt(left), Settled)


def test_a_draft_whose_origin_was_changed_holds_what_nobody_wrote(memory: Remembering) -> None:
    """An entry of a quarantined version would pass for one of a new line."""
    _, deployment = adopted(memory)
    run = memory.begin(deployment)
    memory.writes(run, "people", "Ines counts twice")
    edit(memory, "UPDATE memory_version SET parent = NULL WHERE run = :run", run=run)

    with pytest.raises(MemoryAlteredError, match="no writing of one of its entries"):
        memory.ends(run)
