"""Writing Cedar: literals that cannot be broken out of, and one expression for each condition. Pure.

Source: the Cedar language reference, sections "Syntax grammar" and "Operators" (`like`, `has`).
"""

from collections.abc import Callable
from decimal import Decimal

from profiles.facts import Fact, in_ten_thousandths
from profiles.never import Condition, literal_parts
from profiles.readings import LOWER_CASE_ROLES, fold
from profiles.tools import Scalar

_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&()+,-./:;<=>?@[]^_`{|}~'"
)


def quoted(text: str) -> str:
    """Write a text as a Cedar string; everything but plain ASCII is escaped."""
    return f'"{"".join(_escaped(letter) for letter in text)}"'


def pattern(text: str, change: Callable[[str], str] = str) -> str:
    r"""Write one of our patterns as a Cedar pattern.

    Args:
        text: A pattern; `*` is the wildcard and `\*` a star.
        change: Applied to what stands between the wildcards.
    """
    literals = [change(part) for part in literal_parts(text)]
    return '"' + "*".join(quoted(part)[1:-1].replace("\\u{2a}", "\\*") for part in literals) + '"'


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
    parts = [
        f"context.unclear.contains({name})",
        f"(context.args has {name} && {_elements(condition, fact)})",
    ]
    if condition.operator.startswith("not_") and fact.spec.required:
        parts.append(f"!(context.args has {name})")
    return either(parts)


def _escaped(letter: str) -> str:
    return letter if letter in _PLAIN else f"\\u{{{ord(letter):x}}}"


def _elements(condition: Condition, fact: Fact) -> str:
    """Write the test of all elements from the last to the first, so that Cedar stops where the list ends."""
    record = f"context.args[{quoted(fact.argument)}]"
    if not fact.spec.many:
        return _test(condition, fact, f"{record}.e0")
    text = ""
    for index in reversed(range(fact.slots)):
        test = _test(condition, fact, f"{record}.e{index}")
        text = f"({record} has e{index} && {either([test, text] if text else [test])})"
    return text


def _test(condition: Condition, fact: Fact, element: str) -> str:
    return _TESTS[condition.operator](condition, fact, element)


def _like(condition: Condition, fact: Fact, element: str) -> str:
    patterns = condition.like or ()
    tests = [f"{element}.exact like {pattern(text, _lowering(fact))}" for text in patterns]
    if fact.has_folded:
        tests += [f"{element}.folded like {pattern(text, fold)}" for text in patterns]
    return either(tests)


def _not_like(condition: Condition, fact: Fact, element: str) -> str:
    tests = [f"{element}.exact like {pattern(text, _lowering(fact))}" for text in condition.not_like or ()]
    return f"!{either(tests)}"


def _one_of(condition: Condition, fact: Fact, element: str) -> str:
    values = condition.one_of or ()
    tests = [f"{element}.exact == {_literal(fact, value)}" for value in values]
    if fact.has_folded:
        texts = [value for value in values if isinstance(value, str)]
        tests += [f"{element}.folded == {quoted(fold(text))}" for text in texts]
    return either(tests)


def _not_one_of(condition: Condition, fact: Fact, element: str) -> str:
    tests = [f"{element}.exact == {_literal(fact, value)}" for value in condition.not_one_of or ()]
    return f"!{either(tests)}"


def _above(condition: Condition, _: Fact, element: str) -> str:
    return f"{element}.exact > {_scaled(condition.above)}"


def _below(condition: Condition, _: Fact, element: str) -> str:
    return f"{element}.exact < {_scaled(condition.below)}"


def _lowering(fact: Fact) -> Callable[[str], str]:
    return str.lower if fact.spec.role in LOWER_CASE_ROLES else str


def _literal(fact: Fact, value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(_lowering(fact)(value)) if isinstance(value, str) else str(_scaled(value))


def _scaled(number: float | None) -> int:
    scaled = in_ten_thousandths(Decimal(str(number)))
    if scaled is None:
        raise ValueError(f"bound {number} has more than four decimals")
    return scaled


_TESTS: dict[str, Callable[[Condition, Fact, str], str]] = {
    "like": _like,
    "not_like": _not_like,
    "one_of": _one_of,
    "not_one_of": _not_one_of,
    "above": _above,
    "below": _below,
}
