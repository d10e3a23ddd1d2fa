"""A proof of context isolation on the terminal: by family, then what differs, then what cannot be hidden."""

import textwrap

from console.escape import clip, escape
from console.show.text import COLUMNS, Cell, Style, fields, paint, table
from console.show.values import Json, digest, moment, plain

_HEADS = ("FAMILY", "FACTS", "EQUAL", "MASKED", "JUSTIFIED", "DIFFERING")
_PACE_HEADS = ("STATUS", "DOOR", "USUAL MS", "OTHER MS", "P", "POWER")
_COUNTS = ("facts", "equal", "masked", "justified", "differing")


def proof_page(result: Json) -> list[str]:
    """Lay out what `context verify` found."""
    return [
        *_head(result),
        "",
        *table(_HEADS, [*map(_family, result["families"]), _total(result["families"])]),
        *_hidden(result),
        *_differing(result),
        *_timing(result["timing"]),
        "",
        *_instead(result),
        _verdict(result),
    ]


def _instead(result: Json) -> list[str]:
    """Say that another image was looked at, and what that leaves open."""
    if result["probed"] == result["image"]:
        return []
    said = (
        "This image has no python3, so no box of it could look at itself. The default image was probed in "
        "its place: engine, doors and what Handrail adds are proven, and nothing that is in the image. "
        "`handrail context lint --image` looks through its files."
    )
    return [paint(Cell(line, Style.WARN)) for line in textwrap.wrap(said, COLUMNS)]


def _head(result: Json) -> list[str]:
    pairs = [
        ("image", digest(result["image"])),
        ("runtime", plain(result["runtime"])),
        ("engine", plain(result["engine"])),
        ("statuses", plain(", ".join(result["statuses"]))),
        ("recorded", Cell(f"entry {result['entry']}")),
        ("at", moment(result["at"])),
    ]
    if result["probed"] != result["image"]:
        pairs.insert(1, ("probed", Cell(f"the default image, {digest(result['probed']).text}", Style.WARN)))
    return fields(pairs)


def _family(row: Json) -> list[Cell]:
    cells = [Cell(str(row[name])) for name in _COUNTS]
    if row["differing"]:
        cells[-1] = Cell(str(row["differing"]), Style.BAD)
    return [plain(row["family"]), *cells]


def _total(rows: list[Json]) -> list[Cell]:
    return [
        Cell("all", Style.HEAD),
        *(Cell(str(sum(row[name] for row in rows)), Style.HEAD) for name in _COUNTS),
    ]


def _hidden(result: Json) -> list[str]:
    if not result["shown"]:
        return []
    told = [
        paint(Cell(line, Style.DIM))
        for one in result["shown"]
        for line in textwrap.wrap(
            f"{escape(one['reason'])} ({one['facts']} facts)",
            COLUMNS,
            initial_indent="  ",
            subsequent_indent="    ",
        )
    ]
    return ["", "The same in every status, and not to be hidden on this engine:", *told]


def _differing(result: Json) -> list[str]:
    lines = []
    for one in result["differing"]:
        why = f"status {one['status']}" if one["status"] and one["why"] == "status" else one["why"]
        lines += ["", paint(Cell(clip(f"{escape(one['fact'])}: {escape(why)}", COLUMNS), Style.BAD))]
        lines += [f"  {clip(escape(value), COLUMNS - 2)}" for value in one["values"]]
    return lines


def _timing(paces: list[Json]) -> list[str]:
    if not paces:
        return []
    rows = [
        [
            plain(one["status"] or "(the same)"),
            plain(one["door"]),
            Cell(f"{one['usual_ms']:.2f}"),
            Cell(f"{one['other_ms']:.2f}"),
            Cell(f"{one['p']:.4f}", Style.BAD if one["differs"] else Style.PLAIN),
            Cell(f"{one['power']:.2f}", Style.PLAIN if one["conclusive"] else Style.WARN),
        ]
        for one in paces
    ]
    level, pairs = paces[0]["level"], paces[0]["pairs"]
    said = f"A difference is p < {level:.2f}, of {pairs} pairs of runs; power is for a shift of 10 %."
    return ["", *table(_PACE_HEADS, rows), paint(Cell(said, Style.DIM))]


def _verdict(result: Json) -> str:
    if result["ok"]:
        whose = "" if result["probed"] == result["image"] else " of the default image in its place"
        return paint(Cell(f"Proven{whose}: nothing that can be seen inside tells the status.", Style.GOOD))
    count = sum(row["differing"] for row in result["families"])
    return paint(Cell(f"Not proven: {count} facts tell the status or vary without a reason.", Style.BAD))
