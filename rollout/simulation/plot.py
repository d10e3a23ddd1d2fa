"""Tier over time, as one SVG file. Pure; nothing in it comes from outside."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from profiles.effects import Tier
from rollout.simulation.story import Evening, Told

_WIDTH, _HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 96, 40, 40, 44
_LINE, _SUSPENDED, _GRID = "#2563eb", "#f59e0b", "#d0d4da"
_FONT = "font: 12px system-ui, sans-serif"


def tier_plot(told: Told) -> str:
    """Return the plot: a step for each day, days with suspended writes marked below."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{_FONT}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22">Tier over {told.days} days, seed {told.seed}</text>',
        *_grid(told),
        *(_mark(told, evening) for evening in told.evenings if evening.suspended),
        f'<path d="{_path(told)}" fill="none" stroke="{_LINE}" stroke-width="2.5"/>',
        *_moves(told.evenings, told),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(told: Told, day: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * day / told.days


def _y(tier: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * tier / int(max(Tier))


def _level(evening: Evening) -> float:
    return -0.3 if evening.tier is None else evening.tier


def _path(told: Told) -> str:
    points = [
        f"{'L' if evening.day else 'M'}{_x(told, evening.day):.1f} {_y(_level(evening)):.1f}"
        f" H{_x(told, evening.day + 1):.1f}"
        for evening in told.evenings
    ]
    return " ".join(points)


def _grid(told: Told) -> Iterator[str]:
    for tier in Tier:
        y = _y(tier)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>'
        yield f'<text x="8" y="{y + 4:.1f}">{int(tier)} {escape(tier.name.lower())}</text>'
    for day in range(0, told.days + 1, max(told.days // 8, 1)):
        x, y = _x(told, day), _HEIGHT - 8
        yield f'<text x="{x:.1f}" y="{y}" text-anchor="middle">day {day}</text>'


def _mark(told: Told, evening: Evening) -> str:
    left, width = _x(told, evening.day), _x(told, 1) - _x(told, 0)
    return (
        f'<rect x="{left:.1f}" y="{_HEIGHT - _BOTTOM + 8}" width="{width:.1f}" height="8" '
        f'fill="{_SUSPENDED}"><title>{evening.date}: writes suspended</title></rect>'
    )


def _moves(evenings: Sequence[Evening], told: Told) -> Iterator[str]:
    for before, after in pairwise(evenings):
        if before.tier != after.tier:
            name = "nothing granted" if after.tier is None else f"tier {after.tier}"
            title = escape(f"{after.date}: {name}")
            at = f'cx="{_x(told, after.day):.1f}" cy="{_y(_level(after)):.1f}"'
            yield f'<circle {at} r="5" fill="{_LINE}"><title>{title}</title></circle>'
