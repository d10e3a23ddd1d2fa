"""The ledger of context on the terminal.

What entered is text of agents and strangers: it is escaped, and each line of it marked, so that none passes
for a line of ours.
"""

from collections.abc import Mapping
from typing import Any

from console.escape import escape, escape_lines
from console.show.arguments import broken
from console.show.text import Cell, Style, fields, paint, table
from console.show.tree import tree_lines
from console.show.values import Json, digest, moment, plain

_TAINTS = {"trusted": Style.PLAIN, "untrusted": Style.WARN, "model": Style.DIM}
_HEADS = ("N", "AT", "SOURCE", "SHA-256", "TAINT", "REPLACED", "FLAGGED")


def entered_table(answer: Json) -> list[str]:
    """Lay out the answer of `audit context RUN`: one line for each thing, in order."""
    rows = [_row(item) for item in answer["items"]]
    return table(_HEADS, rows) if rows else ["nothing entered the context of this run's agent yet"]


def entered_page(answer: Json) -> list[str]:
    """Lay out one thing that entered: what is known of it, what was scrubbed, and the thing itself."""
    head = fields(
        [
            ("item", plain(answer["number"])),
            ("at", moment(answer["at"])),
            ("source", plain(answer["source"])),
            ("sha-256", plain(answer["sha256"])),
            ("taint", _taint(answer["taint"])),
            ("entry", plain(answer["entry"])),
            ("kept", plain(answer["state"])),
        ]
    )
    return [*head, *_changes(answer["changes"]), *_value(answer["value"])]


def _row(item: Json) -> list[Cell]:
    return [
        plain(item["number"]),
        Cell(moment(item["at"]).text[11:]),
        plain(item["source"]),
        digest(item["sha256"]),
        _taint(item["taint"]),
        _counts(item["replaced"]),
        _counts(item["flagged"]),
    ]


def _taint(word: str) -> Cell:
    return Cell(escape(word), _TAINTS.get(word, Style.BAD))


def _counts(counted: Mapping[str, int]) -> Cell:
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
    return Cell(escape(told), Style.WARN) if told else Cell("-", Style.DIM)


def _changes(changes: list[Json]) -> list[str]:
    """Show each change as a diff does: what was found, and what stands there now."""
    lines = []
    for change in changes:
        lines.append(paint(Cell(f"@@ {escape(str(change['rule']))} @@", Style.DIM)))
        put = change["put"]
        mark, style = (" ", Style.WARN) if put is None else ("-", Style.BAD)
        lines += [paint(Cell(f"{mark} {line}", style)) for line in escape_lines(str(change["found"]))]
        if put is not None:
            lines += [paint(Cell(f"+ {line}", Style.GOOD)) for line in escape_lines(str(put))]
    return ["", *lines] if lines else []


def _value(value: Any) -> list[str]:
    if value is None:
        return []
    lines = escape_lines(value) if isinstance(value, str) else tree_lines(value)
    return ["", *(piece for line in lines for piece in broken(line, "| ", "+ "))]
