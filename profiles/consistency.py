"""Checks across the parts of a profile that no single part can make. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from posixpath import normpath
from typing import TypeVar

from profiles.base import Place
from profiles.effects import Effect
from profiles.endpoints import HIGHEST_PORT, endpoint_findings
from profiles.findings import Finding
from profiles.known import is_too_wide
from profiles.memory_consistency import memory_findings
from profiles.never_consistency import fits, rule_findings
from profiles.schema import (
    ArgumentRole,
    ArgumentSpec,
    ArgumentType,
    EffectByArgument,
    Profile,
    StdioUpstream,
    ToolSpec,
)

_TEXT_ROLES = frozenset(ArgumentRole) - {ArgumentRole.AMOUNT, ArgumentRole.OPTION, ArgumentRole.ID}
_NUMBERS = frozenset({ArgumentType.INTEGER, ArgumentType.NUMBER})
_Item = TypeVar("_Item")
_SYSTEM = frozenset({"dev", "etc", "proc", "sys"})
_ALL = "*"
_NOT_ALL = 'got "*", expected each value by its name; nothing stands for all'


def profile_findings(profile: Profile) -> Iterator[Finding]:
    """List everything in a profile that contradicts another part of it.

    Args:
        profile: A profile whose parts are each well formed.

    Yields:
        The findings; none means the profile can be used.
    """
    yield from _tools(profile)
    for name, tool in profile.tools.items():
        yield from _arguments(("tools", name, "args"), tool)
    for name, upstream in profile.upstreams.items():
        if isinstance(upstream, StdioUpstream):
            yield from _stdio(("upstreams", name), upstream)
    yield from _command((), profile.command)
    yield from _known(profile.known.hosts)
    yield from endpoint_findings(profile.upstreams)
    yield from memory_findings(profile)
    yield from _sources(profile)
    yield from _limits(profile)
    yield from rule_findings(profile.never, profile.tools)


def _tools(profile: Profile) -> Iterator[Finding]:
    owners: dict[tuple[str, str], str] = {}
    for name, tool in profile.tools.items():
        if tool.upstream not in profile.upstreams:
            known = ", ".join(profile.upstreams) or "none"
            yield Finding(("tools", name, "upstream"), f"got {tool.upstream!r}, expected one of: {known}")
        if isinstance(tool.effect, EffectByArgument) and _ALL in tool.effect.values:
            yield Finding(("tools", name, "effect", "values", _ALL), _NOT_ALL)
        if name in profile.upstreams:
            yield Finding(("tools", name), "got the name of an upstream, expected one that is not taken")
        other = owners.setdefault((tool.upstream, tool.tool or name), name)
        if other != name:
            said = f"got the same tool of {tool.upstream!r} as {other!r}, expected one entry for it"
            yield Finding(("tools", name), said)


def _arguments(place: Place, tool: ToolSpec) -> Iterator[Finding]:
    for name, spec in tool.args.items():
        for message in _argument(spec):
            yield Finding((*place, name), message)
        if spec.values is not None and _ALL in spec.values:
            yield Finding((*place, name, "values"), _NOT_ALL)


def _argument(spec: ArgumentSpec) -> Iterator[str]:
    if spec.role in _TEXT_ROLES and spec.type not in (ArgumentType.TEXT, ArgumentType.OBJECT):
        yield f"type: got {spec.type.value}, expected text (or object) for the role {spec.role.value}"
    if spec.role is ArgumentRole.AMOUNT and spec.type not in (*_NUMBERS, ArgumentType.TEXT):
        yield f"type: got {spec.type.value}, expected number, integer or text for an amount"
    if spec.max is not None and spec.type not in _NUMBERS and spec.role is not ArgumentRole.AMOUNT:
        yield f"max: got one for {spec.type.value}, expected it only for numbers (max_length is for text)"
    if spec.max_length is not None and spec.type is not ArgumentType.TEXT:
        yield f"max_length: got one for {spec.type.value}, expected it only for text"
    if spec.values is not None and not all(fits(value, spec) for value in spec.values):
        yield f"values: got a value of another type, expected only {spec.type.value}"


def _stdio(place: Place, upstream: StdioUpstream) -> Iterator[Finding]:
    for name in set(upstream.env) & set(upstream.credentials):
        yield Finding((*place, "env", name), "got it under env and credentials, expected one of them")
    yield from _command(place, upstream.command)
    for path in _repeated(volume.target for volume in upstream.volumes):
        yield Finding((*place, "volumes"), f"got the target {path} twice, expected it once")
    for index, volume in enumerate(upstream.volumes):
        yield from _target((*place, "volumes", index, "target"), volume.target)
        if volume.read_only and volume.size_mib is not None:
            said = "got a size for a volume that is only read, expected `read_only: false` beside it"
            yield Finding((*place, "volumes", index, "size_mib"), said)
    for port in _repeated(target.port for target in upstream.tcp.values()):
        yield Finding((*place, "tcp"), f"got port {port} twice, expected it once")
    for name, target in upstream.tcp.items():
        if not 0 < int(target.to.rpartition(":")[2]) <= HIGHEST_PORT:
            yield Finding(
                (*place, "tcp", name, "to"), f"got {target.to!r}, expected a port from 1 to {HIGHEST_PORT}"
            )


def _command(place: Place, command: Sequence[str]) -> Iterator[Finding]:
    if command and not command[0].strip():
        yield Finding((*place, "command", 0), f"got {command[0]!r}, expected the name of a program")


def _target(place: Place, target: str) -> Iterator[Finding]:
    """Refuse a path that could be another one than it seems, and the directories that make the box a box."""
    if target != normpath(target) or target.startswith("//"):
        said = "expected a path without `.`, `..`, `//` and a slash at its end"
        yield Finding(place, f"got {target!r}, {said}")
    elif (top := target.split("/")[1]) in _SYSTEM:
        said = f"expected a directory outside of /{top}, which belongs to the box"
        yield Finding(place, f"got {target!r}, {said}")


def _known(hosts: Sequence[str]) -> Iterator[Finding]:
    for index, host in enumerate(hosts):
        if is_too_wide(host):
            said = "expected hosts under a domain that belongs to somebody, such as *.example.com"
            yield Finding(("known", "hosts", index), f"got {host!r}, {said}")


def _sources(profile: Profile) -> Iterator[Finding]:
    named = {"trusted": profile.sources.trusted, "untrusted": profile.sources.untrusted}
    for key, names in named.items():
        for name in names:
            if name not in profile.upstreams and name not in profile.tools:
                yield Finding(("sources", key), f"got {name!r}, expected the name of an upstream or tool")
    for name in set(profile.sources.trusted) & set(profile.sources.untrusted):
        yield Finding(("sources",), f"got {name!r} as trusted and untrusted, expected one of them")


def _limits(profile: Profile) -> Iterator[Finding]:
    amounts = [name for name, tool in profile.tools.items() if tool.with_role(ArgumentRole.AMOUNT)]
    if amounts and not profile.limits.max_amount:
        said = f"got 0 while {amounts[0]} takes an amount, expected the largest amount that is in order"
        yield Finding(("limits", "max_amount"), said)
    if profile.limits.fan_out > profile.limits.actions_per_run:
        yield Finding(("limits", "fan_out"), "got more than actions_per_run, expected at most that")
    if Effect.READ in profile.hold_above_tier:
        yield Finding(("hold_above_tier",), "got read, expected classes above it: no tier is below read")
    for effect in _repeated(profile.hold_above_tier):
        yield Finding(("hold_above_tier",), f"got {effect.value} twice, expected it once")


def _repeated(items: Iterable[_Item]) -> list[_Item]:
    return [item for item, count in Counter(items).items() if count > 1]
