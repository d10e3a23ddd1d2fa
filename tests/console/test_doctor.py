"""`doctor` says what is wrong and what to do next, and changes nothing."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.doctor.boxes import examine_boxes
from console.doctor.engine import examine_engine
from console.doctor.evaluation import examine_evaluation
from console.doctor.finding import Finding, Level, worst
from console.doctor.people import examine_people, judge_people
from console.doctor.rights import examine_rights
from console.doctor.state import examine_state
from console.doctor.volumes import examine_volumes
from console.show.doctor import findings_page
from profiles.effects import Effect
from profiles.load import parse_policy
from profiles.setting import Setting
from runtime.freeze import freeze
from runtime.freeze_rules import Freeze, Scope
from runtime.people.roster import build_roster
from runtime.settings import Settings
from runtime.suspension_rules import SuspensionCode
from tests.standins.persons import START, Person, Town, policy_of
from tests.standins.power import suspend_in
from tests.standins.towns import DORA, EVERYONE, ROSA, STAFF, grant, order, stop_of

GOOD = {
    "ServerVersion": "20.10.24",
    "KernelVersion": "6.1",
    "Runtimes": {"runc": {}, "runsc": {}},
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "SecurityOptions": ["name=seccomp,profile=default"],
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    opened = Town(tmp_path)
    opened.begin(STAFF, *EVERYONE)
    yield opened
    opened.close()


def _engine(path: Path, info: Any) -> None:
    """Answer one request on a socket as the engine's API would, then take one connection more."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    body = json.dumps(info).encode()

    def answer() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + body)
            server.accept()[0].close()

    threading.Thread(target=answer, daemon=True).start()


def _levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.check: finding.level for finding in findings}


@pytest.mark.parametrize(
    ("change", "check", "level"),
    [
        ({}, "engine", Level.OK),
        ({"Runtimes": {"runc": {}}}, "runtimes", Level.WARN),
        ({"Runtimes": {}}, "runtimes", Level.FAIL),
        ({"PidsLimit": False}, "cgroup limits", Level.FAIL),
        ({"MemoryLimit": None}, "cgroup limits", Level.FAIL),
        ({"SecurityOptions": []}, "seccomp", Level.FAIL),
    ],
)
def test_what_the_engine_lacks_is_named(
    tmp_path: Path, change: dict[str, Any], check: str, level: Level
) -> None:
    path = tmp_path / "docker.sock"
    _engine(path, GOOD | change)

    found = examine_engine(path)

    assert _levels(found)[check] is level
    assert all(bool(finding.next_step) == (finding.level is not Level.OK) for finding in found)


@pytest.mark.parametrize(
    ("states", "served", "level", "said"),
    [
        ([], False, Level.OK, "0 at the engine with a process"),
        (["running", "paused"], False, Level.OK, "2 at the engine with a process"),
        (
            ["running", "exited", "dead"],
            False,
            Level.WARN,
            "1 at the engine with a process, 2 that have ended and wait for a serve",
        ),
        (["running", "exited"], True, Level.OK, "1 at the engine with a process"),
    ],
)
def test_boxes_that_the_reaper_stopped_and_nobody_took_up_are_named(
    tmp_path: Path, states: list[str], served: bool, level: Level, said: str
) -> None:
    """They stay until a serve reads how they ended; doctor says so, and what to do where none comes."""
    (tmp_path / "node").write_text("node-7777qqqq\n")
    _engine(tmp_path / "docker.sock", [{"State": state} for state in states])

    (finding,) = examine_boxes(tmp_path / "docker.sock", tmp_path, served=served)

    assert (finding.level, finding.said) == (level, said)
    assert ("label=handrail.owner=node-7777qqqq" in finding.next_step) is (level is Level.WARN)


def test_without_a_node_or_an_engine_nothing_is_said_of_boxes(tmp_path: Path) -> None:
    assert examine_boxes(tmp_path / "docker.sock", tmp_path, served=False) == []
    (tmp_path / "node").write_text("node-7777qqqq\n")
    assert examine_boxes(tmp_path / "docker.sock", tmp_path, served=False) == []


def test_no_engine_is_one_failure_with_a_next_step(tmp_path: Path) -> None:
    (finding,) = examine_engine(tmp_path / "docker.sock")

    assert (finding.check, finding.level) == ("engine", Level.FAIL)
    assert finding.next_step.startswith("make engine")


@pytest.mark.parametrize(
    ("effective", "level"),
    [("000001ffffffffff", Level.OK), ("0000000000000000", Level.FAIL), ("80000", Level.FAIL)],
)
def test_rights_are_read_from_the_kernel(tmp_path: Path, effective: str, level: Level) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapEff:\t{effective}\n")

    assert _levels(examine_rights(status))["rights"] is level


def test_what_volumes_with_a_limit_need_is_looked_for(tmp_path: Path) -> None:
    control = Path("/dev/null")

    (able,) = examine_volumes(tmp_path / "none", control)
    (unable,) = examine_volumes(tmp_path / "none", tmp_path / "loop-control")

    assert (able.check, able.level) == ("volumes", Level.OK)
    assert unable.level is Level.WARN
    assert "modprobe loop" in unable.next_step


def test_volumes_that_could_outgrow_their_disk_are_named_and_those_without_a_limit(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "repo").symlink_to(tmp_path / "mail")

    _, kept = examine_volumes(tmp_path, Path("/dev/null"))
    with (tmp_path / "huge.img").open("wb") as file:
        file.truncate(8 * 2**40)
    _, grown = examine_volumes(tmp_path, Path("/dev/null"))

    assert kept.said == "0 with a limit; directories of the host, without one: mail, repo"
    assert kept.level is Level.OK
    assert grown.level is Level.WARN
    assert "1 with a limit" in grown.said
    assert "they may grow by 8192.0 GiB" in grown.said


def test_what_evaluations_share_with_production_is_named(tmp_path: Path) -> None:
    """R-21: before a launch finds out."""
    settings = Settings(state_dir=tmp_path)
    assert examine_evaluation(settings) == []
    for setting in Setting:
        (settings.volumes_of(setting) / "mail").mkdir(parents=True)
        settings.credentials_of(setting).mkdir(parents=True)
        key = settings.credentials_of(setting) / "crm"
        key.write_text(f"of {setting}")
        key.chmod(0o600)
    (apart,) = examine_evaluation(settings)
    (settings.volumes_of(Setting.EVALUATION) / "repo").symlink_to(settings.volumes_dir / "mail")
    (settings.credentials_of(Setting.EVALUATION) / "crm").write_text("of production")
    shared = examine_evaluation(settings)

    assert (apart.level, apart.said) == (Level.OK, "1 volumes and 1 credentials, none of production")
    assert [finding.level for finding in shared] == [Level.FAIL, Level.FAIL]
    assert "evaluation/volumes/repo leads to" in shared[0].said
    assert "evaluation/credentials/crm is" in shared[1].said


def test_a_database_without_its_tables_is_a_failure(tmp_path: Path) -> None:
    """Such as an empty file that somebody put where the record was."""
    (tmp_path / "handrail.db").touch()

    found = examine_state(Settings(state_dir=tmp_path, anchor_dir=tmp_path), now=START)

    finding = next(f for f in found if f.check == "record")
    assert finding.level is Level.FAIL
    assert "no such table" in finding.said


def test_a_healthy_installation_has_nothing_to_be_done(town: Town) -> None:
    found = _levels(examine_state(town.settings, now=town.now))

    assert {found[check] for check in ("state directory", "keys", "record")} == {Level.OK}
    assert _levels(examine_people(town.settings, now=town.now)) == {
        "people": Level.OK,
        "grants": Level.OK,
    }


def test_a_missing_state_directory_leads_to_init(tmp_path: Path, town: Town) -> None:
    settings = town.settings.model_copy(update={"state_dir": tmp_path / "none"})

    (finding,) = examine_state(settings, now=START)

    assert (finding.level, finding.next_step) == (Level.FAIL, "handrail init --person NAME=KEYFILE.pub")


def test_a_key_that_others_can_read_is_a_failure_with_the_very_command(town: Town) -> None:
    key = town.settings.keys_dir / "wrap.key"
    key.chmod(0o644)

    finding = next(f for f in examine_state(town.settings, now=town.now) if f.check == "state directory")

    assert (finding.level, finding.next_step) == (Level.FAIL, f"chmod go= {key}")


def test_an_anchor_inside_the_state_directory_is_none(town: Town) -> None:
    inside = town.settings.model_copy(update={"anchor_dir": town.settings.state_dir / "anchor"})

    finding = next(f for f in examine_state(inside, now=town.now) if f.check == "anchor")

    assert finding.level is Level.FAIL
    assert finding.said.startswith("UNANCHORED: ")


def test_a_clock_behind_the_record_is_a_failure(town: Town) -> None:
    """F2: stepping the clock back revives nothing, and is seen."""
    found = examine_state(town.settings, now=town.now - timedelta(hours=1))

    finding = next(f for f in found if f.check == "record")
    assert finding.level is Level.FAIL
    assert f"3600 s behind the record, whose last entry is of {START:%Y-%m-%dT%H:%M:%S}Z" in finding.said
    assert "runs are denied as not live" in finding.said
    assert finding.next_step.startswith("set the clock right")


def _about(town: Town, check: str) -> list[Finding]:
    return [one for one in examine_people(town.settings, now=town.now) if one.check == check]


def test_a_grant_that_its_signatures_do_not_carry_is_named(town: Town) -> None:
    """DESIGN section 5: such a row grants nothing, and is no secret."""
    asked = order(town, Effect.DRAFT)
    grant(town, asked, ROSA)
    assert [one.level for one in _about(town, "grants")] == [Level.OK]

    town.tamper("UPDATE effect_grant SET effect = 'send' WHERE id = :id", id=asked.id)

    (finding,) = _about(town, "grants")
    assert finding.level is Level.WARN
    assert finding.said.startswith(f"grant {asked.id} of send to {asked.deployment[:12]} permits nothing: ")
    assert "handrail audit verify" in finding.next_step


def set_freeze(town: Town, stop: Freeze) -> None:
    signed, roster = town.signed(DORA, stop.matter), town.state.roster
    town.write(lambda tx: freeze(tx, stop, signed, roster=roster, now=town.now))


def test_a_freeze_whose_row_was_changed_or_deleted_is_named(town: Town) -> None:
    """What was signed still counts, so the agent stays stopped; somebody must look."""
    kept, gone = (stop_of(Scope.AGENT, name, town) for name in ("bot", "bot2"))
    set_freeze(town, kept)
    set_freeze(town, gone)
    assert _about(town, "freezes") == []

    town.tamper("UPDATE freeze SET target = 'nobody' WHERE id = :id", id=kept.id)
    town.tamper("DELETE FROM freeze WHERE id = :id", id=gone.id)

    changed, lost = _about(town, "freezes")
    assert changed.level is lost.level is Level.FAIL
    assert changed.said == f"freeze {kept.id} stops agent bot: its row was changed: what was signed counts"
    assert f"handrail unfreeze {kept.id}" in changed.next_step
    assert gone.id in lost.said
    assert "everything is stopped" in lost.said


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([Person("ann").enrolled("operations", "policy")], "only ann is enrolled: the policy is frozen"),
        (
            [Person("ann").enrolled("operations", "policy"), Person("bob").enrolled("operations")],
            "2 persons, too few for: policy change, ",
        ),
        (
            [Person("ann").enrolled("review", "policy"), Person("bob").enrolled("policy")],
            "2 persons, too few for: deploying, ",
        ),
    ],
)
def test_too_few_people_are_a_warning_that_names_what_cannot_be_decided(people: list[Any], said: str) -> None:
    """F28: the last reviewer leaves."""

    policy = parse_policy(policy_of(*people).encode(), source="test").policy
    roster = build_roster(policy, installation="test", source="0" * 64)

    (finding,) = judge_people(policy, roster)

    assert finding.level is Level.WARN
    assert finding.said.startswith(said)


def test_no_findings_at_all_are_a_failure() -> None:
    assert worst([]) is Level.FAIL


def test_the_page_fits_and_shows_each_next_step() -> None:
    told = {"check": "anchor", "level": "fail", "said": "word " * 40 + "\x1b[2J", "next": "do " * 40}

    lines = findings_page({"findings": [told, {"check": "rights", "level": "ok", "said": "all", "next": ""}]})

    assert all(len(line) <= 100 for line in lines)
    assert lines[0].startswith("FAIL  anchor  word")
    assert any(line.strip().startswith("next: do") for line in lines)
    assert lines[-1] == "1 ok, 0 warnings, 1 failures"
    assert "\x1b" not in "".join(lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="reads root's own rights")
def test_examining_changes_nothing(town: Town) -> None:
    before = {path: path.stat().st_mtime_ns for path in town.settings.state_dir.rglob("*.key")}

    examine_state(town.settings, now=town.now)
    examine_people(town.settings, now=town.now)

    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_suspension_whose_row_is_gone_is_named(town: Town) -> None:
    """What was recorded still counts, for every write; somebody must look."""
    found = suspend_in(town, SuspensionCode.HEARTBEAT, effect=Effect.SEND)
    assert _about(town, "suspensions") == []

    town.tamper("DELETE FROM suspension")

    (finding,) = _about(town, "suspensions")
    assert finding.level is Level.FAIL
    assert "its row is gone: every write is suspended" in finding.said
    assert f"handrail resume {found}" in finding.next_step
