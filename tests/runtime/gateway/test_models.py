"""Model access from day one: official clients, unmodified, through the gate to a stand-in provider."""

import asyncio
from typing import Any

import anthropic
import openai
import pytest

from profiles.schema import ModelProvider as Kind
from runtime.gate.replies import Failed, Performed, Unknown
from tests.standins.model_door import plain_client, wired
from tests.standins.model_provider import ANTHROPIC_KEY, OPENAI_KEY, REAL_MODEL, TEXT

pytestmark = pytest.mark.anyio


NO_NUMBER = b'{"model": "assistant", "messages": [], "temperature": NaN}'
NO_TRUTH = b'{"model": "assistant", "messages": [], "stream": "true"}'
ASK: list[Any] = [{"role": "user", "content": "hi"}]


async def test_the_openai_client_chats_and_sees_only_the_alias() -> None:
    async with wired(Kind.OPENAI) as w:
        answer = await w.openai.chat.completions.create(model="assistant", messages=ASK)
    assert answer.choices[0].message.content == TEXT
    assert (answer.model, answer.system_fingerprint) == ("assistant", None)
    path, headers, body = w.provider.asked[0]
    assert (path, body["model"], body["max_completion_tokens"]) == ("/v1/chat/completions", REAL_MODEL, 64)
    assert headers["authorization"] == f"Bearer {OPENAI_KEY}"
    assert [type(result) for _, result in w.gate.settled] == [Performed]


async def test_the_openai_client_streams_and_the_whole_text_is_recorded() -> None:
    async with wired(Kind.OPENAI) as w:
        stream = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=True)
        chunks = [chunk async for chunk in stream]
    assert {chunk.model for chunk in chunks} == {"assistant"}
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == TEXT
    result = w.gate.settled[0][1]
    assert isinstance(result, Performed)
    assert result.text == TEXT


async def test_the_openai_client_uses_responses_embeddings_and_the_list_of_models() -> None:
    async with wired(Kind.OPENAI) as w:
        answer = await w.openai.responses.create(model="assistant", input="hi")
        stream = await w.openai.responses.create(model="assistant", input="hi", stream=True)
        events = [event async for event in stream]
        rows = await w.openai.embeddings.create(model="assistant", input="hi", encoding_format="float")
        models = [model.id async for model in w.openai.models.list()]
        one = await w.openai.models.retrieve("assistant")
    assert (answer.output_text, answer.model, one.id) == (TEXT, "assistant", "assistant")
    assert events[-1].type == "response.completed"
    assert events[-1].response.model == "assistant"
    assert (rows.data[0].embedding, rows.model, models) == ([0.5, 0.25], "assistant", ["assistant"])
    assert w.provider.asked[0][2]["store"] is False


async def test_the_anthropic_client_sends_messages_streams_and_counts() -> None:
    async with wired(Kind.ANTHROPIC) as w:
        answer = await w.anthropic.messages.create(model="assistant", max_tokens=1000, messages=ASK)
        async with w.anthropic.messages.stream(model="assistant", max_tokens=10, messages=ASK) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        count = await w.anthropic.messages.count_tokens(model="assistant", messages=ASK)
        models = [model.id async for model in w.anthropic.models.list()]
    assert (answer.model, final.model, text) == ("assistant", "assistant", TEXT)
    assert (count.input_tokens, models) == (5, ["assistant"])
    path, headers, body = w.provider.asked[0]
    assert (path, body["max_tokens"], headers["x-api-key"]) == ("/v1/messages", 64, ANTHROPIC_KEY)
    assert "placeholder" not in str(headers)


async def test_no_header_and_no_body_names_the_real_model() -> None:
    async with wired(Kind.OPENAI) as w, plain_client() as client:
        for stream in (False, True):
            body = {"model": "assistant", "messages": ASK, "stream": stream}
            answer = await client.post(f"{w.url}/v1/chat/completions", json=body)
            assert REAL_MODEL not in answer.text + str(answer.headers)
            assert "server" not in answer.headers


async def test_a_busy_provider_is_tried_again_and_each_try_has_its_outcome() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.failures = [503, 429]
        answer = await w.openai.chat.completions.create(model="assistant", messages=ASK)
    assert answer.choices[0].message.content == TEXT
    assert len({action.id for action in w.gate.seen}) == 3
    assert [r.is_error for _, r in w.gate.settled if isinstance(r, Performed)] == [True, True, False]


async def test_a_provider_that_cannot_be_reached_is_certain_not_to_have_been_asked() -> None:
    async with wired(Kind.OPENAI, dead=True) as w:
        with pytest.raises(openai.InternalServerError, match="not available"):
            await w.openai.chat.completions.create(model="assistant", messages=ASK)
    assert [type(result) for _, result in w.gate.settled] == [Failed, Failed, Failed]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_providers_word_about_our_key_is_not_passed_on(status: int) -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.failures = [status]
        with pytest.raises(openai.InternalServerError) as caught:
            await w.openai.chat.completions.create(model="assistant", messages=ASK)
    assert OPENAI_KEY not in str(caught.value)
    assert len(w.provider.asked) == 1


async def test_a_providers_word_about_the_request_is_passed_on_under_the_alias() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.failures = [400]
        with pytest.raises(openai.BadRequestError, match="model assistant is busy") as caught:
            await w.openai.chat.completions.create(model="assistant", messages=ASK)
    assert OPENAI_KEY not in str(caught.value)


async def test_a_withheld_call_is_a_permission_error_with_the_constant_text() -> None:
    async with wired(Kind.ANTHROPIC) as w:
        w.gate.withhold.add("assistant")
        with pytest.raises(anthropic.PermissionDeniedError, match="This action was not carried out"):
            await w.anthropic.messages.create(model="assistant", max_tokens=5, messages=ASK)
    assert w.provider.asked == []


async def test_another_model_and_the_other_format_are_refused() -> None:
    async with wired(Kind.OPENAI) as w:
        with pytest.raises(openai.BadRequestError, match="does not exist"):
            await w.openai.chat.completions.create(model=REAL_MODEL + "x", messages=ASK)
        with pytest.raises(anthropic.NotFoundError):
            await w.anthropic.messages.create(model="assistant", max_tokens=5, messages=ASK)
    assert w.gate.seen == []


async def test_a_client_that_leaves_midway_ends_the_call_with_an_unknown_outcome() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.pause_s = 0.2
        stream = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=True)
        async for _ in stream:
            break
        await stream.close()
        async with asyncio.timeout(5):
            while not w.gate.settled:  # noqa: ASYNC110 - the stand-in gate has no event to wait for
                await asyncio.sleep(0.01)
    assert isinstance(w.gate.settled[0][1], Unknown)


async def test_a_stream_that_breaks_midway_ends_with_an_error_event_and_an_unknown_outcome() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.cut = 2
        stream = await w.openai.chat.completions.create(model="assistant", messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match="interrupted"):
            async for _ in stream:
                pass
    assert isinstance(w.gate.settled[0][1], Unknown)


OUTSIDE: list[tuple[str, dict[str, Any]]] = [
    ("/v1/responses", {"tools": [{"type": "web_search"}]}),
    ("/v1/responses", {"tools": [{"type": "mcp", "server_url": "https://x.example"}]}),
    ("/v1/responses", {"previous_response_id": "resp_1"}),
    ("/v1/responses", {"background": True}),
    ("/v1/chat/completions", {"web_search_options": {}}),
    ("/v1/chat/completions", {"logprobs": True}),
    ("/v1/responses", {"include": ["message.output_text.logprobs"]}),
    ("/v1/chat/completions", {"tools": ["web"]}),
    ("/v1/responses", {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}),
    ("/v1/responses", {"tools": [{"type": "shell"}]}),
    (
        "/v1/chat/completions",
        {
            "messages": [
                {"content": [{"type": "image_url", "image_url": {"url": "https://x.example/?secret"}}]}
            ]
        },
    ),
]


@pytest.mark.parametrize(("path", "extra"), OUTSIDE)
async def test_a_provider_is_no_way_out_of_the_box(path: str, extra: dict[str, Any]) -> None:
    """R-14: what a provider would fetch, run or keep by itself is refused before it is asked."""
    async with wired(Kind.OPENAI) as w, plain_client() as client:
        answer = await client.post(w.url + path, json={"model": "assistant", **extra})
    assert answer.status_code == 400
    assert w.provider.asked == []


async def test_anthropics_own_servers_and_addresses_are_no_way_out_either() -> None:
    source = {"type": "url", "url": "https://x.example/?secret"}
    bad: list[dict[str, Any]] = [
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        {"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x"}]},
        {"container": "c"},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]},
    ]
    async with wired(Kind.ANTHROPIC) as w, plain_client() as client:
        for extra in bad:
            body = {"model": "assistant", "max_tokens": 5, "messages": ASK, **extra}
            answer = await client.post(f"{w.url}/anthropic/v1/messages", json=body)
            assert answer.status_code == 400, extra
    assert w.provider.asked == []


async def test_a_shell_that_the_agent_runs_itself_is_its_own_tool() -> None:
    tool: Any = {"type": "shell", "environment": {"type": "local"}}
    async with wired(Kind.OPENAI) as w:
        await w.openai.responses.create(model="assistant", input="hi", tools=[tool])
    assert w.provider.asked[0][2]["tools"] == [tool]


async def test_an_address_in_a_tools_own_input_is_the_agents_business() -> None:
    call = {"type": "tool_use", "id": "t", "name": "get", "input": {"url": "https://x.example"}}
    messages: list[Any] = [*ASK, {"role": "assistant", "content": [call]}]
    tool: Any = {"name": "get", "input_schema": {"type": "object", "properties": {"url": {"type": "string"}}}}
    async with wired(Kind.ANTHROPIC) as w:
        await w.anthropic.messages.create(model="assistant", max_tokens=5, messages=messages, tools=[tool])
    assert len(w.provider.asked) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000, NO_NUMBER, NO_TRUTH])
async def test_a_body_that_is_no_object_is_a_bad_request(body: bytes) -> None:
    async with wired(Kind.OPENAI) as w, plain_client() as client:
        answer = await client.post(f"{w.url}/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
