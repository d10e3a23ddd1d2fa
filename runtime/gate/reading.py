"""Reading an action against its profile: what it is, what it does, and where it reaches. Pure.

Nothing is decided here. What cannot be read is said so (`faults`), and an effect that cannot be determined is
critical.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from profiles.compile import MODEL_ACTION, request_action
from profiles.effects import Effect
from profiles.schema import Profile, RequestKind
from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.gate.actions import Action, ActionKind
from runtime.gate.answers import Reason, ReasonCode
from runtime.gate.arguments import Value, larger_than, oddities_of, texts_of, type_faults, values_of
from runtime.gate.lookalike import printable
from runtime.gate.places import Place, places_of, resource_place

MODEL_ARGUMENT_BYTES: Final = 16_777_216
"""Bound of one model call's body. The profile's `argument_bytes` bounds all other kinds."""

_REQUESTS: Mapping[str, RequestKind] = {
    **{kind.value: kind for kind in RequestKind},
    "resources/subscribe": RequestKind.SUBSCRIPTIONS,
    "resources/unsubscribe": RequestKind.SUBSCRIPTIONS,
    "logging/setLevel": RequestKind.LOGGING,
    "sampling/createMessage": RequestKind.SAMPLING,
    "elicitation/create": RequestKind.ELICITATION,
    "roots/list": RequestKind.ROOTS,
}
_KIND_OF_DOOR: Mapping[ActionKind, RequestKind] = {
    ActionKind.RESOURCE: RequestKind.RESOURCES,
    ActionKind.PROMPT: RequestKind.PROMPTS,
    ActionKind.COMPLETION: RequestKind.COMPLETION,
}


@dataclass(frozen=True)
class Reading:
    """What an action is, by its profile.

    Attributes:
        action: the action itself.
        name: its name among the compiled rules; None when the profile does not know it.
        upstream: the upstream or model it goes to, where the profile says.
        effect: its class; critical when it cannot be determined.
        units: how many actions it counts as (R-23).
        digest: SHA-256 over kind, tool and arguments, in hex.
        values: every argument's scalars, by role; what the profile does not declare is text.
        places: where it reaches.
        faults: why it is malformed, too large or unknown; each denies.
        oddities: what the profile does not declare about its shape; each is new for ever.
    """

    action: Action
    name: str | None
    upstream: str | None
    effect: Effect
    units: int
    digest: str
    values: tuple[Value, ...] = ()
    places: tuple[Place, ...] = ()
    faults: tuple[Reason, ...] = ()
    oddities: tuple[Reason, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.effect is Effect.READ


def read_action(profile: Profile, action: Action) -> Reading:
    """Read an action against a profile."""
    limit = MODEL_ARGUMENT_BYTES if action.kind is ActionKind.MODEL else profile.limits.argument_bytes
    digest, fault = _digest(action, limit)
    if fault is not None:
        return Reading(action, None, None, Effect.CRITICAL, 1, digest, faults=(fault,))
    if action.kind is ActionKind.TOOL:
        return _read_tool(profile, action, digest)
    if action.kind is ActionKind.MODEL:
        return _read_model(profile, action, digest)
    return _read_request(profile, action, digest)


def _read_tool(profile: Profile, action: Action, digest: str) -> Reading:
    spec = profile.tools.get(action.tool)
    if spec is None:
        unknown = _unknown(action, digest, ReasonCode.UNKNOWN_TOOL, "the profile names no such tool")
        named = any(action.tool in rule.tools for rule in profile.never)
        return replace(unknown, name=action.tool) if named else unknown
    values = tuple(values_of(spec, action.args))
    places = tuple(
        place
        for v in values
        if isinstance(v.value, str)
        for place in places_of(v.role, v.value, profile.known)
    )
    return Reading(
        action,
        action.tool,
        spec.upstream,
        spec.effect_of(action.args),
        spec.count_of(action.args),
        digest,
        values,
        tuple(dict.fromkeys(places)),
        tuple(type_faults(spec, action.args)),
        tuple(oddities_of(spec, action.args)),
    )


def _read_model(profile: Profile, action: Action, digest: str) -> Reading:
    if profile.model is None or action.tool != profile.model.alias:
        return _unknown(action, digest, ReasonCode.UNKNOWN_TOOL, "the profile names no such model")
    return Reading(action, MODEL_ACTION, profile.model.alias, Effect.READ, 1, digest)


def _read_request(profile: Profile, action: Action, digest: str) -> Reading:
    kind = _KIND_OF_DOOR.get(action.kind) or _REQUESTS.get(action.tool)
    effect = profile.requests.get(kind) if kind else None
    if kind is None or effect is None:
        detail = "the profile does not permit this kind of request"
        return _unknown(action, digest, ReasonCode.NOT_PERMITTED_REQUEST, detail)
    uri = action.tool if action.kind is ActionKind.RESOURCE else action.args.get("uri")
    places = (resource_place(uri, profile.known),) if isinstance(uri, str) else ()
    upstream = next(iter(profile.upstreams), None)  # the permit of a request names every upstream
    return Reading(
        action, request_action(kind), upstream, effect, 1, digest, tuple(texts_of(action.args)), places
    )


def _unknown(action: Action, digest: str, code: ReasonCode, detail: str) -> Reading:
    fault = Reason(code, f"{printable(action.tool, 200)}: {detail}")
    return Reading(action, None, None, Effect.CRITICAL, 1, digest, faults=(fault,))


def _digest(action: Action, limit: int) -> tuple[str, Reason | None]:
    # A cheap lower bound first: nobody should be able to make us encode 100 MB only to refuse it.
    if larger_than(action.args, limit) or len(action.tool) > limit:
        return _stand_in(action), Reason(ReasonCode.TOO_LARGE, f"the arguments exceed {limit} bytes")
    try:
        form = canonical({"kind": action.kind.value, "tool": action.tool, "args": dict(action.args)})
    except (CanonicalError, RecursionError) as error:
        return _stand_in(action), Reason(ReasonCode.MALFORMED, f"the arguments cannot be read: {error}")
    digest = hashlib.sha256(form).hexdigest()
    if len(form) > limit:
        return digest, Reason(
            ReasonCode.TOO_LARGE, f"the arguments have {len(form)} bytes, at most {limit} pass"
        )
    return digest, None


def _stand_in(action: Action) -> str:
    return hashlib.sha256(f"unread:{action.id}".encode(errors="backslashreplace")).hexdigest()
