"""Writing Cedar: literals that cannot be broken out of, and one expression for each condition. Pure.

Source: the Cedar language reference, sections "Syntax grammar" and "Operators" (`like`, `has`).
"""

from collections.abc import Callable
from decimal import Decimal

from profiles.facts import Fact, in_ten_thousandths
from profiles.never import Condition
from profiles.readings import fold
from profiles.tools import ArgumentRole, Scalar

_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&()+,-./:;<=>?@[]^_`{|}~'"
)
_LOWER_CASE_ROLES = frozenset({ArgumentRole.RECIPIENT, ArgumentRole.HOST, ArgumentRole.URL})


def quoted(text: str) -> str:
    """Write a text as a Cedar string; everything but plain ASCII is escaped."""
    return f'"{"".join(_escaped(letter) for letter in text)}"'


def pattern(text: str) -> str:
    """Write a text as a Cedar pattern, in which `*` stays the wildcard."""
    return '"' + "*".join(quoted(part)[1:-1] for part in text.split("*")) + '"'


def either(expressions: list[str]) -> str:
    """Join expressions of which one is enough; no expression is never enough."""
    return f"({' || '.join(expressions)})" if expressions else "false"


def condition_text(condition: Condition, fact: Fact) -> str:
    """Write the expression that is true where an argument meets a condition.

    An unclear argument meets it. So does a missing one, where the condition is negative and the argument is
    required. Of a list, one element that meets it is enough.

    Args:
        condition: The condition, already known to fit the argument's type.
        fact: The argument.

    Returns:
        A Cedar expression of type Bool.
    """
    name = quoted(fact.argument)
    elements = [_slot(condition, fact, index) for index in range(fact.slots)]
    parts = [f"context.unclear.contains({name})", f"(context.args has {name} && {either(elements)})"]
    if condition.operator.startswith("not_") and fact.spec.required:
        parts.append(f"!(context.args has {name})")
    return either(parts)


def _escaped(letter: str) -> str:
    return letter if letter in _PLAIN else f"\\u{{{ord(letter):x}}}"


def _slot(condition: Condition, fact: Fact, index: int) -> str:
    record = f"context.args[{quoted(fact.argument)}]"
    test = _TESTS[condition.operator](condition, fact, f"{record}.e{index}", f"{record}.f{index}")
    return f"({record} has e{index} && {test})" if fact.spec.many else test


def _like(condition: Condition, fact: Fact, exact: str, folded: str) -> str:
    plain = [f"{exact} like {pattern(_lowered(fact, text))}" for text in condition.like or ()]
    loose = [f"{folded} like {pattern(_folded(text))}" for text in condition.like or ()]
    return either(plain + loose)


def _not_like(condition: Condition, fact: Fact, exact: str, _: str) -> str:
    tests = [f"{exact} like {pattern(_lowered(fact, text))}" for text in condition.not_like or ()]
    return f"!{either(tests)}"


def _one_of(condition: Condition, fact: Fact, exact: str, folded: str) -> str:
    values = condition.one_of or ()
    plain = [f"{exact} == {_literal(fact, value)}" for value in values]
    loose = [f"{folded} == {quoted(fold(value))}" for value in values if isinstance(value, str)]
    return either(plain + loose)


def _not_one_of(condition: Condition, fact: Fact, exact: str, _: str) -> str:
    return f"!{either([f'{exact} == {_literal(fact, value)}' for value in condition.not_one_of or ()])}"


def _above(condition: Condition, _fact: Fact, exact: str, _: str) -> str:
    return f"{exact} > {_scaled(condition.above)}"


def _below(condition: Condition, _fact: Fact, exact: str, _: str) -> str:
    return f"{exact} < {_scaled(condition.below)}"


def _lowered(fact: Fact, text: str) -> str:
    return text.lower() if fact.spec.role in _LOWER_CASE_ROLES else text


def _folded(text: str) -> str:
    return "*".join(fold(part) for part in text.split("*"))


def _literal(fact: Fact, value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(_lowered(fact, value)) if isinstance(value, str) else str(_scaled(value))


def _scaled(number: float | None) -> int:
    scaled = in_ten_thousandths(Decimal(str(number)))
    if scaled is None:
        raise ValueError(f"bound {number} has more than four decimals")
    return scaled


_TESTS: dict[str, Callable[[Condition, Fact, str, str], str]] = {
    "like": _like,
    "not_like": _not_like,
    "one_of": _one_of,
    "not_one_of": _not_one_of,
    "above": _above,
    "below": _below,
}
