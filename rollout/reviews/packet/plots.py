"""Plots of a packet as SVG text: bars of the days, and agreement by class. Pure; every text is escaped."""

from collections.abc import Sequence
from html import escape

from rollout.reviews.packet.model import ClassEvidence, Day

_WIDTH, _HEIGHT = 720, 160
_LEFT, _BOTTOM, _TOP = 44, 22, 22
_SERIES = (
    ("carried_out", "carried out", "#2563eb"),
    ("suggested", "suggested", "#14b8a6"),
    ("held", "held", "#f59e0b"),
    ("denied", "denied", "#dc2626"),
)
_ROW = 34


def activity_plot(days: Sequence[Day]) -> str:
    """Return stacked bars, one for each day; a sentence where there are none."""
    if not days:
        return _empty("no actions in this window")
    most = max(1, *(sum(getattr(day, name) for name, _, _ in _SERIES) for day in days))
    room = (_WIDTH - _LEFT) / len(days)
    bars = [bar for place, day in enumerate(days) for bar in _stack(day, _LEFT + place * room, room, most)]
    every = max(1, len(days) // 8)
    names = [
        _text(_LEFT + place * room, _HEIGHT - 6, day.day[5:])
        for place, day in enumerate(days)
        if place % every == 0
    ]
    axis = [_text(0, _TOP + 8, str(most)), _text(0, _HEIGHT - _BOTTOM, "0"), *_legend()]
    return _svg(_HEIGHT, "Actions of each day", [*bars, *names, *axis])


def agreement_plot(evidence: Sequence[ClassEvidence]) -> str:
    """Return, for each class with a judged suggestion, agreed and missed side by side, and the limit."""
    judged = [found for found in evidence if found.agree + found.miss]
    if not judged:
        return _empty("nothing was judged in this window")
    rows = [part for place, found in enumerate(judged) for part in _agreement(found, 6 + place * _ROW)]
    return _svg(6 + len(judged) * _ROW, "Agreement by class", rows)


def _stack(day: Day, left: float, room: float, most: int) -> list[str]:
    bars, base = [], float(_HEIGHT - _BOTTOM)
    for name, label, colour in _SERIES:
        count = getattr(day, name)
        height = (_HEIGHT - _BOTTOM - _TOP) * count / most
        base -= height
        if count:
            tip = escape(f"{day.day}: {count} {label}")
            bars.append(_rect((left + room * 0.1, base), room * 0.8, height, colour, tip))
    return bars


def _agreement(found: ClassEvidence, top: float) -> list[str]:
    total, room = found.agree + found.miss, _WIDTH - 2 * _LEFT - 60
    left = _LEFT + 30
    agreed = room * found.agree / total
    parts = [
        _text(0, top + 14, found.effect.value),
        _rect((left, top), agreed, 18, "#14b8a6", f"{found.agree} agree"),
        _rect((left + agreed, top), room - agreed, 18, "#dc2626", f"{found.miss} not"),
        _text(left + room + 6, top + 14, f"{found.agree}/{total}"),
    ]
    if found.limit is not None:
        at = left + room * float(found.limit)
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 4:.1f}" y2="{top + 22:.1f}" '
            'stroke="currentColor" stroke-width="2"/>'
        )
    return parts


def _legend() -> list[str]:
    return [
        part
        for place, (_, label, colour) in enumerate(_SERIES)
        for part in (
            _rect((_LEFT + place * 110, 2), 10, 10, colour, label),
            _text(_LEFT + place * 110 + 14, 11, label),
        )
    ]


def _rect(place: tuple[float, float], width: float, height: float, colour: str, tip: str) -> str:
    left, top = place
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
        f"<title>{escape(tip)}</title></rect>"
    )


def _text(left: float, top: float, text: str) -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}">{escape(text)}</text>'


def _empty(sentence: str) -> str:
    return _svg(30, sentence, [_text(0, 20, sentence)])


def _svg(height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
