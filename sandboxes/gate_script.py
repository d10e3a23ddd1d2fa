"""The script that releases a box which waits behind its stdin gate.

The whole of it stands between braces, so a shell that received only a part meets a syntax error and runs
nothing. `exec env -i` replaces the shell and starts from an empty environment. Source of the quoting rule:
POSIX.1-2017, Shell Command Language, 2.2.2 "Single-Quotes".
"""

from collections.abc import Mapping, Sequence

from sandboxes.context import ContextItem, check_items
from sandboxes.errors import ContextError

GATE_COMMAND = ("sh",)


def gate_script(command: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """Return what to write to a waiting box so that it becomes the agent.

    Args:
        command: the agent's program and arguments; looked up on the environment's PATH.
        environment: the agent's whole environment.

    Raises:
        ContextError: no command, or a variable or argument that no process could be given.
    """
    check_items([ContextItem(name, value, "released") for name, value in environment.items()])
    _check_command(command)
    pairs = [_quoted(f"{name}={value}") for name, value in environment.items()]
    words = ["exec", "env", "-i", *pairs, *(_quoted(word) for word in command)]
    return f"{{ {' '.join(words)} </dev/null\n}}\n".encode()


def _check_command(command: Sequence[str]) -> None:
    if not command:
        raise ContextError("the command is empty, expected at least the program")
    if "=" in command[0]:
        raise ContextError(f"program {command[0]!r}: holds '=', which env(1) would read as a variable")
    if command[0].startswith("-"):
        raise ContextError(f"program {command[0]!r}: starts with '-', which env(1) would read as an option")
    if any("\0" in word for word in command):
        raise ContextError("the command holds a NUL, expected words without one")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
