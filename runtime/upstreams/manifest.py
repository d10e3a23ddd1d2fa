"""What an upstream offers, pinned by hashes: tool definitions, resources, prompts, instructions (R-76). Pure.

Only what the profile lets an agent reach is pinned: a tool that it does not name can change as it likes.
A hash is the SHA-256 of the canonical form (RFC 8785) of the definition as the upstream sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from profiles.effects import Effect
from profiles.schema import Profile, RequestKind
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.upstreams.errors import ManifestChangedError

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """Everything one upstream offers, as it sent it; lists that were not asked for are empty."""

    tools: Sequence[Definition] = ()
    resources: Sequence[Definition] = ()
    templates: Sequence[Definition] = ()
    prompts: Sequence[Definition] = ()
    instructions: str | None = None
    capabilities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The pins of all upstreams: upstream, then item such as `tool:search`, then its SHA-256 in hex."""

    pins: Mapping[str, Mapping[str, str]]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over all pins; part of the deployment's digest."""
        return digest_of(self.to_json())

    def to_json(self) -> JsonValue:
        """The pins as a JSON value, to be stored with the deployment."""
        return {name: dict(items) for name, items in self.pins.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Mapping[str, str]]) -> "Manifest":
        """Read what `to_json` wrote."""
        return cls({name: dict(items) for name, items in value.items()})


def pins_of(profile: Profile, upstream: str, offer: Offer) -> dict[str, str]:
    """Return the hash of every item of one upstream that the profile lets an agent reach.

    Args:
        profile: names the tools, and permits resources and prompts or not.
        upstream: the upstream's name in the profile.
        offer: what it offers now. A tool that the profile names and the upstream lacks has no pin.
    """
    named = {spec.tool or name for name, spec in profile.tools.items() if spec.upstream == upstream}
    items = {f"tool:{tool['name']}": tool for tool in offer.tools if tool.get("name") in named}
    if RequestKind.RESOURCES in profile.requests:
        items |= {f"resource:{item.get('uri')}": item for item in offer.resources}
        items |= {f"template:{item.get('uriTemplate')}": item for item in offer.templates}
    if RequestKind.PROMPTS in profile.requests:
        items |= {f"prompt:{item.get('name')}": item for item in offer.prompts}
    pins = {item: digest_of(dict(definition)) for item, definition in items.items()}
    if offer.instructions is not None:
        pins["instructions"] = digest_of(offer.instructions)
    return pins


def verify(upstream: str, pinned: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse an upstream whose pins differ from the deployment's.

    Raises:
        ManifestChangedError: names every item that was changed, added or taken away.
    """
    changed = sorted(item for item in pinned.keys() | now.keys() if pinned.get(item) != now.get(item))
    if changed:
        raise ManifestChangedError(upstream, tuple(changed))


def missing_tools(profile: Profile, upstream: str, offer: Offer) -> tuple[str, ...]:
    """The tools that a profile names and its upstream does not have."""
    offered = {tool.get("name") for tool in offer.tools}
    wanted = ((name, spec) for name, spec in profile.tools.items() if spec.upstream == upstream)
    return tuple(name for name, spec in wanted if (spec.tool or name) not in offered)


def effect_floor(annotations: Mapping[str, Any]) -> Effect:
    """The least effect that a tool's own annotations admit to. They may raise an effect and never lower it.

    A hint that is not set says nothing (MCP 2025-11-25, ToolAnnotations: hints of an untrusted server).
    """
    if annotations.get("readOnlyHint") is True:
        return Effect.READ
    if annotations.get("destructiveHint") is True:
        return Effect.UPDATE
    return Effect.DRAFT if annotations.get("readOnlyHint") is False else Effect.READ
