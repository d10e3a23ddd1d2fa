"""A streamed answer on its way to the agent: each event is shaped and scrubbed as it comes.

A phrase may be split over events. What could go on into something that must not be seen is held back until it
is whole; the rest goes out at the end of its part, at the latest.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from profiles.schema import ModelProvider
from runtime.gateway.model_chat import choice_of
from runtime.gateway.model_parts import Parts
from runtime.gateway.model_reply import event_of, named_by, shaped, shaped_usage, without_regions
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_told import error_body
from runtime.gateway.model_wire import CHAT, MESSAGES, RESPONSES, asks_for_usage
from runtime.upstreams.sse import Event
from sandboxes.constants import INTERRUPTED_TEXT
from sandboxes.scrub.model import Change

_DONE: Final = "[DONE]"
_MESSAGE_DELTAS: Final[Mapping[str, str]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}
_DELTA: Final = frozenset({"type", "text", "thinking", "partial_json", "signature", "citation"})
_MESSAGE_EVENTS: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    }
)


_RESPONSE_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "response": ("created", "queued", "in_progress", "completed", "incomplete", "failed"),
    "response.output_item": ("added", "done"),
    "response.content_part": ("added", "done"),
    "response.output_text": ("delta", "done"),
    "response.output_text.annotation": ("added",),
    "response.refusal": ("delta", "done"),
    "response.reasoning_text": ("delta", "done"),
    "response.reasoning_summary": ("delta", "done"),
    "response.reasoning_summary_part": ("added", "done"),
    "response.reasoning_summary_text": ("delta", "done"),
    "response.function_call_arguments": ("delta", "done"),
    "response.custom_tool_call_input": ("delta", "done"),
    "response.shell_call_command": ("added", "delta", "done"),
}
"""What an answer without the provider's own tools consists of."""
_LAST: Final = frozenset(
    {"message_stop", "response.completed", "response.incomplete", "response.failed", "error"}
)
_CODE: Final = ("arguments", "input", "command")
_INDEXES: Final = ("output_index", "content_index", "summary_index", "command_index")


@dataclass
class Streamed:
    """What an answer's stream has told so far.

    Attributes:
        named: what the provider calls its model, as it said last.
        ended: whether it said that this is all.
        error: what it said of a failure; for the record alone.
        begun: whether any of it went out.
        usage: the counts, the later over the earlier.
        changes: what was found in parts that came whole.
    """

    named: str | None = None
    ended: bool = False
    error: Any = None
    begun: bool = False
    usage: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)


class Show:
    """Turns a provider's events into what an agent may see. One for each call."""

    def __init__(self, path: str, asked: Mapping[str, Any], alias: str, scrub: ModelScrub) -> None:
        """Begin.

        Args:
            path: the endpoint.
            asked: the request as the agent made it.
            alias: the model as the agent knows it.
            scrub: the run's.
        """
        self._path = path
        self._asked = asked
        self._alias = alias
        self._scrub = scrub
        self._number = 0
        self._parts = Parts(scrub)
        self.told = Streamed()

    @property
    def spoke(self) -> bool:
        """Whether any of the answer's words have come."""
        return self._parts.spoke

    @property
    def shown(self) -> str:
        """The words that the agent was shown so far."""
        return self._parts.shown

    @property
    def thoughts(self) -> str:
        """What the model said of how it came to its answer."""
        return self._parts.thoughts

    @property
    def changes(self) -> list[Change]:
        """All that was found."""
        return [*self.told.changes, *self._parts.changes()]

    def event(self, event: Event) -> bytes:
        """Return what goes out for an event; nothing, for one that no client of this format knows.

        Raises:
            ScrubError: it cannot be scrubbed; the stream may not go on.
        """
        self.told.ended = self.told.ended or event.data == _DONE or event.name in _LAST
        if event.data == _DONE:
            return f"data: {_DONE}\n\n".encode()
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError):
            return b""
        if not isinstance(data, Mapping):
            return b""
        self._learn(data)
        return b"".join(self._written(name, value) for name, value in self._events(dict(data)))

    def _learn(self, data: Mapping[str, Any]) -> None:
        self.told.ended = self.told.ended or bool(data.get("error")) or data.get("type") in _LAST
        self.told.error = self.told.error or _error_in(data)
        named = named_by(data)
        if named is not None and self.told.named != named:
            self.told.named = named
            self._scrub.learn(named)
        for part in (data, data.get("response"), data.get("message")):
            if isinstance(part, Mapping) and isinstance(part.get("usage"), Mapping):
                begun = part is data.get("message")  # it counts what will be answered only at the end
                counts = {k: v for k, v in part["usage"].items() if v is not None}
                self.told.usage |= {k: v for k, v in counts.items() if not (begun and k == "output_tokens")}

    def _events(self, data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        if data.get("error"):
            yield "error", self._error()
        elif self._path == CHAT:
            yield from self._chat(data)
        elif self._path == RESPONSES:
            yield from self._response(data)
        elif self._path == MESSAGES:
            yield from self._message(data)

    # --- chat completions

    def _chat(self, data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        seen = shaped(CHAT, data, self._asked, self._alias)
        wanted = asks_for_usage(self._asked)
        if not wanted:
            seen.pop("usage", None)
            if not seen.get("choices"):
                return
        choices = seen.get("choices")
        seen["choices"] = [
            choice_of(self._parts, dict(choice)) for choice in choices or () if isinstance(choice, dict)
        ]
        yield "", seen

    # --- responses

    def _response(self, data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        kind = str(data.get("type", ""))
        if kind == "error":
            yield "error", self._numbered(self._error())
            return
        stem, _, end = kind.rpartition(".")
        if end in _RESPONSE_EVENTS.get(stem, ()):
            yield from self._response_part(stem, end, data)

    def _response_part(
        self, stem: str, end: str, data: dict[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        key = (stem, *(data.get(name) for name in _INDEXES))
        if end == "delta" and isinstance(data.get("delta"), str):
            said = {"thought": "reasoning" in stem, "code": any(word in stem for word in _CODE)}
            data["delta"] = self._parts.feed(key, data["delta"], **said)
            self._parts.keep(key, data)
        elif end == "done":
            for _, rest, form in self._parts.end_kept(lambda other: other == key):
                yield form["type"], self._numbered({**form, "delta": rest})
        if end != "delta":
            data = self._whole(data)
        if "logprobs" in data:
            data["logprobs"] = []
        yield f"{stem}.{end}", self._numbered(without_regions(data))

    def _whole(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return an event that holds a part of the answer, or all of it, whole."""
        if isinstance(data.get("response"), Mapping):
            data["response"] = shaped(RESPONSES, data["response"], self._asked, self._alias)
            output = data["response"].get("output")
            data["response"]["output"] = self._scrub.answer(output, self.told.changes)
            return data
        return dict(self._scrub.answer(data, self.told.changes))

    def _numbered(self, data: dict[str, Any]) -> dict[str, Any]:
        data = {**event_of(data), "sequence_number": self._number}
        self._number += 1
        return data

    # --- messages

    def _message(self, data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        kind = str(data.get("type", ""))
        if kind not in _MESSAGE_EVENTS:
            return
        if kind == "message_start":
            data["message"] = shaped(MESSAGES, data.get("message"), self._asked, self._alias)
        elif kind == "message_delta":
            data = {name: data[name] for name in ("type", "delta", "usage") if name in data}
            data["delta"] = {k: v for k, v in _mapping(data.get("delta")).items() if k.startswith("stop_")}
            data["usage"] = shaped_usage(data.get("usage"))
        elif kind == "content_block_start":
            data["content_block"] = self._scrub.answer(data.get("content_block"), self.told.changes)
        elif kind == "content_block_delta":
            data["delta"] = self._delta(data)
        elif kind == "content_block_stop":
            for _, rest, form in self._parts.end_kept(lambda key: key[0] == data.get("index")):
                name = _MESSAGE_DELTAS[form["delta"]["type"]]
                yield form["type"], {**form, "delta": {**form["delta"], name: rest}}
        yield kind, without_regions(event_of(data))

    def _delta(self, data: dict[str, Any]) -> Any:
        given = _mapping(data.get("delta"))
        delta = {member: item for member, item in given.items() if member in _DELTA}
        name = _MESSAGE_DELTAS.get(str(delta.get("type")))
        if name is None or not isinstance(delta.get(name), str):
            return self._scrub.answer(delta, self.told.changes)
        key = (data.get("index"), name)
        delta[name] = self._parts.feed(
            key, delta[name], thought=name == "thinking", code=name == "partial_json"
        )
        self._parts.keep(key, {**event_of(data), "delta": delta})
        return delta

    def _error(self) -> dict[str, Any]:
        form = ModelProvider.ANTHROPIC if self._path == MESSAGES else ModelProvider.OPENAI
        return error_body(form, "api_error", INTERRUPTED_TEXT)

    def _written(self, name: str, value: Mapping[str, Any]) -> bytes:
        line = f"event: {name}\n" if name else ""
        seen = self._scrub.frame(value)
        return f"{line}data: {json.dumps(seen, separators=(',', ':'))}\n\n".encode()


def _error_in(data: Mapping[str, Any]) -> Any:
    """Return what an event says of a failure, or None."""
    if data.get("type") == "error":
        return data.get("error") or data
    return data.get("error") or _mapping(data.get("response")).get("error")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
