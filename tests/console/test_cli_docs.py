"""docs/cli.md is the help of the commands, no more and no less."""

from scripts.cli_docs import TARGET, page


def test_the_page_is_what_the_commands_say() -> None:
    assert TARGET.read_text() == page(), "run: python -m scripts.cli_docs"
