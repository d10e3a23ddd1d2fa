"""An agent without a mind, for tests: it takes the steps in TASK with the official MCP client, in order.

It runs inside a real box, as `python3 -c` with this file's text. It prints one line of JSON for each step.

Steps: {"call": TOOL, "args": {...}} · {"until": TOOL, "args": {...}, "times": 400} (repeat it until it
is refused) · {"list": true} · {"wait": PATH} (until that file is there) · {"exit": CODE}
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from mcp import Client, MCPError


def said(result: Any) -> dict[str, Any]:
    """What came back of a call, as plain JSON."""
    text = "".join(part.text for part in result.content if part.type == "text")
    return {"error": result.is_error, "text": text, "data": result.structured_content}


async def call(client: Client, tool: str, args: dict[str, Any]) -> dict[str, Any]:
    """Call a tool once."""
    try:
        return said(await client.call_tool(tool, args))
    except MCPError as error:
        return {"error": True, "text": error.message, "code": error.code}


def note_progress(done: int) -> None:
    """Say, to whoever looks into the box, how often a repeated call was carried out."""
    Path("/tmp/progress").write_text(str(done))


async def repeat(client: Client, tool: str, args: dict[str, Any], times: int) -> dict[str, Any]:
    """Call a tool, its arguments numbered, until it is refused."""
    for number in range(times):
        numbered = {k: v.format(number) if isinstance(v, str) else v for k, v in args.items()}
        answer = await call(client, tool, numbered)
        if answer["error"]:
            return {**answer, "after": number}
        note_progress(number + 1)
        await asyncio.sleep(0.05)
    return {"error": False, "text": "never refused", "after": times}


async def take(client: Client, step: dict[str, Any]) -> dict[str, Any]:
    """Take one step."""
    if "call" in step:
        return await call(client, step["call"], step.get("args", {}))
    if "until" in step:
        return await repeat(client, step["until"], step.get("args", {}), step.get("times", 400))
    if "list" in step:
        listed = await client.list_tools()
        return {"tools": [tool.name for tool in listed.tools]}
    if "wait" in step:
        while not Path(step["wait"]).exists():  # noqa: ASYNC240, ASYNC110 - the test makes it by `docker exec`
            await asyncio.sleep(0.02)
        return {"waited": step["wait"]}
    sys.exit(step["exit"])


async def main() -> None:
    """Take every step."""
    async with Client(os.environ["MCP_SERVER_URL"]) as client:
        for step in json.loads(os.environ["TASK"]):
            sys.stdout.write(json.dumps(await take(client, step)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
