"""What Handrail notes by itself: models, proofs, heartbeats, counts of a day, who keeps the clock."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Table, select

from runtime.db import streamed
from runtime.moments import utc_moment, utc_text
from runtime.record.events import EventKind
from runtime.record.findings import Findings
from runtime.record.held.book import CHUNK, Kept, kept
from runtime.record.held.story import PRODUCTION, Chapter, Hear, Told
from runtime.record.held.values import Between, shown, shown_key
from runtime.tables.baselines import BaselineRow, ToolDayRow
from runtime.tables.log import LogEntryRow
from runtime.tables.models import ModelPinRow, ModelUsageRow
from runtime.tables.monitor import ActivityDayRow, HeartbeatSpanRow, LeaderRow
from runtime.tables.proofs import ContextProofRow

_DAY: Final[Table] = ActivityDayRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its tables
_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # as above
_ACTIONS: Final = (EventKind.ACTION_INTENT.value, EventKind.ACTION_DECISION.value)
_COUNTED: Final = {"deny": "denied", "hold": "held", "suggest": "suggested"}
_COUNTS: Final = ("intents", "denied", "held", "suggested")
_USED: Final = ("calls", "input_tokens", "output_tokens", "cost_micros")
_MODEL: Final = "model"
_LEADS: Final = timedelta(hours=2)
"""How long after the last entry a process may keep the clock: while it does, there is one every hour."""
_UNRECORDED: Final = timedelta(hours=1, minutes=10)
"""How long after its last entry a span of heartbeats may end, at the most."""


class Machine(Chapter):
    """Rows that no person asked for."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(ModelUsageRow, "holder", "period"),
        kept(ModelPinRow, "deployment"),
        kept(ContextProofRow, "log_seq"),
        kept(BaselineRow, "deployment", "version"),
        kept(HeartbeatSpanRow, "began_at"),
        kept(LeaderRow, "id"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin with nothing used."""
        super().__init__(*given)
        self._usage: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._asked: dict[str | None, Any] = {}
        self._unsure: set[tuple[str, str]] = set()

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.ACTION_INTENT: self._intent,
            EventKind.ACTION_OUTCOME: self._outcome,
            EventKind.MODEL_PINNED: self._pinned,
            EventKind.CONTEXT_PROVEN: self._proven,
            EventKind.BASELINE_FROZEN: self._frozen,
            EventKind.MONITOR_OBSERVED: self._observed,
            EventKind.LEADER_CHANGED: self._led,
        }

    def end(self) -> None:
        """Write what was used of models."""
        book = self.story["model_usage"]
        for key, used in self._usage.items():
            if key not in self._unsure:
                columns = ("reserved_tokens", "reserved_micros", *_USED)
                book.put(self.story.size - 1, *key, **{name: used[name] for name in columns})
        book.older = lambda row: (row["holder"], row["period"]) in self._unsure
        if self.story.at:
            latest = utc_text(utc_moment(self.story.at) + _LEADS)
            self.story["leader"].tell(self.story.size - 1, 1, until=Between(("", latest)))

    def _intent(self, told: Told) -> None:
        if told.data.get("action") != _MODEL:
            return
        ask = told.data.get("ask")
        if ask is None:
            self._forget(told)
            return
        self._asked[told.subject] = ask
        for key in self._holders(told, ask):
            self._usage[key].update(reserved_tokens=ask["tokens"], reserved_micros=ask["micros"])

    def _outcome(self, told: Told) -> None:
        ask, used = self._asked.pop(told.subject, None), told.data.get("used")
        if ask is None or used is None:
            return  # what nobody knows stays reserved
        for key in self._holders(told, ask):
            self._usage[key].update(reserved_tokens=-ask["tokens"], reserved_micros=-ask["micros"])
            self._usage[key].update(dict(zip(_USED, used, strict=True)))

    def _holders(self, told: Told, ask: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
        return (str(told.run), ""), (str(ask["holder"]), str(ask["day"]))

    def _forget(self, told: Told) -> None:
        """Hold nothing that an entry of an earlier version drew on: it does not say how much."""
        agent = f"agent:{told.agent}:{told.data.get('setting', PRODUCTION)}"
        day = utc_moment(told.at).date()
        days = {(agent, one.isoformat()) for one in (day, day - timedelta(days=1))}
        self._unsure |= {(str(told.run), ""), *days}

    def _pinned(self, told: Told) -> None:
        self.story["model_pin"].put(
            told.seq, told.deployment, log_seq=told.seq, pinned_at=told.at, **told.some("fingerprint")
        )

    def _proven(self, told: Told) -> None:
        self.story["context_proof"].put(
            told.seq, told.seq, image=told.subject, **told.some("runtime", "ok", "id", "proved_at")
        )

    def _frozen(self, told: Told) -> None:
        self.story["baseline"].put(
            told.seq, told.deployment, told.data.get("version"), log_seq=told.seq, frozen_at=told.at
        )

    def _observed(self, told: Told) -> None:
        book, last = self.story["heartbeat_span"], utc_moment(told.at)
        until = Between((str(told.subject), utc_text(last + _UNRECORDED)))
        if book.has(told.subject):
            book.tell(told.seq, told.subject, last_at=until)
        else:
            book.put(told.seq, told.subject, last_at=until)

    def _led(self, told: Told) -> None:
        self.story["leader"].put(told.seq, 1, holder=told.subject, **told.some("fence"))


class Days(Chapter):
    """Rows that count the actions of a day, as far as the jobs that count have read the record."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(ActivityDayRow, "deployment", "day"),
        kept(ToolDayRow, "deployment", "day", "tool"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin before the first day."""
        super().__init__(*given)
        self._day = ""
        self._entry = 0
        self._activity: dict[str, Counter[str]] = {}
        self._tools: Counter[tuple[str, str]] = Counter()

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {EventKind.ACTION_INTENT: self._acted, EventKind.ACTION_DECISION: self._acted}

    def end(self) -> None:
        """Write the last day."""
        self._turn("")

    def _acted(self, told: Told) -> None:
        if told.deployment is None or told.data.get("setting", PRODUCTION) != PRODUCTION:
            return
        if told.at[:10] != self._day:
            self._turn(told.at[:10])
        self._entry = told.seq
        if told.seq < self.story.scanned.get("activity", 0):
            self._count_activity(told, told.deployment)
        if told.seq < self.story.scanned.get("baseline", 0):
            self._count_tool(told, told.deployment)

    def _count_activity(self, told: Told, deployment: str) -> None:
        counted = self._activity.setdefault(deployment, Counter())
        is_intent = told.kind == EventKind.ACTION_INTENT
        what = "intents" if is_intent else _COUNTED.get(str(told.data.get("answer")))
        if what is not None:
            counted[what] += 1

    def _count_tool(self, told: Told, deployment: str) -> None:
        """As `runtime.alerts.baseline` counts: what was asked for and not denied."""
        if told.kind == EventKind.ACTION_INTENT:
            counts = "hold" not in told.data
        else:
            counts = told.data.get("answer") in {"suggest", "hold"}
        if counts:
            units = told.data.get("units")
            self._tools[deployment, str(told.data.get("name"))] += units if isinstance(units, int) else 1

    def check(self, connection: Connection, findings: Findings) -> None:
        """See that each day is proven by an entry of it."""
        query = (
            select(_DAY.c.deployment, _DAY.c.day, _DAY.c.proof, _ENTRY.c.deployment.label("whose"))
            .add_columns(_ENTRY.c.kind, _ENTRY.c.at)
            .join_from(_DAY, _ENTRY, _ENTRY.c.seq == _DAY.c.proof, isouter=True)
        )
        for row in streamed(connection, query, chunk=CHUNK):
            about = (row.whose, (row.at or "")[:10], row.kind in _ACTIONS)
            if about != (row.deployment, row.day, True):
                detail = f"got {shown(row.proof)}; expected the number of an entry that proves the day"
                findings.changed(_DAY.name, "proof", shown_key((row.deployment, row.day)), detail)

    def _turn(self, day: str) -> None:
        """Write a day that is over, and begin the next."""
        for deployment, counted in self._activity.items():
            said = {name: counted[name] for name in _COUNTS}
            self.story["activity_day"].put(self._entry, deployment, self._day, **said)
            self.story["activity_day"].close(deployment, self._day)
        for (deployment, tool), count in self._tools.items():
            self.story["tool_day"].put(self._entry, deployment, self._day, tool, count=count)
            self.story["tool_day"].close(deployment, self._day, tool)
        self._day, self._activity, self._tools = day, {}, Counter()
