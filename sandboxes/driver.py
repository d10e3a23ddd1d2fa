"""What every engine driver must do, and the values that pass between a driver and its callers.

Rules of this protocol:

- A method blocks; asyncio callers use `asyncio.to_thread`. Only `attach_stdio` is a coroutine.
- Nothing is pulled, built or fetched: an image the engine lacks is `ImageMissingError`.
- `exec` always runs as the box's own `uid:gid`, never as the engine's default user.
- Nobody attaches to an agent's stdout: an unread stream stalls it. Its output is read with `logs`.
- `release` writes once. Nothing is written to a gated box before or after.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from sandboxes.spec import BoxSpec, Runtime
from sandboxes.stdio import Stdio


class Phase(StrEnum):
    """Where a box is in its life, as the engine sees it."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The handle of one box; it can be rebuilt from the engine's labels after a restart.

    Attributes:
        id: the engine's identifier, 64 hexadecimal digits.
        owner: the state directory's id, so that two installations never touch each other's boxes.
        image: digest of the image it was made from.
        user: `uid:gid` inside the box.
        expires_at: when the reaper ends it, whatever else happens.
    """

    id: str
    owner: str
    image: str
    runtime: Runtime
    user: str
    gated: bool
    expires_at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxState:
    """The engine's view of a box at one moment.

    Attributes:
        pid: the box's first process as numbered on the host; 0 unless running.
        exit_code: None until it exited.
        oom_killed: the kernel ended a process of the box for want of memory.
        error: what the engine said when the start failed, else empty.
        finished_at: when its last process ended, as the engine writes it; empty if that is not known.
        detail: the engine's whole answer, for attestation.
    """

    phase: Phase
    pid: int
    exit_code: int | None
    oom_killed: bool
    error: str
    started_at: str
    detail: Mapping[str, Any] = field(repr=False)
    finished_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResult:
    """What a command run beside the agent answered."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image the engine holds. Without a shell a box cannot wait behind the stdin gate.

    Attributes:
        volumes: paths of its `VOLUME` instructions; the engine mounts something there in every box of it.
    """

    digest: str
    has_shell: bool
    volumes: tuple[str, ...] = ()


class ImageSource(Protocol):
    """Shows what an image holds, without starting anything."""

    def inspect(self, reference: str) -> Mapping[str, Any]:
        """Return the engine's whole description of an image. Raises ImageMissingError."""

    def history(self, reference: str) -> list[str]:
        """Return the steps that made an image, the newest first. Raises ImageMissingError."""

    def files(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """Open an image's whole file tree as an uncompressed tar stream. Raises ImageMissingError."""


class SandboxDriver(Protocol):
    """Makes, watches and ends boxes."""

    @property
    def store(self) -> ImageSource:
        """The engine's images."""

    def image(self, reference: str) -> Image:
        """Resolve an image reference or digest. Raises ImageMissingError."""

    def runtimes(self) -> frozenset[Runtime]:
        """The runtimes the engine has registered, of those we know."""

    def version(self) -> str:
        """The engine's version and that of the kernel it runs on."""

    def create(self, spec: BoxSpec, *, owner: str, now: datetime) -> Box:
        """Make a box without starting it; it expires `spec.limits.wall_seconds` after `now`.

        Raises:
            ImageMissingError: the engine lacks the image.
            EngineRefusedError: the engine declined the arguments.
        """

    def start(self, box: Box) -> None:
        """Start the box's first process. Raises BoxStartError."""

    def release(self, box: Box, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Hand a gated box its command and whole environment, once.

        Raises:
            ContextError: a value is too large or no environment can carry it.
            ReleaseError: the box is not gated, not running, or did not take the script.
        """

    def inspect(self, box: Box) -> BoxState:
        """Ask the engine. Raises BoxGoneError when it no longer knows the box."""

    def exec(self, box: Box, argv: Sequence[str]) -> ExecResult:
        """Run a command in the box as its own user, beside what runs there. Answers are cut at 1 MiB each."""

    def wait(self, box: Box) -> BoxState:
        """Block until the box has exited, however long that takes, and return its last state."""

    def kill(self, box: Box) -> None:
        """End every process of the box at once (SIGKILL). A box that already ended is left as it is."""

    def remove(self, box: Box) -> None:
        """Kill and delete the box with its anonymous volumes. A box already gone is left so."""

    def logs(self, box: Box, *, follow: bool = False) -> Iterator[bytes]:
        """Yield what the box wrote to stdout and stderr, oldest first, within the size cap of its log."""

    def list_boxes(self, owner: str) -> tuple[Box, ...]:
        """Every box of this owner, in whatever phase."""

    async def attach_stdio(self, box: Box) -> Stdio:
        """Open the byte stream of a box whose spec says `stdio`. Call it before `start`.

        Raises:
            EngineRefusedError: the engine did not hand over the stream.
        """
