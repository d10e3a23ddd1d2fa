"""Starts or reaches the server behind an upstream: in a box, over HTTP, or on the host where signed for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from profiles.endpoints import NoEndpointError, in_setting
from profiles.policy import Policy
from profiles.schema import HttpUpstream, MemoryUpstream, Profile, StdioUpstream
from profiles.schema import Upstream as UpstreamSpec
from profiles.setting import Setting
from runtime.errors import KeyFileError
from runtime.upstreams.boxed import BoxRoom, start_boxed
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.http_peer import HttpPeer
from runtime.upstreams.http_wire import http_client
from runtime.upstreams.peers import Peer, Strays
from runtime.upstreams.process import start_process
from runtime.upstreams.stdio_peer import Lines, StdioPeer

REPLY_SLACK: Final = 65536

Credentials = Callable[[str], str]
"""Gives the secret behind a credential's name, or raises KeyError. Asked at each use, kept nowhere."""

Memories = Callable[[MemoryUpstream], Peer]
"""Makes the wire to a memory with these limits."""


def no_credentials(name: str) -> str:
    """There are none."""
    raise KeyError(name)


@dataclass(frozen=True)
class ServerOpener:
    """Opens the upstreams of one profile.

    Attributes:
        profile: whose upstreams these are.
        policy: says which of them may run as a process of this host.
        boxes: where boxed servers are made; None where there is no engine.
        credentials: gives secrets by name.
        setting: which of an upstream's endpoints is opened; never another's.
        memory: makes the wire to the agent's memory; None where there is none.
    """

    profile: Profile
    policy: Policy
    boxes: BoxRoom | None = None
    credentials: Credentials = field(default=no_credentials, repr=False)
    setting: Setting = Setting.PRODUCTION
    memory: Memories | None = None

    async def open(self, name: str, spec: UpstreamSpec, strays: Strays) -> Peer:
        """Start or reach a server; see `runtime.upstreams.upstreams.Opener`."""
        spec = self._in_setting(name, spec)
        if isinstance(spec, HttpUpstream):
            return self._open_http(name, spec, strays)
        if isinstance(spec, MemoryUpstream):
            return self._open_memory(name, spec)
        peer = StdioPeer(await self._lines(name, spec), strays, reply_bytes=self._reply_bytes)
        peer.begin()
        return peer

    def _in_setting(self, name: str, spec: UpstreamSpec) -> UpstreamSpec:
        try:
            return in_setting(name, spec, self.setting)
        except NoEndpointError as gap:
            raise UpstreamUnavailableError(str(gap)) from gap

    @property
    def _reply_bytes(self) -> int:
        return self.profile.limits.result_bytes + REPLY_SLACK

    def _open_http(self, name: str, spec: HttpUpstream, strays: Strays) -> Peer:
        def headers() -> Mapping[str, str]:
            given = spec.credential
            return {} if given is None else {given.header.lower(): self._secret(name, given.name)}

        return HttpPeer(http_client(), spec.url, strays, headers=headers, reply_bytes=self._reply_bytes)

    def _open_memory(self, name: str, spec: MemoryUpstream) -> Peer:
        if self.memory is None:
            raise UpstreamUnavailableError(
                f"upstream {name}: no memories are kept here, expected serve's own"
            )
        return self.memory(spec)

    async def _lines(self, name: str, spec: StdioUpstream) -> Lines:
        secrets = {variable: self._secret(name, secret) for variable, secret in spec.credentials.items()}
        environment = {**spec.env, **secrets}
        if spec.host:
            return await self._on_host(name, spec, environment)
        if self.boxes is None:
            raise UpstreamUnavailableError(f"upstream {name}: no container engine, expected one for its box")
        return await start_boxed(self.boxes, self.profile, name, spec, environment)

    async def _on_host(self, name: str, spec: StdioUpstream, environment: Mapping[str, str]) -> Lines:
        entry = f"{self.profile.profile}/{name}"
        if entry not in self.policy.ceiling.host_upstreams:
            raise UpstreamUnavailableError(
                f"upstream {name}: `host: true` needs the policy's consent; expected {entry!r} under "
                f"`ceiling.host_upstreams`, signed by two persons; or let it run in a box"
            )
        try:
            return await start_process(spec.command, environment)
        except OSError as cause:
            raise UpstreamUnavailableError(f"upstream {name}: cannot be started: {cause}") from cause

    def _secret(self, name: str, secret: str) -> str:
        try:
            return self.credentials(secret)
        except KeyError as cause:
            place = "credentials" if self.setting is Setting.PRODUCTION else f"{self.setting}/credentials"
            raise UpstreamUnavailableError(
                f"upstream {name}: no credential named {secret!r} in {self.setting}; expected a file of that "
                f"name in `{place}` of the state directory; enter it and try again"
            ) from cause
        except KeyFileError as cause:
            raise UpstreamUnavailableError(f"upstream {name}: {cause}") from cause
