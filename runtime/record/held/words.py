"""What waits for people and what they said of it: holds, votes, suggestions, judgements (R-07, R-08)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, sha256_hex
from runtime.record.held.values import OneOf
from runtime.tables.actions import HoldRow, JudgementRow, SuggestionRow, VoteRow

_OPEN: Final = OneOf(("waiting", "approved"))


class Words(Chapter):
    """Rows of holds and suggestions, with what people said of each."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(HoldRow, "id", shown={"reasons": sha256_hex}),
        kept(VoteRow, "statement"),
        kept(SuggestionRow, "id"),
        kept(JudgementRow, "statement"),
    )

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.APPROVAL_REQUESTED: self._held,
            EventKind.APPROVAL_GIVEN: self._voted,
            EventKind.APPROVAL_REJECTED: self._voted,
            EventKind.APPROVAL_ENDED: self._ended,
            EventKind.ACTION_INTENT: self._carried,
            EventKind.ACTION_OUTCOME: self._result,
            EventKind.SUGGESTION_MADE: self._suggested,
            EventKind.SUGGESTION_JUDGED: self._judged,
        }

    def _held(self, told: Told) -> None:
        action, decision = told.data.get("action"), self._decision(told)
        self.story["hold"].put(
            told.seq,
            told.subject,
            action=action,
            run=told.run,
            deployment=told.deployment,
            state="waiting",
            log_seq=told.seq,
            result_seq=None,
            **decision,
            **told.some("reasons", "needed", "created_at", "expires_at"),
        )

    def _decision(self, told: Told) -> dict[str, object]:
        """What the entry of the decision says, which stands right before."""
        last = self.story.last
        if last is None or last.subject != told.data.get("action"):
            return {}
        return {
            "tool": last.data.get("name") or "unknown",
            "effect": last.data.get("effect"),
            "args_digest": last.data.get("digest"),
        } | ({"kind": last.data.get("action")} if told.kind == EventKind.APPROVAL_REQUESTED else {})

    def _voted(self, told: Told) -> None:
        self.story["vote"].put(
            told.seq, told.data.get("statement"), hold=told.subject, person=told.actor, cast_at=told.at
        )
        self.story["vote"].close(told.data.get("statement"))
        if told.kind == EventKind.APPROVAL_GIVEN:
            approved = told.data.get("approved")
            if approved is not False:
                self.story["hold"].tell(told.seq, told.subject, state="approved" if approved else _OPEN)

    def _ended(self, told: Told) -> None:
        self.story["hold"].tell(told.seq, told.subject, state=told.data.get("state"))

    def _carried(self, told: Told) -> None:
        if (hold := told.data.get("hold")) is not None:
            self.story.carried[str(told.subject)] = hold

    def _result(self, told: Told) -> None:
        hold = self.story.carried.pop(str(told.subject), None)
        if hold is None or "intent" not in told.data:
            return
        unknown = told.data.get("status") == "unknown"  # the process may have ended before it wrote that
        seq = OneOf((None, told.seq)) if unknown else told.seq
        self.story["hold"].tell(told.seq, hold, result_seq=seq)

    def _suggested(self, told: Told) -> None:
        self.story["suggestion"].put(
            told.seq,
            told.subject,
            action=told.data.get("action"),
            run=told.run,
            deployment=told.deployment,
            agent=told.agent,
            log_seq=told.seq,
            created_at=told.at,
            **self._decision(told),
        )
        self.story["suggestion"].close(told.subject)

    def _judged(self, told: Told) -> None:
        self.story["judgement"].put(
            told.seq,
            told.data.get("statement"),
            suggestion=told.subject,
            person=told.actor,
            verdict=told.data.get("verdict"),
            reason="",
            judged_at=told.at,
        )
        self.story["judgement"].close(told.data.get("statement"))
