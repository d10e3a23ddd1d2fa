"""Running other programs, and saying what is done."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ERROR_LINES = 8  # enough of a failed program's last words to see why


class SetupError(Exception):
    """A step of the set-up failed. The message names the thing and the next step."""


@dataclass(frozen=True)
class Answer:
    """What a program said.

    Attributes:
        code: exit code; 127 when the program is not installed, 124 when it ran out of time.
        out: standard output, stripped.
        err: standard error, stripped.
    """

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether the program ended with exit code 0."""
        return self.code == 0


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    print(f"handrail: {text}", flush=True)


def ask(command: Sequence[str], *, seconds: float = 60) -> Answer:
    """Run a program and return its answer, whatever it is.

    Args:
        command: program and arguments.
        seconds: time after which the program is killed.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return Answer(127, "", f"{command[0]}: not installed")
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"{command[0]}: no answer within {seconds:g} s")
    return Answer(done.returncode, done.stdout.strip(), done.stderr.strip())


def must(command: Sequence[str], *, next_step: str, seconds: float = 1800) -> str:
    """Run a program that has to succeed and return its standard output.

    Raises:
        SetupError: the program failed; its last words and `next_step` are in the message.
    """
    answer = ask(command, seconds=seconds)
    if not answer.ok:
        last_words = "\n".join(f"{answer.out}\n{answer.err}".strip().splitlines()[-ERROR_LINES:])
        told = f"`{' '.join(command)}` failed with exit code {answer.code}"
        raise SetupError(f"{told}:\n{last_words}\nnext step: {next_step}")
    return answer.out


def conclude(program: Callable[[], None]) -> None:
    """Run a program's main function; a SetupError becomes one message and exit code 1."""
    try:
        program()
    except SetupError as error:
        print(f"handrail: error: {error}", file=sys.stderr)
        sys.exit(1)
