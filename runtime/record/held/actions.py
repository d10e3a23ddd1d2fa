"""Actions with their leases, budgets and places, as their entries have them (R-10, R-23, R-06)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from sqlalchemy.engine import RowMapping

from runtime.moments import utc_moment, utc_text
from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, holder
from runtime.record.held.values import NotBefore, OneOf
from runtime.tables.actions import ActionRow, BudgetRow, SeenRow
from runtime.tables.leases import LeaseRow

_OF_ANSWER: Final = {"deny": "denied", "suggest": "suggested", "hold": "held"}
_FINAL: Final = frozenset({"denied", "suggested", "answered"})
_MINUTE: Final = "minute:"
_KEPT_HOURS: Final = timedelta(hours=2)
_HOLDS: Final = "hold"


class Actions(Chapter):
    """Rows of actions, what they used up, and what they reached."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(ActionRow, "id"),
        kept(LeaseRow, "id"),
        kept(BudgetRow, "holder", "key"),
        kept(SeenRow, "deployment", "key"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin with nothing used."""
        super().__init__(*given)
        self._used: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._unsure: set[tuple[str, str]] = set()
        self._leases: dict[str, str] = {}
        self._seen: set[tuple[str, str]] = set()

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.ACTION_DECISION: self._decided,
            EventKind.ACTION_INTENT: self._intent,
            EventKind.ACTION_OUTCOME: self._outcome,
            EventKind.LEASE_ISSUED: self._run_lease,
            EventKind.LEASE_REVOKED: self._revoked,
        }

    def end(self) -> None:
        """Write what was used of each budget; minutes are forgotten once no budget looks at them."""
        book, since = self.story["budget"], _since(self.story.at)
        for key, used in self._used.items():
            if key[1].startswith(_MINUTE) and key[1] < since:
                continue
            book.put(self.story.size - 1, *key, used=used)
            if key in self._unsure:
                book.maybe(*key)
        book.older = lambda row: str(row["key"]).startswith(_MINUTE) and row["key"] < since

    def _decided(self, told: Told) -> None:
        state = _OF_ANSWER.get(str(told.data.get("answer")), "held")
        if (hold := told.data.get("hold")) is not None:
            used = self.story[_HOLDS].said("state", hold) == "used"
            state = "answered" if used else "held"
        self._row(told, state)

    def _intent(self, told: Told) -> None:
        self._row(told, "intent")
        self._lease(told)
        self._count(told)
        for key in told.data.get("seen", ()):
            place = (holder(told.deployment, told.data), key)
            if place not in self._seen:
                self._seen.add(place)
                self.story["seen"].put(told.seq, *place, first_action=told.subject)

    def _row(self, told: Told, state: str) -> None:
        book, data = self.story["action"], told.data
        moved = {
            "answer": data.get("answer"),
            "state": state,
            "log_seq": told.seq,
            "decided_at": NotBefore(told.at),
            "settled_at": None,
        }
        if book.has(told.subject):
            book.tell(told.seq, told.subject, **moved)
        else:
            said = {
                "run": told.run,
                "deployment": told.deployment,
                "kind": data.get("action"),
                "tool": data.get("name") or "unknown",
                "effect": data.get("effect"),
                "args_digest": data.get("digest"),
                "units": data.get("units"),
            }
            said.update(moved)
            book.write(told.seq, (told.subject,), said)
        if state in _FINAL:
            book.close(told.subject)

    def _outcome(self, told: Told) -> None:
        book, status = self.story["action"], told.data.get("status")
        book.tell(told.seq, told.subject, state=status, settled_at=told.at)
        book.close(told.subject)
        lease = self._leases.pop(str(told.subject), None)
        if lease is not None:
            # Only a process that lived to hear of its effect has used up the lease of it.
            spent = "intent" in told.data
            left: Any = OneOf((0, 1)) if spent and status == "unknown" else int(not spent)
            self.story["lease"].tell(told.seq, lease, uses_left=left)
            self.story["lease"].close(lease)

    def _lease(self, told: Told) -> None:
        lease = told.data.get("lease")
        if lease is None:
            self.story["lease"].older = _is_of_action
            return
        id_, audience, until = lease
        alone = "hold" in told.data and told.data.get("effect") != "read"
        self._leases[str(told.subject)] = id_
        self.story["lease"].put(
            told.seq,
            id_,
            parent=None if alone else f"lease-of-{told.run}",
            holder=told.run,
            audience=audience,
            action=told.subject,
            args_digest=told.data.get("digest"),
            uses_left=1,
            expires_at=until,
            revoked_at=None,
        )

    def _run_lease(self, told: Told) -> None:
        self.story["lease"].put(
            told.seq,
            told.subject,
            parent=None,
            holder=told.run,
            audience="run",
            action=None,
            args_digest=None,
            uses_left=1,
            revoked_at=None,
            **told.some("expires_at"),
        )

    def _revoked(self, told: Told) -> None:
        self.story["lease"].tell(told.seq, f"lease-of-{told.run}", revoked_at=told.at)

    def _count(self, told: Told) -> None:
        data, run = told.data, str(told.run)
        units = int(data.get("units", 1))
        names = ["run", *data.get("counted", ())]
        if data.get("action") == "model":
            names.append("model")
        if "lease" not in data:  # an older entry does not say which budgets it drew on
            effect = f"effect:{data.get('effect')}"
            names.append(effect)
            self._unsure.add((run, effect))
        for name in names:
            self._used[run, name] += units
        self._used[holder(f"agent:{told.agent}", data), f"{_MINUTE}{told.at[:16]}"] += units


def _since(at: str) -> str:
    """Return the first minute that must be there: one kept longer is forgotten at the next start."""
    return f"{_MINUTE}{utc_text(utc_moment(at) - _KEPT_HOURS)[:16]}" if at else ""


def _is_of_action(row: RowMapping) -> bool:
    return row["action"] is not None
