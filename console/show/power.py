"""Grants with their time left, kills and suspensions on the terminal."""

from console.escape import escape
from console.show.text import Cell, Style, paint, table
from console.show.values import SHORT_DIGEST, Json, digest, moment, plain, word

_HOUR, _DAY = 3600, 86_400


def grant_table(answer: Json) -> list[str]:
    """Lay out the answer of `grants list`."""
    rows = [
        [
            plain(g["agent"]),
            digest(g["deployment"]),
            plain(g["effect"]),
            word(g["state"]),
            time_left(g["seconds_left"]),
            moment(g["valid_until"]),
            _because(g),
        ]
        for g in answer["grants"]
    ]
    heads = ("AGENT", "DEPLOYMENT", "EFFECT", "STATE", "LEFT", "UNTIL", "BECAUSE")
    return table(heads, rows) if rows else ["no grants: every action is denied; next: handrail deploy create"]


def time_left(seconds: int) -> Cell:
    """Return a countdown in its two largest units; the last two days stand out."""
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // 60
    text = f"{days}d {hours}h" if days else f"{hours}h {minutes}m"
    return Cell(text, Style.WARN if seconds < 2 * _DAY else Style.PLAIN)


def suspension_table(answer: Json) -> list[str]:
    """Lay out the suspensions that stand."""
    rows = [
        [
            plain(s["id"]),
            _deployment(s["deployment"]),
            plain(s["effect"] or "all writes"),
            word(s["code"]),
            moment(s["set_at"]),
            plain(s["problem"] or s["reason"]),
        ]
        for s in answer["suspensions"]
    ]
    heads = ("SUSPENSION", "DEPLOYMENT", "TAKES", "BECAUSE", "SINCE", "REASON")
    return table(heads, rows) if rows else ["nothing is suspended"]


def resumed_page(answer: Json) -> list[str]:
    """Say that a suspension ended."""
    done = answer["resumed"]
    return [f"suspension {escape(done['id'])} is ended by {escape(done['person'])}"]


def killed_page(answer: Json) -> list[str]:
    """Say what stands still now, what lost its writes, and whether the boxes are gone."""
    stop = answer["freeze"]
    target = stop["target"][:SHORT_DIGEST] if stop["scope"] == "deployment" else stop["target"]
    what = "everything" if stop["scope"] == "all" else f"{stop['scope']} {escape(target)}"
    left = [
        Cell(f"the box of {escape(run)} did not end: handrail runs stop {escape(run)}", Style.BAD)
        for run in answer["not_stopped"]
    ]
    return [
        paint(Cell(f"{what} is killed: frozen from the next action on", Style.WARN)),
        f"boxes ended: {len(answer['stopped'])}; deployments back at tier 0: {len(answer['demoted'])}",
        *map(paint, left),
        f"lift the freeze with: handrail unfreeze {escape(stop['id'])} --reason TEXT",
    ]


def _because(grant: Json) -> Cell:
    if grant["state"] == "void":
        return plain(grant["cause"])
    if grant["suspensions"]:
        return plain(", ".join(f"{s['code']} {s['id']}" for s in grant["suspensions"]))
    if grant["restores"]:
        return plain(f"restored from {grant['restores']}")
    return plain(f"evidence {grant['basis'][:SHORT_DIGEST]}" if grant["basis"] else grant["cause"])


def _deployment(value: str) -> Cell:
    return plain("every one") if value == "all" else digest(value)
