"""What the host knows of a box by itself, under the probe's own names: a box cannot answer as it likes.

The probe runs on the image's own `python3`, which can be any program. So what it says is held against what
was released, and against what the host's kernel shows of the box's processes while it looks: mounts,
namespaces, rights, environment, command line, host name. Where they differ, the proof fails.

Under gVisor the box has a kernel of its own that the host cannot look into: there only what was released and
what a box was made from is held against it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import BoxGoneError, ParityError
from sandboxes.host_view import NAMESPACES, PROC, BoxProcess, confirm_process, find_process, parse_limits
from sandboxes.parity.compare import ABSENT, Difference, Why
from sandboxes.parity.inside import trees
from sandboxes.parity.inside.facts import Facts as Noted
from sandboxes.parity.probe import Facts, as_facts
from sandboxes.spec import BOX_GID, BOX_UID, HOSTNAME, Runtime

PATIENCE_S: Final = 5.0
"""How long the released program may take to stand where the gate's shell stood."""
_PAUSE_S: Final = 0.01
_MOUNTS: Final = "mounts:/proc/1/mountinfo "
_VARIABLES: Final = "environment:variable "
_RIGHTS: Final = frozenset(
    {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"}
)
_OF_ITS_OWN_EYES: Final = (" numbers", " propagation")
"""Parts of a mount that the kernel tells each reader otherwise."""
_CGROUPS: Final = frozenset({"cgroup", "cgroup2"})
_SAME_USERS: Final = "0 0 4294967295"


@dataclass(frozen=True, kw_only=True)
class Released:
    """What a box was given to run.

    Attributes:
        command: its program and arguments.
        variables: its whole environment in order: names, and the SHA-256 in hex of each value.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def witness(
    driver: SandboxDriver, box: Box, runtime: Runtime, released: Released, proc: Path = PROC
) -> Facts:
    """Return what the host knows of a box that runs the probe; blocking, and only while it runs.

    Raises:
        ParityError: the box ended before it could be looked at, as one does that answers without looking.
    """
    noted = Noted()
    _released(noted, released)
    if runtime is not Runtime.RUNSC:
        try:
            process = find_process(driver, box, proc)
            _seen(noted, process, released.command, proc)
            confirm_process(driver, box, process, proc)
        except (BoxGoneError, OSError) as gone:
            raise ParityError(
                f"the box ended before the host could look at it; its python3 does not look: {gone}"
            ) from gone
    known = dict(as_facts(noted.rows))
    for name, digest in released.variables.items():
        known |= as_facts({f"{_VARIABLES}{name}": [digest[:12], 0, "(what was released)"]})
    return known


def contradictions(said: Facts, known: Facts) -> tuple[Difference, ...]:
    """Return where a box says otherwise than the host, or tells of what is not there. Pure."""
    asked = [*known, *(key for key in said if key not in known and _is_all_known(key, known))]
    pairs = ((key, said.get(key, ABSENT), known.get(key, ABSENT)) for key in asked)
    return tuple(
        Difference(Why.CONTRADICTED, None, key, (f"the box: {told.text}", f"the host: {seen.text}"))
        for key, told, seen in pairs
        if told.digest != seen.digest
    )


def _is_all_known(key: str, known: Facts) -> bool:
    """Whether the host knows of everything of a sort, so that what it does not know is not there."""
    if key.startswith(_VARIABLES):
        return True
    looked = any(one.startswith(_MOUNTS) for one in known)
    return looked and key.startswith(_MOUNTS) and key.endswith((" kind", " options", " source"))


def _released(noted: Noted, released: Released) -> None:
    words = "".join(f"{word}\0" for word in released.command)
    noted.put("arguments", "command line", words.encode())
    noted.put("environment", "names in order", list(released.variables))
    noted.put("kernel", "uname nodename", HOSTNAME)
    noted.put("users", "ids", ((BOX_UID,) * 3, (BOX_GID,) * 3, [BOX_GID]))


def _seen(noted: Noted, process: BoxProcess, command: tuple[str, ...], proc: Path) -> None:
    first = proc / str(process.pid)
    for name in ("comm", "cmdline"):
        noted.put("processes", f"process 1: {name}", trees.read(str(first / name)))
    noted.put("processes", "process 1: cgroup", _from_its_root((first / "cgroup").read_text()))
    _status(noted, first)
    for name in NAMESPACES:
        noted.put("proc", f"namespace {name}", os.readlink(first / "ns" / name))  # noqa: PTH115 - not a path
    files = parse_limits((first / "limits").read_text()).get("Max open files", ("", ""))
    noted.put("limits", "RLIMIT_NOFILE", tuple(int(limit) for limit in files if limit.isdigit()))
    for key, row in _mounts(trees.read(str(first / "mountinfo"))).items():
        noted.rows[key] = row
    noted.put("environment", "as the kernel has it", _program(process, command, proc))


def _status(noted: Noted, first: Path) -> None:
    """Note its rights; numbers of users only where the box counts them as the host does."""
    same = " ".join((first / "uid_map").read_text().split()) == _SAME_USERS
    for line in (first / "status").read_text().splitlines():
        name = line.split()[0].rstrip(":")
        if name in _RIGHTS and (same or not name.endswith(("id", "Groups"))):
            noted.put("proc", f"/proc/1/status {name}", line)


def _mounts(content: str) -> dict[str, list[object]]:
    found = Noted()
    trees.note_lines(found, "mounts", "/proc/1/mountinfo", content)
    groups = {
        key.removesuffix(" kind")
        for key, row in found.rows.items()
        if key.endswith(" kind") and row[2] in _CGROUPS
    }
    return {
        key: row
        for key, row in found.rows.items()
        if not key.endswith(_OF_ITS_OWN_EYES) and key.removesuffix(" root") not in groups
    }


def _from_its_root(text: str) -> str:
    """Return a list of control groups as one that stands at the root of its namespace reads it."""
    return "".join(f"{line.rpartition(':')[0]}:/\n" for line in text.splitlines())


def _program(process: BoxProcess, command: tuple[str, ...], proc: Path) -> bytes:
    """Return the environment of the released program, once it stands where the gate's shell stood.

    Raises:
        ParityError: another program stands there.
    """
    wanted, seen = [word.encode() for word in command], [b""]
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for child in _children(process, proc):
            seen = (child / "cmdline").read_bytes().split(b"\0")[:-1]
            if seen == wanted:
                return (child / "environ").read_bytes()
        time.sleep(_PAUSE_S)
    names = b" ".join(seen)[:80].decode(errors="replace")
    raise ParityError(f"the box runs {names!r} in place of {command[0]}; its python3 is none")


def _children(process: BoxProcess, proc: Path) -> Iterator[Path]:
    listed = proc / str(process.pid) / "task" / str(process.pid) / "children"
    yield from (proc / number for number in listed.read_text().split())
