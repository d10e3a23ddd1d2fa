"""Fixtures: workshops at every tier."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.standins.databases import Database
from tests.standins.workshop import Workshop, make_workshop

NewWorkshop = Callable[..., Workshop]


@pytest.fixture
def new_workshop(tmp_path: Path, database: Database) -> Iterator[NewWorkshop]:
    """Open a workshop: `new_workshop(tier=3)`; the first one is on each kind of database in turn."""
    made: list[Workshop] = []

    def make(**options: Any) -> Workshop:
        given = options if made else {"database": database, **options}
        made.append(make_workshop(tmp_path / str(len(made)), **given))
        return made[-1]

    yield make
    for shop in made:
        shop.town.close()
