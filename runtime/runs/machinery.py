"""What launches and lifecycles need, in one value; the composition root builds it."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from profiles.schema import Profile
from profiles.setting import Setting
from runtime.clock import Clock, NewId
from runtime.deployments import Deployment
from runtime.gate.context import RunContext
from runtime.memory.book import MemoryBook
from runtime.people.policies import PolicyBook
from runtime.record.ledger import Ledger
from runtime.runs import store
from runtime.runs.endings import LaunchEndings
from runtime.runs.states import RunView
from sandboxes.driver import SandboxDriver
from sandboxes.scrub.rulebook import Rulebook
from sandboxes.spec import Runtime


class Door(Protocol):
    """A run's gateway with its upstreams."""

    def start(self) -> None:
        """Begin to start the upstreams, beside whatever else the launch does."""

    async def ready(self) -> None:
        """Wait for the upstreams.

        Raises:
            runtime.upstreams.errors.UpstreamError: one cannot be opened, or has changed (R-76).
        """

    async def open(self, listeners: Mapping[int, socket.socket]) -> None:
        """Take the listeners, and answer nothing yet."""

    def release(self) -> None:
        """Answer from now on."""

    async def close(self) -> None:
        """End listeners, connections and upstreams. Twice does no harm."""


@dataclass(frozen=True)
class Machinery:
    """What every launch uses.

    Attributes:
        ledger: the record.
        policies: who counts now.
        driver: of the engine.
        clock: the present moment.
        new_id: names new runs.
        owner: the node's name (`runtime.node`), which marks its boxes and its runs.
        context: builds what the gate knows of a run.
        check_setting: refuses a launch in a setting that would have to borrow from the other.
        memory: what agents remember from run to run.
        door: builds a run's gateway.
        rules: what general kinds are found by; with the operator's own.
        reap: makes sure that a reaper watches our boxes, also when this process is gone.
        endings: of launches that failed.
    """

    ledger: Ledger
    policies: PolicyBook
    driver: SandboxDriver
    clock: Clock
    new_id: NewId
    owner: str
    context: Callable[[RunView, Deployment, str], RunContext]
    check_setting: Callable[[Profile, Setting], None]
    memory: MemoryBook
    door: Callable[[RunContext, Deployment, Runtime], Door]
    rules: Rulebook
    reap: Callable[[], None]
    endings: LaunchEndings = field(default_factory=LaunchEndings)

    async def view(self, run: str) -> RunView:
        """Read a run. Raises RunError if there is none of this id."""
        return await asyncio.to_thread(self._view, run)

    def _view(self, run: str) -> RunView:
        with self.ledger.read() as connection:
            return store.find(connection, run)
