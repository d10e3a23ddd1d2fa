"""Agents, deployments and grants on the terminal."""

from typing import Any

from console.escape import escape
from console.show.text import Cell, Style, fields, paint, table
from console.show.values import Json, digest, listed, moment, plain

_RISK = {"medium": Style.PLAIN, "high": Style.WARN, "critical": Style.BAD}


def agent_table(answer: Json) -> list[str]:
    """Lay out the answer of `agent list`."""
    rows = [
        [
            plain(a["name"]),
            _risk(a["risk"]),
            plain(a["owner"]),
            listed(a["traits"]),
            moment(a["registered_at"]),
        ]
        for a in answer["agents"]
    ]
    heads = ("AGENT", "RISK", "OWNER", "TRAITS", "REGISTERED")
    return table(heads, rows) if rows else ["no agents yet; next: handrail agent register"]


def agent_page(answer: Json) -> list[str]:
    """Lay out the answer of `agent show`."""
    agent = answer["agent"]
    page = fields(
        [
            ("agent", plain(agent["name"])),
            ("owner", plain(agent["owner"])),
            ("traits", listed(agent["traits"])),
            ("risk", _risk(agent["risk"])),
            ("controls", listed(agent["controls"])),
            ("reviews", plain(agent["cadence"])),
            ("registered", moment(agent["registered_at"])),
        ]
    )
    rows = [[digest(d["digest"]), moment(d["created_at"])] for d in agent["deployments"]]
    made = table(("DEPLOYMENT", "CREATED"), rows) if rows else [_deploy_next(agent["name"])]
    return [*page, "", *made]


def deployment_page(answer: Json) -> list[str]:
    """Lay out the answer of `deploy show` and `deploy create`."""
    made = answer["deployment"]
    page = fields(
        [
            ("deployment", plain(made["digest"])),
            ("agent", plain(made["agent"])),
            ("created", moment(made["created_at"])),
            *[(name, plain(made["parts"][name])) for name in ("profile", "image", "memory")],
        ]
    )
    nested = [(n, v) for n, v in made["parts"].items() if isinstance(v, dict)]
    return page + [line for name, parts in nested for line in _part_lines(name, parts)]


def difference_page(answer: Json) -> list[str]:
    """Lay out the answer of `deploy diff`."""
    if not answer["differences"]:
        return ["no difference: it is the same deployment"]
    profile = [_diff_line(line) for line in answer["profile_diff"]]
    return [*part_table(answer["differences"]), *(["", *profile] if profile else [])]


def part_table(found: list[dict[str, Any]]) -> list[str]:
    """Lay out the parts in which two deployments differ."""
    rows = [[plain(d["part"]), _side(d["before"]), _side(d["after"])] for d in found]
    return table(("PART", "BEFORE", "AFTER"), rows)


def _risk(value: str) -> Cell:
    return Cell(escape(value), _RISK.get(value, Style.BAD))


def _side(value: object) -> Cell:
    return digest(value) if isinstance(value, str) else plain(value)


def _diff_line(line: str) -> str:
    style = {"+": Style.GOOD, "-": Style.BAD}.get(line[:1], Style.PLAIN)
    return paint(Cell(escape(line), style))


def _part_lines(name: str, parts: dict[str, Any]) -> list[str]:
    return fields((f"{name} {escape(key)}", digest(str(value))) for key, value in parts.items())


def _deploy_next(name: str) -> str:
    return f"no deployment yet; next: handrail deploy create {escape(name)} --profile FILE"
