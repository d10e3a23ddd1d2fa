"""Agents, deployments and runs, as their entries have them (R-01, R-15, R-68)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from runtime.canonical import canonical, restore_tags
from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, sha256_hex
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow


class Agents(Chapter):
    """Rows of agents, of what is pinned for them, and of their runs."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(AgentRow, "name"),
        kept(DeploymentRow, "digest", shown={"profile_text": sha256_hex}),
        kept(RunRow, "id", shown={"task": sha256_hex, "proof": sha256_hex}),
    )

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.AGENT_REGISTERED: self._registered,
            EventKind.DEPLOYMENT_CREATED: self._created,
            EventKind.DEPLOYMENT_RESTORED: self._restored,
            EventKind.RUN_REQUESTED: self._requested,
            EventKind.RUN_ATTESTED: self._attested,
            EventKind.RUN_RELEASED: self._released,
            EventKind.RUN_STOP_ASKED: self._stop_asked,
            EventKind.RUN_ENDED: self._ended,
        }

    def _registered(self, told: Told) -> None:
        said = told.some("owner", "risk", "registered_at")
        if "traits" in told.data:
            said["traits"] = _text(told.data["traits"])
        self.story["agent"].put(told.seq, told.agent, **said)

    def _created(self, told: Told) -> None:
        said = told.some("created_at", "profile_text")
        if "parts" in told.data:
            said["parts"] = canonical(restore_tags(told.data["parts"]))
        self.story["deployment"].put(
            told.seq, told.deployment, agent=told.agent, statement=told.subject, restored_at=None, **said
        )

    def _restored(self, told: Told) -> None:
        book = self.story["deployment"]
        if "restored_at" in told.data:
            book.tell(told.seq, told.deployment, **told.some("restored_at"))
        else:
            book.forget("restored_at", told.deployment)

    def _requested(self, told: Told) -> None:
        self.story["run"].put(
            told.seq,
            told.run,
            agent=told.agent,
            deployment=told.deployment,
            operator=told.actor,
            state="requested",
            stop_asked_at=None,
            box=None,
            proof=None,
            released_at=None,
            ended_at=None,
            outcome=None,
            exit_code=None,
            **told.some("runtime", "setting", "single_user", "node", "task", "requested_at", "expires_at"),
        )

    def _attested(self, told: Told) -> None:
        self._tell(told, "box", "proof")

    def _released(self, told: Told) -> None:
        self._tell(told, "released_at", state="running")

    def _stop_asked(self, told: Told) -> None:
        self._tell(told, "stop_asked_at")

    def _ended(self, told: Told) -> None:
        self._tell(told, "outcome", "exit_code", "ended_at", state="ended")

    def _tell(self, told: Told, *names: str, **said: Any) -> None:
        """Take these members of an entry's data; what an older entry does not say is not held any more."""
        book = self.story["run"]
        book.tell(told.seq, told.run, **said, **told.some(*names))
        for name in names:
            if name not in told.data:
                book.forget(name, told.run)


def _text(value: Any) -> str:
    return canonical(restore_tags(value)).decode()
