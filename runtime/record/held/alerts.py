"""Alerts with every occurrence, incidents, and the notices that tell people of them (R-25 to R-27, R-52)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told
from runtime.tables.alerts import AlertOccurrenceRow, AlertRow, IncidentRow

_FACTS = ("fingerprint", "rule", "severity", "tool", "resource", "first_at", "due_at")


class Alerts(Chapter):
    """Rows of deviations, and of those who must hear of them."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(AlertRow, "id"),
        kept(AlertOccurrenceRow, "id"),
        kept(IncidentRow, "id"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin without alerts."""
        super().__init__(*given)
        self._uncounted: set[str] = set()  # alerts of an earlier version, which recorded no repetition

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.ALERT_RAISED: self._raised,
            EventKind.ALERT_REPEATED: self._repeated,
            EventKind.ALERT_OVERDUE: self._overdue,
            EventKind.ALERT_CLOSED: self._closed,
            EventKind.INCIDENT_OPENED: self._opened,
            EventKind.INCIDENT_REMINDED: self._reminded,
            EventKind.INCIDENT_ACKNOWLEDGED: self._acknowledged,
        }

    def end(self) -> None:
        """Repetitions that an earlier version did not record are rows alone."""
        self.story["alert_occurrence"].older = lambda row: row["alert"] in self._uncounted

    def _raised(self, told: Told) -> None:
        said = told.some(*_FACTS)
        counted = told.data.get("counted") is True
        if counted:
            said |= {"count": 1, "last_at": told.data.get("first_at")}
        else:
            self._uncounted.add(str(told.subject))
        self.story["alert"].put(
            told.seq,
            told.subject,
            agent=told.agent,
            deployment=told.deployment,
            state="open",
            overdue_at=None,
            closed_at=None,
            **said,
        )
        self._occurred(told, 1, {"at": told.data.get("first_at")} | told.some("action"))

    def _repeated(self, told: Told) -> None:
        count, moment = told.data.get("count"), told.data.get("at")
        if str(told.subject) not in self._uncounted:
            self.story["alert"].tell(told.seq, told.subject, count=count, last_at=moment)
        self._occurred(told, count, told.some("at", "action"))

    def _occurred(self, told: Told, count: Any, said: dict[str, Any]) -> None:
        id_ = f"{told.subject}-{count}"
        self.story["alert_occurrence"].put(
            told.seq,
            id_,
            alert=told.subject,
            deployment=told.deployment,
            run=told.run,
            **said,
            **told.some("fingerprint"),
        )
        self.story["alert_occurrence"].close(id_)

    def _overdue(self, told: Told) -> None:
        self.story["alert"].tell(told.seq, told.subject, overdue_at=told.at)

    def _closed(self, told: Told) -> None:
        self._tell("alert", told, "closed_at", state="closed")

    def _opened(self, told: Told) -> None:
        self.story["incident"].put(
            told.seq,
            told.subject,
            agent=told.agent,
            deployment=told.deployment,
            acknowledged_at=None,
            **({"reminded": 0} if "counted" in told.data else {}),
            **told.some("alert", "cause", "opened_at"),
        )

    def _reminded(self, told: Told) -> None:
        if self.story["incident"].said("reminded", told.subject) is not None:
            self.story["incident"].tell(told.seq, told.subject, **told.some("reminded"))

    def _acknowledged(self, told: Told) -> None:
        self._tell("incident", told, "acknowledged_at")

    def _tell(self, table: str, told: Told, moment: str, **said: Any) -> None:
        book = self.story[table]
        book.tell(told.seq, told.subject, **said, **told.some(moment))
        if moment not in told.data:
            book.forget(moment, told.subject)
