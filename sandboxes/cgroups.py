"""The limits a box's control group really has, read from the host's files, version 1 and version 2.

Sources: kernel documentation, admin-guide/cgroup-v1/memory.rst, scheduler/sched-bwc.rst,
cgroup-v1/pids.rst, and admin-guide/cgroup-v2.rst.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandboxes.host_view import PROC, parse_mounts

_V2_DEFAULT_PERIOD_US = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupLimits:
    """None is "no limit found". Swap is what may be used beyond memory; `cpus` counts processors."""

    memory_bytes: int | None
    swap_bytes: int | None
    pids: int | None
    cpus: float | None
    procs_files: tuple[Path, ...]


def read_limits(cgroups: Mapping[str, str], proc: Path = PROC) -> CgroupLimits:
    """Read the limits of the control groups a process stands in.

    Args:
        cgroups: controller to path, as in /proc/pid/cgroup.
        proc: where the host's proc file system is mounted.
    """
    homes = cgroup_homes(cgroups, (proc / "self" / "mountinfo").read_text(encoding="utf-8"))
    if "memory" in homes:
        return _version_1(homes)
    return _version_2(homes[""]) if "" in homes else _nothing()


def cgroup_homes(cgroups: Mapping[str, str], mountinfo: str) -> dict[str, Path]:
    """Where on this host the directory of each controller is; the empty name is version 2."""
    homes: dict[str, Path] = {}
    for mount in parse_mounts(mountinfo):
        if mount.kind == "cgroup":
            names = [name for name in cgroups if name and name in mount.super_options]
        else:
            names = [""] if mount.kind == "cgroup2" and "" in cgroups else []
        for name in names:
            below = cgroups[name].removeprefix(mount.root if mount.root != "/" else "")
            homes.setdefault(name, Path(mount.target) / below.lstrip("/"))
    return homes


def _version_1(homes: Mapping[str, Path]) -> CgroupLimits:
    memory = _number(homes.get("memory"), "memory.limit_in_bytes")
    both = _number(homes.get("memory"), "memory.memsw.limit_in_bytes")
    quota = _number(homes.get("cpu"), "cpu.cfs_quota_us")
    period = _number(homes.get("cpu"), "cpu.cfs_period_us")
    return CgroupLimits(
        memory_bytes=memory,
        swap_bytes=both - memory if both is not None and memory is not None else None,
        pids=_number(homes.get("pids"), "pids.max"),
        cpus=quota / period if quota is not None and quota > 0 and period else None,
        procs_files=tuple(home / "cgroup.procs" for name, home in homes.items() if name),
    )


def _version_2(home: Path) -> CgroupLimits:
    quota, _, period = _text(home, "cpu.max").partition(" ")
    return CgroupLimits(
        memory_bytes=_number(home, "memory.max"),
        swap_bytes=_number(home, "memory.swap.max"),
        pids=_number(home, "pids.max"),
        cpus=int(quota) / int(period or _V2_DEFAULT_PERIOD_US) if quota.isdigit() else None,
        procs_files=(home / "cgroup.procs",),
    )


def _nothing() -> CgroupLimits:
    return CgroupLimits(memory_bytes=None, swap_bytes=None, pids=None, cpus=None, procs_files=())


def _number(home: Path | None, name: str) -> int | None:
    text = _text(home, name) if home else ""
    return int(text) if text.lstrip("-").isdigit() else None


def _text(home: Path, name: str) -> str:
    """A file's text; an absent file is an absent limit, which no check takes for a small one."""
    path = home / name
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
