"""A model-driven agent: the official OpenAI client thinks, the official MCP client acts.

It knows nothing of Handrail: in its box both clients find their server by the variables they read anyway.
With `--stream` the model's words are printed as they come.
"""

import asyncio
import json
import os
import sys
from typing import Any

from mcp import Client, MCPError
from openai import AsyncOpenAI

MOST_TURNS = 20
ROLE = "Do the task with the tools you have. Say in one sentence what came of it."


def as_function(tool: Any) -> dict[str, Any]:
    """An MCP tool as the OpenAI API wants it."""
    function = {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema}
    return {"type": "function", "function": function}


async def think(model: AsyncOpenAI, messages: list[Any], tools: list[Any], *, stream: bool) -> Any:
    """Ask the model what to do next; print what it says and return its message."""
    asked = {"model": os.environ["MODEL"], "messages": messages, "tools": tools}
    if not stream:
        said = (await model.chat.completions.create(**asked)).choices[0].message
        print(said.content or "", flush=True)
        return said
    async with model.chat.completions.stream(**asked) as events:
        async for event in events:
            if event.type == "content.delta":
                print(event.delta, end="", flush=True)
        print(flush=True)
        return (await events.get_final_completion()).choices[0].message


async def act(tools: Client, call: Any) -> str:
    """Carry out one call of the model; what went wrong is for the model to read."""
    try:
        result = await tools.call_tool(call.function.name, json.loads(call.function.arguments or "{}"))
    except (MCPError, ValueError) as error:
        return f"error: {error}"
    return "".join(part.text for part in result.content if part.type == "text")


async def work(tools: Client, model: AsyncOpenAI, task: str, *, stream: bool) -> None:
    """Let the model and the tools take turns until the model calls no tool any more."""
    offered = [as_function(tool) for tool in (await tools.list_tools()).tools]
    messages: list[Any] = [{"role": "system", "content": ROLE}, {"role": "user", "content": task}]
    for _ in range(MOST_TURNS):
        said = await think(model, messages, offered, stream=stream)
        messages.append(said.to_dict())
        if not said.tool_calls:
            return
        for call in said.tool_calls:
            answer = await act(tools, call)
            print(f"{call.function.name} {call.function.arguments} -> {answer[:80]!r}", flush=True)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": answer})
    print(f"not done after {MOST_TURNS} turns")


async def main() -> None:
    """Do the task in TASK."""
    async with Client(os.environ["MCP_SERVER_URL"]) as tools, AsyncOpenAI() as model:
        await work(tools, model, os.environ["TASK"], stream="--stream" in sys.argv)


if __name__ == "__main__":
    asyncio.run(main())
