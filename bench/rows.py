"""The one shape of a measured row."""

from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

Row = dict[str, Any]


def row(name: str, unit: str, ours: float, beside: float | None, *, goal: str, ok: bool | None) -> Row:
    """Return a row; `ok` is None where there is no goal to reach."""
    ratio = None if not beside else round(ours / beside, 3)
    shown = None if beside is None else round(beside, 3)
    return {
        "name": name,
        "unit": unit,
        "ours": round(ours, 3),
        "beside": shown,
        "ratio": ratio,
        "goal": goal,
        "ok": ok,
    }


def spread(values: Sequence[float]) -> str:
    """Return `min/median/p99` of a sample, for a row's name."""
    last = quantiles(values, n=100)[98] if len(values) > 1 else values[0]
    return f"{min(values):.1f}/{median(values):.1f}/{last:.1f}"
