"""What an image, or a draft, would show an agent of its status, on the terminal."""

import textwrap
from collections.abc import Sequence

from console.escape import escape
from console.show.scrub import difference
from console.show.text import COLUMNS, Cell, Style, paint
from console.show.values import Json
from sandboxes.lint.finding import UNREAD, VOLUME

_INDENT = " " * 9
_STYLES = {"error": Style.BAD, "warning": Style.WARN}


def finding_lines(findings: Sequence[Json]) -> list[str]:
    """Lay out findings: how much each matters, where it stands and what it tells, then the fix."""
    return [line for one in findings for line in _lines(one)]


def image_page(answer: Json) -> list[str]:
    """Lay out the answer of `context lint --image`."""
    findings = answer["findings"]
    if not findings:
        return [f"nothing in image {escape(answer['image'])} tells status"]
    errors = sum(one["weight"] == "error" for one in findings)
    count = f"errors: {errors}, warnings: {len(findings) - errors}"
    said = f"{count}; no deployment is made of an image with errors"
    return [*finding_lines(findings), "", said]


def told_lines(findings: Sequence[Json]) -> list[str]:
    """Lay out what a draft would show; nothing where that tells nothing."""
    if not findings:
        return []
    return ["", "what the agent would be shown tells something of its status:", *finding_lines(findings)]


def launch_lines(started: Json) -> list[str]:
    """Lay out what the task and the arguments of a launch tell the agent, and a task that tells less."""
    task = started["task"]
    suggested = difference(task["given"], task["suggested"])
    head = "what this launch shows the agent tells something of its status:"
    return [head, *finding_lines(started["told"]), *(["suggested:", *suggested] if suggested else [])]


def _lines(one: Json) -> list[str]:
    tells = "one of its own values" if one["kind"] is None else one["kind"]
    told = "" if one["rule"] in {VOLUME, UNREAD} else f"tells {tells}, "
    said = f"{one['where']}: {one['found']} ({told}rule {one['rule']})"
    first, *more = _wrapped(said)
    head = paint(Cell(one["weight"].ljust(len(_INDENT)), _STYLES[one["weight"]])) + first
    return [head, *(f"{_INDENT}{line}" for line in (*more, *_wrapped(f"fix: {one['fix']}")))]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(escape(text), COLUMNS - len(_INDENT), break_on_hyphens=False)
