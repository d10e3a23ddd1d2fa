"""Measure every figure and print a table, or with `--json` one object a line.

    python -m bench [--json] [--only NAME ...] [--quick]

Each row stands beside the bare thing, measured in turns in the same run. `--quick` uses a smaller log.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

GROUPS = ("command", "launch", "gate", "gateway", "record", "rollout", "scrub", "models", "parity")
QUICK_ENTRIES = 50_000
_COLUMNS = ("figure", "ours", "beside", "ratio", "goal", "")


def main() -> int:
    """Run the groups asked for; answers 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="groups to measure")
    parser.add_argument("--quick", action="store_true", help="a smaller log; figures of size mean less")
    chosen = parser.parse_args()
    rows = []
    if not chosen.json:
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.release()}")
        print(_line(*_COLUMNS))
    for row in _rows(chosen.only, quick=chosen.quick):
        rows.append(row)
        print(json.dumps(row) if chosen.json else _shown(row), flush=True)
    return 0 if all(row["ok"] is not False for row in rows) else 1


def _rows(groups: tuple[str, ...], *, quick: bool) -> Iterator[dict[str, Any]]:
    for group in groups:
        measure: Callable[..., Iterator[dict[str, Any]]] = import_module(f"bench.{group}").measure
        yield from (
            measure(large=QUICK_ENTRIES) if quick and group in {"gate", "record", "rollout"} else measure()
        )


def _shown(row: dict[str, Any]) -> str:
    beside = "-" if row["beside"] is None else f"{row['beside']:g}"
    ratio = "-" if row["ratio"] is None else f"{row['ratio']:g}"
    verdict = {True: "ok", False: "MISSED", None: ""}[row["ok"]]
    return f"{row['name']}\n" + _line(
        "", f"{row['ours']:g} {row['unit']}", beside, ratio, row["goal"], verdict
    )


def _line(*cells: str) -> str:
    widths = (8, 24, 14, 10, 24, 8)
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
