"""From a profile to the boxes it needs. Pure, and blind: no tier, run or agent name is an argument here."""

from collections.abc import Iterable, Mapping
from posixpath import normpath

from profiles.schema import Limits, Profile, StdioUpstream
from sandboxes.spec import HOME, BoxLimits, BoxSpec, Disk, Mount, Runtime, Tmpfs

UPSTREAM_SCRATCH_MIB = 64


def agent_box(
    profile: Profile,
    image: str,
    *,
    runtime: Runtime,
    labels: Mapping[str, str],
) -> BoxSpec:
    """Describe the agent's own box, which waits behind its stdin gate.

    Args:
        profile: whose limits hold.
        image: digest of the deployment's image.
        runtime: the walls asked for.
        labels: kept by the engine, unseen inside.
    """
    return BoxSpec(
        image=image,
        limits=_limits(profile.limits, profile.limits.memory_mib, profile.limits.pids),
        tmpfs=_scratch(profile.limits.scratch_mib),
        runtime=runtime,
        labels=labels,
    )


def upstream_box(
    profile: Profile,
    upstream: StdioUpstream,
    image: str,
    *,
    environment: Mapping[str, str],
    mounts: tuple[Mount, ...],
    disks: tuple[Disk, ...],
    runtime: Runtime,
    labels: Mapping[str, str],
) -> BoxSpec:
    """Describe the box of a server that speaks over stdin and stdout.

    Args:
        profile: whose wall-clock limit and processor share hold; an upstream lives as long as its run.
        upstream: the profile's entry.
        image: digest of the upstream's image.
        environment: the whole environment, credentials of this upstream included.
        mounts: its volumes that are directories of the host.
        disks: its volumes that are file systems of their own.
        runtime: the walls asked for.
        labels: kept by the engine, unseen inside.
    """
    return BoxSpec(
        image=image,
        command=upstream.command,
        environment=environment,
        limits=_limits(profile.limits, upstream.memory_mib, upstream.pids),
        tmpfs=_scratch(UPSTREAM_SCRATCH_MIB),
        mounts=mounts,
        disks=disks,
        runtime=runtime,
        stdio=True,
        labels=labels,
    )


def stray_volumes(volumes: Iterable[str], targets: Iterable[str] = ()) -> tuple[str, ...]:
    """Return where an image would have something mounted that is in no description of its box.

    The engine makes an anonymous volume for each `VOLUME` of an image, unless something of ours is mounted
    at the same path: scratch space, or a volume of the profile's.

    Args:
        volumes: paths of the image's `VOLUME` instructions.
        targets: paths of the volumes that the profile gives a box of it.
    """
    ours = {normpath(path) for path in (*targets, *(item.target for item in _scratch(UPSTREAM_SCRATCH_MIB)))}
    return tuple(sorted(path for path in volumes if normpath(path) not in ours))


def _limits(limits: Limits, memory_mib: int, pids: int) -> BoxLimits:
    return BoxLimits(memory_mib=memory_mib, cpus=limits.cpus, pids=pids, wall_seconds=limits.wall_seconds)


def _scratch(size_mib: int) -> tuple[Tmpfs, ...]:
    temporary = Tmpfs(target="/tmp", size_mib=size_mib)  # noqa: S108 - a path inside the box, private to it
    return (temporary, Tmpfs(target=HOME, size_mib=size_mib, executable=True))
