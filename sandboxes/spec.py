"""What a box is made of. Pure values: no tier, run number or agent name can enter what the inside sees."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType

from sandboxes.errors import BoxSpecError

HOSTNAME = "box"
HOME = "/home/agent"
BOX_UID = BOX_GID = 65534
LOOP_DEVICE = re.compile(r"/dev/loop[0-9]+")
MIN_MEMORY_MIB = 16
MIN_PIDS = 4
LABEL_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def _absolute(what: str, path: str) -> None:
    if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path == "/":
        raise BoxSpecError(f"{what} is {path!r}, expected an absolute path below / without '..'")
    if any(char in path for char in ":,\0\n"):
        raise BoxSpecError(f"{what} is {path!r}, expected a path without colon, comma, NUL or line break")


def _at_least(what: str, value: int, floor: int) -> None:
    if value < floor:
        raise BoxSpecError(f"{what} is {value}, expected at least {floor}")


class Runtime(StrEnum):
    """The OCI runtime that builds the walls of a box."""

    RUNC = "runc"
    RUNSC = "runsc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tmpfs:
    """A scratch directory in memory; its pages count against the box's memory limit."""

    target: str
    size_mib: int
    executable: bool = False

    def __post_init__(self) -> None:
        _absolute("tmpfs target", self.target)
        _at_least("tmpfs size_mib", self.size_mib, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A host directory or file shown inside the box.

    Attributes:
        identity: device and inode of what was meant; the engine follows names itself, so what it mounted is
            compared with this before anything runs. None where nobody looked.
    """

    source: str
    target: str
    read_only: bool = True
    identity: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _absolute("mount source", self.source)
        _absolute("mount target", self.target)
        if self.source.endswith("docker.sock"):
            raise BoxSpecError(f"mount source {self.source}: the engine's socket is never in a box")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """An ext4 on a loop device, writable inside the box: a volume with an end. No program runs from it."""

    device: str
    target: str

    def __post_init__(self) -> None:
        _absolute("disk target", self.target)
        if not LOOP_DEVICE.fullmatch(self.device):
            raise BoxSpecError(f"disk device is {self.device!r}, expected a loop device such as /dev/loop0")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLimits:
    """What a box may use up. `wall_seconds` is enforced from the host, the rest by the kernel.

    `pids` counts what runs inside; a runtime that needs threads of its own gets them on top.
    """

    memory_mib: int = 512
    cpus: float = 1.0
    pids: int = 128
    nofile: int = 1024
    wall_seconds: int = 3600
    log_mib: int = 8

    def __post_init__(self) -> None:
        _at_least("memory_mib", self.memory_mib, MIN_MEMORY_MIB)
        _at_least("pids", self.pids, MIN_PIDS)
        _at_least("nofile", self.nofile, 16)
        _at_least("wall_seconds", self.wall_seconds, 1)
        _at_least("log_mib", self.log_mib, 1)
        if self.cpus < 0.01:  # noqa: PLR2004 - the engine's own floor, in processors
            raise BoxSpecError(f"cpus is {self.cpus}, expected at least 0.01")


_SCRATCH = (
    Tmpfs(target="/tmp", size_mib=64),  # noqa: S108 - a path inside the box, private to it
    Tmpfs(target=HOME, size_mib=64, executable=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSpec:
    """One sealed container.

    Attributes:
        image: image digest (`sha256:...`) or reference the engine already holds; nothing is ever pulled.
        command: the box's own command. None is the stdin gate: `sh` waits, and `release` says what to run.
            An image without `sh`, and a stdio upstream, name their command here and start cold.
        environment: set at creation, for boxes with a command only; a gated box gets its at release.
        uid: user inside the box, never 0.
        gid: group inside the box, never 0.
        stdio: the command speaks over stdin and stdout (a boxed MCP server); see `attach_stdio`.
        labels: kept by the engine, never visible inside the box.
    """

    image: str
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    workdir: str = HOME
    uid: int = BOX_UID
    gid: int = BOX_GID
    limits: BoxLimits = BoxLimits()
    tmpfs: tuple[Tmpfs, ...] = _SCRATCH
    mounts: tuple[Mount, ...] = ()
    disks: tuple[Disk, ...] = ()
    runtime: Runtime = Runtime.RUNC
    stdio: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        _at_least("uid", self.uid, 1)
        _at_least("gid", self.gid, 1)
        _absolute("workdir", self.workdir)
        self._check_command()
        self._check_targets()
        for name in self.labels:
            if not LABEL_NAME.fullmatch(name):
                raise BoxSpecError(f"label {name!r}: expected lower-case letters, digits and dashes")

    @property
    def gated(self) -> bool:
        """Whether the box waits behind its stdin gate until it is released."""
        return self.command is None

    @property
    def user(self) -> str:
        """The user as `uid:gid`. Never the bare uid: the engine would then pick group 0."""
        return f"{self.uid}:{self.gid}"

    def _check_command(self) -> None:
        if self.command is not None and not self.command:
            raise BoxSpecError("command is empty, expected at least the program, or None for the stdin gate")
        if self.command is None and self.stdio:
            raise BoxSpecError(
                "stdio needs a command: the gate's stdin is closed to everything but the release"
            )
        if self.command is None and self.environment:
            raise BoxSpecError("environment of a gated box is given at release, expected none in its spec")

    def _check_targets(self) -> None:
        placed: tuple[Tmpfs | Mount | Disk, ...] = (*self.tmpfs, *self.mounts, *self.disks)
        targets = [item.target for item in placed]
        twice = {target for target in targets if targets.count(target) > 1}
        if twice:
            raise BoxSpecError(f"more than one mount at {', '.join(sorted(twice))}, expected one each")
