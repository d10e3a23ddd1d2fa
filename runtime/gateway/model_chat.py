"""The choices of a streamed chat completion: their words, and what they write for tools."""

from collections.abc import Mapping
from typing import Any, Final

from runtime.gateway.model_parts import Key, Parts

_WRITTEN: Final[Mapping[str, str]] = {"function": "arguments", "custom": "input"}
"""What a model writes for a tool, by the tool's kind."""
_DELTAS: Final = ("content", "refusal", "reasoning_content", "reasoning")


def choice_of(parts: Parts, choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice of an event; where it ends, with all that was held back of it.

    Raises:
        ScrubError: it cannot be scrubbed.
    """
    index, ends = choice.get("index", 0), choice.get("finish_reason") is not None
    given = choice.get("delta")
    delta = dict(given) if isinstance(given, dict) else {}
    for name in _DELTAS:
        if isinstance(delta.get(name), str):
            delta[name] = parts.feed((index, name), delta[name], thought=name.startswith("reason"))
        elif delta.get(name) is not None:
            del delta[name]  # no client of this format reads words in another shape, and no rule reads on
    calls = [
        _call(parts, index, dict(call)) for call in delta.get("tool_calls") or () if isinstance(call, dict)
    ]
    if calls:
        delta["tool_calls"] = calls
    if isinstance(delta.get("function_call"), dict):
        delta["function_call"] = _made(parts, (index, "function_call"), delta["function_call"])
    if ends:
        _end(parts, index, delta)
    return {**choice, "delta": delta, "logprobs": None}


def _call(parts: Parts, index: Any, call: dict[str, Any]) -> dict[str, Any]:
    seen = dict(call)
    for kind in _WRITTEN:
        if isinstance(call.get(kind), dict):
            seen[kind] = _made(parts, (index, kind, call.get("index", 0)), call[kind], _WRITTEN[kind])
    return seen


def _made(parts: Parts, key: Key, made: dict[str, Any], member: str = "arguments") -> dict[str, Any]:
    if not isinstance(made.get(member), str):
        return made
    return {**made, member: parts.feed(key, made[member], code=True)}


def _end(parts: Parts, index: Any, delta: dict[str, Any]) -> None:
    for key, rest in parts.end(lambda key: key[0] == index):
        if key[1] in _WRITTEN:
            late = {"index": key[2], key[1]: {_WRITTEN[key[1]]: rest}}
            delta["tool_calls"] = [*delta.get("tool_calls", ()), late]
        elif key[1] == "function_call":
            delta["function_call"] = {"arguments": rest}
        else:
            delta[key[1]] = (delta.get(key[1]) or "") + rest
