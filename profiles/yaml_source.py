"""Reading YAML as plain data that knows its line numbers.

Only what a careful person would write is read: one document, text keys, no key twice, no anchors, aliases,
merges or tags, and the YAML 1.2 core forms of `null`, booleans and decimal numbers. All else that looks odd
(`yes`, `0x10`, `1_000`) stays text, so a strict schema refuses it by type.
Source: YAML 1.2.2, section 10.3 (core schema); limits against the "billion laughs" are ours.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent, Event, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from profiles.base import Place
from profiles.errors import Problem, dotted

MAX_BYTES = 262_144
MAX_DEPTH = 24
MAX_SAFE_INTEGER = 2**53 - 1

Tree = None | bool | int | float | str | list["Tree"] | dict[str, "Tree"]

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF|nan|NaN|NAN)")


@dataclass
class Source:
    """A file as data.

    Attributes:
        tree: The data, or None where there is none.
        lines: The line of each place.
        problems: What was refused while reading.
    """

    tree: Tree = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, place: Place) -> int | None:
        """The line of a place, or of the nearest thing around it."""
        known = (place[:end] for end in range(len(place), -1, -1))
        return next((self.lines[step] for step in known if step in self.lines), None)

    def refuse(self, place: Place, message: str, line: int) -> None:
        """Note that something at a place cannot be read."""
        self.problems.append(Problem(dotted(place), message, line))


def read_source(data: bytes) -> Source:
    """Read one YAML document.

    Args:
        data: The bytes of the file, UTF-8.

    Returns:
        The data with its lines; `problems` is not empty where the file must be refused.
    """
    source = Source()
    if len(data) > MAX_BYTES:
        source.problems.append(Problem("", f"got {len(data)} bytes, expected at most {MAX_BYTES}"))
        return source
    try:
        node = _PlainLoader(data.decode()).get_single_node()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        source.problems.append(Problem("", f"got a byte that is not UTF-8 (offset {error.start})", line))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or "cannot be read"
        source.problems.append(Problem("", f"not plain YAML: {said}", mark.line + 1 if mark else None))
    except yaml.reader.ReaderError as error:
        line = error.position and data.decode()[: error.position].count("\n") + 1
        source.problems.append(Problem("", f"got the character U+{error.character:04X}", line or 1))
    else:
        _read_document(source, node)
    return source


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes; refuses aliases, anchors, tags and depth before they can do anything."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it bare
        if said := _cleverness(event, self.depth):
            raise yaml.MarkedYAMLError(problem=said, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _cleverness(event: Event, depth: int) -> str | None:
    if isinstance(event, AliasEvent):
        return f"got the alias *{event.anchor}, expected the value itself"
    if isinstance(event, NodeEvent) and event.anchor:
        return f"got the anchor &{event.anchor}, expected none"
    if tag := getattr(event, "tag", None):
        return f"got the tag {tag}, expected none"
    return f"got nesting deeper than {MAX_DEPTH} levels" if depth >= MAX_DEPTH else None


def _read_document(source: Source, node: Node | None) -> None:
    if not isinstance(node, MappingNode):
        got = "nothing" if node is None else _kind(node)
        source.problems.append(Problem("", f"got {got}, expected keys with values", 1))
        return
    source.tree = _read(source, node, ())


def _read(source: Source, node: Node, place: Place) -> Tree:
    source.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _read_mapping(source, node, place)
    if isinstance(node, SequenceNode):
        return [_read(source, item, (*place, index)) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _read_scalar(source, node, place)
    raise TypeError(f"a YAML node of an unknown kind: {node!r}")


def _read_mapping(source: Source, node: MappingNode, place: Place) -> Tree:
    result: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = _read_scalar(source, key_node, place) if isinstance(key_node, ScalarNode) else None
        if not isinstance(key, str):
            source.refuse(place, f"got the key {_shown(key_node)}, expected text (quote it)", line)
        elif key in result:
            source.refuse((*place, key), "got this key twice, expected it once", line)
        else:
            source.lines[(*place, key)] = line
            result[key] = _read(source, value_node, (*place, key))
    return result


def _read_scalar(source: Source, node: ScalarNode, place: Place) -> Tree:
    text: str = node.value
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        source.refuse(place, "got half of a surrogate pair, expected valid Unicode", node.start_mark.line + 1)
        return None
    if node.style is not None:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _read_number(source, node, place)


def _read_number(source: Source, node: ScalarNode, place: Place) -> Tree:
    text: str = node.value
    if _INTEGER.fullmatch(text):
        if abs(int(text)) <= MAX_SAFE_INTEGER:
            return int(text)
        source.refuse(place, f"got {text}, expected a whole number up to 2^53-1", node.start_mark.line + 1)
    elif _FLOAT.fullmatch(text):
        if abs(float(text)) != float("inf"):
            return float(text)
        source.refuse(place, f"got {text}, expected a finite number", node.start_mark.line + 1)
    elif _NOT_FINITE.fullmatch(text):
        source.refuse(place, f"got {text}, expected a finite number", node.start_mark.line + 1)
    return text


def _shown(node: Node) -> str:
    return f"`{node.value}`" if isinstance(node, ScalarNode) else _kind(node)


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "one value"
    return "keys with values" if isinstance(node, MappingNode) else "a list"
