"""The runs that are compared: the usual status, and for each part of it one that differs in that alone."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from console.jobs import clockwork
from console.parity.town import Town, TownError
from profiles.effects import Effect
from profiles.setting import Setting
from rollout.reviews import rows
from rollout.reviews.closure import Closure, matter_to_close
from rollout.reviews.renewal import renewable
from runtime import deployments
from runtime.clock import new_id
from runtime.record.batch import Tx
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from sandboxes.constants import WITHHELD_TEXT
from sandboxes.outcome import Ending, Outcome
from sandboxes.parity.compare import Status

EARLIER_RUNS: Final = 98
ALIAS: Final = "fast"
PLAN: Final = {
    "model": ALIAS,
    "calls": [
        ["read_mail", {"number": 7}],
        ["list_notes", {}],
        ["read_note", {"name": "greeting"}],
        ["send_mail", {"to": "kim@example.com", "text": "yes"}],
        ["send_mail", {"to": 7}],
    ],
}
"""What the probe calls in every box: the same reads, and a write that is refused at either tier."""
REACHED: Final = {
    "mcp:initialize: status": "HTTP/1.1 200",
    "tools:call 10 of read_mail: event 0 body.result.content[0].text": "From: kim",
    "tools:call 13 of send_mail: event 0 body.result.content[0].text": WITHHELD_TEXT,
    "models:chat: body.choices[0].message.content": "All is well.",
    "models:chat stream: status": "HTTP/1.1 200",
    "refusals:unknown path: whole answer": "HTTP/1.1",
}
"""How facts begin where the doors were reached: silence is the same in every status, and proves nothing."""
PROFILE: Final = """
profile: office
version: 1
purpose: Read mails and answer what is asked.
image: "{image}"
command: [python3]
model: {{alias: {alias}, provider: openai, name: "{model}"}}
upstreams:
  mail:
    kind: http
    url: http://127.0.0.1:{production}/mcp
    evaluation: {{url: http://127.0.0.1:{evaluation}/mcp}}
  notes: {{kind: memory}}
tools:
  read_mail: {{upstream: mail, effect: read, args: {{number: id}}}}
  send_mail: {{upstream: mail, effect: send, args: {{to: recipient, text: body}}}}
  list_notes: {{upstream: notes, tool: memory_list, effect: read}}
  read_note: {{upstream: notes, tool: memory_read, effect: read, args: {{name: id}}}}
  write_note: {{upstream: notes, tool: memory_write, effect: draft, args: {{name: id, text: body}}}}
never:
  - {{id: never-anything, text: Nothing critical at all., effects: [critical]}}
limits: {{wall_seconds: 600, actions_per_run: 1000, actions_per_hour: 3000}}
"""


@dataclass(frozen=True)
class Case:
    """One thing to launch.

    Attributes:
        status: what it differs in; None for the usual one.
        deployment: its digest.
        setting: what the run works on.
    """

    status: Status | None
    deployment: str
    setting: Setting = Setting.PRODUCTION


@dataclass(frozen=True)
class Cases:
    """All of them, and the words that only they know, each with the status that it tells."""

    all: tuple[Case, ...]
    names: dict[str, Status]


async def prepare(town: Town, image: str) -> Cases:
    """Deploy an agent for each status, and give it the past that its status needs."""
    model, old = new_id("model"), new_id("old-model")
    usual = await _deployed(town, image, model)
    tiered = await _deployed(town, image, model)
    await town.grant(tiered, Effect.DRAFT, "first")
    busy = await _deployed(town, image, model)
    await town.write(lambda tx: _past(tx, town, busy))
    seen = await _deployed(town, image, model)
    await _review(town, seen)
    retired = await _deployed(town, image, old)
    others = await _deployed(town, image, model, owner="second")
    cases = (
        Case(None, usual),
        Case(Status.SETTING, usual, Setting.EVALUATION),
        Case(Status.MODEL, retired),
        Case(Status.RUN, busy),
        Case(Status.REVIEW, seen),
        Case(Status.TIER, tiered),
        Case(Status.OWNER, others),
    )
    return Cases(cases, _names(town, cases, (model, old)))


async def pair(town: Town, image: str, status: Status | None) -> tuple[Case, Case]:
    """Deploy two agents that differ in one thing, or in nothing; neither has done anything yet."""
    model = new_id("model")
    usual, other = [await _deployed(town, image, model) for _ in range(2)]
    if status is Status.TIER:
        await town.grant(other, Effect.DRAFT, "first")
    setting = Setting.EVALUATION if status is Status.SETTING else Setting.PRODUCTION
    return Case(None, usual), Case(status, other, setting)


def _names(town: Town, cases: tuple[Case, ...], models: tuple[str, str]) -> dict[str, Status]:
    names = dict.fromkeys(models, Status.MODEL)
    names |= {one.name: Status.OWNER for one in town.people.values()}
    names |= {case.deployment[:12]: case.status or Status.RUN for case in cases}
    return names | {town.kernel.owner: Status.RUN, town.kernel.installation: Status.RUN}


async def _deployed(town: Town, image: str, model: str, owner: str = "first") -> str:
    production, evaluation = town.tools
    text = PROFILE.format(image=image, alias=ALIAS, model=model, production=production, evaluation=evaluation)
    return await town.deploy(new_id("desk"), owner, text)


def _past(tx: Tx, town: Town, deployment: str) -> int:
    """Write the records of runs that began and ended, as launches write them."""
    now, agent = tx.now, _agent_of(town, deployment)
    for _ in range(EARLIER_RUNS):
        run = new_id("run")
        request = LaunchRequest(deployment=deployment, operator=town.people["operator"].name)
        ends = now + timedelta(hours=1)
        store.requested(tx, run, request, agent=agent, node=town.kernel.owner, expires_at=ends, now=now)
        view = store.find(tx.conn, run)
        store.released(tx, view, (), now=now)
        store.ended(tx, view, Outcome(Ending.EXITED, "it ended", 0), "", now=now)
    return EARLIER_RUNS


def _agent_of(town: Town, deployment: str) -> str:
    with town.kernel.ledger.read() as connection:
        return deployments.find(connection, deployment).parts.agent


async def _review(town: Town, deployment: str) -> None:
    """Close the first review that is owed of a deployment."""
    work = clockwork(town.kernel)
    desk, now = work.reviews, town.kernel.clock()
    await asyncio.to_thread(desk.run, now)
    with town.kernel.ledger.read() as connection:
        owed = rows.listed(connection, agent=_agent_of(town, deployment))
    begun = [row for row, _ in owed if row.period_start <= now]
    if not begun:
        raise TownError("no review of a new deployment has begun, expected one")
    packet = (await asyncio.to_thread(desk.print_again, begun[0].id, now)).packet
    closure = Closure(
        words=(),
        answers=tuple("no" for _ in packet.questions),
        renews=tuple(renewal.grant for renewal in renewable(packet)),
    )
    signed = town.said("manager", matter_to_close(packet, closure))
    await town.write(desk.closing(begun[0].id, signed))
