"""The page of requirements is what the tests make it."""

import re

from scripts.requirements_index import PAGE, ROOT, SENTENCES, page, shown_by


def test_every_test_on_the_page_exists_and_names_its_number() -> None:
    found = shown_by(ROOT)

    for number, places in re.findall(r"^\| (R-\d\d) \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE):
        for place in re.findall(r"`([^`]+)`", places):
            assert place in found[number], f"{number}: run python -m scripts.requirements_index"


def test_the_page_lists_every_requirement() -> None:
    numbers = [line.split("\t")[0] for line in SENTENCES.read_text().splitlines()]

    assert re.findall(r"^\| (R-\d\d) ", PAGE.read_text(), re.MULTILINE) == numbers
    assert page([("R-99", "One sentence.")], {"R-99": ["a::b"]}).endswith(
        "| R-99 | One sentence. | `a::b` |\n"
    )
