"""The errors of the console room, and the exit codes of the command. Light: imported by every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    ERROR = 1
    USAGE = 2
    BLOCKED = 3
    GATE_FAILED = 4
    INTEGRITY = 5


class ConsoleError(Exception):
    """Something the user can put right: what is wrong, what was got and expected, and the next step.

    Attributes:
        what: the thing that is wrong, by name.
        got: what was found; empty where it adds nothing.
        expected: what would have been right; empty where it adds nothing.
        next_step: what to do now, usually a command.
        exit: the exit code of the command.
    """

    exit = Exit.ERROR

    def __init__(self, what: str, *, got: str = "", expected: str = "", next_step: str = "") -> None:
        self.what = what
        self.got = got
        self.expected = expected
        self.next_step = next_step
        super().__init__(self.line())

    def line(self) -> str:
        """Write the error as one line, leaving out what is empty."""
        parts = [self.what]
        if found := ", ".join(self._found()):
            parts.append(found)
        if self.next_step:
            parts.append(f"next: {self.next_step}")
        return "; ".join(parts)

    def _found(self) -> list[str]:
        got = [f"got {self.got}"] if self.got else []
        return [*got, f"expected {self.expected}"] if self.expected else got


class UsageError(ConsoleError):
    """The command line cannot be used as it was given."""

    exit = Exit.USAGE


class BlockedError(ConsoleError):
    """What was asked for is refused by a rule, or waits for someone."""

    exit = Exit.BLOCKED


class IntegrityError(ConsoleError):
    """The record, or what was shown, is not what it claims to be."""

    exit = Exit.INTEGRITY


class ServeAbsentError(ConsoleError):
    """No `handrail serve` answers on the socket."""


class RunLeftError(ConsoleError):
    """The control plane stopped while a run was followed: how it ends is not known here.

    Not an error of the run, so it has another exit code than a run that failed.
    """

    exit = Exit.BLOCKED

    def __init__(self, run: str) -> None:
        step = f"handrail serve, then handrail runs logs -f {run}"
        said = "the control plane stopped answering; the run goes on without it, unless it was told to end it"
        super().__init__(f"run {run} is followed no more: {said}", next_step=step)


class ProblemError(ConsoleError):
    """The control plane refused a request, and said why.

    Attributes:
        status: the HTTP status of its answer.
    """

    def __init__(
        self, what: str, *, got: str = "", expected: str = "", next_step: str = "", status: int, code: Exit
    ) -> None:
        super().__init__(what, got=got, expected=expected, next_step=next_step)
        self.status = status
        self.exit = code
