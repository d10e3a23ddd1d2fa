"""What the rules get to know of one call's arguments, as values that Cedar can hold. Pure.

Only arguments that a rule tests are passed on. Each is a record of numbered elements (a plain value is a
list of one): `e0.exact` is the value as `profiles.readings` reads it, `e0.folded` the same text with letter
case folded. A number, of whatever JSON type, is a count of ten-thousandths, clamped far above any bound that
a rule can state, so that no integer of an agent's reaches Cedar's limits.

An argument that cannot be read is *unclear*: it is passed by name only, and every rule that tests it fires.
Absent and `null` are the same.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from profiles.readings import LOWER_CASE_ROLES, fold, read_text
from profiles.tools import ArgumentRole, ArgumentSpec, ArgumentType

SLOTS = 32
"""Elements of a list that rules can look into; a longer list is unclear."""

SCALE = 10_000
CLAMP = 2**53 - 1

CedarValue: TypeAlias = str | int | bool
Elements: TypeAlias = dict[str, dict[str, CedarValue]]

_NUMBERS = frozenset({ArgumentType.INTEGER, ArgumentType.NUMBER})
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Fact:
    """One argument that a rule of this action tests."""

    argument: str
    spec: ArgumentSpec

    @property
    def cedar_type(self) -> str:
        """The Cedar type of each element."""
        if is_numeric(self.spec):
            return "Long"
        return "Bool" if self.spec.type is ArgumentType.BOOLEAN else "String"

    @property
    def has_folded(self) -> bool:
        """Whether an element has a form with letter case folded beside the exact one."""
        return self.cedar_type == "String" and self.spec.role not in LOWER_CASE_ROLES

    @property
    def slots(self) -> int:
        """How many elements there can be."""
        return SLOTS if self.spec.many else 1


@dataclass(frozen=True)
class Facts:
    """The readings of one call.

    Attributes:
        args: By argument, its elements.
        unclear: The arguments that could not be read.
    """

    args: dict[str, Elements]
    unclear: list[str]


def is_numeric(spec: ArgumentSpec) -> bool:
    """Whether an argument's value is a number to the rules; an amount is one also when sent as text."""
    return spec.type in _NUMBERS or spec.role is ArgumentRole.AMOUNT


def read_facts(facts: Sequence[Fact], args: Mapping[str, object]) -> Facts:
    """Read the arguments that the rules test.

    Args:
        facts: What the rules of this action test.
        args: The call's arguments as parsed JSON.

    Returns:
        The readings, in the shape that the action's Cedar schema describes.
    """
    read = Facts({}, [])
    for fact in facts:
        value = args.get(fact.argument)
        if value is None:
            continue
        elements = _elements(fact, value)
        if elements is None:
            read.unclear.append(fact.argument)
        else:
            read.args[fact.argument] = elements
    return read


def in_ten_thousandths(number: Decimal) -> int | None:
    """Return a number as a clamped count of ten-thousandths; None where it has finer parts.

    Args:
        number: A finite number.
    """
    if abs(number) >= CLAMP // SCALE:
        return CLAMP if number > 0 else -CLAMP
    scaled = number * SCALE
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _elements(fact: Fact, value: object) -> Elements | None:
    if fact.spec.many != isinstance(value, list | tuple):
        return None
    values = value if isinstance(value, list | tuple) else (value,)
    if len(values) > fact.slots:
        return None
    read = [_element(fact.spec, item) for item in values]
    if any(item is None for item in read):
        return None
    return {f"e{index}": _record(fact, item) for index, item in enumerate(read) if item is not None}


def _record(fact: Fact, item: CedarValue) -> dict[str, CedarValue]:
    folded = isinstance(item, str) and fact.has_folded
    return {"exact": item, "folded": fold(str(item))} if folded else {"exact": item}


def _element(spec: ArgumentSpec, value: object) -> CedarValue | None:
    if is_numeric(spec):
        return _number(spec, value)
    if spec.type is ArgumentType.BOOLEAN:
        return value if isinstance(value, bool) else None
    return read_text(spec.role, value) if isinstance(value, str) else None


def _number(spec: ArgumentSpec, value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return in_ten_thousandths(Decimal(value))
    if isinstance(value, float):
        return in_ten_thousandths(Decimal(str(value))) if math.isfinite(value) else None
    plain = isinstance(value, str) and spec.role is ArgumentRole.AMOUNT and _AMOUNT.fullmatch(value)
    return in_ten_thousandths(Decimal(plain[0])) if plain else None
