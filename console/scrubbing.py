"""Scrubbing and linting of a file at the command line. Needs no control plane, no state and no engine."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from console.errors import ConsoleError, UsageError
from console.show.values import Json
from profiles.context import ContextRules, Treatment
from profiles.load import find_profile
from sandboxes.scrub.model import Change, Place
from sandboxes.scrub.pack import load_packs, shipped_pack
from sandboxes.scrub.scrubber import Scrubber

STDIN: Final = "-"
_MOST_BYTES = 16 * 1024 * 1024
_MARK = "\ufeff"  # of the order of bytes, as some editors begin a file
_HALF = re.compile("[\ud800-\udfff]")
_REPLACING = ContextRules(
    messages=Treatment.REPLACE, results=Treatment.REPLACE, definitions=Treatment.REPLACE
)


class Form(StrEnum):
    """How a file is read."""

    TEXT = "text"
    JSON = "json"  # one JSON value: fields by name, texts by rules
    HEADERS = "headers"  # a line each, `name: value`


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file before and after.

    Attributes:
        before: as it was read; of JSON, laid out as `after` is.
        after: as it may be seen.
        changes: what was found.
        held: whether a person would have to see it first.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    held: bool


def read_source(source: str) -> str:
    """Return the text of a file, or of the standard input for `-`.

    Raises:
        ConsoleError: it is longer than 16 MiB, not UTF-8, or no text.
        OSError: the file cannot be read.
    """
    if source == STDIN:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        with Path(source).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    name = "standard input" if source == STDIN else source
    if len(data) > _MOST_BYTES:
        raise ConsoleError(f"{name}: longer than 16 MiB", next_step="scrub it in parts")
    if (nul := data.find(0)) >= 0:  # text in UTF-16 reads as UTF-8 with one of them at every letter
        raise ConsoleError(
            f"{name}: byte {nul} is NUL, so it is no text in UTF-8",
            next_step="convert it, for instance with iconv",
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConsoleError(
            f"{name}: byte {error.start} is not UTF-8", next_step="convert it, for instance with iconv"
        ) from error


def rules_of(profile: str | None) -> ContextRules:
    """Return what a profile says of general kinds; without one all of them are replaced."""
    return _REPLACING if profile is None else find_profile(profile).profile.context


def scrubber_of(profile: str | None, packs: Sequence[Path]) -> Scrubber:
    """Return a scrubber that knows no own values.

    Args:
        profile: a profile's file or the name of a shipped one; None to replace everything.
        packs: files and directories of rules beside the shipped ones.

    Raises:
        profiles.errors.ProfileError: the profile cannot be used.
        sandboxes.errors.PackError: a pack cannot be used.
    """
    return Scrubber((), rules_of(profile), load_packs(packs) if packs else shipped_pack())


def clean(scrubber: Scrubber, text: str, place: Place, form: Form) -> Cleaned:
    """Scrub what a file holds.

    Raises:
        UsageError: it is not of that form.
        sandboxes.errors.ScrubError: it could not be scrubbed to its end.
    """
    match form:
        case Form.TEXT:
            seen = scrubber.text(text, place)
            return Cleaned(text, seen.value, seen.changes, seen.held)
        case Form.JSON:
            value = _json(text)
            tree = scrubber.json(value, place)
            return Cleaned(_laid_out(value), _laid_out(tree.value), tree.changes, tree.held)
        case Form.HEADERS:
            headers = _headers(text)
            kept = [scrubber.headers(header) for header in headers]
            changes = tuple(change for one in kept for change in one.changes)
            return Cleaned(_lines(headers), _lines(one.value for one in kept), changes, held=False)


def findings_of(cleaned: Cleaned) -> list[Json]:
    """Return what was found in a text, with the line (from 1) and the column (from 1) where it begins."""
    return [
        {
            "line": cleaned.before.count("\n", 0, change.start) + 1,
            "column": change.start - cleaned.before.rfind("\n", 0, change.start),
            **change_of(change),
        }
        for change in cleaned.changes
    ]


def change_of(change: Change) -> dict[str, Any]:
    """Return one change as JSON."""
    kind = "own" if change.kind is None else change.kind.value
    return {"kind": kind, "rule": change.rule, "found": change.found, "put": change.put}


def _json(text: str) -> Any:
    try:
        return json.loads(text.removeprefix(_MARK))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "the file is not one JSON value", got=str(error), next_step="add --form text"
        ) from error


def _laid_out(value: object) -> str:
    """Lay a value out; half of a pair of surrogates stays escaped, since no encoding has it."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _headers(text: str) -> list[dict[str, str]]:
    """Read headers as `curl -I` prints them, each by itself, since a name may come twice.

    The line of the status before them is none.
    """
    headers = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("HTTP/"):
            continue
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise UsageError(f"line {number} is no header", expected="name: value")
        if name.strip():
            headers.append({name.strip(): value.strip()})
    return headers


def _lines(headers: Iterable[Mapping[str, str]]) -> str:
    return "".join(f"{name}: {value}\n" for header in headers for name, value in header.items())
