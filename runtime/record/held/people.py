"""Statements, versions of the policy, proposed changes, keys that count no more (R-08, R-81)."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.engine import RowMapping

from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.held.book import Kept, kept
from runtime.record.held.story import Chapter, Hear, Told, sha256_hex
from runtime.tables.people import KeyRevocationRow, PolicyChangeRow, PolicyVersionRow, StatementRow


def _nonce(row: RowMapping) -> Mapping[str, Any]:
    """The signed body names its nonce; the body itself is held by the statement's id."""
    try:
        body = json.loads(row["body"])
    except (TypeError, ValueError):
        return {}
    return {"nonce": body["nonce"]} if isinstance(body, dict) and "nonce" in body else {}


def _text(row: RowMapping) -> Mapping[str, Any]:
    """The digest of a version, by which entries name it, is over its number, the one before and its text."""
    parts = {"version": row["version"], "previous": row["previous"], "text": sha256_hex(row["text"])}
    try:
        digest = sha256_hex(canonical(parts))
    except CanonicalError:
        digest = None
    return {} if digest == row["digest"] else {"text": f"a text of the version with digest {row['digest']}"}


def _subject(version: Any) -> str:
    """As `runtime.people.versions.Version.subject`."""
    return f"policy-version-{version}"


class People(Chapter):
    """Rows of what people signed, and of the policy that says who they are."""

    kept: ClassVar[tuple[Kept, ...]] = (
        kept(StatementRow, "id", shown={"body": sha256_hex, "signature": sha256_hex}, own=_nonce),
        kept(PolicyVersionRow, "digest", own=_text),
        kept(PolicyChangeRow, "digest", own=_text),
        kept(KeyRevocationRow, "fingerprint", "statement"),
    )

    def __init__(self, *given: Any) -> None:
        """Begin without proposals."""
        super().__init__(*given)
        self._proposed_versions: set[str] = {_subject(1)}  # the first one is never proposed
        self._unproposed: set[str] = set()

    def heard(self) -> Mapping[EventKind, Hear]:
        """See `Chapter.heard`."""
        return {
            EventKind.STATEMENT_MADE: self._said,
            EventKind.POLICY_PROPOSED: self._proposed,
            EventKind.POLICY_CHANGED: self._changed,
            EventKind.PERSON_REVOKED: self._revoked,
        }

    def _said(self, told: Told) -> None:
        id_, book = told.data.get("id"), self.story["statement"]
        book.put(
            told.seq,
            id_,
            type=told.data.get("type"),
            person=told.actor,
            subject=told.subject,
            body=id_,
            made_at=told.at,
            **told.some("signature"),
        )
        book.close(id_)
        if told.data.get("type") == "policy" and told.subject not in self._proposed_versions:
            self._unproposed.add(str(told.subject))

    def _proposed(self, told: Told) -> None:
        self._proposed_versions.add(_subject(told.data.get("version")))
        self.story["policy_change"].put(
            told.seq,
            told.subject,
            proposed_by=told.actor,
            **told.some("version", "previous", "proposed_at", "expires_at"),
        )

    def _changed(self, told: Told) -> None:
        statements = told.some("statements")
        self.story["policy_version"].put(
            told.seq,
            told.subject,
            applied_at=told.at,
            **told.some("version", "previous"),
            **{name: canonical(value).decode() for name, value in statements.items()},
        )

    def _revoked(self, told: Told) -> None:
        for key in told.data.get("keys", ()):
            self.story["key_revocation"].put(
                told.seq, key, told.data.get("statement"), person=told.subject, **told.some("revoked_at")
            )

    def end(self) -> None:
        """An older version recorded a proposal by its first signature alone."""
        self.story["policy_change"].older = lambda row: _subject(row["version"]) in self._unproposed
