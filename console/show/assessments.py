"""Assessments on the terminal: what an agent can reach, and what people found."""

from console.escape import escape
from console.show.folded import folded, folded_list
from console.show.text import Cell, Style, fields, table
from console.show.values import Json, digest, moment, plain

KINDS = ("goal-conflict", "out-of-distribution", "multi-step")


def assessment_page(answer: Json) -> list[str]:
    """Lay out the answer of `assess show`."""
    return [*reach_lines(answer), "", *_verdicts(answer)]


def reach_lines(answer: Json) -> list[str]:
    """Lay out everything that the agent can reach, as it is signed for; nothing of it is cut."""
    reach = answer["capabilities"]
    model, requests = reach["model"], reach["requests"].items()
    named = {
        "effects": reach["effects"],
        "held above tier": reach["hold_above_tier"],
        "requests": [f"{name}: {effect}" for name, effect in requests],
        "model": [] if model is None else [f"{model['provider']} {model['name']}"],
        "collections": reach["collections"],
        "recipients": reach["recipients"],
        "hosts": reach["hosts"],
    }
    page = [("agent", plain(answer["agent"])), ("deployment", plain(answer["deployment"]))]
    page += [("blast radius", plain(answer["digest"]))]
    page += [pair for name, values in named.items() for pair in folded_list(name, values, beside=17)]
    return [*fields(page), "", *_tools(reach["tools"]), "", *_upstreams(reach["upstreams"])]


def verdict_card(answer: Json, what: str, verdict: str, reason: str, turns: int | None) -> list[str]:
    """Lay out a verdict as it is signed; a blast radius with all that it is about."""
    if what == "blast-radius":
        return [*reach_lines(answer), "", *fields(folded("signed for", reason))]
    return fields(
        [
            ("agent", plain(answer["agent"])),
            ("deployment", plain(answer["deployment"])),
            ("assessed", plain(what)),
            ("verdict", plain(verdict)),
            *([("turns", plain(turns))] if turns is not None else []),
            *folded("reason", reason),
        ]
    )


def recorded_page(answer: Json) -> list[str]:
    """Say that a verdict was taken."""
    said = "passed" if answer["passed"] else "failed"
    agent, what = escape(answer["agent"]), escape(answer["what"])
    return [f"{what} of {agent} {said}, for deployment {escape(answer['deployment'][:12])}"]


def _tools(tools: Json) -> list[str]:
    broad = max((len(name) for name in tools), default=0) + 2
    pairs = [pair for name, tool in sorted(tools.items()) for pair in folded(name, _tool(tool), beside=broad)]
    return ["tools:", *fields(pairs)] if pairs else ["no tools"]


def _tool(tool: Json) -> str:
    args = ", ".join(f"{name}: {role}" for name, role in tool["args"].items())
    each = f"; one action for each of {tool['each']}" if tool["each"] else ""
    return f"{', '.join(tool['effects'])} by {tool['upstream']}({args}){each}"


def _upstreams(upstreams: Json) -> list[str]:
    broad = max((len(name) for name in upstreams), default=0) + 2
    pairs = [
        pair for name, one in sorted(upstreams.items()) for pair in folded(name, _upstream(one), beside=broad)
    ]
    return ["upstreams:", *fields(pairs)] if pairs else ["no upstreams"]


def _upstream(one: Json) -> str:
    if one.get("memory"):
        return "its own memory, kept from run to run"
    where = str(one.get("url") or one.get("image")) + (" ON THIS HOST" if one.get("host") else "")
    other = one.get("evaluation", {})
    apart = [*([other["url"]] if "url" in other else []), *_parts(other)]
    return "; ".join([where, *_parts(one), *(f"in an evaluation {part}" for part in apart)])


def _parts(one: Json) -> list[str]:
    """Name what one setting of an upstream has; a part that it has not is left out."""
    parts = {
        "command": [" ".join(one.get("command", []))],
        "variables": [f"{name}={value}" for name, value in one.get("env", {}).items()],
        "reaches": one.get("tcp", []),
        "volumes": [f"{source} ({how})" for source, how in one.get("volumes", {}).items()],
        "credentials": one.get("credentials", []),
    }
    return [f"{name} {', '.join(values)}" for name, values in parts.items() if any(values)]


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
