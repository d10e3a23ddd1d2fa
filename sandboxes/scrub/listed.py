"""Lists of names and values in text: lines of `name: value` beside each other, and `name=value` in one line.

Each list is a record, and what stands in it is weighed as a member of JSON is.
"""

import re
from collections.abc import Iterator
from typing import Final

from sandboxes.scrub.layout import Laid
from sandboxes.scrub.members import Record

_MARKS: Final = r"[\"'`*_]{0,3}"
# Runs of any length are taken whole (`*+`), so that no text makes the search of a line begin again and again.
_ITEM: Final = r"[ \t]*+(?:(?:[-+*>#|•]|\d{1,2}[.)])[ \t]++)?"
_NAME: Final = r"(?P<name>[A-Za-z$][\w$.()/?'-]{0,30}(?: [\w$.()/?'-]{1,20}){0,4})"
_LINE: Final = re.compile(
    rf"^{_ITEM}{_MARKS}{_NAME}{_MARKS}(?:[ \t.]*+(?::|=>?|->|\|)|[ \t]{{3}})[ \t]*+{_MARKS}"
    rf"(?P<value>[^\s\"'`*_|{{\[][^\n|]{{0,79}}?){_MARKS}[ \t|,;]*+$",
    re.MULTILINE,
)
_PAIR: Final = re.compile(
    r"(?<![\w.?&])(?P<name>[A-Za-z][\w.-]{0,40})=(?:\"(?P<quoted>[^\"\n]{1,80})\"|(?P<value>[^\s\"',;&]{1,80}))"
)
_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n")
_FEWEST: Final = 2  # names that make a list


def listed(text: str) -> Iterator[tuple[Laid, Record]]:
    """Yield the values of lists, each with its name and the list as a record, in no order."""
    start = 0
    for part in _PARAGRAPH.split(text) if "\n" in text else [text]:
        at = text.index(part, start)
        start = at + len(part)
        yield from _beside(part, at)


def _beside(part: str, at: int) -> Iterator[tuple[Laid, Record]]:
    lines = [*_LINE.finditer(part)] if "\n" in part else []
    pairs = [*_PAIR.finditer(part)] if "=" in part and "<" not in part else []
    whole = {match.start("value") for match in lines}
    found = [*lines, *(pair for pair in pairs if pair.start("value") not in whole)]
    if len(found) < _FEWEST:
        return
    record = Record({match["name"]: match["value"] or match["quoted"] for match in found})
    for match in found:
        first, last = match.span("value" if match["value"] else "quoted")
        yield Laid((match["name"],), at + first, at + last), record
