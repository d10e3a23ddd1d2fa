"""A box specification as the arguments of the engine's "create container" request. Pure.

Every hardening option stands here and nowhere else; `sandboxes.attest` compares the engine's answer with
exactly these arguments. Source of the field names: Docker Engine API 1.41, "Create a container".
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from sandboxes.constants import PATH
from sandboxes.gate_script import GATE_COMMAND
from sandboxes.spec import HOME, HOSTNAME, BoxSpec, Disk, Mount, Runtime, Tmpfs

MIB = 1024 * 1024
SHM_BYTES = 16 * MIB
SENTRY_PIDS = 256
SENTRY_MEMORY_MIB = 64
OUTSIDE_NAMESERVER = "127.0.0.1"
DISK_KIND = "ext4"
DISK_OPTIONS = ("nodev", "noexec", "nosuid")
# What names the host, its kernel build, its boot, its disks, or what else runs there. Left readable is what
# programs need to find processors and memory; sandboxes/parity/justified.yaml lists what that tells.
MASKED_PROC = (
    "acpi", "asound", "buddyinfo", "bus", "cmdline", "config.gz", "consoles", "crypto", "diskstats", "dma",
    "driver", "fb", "fs", "interrupts", "iomem", "ioports", "irq", "kallsyms", "kcore", "key-users", "keys",
    "latency_stats", "locks", "mdstat", "misc", "modules", "mtrr", "pagetypeinfo", "partitions", "pressure",
    "sched_debug", "schedstat", "scsi", "slabinfo", "softirqs", "swaps", "sys/fs/dentry-state",
    "sys/fs/file-nr", "sys/fs/inode-nr", "sys/fs/inode-state", "sys/fs/quota", "sys/kernel/core_pattern",
    "sys/kernel/osrelease", "sys/kernel/random/boot_id", "sys/kernel/version", "timer_list", "timer_stats",
    "version", "vmallocinfo", "zoneinfo",
)  # fmt: skip
MASKED_SYS = (
    "block", "bus", "devices/LNXSYSTM:00", "devices/pci0000:00", "devices/platform", "devices/pnp0",
    "devices/virtual/bdi", "devices/virtual/block", "devices/virtual/dmi", "devices/virtual/powercap",
    "firmware", "fs/bpf", "fs/btrfs", "fs/erofs", "fs/ext4", "fs/f2fs", "fs/fuse", "fs/pstore", "fs/selinux",
    "fs/xfs", "hypervisor", "kernel/boot_params", "kernel/btf", "kernel/debug", "kernel/iommu_groups",
    "kernel/irq", "kernel/notes", "kernel/security", "kernel/slab", "kernel/software_nodes", "kernel/tracing",
    "kernel/uevent_seqnum", "module", "power",
)  # fmt: skip
MASKED_PATHS = (*(f"/proc/{name}" for name in MASKED_PROC), *(f"/sys/{name}" for name in MASKED_SYS))
READONLY_PATHS = ("/proc/sys", "/proc/sysrq-trigger")


@cache
def seccomp_profile() -> str:
    """Our own allow-list of system calls, as the JSON text the engine takes."""
    return resources.files("sandboxes").joinpath("seccomp.json").read_text(encoding="utf-8")


def create_arguments(
    spec: BoxSpec, labels: Mapping[str, str], *, of_image: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the body of the create request.

    An agent's box gets none of its image's variables: its environment is built up, also that of the first
    process, which an agent may read. A name without a value takes a variable away. A server keeps its own.

    Args:
        spec: the box.
        labels: what the engine keeps beside it; never visible inside.
        of_image: the image's variables, `NAME=value` each.
    """
    command = spec.command or GATE_COMMAND
    given = _start_environment(spec)
    names = [] if spec.stdio else [pair.partition("=")[0] for pair in of_image]
    return {
        "Image": spec.image,
        "Entrypoint": [command[0]],
        "Cmd": list(command[1:]),
        "Env": [
            *(f"{name}={value}" for name, value in given.items()),
            *(name for name in names if name not in given),
        ],
        "User": spec.user,
        "WorkingDir": spec.workdir,
        "Hostname": HOSTNAME,
        "Domainname": "",
        "Labels": dict(labels),
        "OpenStdin": spec.gated or spec.stdio,
        "StdinOnce": False,
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host_config(spec),
    }


def host_config(spec: BoxSpec) -> dict[str, Any]:
    """Return the walls: namespaces, privileges, resources and what is mounted."""
    return {**_isolation(spec), **_resources(spec), **_files(spec)}


def pids_limit(spec: BoxSpec) -> int:
    """Tasks the box may have on the host: what runs inside, and what the runtime itself needs."""
    return spec.limits.pids + (SENTRY_PIDS if spec.runtime is Runtime.RUNSC else 0)


def memory_bytes(spec: BoxSpec) -> int:
    """Memory the box may use on the host in bytes, the runtime's own kernel included."""
    own_mib = SENTRY_MEMORY_MIB if spec.runtime is Runtime.RUNSC else 0
    return (spec.limits.memory_mib + own_mib) * MIB


def _isolation(spec: BoxSpec) -> dict[str, Any]:
    return {
        "Runtime": spec.runtime.value,
        "NetworkMode": "none",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "Init": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
        "ReadonlyRootfs": True,
        "MaskedPaths": list(MASKED_PATHS),
        "ReadonlyPaths": list(READONLY_PATHS),
        "Dns": [OUTSIDE_NAMESERVER],
        "DnsSearch": ["."],
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    }


def _resources(spec: BoxSpec) -> dict[str, Any]:
    limits = spec.limits
    return {
        "Memory": memory_bytes(spec),
        "MemorySwap": memory_bytes(spec),
        "NanoCpus": round(limits.cpus * 1_000_000_000),
        "PidsLimit": pids_limit(spec),
        "ShmSize": SHM_BYTES,
        "Ulimits": [
            {"Name": "nofile", "Soft": limits.nofile, "Hard": limits.nofile},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "LogConfig": {
            "Type": "local",
            "Config": {"max-size": f"{limits.log_mib * 512}k", "max-file": "2", "compress": "false"},
        },
    }


def _files(spec: BoxSpec) -> dict[str, Any]:
    return {
        "Tmpfs": {item.target: tmpfs_options(item, spec) for item in spec.tmpfs},
        "Mounts": [*map(_bind, spec.mounts), *map(_volume, spec.disks)],
    }


def tmpfs_options(item: Tmpfs, spec: BoxSpec) -> str:
    """Mount options of a scratch directory: sized, the user's own, no set-uid bits and no devices."""
    execution = "exec" if item.executable else "noexec"
    owner = f"uid={spec.uid},gid={spec.gid}"
    return f"rw,nosuid,nodev,{execution},size={item.size_mib}m,mode=0700,{owner}"


def _bind(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _volume(disk: Disk) -> dict[str, Any]:
    """Return an anonymous volume: the engine mounts the device at start and forgets it with the box."""
    options = {"type": DISK_KIND, "device": disk.device, "o": ",".join((*DISK_OPTIONS, "discard"))}
    return {
        "Type": "volume",
        "Target": disk.target,
        "VolumeOptions": {"NoCopy": True, "DriverConfig": {"Name": "local", "Options": options}},
    }


def _start_environment(spec: BoxSpec) -> dict[str, str]:
    return {"PATH": PATH, "HOME": HOME, **spec.environment}
