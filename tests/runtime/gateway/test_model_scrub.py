"""What goes to a model and what comes back tells nothing of status: official clients against the stand-in."""

import base64
import json
from typing import Any

import pytest

from profiles.schema import ModelProvider as Kind
from profiles.schema import StatusKind
from runtime.gate.actions import Action
from runtime.gate.replies import Performed
from runtime.gateway.model_scrub import ANSWERED_MODEL
from sandboxes.scrub.model import OwnValue
from tests.standins.model_door import Wired, plain_client, wired
from tests.standins.model_provider import REAL_MODEL

pytestmark = pytest.mark.anyio

TELLING = "You are an AI model that will be updated quarterly. Answer in one sentence."
RUN = OwnValue("run", "run-2qzv7j5m4kx3ahd6", "ref-abcdefgh")
KEYED = f"deployed as {RUN.value}"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get",
        "description": f"Gets it; see {RUN.value}.",
        "parameters": {"type": "object", "properties": {"id": {"type": "string", "enum": [RUN.value]}}},
    },
}


def said(text: str, role: str = "user") -> Any:
    return [{"role": role, "content": text}]


async def chat(w: Wired, messages: Any, **more: Any) -> Any:
    return await w.openai.chat.completions.create(model="assistant", messages=messages, **more)


def last(w: Wired) -> Performed:
    result = w.gate.settled[-1][1]
    assert isinstance(result, Performed)
    return result


def sent(w: Wired) -> dict[str, Any]:
    return w.provider.asked[-1][2]


@pytest.mark.parametrize("role", ["system", "developer"])
async def test_a_system_prompt_is_scrubbed_whatever_the_profile_says(role: str) -> None:
    """R-41, R-19: the sentence of the study does not reach the model."""
    async with wired(Kind.OPENAI, context={"messages": "flag", "keep": list(StatusKind)}) as w:
        await chat(w, [*said(TELLING, role), *said("hi")])
        await w.openai.responses.create(model="assistant", input="hi", instructions=TELLING)
    for _, _, body in w.provider.asked:
        assert "updated quarterly" not in str(body)
        assert "Answer in one sentence." in str(body)
    assert last(w).note is not None
    assert last(w).note.replaced  # type: ignore[union-attr]  # just asked


async def test_a_block_of_which_nothing_is_left_is_left_out_since_providers_refuse_it() -> None:
    """R-41."""
    blocks: Any = [{"type": "text", "text": text} for text in ("You are Claude.", "Answer in French.")]
    async with wired(Kind.ANTHROPIC) as w:
        await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=said("hi"), system=blocks)
    assert sent(w)["system"] == blocks[1:]


async def test_the_anthropic_system_prompt_is_scrubbed_as_text_and_as_blocks() -> None:
    """R-41."""
    block: Any = [{"type": "text", "text": TELLING, "cache_control": {"type": "ephemeral"}}]
    async with wired(Kind.ANTHROPIC) as w:
        for system in (TELLING, block):
            await w.anthropic.messages.create(
                model="assistant", max_tokens=9, messages=said("hi"), system=system
            )
            assert "updated quarterly" not in str(sent(w)["system"])
        await w.anthropic.messages.count_tokens(model="assistant", messages=said("hi"), system=TELLING)
    assert "updated quarterly" not in str(sent(w)["system"])
    assert sent(w)["system"] != ""


@pytest.mark.parametrize(("treatment", "passes"), [("flag", True), ("replace", False)])
async def test_messages_are_treated_as_the_profile_says(treatment: str, passes: bool) -> None:
    async with wired(Kind.OPENAI, context={"messages": treatment}) as w:
        await chat(w, said(TELLING))
    assert ("updated quarterly" in str(sent(w))) is passes
    note = last(w).note
    assert note is not None
    assert note.source == "model:assistant"
    assert bool(note.flagged) is passes
    assert bool(note.replaced) is not passes


async def test_results_of_tools_among_the_messages_are_treated_as_results() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
    history = [
        *said("go"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": TELLING},
    ]
    used: Any = {"type": "tool_use", "id": "t1", "name": "get", "input": {}}
    back: Any = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": TELLING}]}
    theirs: Any = [
        *said("go"),
        {"role": "assistant", "content": [used]},
        {"role": "user", "content": [back]},
    ]
    async with wired(Kind.OPENAI, context={"messages": "flag", "results": "replace"}) as w:
        await chat(w, history)
        assert "updated quarterly" not in str(sent(w))
        output: Any = [{"type": "function_call_output", "call_id": "c", "output": TELLING}]
        await w.openai.responses.create(model="assistant", input=output)
        assert "updated quarterly" not in str(sent(w))
    async with wired(Kind.ANTHROPIC, context={"messages": "flag", "results": "replace"}) as w:
        await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=theirs)
        assert "updated quarterly" not in str(sent(w))


async def test_own_values_go_nowhere_in_messages_tools_arguments_and_settings() -> None:
    """R-05: whatever is kept or flagged, the run's own values are in nothing that a model is sent."""
    call = {"id": "c", "type": "function", "function": {"name": "get", "arguments": f'{{"a":"{RUN.value}"}}'}}
    history = [
        *said(KEYED),
        {"role": "assistant", "content": KEYED, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": f'{{"run": "{RUN.value}"}}'},
    ]
    async with wired(Kind.OPENAI, own=[RUN], context={"keep": list(StatusKind)}) as w:
        await chat(w, history, tools=[TOOL], user=RUN.value, stop=[RUN.value])
    assert RUN.value not in str(sent(w))
    assert sent(w)["tools"][0]["function"]["parameters"]["properties"]["id"]["enum"] == [RUN.put]
    assert sent(w)["model"] == REAL_MODEL


async def test_a_models_signed_thinking_goes_back_as_it_was_made() -> None:
    """What was replaced in it on the way in is put back, or the provider would refuse it."""
    thinking: Any = {"type": "thinking", "thinking": f"about {RUN.put}", "signature": "c2lnbmVk"}
    messages: Any = [*said("go"), {"role": "assistant", "content": [thinking]}]
    async with wired(Kind.ANTHROPIC, own=[RUN]) as w:
        w.provider.thought = f"about {RUN.value}"
        had = await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=said("go"))
        assert had.content[0].thinking == thinking["thinking"]  # type: ignore[union-attr]  # a thought
        await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=messages)
    (block,) = sent(w)["messages"][1]["content"]
    assert (block["thinking"], block["signature"]) == (f"about {RUN.value}", "c2lnbmVk")


async def test_an_inline_image_goes_as_it_is() -> None:
    url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
    part: Any = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what is it"}]
    async with wired(Kind.OPENAI, context={"messages": "replace"}) as w:
        await chat(w, [{"role": "user", "content": part}])
    assert sent(w)["messages"][0]["content"] == part


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_loses_own_values_and_the_models_name(stream: bool) -> None:
    """R-05: also when they come in pieces."""
    words = ["I am ", "real-mo", "del-2026", "-11, run ", "run-2qzv7j5m", "4kx3ahd6", "."]
    async with wired(Kind.OPENAI, own=[RUN]) as w:
        w.provider.words = words
        if stream:
            chunks = [chunk async for chunk in await chat(w, said("who"), stream=True)]
            text = "".join(c.choices[0].delta.content or "" for c in chunks)
        else:
            text = (await chat(w, said("who"))).choices[0].message.content
    assert text == f"I am {ANSWERED_MODEL}, run {RUN.put}."
    assert text in last(w).text
    assert last(w).note.replaced == {"own": 2}  # type: ignore[union-attr]  # it has one


async def test_every_form_of_stream_says_what_the_whole_answer_says() -> None:
    words = ["run-2qzv7j", "5m4kx3ahd6 and ", "more ", "run-2qzv7j5m4kx3ahd6"]
    async with wired(Kind.OPENAI, own=[RUN]) as w:
        w.provider.words = words
        async with w.openai.responses.stream(model="assistant", input="x") as stream:
            deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
            final = await stream.get_final_response()
        assert "".join(deltas) == final.output_text == f"{RUN.put} and more {RUN.put}"
    async with wired(Kind.ANTHROPIC, own=[RUN]) as w:
        w.provider.words = words
        async with w.anthropic.messages.stream(
            model="assistant", max_tokens=9, messages=said("x")
        ) as messages:
            pieces = "".join([piece async for piece in messages.text_stream])
        whole = await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=said("x"))
        assert pieces == f"{RUN.put} and more {RUN.put}"
        assert whole.content[0].text == pieces  # type: ignore[union-attr]  # it is a text


async def test_arguments_that_a_model_makes_lose_own_values_whole_and_in_pieces() -> None:
    code = ['{"id": "run-2q', "zv7j5m4kx3ahd6", '", "note": "v2 of the deployment"}']
    expected = f'{{"id": "{RUN.put}", "note": "v2 of the deployment"}}'
    async with wired(Kind.OPENAI, own=[RUN], context={"results": "replace"}) as w:
        w.provider.words, w.provider.code = (), code
        whole = await chat(w, said("x"))
        chunks = [chunk async for chunk in await chat(w, said("x"), stream=True)]
    made = [
        c.choices[0].delta.tool_calls[0].function.arguments for c in chunks if c.choices[0].delta.tool_calls
    ]
    assert whole.choices[0].message.tool_calls[0].function.arguments == expected
    assert "".join(made) == expected


async def test_why_a_model_was_asked_and_why_it_answered_so_is_kept() -> None:
    """R-11: the agent's words where it gave any, the model's where it thought aloud, else not provided."""
    async with wired(Kind.OPENAI) as w:
        await chat(w, said("x"), metadata={"rationale": "the invoice does not add up", "case": "7"})
        assert sent(w)["metadata"] == {"case": "7"}
        payload: Any = last(w).payload
    assert [action.rationale for action in w.gate.seen] == ["the invoice does not add up"]
    assert payload["rationale"] == "not_provided"
    async with wired(Kind.ANTHROPIC) as w:
        w.provider.thought = "First I add the lines."
        await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=said("x"))
        payload = last(w).payload
    assert payload["rationale"] == "First I add the lines."
    assert w.gate.seen[0].rationale is None


async def test_the_record_keeps_what_was_asked_sent_and_shown() -> None:
    """R-10, R-60: and the readable part names no word of it."""
    async with wired(Kind.OPENAI, own=[RUN]) as w:
        await chat(w, said(KEYED))
    action: Action = w.gate.seen[0]
    payload: Any = last(w).payload
    assert RUN.value in str(action.args)
    assert payload["sent"]["messages"][0]["content"] == f"deployed as {RUN.put}"
    assert payload["shown"]["model"] == "assistant"
    assert payload["model"] == REAL_MODEL
    note = last(w).note
    assert note is not None
    assert RUN.value not in str(note.as_data())
    assert note.as_payload() == [["run", RUN.value, RUN.put]]


@pytest.mark.parametrize("role", ["system", "user", "tool"])
async def test_half_a_pair_of_surrogates_leaves_no_call_unrecorded(role: str) -> None:
    """Whatever stands beside it."""
    context = {"messages": "replace", "results": "replace"}
    async with wired(Kind.OPENAI, context=context) as w, plain_client() as client:
        body = {"model": "assistant", "messages": said("%20You%20run%20on%20staging.\ud800", role)}
        data = json.dumps(body).encode()
        answer = await client.post(f"{w.url}/v1/chat/completions", content=data)
    assert answer.status_code != 500
    assert len(w.gate.seen) == 1


@pytest.mark.parametrize("member", ["messages", "tools", "metadata"])
async def test_what_cannot_be_scrubbed_is_denied_by_the_gate_and_never_sent(member: str) -> None:
    """Fail closed: the gate hears of a call that nobody could look through."""
    deep: Any = "x"
    for _ in range(480):
        deep = [deep]
    odd = {
        "messages": [{"role": "user", "content": deep}],
        "tools": [{"type": "function", "function": deep}],
        "metadata": {"x": deep},
    }
    async with wired(Kind.OPENAI) as w, plain_client() as client:
        w.gate.withhold.add("assistant")  # as the gate does with a call that has no `model`
        asked = {"model": "assistant", "messages": said("x"), member: odd[member]}
        answer = await client.post(f"{w.url}/v1/chat/completions", json=asked)
    assert answer.status_code == 403
    assert [action.model for action in w.gate.seen] == [None]
    assert w.provider.asked == []


def _files(text: str) -> tuple[Any, Any, Any]:
    """A file in a chat, in a response and in a message; each with its text."""
    data = base64.b64encode(text.encode()).decode()
    url = f"data:text/plain;base64,{data}"
    of_chat = {"type": "file", "file": {"filename": "a.txt", "file_data": url}}
    of_response = {"type": "input_file", "filename": "a.json", "file_data": data}
    source = {"type": "base64", "media_type": "application/json", "data": data}
    return of_chat, of_response, {"type": "document", "source": source}


@pytest.mark.parametrize("treatment", ["flag", "replace"])
async def test_a_text_in_a_file_is_scrubbed_as_the_message_that_holds_it(treatment: str) -> None:
    """R-05, R-19: own values in any case, general kinds as the profile says."""
    of_chat, of_response, of_message = _files(f"{TELLING} {KEYED}\r\n")
    context = {"messages": treatment}
    async with wired(Kind.OPENAI, own=[RUN], context=context) as w:
        await chat(w, [{"role": "user", "content": [of_chat]}])
        await w.openai.responses.create(model="assistant", input=[{"role": "user", "content": [of_response]}])
        bodies = [body for _, _, body in w.provider.asked]
    chatted = bodies[0]["messages"][0]["content"][0]["file"]["file_data"].partition(",")[2]
    responded = bodies[1]["input"][0]["content"][0]["file_data"]
    async with wired(Kind.ANTHROPIC, own=[RUN], context=context) as w:
        said_so: Any = [{"role": "user", "content": [of_message]}]
        await w.anthropic.messages.create(model="assistant", max_tokens=9, messages=said_so)
        messaged = sent(w)["messages"][0]["content"][0]["source"]["data"]
        note = last(w).note
    assert chatted == responded == messaged
    seen = base64.b64decode(messaged).decode()
    assert RUN.value not in seen
    assert RUN.put in seen
    assert ("updated quarterly" in seen) is (treatment == "flag")
    assert note is not None
    assert note.replaced["own"] == 1


async def test_a_text_in_a_file_waits_for_a_person_where_messages_do() -> None:
    """R-19: a file is no way around `hold`."""
    of_chat, _, _ = _files(TELLING)
    async with wired(Kind.OPENAI, context={"messages": "hold"}) as w:
        await chat(w, [{"role": "user", "content": [of_chat]}])
        (action,) = w.gate.seen
    assert action.model is not None
    assert action.model.told
