"""An agent's memory on the terminal: its versions, and what one has that another has not.

Names and texts are an agent's words, often made from a stranger's: each line of them is escaped, marked, and
broken where it is too broad, so that none passes for a line of ours.
"""

from collections.abc import Iterator
from difflib import unified_diff

from console.escape import escape, escape_lines
from console.show.arguments import broken
from console.show.text import Cell, Style, fields, paint, table
from console.show.values import Json, digest, moment, plain
from runtime.context.note import Taint
from runtime.memory.model import Entry, Standing

_STANDING = {
    Standing.PRESENT.value: Style.GOOD,
    Standing.PROPOSED.value: Style.WARN,
    Standing.QUARANTINED.value: Style.BAD,
    "altered": Style.BAD,
}
_LINE = {"+": Style.GOOD, "-": Style.BAD, "@": Style.DIM}
Version = tuple[dict[str, Entry], Json]
"""Entries by name, and texts by name."""


def log_page(answer: Json) -> list[str]:
    """Lay out the answer of `memory log`."""
    agent, where = escape(answer["agent"]), escape(answer["setting"])
    heads = ("VERSION", "STANDING", "UNTRUSTED", "CLOSED", "BY", "RUN")
    rows = [
        [
            plain(one["id"]),
            Cell(escape(one["standing"]), _STANDING.get(one["standing"], Style.PLAIN)),
            Cell(f"{one['untrusted']} of {one['entries']}", Style.WARN if one["untrusted"] else Style.PLAIN),
            Cell(moment(one["at"]).text[:16]),
            plain(one["by"]),
            plain(one["run"]),
        ]
        for one in answer["versions"]
    ]
    made = table(heads, rows) if rows else [f"{agent} has written nothing in {where} yet"]
    problems = [escape(one["problem"]) for one in answer["versions"] if one["problem"]]
    fault = [f"the present version carries nothing: {escape(answer['fault'])}"] if answer["fault"] else []
    return [*made, *problems, *fault, f"present in {where}: {escape(answer['present'])}"]


def diff_lines(before: Version, after: Version) -> list[str]:
    """Lay out what one version has that another has not, with where each entry came from."""
    names = sorted(before[0].keys() | after[0].keys())
    return [line for name in names for line in _entry(name, before, after)] or ["no difference"]


def diff_page(answer: Json) -> list[str]:
    """Lay out the answer of `memory diff`."""
    return [f"from {escape(answer['from'])} to {escape(answer['to'])}", "", *answer["lines"]]


def word_card(shown: Json, reason: str, accepted: list[str], lines: list[str]) -> list[str]:
    """Lay out what is signed when a version becomes the present one: all that it changes, and whose words."""
    page = fields(
        [
            ("agent", plain(shown["agent"])),
            ("setting", plain(shown["setting"])),
            ("version", plain(shown["id"])),
            ("digest", plain(shown["digest"])),
            ("reason", plain(reason)),
            ("untrusted", plain(", ".join(accepted) if accepted else "no new entries")),
        ]
    )
    return [*page, "", "against the present version:", *lines]


def said_page(answer: Json) -> list[str]:
    """Say what a person's word did, and what to do next."""
    agent, version, person = (escape(answer[key]) for key in ("agent", "version", "person"))
    if answer["do"] != "quarantine":
        done = "adopted" if answer["do"] == "adopt" else "gone back to"
        made = f"memory version {version} of {agent} is {done}, signed by {person}"
        return [made, f"next: handrail deploy create {agent} --profile FILE, which pins it"]
    stopped = f"{len(answer['stopped'])} runs stopped, {len(answer['suspended'])} deployments suspended"
    page = [f"memory version {version} of {agent} is quarantined by {person}: {stopped}"]
    page += [f"quarantined with it: {escape(one)}" for one in answer["versions"] if one != answer["version"]]
    page += [f"not stopped: {escape(run)}; its memory answers no more" for run in answer["not_stopped"]]
    return [*page, f"next: handrail memory rollback {agent} VERSION --reason TEXT"]


def _entry(name: str, before: Version, after: Version) -> Iterator[str]:
    old, new = before[0].get(name), after[0].get(name)
    if old == new:
        return
    change = "added" if old is None else "removed" if new is None else _changed(old, new)
    yield from broken(f"{change} {escape(name)}", "", "  + ")
    yield from (_origin(entry) for entry in (new or old,) if entry is not None)
    for line in list(unified_diff(_lines(before, name), _lines(after, name), lineterm=""))[2:]:
        style = _LINE.get(line[:1], Style.PLAIN)
        yield from (paint(Cell(piece, style)) for piece in broken(line, "  ", "  ... "))
    yield ""


def _lines(version: Version, name: str) -> list[str]:
    return escape_lines(version[1][name]) if name in version[0] else []


def _changed(old: Entry, new: Entry) -> str:
    return "rewritten as it was" if old.sha256 == new.sha256 else "changed"


def _origin(entry: Entry) -> str:
    style = Style.WARN if entry.taint is Taint.UNTRUSTED else Style.DIM
    told = entry.as_json()
    parts = (
        paint(Cell(f"{entry.taint.value} words", style)),
        f"by {escape(entry.run)}, {escape(entry.action)}, {moment(str(told['written_at'])).text}",
        f"entry {digest(entry.digest).text}",
    )
    return "  " + ", ".join(parts)
