"""The words of an agent's memory, and the digests over them. Values only, no IO.

A version's digest is over its agent, its setting and each entry with its provenance. So no version passes for
one of another agent or setting, and an entry that was written by another run makes another version.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from profiles.setting import Setting
from runtime.canonical import JsonValue
from runtime.context.note import Taint
from runtime.gate.actions import digest_of
from runtime.moments import utc_text


class VersionState(StrEnum):
    """Whether a version can still change."""

    DRAFT = "draft"  # of one run, which alone reads and writes it
    CLOSED = "closed"  # for good; the record has its digest


class Standing(StrEnum):
    """What a closed version is worth now."""

    PROPOSED = "proposed"  # nobody adopted it; no run reads it
    PRESENT = "present"  # adopted, or gone back to, and nothing after it
    EARLIER = "earlier"  # it was the present one
    QUARANTINED = "quarantined"  # it, or what it came from; no run reads it


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a version, with where it came from (R-77).

    Attributes:
        name: what the agent called it; its own words.
        sha256: of its text in UTF-8, in hex.
        size: of its text in bytes.
        action: the action that wrote it.
        run: whose action that was.
        taint: `untrusted` once the run had read anything of a source that the profile does not trust.
        written_at: when.
    """

    name: str
    sha256: str
    size: int
    action: str
    run: str
    taint: Taint
    written_at: datetime

    def as_json(self) -> dict[str, JsonValue]:
        """The entry as plain JSON; digests are over this."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "action": self.action,
            "run": self.run,
            "taint": self.taint.value,
            "written_at": utc_text(self.written_at),
        }

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the entry with its provenance."""
        return digest_of(self.as_json())

    @property
    def is_untrusted(self) -> bool:
        """Whether a person must name it to adopt it."""
        return self.taint is Taint.UNTRUSTED


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of one agent's memory in one setting.

    Attributes:
        parent: the version it began from; None for an empty memory.
        run: whose draft it is or was.
        log_seq: the entry that recorded its beginning, and once it is closed its closing.
    """

    id: str
    agent: str
    setting: Setting
    parent: str | None
    run: str
    state: VersionState
    digest: str | None
    made_at: datetime
    log_seq: int
    entries: tuple[Entry, ...] = ()

    def entry(self, name: str) -> Entry | None:
        """Return the entry of this name, or None."""
        return next((one for one in self.entries if one.name == name), None)


def version_digest(agent: str, setting: Setting, entries: Iterable[Entry]) -> str:
    """Return the SHA-256 in hex over a version's entries, in the order of their names."""
    told: list[JsonValue] = [one.as_json() for one in sorted(entries, key=lambda one: one.name)]
    return digest_of({"agent": agent, "setting": setting.value, "entries": told})


def text_digest(text: str) -> str:
    """Return the SHA-256 in hex of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
