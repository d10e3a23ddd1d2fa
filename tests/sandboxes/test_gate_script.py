"""The release script, run by a real shell."""

import subprocess
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.errors import ContextError
from sandboxes.gate_script import gate_script

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)


def run(script: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["sh"], input=script, capture_output=True, check=False, env={"LEAK": "x"}, timeout=20
    )


def shown(command: Sequence[str], environment: Mapping[str, str]) -> list[bytes]:
    printer = ["/bin/sh", "-c", 'cat /proc/self/environ; for w; do printf "%s\\0" "$w"; done', "sh"]
    return run(gate_script([*printer, *command], environment)).stdout.split(b"\0")[:-1]


@settings(max_examples=40, deadline=None)
@given(words=st.lists(TEXT, max_size=3), values=st.lists(TEXT, max_size=3))
def test_every_word_and_value_arrives_as_it_was(words: list[str], values: list[str]) -> None:
    environment = {"PATH": "/usr/bin:/bin"} | {f"V{number}": value for number, value in enumerate(values)}

    got = shown(words, environment)

    wanted = [f"{name}={value}".encode() for name, value in environment.items()]
    assert set(wanted) <= set(got)
    assert got[len(got) - len(words) :] == [word.encode() for word in words]
    assert not any(item.startswith(b"LEAK=") for item in got)


def test_a_script_cut_anywhere_runs_nothing() -> None:
    """A release that breaks off must not run a part of it."""
    script = gate_script(["echo", "ran"], {"PATH": "/bin:/usr/bin", "A": "1\n2; echo ran\n"})

    for length in range(len(script) - 1):
        assert b"ran" not in run(script[:length]).stdout, script[:length]
    assert run(script).stdout == b"ran\n"


def test_the_agent_reads_nothing_on_its_stdin() -> None:
    script = gate_script(["cat"], {"PATH": "/bin:/usr/bin"})

    assert run(script + b"echo smuggled\n").stdout == b""


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([], "command is empty"),
        (["A=b"], "env\\(1\\) would read as a variable"),
        (["-S"], "env\\(1\\) would read as an option"),
        (["a", "b\0c"], "holds a NUL"),
    ],
)
def test_a_command_env_would_misread_is_refused(command: list[str], message: str) -> None:
    with pytest.raises(ContextError, match=message):
        gate_script(command, {})
