"""Payload rows and data keys, held against what the leaves say of them."""

from hashlib import sha256
from typing import Any

from runtime.record.findings import FindingKind, Findings

PAYLOADS = "log_payload"
DATA_KEYS = "log_data_key"
_MOST_REMEMBERED = 10_000


def as_bytes(value: object) -> bytes:
    """Return a column's bytes; SQLite lets anyone put another type there, which then has another hash."""
    return value if isinstance(value, bytes) else repr(value).encode()


class PayloadCheck:
    """Sees every entry's payload once, in order, and every payload row without an entry."""

    def __init__(self, findings: Findings) -> None:
        self.purged = 0
        self._findings = findings
        self._missing: list[tuple[int, int]] = []  # ranges of entries whose payload row is gone
        self._missing_hashes: dict[str, int] = {}  # sha256 of the row -> entry, for the first so many
        self._surplus: list[tuple[int, str]] = []  # entry, sha256 of a row that no leaf speaks of
        self._purges: list[tuple[int, int]] = []

    def see(self, seq: int, said: Any, key_id: str | None, sealed: bytes | None) -> None:
        """Compare one entry's payload row with `said`, the leaf's `payload` field."""
        if sealed is None:
            if said is not None:
                self._miss(seq, said["sha256"])
            return
        found = sha256(as_bytes(sealed)).hexdigest()
        if said is None:
            self._surplus.append((seq, found))
            return
        if found != said["sha256"]:
            self._findings.changed(PAYLOADS, "sealed", seq, "its hash is not the one in the leaf")
        if key_id != said["key"]:
            detail = f"the row says `{key_id}`, the leaf `{said['key']}`"
            self._findings.changed(PAYLOADS, "key_id", seq, detail)

    def orphan(self, seq: int, sealed: bytes) -> None:
        """Take a payload row whose entry does not exist."""
        self._surplus.append((seq, sha256(as_bytes(sealed)).hexdigest()))

    def purge(self, first: int, last: int) -> None:
        """Take what a `payload.purged` entry says was purged."""
        self._purges.append((first, last))

    def finish(self) -> None:
        """Report what is missing without a purge, and what is there without a leaf."""
        for seq, found in self._surplus:
            origin = self._missing_hashes.pop(found, None)
            if origin is None:
                self._findings.add(FindingKind.ROW_ADDED, PAYLOADS, "no leaf speaks of it", row=seq)
            else:
                self._findings.changed(PAYLOADS, "seq", seq, f"this is the payload of entry {origin}")
        for first, last in self._missing:
            self._report_missing(first, last)

    def _miss(self, seq: int, expected: str) -> None:
        if len(self._missing_hashes) < _MOST_REMEMBERED:
            self._missing_hashes[expected] = seq
        if self._missing and self._missing[-1][1] == seq - 1:
            self._missing[-1] = (self._missing[-1][0], seq)
        else:
            self._missing.append((seq, seq))

    def _report_missing(self, first: int, last: int) -> None:
        for seq in range(first, last + 1):
            if any(start <= seq <= end for start, end in self._purges):
                self.purged += 1
            else:
                detail = "the leaf speaks of a payload, and no entry says it was purged"
                self._findings.add(FindingKind.ROW_DELETED, PAYLOADS, detail, row=seq)


class KeyCheck:
    """Holds the wrapped data keys against the `key.created` entries."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._said: dict[str, str] = {}

    def created(self, key_id: str, sha256_hex: str) -> None:
        """Take what a `key.created` entry says."""
        self._said[key_id] = sha256_hex

    def finish(self, rows: dict[str, bytes]) -> None:
        """Compare with the rows: wrapped key by id."""
        found = {key_id: sha256(as_bytes(wrapped)).hexdigest() for key_id, wrapped in rows.items()}
        missing = {digest: key_id for key_id, digest in self._said.items() if key_id not in found}
        for key_id, digest in found.items():
            if key_id in self._said:
                if digest != self._said[key_id]:
                    self._findings.changed(DATA_KEYS, "wrapped", key_id, "its hash is not the one in the log")
            elif digest in missing:
                self._findings.changed(DATA_KEYS, "id", key_id, f"this is the key of {missing.pop(digest)}")
            else:
                self._findings.add(FindingKind.ROW_ADDED, DATA_KEYS, "no entry speaks of it", row=key_id)
        for key_id in missing.values():
            self._findings.add(
                FindingKind.ROW_DELETED, DATA_KEYS, "its payloads cannot be opened", row=key_id
            )
