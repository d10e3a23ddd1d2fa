"""Views of items that people judge: suggestions, and writes that were carried out. Pure."""

from collections.abc import Mapping

from console.api.views import Json, moment, suggestion_row_view
from rollout.evidence.desk import Mark, Waiting
from rollout.evidence.draws import Draw
from rollout.evidence.judging import Shown
from runtime.tables.actions import SuggestionRow


def listed_view(row: SuggestionRow, marks: Mapping[str, Mark]) -> Json:
    """Return a suggestion in a list, with what was judged so far."""
    mark = marks[row.id]
    said = {"judged": list(mark.verdicts), "drawn": mark.drawn, "blind": mark.blind}
    return suggestion_row_view(row) | said


def item_view(shown: Shown) -> Json:
    """Return an item as one person sees it: the card exactly as it is signed, whole or reduced."""
    return {
        "item": shown.card.item,
        "kind": shown.kind.value,
        "drawn": shown.drawn is not None,
        "blind": shown.drawn is not None and shown.drawn.blind,
        "phase": shown.phase.value,
        "card": dict(shown.card.fields),
        "digest": shown.card.digest,
        "expectation": shown.expectation,
        "judgements": [{"person": name, "verdict": word.value} for name, word in shown.verdicts.items()],
    }


def next_view(waiting: Waiting, shown: Shown | None) -> Json:
    """Return what waits for a person."""
    return {"left": waiting.left, "item": None if shown is None else item_view(shown)}


def draw_view(draw: Draw) -> Json:
    """Return one draw."""
    return {
        "draw": draw.id,
        "deployment": draw.deployment,
        "effect": draw.effect.value,
        "kind": draw.kind.value,
        "through": moment(draw.through_at),
        "population": draw.population,
        "drawn": len(draw.items),
        "blind": len(draw.blind),
    }
