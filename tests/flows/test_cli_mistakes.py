"""What is told at the command line when a name or a value is wrong, by one `serve` for all of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.office import Office

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, founded: Path) -> Iterator[Office]:
    opened = Office(tmp_path_factory.mktemp("office") / "shared")
    shutil.copytree(founded, opened.root)
    with opened.serving():
        yield opened


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["launch", "ghost"], "agent ghost has no deployment"),
        (["launch", "ghost", "--runtime", "chroot"], "Invalid value for '--runtime': 'chroot' is not one of"),
        (["runs", "show", "run-x"], "no run run-x; `handrail runs list` shows those there are"),
        (["runs", "stop", "run-x"], "no run run-x"),
        (["agent", "show", "ghost"], "no agent ghost; register it with `handrail agent register ghost`"),
        (
            ["agent", "register", "A b", "--trait", "internal-docs", "--owner", "bob"],
            "agent name 'A b': expected",
        ),
        (
            ["agent", "register", "ab", "--trait", "nice", "--owner", "bob"],
            "unknown trait nice; expected one of",
        ),
        (["deploy", "show", "12345678"], "deployment 12345678: 0 match, expected one"),
        (["audit", "trace", "run-x"], "no run run-x"),
    ],
)
def test_a_mistake_is_answered_in_one_line(shared: Office, words: list[str], line: str) -> None:
    printed = shared.type(*words)

    assert printed.code in {1, 2}
    assert printed.err.startswith(f"handrail: {line}")
    assert printed.err.count("\n") == 1
