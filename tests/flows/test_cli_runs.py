"""Launching, following, stopping, and a serve that comes and goes, with the command alone and real boxes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.standins.boxes import BUSYBOX
from tests.standins.office import Office

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

PROFILE = """
profile: {name}
version: 1
purpose: Say a few words from inside a box.
image: {image}
command: [sh, -c, {command}]
never:
  - {{id: nothing-critical, text: Never do anything critical., effects: [critical]}}
limits: {{wall_seconds: 120}}
"""
BOT = ["--trait", "internal-docs", "--owner", "bob"]
HELLO = r"printf 'hello\n\033[31mred\033]0;title\007\nno line end'; exit 0"
TICK = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.2; done"


def _deploy(office: Office, name: str, command: str) -> None:
    path = office.root / f"{name}.yaml"
    path.write_text(PROFILE.format(name=name, image=BUSYBOX, command=json.dumps(command)))
    assert office.deploy(name, path).code == 0


def test_a_deployment_is_shown_whole_signed_and_starts_at_tier_0(office: Office) -> None:
    with office.serving():
        _deploy(office, "hello", HELLO)
        agent = office.ask("agent", "show", "hello")["agent"]
        grants = office.ask("grants", "list")["grants"]
        words = ("deploy", "create", "hello", "--profile", f"{office.root}/hello.yaml")
        again = office.agreed(*words, person="alice")
        unsigned = office.agreed(*words, person="bob")

    assert agent["risk"] == "Medium"
    assert [(one["effect"], one["state"]) for one in grants] == [("read", "granted")]
    assert grants[0]["deployment"] == agent["deployments"][0]["digest"]
    assert (again.code, unsigned.code) == (1, 3)
    assert "exists already" in again.err
    assert "operator" in unsigned.err


def test_launch_follows_the_agent_to_its_end_and_shows_its_text_as_text(office: Office) -> None:
    with office.serving():
        _deploy(office, "hello", HELLO)
        printed = office.type("launch", "hello", "--task", "say it")
        listed = office.ask("runs", "list")["runs"]
        kept = office.type("runs", "logs", listed[0]["id"]).out
        traced = office.type("audit", "trace", listed[0]["id"]).out
        proof = office.ask("runs", "show", listed[0]["id"])["proof"]
        page = office.type("runs", "show", listed[0]["id"]).out

    count = len(proof["checks"])
    assert count > 20
    assert f"\nproof        {count} of {count} checks hold, by engine, host, inside\n" in page
    first, *lines, last = printed.out.splitlines()
    assert printed.code == 0
    assert first.startswith(f"run {listed[0]['id']} began; ")
    assert lines == ["hello", r"\x1b[31mred\x1b]0;title\x07", "no line end"]
    assert last == f"run {listed[0]['id']}: exited, exit code 0"
    assert kept.splitlines() == lines
    assert [listed[0][name] for name in ("operator", "single_user", "task")] == ["root", False, "say it"]
    kinds = [line.split()[2] for line in traced.splitlines() if line[:8].strip().isdigit()]
    assert kinds == ["run.requested", "run.attested", "run.released", "run.ended"]
    assert "\x1b" not in traced


def test_a_setting_is_asked_for_listed_and_told_to_nobody_inside(office: Office) -> None:
    """R-21: the list, the page and the record say it; the agent's environment does not."""
    with office.serving():
        _deploy(office, "hello", "env | sort")
        usual = office.type("launch", "hello")
        other = office.type("launch", "hello", "--setting", "evaluation")
        wrong = office.type("launch", "hello", "--setting", "staging")
        listed = office.ask("runs", "list")["runs"]
        tried = office.ask("runs", "list", "--setting", "evaluation")["runs"]
        table = office.type("runs", "list").out.splitlines()
        page = office.type("runs", "show", listed[0]["id"]).out

    assert [run["setting"] for run in listed] == ["evaluation", "production"]
    assert tried == listed[:1]
    assert usual.out.splitlines()[1:-1] == other.out.splitlines()[1:-1]
    assert "setting      evaluation" in page
    assert table[0].split()[:4] == ["RUN", "AGENT", "STATE", "SETTING"]
    assert max(map(len, table)) <= 100
    assert wrong.code == 2
    assert "production" in wrong.err


def test_a_command_after_two_dashes_replaces_the_profile_s_and_its_failure_is_told(
    office: Office,
) -> None:
    with office.serving():
        _deploy(office, "hello", HELLO)
        printed = office.type("launch", "hello", "--", "sh", "-c", "echo other --json; exit 7")

    assert printed.code == 1
    assert "other --json" in printed.out.splitlines()
    assert printed.out.splitlines()[-1].endswith(": failed, exit code 7")


@pytest.mark.parametrize("private", [False, True])
def test_ctrl_c_at_a_followed_launch_leaves_the_run_alone_as_its_first_line_says(
    office: Office, *, private: bool
) -> None:
    """Ctrl-C reaches the whole group in the foreground; a private serve must not be in it."""
    with office.serving():
        _deploy(office, "tick", TICK)
        if not private:
            _interrupted_launch(office)
    if private:
        _interrupted_launch(office)
        os.kill(int((office.state / "ledger.lock").read_text()), signal.SIGTERM)


def _interrupted_launch(office: Office) -> None:
    pipe = subprocess.PIPE
    launch = office.start("launch", "tick", stdout=pipe, stderr=pipe, start_new_session=True)
    assert launch.stdout is not None
    first, tick = launch.stdout.readline(), launch.stdout.readline()
    os.killpg(launch.pid, signal.SIGINT)
    _, err = launch.communicate(timeout=60)
    run = first.split()[1]
    before = office.type("runs", "logs", run).out.splitlines()
    deadline = time.monotonic() + 60
    while office.type("runs", "logs", run).out.splitlines()[-1] == before[-1]:
        assert time.monotonic() < deadline, "the agent has stopped"
    stopped = office.type("runs", "stop", run)

    assert "Ctrl-C leaves it running; stop it with: handrail runs stop" in first
    assert (tick, launch.returncode) == ("tick 1\n", 130)
    assert "Traceback" not in err
    assert stopped.out == f"run {run}: stopped, exit code 137\n"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_may_go_and_come_while_a_box_runs(office: Office, end: signal.Signals) -> None:
    with office.serving(end=end) as first:
        _deploy(office, "tick", TICK)
        run = office.ask("launch", "tick", "--detach")["run"]["id"]
        pipe = subprocess.PIPE
        follower = office.start("runs", "logs", "-f", run, stdout=pipe, stderr=pipe)
        followed = follower.stdout.readline() if follower.stdout else ""
    _, told = follower.communicate(timeout=60)
    meanwhile = office.type("runs", "list")
    socket_is_gone = not (office.state / "serve.sock").exists()
    with office.serving() as second:
        took_up = second.stdout.readline() if second.stdout else ""
        alive = office.ask("runs", "show", run)["run"]["state"]
        stopped = office.type("runs", "stop", run)
        ended = office.ask("runs", "show", run)["run"]

    assert (first.returncode, socket_is_gone) == (0, True)
    assert (followed, follower.returncode) == ("tick 1\n", 3)
    assert told.startswith(f"handrail: run {run} is followed no more: the control plane stopped answering; ")
    assert told.endswith(f"; next: handrail serve, then handrail runs logs -f {run}\n")
    assert meanwhile.err.startswith("handrail: no control plane answers on ")
    assert took_up == f"took up 1 running: {run}\n"
    assert alive == "running"
    assert stopped.out == f"run {run}: stopped, exit code 137\n"
    assert (ended["state"], ended["outcome"]) == ("ended", "stopped")
    assert office.type("audit", "verify").code == 0


def test_serve_ends_its_runs_when_asked_to(office: Office) -> None:
    with office.serving("--stop-runs", end=signal.SIGINT) as serve:
        _deploy(office, "tick", TICK)
        run = office.ask("launch", "tick", "--detach")["run"]["id"]
    with office.serving():
        ended = office.ask("runs", "show", run)["run"]

    assert serve.returncode == 0
    assert (ended["state"], ended["outcome"]) == ("ended", "stopped")


def test_two_serves_on_one_state_directory_are_refused_and_the_first_goes_on(office: Office) -> None:
    with office.serving() as first:
        second = office.type("serve")
        alive = office.type("runs", "list")

    assert second.code == 1
    assert f"is locked by process {first.pid}: " in second.err
    assert alive.out == "no runs yet; next: handrail launch AGENT\n"


def test_a_killed_serve_leaves_no_socket_in_the_way(office: Office) -> None:
    with office.serving() as serve:
        serve.kill()
        serve.wait()
    assert (office.state / "serve.sock").is_socket()

    with office.serving():
        assert office.type("runs", "list").code == 0


def test_launch_without_serve_starts_a_private_one_that_says_what_it_is(office: Office) -> None:
    with office.serving():
        _deploy(office, "hello", HELLO)

    printed = office.type("launch", "hello")
    health = office.ask("runs", "list")["runs"][0]
    serve = int((office.state / "ledger.lock").read_text())
    os.kill(serve, signal.SIGTERM)

    assert printed.code == 0
    assert "no control plane was running, so a private one was started for this user" in printed.err
    assert "Single-user mode: no separation of duties, nothing above tier 1." in printed.err
    assert health["single_user"] is True


def test_launch_without_an_installation_says_how_to_make_one(tmp_path: Path) -> None:
    printed = Office(tmp_path / "nothing").type("launch", "hello")

    assert printed.code == 1
    assert "next: handrail init" in printed.err


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to give rights away")
@pytest.mark.parametrize("verb", [["serve"], ["launch", "hello"]])
def test_without_the_rights_to_prove_a_box_nothing_is_served(office: Office, verb: list[str]) -> None:
    less = ["setpriv", "--bounding-set=-sys_admin,-sys_ptrace", "--inh-caps=-all"]

    done = subprocess.run(
        [*less, sys.executable, "-m", "console", *verb],
        env=office.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "this user lacks CAP_SYS_ADMIN, CAP_SYS_PTRACE: no box can be proved" in done.stderr
    assert "next: " in done.stderr
