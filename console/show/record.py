"""The record on the terminal. Payloads are agent text and are escaped."""

import re
from collections.abc import Iterator
from typing import Any

from console.escape import clip, escape, escape_json, width
from console.show.text import COLUMNS, Cell, Style, fields, paint, table
from console.show.values import SHORT_DIGEST, Json, moment, plain
from runtime.record.findings import VerifyReport

_STYLES = {
    "allow": Style.GOOD,
    "done": Style.GOOD,
    "hold": Style.WARN,
    "suggest": Style.WARN,
    "unknown": Style.BAD,
    "failed": Style.BAD,
    "deny": Style.BAD,
}
_TELLING = (
    "answer",
    "status",
    "tool",
    "effect",
    "outcome",
    "verdict",
    "reason",
    "exit_code",
    "version",
    "cause",
)
_QUIET = frozenset({"card", "signature", "statement", "verdicts"})
"""Parts of a payload that only machines read; `--json` has them."""
_NOTHING: tuple[Any, ...] = (None, "", [], {}, False, "not_provided")
_INDENT = " " * 10
_TOLD = 60
_LEAST_ROOM = 4
_DIGEST = re.compile("[0-9a-f]{64}")


def report_view(report: VerifyReport) -> dict[str, Any]:
    """Return a report of `verify` as JSON."""
    return {
        "intact": report.intact,
        "exit": report.exit_code,
        "log": report.origin,
        "key": report.verifier,
        "entries": report.entries,
        "root": report.root,
        "checkpoints": report.checkpoints,
        "anchored": report.anchored_range,
        "unanchored": report.unanchored_range,
        "anchor": str(report.anchor),
        "purged_payloads": report.purged_payloads,
        "findings": [str(finding) for finding in report.findings],
        "findings_omitted": report.findings_omitted,
        "warnings": list(report.warnings),
    }


def report_page(answer: Json) -> list[str]:
    """Lay out the answer of `audit verify`."""
    page = fields(
        [
            ("log", plain(answer["log"])),
            ("entries", plain(f"{answer['entries']:,}")),
            ("anchored", plain(_range(answer["anchored"]))),
            ("unanchored", plain(_range(answer["unanchored"]))),
            ("checkpoints", plain(f"{answer['checkpoints']:,} agree")),
            ("anchor", Cell(escape(answer["anchor"]), Style.PLAIN if answer["anchored"] else Style.BAD)),
            ("root", plain(answer["root"])),
            ("purged", plain(answer["purged_payloads"] or None)),
        ]
    )
    warnings = [paint(Cell(f"warning: {escape(text)}", Style.WARN)) for text in answer["warnings"]]
    findings = [paint(Cell(escape(text), Style.BAD)) for text in answer["findings"]]
    if answer["findings_omitted"]:
        findings.append(f"... and {answer['findings_omitted']:,} more")
    return [*page, *warnings, *findings, "", _conclusion(answer)]


def entry_lines(entry: Json) -> list[str]:
    """Lay out one entry: when, what, about what; below it what people ask of its payload, each on a line."""
    said: dict[str, Any] = (entry["payload"] or {}) | (entry["data"] or {})
    told = [_telling(name, said[name]) for name in _TELLING if said.get(name) not in _NOTHING]
    about = [plain(_short(str(entry[name]))) for name in ("subject", "actor") if entry[name]]
    at = moment(entry["at"]).text[11:]
    head = f"{entry['seq']:>8}  {at}  {escape(entry['kind']).ljust(20)}"
    return [_within([Cell(head), *told, *about]), *_payload(entry)]


def open_table(answer: Json) -> list[str]:
    """Lay out the answer of `audit reconcile`."""
    rows = [
        [plain(o["action"]), plain(o["run"]), plain(o["agent"]), moment(o["at"]), plain(o["cause"])]
        for o in answer["open"]
    ]
    heads = ("ACTION", "RUN", "AGENT", "BEGUN", "WHY OPEN")
    return table(heads, rows) if rows else ["every action that was begun has a known end"]


def export_done(answer: Json) -> list[str]:
    """Say what was written."""
    name = escape(answer["file"])
    return [f"{name}: {answer['lines']:,} lines; the first is the signed checkpoint over the others"]


def _conclusion(answer: Json) -> str:
    if answer["findings"]:
        count = len(answer["findings"]) + answer["findings_omitted"]
        return paint(Cell(f"NOT INTACT: {count:,} findings", Style.BAD))
    if answer["exit"]:
        return paint(Cell("intact, but UNANCHORED: nothing outside the database vouches for it", Style.BAD))
    return paint(Cell("intact", Style.GOOD))


def _range(pair: list[int] | tuple[int, int] | None) -> str | None:
    return None if pair is None else f"{pair[0]:,} to {pair[1]:,}"


def _telling(name: str, value: object) -> Cell:
    text = escape(value) if isinstance(value, str) else escape_json(value)
    if name == "exit_code":
        return Cell(f"exit {text}")
    return Cell(clip(text, _TOLD), _STYLES.get(text, Style.PLAIN))


def _short(text: str) -> str:
    return text[:SHORT_DIGEST] if _DIGEST.fullmatch(text) else text


def _within(cells: list[Cell]) -> str:
    """Join cells by blanks, and cut what would go beyond the widest line."""
    room, shown = COLUMNS, []
    for cell in cells:
        text = clip(cell.text, room)
        shown.append(paint(Cell(text, cell.style)))
        room -= width(text) + 1
        if room < _LEAST_ROOM:
            break
    return " ".join(shown).rstrip()


def _payload(entry: Json) -> Iterator[str]:
    if entry["payload_state"] == "purged":
        yield _INDENT + paint(Cell("payload purged", Style.DIM))
    for name, value in (entry["payload"] or {}).items():
        if name not in _QUIET and name not in _TELLING and value not in _NOTHING:
            yield clip(f"{_INDENT}{escape(name)} {escape_json(value)}", COLUMNS)
