"""A launch and its follower learn how the run ended, or are told that nobody here knows."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.client import Client
from console.main import run
from tests.standins.telling_serve import Script, telling_serve

RUN = "run-2qzv7j5m4kx3ahd6"
LAUNCH = ["launch", "bot", "--task", "count"]
LEFT = (
    f"handrail: run {RUN} is followed no more: the control plane stopped answering; "
    f"the run goes on without it, unless it was told to end it; "
    f"next: handrail serve, then handrail runs logs -f {RUN}\n"
)


def _run(state: str, code: int | None = None) -> dict[str, Any]:
    outcome = None if code is None else ("failed" if code else "exited")
    return {"id": RUN, "agent": "bot", "state": state, "outcome": outcome, "exit_code": code}


def _script(path: Path, *, end: int | None, breaks: bool = False) -> Script:
    """A run that writes two lines and ends with a code; without one serve stops first."""
    followed = threading.Event()

    def script(method: str, address: str) -> Iterator[dict[str, Any]]:
        if method == "POST":
            yield {"run": _run("running"), "told": [], "task": {"given": "count", "suggested": "count"}}
        elif "logs" in address:
            yield {"line": "one"}
            yield {"line": "two"}
            followed.set()
            if end is None:
                path.unlink()
            if breaks:
                raise ConnectionError
        elif "health" in address:
            yield {}
        else:
            yield {"run": _run("ended", end) if followed.is_set() else _run("running")}

    return script


@pytest.mark.parametrize(("end", "code"), [(0, 0), (7, 1)])
def test_launch_with_json_waits_and_answers_once_with_the_run_as_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, end: int, code: int
) -> None:
    """A script that reads one value and an exit code learns that the run failed."""
    path = tmp_path / "s"
    with telling_serve(path, _script(path, end=end)):
        exited = run([*LAUNCH, "--json", "--socket", str(path)])

    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert exited == code
    assert (answer["run"]["state"], answer["run"]["exit_code"]) == ("ended", end)
    assert answer["task"]["given"] == "count"
    assert printed.err.startswith(f"run {RUN} began; ")


@pytest.mark.parametrize("more", [(), ("--json",), ("--detach",)])
def test_ctrl_c_before_a_launch_is_answered_says_where_the_run_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    """Serve goes on with what it was asked for: the run begins, and nobody was told its id."""
    path = tmp_path / "s"

    def script(method: str, _address: str) -> Iterator[dict[str, Any]]:
        if method == "POST":
            signal.pthread_kill(int(threading.main_thread().ident or 0), signal.SIGINT)
        yield {}

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with telling_serve(path, script):
            code = run([*LAUNCH, "--socket", str(path), *more])
    finally:
        signal.signal(signal.SIGINT, before)

    printed = capsys.readouterr()
    assert (code, printed.out) == (130, "")
    assert printed.err == (
        "handrail: the launch was asked for and goes on without this command; "
        "next: handrail runs list, then handrail runs stop RUN\n"
    )


@pytest.mark.parametrize(("end", "code"), [(0, 0), (7, 1)])
def test_a_launch_prints_the_output_and_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, end: int, code: int
) -> None:
    path = tmp_path / "s"
    with telling_serve(path, _script(path, end=end)):
        exited = run([*LAUNCH, "--socket", str(path)])

    _, *output, last = capsys.readouterr().out.splitlines()
    assert exited == code
    assert output == ["one", "two"]
    assert last.endswith(f", exit code {end}")


def test_a_detached_launch_waits_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s"
    with telling_serve(path, _script(path, end=7)):
        plain = run([*LAUNCH, "--detach", "--socket", str(path)]), capsys.readouterr().out
        spoken = run([*LAUNCH, "--detach", "--json", "--socket", str(path)]), capsys.readouterr().out

    assert plain == (0, f"run {RUN}: running\n")
    assert spoken[0] == 0
    assert json.loads(spoken[1])["run"]["state"] == "running"


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("words", [LAUNCH, [*LAUNCH, "--json"], ["runs", "logs", "-f", RUN]])
def test_a_control_plane_that_stops_is_no_end_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, words: list[str], breaks: bool
) -> None:
    """The run goes on: it is said, with how to follow it again, and its code is not that of a failed run."""
    path = tmp_path / "s"
    with telling_serve(path, _script(path, end=None, breaks=breaks)):
        code = run([*words, "--socket", str(path)])

    assert code == 3
    assert capsys.readouterr().err.endswith(LEFT)


def test_an_output_that_breaks_off_is_not_taken_for_a_whole_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control plane goes on and knows how the run ended; its output was not read to the end."""
    path = tmp_path / "s"
    with telling_serve(path, _script(path, end=0, breaks=True)):
        code = run([*LAUNCH, "--socket", str(path)])

    assert code == 3
    assert capsys.readouterr().err.endswith(LEFT)


def test_following_where_no_control_plane_is_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["runs", "logs", "-f", RUN, "--socket", str(tmp_path / "s")])

    assert code == 1
    assert capsys.readouterr().err.startswith("handrail: no control plane answers on ")


def test_an_agent_may_be_silent_longer_than_an_answer_may_take(tmp_path: Path) -> None:
    """A read that is held for minutes must not end whoever follows the run."""
    path, asked, go_on = tmp_path / "s", threading.Event(), threading.Event()

    def script(_method: str, address: str) -> Iterator[dict[str, Any]]:
        if "logs" in address:
            asked.set()
            yield {"line": "one"}
            go_on.wait(20)
            yield {"line": "two"}

    with telling_serve(path, script):
        lines = Client(path, timeout=0.05).stream("runs", RUN, "logs", follow=True)
        first = next(lines)
        threading.Timer(0.3, go_on.set).start()
        rest = list(lines)

    assert (first, rest) == ({"line": "one"}, [{"line": "two"}])
