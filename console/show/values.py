"""Values as people read them. All text of others is escaped here."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.escape import escape
from console.show.text import Cell, Style

Json = Mapping[str, Any]
SHORT_DIGEST = 12
_KIND = "sha256:"

_GOOD = frozenset(
    {"allow", "running", "completed", "granted", "ok", "agree", "carried_out", "approved", "signed"}
)
_WARN = frozenset(
    {"hold", "suggest", "waiting", "requested", "unclear", "held", "pending", "warn", "skipped", "stopped"}
    | {"suspended"}
)
_BAD = frozenset(
    {"deny", "harmful", "failed", "unknown", "rejected", "expired", "void", "frozen", "revoked", "disagree"}
)


def plain(value: object) -> Cell:
    """Return any value as safe text; nothing is a dash."""
    if value is None or value == "":
        return Cell("-", Style.DIM)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    return Cell(escape(str(value)))


def listed(values: Sequence[object]) -> Cell:
    """Return several values on one line."""
    return plain(", ".join(str(value) for value in values))


def word(value: str | None) -> Cell:
    """Return a word of a closed set in the colour of what it means."""
    shown = plain(value)
    style = next((s for s, words in _COLOURS if value in words), shown.style)
    return Cell(shown.text, style)


def digest(value: str | None) -> Cell:
    """Return the first characters of a digest, without the name of its kind: enough to name it here."""
    return plain(value.removeprefix(_KIND)[:SHORT_DIGEST] if value else None)


def moment(value: str | None) -> Cell:
    """Return a moment of the record to the second, in UTC."""
    return plain(f"{value[:10]} {value[11:19]}Z" if value else None)


_COLOURS = ((Style.GOOD, _GOOD), (Style.WARN, _WARN), (Style.BAD, _BAD))
