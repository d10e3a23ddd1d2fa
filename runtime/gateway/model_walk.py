"""Going through the messages of a model call: which strings are words, whose they are, and what stays.

Words are scrubbed by their place. What a model wrote for tools, and names and values that a call depends on,
lose the run's own values only. A model's signed thinking is put back as the model wrote it, and what a
provider signed or encrypted for itself is sealed on its way to the agent. Files are looked into for texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.context.files import is_data_url, scrubbed_file
from runtime.gateway.model_wire import kind_of
from sandboxes.errors import ScrubError
from sandboxes.scrub.model import Place

_WORDS: Final = frozenset(
    {"content", "output", "text", "data", "refusal", "title", "context", "input", "summary"}
)
_THOUGHTS: Final = frozenset({"thinking", "reasoning_content", "reasoning"})
_ADDRESSES: Final = frozenset({"image_url", "file_url", "url"})
_SEALED: Final = frozenset({"signature", "encrypted_content"})
_DESCRIBING: Final = frozenset({"description", "title"})
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_CALLS: Final = frozenset({"tool_use", "server_tool_use", "function_call", "custom_tool_call"})
_DEPTH: Final = 64
_SCHEMA_DEPTH: Final = 128  # each member of a schema takes two levels


@dataclass(frozen=True)
class Hands:
    """What is done with each sort of string.

    Attributes:
        words: words at a place.
        thought: what a model thought.
        other: names, values and what a model wrote for tools.
        sealed: what a provider signed or encrypted for itself.
    """

    words: Callable[[str, Place], str]
    thought: Callable[[str], str]
    other: Callable[[str], str]
    sealed: Callable[[str], str]


def walk(value: Any, place: Place, hands: Hands, member: str = "", depth: int = 0) -> Any:
    """Return a message, a list of messages, or any part of one, with its strings as `hands` make them.

    Raises:
        ScrubError: it is nested too deeply, or cannot be scrubbed.
    """
    if depth > _DEPTH:
        raise ScrubError(f"messages are nested deeper than {_DEPTH}; they were not scrubbed")
    if isinstance(value, str):
        return _string(value, place, hands, member)
    if isinstance(value, Mapping):
        return _members(value, place, hands, member, depth)
    if isinstance(value, Sequence):
        return [walk(item, place, hands, member, depth + 1) for item in value]
    return value


def definitions(value: Any, hands: Hands, depth: int = 0) -> Any:
    """Return tools with what describes them scrubbed; a schema's names and values lose own values only.

    Raises:
        ScrubError: one is nested too deeply, or cannot be scrubbed.
    """
    if depth > _SCHEMA_DEPTH:
        raise ScrubError(f"definitions are nested deeper than {_SCHEMA_DEPTH}; they were not scrubbed")
    if isinstance(value, Mapping):
        return {name: _defined(name, item, hands, depth) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [definitions(item, hands, depth + 1) for item in value]
    return hands.other(value) if isinstance(value, str) else value


def _defined(name: str, item: Any, hands: Hands, depth: int) -> Any:
    if isinstance(item, str) and name in _DESCRIBING:
        return hands.words(item, Place.DEFINITION)
    return definitions(item, hands, depth + 1)


def without_emptied(before: Any, after: Any) -> Any:
    """Return a list of texts without those of which scrubbing left nothing: providers refuse those."""
    if not isinstance(after, list):
        return after
    pairs = zip(before, after, strict=True)
    return [new for old, new in pairs if not (_is_blank(new) and not _is_blank(old))]


def _is_blank(part: Any) -> bool:
    text = part.get("text") if isinstance(part, Mapping) else part
    return isinstance(text, str) and not text.strip()


def _string(value: str, place: Place, hands: Hands, member: str) -> str:
    if member in _THOUGHTS:
        return hands.thought(value)
    return hands.words(value, place) if not member or member in _WORDS else hands.other(value)


def _members(value: Mapping[str, Any], place: Place, hands: Hands, member: str, depth: int) -> Any:
    kind = kind_of(value)
    if kind in _CALLS or kind.endswith("_call"):
        return bare(value, hands.other, depth)
    inner = _place_of(value, kind, place)
    if kind == "reasoning" or member in {"reasoning", "thinking"}:
        hands = _thinking(hands)
    return {name: _member_of(value, name, inner, hands, depth) for name in value}


def _member_of(value: Mapping[str, Any], name: str, place: Place, hands: Hands, depth: int) -> Any:
    item = value[name]
    if isinstance(item, str) and _is_sealed(name, value):
        return hands.sealed(item)
    if isinstance(item, str) and _is_file(name, item, value):
        return scrubbed_file(item, _type_of(value), lambda text: hands.words(text, place), hands.other)
    return _member(name, item, place, hands, depth)


def _thinking(hands: Hands) -> Hands:
    return replace(hands, words=lambda text, _place: hands.thought(text))


def _member(name: str, item: Any, place: Place, hands: Hands, depth: int) -> Any:
    if name in {"tool_calls", "function_call"}:
        return bare(item, hands.other, depth)
    return walk(item, place, hands, name, depth + 1)


def bare(value: Any, other: Callable[[str], str], depth: int = 0) -> Any:
    """Return a value of which every string lost the run's own values."""
    if depth > _DEPTH:
        raise ScrubError(f"a value is nested deeper than {_DEPTH}; it was not scrubbed")
    if isinstance(value, str):
        return other(value)
    if isinstance(value, Mapping):
        return {other(name): bare(item, other, depth + 1) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [bare(item, other, depth + 1) for item in value]
    return value


def _place_of(value: Mapping[str, Any], kind: str, place: Place) -> Place:
    role = value.get("role")
    role = role if isinstance(role, str) else ""
    if role in _SYSTEM_ROLES:
        return Place.SYSTEM
    if role in _RESULT_ROLES or kind.endswith(("_result", "_output")):
        return Place.RESULT
    return place


def _is_sealed(name: str, value: Mapping[str, Any]) -> bool:
    return name in _SEALED or (name == "data" and kind_of(value) == "redacted_thinking")


def _is_file(name: str, item: str, value: Mapping[str, Any]) -> bool:
    """Whether a member holds a file: where formats have one, or an address that is the file itself."""
    if name in _ADDRESSES:
        return is_data_url(item)
    return name == "file_data" or (name == "data" and value.get("type") != "text")


def _type_of(value: Mapping[str, Any]) -> str:
    kind = value.get("media_type")
    return kind if isinstance(kind, str) else ""
