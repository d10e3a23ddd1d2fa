"""From a profile to Cedar: a schema and, for each action, the policies that can concern it. Pure; text only.

Grants are data in the context, never policies: one permit per action says that the effect of this very call
must be granted and cannot be below what the profile declares. The never-list becomes forbids, which win over
every permit. Everything that is not an action here is denied by having no policies at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from profiles.cedar_text import condition_text, either, quoted
from profiles.effects import Effect
from profiles.facts import Fact
from profiles.never import Condition, NeverRule
from profiles.never_consistency import with_role
from profiles.schema import Profile, RequestKind
from profiles.tools import ToolSpec

MODEL_ACTION = "model:call"
PERMIT_ID = "permit:granted"

_EFFECTS = tuple(Effect)


@dataclass(frozen=True)
class CompiledAction:
    """One action's slice of the rules.

    Attributes:
        name: The Cedar id of the action: a tool's name, `request:KIND` or `model:call`.
        resource_type: `Upstream` or `Model`.
        policies: Cedar text.
        facts: The arguments that the policies test.
    """

    name: str
    resource_type: str
    policies: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Compiled:
    """A whole profile as Cedar.

    Attributes:
        schema: Cedar schema text, for all actions.
        actions: The slices by action name.
    """

    schema: str
    actions: Mapping[str, CompiledAction]

    @property
    def text(self) -> str:
        """Schema and policies as one page for people."""
        parts = [f"// {action.name}\n{action.policies}" for action in self.actions.values()]
        return "\n".join([self.schema, *parts])


def request_action(kind: RequestKind) -> str:
    """Return the action name of an MCP feature besides tools; no tool can have it."""
    return f"request:{kind.value}"


def compile_profile(profile: Profile) -> Compiled:
    """Compile a profile that has been checked.

    Args:
        profile: From `profiles.load`, or from `profiles.within.narrowest`.

    Returns:
        Cedar schema and policies, deterministic for equal profiles.
    """
    actions = {action.name: action for action in _actions(profile)}
    blocks = [_SCHEMA_HEAD, *(_schema_of(action) for action in actions.values())]
    return Compiled("\n".join(blocks), actions)


def _actions(profile: Profile) -> Iterator[CompiledAction]:
    for name, tool in profile.tools.items():
        permit = _permit(name, min(tool.effects, key=_EFFECTS.index), "Upstream", (tool.upstream,))
        yield _action(profile, name, "Upstream", tool, permit)
    for kind, effect in profile.requests.items():
        name = request_action(kind)
        permit = _permit(name, effect, "Upstream", ())  # such a request may concern every upstream at once
        yield _action(profile, name, "Upstream", None, permit)
    if profile.model:
        permit = _permit(MODEL_ACTION, Effect.READ, "Model", (profile.model.alias,))
        yield _action(profile, MODEL_ACTION, "Model", None, permit)
    outside = {name for rule in profile.never for name in rule.tools} - set(profile.tools)
    for name in sorted(outside):
        yield _action(profile, name, "Upstream", None, "")


def _action(
    profile: Profile, name: str, resource_type: str, tool: ToolSpec | None, permit: str
) -> CompiledAction:
    rules = [rule for rule in profile.never if _concerns(rule, name, tool)]
    forbids = [_forbid(rule, name, tool) for rule in rules]
    tested = {fact.argument: fact for rule in rules for fact in _facts(rule, tool)}
    policies = "\n".join([*forbids, permit]) if permit else "\n".join(forbids)
    return CompiledAction(name, resource_type, policies, tuple(tested.values()))


def _permit(action: str, floor: Effect, resource_type: str, resources: tuple[str, ...]) -> str:
    possible = ", ".join(quoted(effect.value) for effect in _EFFECTS[_EFFECTS.index(floor) :])
    named = ", ".join(f"{resource_type}::{quoted(name)}" for name in resources)
    where = f"when {{ [{named}].contains(resource) }}\n" if resources else ""
    return (
        f"@id({quoted(PERMIT_ID)})\n"
        f"permit (principal is Agent, action == Action::{quoted(action)}, resource is {resource_type})\n"
        f"{where}"
        f"when {{ [{possible}].contains(context.effect) && context.granted.contains(context.effect) }};\n"
    )


def _concerns(rule: NeverRule, name: str, tool: ToolSpec | None) -> bool:
    if rule.tools and name not in rule.tools:
        return False
    by_role = [condition for condition in rule.when if condition.role is not None]
    if tool is None:
        return not by_role
    return all(with_role(tool, condition.role) for condition in by_role)


def _forbid(rule: NeverRule, action: str, tool: ToolSpec | None) -> str:
    head = f"forbid (principal, action == Action::{quoted(action)}, resource)"
    conditions = [_effects_text(rule)] if rule.effects else []
    conditions += [_condition(condition, tool) for condition in rule.when if tool is not None]
    when = "".join(f"\nwhen {{ {text} }}" for text in conditions)
    return f"@id({quoted(rule.id)})\n{head}{when};\n"


def _effects_text(rule: NeverRule) -> str:
    return f"[{', '.join(quoted(effect.value) for effect in rule.effects)}].contains(context.effect)"


def _condition(condition: Condition, tool: ToolSpec) -> str:
    return either([condition_text(condition, fact) for fact in _tested(condition, tool)])


def _facts(rule: NeverRule, tool: ToolSpec | None) -> Iterator[Fact]:
    if tool is not None:
        for condition in rule.when:
            yield from _tested(condition, tool)


def _tested(condition: Condition, tool: ToolSpec) -> list[Fact]:
    names = with_role(tool, condition.role) if condition.argument is None else (condition.argument,)
    return [Fact(name, tool.args[name]) for name in names]


def _schema_of(action: CompiledAction) -> str:
    args = ", ".join(f"{quoted(fact.argument)}?: {{ {_elements_of(fact)} }}" for fact in action.facts)
    return (
        f"action {quoted(action.name)} appliesTo {{\n"
        f"  principal: [Agent], resource: [{action.resource_type}],\n"
        "  context: { effect: String, granted: Set<String>, count: Long, unclear: Set<String>,\n"
        f"             args: {{ {args} }} }}\n}};"
    )


def _elements_of(fact: Fact) -> str:
    kind = fact.cedar_type
    record = f"{{ exact: {kind}, folded: {kind} }}" if fact.has_folded else f"{{ exact: {kind} }}"
    mark = "?" if fact.spec.many else ""
    return ", ".join(f"e{index}{mark}: {record}" for index in range(fact.slots))


_SCHEMA_HEAD = "entity Agent;\nentity Upstream;\nentity Model;"
