"""Launching runs of each status by turns, letting each look at all it can, and comparing what they saw."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from console.parity.cases import PLAN, REACHED, Case, Cases
from console.parity.outside import seen_from_outside
from console.parity.town import Town
from runtime.runs.states import LaunchRequest, RunError, RunView
from sandboxes.errors import ParityError
from sandboxes.parity.compare import ABSENT, Comparison, Difference, Status, compare, suspected
from sandboxes.parity.lists import Lists, shipped_lists
from sandboxes.parity.probe import Facts, probe_command, read_facts
from sandboxes.parity.witness import contradictions
from sandboxes.spec import Runtime

ROUNDS: Final = 2
MORE_ROUNDS: Final = 6
"""How often a suspicion is looked at again: what moves is steady twice by chance, but not eight times."""
TRIES: Final = 3
Tell = Callable[[int, int], Awaitable[None]]


@dataclass
class Seen:
    """What boxes saw, by what their status differed in; None is the usual one."""

    facts: dict[Status | None, list[Facts]] = field(default_factory=dict)
    names: dict[str, Status] = field(default_factory=dict)
    contradicted: list[Difference] = field(default_factory=list)

    def compared(self, lists: Lists) -> Comparison:
        """Compare them all."""
        others = {status: facts for status, facts in self.facts.items() if status is not None}
        return compare(self.facts.get(None, []), others, lists, self.names, self.contradicted)


async def look(
    town: Town, cases: Cases, runtime: Runtime, tell: Tell, lists: Lists | None = None
) -> Comparison:
    """Launch every case by turns and compare; what a status seems to explain is looked at again."""
    chosen, seen = lists or shipped_lists(), Seen(names=dict(cases.names))
    total, done = ROUNDS * len(cases.all), 0
    for _ in range(ROUNDS):
        for case in cases.all:
            await _seen(town, case, runtime, seen)
            await tell(done := done + 1, total)
    for number in range(MORE_ROUNDS):
        suspects = suspected(seen.compared(chosen), chosen, first=number == 0)
        if not suspects:
            break
        again = [case for case in cases.all if case.status is None or case.status in suspects]
        total += len(again)
        for case in again:
            await _seen(town, case, runtime, seen)
            await tell(done := done + 1, total)
    return seen.compared(chosen)


async def _seen(town: Town, case: Case, runtime: Runtime, seen: Seen) -> None:
    """Launch a case and keep what it saw; a run that a busy machine did not answer is launched again."""
    where = f"run of status {case.status.value if case.status else 'usual'}"
    missing = ""
    for _ in range(TRIES):
        command = probe_command(PLAN)
        view = await launch(town, case, runtime, command)
        seen.names[view.id] = Status.RUN
        try:
            known = await asyncio.to_thread(seen_from_outside, town, view, runtime, command)
            facts = read_facts(await output_of(town, view.id))
        except ParityError as error:
            raise ParityError(f"{where}: {error}") from error
        missing = _unreached(facts)
        if not missing:
            seen.facts.setdefault(case.status, []).append(facts)
            seen.contradicted += contradictions(facts, known)
            return
    raise ParityError(f"{where}: a door did not answer as it should, {TRIES} times: {missing}")


def _unreached(facts: Facts) -> str:
    """Return what of the doors was not reached; nothing if all was."""
    for key, begins in REACHED.items():
        text = facts.get(key, ABSENT).text
        if not text.startswith(begins):
            door = key.partition(": ")[0]
            instead = [fact.text for name, fact in facts.items() if name.startswith(door) and name != key]
            return f"{key} is {text[:80]!r}, expected {begins!r}; beside it {instead[:8]}"
    return ""


async def launch(town: Town, case: Case, runtime: Runtime, command: Sequence[str]) -> RunView:
    """Launch a case with a command."""
    request = LaunchRequest(
        deployment=case.deployment,
        operator=town.people["operator"].name,
        task="Say one word.",
        command=tuple(command),
        runtime=runtime,
        setting=case.setting,
    )
    return await town.kernel.runs.start(request)


async def output_of(town: Town, run: str) -> bytes:
    """Return all that a run writes; its ending is on record then, so the next does not begin beside it."""
    output = await asyncio.to_thread(_followed, town, run)
    await town.kernel.runs.stop(run)
    return output or await town.kernel.runs.logs(run)


def _followed(town: Town, run: str) -> bytes:
    try:
        return b"".join(town.kernel.runs.follow(run))
    except RunError:
        return b""  # it has ended already; what it wrote was kept
