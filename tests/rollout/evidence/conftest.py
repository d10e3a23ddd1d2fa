"""Fixtures: a desk where suggestions are judged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.evidence import Desk, make_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of an agent at tier 0."""
    made = make_desk(tmp_path)
    yield made
    made.town.close()


@pytest.fixture
def draft_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of an agent that may write drafts."""
    made = make_desk(tmp_path / "draft", tier=1)
    yield made
    made.town.close()
