"""How long each door takes to answer, call by call, in turns with another box."""

# ruff: noqa: TID251 - runs inside a box, where the clock is what is looked at

import random
import time
from collections.abc import Callable, Mapping

from .doors import Reply, call
from .talks import SYSTEM, VERSION

SLOT_S = 0.06
LEFT_S = 0.015
"""What must be left of a turn for a call to begin in it: more than a call takes."""
SEED = 1
Rows = dict[str, list[object]]
Ask = Callable[[], Reply]


def measure(plan: "Mapping[str, object]") -> Rows:
    """Return the milliseconds of each call by door.

    Two boxes take turns by the clock, so that what moves with time moves for both alike. In each round the
    doors are asked in another order, the same in both boxes, so that none is always the first of a turn.

    Args:
        plan: `begin`: when to begin, in seconds since 1970; `rounds`: calls of each door; `warm`: rounds
            before them that do not count; `slot`: 0 or 1, whose turn this box has; `answers`: what the answer
            of each door holds; and what the doors are asked: `model`, and `read` and `write`, each a tool's
            name and its arguments.

    Raises:
        RuntimeError: a door answered something else.
    """
    doors, turn = _doors(plan), Turn(int(str(plan["slot"])))
    taken: Rows = {name: [] for name in doors}
    order, chance = list(doors), random.Random(SEED)  # noqa: S311 - an order, no secret
    time.sleep(max(0.0, float(str(plan["begin"])) - time.time()))
    warm = int(str(plan["warm"]))
    for number in range(warm + int(str(plan["rounds"]))):
        chance.shuffle(order)
        for name in order:
            turn.wait()
            began = time.perf_counter()
            reply = doors[name]()
            took = time.perf_counter() - began
            _check(name, reply, plan["answers"])
            if number >= warm:
                taken[name].append(round(took * 1000, 4))
    return taken


def _check(name: str, reply: Reply, answers: object) -> None:
    expected = answers[name] if isinstance(answers, dict) else None
    if not isinstance(expected, str) or expected not in reply.body:
        raise RuntimeError(f"{name}: {reply.status} {reply.body[:200]!r}, expected {expected!r} in it")


def _doors(plan: "Mapping[str, object]") -> "dict[str, Ask]":
    session = {"MCP-Protocol-Version": VERSION}
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "client", "version": "1"}}
    opened = call("POST", "/mcp", _rpc("initialize", hello))
    if name := opened.header("mcp-session-id"):
        session["Mcp-Session-Id"] = name
    chat = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Say one word."}]
    asked = {"model": plan["model"], "messages": chat}
    return {
        "list of tools": lambda: call("POST", "/mcp", _rpc("tools/list", {}), session),
        "read by a tool": lambda: call("POST", "/mcp", _tool(plan["read"]), session),
        "refused write": lambda: call("POST", "/mcp", _tool(plan["write"]), session),
        "call of the model": lambda: call("POST", "/v1/chat/completions", asked),
        "unknown path": lambda: call("GET", "/status"),
    }


def _rpc(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def _tool(asked: object) -> dict[str, object]:
    if not isinstance(asked, list):
        raise TypeError("a tool to call is a list of its name and its arguments")
    return _rpc("tools/call", {"name": asked[0], "arguments": asked[1]})


class Turn:
    """One box's turns on the clock. Each begins with a call that is not measured, since it is the slowest."""

    def __init__(self, slot: int) -> None:
        self._slot = slot

    def wait(self) -> None:
        """Sleep until this box's turn begins, if it is the other's, or if too little is left of its own."""
        slept = False
        while not self._is_on():
            left = SLOT_S - time.time() % SLOT_S
            time.sleep(left if self._place() != self._slot else left + SLOT_S)
            slept = True
        if slept:
            call("GET", "/status")

    def _is_on(self) -> bool:
        return self._place() == self._slot and SLOT_S - time.time() % SLOT_S > LEFT_S

    def _place(self) -> int:
        return int(time.time() / SLOT_S) % 2
