"""Runs on the terminal."""

from typing import Any

from console.escape import escape
from console.show.models import model_fields
from console.show.text import Cell, fields, paint, table
from console.show.values import Json, digest, moment, plain, word


def run_table(answer: Json) -> list[str]:
    """Lay out the answer of `runs list`."""
    rows = [_row(run) for run in answer["runs"]]
    heads = ("RUN", "AGENT", "STATE", "SETTING", "REQUESTED", "OPERATOR", "TASK")
    return table(heads, rows) if rows else ["no runs yet; next: handrail launch AGENT"]


def run_page(answer: Json) -> list[str]:
    """Lay out the answer of `runs show`."""
    run = answer["run"]
    return fields(
        [
            ("run", plain(run["id"])),
            ("agent", plain(run["agent"])),
            ("deployment", digest(run["deployment"])),
            ("state", word(run["state"])),
            ("outcome", word(run["outcome"])),
            ("exit code", plain(run["exit_code"])),
            ("operator", plain(run["operator"])),
            ("single user", plain(run["single_user"])),
            ("task", plain(run["task"])),
            ("setting", plain(run["setting"])),
            ("runtime", plain(run["runtime"])),
            ("box", digest(run["box"])),
            ("proof", _proof(answer["proof"])),
            ("requested", moment(run["requested_at"])),
            ("released", moment(run["released_at"])),
            ("expires", moment(run["expires_at"])),
            ("ended", moment(run["ended_at"])),
            *model_fields(answer["model"]),
        ]
    )


def log_line(item: Json) -> str:
    """Return one line of a run's output, safe to print."""
    return escape(str(item["line"]).expandtabs(4))


def ending(run: Json) -> str:
    """Say in one line how a run stands."""
    state = run["outcome"] or run["state"]
    code = "" if run["exit_code"] is None else f", exit code {run['exit_code']}"
    return f"run {escape(str(run['id']))}: {paint(word(str(state)))}{code}"


def _proof(proof: Json | None) -> Cell:
    """Say in one line how much of the box was looked at, and by whom; `--json` has each check."""
    if proof is None:
        return plain(None)
    witnesses = sorted({str(check[1]) for check in proof["checks"]})
    held = sum(check[4] is True for check in proof["checks"])
    return plain(f"{held} of {len(proof['checks'])} checks hold, by {', '.join(witnesses)}")


def _row(run: dict[str, Any]) -> list[Cell]:
    state = word(run["outcome"] or run["state"])
    named = [plain(run["id"]), plain(run["agent"]), state, plain(run["setting"])]
    return [*named, moment(run["requested_at"]), plain(run["operator"]), plain(run["task"])]
