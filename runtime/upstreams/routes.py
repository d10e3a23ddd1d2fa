"""From an action to the upstream that serves it and the MCP request that asks for it. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from profiles.schema import Profile, RequestKind
from runtime.gate.actions import Action, ActionKind
from runtime.upstreams.errors import NoSuchTargetError
from runtime.upstreams.manifest import Offer

_EXPRESSION: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Route:
    """One MCP request to one upstream."""

    upstream: str
    method: str
    params: Mapping[str, Any]


def route(profile: Profile, offers: Mapping[str, Offer], action: Action) -> tuple[Route, ...]:
    """Return the requests that carry out an action; more than one only for logging.

    Args:
        profile: names the tools and their upstreams.
        offers: what each upstream offers, for resources, prompts and completion.
        action: what to do.

    Raises:
        NoSuchTargetError: no upstream offers it.
    """
    match action.kind:
        case ActionKind.TOOL:
            return (_tool(profile, action),)
        case ActionKind.RESOURCE:
            return (Route(_of_resource(offers, action.tool), "resources/read", {"uri": action.tool}),)
        case ActionKind.PROMPT:
            params = {"name": action.tool, "arguments": dict(action.args)}
            return (Route(_of_prompt(offers, action.tool), "prompts/get", params),)
        case ActionKind.COMPLETION:
            return (Route(_of_reference(offers, action), "completion/complete", dict(action.args)),)
        case ActionKind.REQUEST:
            return tuple(_requests(offers, action))
        case ActionKind.MODEL:
            raise NoSuchTargetError(
                f"model {action.tool}: a model is no upstream, expected the model gateway"
            )


def _tool(profile: Profile, action: Action) -> Route:
    spec = profile.tools.get(action.tool)
    if spec is None:
        raise NoSuchTargetError(f"tool {action.tool!r}: expected one that the profile names")
    return Route(
        spec.upstream, "tools/call", {"name": spec.tool or action.tool, "arguments": dict(action.args)}
    )


def _requests(offers: Mapping[str, Offer], action: Action) -> Iterator[Route]:
    if action.tool == RequestKind.LOGGING:
        for name, offer in offers.items():
            if "logging" in offer.capabilities:
                yield Route(name, "logging/setLevel", {"level": action.args.get("level")})
    elif action.tool == RequestKind.SUBSCRIPTIONS:
        uri, method = str(action.args.get("uri")), str(action.args.get("method"))
        yield Route(_of_resource(offers, uri), method, {"uri": uri})
    else:
        raise NoSuchTargetError(f"request {action.tool!r}: expected logging or subscriptions")


def _of_resource(offers: Mapping[str, Offer], uri: str) -> str:
    for name, offer in offers.items():
        if any(item.get("uri") == uri for item in offer.resources):
            return name
    for name, offer in offers.items():
        if any(matches(str(item.get("uriTemplate")), uri) for item in offer.templates):
            return name
    serving = [name for name, offer in offers.items() if "resources" in offer.capabilities]
    if len(serving) == 1:
        return serving[0]  # a server may serve what it does not list; with one there is no doubt who is meant
    raise NoSuchTargetError(f"resource {uri!r}: expected one that an upstream offers")


def _of_prompt(offers: Mapping[str, Offer], prompt: str) -> str:
    for name, offer in offers.items():
        if any(item.get("name") == prompt for item in offer.prompts):
            return name
    raise NoSuchTargetError(f"prompt {prompt!r}: expected one that an upstream offers")


def _of_reference(offers: Mapping[str, Offer], action: Action) -> str:
    reference = action.args.get("ref")
    kind = reference.get("type") if isinstance(reference, Mapping) else None
    if kind == "ref/prompt":
        return _of_prompt(offers, action.tool)
    for name, offer in offers.items():
        if any(item.get("uriTemplate") == action.tool for item in offer.templates):
            return name
    return _of_resource(offers, action.tool)


def matches(template: str, uri: str) -> bool:
    """Whether a URI can come from a template (RFC 6570): its fixed parts stand in it, in order."""
    fixed = (re.escape(part) for part in _EXPRESSION.split(template))
    return re.fullmatch(".*?".join(fixed), uri, re.DOTALL) is not None
