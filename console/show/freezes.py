"""Freezes on the terminal."""

from console.escape import escape
from console.show.text import Cell, Style, paint, table
from console.show.values import Json, digest, moment, plain


def frozen_page(answer: Json) -> list[str]:
    """Say what stands still now, and how it ends."""
    stop = answer["freeze"]
    what = "everything" if stop["scope"] == "all" else f"{stop['scope']} {_target(stop).text}"
    until = moment(stop["expires_at"]).text
    return [
        paint(Cell(f"{what} is frozen from the next action on, until {until}", Style.WARN)),
        f"lift it with: handrail unfreeze {escape(stop['id'])} --reason TEXT",
    ]


def freeze_table(answer: Json) -> list[str]:
    """Lay out the freezes that stand."""
    rows = [
        [
            plain(s["id"]),
            _target(s),
            plain(s["owner"]),
            moment(s["expires_at"]),
            plain(s["problem"] or s["reason"]),
        ]
        for s in answer["freezes"]
    ]
    return table(("FREEZE", "STOPS", "BY", "UNTIL", "REASON"), rows) if rows else ["nothing is frozen"]


def lifted_page(answer: Json) -> list[str]:
    """Say that a freeze ended."""
    return [f"freeze {escape(answer['lifted']['id'])} is lifted by {escape(answer['lifted']['person'])}"]


def _target(stop: Json) -> Cell:
    return digest(stop["target"]) if stop["scope"] == "deployment" else plain(stop["target"])
