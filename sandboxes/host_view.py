"""A box's process as the host's kernel shows it in /proc. Reading here, judging in `sandboxes.host_checks`.

A process number alone names nobody: it is reused. `BoxProcess` therefore carries the start time too, and
the process must stand in a control group that names the box, which nothing inside can forge.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandboxes.driver import Box, Phase, SandboxDriver
from sandboxes.errors import BoxGoneError

PROC = Path("/proc")
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
_START_TIME_FIELD = 22


@dataclass(frozen=True, slots=True)
class BoxProcess:
    """One process on the host, told apart from any later one of the same number."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True)
class MountLine:
    """One line of mountinfo: `root` is the path within its file system, `options` those of the mount.

    `source` is what was mounted: a device's path, or any word for a file system without one.
    """

    target: str
    root: str
    options: frozenset[str]
    kind: str
    super_options: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """Everything the host sees of one process."""

    process: BoxProcess
    status: Mapping[str, str]
    uid_map: str
    mounts: tuple[MountLine, ...]
    cgroups: Mapping[str, str]
    limits: Mapping[str, tuple[str, str]]
    namespaces: Mapping[str, int]
    interfaces: tuple[str, ...]


def find_process(driver: SandboxDriver, box: Box, proc: Path = PROC) -> BoxProcess:
    """Name the first process of a running box beyond doubt.

    Args:
        driver: asked before and after, so that a process which ended in between is noticed.
        box: the box.
        proc: where the host's proc file system is mounted.

    Raises:
        BoxGoneError: the box is not running, or its process number now belongs to something else.
    """
    before = driver.inspect(box)
    if before.phase is not Phase.RUNNING or before.pid <= 0:
        raise BoxGoneError(f"box {box.id[:12]}: {before.phase}, expected a running process")
    process = BoxProcess(before.pid, start_ticks(before.pid, proc))
    confirm_process(driver, box, process, proc)
    return process


def confirm_process(driver: SandboxDriver, box: Box, process: BoxProcess, proc: Path = PROC) -> None:
    """Make sure the process is still the box's. Raises BoxGoneError when it is not."""
    after = driver.inspect(box)
    if after.phase is not Phase.RUNNING or after.pid != process.pid:
        raise BoxGoneError(f"box {box.id[:12]}: process {process.pid} ended, expected it to be running")
    if start_ticks(process.pid, proc) != process.start_ticks:
        raise BoxGoneError(f"box {box.id[:12]}: process number {process.pid} was given to another process")
    if box.id not in _read(proc, process.pid, "cgroup"):
        raise BoxGoneError(f"box {box.id[:12]}: process {process.pid} is in no control group of this box")


def start_ticks(pid: int, proc: Path = PROC) -> int:
    """The start time of a process in clock ticks after boot (proc(5), /proc/pid/stat, field 22)."""
    after_name = _read(proc, pid, "stat").rpartition(")")[2].split()
    return int(after_name[_START_TIME_FIELD - 3])


def read_view(process: BoxProcess, proc: Path = PROC) -> HostView:
    """Read all of one process. Raises BoxGoneError when it has ended."""
    pid = process.pid
    return HostView(
        process=process,
        status=parse_status(_read(proc, pid, "status")),
        uid_map=" ".join(_read(proc, pid, "uid_map").split()),
        mounts=parse_mounts(_read(proc, pid, "mountinfo")),
        cgroups=parse_cgroups(_read(proc, pid, "cgroup")),
        limits=parse_limits(_read(proc, pid, "limits")),
        namespaces={name: namespace_inode(pid, name, proc) for name in NAMESPACES},
        interfaces=parse_interfaces(_read(proc, pid, "net/dev")),
    )


def mounted(process: BoxProcess, target: str, proc: Path = PROC) -> tuple[int, int] | None:
    """Return device and inode of what a process has at a path; None if a link is on the way, or nothing is.

    No link is followed: one in the image would lead somewhere on the host.
    """
    flags = os.O_PATH | os.O_CLOEXEC
    held = os.open(proc / str(process.pid) / "root", flags)
    try:
        for part in Path(target).parts[1:]:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = inner
        found = os.fstat(held)
    except OSError:
        return None
    finally:
        os.close(held)
    return found.st_dev, found.st_ino


def read_siblings(procs_file: Path, process: BoxProcess, proc: Path = PROC) -> tuple[Mapping[str, str], ...]:
    """The status of every other process in a control group; one that ended meanwhile is left out.

    Args:
        procs_file: `cgroup.procs` of the box's control group, as the host sees it.
        process: the box's first process.
        proc: where the host's proc file system is mounted.
    """
    found = []
    for pid in procs_file.read_text(encoding="ascii").split():
        path = proc / pid / "status"
        if int(pid) != process.pid and path.exists():
            found.append(parse_status(path.read_text(encoding="utf-8", errors="replace")))
    return tuple(found)


def namespace_inode(pid: int | str, name: str, proc: Path = PROC) -> int:
    """The identity of a process's namespace of one kind."""
    try:
        return os.stat(proc / str(pid) / "ns" / name).st_ino  # noqa: PTH116 - the inode is the point
    except OSError as cause:
        raise BoxGoneError(f"process {pid}: its {name} namespace cannot be read: {cause}") from cause


def host_inodes(name: str, proc: Path = PROC) -> frozenset[int]:
    """Namespaces of one kind that no box may share: our own, and the first process's where we may look.

    The two differ when `serve` itself runs in a container that shows it the host's processes.
    """
    own = {namespace_inode("self", name, proc)}
    try:
        own.add(namespace_inode(1, name, proc))
    except BoxGoneError:
        return frozenset(own)
    return frozenset(own)


def parse_status(text: str) -> dict[str, str]:
    """Read /proc/pid/status: one `Name: value` each line."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: " ".join(value.split()) for name, _, value in pairs}


def parse_mounts(text: str) -> tuple[MountLine, ...]:
    """Read /proc/pid/mountinfo (proc(5)): optional fields end at a lone dash."""
    lines = []
    for line in text.splitlines():
        fields = line.split()
        dash = fields.index("-")
        options = frozenset(fields[5].split(","))
        last = frozenset(fields[dash + 3].split(",")) if len(fields) > dash + 3 else frozenset()
        target, root, source = (_unescaped(fields[index]) for index in (4, 3, dash + 2))
        lines.append(MountLine(target, root, options, fields[dash + 1], last, source))
    return tuple(lines)


def parse_cgroups(text: str) -> dict[str, str]:
    """Read /proc/pid/cgroup: controller to path; the unified hierarchy (version 2) has the empty name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def parse_limits(text: str) -> dict[str, tuple[str, str]]:
    """Read /proc/pid/limits: name to (soft, hard)."""
    found = {}
    for line in text.splitlines()[1:]:
        soft, hard = line[26:].split()[:2]
        found[line[:26].strip()] = (soft, hard)
    return found


def parse_interfaces(text: str) -> tuple[str, ...]:
    """Read /proc/net/dev: the names of the network interfaces."""
    return tuple(sorted(line.partition(":")[0].strip() for line in text.splitlines() if ":" in line))


def _read(proc: Path, pid: int, name: str) -> str:
    try:
        return (proc / str(pid) / name).read_text(encoding="utf-8", errors="replace")
    except OSError as cause:
        raise BoxGoneError(f"process {pid}: /proc/{pid}/{name} cannot be read: {cause}") from cause


def _unescaped(path: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, char)
    return path
