"""The pure parts of the wires: events, templates, routes, cancelled and late messages."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from runtime.gate.actions import Action, ActionKind
from runtime.upstreams.errors import NoSuchTargetError, ReplyTooLargeError, RpcError, UpstreamProtocolError
from runtime.upstreams.manifest import Offer
from runtime.upstreams.peers import Hooks, outcome_of, request_message
from runtime.upstreams.routes import Route, matches, route
from runtime.upstreams.sse import Event, events, parse_event, take_events
from tests.standins.profiles import make_profile
from tests.standins.served import SERVED_ODD


async def cut(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_events_are_the_same_however_the_bytes_are_cut(end: str, size: int) -> None:
    lines = [
        ": comment",
        "event: x",
        "id: 7",
        "retry: 50",
        "data: one",
        "data:two",
        "",
        "data: \u2028",
        "",
        "data",
    ]
    found = [event async for event in events(cut(end.join(lines).encode(), size), limit=1000)]
    assert [(e.data, e.name, e.id, e.retry_ms) for e in found] == [
        ("one\ntwo", "x", "7", 50),
        ("\u2028", "", "", None),
    ]


@pytest.mark.anyio
async def test_an_event_without_end_is_cut_off() -> None:
    found = events(cut(b"data: " + b"x" * 5000, 100), limit=1000)
    with pytest.raises(ReplyTooLargeError):
        await anext(found)


def test_an_events_fields_are_never_trusted_to_be_numbers() -> None:
    assert parse_event("retry: \u0663\nid: a\n\n".encode()).retry_ms is None
    assert parse_event(b"\n\n") == Event(raw=b"\n\n")


@pytest.mark.parametrize(
    ("template", "uri", "fits"),
    [
        ("test://a/{id}/data", "test://a/5/data", True),
        ("test://a/{id}/data", "test://a/5/other", False),
        ("test://a/{id}", "test://b/5", False),
        ("{+path}", "file:///etc/passwd", True),
        ("a.b/{x}", "aXb/1", False),
    ],
)
def test_a_uri_fits_a_template_when_its_fixed_parts_stand_in_it(template: str, uri: str, fits: bool) -> None:
    assert matches(template, uri) is fits


def action(kind: ActionKind, target: str, **args: Any) -> Action:
    return Action("act-1", "run-1", kind, target, args)


OFFERS = {
    "near": Offer(resources=[{"uri": "n://1"}], prompts=[{"name": "p"}], capabilities={"resources": {}}),
    "far": Offer(templates=[{"uriTemplate": "f://{x}"}], capabilities={"resources": {}, "logging": {}}),
}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (action(ActionKind.RESOURCE, "n://1"), ("near", "resources/read")),
        (action(ActionKind.RESOURCE, "f://9"), ("far", "resources/read")),
        (action(ActionKind.PROMPT, "p", a="b"), ("near", "prompts/get")),
        (action(ActionKind.COMPLETION, "p", ref={"type": "ref/prompt"}), ("near", "completion/complete")),
        (
            action(ActionKind.COMPLETION, "f://{x}", ref={"type": "ref/resource"}),
            ("far", "completion/complete"),
        ),
        (action(ActionKind.REQUEST, "logging", level="info"), ("far", "logging/setLevel")),
    ],
)
def test_each_kind_finds_the_upstream_that_offers_it(asked: Action, found: tuple[str, str]) -> None:
    (step,) = route(make_profile({"near": SERVED_ODD}, ["echo"]), OFFERS, asked)
    assert (step.upstream, step.method) == found


def test_a_tool_is_called_by_its_own_name() -> None:
    tools = {"say": {"upstream": "near", "tool": "echo", "effect": "read"}}
    steps = route(
        make_profile({"near": SERVED_ODD}, [], tools=tools), {}, action(ActionKind.TOOL, "say", a=1)
    )
    assert steps == (Route("near", "tools/call", {"name": "echo", "arguments": {"a": 1}}),)


@pytest.mark.parametrize(
    "asked",
    [
        action(ActionKind.TOOL, "other"),
        action(ActionKind.RESOURCE, "x://1"),
        action(ActionKind.PROMPT, "q"),
        action(ActionKind.REQUEST, "sampling"),
        action(ActionKind.MODEL, "assistant"),
    ],
)
def test_what_nobody_offers_was_certainly_not_asked(asked: Action) -> None:
    with pytest.raises(NoSuchTargetError):
        route(make_profile({"near": SERVED_ODD}, ["echo"]), OFFERS, asked)


def test_an_agents_progress_token_is_never_sent_on_and_ours_only_where_it_is_wanted() -> None:
    async def told(amount: float, total: float | None, text: str | None) -> None:
        del amount, total, text

    params = {"_meta": {"progressToken": "theirs", "kept": 1}}
    assert request_message(5, "m", params, Hooks())["params"] == {"_meta": {"kept": 1}}
    assert request_message(5, "m", {}, Hooks(progress=told))["params"] == {"_meta": {"progressToken": 5}}


@pytest.mark.parametrize("bad", [{}, {"result": []}, {"error": "x"}, {"error": {"code": "1"}}])
def test_a_response_is_a_result_or_an_error(bad: dict[str, Any]) -> None:
    with pytest.raises(UpstreamProtocolError):
        outcome_of(bad)
    with pytest.raises(RpcError, match="no"):
        outcome_of({"error": {"code": 1, "message": "no"}})


def test_events_are_cut_at_the_first_empty_line_whatever_ends_the_lines() -> None:
    data = b"data: a\n\nid: 1\r\ndata: b\r\n\r\n: c\r\rdata: d\n\r\n\r\ndata: e\r\n"
    held = bytearray(data)
    assert take_events(held) == [
        b"data: a\n\n",
        b"id: 1\r\ndata: b\r\n\r\n",
        b": c\r\r",
        b"data: d\n\r\n\r\n",
    ]
    assert held == b"data: e\r\n"
