"""A packet as terminal text, Markdown and HTML. Pure; JSON is `Packet.as_json`.

Everything is escaped here, at the last step: names come from profiles and policies, and a renderer trusts
nobody. The HTML is one file: no script, nothing fetched, plots as inline SVG.
"""

import re
import textwrap
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from rollout.reviews.packet.model import Packet
from rollout.reviews.packet.plots import activity_plot, agreement_plot
from rollout.reviews.packet.words import Line, lines, title

WIDTH = 100
_NAME = 16
_TEMPLATES = Path(__file__).parent / "templates"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-!|&])")


def as_text(packet: Packet, *, width: int = WIDTH) -> str:
    """Return the packet for a terminal: no colour, no line longer than `width` columns.

    Control characters are replaced, so that a name cannot steer the terminal.
    """
    rows = [_visible(title(packet)), "", *(row for line in lines(packet) for row in _rows(line, width))]
    return "\n".join([*rows, "", f"packet {packet.digest}"]) + "\n"


def as_markdown(packet: Packet) -> str:
    """Return the packet as CommonMark; every name is escaped."""
    rows = [f"# {_literal(title(packet))}", "", "| | |", "|---|---|"]
    rows += [f"| {_literal(line.name)} | {_strong(line)} |" for line in lines(packet)]
    return "\n".join([*rows, "", f"Packet `{packet.digest}`"]) + "\n"


def as_html(packet: Packet) -> str:
    """Return the packet as one page of HTML that needs nothing else."""
    return _page().render(
        packet=packet,
        title=title(packet),
        lines=lines(packet),
        activity=Markup(activity_plot(packet.days)),  # noqa: S704 our own SVG, its texts escaped by the plot
        agreement=Markup(agreement_plot(packet.evidence)),  # noqa: S704 likewise
    )


def _rows(line: Line, width: int) -> list[str]:
    mark = "!" if line.warns else " "
    head = f"{mark} {_visible(line.name):<{_NAME}}"
    return textwrap.wrap(
        _visible(line.text),
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=True,
        break_on_hyphens=False,
    ) or [head]


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _strong(line: Line) -> str:
    return f"**{_literal(line.text)}**" if line.warns else _literal(line.text)


def _literal(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _visible(text))


@lru_cache(maxsize=1)
def _page() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("packet.html")
