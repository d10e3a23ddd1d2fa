"""What one tool call costs on its way through box, `/mcp`, gate and durable record, and how many can be.

The server answers at once and runs in a box of its own, as every stdio upstream does. Beside it stands the
same call straight to the same kind of box: a JSON-RPC line in, a line out, no gateway, no gate, no record.
"""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles

from bench.gateway_programs import MANY, ONE, SERVER
from bench.installation import AGENT_IMAGE, OPERATOR, Installation, installation
from bench.rows import Row, row, spread
from profiles.compile import compile_profile
from profiles.load import parse_profile, shipped_policy
from runtime.cedar import CedarEngine
from runtime.gate.context import RunContext
from runtime.gateway.model_app import NoModels
from runtime.gateway.server import RunGateway
from runtime.runs.states import LaunchRequest
from runtime.upstreams.peers import Strays, handshake
from runtime.upstreams.upstreams import Upstreams

ROUNDS, CALLS, WARM = 3, 400, 100
CLIENTS, ACTIONS = 32, 4000
IDLE = 200
P50_GOAL_MS, P99_GOAL_MS = 1.5, 6.0
RATE_GOAL = 800
IDLE_GOAL = 2.0
PROFILE = f"""
profile: bench
version: 1
purpose: Call one tool many times, to be measured.
image: {AGENT_IMAGE}
command: [python3]
upstreams:
  near: {{kind: stdio, image: "{AGENT_IMAGE}", command: [python3, -c, {json.dumps(SERVER)}]}}
tools:
  say: {{upstream: near, effect: read, args: {{text: text}}}}
never:
  - {{id: never-anything, text: Nothing critical at all., effects: [critical]}}
limits: {{actions_per_run: 100000, actions_per_hour: 1000000}}
"""


def measure() -> Iterator[Row]:
    """Yield the overhead, the throughput and the cost of idle channels."""
    with installation(PROFILE, policy=_wide_policy()) as ground:
        yield from _overhead(ground)
        yield _throughput(ground)
        yield _idle(ground)


def _wide_policy() -> str:
    text = shipped_policy().text
    for old, new in (("_run: 1000", "_run: 100000"), ("_hour: 3000", "_hour: 1000000")):
        if old not in text:
            raise SystemExit(f"the shipped policy has no {old!r} to widen for the bench")
        text = text.replace(old, new)
    return text


def _overhead(ground: Installation) -> Iterator[Row]:
    ours: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        ours += _boxed(ground, ONE, CALLS, WARM)
        beside += ground.wait(_straight(ground))
    for name, of, goal in (("p50", median, P50_GOAL_MS), ("p99", _p99, P99_GOAL_MS)):
        more = of(ours) - of(beside)
        told = f"one tool call, {name}, box to gate to boxed server {spread(ours)} ms min/median/p99"
        yield row(
            f"{told} (beside: straight {spread(beside)})",
            "ms",
            of(ours),
            of(beside),
            goal=f"<= +{goal:g} ms",
            ok=more <= goal,
        )


def _throughput(ground: Installation) -> Row:
    rates = [_boxed(ground, MANY, ACTIONS, CLIENTS)[0] / 1000 for _ in range(ROUNDS)]
    name = f"durable actions through /mcp, {CLIENTS} clients, min/median/p99 {spread(rates)}"
    return row(name, "/s", median(rates), None, goal=f">= {RATE_GOAL}", ok=median(rates) >= RATE_GOAL)


def _idle(ground: Installation) -> Row:
    ours: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        beside += _boxed(ground, ONE, CALLS, WARM)
        with _idle_doors(ground, IDLE):
            ours += _boxed(ground, ONE, CALLS, WARM)
    ratio = _p99(ours) / _p99(beside)
    return row(
        f"p99 of one channel with {IDLE} idle ones (beside: with none)",
        "ms",
        _p99(ours),
        _p99(beside),
        goal=f"<= {IDLE_GOAL} x",
        ok=ratio <= IDLE_GOAL,
    )


def _boxed(ground: Installation, program: str, *args: int) -> list[float]:
    """Run a client in a box; return what it measured, times 1000."""
    command = ("python3", "-c", program, *(str(arg) for arg in args))
    request = LaunchRequest(deployment=ground.deployment, operator=OPERATOR, command=command)
    run = ground.wait(ground.kernel.runs.start(request))
    try:
        said = b"".join(ground.kernel.runs.follow(run.id))
    finally:
        ground.wait(ground.kernel.runs.stop(run.id))
    try:
        return [value * 1000 for value in json.loads(said)]
    except ValueError as cause:
        raise SystemExit(f"a client in a box failed: {said.decode(errors='replace')}") from cause


async def _straight(ground: Installation) -> list[float]:
    profile = parse_profile(PROFILE.encode(), source="bench").profile
    peer = await ground.kernel.ground.opener(profile).open("near", profile.upstreams["near"], Strays())
    took = []
    try:
        await handshake(peer, {}, timeout_s=30)
        for _ in range(CALLS + WARM):
            begun = time.perf_counter()
            await peer.request("tools/call", {"name": "say", "arguments": {"text": "y" * 100}}, timeout_s=30)
            took.append((time.perf_counter() - begun) * 1000)
    finally:
        await peer.close()
    return took[WARM:]


@contextmanager
def _idle_doors(ground: Installation, count: int) -> Iterator[None]:
    """Hold so many gateways open, each with a listener and one idle connection."""
    doors: list[RunGateway] = []
    clients: list[socket.socket] = []
    try:
        for _ in range(count):
            listener = socket.create_server(("127.0.0.1", 0), backlog=16)
            clients.append(socket.create_connection(listener.getsockname()))
            doors.append(ground.wait(_door(ground, listener)))
        yield
    finally:
        for client in clients:
            client.close()
        ground.wait(_close(doors))


async def _door(ground: Installation, listener: socket.socket) -> RunGateway:
    profile = parse_profile(PROFILE.encode(), source="bench").profile
    run = RunContext(
        run="run-idle",
        agent="bench",
        owner=OPERATOR,
        deployment=ground.deployment,
        profile=profile,
        policy=ground.kernel.ground.policy(),
        engine=CedarEngine.from_compiled(compile_profile(profile)),
        task=None,
        operator=OPERATOR,
    )
    upstreams = Upstreams(profile, ground.kernel.ground.opener(profile))
    door = RunGateway(run, gate=ground.kernel.gate, upstreams=upstreams, models=NoModels())
    await door.open({8080: listener})
    door.release()
    return door


async def _close(doors: list[RunGateway]) -> None:
    await asyncio.gather(*(door.close() for door in doors))


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
