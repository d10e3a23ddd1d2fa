"""Grants with their causes, freezes with their lifts, suspensions (R-22, R-81)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, sha256_hex
from runtime.tables.grants import FreezeLiftRow, FreezeRow, GrantCauseRow, GrantRow
from runtime.tables.suspensions import SuspensionRow

_SIGNED: Final = (
    "deployment",
    "effect",
    "valid_from",
    "valid_until",
    "requester",
    "owner",
    "basis",
    "restores",
)


class Power(Chapter):
    """Rows of power given and stopped."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(GrantRow, "id"),
        kept(GrantCauseRow, "grant", "statement"),
        kept(FreezeRow, "id", shown={"reason": sha256_hex}),
        kept(FreezeLiftRow, "statement"),
        kept(SuspensionRow, "id"),
    )

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.GRANT_ISSUED: self._issued,
            EventKind.GRANT_RENEWED: self._renewed,
            EventKind.GRANT_REVOKED: self._revoked,
            EventKind.FREEZE_SET: self._frozen,
            EventKind.FREEZE_LIFTED: self._lifted,
            EventKind.WRITES_SUSPENDED: self._suspended,
        }

    def _issued(self, told: Told) -> None:
        signed = {name: told.data.get(name) for name in _SIGNED}
        self.story["effect_grant"].put(
            told.seq, told.subject, revoke_cause=None, revoked_at=None, **signed, **told.some("issued_at")
        )
        self._causes(told)

    def _renewed(self, told: Told) -> None:
        self.story["effect_grant"].tell(told.seq, told.subject, valid_until=told.data.get("until"))
        self._causes(told)

    def _causes(self, told: Told) -> None:
        for statement in told.data.get("statements", ()):
            # No column but the key; which grant it is is held by that.
            self.story["grant_cause"].put(told.seq, told.subject, statement)

    def _revoked(self, told: Told) -> None:
        book = self.story["effect_grant"]
        book.tell(told.seq, told.subject, revoke_cause=told.data.get("cause"), **told.some("revoked_at"))
        if "revoked_at" not in told.data:
            book.forget("revoked_at", told.subject)

    def _frozen(self, told: Told) -> None:
        self.story["freeze"].put(
            told.seq,
            told.subject,
            owner=told.actor,
            **told.some("scope", "target", "statement", "reason", "set_at", "expires_at"),
        )

    def _lifted(self, told: Told) -> None:
        self.story["freeze_lift"].put(
            told.seq, told.data.get("statement"), freeze=told.subject, **told.some("lifted_at")
        )

    def _suspended(self, told: Told) -> None:
        self.story["suspension"].put(
            told.seq,
            told.subject,
            deployment=told.deployment,
            **told.some("effect", "code", "subject", "reason", "set_at"),
        )
