"""Fixtures: a desk where suggestions are judged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.databases import Database
from tests.standins.evidence import Desk, make_desk


@pytest.fixture
def desk(tmp_path: Path, database: Database) -> Iterator[Desk]:
    """A desk of an agent at tier 0, on each kind of database in turn."""
    made = make_desk(tmp_path, database=database)
    yield made
    made.town.close()


@pytest.fixture
def draft_desk(tmp_path: Path, database: Database) -> Iterator[Desk]:
    """A desk of an agent that may write drafts."""
    made = make_desk(tmp_path, tier=1, database=database)
    yield made
    made.town.close()
