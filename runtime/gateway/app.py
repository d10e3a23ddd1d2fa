"""From a path to the part of the gateway that serves it. Nothing else has an answer."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from sandboxes.constants import NOT_FOUND_TEXT

GONE: Final = "gone"
"""A request's state has under this name what is done when its client is gone: a future of the connection."""
_MCP_PATHS: Final = frozenset({"/mcp", "/mcp/"})
_MODEL_PATHS: Final = ("/v1/", "/anthropic/")


class RunApp:
    """The application behind one run's port 8080."""

    def __init__(self, mcp: ASGIApp, models: ASGIApp) -> None:
        """Join the parts.

        Args:
            mcp: serves the tools.
            models: serves the model provider's paths, or refuses them.
        """
        self._mcp = mcp
        self._models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"]
        if path in _MCP_PATHS:
            await self._mcp(scope, receive, send)
        elif path.startswith(_MODEL_PATHS):
            await self._models(scope, receive, send)
        else:
            await send_json(send, 404, {"error": NOT_FOUND_TEXT})


async def send_json(send: Send, status: int, body: Any) -> None:
    """Answer with a JSON body and no other header than its type and length."""
    data = json.dumps(body, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def unless_gone(work: Awaitable[None], scope: Scope) -> None:
    """Do the work of a request, and cancel it once when its client closes the connection."""
    gone: asyncio.Future[None] = scope["state"][GONE]
    serving = running_task()

    def end(gone: object) -> None:
        del gone
        serving.cancel()

    gone.add_done_callback(end)
    try:
        await work
    except asyncio.CancelledError:
        if not gone.done():
            raise
    finally:
        gone.remove_done_callback(end)


def running_task() -> asyncio.Task[Any]:
    """Return the task that runs this.

    Raises:
        RuntimeError: none does.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("no task runs here; expected to be called from a coroutine in a task")
    return task
