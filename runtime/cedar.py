"""The rules engine: the only module that knows cedarpy.

Rules of this module:
- nothing is decided without a schema, neither at load nor at decision time;
- an error in any rule is an error of the whole decision, because Cedar itself skips an erroring forbid;
- no decision, an unknown action or an unreadable request is an error, and an error never permits.

Source: Cedar language reference, "Validation" and "Authorization" (forbid overrides permit; default deny).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cedarpy

from profiles.compile import PERMIT_ID, Compiled, CompiledAction
from profiles.effects import Effect
from profiles.facts import CLAMP, Fact, read_facts
from runtime.errors import KernelError

_SHOWN_ERRORS = 3
_ANSWERS_KEPT = 4096


class CedarError(KernelError):
    """Compiled rules that Cedar refuses; such a profile cannot be deployed."""


class CedarOutcome(StrEnum):
    """What the rules say. Only the first permits."""

    ERROR = "error"
    FORBIDDEN = "forbidden"
    NOT_GRANTED = "not_granted"
    PERMITTED = "permitted"


@dataclass(frozen=True)
class CedarRequest:
    """One action as the rules see it.

    Attributes:
        agent: The agent's name.
        action: A tool's name, or what `profiles.compile.request_action` and `MODEL_ACTION` give.
        resource: The upstream's name, or the model's alias.
        effect: The class of this very call, after anything that raised it.
        granted: The classes granted to the deployment now.
        args: The call's arguments as parsed JSON.
        count: How many actions the call is.
    """

    agent: str
    action: str
    resource: str
    effect: Effect
    granted: frozenset[Effect]
    args: Mapping[str, object]
    count: int = 1


@dataclass(frozen=True)
class CedarAnswer:
    """The answer of the rules.

    Attributes:
        outcome: What they say.
        rule_ids: The never-list entries that forbid, or that took part in an error.
        errors: What went wrong, for the record; may quote the agent's values.
    """

    outcome: CedarOutcome
    rule_ids: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Slice:
    """One action, parsed once."""

    action: dict[str, str]
    resource_type: str
    policies: cedarpy.PolicySet
    facts: tuple[Fact, ...]


class CedarEngine:
    """A profile's rules, parsed once and asked for every action."""

    def __init__(self, schema: cedarpy.Schema, slices: Mapping[str, _Slice]) -> None:
        self._schema = schema
        self._slices = slices
        self._no_entities = cedarpy.Entities.from_json_str("[]")
        self._answered: dict[tuple[object, ...], CedarAnswer] = {}

    @classmethod
    def from_compiled(cls, compiled: Compiled) -> "CedarEngine":
        """Parse and validate compiled rules.

        Args:
            compiled: From `profiles.compile.compile_profile`.

        Returns:
            The engine.

        Raises:
            CedarError: Cedar refuses the schema or a policy.
        """
        try:
            schema = cedarpy.Schema.from_str(compiled.schema)
            slices = {name: _parse(action, schema) for name, action in compiled.actions.items()}
        except ValueError as error:
            raise CedarError(f"cedar refuses the compiled profile: {error}") from error
        return cls(schema, slices)

    def decide(self, request: CedarRequest) -> CedarAnswer:
        """Ask the rules about one action.

        Args:
            request: The action.

        Returns:
            The answer; PERMITTED only where a permit applies, no forbid does, and nothing went wrong.
        """
        found = self._slices.get(request.action)
        if found is None:
            return CedarAnswer(CedarOutcome.ERROR, errors=(f"no rules for the action {request.action!r}",))
        if found.facts:
            return self._ask(request, found)
        # No rule of this action looks at an argument, so the same question has the same answer.
        key = (
            request.agent,
            request.action,
            request.resource,
            request.effect,
            request.granted,
            request.count,
        )
        answer = self._answered.get(key)
        if answer is None:
            answer = self._ask(request, found)
            if len(self._answered) >= _ANSWERS_KEPT:
                self._answered.clear()
            self._answered[key] = answer
        return answer

    def _ask(self, request: CedarRequest, found: _Slice) -> CedarAnswer:
        try:
            asked = _as_cedar(request, found)
            result = cedarpy.is_authorized(asked, found.policies, self._no_entities, self._schema)
        except (ValueError, TypeError, OverflowError) as error:
            return CedarAnswer(CedarOutcome.ERROR, errors=(f"the rules cannot be asked: {error}",))
        return _answer(result)


def _parse(action: CompiledAction, schema: cedarpy.Schema) -> _Slice:
    checked = cedarpy.validate_policies(action.policies, schema)
    if not checked.validation_passed:
        said = "; ".join(str(error.error) for error in checked.errors[:_SHOWN_ERRORS])
        raise CedarError(f"cedar refuses the rules of {action.name}: {said}")
    policies = cedarpy.PolicySet.from_str(action.policies)
    return _Slice({"type": "Action", "id": action.name}, action.resource_type, policies, action.facts)


def _as_cedar(request: CedarRequest, found: _Slice) -> dict[str, object]:
    facts = read_facts(found.facts, request.args)
    context = {
        "effect": request.effect.value,
        "granted": [effect.value for effect in request.granted],
        "count": max(0, min(CLAMP, request.count)),
        "unclear": facts.unclear,
        "args": facts.args,
    }
    return {
        "principal": {"type": "Agent", "id": request.agent},
        "action": found.action,
        "resource": {"type": found.resource_type, "id": request.resource},
        "context": context,
    }


def _answer(result: cedarpy.AuthzResult) -> CedarAnswer:
    errors = tuple(result.diagnostics.errors)
    named = result.diagnostics.id_annotations_by_reason
    rules = tuple(sorted({named.get(reason, reason) for reason in result.diagnostics.reasons} - {PERMIT_ID}))
    if errors or result.decision is cedarpy.Decision.NoDecision:
        return CedarAnswer(CedarOutcome.ERROR, rules, errors or ("cedar gave no decision",))
    if result.decision is cedarpy.Decision.Allow:
        return CedarAnswer(CedarOutcome.PERMITTED)
    if result.decision is cedarpy.Decision.Deny:
        return CedarAnswer(CedarOutcome.FORBIDDEN if rules else CedarOutcome.NOT_GRANTED, rules)
    return CedarAnswer(CedarOutcome.ERROR, rules, (f"cedar answered {result.decision!r}",))
