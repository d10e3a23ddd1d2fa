"""A simulated story on the terminal: its calendar, and where the tier went."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from console.show.text import Cell, Style, paint, table
from console.show.values import Json, plain
from runtime.moments import utc_text

if TYPE_CHECKING:
    from rollout.simulation.story import Told

_BAD = frozenset({"deployment.demoted", "incident.opened", "freeze.set"})
_WARN = frozenset({"writes.suspended", "alert.raised"})
_GOOD = frozenset({"grant.issued"})
_OWED = "review.owed"


def story_view(told: "Told", plot: str | None) -> Json:
    """Return a story as plain JSON."""
    return {
        "days": told.days,
        "seed": told.seed,
        "entries": told.entries,
        "judged": told.judged,
        "plot": plot,
        "calendar": [
            {"day": one.day, "at": utc_text(one.at), "kind": one.kind, "text": one.text}
            for one in told.happenings
        ],
        "tiers": [
            {"day": one.day, "date": one.date, "tier": one.tier, "suspended": one.suspended}
            for one in told.evenings
        ],
    }


def story_page(answer: Json, *, owed: bool) -> list[str]:
    """Lay out a story: what happened on which day, and the tiers in between."""
    rows = [
        [plain(one["day"]), plain(one["at"][:16].replace("T", " ")), _coloured(one)]
        for one in answer["calendar"]
        if owed or one["kind"] != _OWED
    ]
    end = f"{answer['days']} days, seed {answer['seed']}: {answer['judged']} verdicts, "
    lines = [*table(("DAY", "AT (UTC)", "WHAT"), rows), "", *_tiers(answer["tiers"]), ""]
    lines.append(f"{end}{answer['entries']} entries in the record")
    return [*lines, f"tier over time: {answer['plot']}"] if answer["plot"] else lines


def _coloured(one: Json) -> Cell:
    kind = one["kind"]
    style = Style.BAD if kind in _BAD else Style.WARN if kind in _WARN else Style.PLAIN
    return Cell(plain(one["text"]).text, Style.GOOD if kind in _GOOD else style)


def _tiers(evenings: list[Json]) -> Iterator[str]:
    for (tier, suspended), group in groupby(evenings, key=lambda one: (one["tier"], one["suspended"])):
        days = [one["day"] for one in group]
        name = "nothing granted" if tier is None else f"tier {tier}"
        held = paint(Cell(", writes suspended", Style.WARN)) if suspended else ""
        yield f"days {days[0]:>3} to {days[-1]:>3}: {name}{held}"
