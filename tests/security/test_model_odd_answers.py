"""R-20, R-40: what providers answer besides their usual answers, and what frameworks ask beside the usual."""

from typing import Any

import anthropic
import openai
import pytest

from profiles.schema import ModelProvider as Kind
from runtime.gate.replies import Performed
from tests.standins.model_door import FirstModel, Wired, wired
from tests.standins.model_provider import REAL_MODEL, Answers

pytestmark = pytest.mark.anyio

ASK: Any = [{"role": "user", "content": "hi"}]
PATCH = {"type": "update_file", "path": "a.py", "diff": f"+{REAL_MODEL}"}
PATCH_CALL = {"type": "apply_patch_call", "id": "ap_1", "call_id": "c1", "status": "completed"}
CLICK = {"type": "click", "button": "left", "x": 1, "y": 2}
OWN: dict[str, Any] = {
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "reasoning": {"effort": "medium", "summary": None},
    "truncation": "auto",
    "temperature": 0.7,
    "top_p": 0.98,
    "tool_choice": "auto",
    "parallel_tool_calls": False,
}
"""What a provider fills in by its model where nothing was asked for."""


def usual(path: str) -> Any:
    return Answers(["Hello"], REAL_MODEL).whole(path)


def usual_events(path: str) -> list[tuple[str, Any]]:
    return list(Answers(["Hello"], REAL_MODEL).events(path, usage=False))


def last(w: Wired) -> Performed:
    done = w.gate.settled[-1][1]
    assert isinstance(done, Performed)
    return done


async def chat(w: Wired, **more: Any) -> Any:
    return await w.openai.chat.completions.create(model="assistant", messages=ASK, **more)


async def streamed(w: Wired) -> str:
    stream = await chat(w, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def test_what_is_null_or_off_is_as_if_nobody_had_asked() -> None:
    """Frameworks send every setting they know: null where it is not set, false where it is off."""
    async with wired(Kind.OPENAI) as w:
        await chat(w, store=False, service_tier=None, audio=None)
        await w.openai.responses.create(
            model="assistant", input="hi", background=False, previous_response_id=None, conversation=None
        )
        with pytest.raises(openai.BadRequestError, match="background"):
            await w.openai.responses.create(model="assistant", input="hi", background=True)
    first, second = (body for _, _, body in w.provider.asked)
    assert not first.keys() & {"store", "service_tier", "audio"}
    assert not second.keys() & {"background", "previous_response_id", "conversation"}


async def test_names_of_caches_and_of_users_go_with_every_format() -> None:
    named = {"prompt_cache_key": "k", "safety_identifier": "u"}
    async with wired(Kind.OPENAI) as w:
        await chat(w, **named)
        await w.openai.responses.create(model="assistant", input="hi", **named)
    assert all(named.items() <= body.items() for _, _, body in w.provider.asked)
    async with wired(Kind.ANTHROPIC) as w:
        cache: Any = {"cache_control": {"type": "ephemeral"}}
        await w.anthropic.messages.create(model="assistant", max_tokens=5, messages=ASK, extra_body=cache)
    assert cache.items() <= w.provider.asked[0][2].items()


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}])
async def test_an_item_that_the_provider_keeps_is_not_asked_for(item: Any) -> None:
    """R-20: nothing of the run's is kept there, so it would be of somebody else's."""
    async with wired(Kind.OPENAI) as w:
        with pytest.raises(openai.BadRequestError, match="given whole"):
            await w.openai.responses.create(model="assistant", input=[item])
    assert w.provider.asked == []


async def test_links_that_a_model_quoted_go_back_with_its_answer() -> None:
    link = {
        "type": "url_citation",
        "url": "https://a.example/",
        "title": "a",
        "start_index": 0,
        "end_index": 1,
    }
    said = {"type": "output_text", "text": "hi", "annotations": [link]}
    before: Any = {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [said],
    }
    async with wired(Kind.OPENAI) as w:
        await w.openai.responses.create(model="assistant", input=[before])
    assert w.provider.asked[0][2]["input"] == [before]


async def test_a_call_of_an_agents_own_tool_comes_whole() -> None:
    checks = [{"id": "s1", "code": "odd", "message": "look"}]
    click = {"type": "computer_call", "id": "cu_1", "call_id": "c2", "status": "completed"}
    made = [PATCH_CALL | {"operation": PATCH}, click | {"action": CLICK, "pending_safety_checks": checks}]
    async with wired(Kind.OPENAI) as w:
        w.provider.whole = usual("/responses") | {"output": made}
        answer = await w.openai.responses.create(model="assistant", input="hi")
    patch, clicked = (item.model_dump(exclude_none=True) for item in answer.output)
    assert patch["operation"] == PATCH | {"diff": "+model-hwfkzqye"}
    assert clicked["pending_safety_checks"] == checks


async def test_commands_of_a_local_shell_come_in_pieces_and_whole() -> None:
    where = {"output_index": 0, "command_index": 0}
    kinds = "response.shell_call_command."
    events = [
        (kinds + "added", {"command": ""}),
        (kinds + "delta", {"delta": "echo real-model"}),
        (kinds + "delta", {"delta": "-2026-11"}),
        (kinds + "done", {"command": f"echo {REAL_MODEL}"}),
    ]
    begin, *_, end = usual_events("/responses")
    async with wired(Kind.OPENAI) as w:
        w.provider.events = [begin, *((kind, {"type": kind, **where, **own}) for kind, own in events), end]
        stream = await w.openai.responses.create(model="assistant", input="hi", stream=True)
        seen: list[Any] = [event async for event in stream if event.type.startswith(kinds)]
    assert "".join(event.delta for event in seen if event.type.endswith("delta")) == "echo model-hwfkzqye"
    assert seen[-1].command == "echo model-hwfkzqye"
    assert {event.command_index for event in seen} == {0}


async def test_a_response_says_nothing_that_its_model_fills_in() -> None:
    """R-19: another effort or temperature where none was asked for is another model."""
    async with wired(Kind.OPENAI) as w:
        plain = await w.openai.responses.create(model="assistant", input="hi")
        w.provider.whole = usual("/responses") | OWN
        other = await w.openai.responses.create(model="assistant", input="hi")
        asked = await w.openai.responses.create(model="assistant", input="hi", temperature=0.2)
    assert asked.temperature == 0.2
    assert (other.temperature, other.top_p, other.truncation) == (1.0, 1.0, "disabled")
    assert (other.tool_choice, other.parallel_tool_calls) == (plain.tool_choice, plain.parallel_tool_calls)
    assert other.reasoning is not None
    assert (other.reasoning.effort, other.text) == (None, other.text)
    assert "verbosity" not in other.model_dump(exclude_none=True)["text"]


async def test_an_event_of_an_unknown_kind_says_nothing() -> None:
    """R-19: a notice of a quota, say."""
    notice = {"type": "response.rate_limits.updated", "text": "tier 2, 3 requests are left"}
    begin, *rest = usual_events("/responses")
    async with wired(Kind.OPENAI) as w:
        w.provider.events = [begin, (notice["type"], notice), *rest]
        stream = await w.openai.responses.create(model="assistant", input="hi", stream=True)
        kinds = [event.type async for event in stream]
    assert kinds == [kind for kind, _ in (begin, *rest)]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_id_loses_the_models_name_wherever_it_stands(stream: bool) -> None:
    """R-19: in a text a name ends where its word ends; in an id it has no end."""
    call = {"index": 0, "id": f"call_{REAL_MODEL}0x", "type": "function"}
    made = call | {"function": {"name": "get", "arguments": "{}"}}
    async with wired(Kind.OPENAI) as w:
        if stream:
            begin, *rest = usual_events("/chat/completions")
            chunk = {**begin[1], "choices": [{"index": 0, "delta": {"tool_calls": [made]}}]}
            w.provider.events = [begin, ("", chunk), *rest]
            chunks = [piece async for piece in await chat(w, stream=True)]
            calls = [call for piece in chunks for call in piece.choices[0].delta.tool_calls or ()]
        else:
            w.provider.whole = usual("/chat/completions")
            w.provider.whole["choices"][0]["message"]["tool_calls"] = [made]
            calls = (await chat(w)).choices[0].message.tool_calls
    assert [call.id for call in calls] == ["call_model-hwfkzqye0x"]


@pytest.mark.parametrize("body", [{}, {"message": "Internal server error"}, {"detail": "busy"}])
async def test_what_is_no_answer_is_of_no_other_model(body: Any) -> None:
    """R-40: what stands before a provider answers so; it pins nothing, and takes nothing away."""
    pins = FirstModel()
    async with wired(Kind.OPENAI, pins=pins) as w:
        w.provider.whole = body
        with pytest.raises(openai.InternalServerError, match="The model is not available"):
            await chat(w)
    assert pins.pin is None
    assert last(w).is_error
    assert last(w).payload == {"status": 200, "body": body}


ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": f"{REAL_MODEL} is overloaded"}}


async def test_what_a_stream_said_of_its_failure_is_in_the_record() -> None:
    async with wired(Kind.ANTHROPIC) as w:
        w.provider.events = [*usual_events("/messages")[:4], ("error", ERROR)]
        with pytest.raises(anthropic.APIStatusError) as failed:
            async with w.anthropic.messages.stream(model="assistant", max_tokens=5, messages=ASK) as stream:
                await stream.get_final_message()
    assert "overloaded" not in str(failed.value)
    payload: Any = last(w).payload
    assert payload["error"] == ERROR["error"]
    assert payload["shown"] == "Hello"
    assert last(w).used is None


async def test_a_stream_that_begins_with_a_failure_is_a_failure_like_any() -> None:
    """So a client may try again; and no word of another model is in it."""
    pins = FirstModel()
    async with wired(Kind.OPENAI, pins=pins) as w:
        w.provider.events = [("", {"error": {"message": f"{REAL_MODEL} is busy", "code": 429}})]
        with pytest.raises(openai.InternalServerError, match="The model is not available"):
            await streamed(w)
    assert pins.pin is None
    assert last(w).payload == {"status": 200, "body": {"message": f"{REAL_MODEL} is busy", "code": 429}}


@pytest.mark.parametrize("path", ["/responses", "/chat/completions"])
async def test_a_stream_whose_events_have_no_names_is_read(path: str) -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.events = [("", data) for _, data in usual_events(path)]
        if path == "/responses":
            stream = await w.openai.responses.create(model="assistant", input="hi", stream=True)
            assert [event.type async for event in stream][-1] == "response.completed"
        else:
            assert await streamed(w) == "Hello"
    assert last(w).payload["shown"] == "Hello"  # type: ignore[index, call-overload]  # a stream's payload is a mapping


async def test_a_connection_that_breaks_after_the_last_event_takes_nothing() -> None:
    async with wired(Kind.OPENAI) as w:
        events = usual_events("/chat/completions")
        w.provider.events, w.provider.cut = [*events, ("", {})], len(events)
        assert await streamed(w) == "Hello"
    assert last(w).payload["shown"] == "Hello"  # type: ignore[index, call-overload]  # a stream's payload is a mapping


async def test_a_connection_that_stays_open_after_the_last_event_keeps_nobody_waiting() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.events, w.provider.pause_s = usual_events("/chat/completions")[-2:], 2
        assert await streamed(w) == ""
        assert not w.provider.ended.is_set()
