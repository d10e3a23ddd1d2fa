"""The one place where an answer goes out: as JSON where that was asked for, else as text."""

from collections.abc import Callable, Mapping
from typing import Any

from console.session import Session
from console.show.text import say, say_json

Render = Callable[[Mapping[str, Any]], list[str]]


def show(session: Session, answer: Mapping[str, Any], render: Render) -> None:
    """Print an answer in the way that the session asks for."""
    if session.json:
        say_json(answer)
    else:
        say(*render(answer))
