"""Reading the arguments of one call against what a tool declares. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from profiles.schema import ArgumentRole, ArgumentSpec, ArgumentType, ToolSpec
from runtime.canonical import JsonValue
from runtime.gate.answers import Reason, ReasonCode
from runtime.gate.lookalike import printable, why_doubtful

# Models often write an id or an option as a number; it names no place and carries no text.
_LOOSE_ROLES = frozenset({ArgumentRole.ID, ArgumentRole.OPTION})
_PLACE_ROLES = frozenset(
    {ArgumentRole.RECIPIENT, ArgumentRole.HOST, ArgumentRole.URL, ArgumentRole.COLLECTION, ArgumentRole.PATH}
)
_PYTHON_TYPES: Mapping[ArgumentType, tuple[type, ...]] = {
    ArgumentType.TEXT: (str,),
    ArgumentType.INTEGER: (int,),
    ArgumentType.NUMBER: (int, float),
    ArgumentType.BOOLEAN: (bool,),
    ArgumentType.OBJECT: (dict, list, str, int, float, bool),
}


@dataclass(frozen=True)
class Value:
    """One scalar of one argument, with the role that the profile gives it."""

    argument: str
    role: ArgumentRole
    value: JsonValue


def larger_than(value: JsonValue, limit: int) -> bool:
    """Whether a value needs more than `limit` bytes, by a lower bound that never builds the bytes."""
    stack: list[JsonValue] = [value]
    size = 0
    while stack and size <= limit:
        item = stack.pop()
        if isinstance(item, str):
            size += len(item)
        elif isinstance(item, Mapping):
            size += sum(len(key) + 4 for key in item)
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            size += 2 * len(item)
            stack.extend(item)
        else:
            size += 1
    return size > limit


def values_of(spec: ToolSpec, args: Mapping[str, JsonValue]) -> Iterator[Value]:
    """Yield every scalar with the role of its argument; undeclared arguments are text."""
    for name, argument in spec.args.items():
        for item in _leaves(args.get(name)):
            yield Value(name, argument.role, item)
    yield from texts_of({name: value for name, value in args.items() if name not in spec.args})


def texts_of(args: Mapping[str, JsonValue]) -> Iterator[Value]:
    """Yield every scalar as text."""
    for name, value in args.items():
        for item in _leaves(value):
            yield Value(name, ArgumentRole.TEXT, item)


def _leaves(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def type_faults(spec: ToolSpec, args: Mapping[str, JsonValue]) -> Iterator[Reason]:
    """Yield why arguments do not have their declared types; `null` is the same as absent."""
    for name, argument in spec.args.items():
        value = args.get(name)
        if value is None:
            if argument.required:
                yield Reason(ReasonCode.MALFORMED, f"{name}: missing, and required")
        elif fault := _fault(argument, value):
            yield Reason(ReasonCode.MALFORMED, f"{name}: {fault}")


def _fault(spec: ArgumentSpec, value: JsonValue) -> str | None:
    if spec.many != isinstance(value, list | tuple):
        return f"got {_named(value)}, expected {'a list' if spec.many else 'one value'} of {spec.type}"
    for item in value if isinstance(value, list | tuple) else (value,):
        if not _fits(spec, item):
            return f"got {_named(item)}, expected {spec.type}"
        if isinstance(item, str) and spec.max_length is not None and len(item) > spec.max_length:
            return f"got {len(item)} characters, expected at most {spec.max_length}"
    return None


def _fits(spec: ArgumentSpec, item: JsonValue) -> bool:
    if isinstance(item, bool) and spec.type is not ArgumentType.OBJECT:
        return spec.type is ArgumentType.BOOLEAN
    if isinstance(item, float) and not math.isfinite(item):
        return False
    if isinstance(item, int) and spec.role in _LOOSE_ROLES:
        return True
    return isinstance(item, _PYTHON_TYPES[spec.type])


def _named(value: JsonValue) -> str:
    names: Mapping[type, str] = {str: "text", dict: "an object", list: "a list", tuple: "a list"}
    return names.get(type(value), type(value).__name__) if value is not None else "null"


def oddities_of(spec: ToolSpec, args: Mapping[str, JsonValue]) -> Iterator[Reason]:
    """Yield what is not declared: unknown arguments, and values outside what is declared of them."""
    for name in args:
        if name not in spec.args:
            yield _odd(name, "the profile does not declare this argument")
    for name, argument in spec.args.items():
        if detail := _oddity(argument, args.get(name), counted=name == spec.each):
            yield _odd(name, detail)


def _oddity(spec: ArgumentSpec, value: JsonValue, *, counted: bool) -> str | None:
    items = tuple(_leaves(value))
    if spec.values is not None and any(not _listed(item, spec) for item in items):
        return "its value is not one of those the profile lists"
    if any(_beyond(item, spec) for item in items):
        return f"its value is not between 0 and {spec.max:g}"
    if spec.many and value is not None and not items and (counted or spec.role in _PLACE_ROLES):
        return "it is an empty list, which some programs take for all there are"
    if spec.role is ArgumentRole.ID:
        return next((why for item in items if isinstance(item, str) and (why := _no_plain_id(item))), None)
    return None


def _beyond(item: JsonValue, spec: ArgumentSpec) -> bool:
    # Below 0 too: of a limit it often means that there is none. Amounts have a check of their own.
    if spec.max is None or spec.role is ArgumentRole.AMOUNT:
        return False
    return isinstance(item, int | float) and not 0 <= item <= spec.max


def _no_plain_id(text: str) -> str | None:
    # Behind the upstream there may be a command line, where a leading dash makes an option of a name.
    if text.startswith("-") and not text[1:].isdecimal():
        return "it begins with a dash, as an option does"
    return why_doubtful(text)


def _listed(item: JsonValue, spec: ArgumentSpec) -> bool:
    return any(item == value and type(item) is type(value) for value in spec.values or ())


def _odd(name: str, detail: str) -> Reason:
    shown = printable(name, 100)
    return Reason(ReasonCode.UNKNOWN_SHAPE, f"{shown}: {detail}", key=f"shape:{shown}")
