"""A streamed answer, event by event: however the text is cut, the same comes out as of the whole."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.context import ContextRules
from profiles.schema import ModelSpec
from runtime.context.scrubbing import RunScrubber
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_stream import Show
from runtime.gateway.model_wire import CHAT, MESSAGES, RESPONSES
from runtime.upstreams.sse import Event, parse_event
from sandboxes.scrub.model import OwnValue
from tests.standins.model_provider import REAL_MODEL, Answers

RUN = OwnValue("run", "run-2qzv7j5m4kx3ahd6", "ref-abcdefgh")
TEXT = f"I am {REAL_MODEL}; this is {RUN.value}, and run-2q is not."
SPEC = ModelSpec.model_validate_json(
    json.dumps({"alias": "assistant", "provider": "openai", "name": REAL_MODEL})
)


def show_of(path: str, asked: Any = None) -> Show:
    rules = ContextRules()
    return Show(path, asked or {}, "assistant", ModelScrub(RunScrubber([RUN], rules), rules, SPEC))


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


def shown(path: str, words: list[str]) -> Iterator[dict[str, Any]]:
    show = show_of(path)
    for name, value in Answers(words, REAL_MODEL).events(path, usage=False):
        data = value if isinstance(value, str) else json.dumps(value)
        for block in show.event(Event(data=data, name=name)).split(b"\n\n"):
            if block and b"[DONE]" not in block:
                yield json.loads(parse_event(block).data)


def words_of(events: list[dict[str, Any]]) -> str:
    told = []
    for event in events:
        told += [choice["delta"].get("content") or "" for choice in event.get("choices") or ()]
        delta = event.get("delta")
        told.append(delta if isinstance(delta, str) else (delta or {}).get("text", ""))
    return "".join(told)


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@settings(deadline=None)  # of a busy machine nothing is known
@given(cuts=st.lists(st.integers(0, 500), max_size=40))
def test_the_same_comes_out_however_it_is_cut(path: str, cuts: list[int]) -> None:
    expected = TEXT.replace(REAL_MODEL, "model-hwfkzqye").replace(RUN.value, RUN.put)

    assert words_of(list(shown(path, pieces(TEXT, cuts)))) == expected


@given(st.binary(max_size=300), st.sampled_from([CHAT, RESPONSES, MESSAGES]))
def test_no_event_of_a_provider_breaks_the_stream(data: bytes, path: str) -> None:
    assert isinstance(show_of(path).event(parse_event(data)), bytes)


ODD: list[tuple[str, Any]] = [
    (CHAT, {"choices": None}),
    (CHAT, {"choices": [None, {"delta": None, "finish_reason": "stop"}]}),
    (CHAT, {"choices": [{"delta": {"tool_calls": [{"index": 0}], "content": 7}}]}),
    (RESPONSES, {"type": "response.output_text.delta"}),
    (RESPONSES, {"type": "response.completed", "response": None}),
    (RESPONSES, {"type": "response.output_text.done"}),
    (MESSAGES, {"type": "content_block_delta"}),
    (MESSAGES, {"type": "message_start", "message": None}),
    (MESSAGES, {"type": "message_delta", "usage": 3}),
]


@pytest.mark.parametrize(("path", "event"), ODD)
def test_events_of_another_shape_than_expected_pass_or_are_left_out(path: str, event: Any) -> None:
    told = show_of(path).event(Event(data=json.dumps(event)))

    assert REAL_MODEL.encode() not in told


def test_what_a_model_writes_for_a_custom_tool_loses_own_values_however_it_is_cut() -> None:
    show, told = show_of(CHAT), b""
    for piece in ("see run-2q", "zv7j5m4kx3ahd6 now", None):
        call = {"index": 0, "type": "custom", "custom": {"input": piece}}
        delta = {"tool_calls": [call]} if piece else {}
        choice = {"index": 0, "delta": delta, "finish_reason": None if piece else "tool_calls"}
        told += show.event(Event(data=json.dumps({"choices": [choice]})))
    events = [json.loads(parse_event(block).data) for block in told.split(b"\n\n") if block]
    calls = [call for event in events for call in event["choices"][0]["delta"].get("tool_calls", ())]
    assert "".join(call["custom"]["input"] for call in calls) == f"see {RUN.put} now"


def test_words_in_a_shape_that_no_rule_reads_are_left_out() -> None:
    choice = {"index": 0, "delta": {"role": "assistant", "content": [{"type": "text", "text": "real-"}]}}
    (event,) = show_of(CHAT).event(Event(data=json.dumps({"choices": [choice]}))).split(b"\n\n")[:-1]
    assert json.loads(parse_event(event).data)["choices"][0]["delta"] == {"role": "assistant"}


@pytest.mark.parametrize(
    ("path", "event"),
    [
        (RESPONSES, {"type": "codex.rate_limits", "limits": {"remaining": 3}}),
        (MESSAGES, {"type": "account_notice", "text": "deprecated"}),
    ],
)
def test_an_event_that_no_client_of_the_format_knows_is_left_out(path: str, event: Any) -> None:
    assert show_of(path).event(Event(data=json.dumps(event))) == b""


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
def test_an_error_event_is_a_constant(path: str) -> None:
    error = {"type": "error", "error": {"message": f"{REAL_MODEL} is overloaded in eu-west-1"}}

    told = show_of(path).event(Event(data=json.dumps(error), name="error"))

    assert b"The stream was interrupted" in told
    assert b"eu-west-1" not in told


def test_events_of_a_response_are_numbered_without_a_gap() -> None:
    numbers = [event["sequence_number"] for event in shown(RESPONSES, pieces(TEXT, list(range(0, 60, 3))))]

    assert numbers == list(range(len(numbers)))
