"""Reviews on the terminal. The packet's own rendering is `rollout.reviews.packet.render`."""

from collections.abc import Sequence

from console.escape import escape
from console.show.text import Cell, Style, paint, table
from console.show.values import Json, moment, plain, word
from rollout.reviews.closure import Closure
from rollout.reviews.packet.model import Packet
from rollout.reviews.packet.render import as_text
from runtime.grant_chain import Renewal

_HEADS = ("REVIEW", "AGENT", "KIND", "DUE", "IN", "STATE", "PRINTED")


def review_table(answer: Json) -> list[str]:
    """Lay out the answer of `review list`."""
    rows = [
        [
            plain(one["review"]),
            plain(one["agent"]),
            plain(one["kind"]),
            moment(one["due_at"]),
            _left(one),
            _state(one),
            moment(one["printed_at"]),
        ]
        for one in answer["reviews"]
    ]
    return table(_HEADS, rows) if rows else ["no review is owed"]


def ran_page(answer: Json) -> list[str]:
    """Say what a run of the job did."""
    counts = ", ".join(f"{len(answer[name])} {name}" for name in ("owed", "overdue", "printed"))
    lines = [f"new: {counts}"]
    lines += [f"printed: handrail review show {escape(id_)}" for id_ in answer["printed"]]
    lines += [paint(Cell(f"alert {escape(id_)}: no review is owed", Style.BAD)) for id_ in answer["alarms"]]
    return lines


def packet_page(packet: Packet) -> list[str]:
    """Lay out a packet for reading; what a person must look at stands out."""
    lines = [escape(line) for line in as_text(packet).rstrip("\n").split("\n")]
    return [paint(Cell(line, Style.WARN)) if line.startswith("!") else line for line in lines]


def closure_page(packet: Packet, closure: Closure, renewed: Sequence[Renewal]) -> list[str]:
    """Lay out what is about to be signed."""
    said = {one.pattern: one for one in closure.words}
    lines = [paint(Cell(f"closing {escape(packet.head.obligation)}", Style.HEAD))]
    for pattern in packet.patterns:
        one = said.get(pattern.id)
        lines.append(f"{escape(pattern.id)}  {escape(pattern.text)}")
        lines.append(
            f"    {escape(one.disposition.value)}: {escape(one.text)}" if one else "    nothing said"
        )
    for question, text in zip(packet.questions, closure.answers, strict=False):
        lines += [escape(question), f"    {escape(text)}"]
    grants = {one.grant: one.effect.value for one in packet.grants}
    lines += [f"renews {escape(grants[one.grant])} until {one.until:%Y-%m-%d %H:%MZ}" for one in renewed]
    return [*lines, *([] if renewed else ["renews no grant"]), "", f"digest {packet.digest}"]


def closed_page(answer: Json) -> list[str]:
    """Say what became of a word that closes a review."""
    name, persons = escape(answer["review"]), escape(", ".join(answer["persons"]))
    if not answer["closed"]:
        missing = escape("; ".join(answer["missing"]))
        return [f"{name}: signed by {persons}; still missing: {missing}"]
    lines = [paint(Cell(f"{name} is closed by {persons}", Style.GOOD))]
    lines += [
        f"grant {escape(one['grant'])} now lasts until {moment(one['until']).text}"
        for one in answer["renewed"]
    ]
    lines += [
        paint(Cell(f"incident {escape(id_)} is open: writes are suspended", Style.BAD))
        for id_ in answer["incidents"]
    ]
    following = answer["following"]
    return [*lines, *([f"next: {escape(following)}"] if following else [])]


def _left(row: Json) -> Cell:
    """Return how long there is until a review is due, in days and hours."""
    hours = abs(int(row["due_in_seconds"])) // 3600
    span = f"{hours // 24}d{hours % 24}h"
    return Cell(span) if row["due_in_seconds"] > 0 else Cell(f"-{span}", Style.BAD)


def _state(row: Json) -> Cell:
    shown = word(row["state"])
    late = ", late" if row["late"] else ""
    style = {"overdue": Style.BAD, "closed": Style.GOOD}.get(row["state"], shown.style)
    return Cell(f"{shown.text}{late}", style)
