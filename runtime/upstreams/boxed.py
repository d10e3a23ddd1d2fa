"""A stdio server in a box of its own: its streams, its listeners to named TCP services, its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from profiles.schema import Profile, StdioUpstream
from runtime.clock import Clock, utc_now
from runtime.threads import making
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.tcp import TcpForwarder
from sandboxes.attest import attest
from sandboxes.channel import Channel, open_channel
from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import BoxStartError, SandboxError, VolumeError
from sandboxes.plan import upstream_box
from sandboxes.removal import remove_surely
from sandboxes.spec import BoxSpec, Runtime
from sandboxes.stdio import LINE_LIMIT_BYTES, Stdio
from sandboxes.volumes import OpenVolumes, VolumeStore


@dataclass(frozen=True)
class BoxRoom:
    """What is needed to make boxes.

    Attributes:
        driver: the engine.
        owner: the state directory's id.
        volumes: what stands behind the volumes that a profile may name; None where there are none.
        runtime: the walls.
        labels: kept by the engine; never visible inside.
        now: gives the moment from which a box's lifetime counts.
    """

    driver: SandboxDriver
    owner: str
    volumes: VolumeStore | None = None
    runtime: Runtime = Runtime.RUNC
    labels: Mapping[str, str] = field(default_factory=dict)
    now: Clock = utc_now


class BoxedLines:
    """The streams of a boxed server; closing them ends the box and lets go of its volumes."""

    def __init__(self, room: BoxRoom, box: Box, stdio: Stdio, volumes: OpenVolumes) -> None:
        """Take over a box that was made and not yet started."""
        self.forwarder = TcpForwarder()
        self.channel: Channel | None = None
        self._room = room
        self._box = box
        self._stdio = stdio
        self._volumes = volumes

    async def readline(self, limit: int = LINE_LIMIT_BYTES) -> bytes:
        """Return the next line of stdout; ValueError when it is longer than `limit`."""
        return await self._stdio.readline(limit)

    async def write(self, data: bytes) -> None:
        """Write to stdin."""
        await self._stdio.write(data)

    async def close(self) -> None:
        """Cut everything and remove the box."""
        await self.forwarder.close()
        if self.channel is not None:
            self.channel.close()
        await self._stdio.close()
        try:
            await asyncio.to_thread(remove_surely, self._room.driver, self._box)
        finally:
            self._volumes.close()


async def start_boxed(
    room: BoxRoom, profile: Profile, name: str, spec: StdioUpstream, environment: Mapping[str, str]
) -> BoxedLines:
    """Make a box for a server, start it and prove it; not a byte is said to the server before.

    Args:
        room: what is needed to make it.
        profile: whose lifetime and processor share hold.
        name: the upstream's name, for messages.
        spec: the profile's entry.
        environment: the server's whole environment, its credentials included.

    Raises:
        UpstreamUnavailableError: a volume cannot be had, the engine refused, or the box is not as it should
            be; nothing is left over.
    """
    volumes = OpenVolumes()
    try:
        volumes = await making(lambda: _open_volumes(room, spec), OpenVolumes.close)
        described = await asyncio.to_thread(_describe, room, profile, spec, environment, volumes)
        return await _start(room, name, described, spec, volumes)
    except BaseException as cause:
        volumes.close()
        if isinstance(cause, SandboxError):
            raise UpstreamUnavailableError(f"upstream {name}: no box could be made: {cause}") from cause
        raise


def _open_volumes(room: BoxRoom, spec: StdioUpstream) -> OpenVolumes:
    if not spec.volumes:
        return OpenVolumes()
    if room.volumes is None:
        raise VolumeError(f"no directory for volume {spec.volumes[0].source!r}: there are no volumes here")
    return room.volumes.open(spec.volumes)


def _describe(
    room: BoxRoom,
    profile: Profile,
    spec: StdioUpstream,
    environment: Mapping[str, str],
    volumes: OpenVolumes,
) -> BoxSpec:
    return upstream_box(
        profile,
        spec,
        room.driver.image(spec.image).digest,
        environment=environment,
        mounts=volumes.mounts,
        disks=volumes.disks,
        runtime=room.runtime,
        labels=room.labels,
    )


def _create(room: BoxRoom, described: BoxSpec) -> Box:
    return room.driver.create(described, owner=room.owner, now=room.now())


async def _start(
    room: BoxRoom, name: str, described: BoxSpec, spec: StdioUpstream, volumes: OpenVolumes
) -> BoxedLines:
    box = await making(lambda: _create(room, described), room.driver.remove)
    try:
        return await _begin(room, box, described, spec, volumes)
    except BaseException as cause:
        await asyncio.to_thread(remove_surely, room.driver, box)
        if isinstance(cause, SandboxError):
            raise UpstreamUnavailableError(
                f"upstream {name}: its box did not start: {cause}{_repair(cause, volumes)}"
            ) from cause
        raise


def _repair(cause: SandboxError, volumes: OpenVolumes) -> str:
    """Say what to do if it was for a volume that the engine could not start a box."""
    if not isinstance(cause, BoxStartError) or not volumes.images:
        return ""
    files = " ".join(map(str, volumes.images))
    return f"; if a volume cannot be mounted, repair its image: e2fsck -f {files}"


async def _begin(
    room: BoxRoom, box: Box, described: BoxSpec, spec: StdioUpstream, volumes: OpenVolumes
) -> BoxedLines:
    lines = BoxedLines(room, box, await room.driver.attach_stdio(box), volumes)
    try:
        await asyncio.to_thread(room.driver.start, box)
        if ports := tuple(target.port for target in spec.tcp.values()):
            lines.channel = await making(lambda: open_channel(room.driver, box, ports), Channel.close)
            await lines.forwarder.open(lines.channel.listeners, spec.tcp)
        await asyncio.to_thread(attest, room.driver, box, described)
    except BaseException:
        await lines.close()
        raise
    return lines
