"""Everything an agent is shown, built up from an allow-list. Nothing is ever filtered out of a larger set.

Each item carries the reason why it may be there. What is not listed here does not enter a box: no tier,
no version, no run or agent name, no date. `HTTP_PROXY` is left out on purpose until the box has a proxy.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandboxes.errors import ContextError
from sandboxes.spec import HOME

GATEWAY = "http://127.0.0.1:8080"
MCP_URL = f"{GATEWAY}/mcp"
PLACEHOLDER_KEY = "placeholder"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
VALUE_LIMIT_BYTES = 128 * 1024
TOTAL_LIMIT_BYTES = 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ContextItem:
    """One environment variable with the reason why the agent may see it."""

    name: str
    value: str
    reason: str

    @property
    def digest(self) -> str:
        """SHA-256 of the value in hexadecimal, for the record of what was shown."""
        return hashlib.sha256(self.value.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentContext:
    """The agent's command and its whole environment."""

    command: tuple[str, ...]
    items: tuple[ContextItem, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment as names and values, in the order of the items."""
        return {item.name: item.value for item in self.items}


def visible_context(
    *,
    command: Sequence[str],
    task: str = "",
    model: str = "",
    mcp_url: str = MCP_URL,
    declared: Mapping[str, str] | None = None,
) -> AgentContext:
    """Build the whole of what an agent is shown.

    Args:
        command: the agent's program and arguments.
        task: what the agent is asked to do; shown as `TASK` when not empty.
        model: the alias behind which the gateway hides the real model; shown as `MODEL` when not empty.
        mcp_url: where the agent finds its tools.
        declared: variables the reviewed profile asks for; they may not replace one of ours.

    Raises:
        ContextError: a name is unusable or taken, or a value cannot be carried.
    """
    items = [*_constant_items(), *_gateway_items(mcp_url)]
    if model:
        items.append(ContextItem("MODEL", model, "the alias to ask for; the real model is not shown"))
    if task:
        items.append(ContextItem("TASK", task, "the assignment itself"))
    items += [ContextItem(name, value, "declared by the profile") for name, value in (declared or {}).items()]
    check_items(items)
    if not command:
        raise ContextError("the agent's command is empty, expected at least the program")
    return AgentContext(command=tuple(command), items=tuple(items))


def check_items(items: Sequence[ContextItem]) -> None:
    """Refuse items that no box could carry. Raises ContextError, naming the variable."""
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise ContextError(f"variable {item.name}: set twice, expected once")
        seen.add(item.name)
        check_variable(item.name, item.value)
    total = sum(len(item.name.encode()) + len(item.value.encode()) + 2 for item in items)
    if total > TOTAL_LIMIT_BYTES:
        raise ContextError(f"environment of {total} bytes, expected at most {TOTAL_LIMIT_BYTES}")


def check_variable(name: str, value: str) -> None:
    """Refuse a variable the kernel could not pass on (execve(2), MAX_ARG_STRLEN: 32 pages with its name)."""
    if not _NAME.fullmatch(name):
        raise ContextError(f"variable {name!r}: expected letters, digits and '_', not starting with a digit")
    if "\0" in value:
        raise ContextError(f"variable {name}: its value holds a NUL, expected text without one")
    size = len(f"{name}={value}".encode()) + 1
    if size > VALUE_LIMIT_BYTES:
        raise ContextError(
            f"variable {name}: {size} bytes with its name, expected at most {VALUE_LIMIT_BYTES}"
        )


def _constant_items() -> list[ContextItem]:
    return [
        ContextItem("PATH", PATH, "programs are found; the same in every box"),
        ContextItem("HOME", HOME, "scratch space in memory; the same in every box"),
        ContextItem("LANG", "C.UTF-8", "text is UTF-8; the same in every box"),
    ]


def _gateway_items(mcp_url: str) -> list[ContextItem]:
    return [
        ContextItem("MCP_SERVER_URL", mcp_url, "where tools are; constant, the listener is the identity"),
        ContextItem("OPENAI_BASE_URL", f"{GATEWAY}/v1", "where the official client finds a model"),
        ContextItem("OPENAI_API_KEY", PLACEHOLDER_KEY, "the official client refuses to start without one"),
        ContextItem("ANTHROPIC_BASE_URL", f"{GATEWAY}/anthropic", "where the official client finds a model"),
        ContextItem("ANTHROPIC_API_KEY", PLACEHOLDER_KEY, "the official client refuses to start without one"),
        ContextItem("NO_PROXY", "127.0.0.1,localhost", "clients reach the gateway directly"),
        ContextItem("no_proxy", "127.0.0.1,localhost", "the spelling curl and wget read"),
    ]
