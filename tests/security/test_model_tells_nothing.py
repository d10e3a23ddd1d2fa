"""An agent asks its model door for whatever it can, and learns nothing of the model behind it."""

import json
from typing import Any

import httpx
import pytest

from profiles.schema import ModelProvider as Kind
from tests.standins.model_door import Wired, plain_client, wired
from tests.standins.model_provider import OPENAI_KEY, REAL_MODEL

pytestmark = pytest.mark.anyio

ASK: list[Any] = [{"role": "user", "content": "hi"}]
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": ASK},
    "/v1/responses": {"input": "hi", "instructions": "You are an AI model that will be updated quarterly."},
    "/v1/embeddings": {"input": "hi"},
    "/anthropic/v1/messages": {"messages": ASK, "max_tokens": 9},
    "/anthropic/v1/messages/count_tokens": {"messages": ASK},
}
TELLING = (
    REAL_MODEL,
    "system_fingerprint",
    "fp_real",
    "service_tier",
    "priority",
    "standard",
    "inference_geo",
    "region-eu-1",
    "bdrk",
    "container",
    "chatcmpl-1",
    "resp_1",
    "as it was sent",
    OPENAI_KEY,
)
HEADERS = {"content-type", "content-length", "cache-control", "transfer-encoding", "connection", "date"}


async def ask(w: Wired, path: str, **more: Any) -> httpx.Response:
    async with plain_client() as client:
        return await client.post(w.url + path, json={"model": "assistant", **PATHS[path], **more})


def door(path: str) -> Kind:
    return Kind.ANTHROPIC if path.startswith("/anthropic") else Kind.OPENAI


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_in_an_answer_tells_which_model_where_and_since_when(path: str, stream: bool) -> None:
    """R-05, R-19: neither body nor headers, in any format, whole or streamed."""
    if stream and path.endswith(("embeddings", "count_tokens")):
        return
    async with wired(door(path)) as w:
        answer = await ask(w, path, **({"stream": True} if stream else {}))
    told = answer.text + str(dict(answer.headers))
    assert answer.status_code == 200
    assert [word for word in TELLING if word in told] == []
    assert {name.lower() for name in answer.headers} <= HEADERS


async def test_what_came_from_a_cache_counts_as_any_other() -> None:
    """R-43: the hundredth run finds its provider's cache warm, the first does not."""
    async with wired(Kind.OPENAI) as w:
        chat = (await ask(w, "/v1/chat/completions")).json()["usage"]
    async with wired(Kind.ANTHROPIC) as w:
        messages = (await ask(w, "/anthropic/v1/messages")).json()["usage"]
    assert chat["prompt_tokens_details"] == {"cached_tokens": 0}
    assert messages == {"input_tokens": 5, "cache_read_input_tokens": 0, "output_tokens": 5}


@pytest.mark.parametrize("asked", [None, True])
async def test_usage_of_a_stream_is_shown_only_to_those_who_asked(asked: bool | None) -> None:
    """We always ask for it, to count; an agent that did not must not see that."""
    more = {} if asked is None else {"stream_options": {"include_usage": asked}}
    async with wired(Kind.OPENAI) as w:
        answer = await ask(w, "/v1/chat/completions", stream=True, **more)
        assert w.provider.asked[0][2]["stream_options"] == {"include_usage": True}
    assert ("usage" in answer.text) is bool(asked)
    assert ('"choices":[]' in answer.text) is bool(asked)


async def test_an_answer_repeats_what_was_asked_and_not_what_was_sent() -> None:
    async with wired(Kind.OPENAI) as w:
        whole = (await ask(w, "/v1/responses")).json()
        assert "quarterly" not in json.dumps(w.provider.asked[0][2])
    assert whole["instructions"] == PATHS["/v1/responses"]["instructions"]
    assert whole["store"] is True


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 500, 529])
async def test_no_error_of_a_provider_tells_its_key_its_model_or_its_quota(status: int) -> None:
    """F27: what is not about the request is one constant text."""
    async with wired(Kind.OPENAI) as w:
        w.provider.failures = [status] * 3
        w.provider.error = (
            f"Bad request for {REAL_MODEL}; key {OPENAI_KEY}. "
            f"The model {REAL_MODEL} is deprecated and will be shut down on 2027-01-01."
        )
        answer = await ask(w, "/v1/chat/completions")
    assert REAL_MODEL not in answer.text
    assert OPENAI_KEY not in answer.text
    assert "2027-01-01" not in answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    if status in {401, 403, 404, 500, 529}:
        assert answer.json()["error"]["message"] == "The model is not available"


async def test_an_error_within_a_stream_is_a_constant() -> None:
    async with wired(Kind.OPENAI) as w:
        w.provider.cut = 2
        answer = await ask(w, "/v1/chat/completions", stream=True)
    assert REAL_MODEL not in answer.text
    assert "The stream was interrupted" in answer.text


async def test_the_list_of_models_is_the_alias_alone() -> None:
    async with wired(Kind.OPENAI) as w, plain_client() as client:
        listed = (await client.get(f"{w.url}/v1/models")).json()
        unknown = await client.get(f"{w.url}/v1/models/{REAL_MODEL}")
    assert [model["id"] for model in listed["data"]] == ["assistant"]
    assert unknown.status_code == 404
    assert REAL_MODEL not in unknown.text


async def test_likelihoods_by_which_models_are_told_apart_are_not_asked_for() -> None:
    async with wired(Kind.OPENAI) as w:
        asked = await ask(w, "/v1/chat/completions", logprobs=True, top_logprobs=5)
        off = await ask(w, "/v1/chat/completions", logprobs=False)
    assert (asked.status_code, off.status_code) == (400, 200)
    assert "logprobs" not in w.provider.asked[0][2]
