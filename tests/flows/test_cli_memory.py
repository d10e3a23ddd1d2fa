"""R-70, R-77: from what a run wrote to what the next one reads, with the command alone and real boxes."""

from datetime import timedelta
from pathlib import Path

import pytest

from profiles.load import load_profile
from profiles.memory_consistency import memory_of
from runtime.clock import new_id, utc_now
from runtime.memory.book import MemoryBook
from runtime.memory.files import MemoryFiles
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.record.keys import load_keys
from runtime.record.setup import open_ledger
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from runtime.settings import Settings
from sandboxes.outcome import Ending, Outcome
from tests.standins.boxes import BUSYBOX
from tests.standins.office import Office
from tests.standins.patience import PATIENT

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

PROFILE = f"""
profile: keeper
version: 1
purpose: Keep notes.
image: {BUSYBOX}
command: ["true"]
upstreams:
  notes: {{kind: memory}}
tools:
  recall: {{upstream: notes, tool: memory_read, effect: read, args: {{name: id}}}}
  remember: {{upstream: notes, tool: memory_write, effect: draft, args: {{name: id, text: body}}}}
never:
  - {{id: never-pay, text: Never pay., tools: [start_payment]}}
limits: {{wall_seconds: 60}}
"""
WHY = ("--reason", "read it all")


def leave(office: Office, deployment: str, words: str) -> None:
    """Let a run write one entry and end, while no serve is there: as the gate's executor does it."""
    settings = Settings(state_dir=office.state, anchor_dir=office.root / "anchor")
    installation = load_keys(settings.keys_dir).signer.verifier.name
    ledger = open_ledger(settings, limits=PATIENT)
    book = MemoryBook(
        ledger,
        PolicyBook(settings.state_dir / PIN_NAME, installation),
        MemoryFiles(settings.memory_dir),
        utc_now,
        new_id,
    )
    run, now, request = new_id("run"), utc_now(), LaunchRequest(deployment=deployment, operator="alice")
    limits = memory_of(load_profile(office.root / "keeper.yaml").profile)
    assert limits is not None
    ends = now + timedelta(minutes=1)
    ledger.write_sync(
        lambda tx: store.requested(tx, run, request, agent="keeper", node="n", expires_at=ends, now=now)
    )
    book.of(run).write("habits", words, action=new_id("act"), limits=limits)
    with ledger.read() as conn:
        view = store.find(conn, run)
    over = Outcome(Ending.EXITED, "it ended", 0)
    assert ledger.write_sync(lambda tx: store.ended(tx, view, over, "", now=utc_now()))
    ledger.close()


def test_what_a_run_left_is_reviewed_pinned_and_stopped_by_commands(tmp_path: Path) -> None:
    """R-70: an adoption makes a new deployment. R-77: what was changed by hand or quarantined is not run."""
    office = Office(tmp_path)
    assert office.begin(alice="operations,policy", bob="review,policy", dora="review").code == 0
    profile = office.root / "keeper.yaml"
    profile.write_text(PROFILE)
    creating = ("deploy", "create", "keeper", "--profile", str(profile))
    with office.serving():
        assert office.deploy("keeper", profile).code == 0
        first = office.ask("agent", "show", "keeper")["agent"]["deployments"][0]
    assert first["parts"]["memory"] == "none"
    leave(office, first["digest"], "Ines counts twice")

    with office.serving():
        (version,) = office.ask("memory", "log", "keeper")["versions"]
        owner = office.agreed("memory", "adopt", "keeper", version["id"], *WHY, person="bob")
        adopted = office.agreed("memory", "adopt", "keeper", version["id"], *WHY, person="dora")
        created = office.agreed(*creating, person="alice")
        second = office.ask("agent", "show", "keeper")["agent"]["deployments"][0]
        launched = office.type("launch", "keeper")
        (text,) = [path for path in (office.state / "memory").rglob("*") if path.is_file()]
        text.write_text("Ines counts never")
        altered = office.type("launch", "keeper")
        stopped = office.type("memory", "quarantine", "keeper", version["id"], *WHY, person="alice")
        refused = office.type("launch", "keeper")
        emptied = office.agreed("memory", "rollback", "keeper", "none", *WHY, person="dora")
        listed = office.type("memory", "log", "keeper").out

    assert (version["standing"], version["untrusted"], owner.code) == ("proposed", 0, 3)
    assert (adopted.code, created.code) == (0, 0), adopted.err + created.err
    assert second["parts"]["memory"] == version["digest"]
    assert second["digest"] != first["digest"]
    assert launched.code == 0, launched.err
    assert (altered.code, refused.code) == (5, 1), altered.err + refused.err
    assert "is not what was recorded" in altered.err
    assert "1 deployments suspended" in stopped.out
    assert emptied.code == 0, emptied.err
    assert "present in production: none" in listed
    assert office.type("audit", "verify").code == 0
