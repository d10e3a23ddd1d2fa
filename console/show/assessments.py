"""Assessments on the terminal: what an agent can reach, and what people found."""

from console.escape import escape
from console.show.text import Cell, Style, fields, table
from console.show.values import Json, digest, listed, moment, plain

KINDS = ("goal-conflict", "out-of-distribution", "multi-step")


def assessment_page(answer: Json) -> list[str]:
    """Lay out the answer of `assess show`."""
    return [*reach_lines(answer), "", *_verdicts(answer)]


def reach_lines(answer: Json) -> list[str]:
    """Lay out everything that the agent can reach, as it is signed for."""
    reach = answer["capabilities"]
    model = reach["model"]
    page = fields(
        [
            ("agent", plain(answer["agent"])),
            ("deployment", plain(answer["deployment"])),
            ("blast radius", plain(answer["digest"])),
            ("effects", listed(reach["effects"])),
            ("held above tier", listed(reach["hold_above_tier"])),
            ("requests", listed([f"{name}: {effect}" for name, effect in reach["requests"].items()])),
            ("model", plain(None if model is None else f"{model['provider']} {model['name']}")),
            ("collections", listed(reach["collections"])),
            ("recipients", listed(reach["recipients"])),
            ("hosts", listed(reach["hosts"])),
        ]
    )
    return [*page, "", *_tools(reach["tools"]), "", *_upstreams(reach["upstreams"])]


def verdict_card(answer: Json, what: str, verdict: str, reason: str, turns: int | None) -> list[str]:
    """Lay out a verdict as it is signed; a blast radius with all that it is about."""
    if what == "blast-radius":
        return [*reach_lines(answer), "", *fields([("signed for", plain(reason))])]
    return fields(
        [
            ("agent", plain(answer["agent"])),
            ("deployment", plain(answer["deployment"])),
            ("assessed", plain(what)),
            ("verdict", plain(verdict)),
            *([("turns", plain(turns))] if turns is not None else []),
            ("reason", plain(reason)),
        ]
    )


def recorded_page(answer: Json) -> list[str]:
    """Say that a verdict was taken."""
    said = "passed" if answer["passed"] else "failed"
    agent, what = escape(answer["agent"]), escape(answer["what"])
    return [f"{what} of {agent} {said}, for deployment {escape(answer['deployment'][:12])}"]


def _tools(tools: Json) -> list[str]:
    rows = [
        [
            plain(name),
            listed(tool["effects"]),
            plain(tool["upstream"]),
            listed([f"{arg}: {role}" for arg, role in tool["args"].items()]),
        ]
        for name, tool in sorted(tools.items())
    ]
    return table(("TOOL", "EFFECTS", "UPSTREAM", "ARGUMENTS"), rows) if rows else ["no tools"]


def _upstreams(upstreams: Json) -> list[str]:
    rows = [
        [
            plain(name),
            plain(one.get("url") or one.get("image")),
            listed(one.get("tcp", [])),
            listed([f"{source} ({how})" for source, how in one.get("volumes", {}).items()]),
            listed(one["credentials"]),
            plain(one.get("host", False)),
        ]
        for name, one in sorted(upstreams.items())
    ]
    heads = ("UPSTREAM", "WHERE", "TCP", "VOLUMES", "CREDENTIALS", "ON HOST")
    return table(heads, rows) if rows else ["no upstreams"]


def _verdicts(answer: Json) -> list[str]:
    judged = {one["what"]: one for one in answer["judged"]}
    rows = [[plain("blast-radius"), _radius(answer), *_nobody()]]
    for kind in KINDS:
        one = judged.get(kind)
        rows.append([plain(kind), *(_nobody(missing=True) if one is None else _said(one))])
    return table(("ASSESSED", "VERDICT", "BY", "AT"), rows)


def _radius(answer: Json) -> Cell:
    signed = answer["blast_radius"]
    if signed is None:
        return Cell("no data", Style.WARN)
    if signed == answer["digest"]:
        return Cell("signed for exactly this", Style.GOOD)
    return Cell(f"signed for another one, {digest(signed).text}", Style.BAD)


def _said(one: Json) -> list[Cell]:
    verdict = Cell("pass", Style.GOOD) if one["passed"] else Cell("fail", Style.BAD)
    return [verdict, plain(one["person"]), moment(one["at"])]


def _nobody(*, missing: bool = False) -> list[Cell]:
    return [*([Cell("no data", Style.WARN)] if missing else []), plain(None), plain(None)]
