"""Building an image again: what it replaces goes, unless something uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.build_image import Recipe, build, image_id
from scripts.shell import SetupError, ask, must
from tests.standins.boxes import BUSYBOX

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

NAME = "handrail-test/rebuilt:1"
OTHER = "handrail-test/rebuilt:kept"
STEP = "look at the engine"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """A small image; afterwards none of its builds is left."""
    monkeypatch.chdir(tmp_path)  # where the notes of what was built lie
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY note /note\n")
    yield Recipe(NAME, context, BUSYBOX, None, {}, ())
    for name in (NAME, OTHER):
        ask(["docker", "image", "rm", name])


def built(recipe: Recipe, text: str) -> str:
    (recipe.context / "note").write_text(text)
    build(recipe)
    return image_id(NAME)


def test_an_image_that_nothing_uses_goes_when_it_is_replaced(recipe: Recipe) -> None:
    first = built(recipe, "first")
    second = built(recipe, "second")

    assert (image_id(first), image_id(second)) == ("", second)


def test_an_image_that_a_container_is_made_from_stays_and_the_build_is_good(recipe: Recipe) -> None:
    first = built(recipe, "first")
    container = must(["docker", "create", first, "true"], next_step=STEP)
    try:
        second = built(recipe, "second")
        assert (image_id(first), image_id(NAME)) == (first, second)
    finally:
        must(["docker", "rm", container], next_step=STEP)
        must(["docker", "image", "rm", first], next_step=STEP)


def test_an_image_with_another_name_keeps_it(recipe: Recipe) -> None:
    first = built(recipe, "first")
    must(["docker", "tag", first, OTHER], next_step=STEP)
    built(recipe, "second")

    assert image_id(OTHER) == first


def test_a_build_that_fails_takes_nothing_away(recipe: Recipe) -> None:
    first = built(recipe, "first")
    (recipe.context / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY nothing /note\n")
    with pytest.raises(SetupError, match="failed with exit code"):
        built(recipe, "second")

    assert image_id(NAME) == first
