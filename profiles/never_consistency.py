"""Checks of the never-list against the tools it speaks of. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from profiles.base import Place
from profiles.facts import is_numeric
from profiles.findings import Finding
from profiles.never import Condition, NeverRule, literal_parts
from profiles.readings import read_text
from profiles.tools import ArgumentRole, ArgumentSpec, ArgumentType, Scalar, ToolSpec

_PATTERN_OPERATORS = ("like", "not_like")
_BOUND_OPERATORS = ("above", "below")


def rule_findings(rules: Sequence[NeverRule], tools: Mapping[str, ToolSpec]) -> Iterator[Finding]:
    """List what does not fit between a profile's never-list and its tools.

    Args:
        rules: The never-list.
        tools: The profile's tools by name.

    Yields:
        The findings, placed under `never`.
    """
    yield from repeated_ids(rules)
    for index, rule in enumerate(rules):
        yield from _rule(("never", index), rule, tools)


def repeated_ids(rules: Sequence[NeverRule]) -> Iterator[Finding]:
    """List the ids that more than one rule has."""
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.id in seen:
            yield Finding(("never", index, "id"), f"got {rule.id!r} twice, expected each id once")
        seen.add(rule.id)


def fits(value: Scalar, spec: ArgumentSpec) -> bool:
    """Whether a named value has the type that an argument declares."""
    if spec.type is ArgumentType.BOOLEAN or isinstance(value, bool):
        return spec.type is ArgumentType.BOOLEAN and isinstance(value, bool)
    if is_numeric(spec):
        return isinstance(value, int)
    return spec.type is ArgumentType.TEXT and isinstance(value, str)


def _rule(place: Place, rule: NeverRule, tools: Mapping[str, ToolSpec]) -> Iterator[Finding]:
    for index, condition in enumerate(rule.when):
        here = (*place, "when", index)
        if condition.argument is not None:
            yield from _by_name(here, rule, condition, tools)
        else:
            yield from _by_role(here, rule, condition, tools)


def _by_name(
    place: Place, rule: NeverRule, condition: Condition, tools: Mapping[str, ToolSpec]
) -> Iterator[Finding]:
    if not rule.tools:
        yield Finding(place, "got an argument without tools, expected tools, or a role instead")
    for name in rule.tools:
        spec = tools[name].args.get(condition.argument or "") if name in tools else None
        if spec is None:
            yield Finding(place, f"got {condition.argument!r}, expected an argument declared by {name}")
        elif message := _misfit(condition, spec):
            yield Finding(place, f"{message} ({name}.{condition.argument})")


def _by_role(
    place: Place, rule: NeverRule, condition: Condition, tools: Mapping[str, ToolSpec]
) -> Iterator[Finding]:
    role = condition.role.value if condition.role else ""
    for name in rule.tools:
        if name not in tools or not with_role(tools[name], condition.role):
            yield Finding(place, f"got role {role}, expected one that an argument of {name} has")
    if not any(with_role(tool, condition.role) for tool in tools.values()):
        yield Finding(place, f"got role {role}, expected one that an argument of some tool has")
    yield from _role_misfits(place, rule, condition, tools)


def rule_misfits(rules: Sequence[NeverRule], tools: Mapping[str, ToolSpec]) -> Iterator[Finding]:
    """List where a policy's rules, which speak of roles, test arguments of the wrong type.

    Args:
        rules: The policy's never-list.
        tools: A profile's tools by name.

    Yields:
        The findings, placed at the tool's argument.
    """
    for rule in rules:
        for condition in rule.when:
            for place, message in _role_misfits((), rule, condition, tools):
                yield Finding(place, f"{message}, by the policy's rule {rule.id}")


def _role_misfits(
    place: Place, rule: NeverRule, condition: Condition, tools: Mapping[str, ToolSpec]
) -> Iterator[Finding]:
    concerned = {name: tool for name, tool in tools.items() if not rule.tools or name in rule.tools}
    for name, tool in concerned.items():
        for argument in with_role(tool, condition.role):
            if message := _misfit(condition, tool.args[argument]):
                yield Finding(place or ("tools", name, "args", argument), f"{message} ({name}.{argument})")


def with_role(tool: ToolSpec, role: ArgumentRole | None) -> tuple[str, ...]:
    """The arguments of a tool that have a role; none for no role."""
    return tool.with_role(role) if role is not None else ()


def _misfit(condition: Condition, spec: ArgumentSpec) -> str | None:
    operator = condition.operator
    if spec.type is ArgumentType.OBJECT:
        return f"got {operator} for an object, expected it only for text, numbers and booleans"
    if operator in _PATTERN_OPERATORS and (spec.type is not ArgumentType.TEXT or is_numeric(spec)):
        return f"got {operator} for {spec.type.value}, expected it only for text"
    if operator in _BOUND_OPERATORS and not is_numeric(spec):
        return f"got {operator} for {spec.type.value}, expected it only for numbers"
    values = condition.one_of or condition.not_one_of or ()
    if not all(fits(value, spec) for value in values):
        return f"got {operator} with a value of another type, expected {spec.type.value}"
    return _unreadable(condition, spec)


def _unreadable(condition: Condition, spec: ArgumentSpec) -> str | None:
    """Name what could never match: a value is compared in the form in which its role is read."""
    compared_as = ArgumentRole.HOST if spec.role is ArgumentRole.URL else spec.role
    texts = [*(condition.like or ()), *(condition.not_like or ())]
    texts += [value for value in condition.one_of or condition.not_one_of or () if isinstance(value, str)]
    for text in texts:
        sample = "x".join(literal_parts(text)) if condition.operator in _PATTERN_OPERATORS else text
        read = read_text(compared_as, sample)
        if read not in (sample, sample.lower()):
            expected = repr(read) if read else "one plain value"
            return f"got {text!r}, expected the form in which a {compared_as.value} is compared: {expected}"
    return None
