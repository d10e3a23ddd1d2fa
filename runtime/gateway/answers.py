"""The gate's replies as answers of the protocol. Pure.

An action that is not carried out is answered in one way, whatever the reason: a tool call with the gate's
text and `isError` true (a client that checks a tool's output schema skips it for errors), anything else
with one error. A broken upstream is the standard internal error.
"""

from collections.abc import Mapping
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from runtime.gate.replies import UNKNOWN_TOOL_TEXT, Broken, Done, Reply
from runtime.upstreams.replies import error_in
from sandboxes import constants

WITHHELD_CODE: Final = -32001
"""In the range that JSON-RPC 2.0 section 5.1 leaves to servers."""

INTERNAL_TEXT: Final = constants.INTERNAL_TEXT


def tool_answer(reply: Reply) -> dict[str, Any]:
    """The result of a tool call.

    Raises:
        MCPError: the upstream answered an error of its own, or broke.
    """
    if isinstance(reply, Done | Broken):
        return plain_answer(reply)
    content = [{"type": "text", "text": reply.text}]
    return {"content": content, "isError": True, "resultType": "complete"}


def plain_answer(reply: Reply) -> dict[str, Any]:
    """The result of any other request.

    Raises:
        MCPError: it was not carried out, the upstream answered an error of its own, or broke.
    """
    if isinstance(reply, Broken):
        raise MCPError(INTERNAL_ERROR, INTERNAL_TEXT)
    if not isinstance(reply, Done):
        raise MCPError(WITHHELD_CODE, reply.text)
    if (error := error_in(reply.payload)) is not None:
        raise MCPError(int(error["code"]), str(error["message"]), error.get("data"))
    if not isinstance(reply.payload, Mapping):
        raise MCPError(INTERNAL_ERROR, INTERNAL_TEXT)
    return {"resultType": "complete", **reply.payload}


def unknown_tool(name: str) -> MCPError:
    """The standard error for a tool that is not listed."""
    return MCPError(INVALID_PARAMS, f"{UNKNOWN_TOOL_TEXT}{name}")
