"""What `doctor` found, on the terminal."""

import textwrap

from console.escape import escape
from console.show.text import COLUMNS, Cell, Style, paint
from console.show.values import Json

_MARKS = {"ok": Cell("ok  ", Style.GOOD), "warn": Cell("warn", Style.WARN), "fail": Cell("FAIL", Style.BAD)}
_INDENT = 6


def findings_page(answer: Json) -> list[str]:
    """Lay out findings: a mark, what was looked at, what was found, and under it the next step."""
    found = answer["findings"]
    broad = max(len(finding["check"]) for finding in found)
    lines = [line for finding in found for line in _finding(finding, broad)]
    levels = [finding["level"] for finding in found]
    summary = f"{levels.count('ok')} ok, {levels.count('warn')} warnings, {levels.count('fail')} failures"
    return [*lines, "", summary]


def _finding(finding: Json, broad: int) -> list[str]:
    mark = paint(_MARKS[finding["level"]])
    first, *more = textwrap.wrap(escape(finding["said"]), COLUMNS - broad - _INDENT - 2) or [""]
    pad = " " * (broad + _INDENT + 2)
    lines = [f"{mark}  {finding['check'].ljust(broad)}  {first}", *(pad + line for line in more)]
    step = textwrap.wrap("next: " + escape(finding["next"]), COLUMNS - len(pad)) if finding["next"] else []
    return [*lines, *(pad + paint(Cell(line, Style.HEAD)) for line in step)]
