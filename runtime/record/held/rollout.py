"""Evidence, promotions and reviews, as their entries have them (R-28 to R-36, R-84)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.engine import RowMapping

from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, sha256_hex
from runtime.record.held.values import OneOf
from runtime.tables.evidence import DrawRow
from runtime.tables.promotions import PromotionRow, PromotionVoteRow
from runtime.tables.reviews import ObligationRow, PacketRow

_FROZEN: Final = ("owner", "valid_from", "valid_until", "expires_at")


def _frozen(row: RowMapping) -> Mapping[str, Any]:
    """The frozen bytes, which entries name by their digest, say the rest of a request's row."""
    try:
        said = json.loads(row["frozen"])
    except (TypeError, ValueError):
        return {}
    return {name: said[name] for name in _FROZEN if name in said} if isinstance(said, dict) else {}


class Rollout(Chapter):
    """Rows of what was drawn, asked for, and owed."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(DrawRow, "id"),
        kept(PromotionRow, "id", shown={"frozen": sha256_hex, "end_reason": sha256_hex}, own=_frozen),
        kept(PromotionVoteRow, "statement"),
        kept(ObligationRow, "id"),
        kept(PacketRow, "obligation"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin without votes."""
        super().__init__(*given)
        self._votes: dict[tuple[str | None, str | None], Any] = {}
        self._unfollowed: defaultdict[tuple[str | None, Any], dict[str | None, str]] = defaultdict(dict)

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.ITEMS_DRAWN: self._drawn,
            EventKind.PROMOTION_REQUESTED: self._requested,
            EventKind.PROMOTION_VOTED: self._voted,
            EventKind.PROMOTION_APPLIED: self._ended,
            EventKind.PROMOTION_ENDED: self._ended,
            EventKind.REVIEW_OWED: self._owed,
            EventKind.WRITES_SUSPENDED: self._overdue,
            EventKind.REVIEW_PRINTED: self._printed,
            EventKind.REVIEW_CLOSED: self._closed,
            EventKind.REVIEW_MOVED: self._moved,
        }

    def _drawn(self, told: Told) -> None:
        data = told.data
        self.story["draw"].put(
            told.seq,
            told.subject,
            deployment=told.deployment,
            from_at=data.get("from"),
            through_at=data.get("through"),
            **told.some("effect", "kind", "seed", "population", "drawn", "made_at"),
        )

    def _requested(self, told: Told) -> None:
        self.story["promotion"].put(
            told.seq,
            told.subject,
            deployment=told.deployment,
            agent=told.agent,
            requester=told.actor,
            state="evidence_frozen",
            frozen=told.data.get("basis"),
            created_at=told.at,
            ended_at=None,
            end_reason=None,
            **told.some("effect", "grant", "basis"),
        )

    def _voted(self, told: Told) -> None:
        votes, statement = self.story["promotion_vote"], told.data.get("statement")
        before = self._votes.get((told.subject, told.actor))
        if before is not None:
            votes.drop(before)
        self._votes[told.subject, told.actor] = statement
        votes.put(
            told.seq,
            statement,
            promotion=told.subject,
            person=told.actor,
            cast_at=told.at,
            **told.some("approves"),
        )
        if self.story["promotion"].said("state", told.subject) == "evidence_frozen":
            self.story["promotion"].tell(told.seq, told.subject, state="awaiting")

    def _ended(self, told: Told) -> None:
        book = self.story["promotion"]
        book.tell(told.seq, told.subject, ended_at=told.at, **told.some("state", "end_reason"))
        if "end_reason" not in told.data:
            book.forget("end_reason", told.subject)

    def _owed(self, told: Told) -> None:
        said = told.some("kind", "period_start", "due_at", "late", "followed")
        self.story["obligation"].put(
            told.seq,
            told.subject,
            deployment=told.deployment,
            agent=told.agent,
            # An older version does not record that a review fell away with its deployment.
            state="open" if "followed" in said else OneOf(("open", "void", "overdue")),
            created_at=told.at,
            closed_at=None,
            **said,
        )
        self._follow(told, str(said.get("period_start")))

    def _follow(self, told: Told, start: str) -> None:
        """Take that the reviews of the same kind whose period began earlier are followed by this one."""
        book, unfollowed = self.story["obligation"], self._unfollowed[told.deployment, told.data.get("kind")]
        for id_, began in list(unfollowed.items()):
            if began < start:
                book.tell(told.seq, id_, followed=True)
                del unfollowed[id_]
        if "followed" in told.data:
            unfollowed[told.subject] = start

    def _moved(self, told: Told) -> None:
        self.story["obligation"].tell(told.seq, told.subject, **told.some("state", "followed"))

    def _overdue(self, told: Told) -> None:
        book, subject = self.story["obligation"], told.data.get("subject")
        if book.has(subject) and book.said("state", subject) != "closed":
            book.tell(told.seq, subject, state="overdue")

    def _printed(self, told: Told) -> None:
        self.story["packet"].put(
            told.seq,
            told.subject,
            digest=told.data.get("packet"),
            log_seq=told.seq,
            **told.some("made_at"),
        )

    def _closed(self, told: Told) -> None:
        self.story["obligation"].tell(told.seq, told.subject, state="closed", closed_at=told.at)
