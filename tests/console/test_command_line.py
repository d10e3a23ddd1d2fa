"""The command tree as a newcomer meets it: help, mistakes, exit codes, and what help costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.lazy import ENTRIES, load
from console.main import run

HEAVY = (
    "fastapi",
    "sqlalchemy",
    "sqlmodel",
    "docker",
    "mcp",
    "pydantic",
    "httpx",
    "rich",
    "uvicorn",
    "cedarpy",
    "yaml",
)


def _modules_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_imports_nothing_heavy() -> None:
    loaded = _modules_after("from console.main import run\nassert run(['--help']) == 0")

    assert "console" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", ["agent", "runs", "approvals", "suggestions", "grants", "launch"])
def test_a_thin_command_s_help_imports_neither_server_nor_database(name: str) -> None:
    loaded = _modules_after(f"from console.main import run\nassert run(['{name}', '--help']) == 0")

    assert loaded.isdisjoint({"fastapi", "sqlalchemy", "docker", "mcp", "uvicorn"})


def test_serve_refuses_keys_that_it_cannot_use_before_it_loads_what_serves(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    loaded = _modules_after(
        f"from console.main import run\nassert run(['serve', '--state-dir', '{tmp_path}']) == 1"
    )

    assert loaded.isdisjoint({"fastapi", "sqlalchemy", "docker", "mcp", "uvicorn"})


def test_commands_that_sign_start_without_server_and_database() -> None:
    names = ("decide", "deploy", "freeze", "kill", "person", "policy", "resume", "suggestions", "unfreeze")
    loaded = _modules_after("\n".join(f"import console.commands.{name}" for name in names))

    assert loaded.isdisjoint({"fastapi", "sqlalchemy", "docker", "mcp", "uvicorn"})


def leaves() -> list[list[str]]:
    leaves = []
    for entry in ENTRIES:
        command = load(entry.name)
        nested = getattr(command, "commands", None)
        leaves += [[entry.name, name] for name in nested] if nested else [[entry.name]]
    return leaves


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_s_help_has_an_example_of_itself(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*words, "--help"])

    shown = capsys.readouterr().out
    assert code == 0
    assert f"handrail {' '.join(words)}" in shown.partition("Example:")[2]
    assert "--json" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["approvls"],
            "handrail: No such command 'approvls'. Did you mean 'approvals'?; next: handrail --help",
        ),
        (
            ["runs", "lst"],
            "handrail: No such command 'lst'. Did you mean 'list'?; next: handrail runs --help",
        ),
        (["runs", "list", "--all"], "handrail: No such option: --all; next: handrail runs list --help"),
        (["runs", "show"], "handrail: Missing argument 'run'; next: handrail runs show --help"),
        (["runs", "show", ""], "handrail: run; got nothing, expected a word or more"),
        (["runs", "show", "a/b"], "handrail: a name; got a/b, expected one without a slash"),
        (["launch", " "], "handrail: agent; got nothing, expected a word or more"),
        (
            ["freeze", "--all", "--reason", ""],
            "handrail: --reason; got nothing, expected a word or more",
        ),
        (
            ["agent", "show", "\udcff"],
            "handrail: the command line; got '\\\\udcff', expected text in UTF-8",
        ),
    ],
)
def test_a_mistyped_line_is_answered_in_one_line_with_exit_code_2(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(words)

    printed = capsys.readouterr()
    assert code == 2
    assert printed.err == line + "\n"
    assert printed.out == ""


def test_without_a_control_plane_a_command_says_how_to_start_one(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["runs", "list", "--state-dir", str(tmp_path)])

    expected = (
        f"handrail: no control plane answers on {tmp_path}/serve.sock; next: start one: handrail serve\n"
    )
    assert code == 1
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("words", [[], ["runs"], ["audit"]])
def test_a_group_named_alone_prints_its_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("handrail ap", ["approvals"]),
        ("handrail approvals ", ["list", "show", "approve", "reject"]),
        ("handrail suggestions judge x ", ["agree", "disagree", "harmful", "unclear"]),
        ("handrail runs list --li", ["--limit"]),
    ],
)
def test_the_shell_completes_words_verbs_and_values(typed: str, offered: list[str]) -> None:
    asked = {"_HANDRAIL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}

    done = subprocess.run(
        [sys.executable, "-m", "console"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == offered


def test_ctrl_c_while_the_command_is_loaded_ends_it_without_a_traceback(tmp_path: Path) -> None:
    """Loading takes long on a busy machine, and whoever mistyped does not wait for it."""
    (tmp_path / "typer.py").write_text("import signal, time\nsignal.raise_signal(2)\ntime.sleep(10)\n")
    apart = {**os.environ, "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "console"], capture_output=True, text=True, env=apart, check=False
    )

    assert (done.returncode, done.stderr) == (-2, "")
