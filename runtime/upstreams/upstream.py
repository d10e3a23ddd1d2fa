"""One upstream of a run: opened once, its offer read and verified, then asked.

It is started when the run starts, or on the next action if it never could be. One that ended is not started
again within the run: what it knew is gone, and a repeat could do an effect twice. A server that forgot our
session, as one that was started anew does, took nothing up: that action fails, and the next one opens another
session, with what it offers verified again, and asked anew for the subscriptions and the log level it had.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from profiles.schema import Profile, RequestKind
from runtime.upstreams.errors import (
    ManifestChangedError,
    NoSuchTargetError,
    RpcError,
    SessionLostError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamUnavailableError,
)
from runtime.upstreams.manifest import Offer, missing_tools, pins_of, verify
from runtime.upstreams.peers import NO_HOOKS, Hooks, JsonObject, Peer, Strays, handshake
from runtime.upstreams.wishes import Wishes

MAX_PAGES: Final = 100
MAX_ITEMS: Final = 10_000
START_S: Final = 30.0

OpenPeer = Callable[[Strays], Awaitable[Peer]]
"""Opens the wire to one server; the handshake comes after."""


class Upstream:
    """One named upstream of a profile."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        open_peer: OpenPeer,
        *,
        strays: Strays,
        pinned: Mapping[str, str] | None = None,
        on_changed: Callable[[ManifestChangedError], None],
        call_s: float,
    ) -> None:
        """Describe an upstream without opening it.

        Args:
            name: its name in the profile.
            profile: says what of it an agent can reach.
            open_peer: opens the wire.
            strays: takes what belongs to no call, and what we offer to the server.
            pinned: what the deployment pinned; None while a deployment is being made.
            on_changed: told once, when it turns out to offer something else than was pinned.
            call_s: longest call in seconds.
        """
        self.name = name
        self.offer = Offer()
        self._profile = profile
        self._open_peer = open_peer
        self._strays = Strays(self._heard, strays.request, strays.capabilities, self._hears_again)
        self._tell = strays.notice
        self._pinned = pinned
        self._on_changed = on_changed
        self._call_s = call_s
        self._wishes = Wishes()
        self._peer: Peer | None = None
        self._forgotten: list[Peer] = []
        self._lock = asyncio.Lock()
        self._refused: UpstreamError | None = None

    @property
    def pins(self) -> dict[str, str]:
        """The hashes of what it offers now."""
        return pins_of(self._profile, self.name, self.offer)

    async def start(self) -> None:
        """Open it unless it is open.

        Raises:
            ManifestChangedError: it offers something else than the deployment pinned.
            UpstreamUnavailableError: it cannot be started or reached, or a named tool is missing.
        """
        await self._ready()

    async def call(self, method: str, params: Mapping[str, Any], hooks: Hooks = NO_HOOKS) -> JsonObject:
        """Ask it; see `Peer.request` for what is raised."""
        peer = self._peer if self._refused is None and self._peer is not None else await self._ready()
        try:
            answer = await peer.request(method, params, hooks, timeout_s=self._call_s)
        except SessionLostError:
            self._forget(peer)
            raise
        self._wishes.granted(method, params)
        return answer

    async def tell(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Notify it, if it is open."""
        if self._peer is not None:
            await self._peer.notify(method, params)

    async def close(self) -> None:
        """End it."""
        peer, self._peer = self._peer, None
        self._refused = self._refused or UpstreamUnavailableError(f"upstream {self.name} was closed")
        for each in (*self._forgotten, *([peer] if peer is not None else [])):
            await each.close()

    def _forget(self, lost: Peer) -> None:
        """Have the next action open another session; calls that are still under way keep their wire."""
        if self._peer is lost:
            self._peer = None
            self._forgotten.append(lost)

    async def _ready(self) -> Peer:
        async with self._lock:
            if self._refused is not None:
                raise self._refused
            if self._peer is None:
                self._peer = await self._open()
            return self._peer

    async def _open(self) -> Peer:
        peer = await self._open_peer(self._strays)
        try:
            answer = await handshake(peer, self._strays.capabilities, timeout_s=START_S)
            self.offer = await _read_offer(peer, answer, self._profile)
            self._check()
            await self._wishes.repeat(peer, timeout_s=START_S)
        except UpstreamError as error:
            await peer.close()
            if isinstance(error, ManifestChangedError | NoSuchTargetError):
                raise
            raise UpstreamUnavailableError(f"upstream {self.name}: no session: {error}") from error
        except asyncio.CancelledError:
            await peer.close()
            raise
        return peer

    def _check(self) -> None:
        """Compare with what was pinned before anything else: a pinned tool that is gone is a change of it."""
        if self._pinned is not None:
            self._check_pins(self._pinned)
        if missing := missing_tools(self._profile, self.name, self.offer):
            raise NoSuchTargetError(
                f"upstream {self.name}: lacks {', '.join(missing)}; expected every tool that the profile "
                f"names; correct `tools` in the profile"
            )

    def _check_pins(self, pinned: Mapping[str, str]) -> None:
        try:
            verify(self.name, pinned, self.pins)
        except ManifestChangedError as error:
            if self._refused is None:
                self._refused = error
                self._on_changed(error)
            raise

    async def _heard(self, method: str, params: Mapping[str, Any]) -> None:
        """Read the offer again when the server says that it changed; a change of what is pinned ends it."""
        peer = self._peer
        if method.endswith("/list_changed") and peer is not None:
            await self._read_again(peer)
        await self._tell(method, params)

    async def _hears_again(self) -> None:
        """Read the offer anew: it may have changed while nobody could hear; and pass on what did."""
        async with self._lock:  # a session that is being opened reads it, perhaps before this moment
            peer = self._peer
        if peer is None:
            return
        before = self.offer
        await self._read_again(peer)
        for method in _lists_changed(before, self.offer):
            await self._tell(method, {})

    async def _read_again(self, peer: Peer) -> None:
        self.offer = await _read_offer(peer, _as_answer(self.offer), self._profile)
        self._check()


def _lists_changed(before: Offer, now: Offer) -> list[str]:
    """Name the notifications that a server owes for what it offers now and did not before."""
    changed = {
        "tools": before.tools != now.tools,
        "resources": (before.resources, before.templates) != (now.resources, now.templates),
        "prompts": before.prompts != now.prompts,
    }
    return [f"notifications/{kind}/list_changed" for kind, differs in changed.items() if differs]


def _as_answer(offer: Offer) -> JsonObject:
    return {"capabilities": offer.capabilities, "instructions": offer.instructions}


async def _read_offer(peer: Peer, answer: Mapping[str, Any], profile: Profile) -> Offer:
    given = answer.get("capabilities")
    has = given if isinstance(given, dict) else {}
    resources = "resources" in has and RequestKind.RESOURCES in profile.requests
    prompts = "prompts" in has and RequestKind.PROMPTS in profile.requests
    instructions = answer.get("instructions")
    return Offer(
        tools=await _listed(peer, "tools/list", "tools", "name") if "tools" in has else (),
        resources=await _listed(peer, "resources/list", "resources", "uri") if resources else (),
        templates=await _listed(peer, "resources/templates/list", "resourceTemplates", "uriTemplate")
        if resources
        else (),
        prompts=await _listed(peer, "prompts/list", "prompts", "name") if prompts else (),
        instructions=instructions if isinstance(instructions, str) else None,
        capabilities=has,
    )


async def _listed(peer: Peer, method: str, member: str, key: str) -> tuple[JsonObject, ...]:
    items: list[JsonObject] = []
    params: JsonObject = {}
    for _ in range(MAX_PAGES):
        try:
            page = await peer.request(method, params, timeout_s=START_S)
        except RpcError:
            return ()  # it declared the capability and does not serve this list
        found = page.get(member)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise UpstreamProtocolError(f"{method} answered without a list `{member}` of objects")
        items += found
        if len(items) > MAX_ITEMS:
            break
        if not isinstance(cursor := page.get("nextCursor"), str):
            _check_names(method, key, items)
            return tuple(items)
        params = {"cursor": cursor}
    raise UpstreamProtocolError(f"{method} has more than {MAX_PAGES} pages or {MAX_ITEMS} items")


def _check_names(method: str, key: str, items: list[JsonObject]) -> None:
    """Refuse what has no name or shares it: what is shown, pinned and called must be one and the same."""
    names: set[str] = set()
    for item in items:
        name = item.get(key)
        if not isinstance(name, str) or name in names:
            raise UpstreamProtocolError(
                f"{method} answered {key} {name!r:.80}, expected text, each only once"
            )
        names.add(name)
