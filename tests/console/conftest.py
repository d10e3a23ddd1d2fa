"""Fixtures: a counter, where persons and an agent meet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.counter import Counter, open_counter


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    """Open a counter for an agent at tier 0."""
    with open_counter(tmp_path, capsys) as opened:
        yield opened
