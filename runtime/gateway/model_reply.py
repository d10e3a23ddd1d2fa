"""The shape of a model's answer: the members that an agent may see, and what is in place of the others. Pure.

An answer is built up from an allow-list, as a request is. What varies by provider, region, tier, age or by
what was asked before is left out or constant: fingerprints, service tiers, what came from a cache. What an
answer repeats of its request is what the agent asked, not what was sent. A tokenizer can be told by its
counts; nothing here hides that, since clients and agents need them.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from profiles.schema import Price
from runtime.gateway.model_wire import CHAT, COUNT, EMBEDDINGS, MESSAGES, RESPONSES
from runtime.models.prices import Used, cost_of
from sandboxes.constants import NO_MODEL_TEXT


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    CHAT: _names("id object created model choices usage"),
    RESPONSES: _names(
        "id object created_at completed_at status error incomplete_details model output parallel_tool_calls "
        "previous_response_id tool_choice tools temperature top_p truncation text reasoning usage "
        "instructions max_output_tokens metadata store user background"
    ),
    EMBEDDINGS: _names("object data model usage"),
    MESSAGES: _names("id type role model content stop_reason stop_sequence stop_details usage"),
    COUNT: _names("input_tokens"),
}
_SAID: Final = _names("role content refusal reasoning_content reasoning tool_calls function_call annotations")
_CALL: Final = _names("index id type function custom")
_MADE: Final = _names("name arguments input")
_ITEM: Final = _names(
    "type id status role content summary text refusal annotations citations encrypted_content phase call_id "
    "name arguments input output action code results queries error thinking signature data tool_use_id "
    "is_error object index embedding operation actions pending_safety_checks acknowledged_safety_checks "
    "namespace"
)
"""Members of an answer's items, blocks and rows; of those within them all that has a meaning of its own."""
_EVENT: Final = _names(
    "type message index content_block delta usage response item part output_index content_index "
    "summary_index item_id sequence_number text refusal arguments name input code annotation "
    "annotation_index logprobs obfuscation command command_index"
)
_MOST_TOKENS: Final = 10**12
_PREFIXES: Final[Mapping[str, str]] = {CHAT: "chatcmpl-", RESPONSES: "resp_", MESSAGES: "msg_"}
_REPEATED: Final[Mapping[str, Any]] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "store": True,
    "tools": [],
    "user": None,
    "tool_choice": "auto",
    "text": {"format": {"type": "text"}},
    "reasoning": {"effort": None, "summary": None},
    "truncation": "disabled",
    "temperature": 1.0,
    "top_p": 1.0,
    "parallel_tool_calls": True,
}
"""What a response repeats of its request, with what stands there if the agent asked for nothing.

A provider fills in what is its model's own, by which models are told apart.
"""
_ANSWERS: Final[Mapping[str, str]] = {
    CHAT: "choices",
    RESPONSES: "output",
    EMBEDDINGS: "data",
    MESSAGES: "content",
    COUNT: "input_tokens",
}
"""The member without which nothing is an answer."""
_USAGE: Final = _names(
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens prompt_tokens_details "
    "completion_tokens_details input_tokens_details output_tokens_details reasoning_tokens audio_tokens "
    "accepted_prediction_tokens rejected_prediction_tokens text_tokens image_tokens"
)
_WRITTEN: Final = "cache_creation_input_tokens"
_CACHES: Final = (_WRITTEN, "cache_read_input_tokens")
_CACHED: Final = "cached_tokens"
_REGION: Final = re.compile(r"^(msg|toolu|srvtoolu)_(?:bdrk|vrtx)_")
IDS: Final = _names("id call_id tool_use_id item_id tool_call_id")


def shaped(path: str, answer: Any, asked: Mapping[str, Any], alias: str) -> Any:
    """Return an answer as an agent may see it; its texts are not scrubbed yet.

    Args:
        path: the endpoint, one of `ENDPOINTS`.
        answer: as the provider gave it.
        asked: the request as the agent made it.
        alias: the model as the agent knows it.
    """
    if not isinstance(answer, Mapping):
        return {}
    seen = {name: item for name, item in answer.items() if name in _FIELDS[path]}
    if "model" in seen:
        seen["model"] = alias
    if isinstance(seen.get("id"), str) and path in _PREFIXES:
        seen["id"] = _id(_PREFIXES[path], seen["id"])
    if "usage" in seen:
        seen["usage"] = shaped_usage(seen["usage"])
    if isinstance(seen.get("choices"), list):
        seen["choices"] = [_choice(choice) for choice in seen["choices"] if isinstance(choice, Mapping)]
    for name in ("content", "output", "data"):
        if name in seen:
            seen[name] = items(seen[name])
    if path == RESPONSES:
        seen |= {name: _repeated(asked, name) for name in _REPEATED if name in seen}
        if seen.get("error"):
            seen["error"] = {"code": "server_error", "message": NO_MODEL_TEXT}
    return without_regions(seen)


def _repeated(asked: Mapping[str, Any], name: str) -> Any:
    value = asked.get(name)
    return _REPEATED[name] if value is None else value


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return a choice of a chat without what vendors add; likelihoods are never asked for."""
    seen = {name: choice[name] for name in ("index", "finish_reason") if name in choice}
    for name in ("message", "delta"):
        if isinstance(choice.get(name), Mapping):
            seen[name] = _said(choice[name])
    return {**seen, "logprobs": None}


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    seen = {name: item for name, item in message.items() if name in _SAID}
    if isinstance(seen.get("tool_calls"), list):
        seen["tool_calls"] = [_called(call) for call in seen["tool_calls"] if isinstance(call, Mapping)]
    return seen


def _called(call: Mapping[str, Any]) -> dict[str, Any]:
    seen = {name: item for name, item in call.items() if name in _CALL}
    for name in ("function", "custom"):
        if isinstance(seen.get(name), Mapping):
            seen[name] = {key: item for key, item in seen[name].items() if key in _MADE}
    return seen


def items(value: Any) -> Any:
    """Return an item, a block or a list of them without what vendors add."""
    if isinstance(value, list):
        return [items(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    nested = ("content", "summary", "output")
    return {name: items(item) if name in nested else item for name, item in value.items() if name in _ITEM}


def event_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of a stream without what vendors add to it, such as what an invocation measured."""
    seen = {name: item for name, item in data.items() if name in _EVENT}
    inner = {name: items(seen[name]) for name in ("content_block", "item", "part") if name in seen}
    return seen | inner


def shaped_usage(usage: Any) -> Any:
    """Return what was used: the counts that clients know; what came from a cache counts as any other."""
    if not isinstance(usage, Mapping):
        return None
    seen = {
        name: shaped_usage(item) if isinstance(item, Mapping) else item
        for name, item in usage.items()
        if name in _USAGE
    }
    cached = {name: 0 for name in (*_CACHES, _CACHED) if isinstance(usage.get(name), int)}
    if isinstance(seen.get("input_tokens"), int):
        seen["input_tokens"] += sum(_count(usage, name) or 0 for name in _CACHES)
    return {**seen, **cached}


def without_regions(value: Any) -> Any:
    """Return a value whose ids do not say by which cloud the model was reached."""
    if isinstance(value, str) or not isinstance(value, list | Mapping):
        return value
    if isinstance(value, list):
        return [without_regions(item) for item in value]
    return {
        name: _REGION.sub(r"\1_", item) if name in IDS and isinstance(item, str) else without_regions(item)
        for name, item in value.items()
    }


def named_by(answer: Any) -> str | None:
    """Return what the provider calls its model, in an answer or an event; None if it does not say."""
    if not isinstance(answer, Mapping):
        return None
    for part in (answer, answer.get("response"), answer.get("message")):
        if isinstance(part, Mapping) and isinstance(part.get("model"), str) and part["model"]:
            return str(part["model"])
    return None


def is_answer(path: str, value: Any) -> bool:
    """Whether a provider's JSON is an answer to a path; a report of a failure names no model."""
    if named_by(value) is not None:
        return True
    return isinstance(value, Mapping) and not value.get("error") and _ANSWERS[path] in value


def used_of(usage: Any, price: Price | None, *, answers: bool = True) -> Used | None:
    """Return what a call used, by what the provider says; None if it does not say all of it.

    Args:
        usage: in either format; Anthropic counts what came from a cache apart, OpenAI does not.
        price: of a million tokens.
        answers: whether the model says something; an embedding has no tokens of its own.
    """
    if not isinstance(usage, Mapping):
        return None
    asked = _count(usage, "prompt_tokens", "input_tokens")
    answered = _count(usage, "completion_tokens", "output_tokens")
    if asked is None or (answered is None and answers):
        return None
    asked += sum(_count(usage, name) or 0 for name in _CACHES)
    cost = cost_of(price, asked, answered or 0, _count(usage, _WRITTEN) or 0)
    return Used(asked, answered or 0, cost)


def thoughts_of(answer: Any) -> str:
    """Return what a model says of how it came to its answer, in any of the formats (R-11)."""
    return "\n".join(_thoughts(answer))


def _thoughts(value: Any, depth: int = 0) -> list[str]:
    if depth > 8:  # noqa: PLR2004 - no format has them deeper
        return []
    if isinstance(value, list):
        return [text for item in value for text in _thoughts(item, depth + 1)]
    if not isinstance(value, Mapping):
        return []
    if value.get("type") == "reasoning":
        parts = value.get("summary")
        told = parts if isinstance(parts, list) else []
        return [str(part.get("text")) for part in told if isinstance(part, Mapping)]
    own = [value[name] for name in ("thinking", "reasoning_content") if isinstance(value.get(name), str)]
    inner = [value.get(name) for name in ("choices", "message", "content", "output")]
    return own + [text for item in inner for text in _thoughts(item, depth + 1)]


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    found = [usage[name] for name in names if type(usage.get(name)) is int]
    return found[0] if found and 0 <= found[0] <= _MOST_TOKENS else None


@lru_cache(maxsize=64)  # every event of a stream has the id of its answer
def _id(prefix: str, given: str) -> str:
    """Return an id of the usual form that says nothing of who gave it."""
    return prefix + hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()[:24]
