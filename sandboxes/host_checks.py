"""What the host's kernel says about a box's process, against the specification. Pure.

This witness cannot be talked round: /proc and the control groups show what is applied, whatever the
engine was asked for and whatever the inside claims.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sandboxes.cgroups import CgroupLimits
from sandboxes.docker_options import (
    DISK_KIND,
    DISK_OPTIONS,
    MASKED_PATHS,
    READONLY_PATHS,
    SHM_BYTES,
    memory_bytes,
    pids_limit,
)
from sandboxes.host_view import HostView, MountLine
from sandboxes.proof import Check, Source, equal
from sandboxes.spec import BoxSpec, Disk, Runtime

SEPARATE = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
_WRITABLE = frozenset(("/proc", "/dev", "/dev/pts", "/dev/mqueue", "/dev/shm", "/sys/fs/cgroup"))  # noqa: S108
_SHARED_MARK = ("NoNewPrivs", "Seccomp", *CAPABILITY_SETS, "Uid", "Gid")
_SENTRY_NOTE = "of the sentry, the user-space kernel that stands between the box and the host"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEvidence:
    """All that was read on the host about one box.

    Attributes:
        host_namespaces: those no box may share, by kind.
        existing: masked and read-only paths that this kernel has at all.
        siblings: the status of the box's other processes.
        mounted: device and inode of what the box has at the targets of its mounts; None where it has nothing.
    """

    view: HostView
    limits: CgroupLimits
    host_namespaces: Mapping[str, frozenset[int]]
    existing: frozenset[str]
    siblings: tuple[Mapping[str, str], ...] = ()
    mounted: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)


def host_checks(spec: BoxSpec, evidence: HostEvidence) -> tuple[Check, ...]:
    """Compare what the host sees with the specification."""
    shared = [*_network_checks(evidence), *_limit_checks(spec, evidence.limits)]
    if spec.runtime is Runtime.RUNSC:
        return (*shared, *_sentry_checks(evidence.view))
    own = [
        *_privilege_checks(spec, evidence),
        *_namespace_checks(evidence),
        *_rlimit_checks(spec, evidence.view),
    ]
    return (*shared, *own, *_mount_checks(spec, evidence))


def _privilege_checks(spec: BoxSpec, evidence: HostEvidence) -> Iterator[Check]:
    status, uid_map = evidence.view.status, evidence.view.uid_map
    yield _equal("uid", _four_times(host_id(spec.uid, uid_map)), status.get("Uid"))
    yield _equal("gid", _four_times(host_id(spec.gid, uid_map)), status.get("Gid"))
    yield _equal("groups", str(host_id(spec.gid, uid_map)), status.get("Groups"))
    for name in CAPABILITY_SETS:
        yield _equal(name, "0" * 16, status.get(name))
    yield _equal("NoNewPrivs", "1", status.get("NoNewPrivs"))
    yield _equal("Seccomp", "2", status.get("Seccomp"))
    others = [
        other for other in evidence.siblings if any(other.get(k) != status.get(k) for k in _SHARED_MARK)
    ]
    names = ", ".join(sorted(other.get("Name", "?") for other in others))
    yield _equal("processes with other privileges", "", names)


def _namespace_checks(evidence: HostEvidence) -> Iterator[Check]:
    for kind in SEPARATE:
        separate = _separate(evidence, kind)
        yield Check(
            f"{kind} namespace", Source.HOST, "its own", "its own" if separate else "the host's", separate
        )


def _network_checks(evidence: HostEvidence) -> Iterator[Check]:
    yield _equal("network interfaces", "lo", " ".join(evidence.view.interfaces))
    separate = _separate(evidence, "net")
    yield Check("network", Source.HOST, "its own", "its own" if separate else "the host's", separate)


def _separate(evidence: HostEvidence, kind: str) -> bool:
    theirs, hosts = evidence.view.namespaces.get(kind), evidence.host_namespaces.get(kind)
    return theirs is not None and bool(hosts) and theirs not in (hosts or ())


def _limit_checks(spec: BoxSpec, limits: CgroupLimits) -> Iterator[Check]:
    yield equal("memory limit", Source.HOST, memory_bytes(spec), limits.memory_bytes)
    yield equal("swap limit", Source.HOST, 0, limits.swap_bytes)
    yield equal("pids limit", Source.HOST, pids_limit(spec), limits.pids)
    cpus = round(limits.cpus, 2) if limits.cpus is not None else None
    yield equal("cpu limit", Source.HOST, round(spec.limits.cpus, 2), cpus)


def _rlimit_checks(spec: BoxSpec, view: HostView) -> Iterator[Check]:
    files = str(spec.limits.nofile)
    yield equal("open files limit", Source.HOST, (files, files), view.limits.get("Max open files"))
    yield equal("core dump limit", Source.HOST, ("0", "0"), view.limits.get("Max core file size"))


def _mount_checks(spec: BoxSpec, evidence: HostEvidence) -> Iterator[Check]:
    by_target = {mount.target: mount for mount in evidence.view.mounts}
    root = by_target.get("/")
    yield _equal("root file system", "ro", "ro" if root and "ro" in root.options else "rw")
    yield _equal("unexpected writable mounts", "", " ".join(_unexpected(spec, evidence.view.mounts)))
    for path in MASKED_PATHS:
        if path in evidence.existing:
            yield _equal(f"masked {path}", "covered", "covered" if path in by_target else "open")
    for path in READONLY_PATHS:
        if path in evidence.existing:
            mount = by_target.get(path)
            yield _equal(f"read-only {path}", "ro", "ro" if mount and "ro" in mount.options else "rw")
    sizes = {item.target: item.size_mib * 1024 for item in spec.tmpfs} | {"/dev/shm": SHM_BYTES // 1024}  # noqa: S108
    for target, kib in sizes.items():
        yield _scratch_check(target, kib, by_target.get(target))
    for shared in spec.mounts:
        if shared.identity is not None:
            found = evidence.mounted.get(shared.target)
            yield equal(f"mount {shared.target}", Source.HOST, shared.identity, found)
    for disk in spec.disks:
        yield _disk_check(disk, by_target.get(disk.target))


def _scratch_check(target: str, kib: int, mount: MountLine | None) -> Check:
    wanted = f"tmpfs nodev nosuid size={kib}k"
    if mount is None:
        return _equal(f"scratch {target}", wanted, "no mount")
    size = next((option for option in sorted(mount.super_options) if option.startswith("size=")), "no size")
    found = " ".join([mount.kind, *sorted(mount.options & {"nodev", "nosuid"}), size])
    return _equal(f"scratch {target}", wanted, found)


def _disk_check(disk: Disk, mount: MountLine | None) -> Check:
    wanted = " ".join([DISK_KIND, disk.device, "/", *sorted(DISK_OPTIONS)])
    if mount is None:
        return _equal(f"disk {disk.target}", wanted, "no mount")
    options = sorted(mount.options & frozenset(DISK_OPTIONS))
    found = " ".join([mount.kind, mount.source, mount.root, *options])
    return _equal(f"disk {disk.target}", wanted, found)


def _unexpected(spec: BoxSpec, mounts: Sequence[MountLine]) -> list[str]:
    own = {item.target for item in spec.tmpfs} | {item.target for item in spec.disks}
    shared = {item.target for item in spec.mounts if not item.read_only}
    known = _WRITABLE | own | shared | frozenset(MASKED_PATHS)
    return sorted(mount.target for mount in mounts if "rw" in mount.options and mount.target not in known)


def _sentry_checks(view: HostView) -> Iterator[Check]:
    for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")):
        got = view.status.get(name)
        yield Check(f"sentry {name}", Source.HOST, wanted, str(got), got == wanted, _SENTRY_NOTE)


def host_id(inside_id: int, id_map: str) -> int | None:
    """A box's user number as the host counts it (user_namespaces(7): inside, outside, length)."""
    numbers = [int(word) for word in id_map.split()]
    for first, outside, length in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False):
        if first <= inside_id < first + length:
            return outside + inside_id - first
    return None


def _four_times(number: int | None) -> str:
    return " ".join([str(number)] * 4)


def _equal(name: str, expected: str, got: str | None) -> Check:
    return Check(name, Source.HOST, expected or "none", got or "none", (got or "") == expected)
