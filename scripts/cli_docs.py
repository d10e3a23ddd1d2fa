"""Write docs/cli.md from the help of every command: `python -m scripts.cli_docs`; `--check` only compares.

The help is the source. Whoever changes a command runs this, and a test holds the two together.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer import Context
from typer.main import get_command

from console.lazy import ENTRIES, load
from console.main import app

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"
_HEAD = """# The `handrail` command

Written from the help of the commands by `python -m scripts.cli_docs`; do not edit by hand.

Every command takes `--json` (one JSON value, or one a line where it streams), `--state-dir` and `--socket`;
commands by which a person says something also take `--key`. Errors are one line on the error stream: what is
wrong, what was got and expected, and the next step.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | error |
| 2 | the command line cannot be used as it was given |
| 3 | blocked: refused by a rule, or somebody must act first |
| 4 | a review gate failed |
| 5 | integrity: the record, or what was shown, is not what it claims to be |

Shell completion: `handrail --install-completion`.

A signature is made by `ssh-keygen -Y sign`, so keys in files, in ssh-agent and in hardware tokens all work.
At a terminal the whole card is shown before the question. In a script the card is printed and the command
ends; `--yes --digest DIGEST` then says yes to exactly that. A card is text for people, also with `--json`.
"""
_WIDTH = 98
_SHARED = re.compile(r"^  (--state-dir|--socket|--json|--help|--key) .*$")


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_commands()]) + "\n"


def _commands() -> Iterator[str]:
    root = _context(get_command(app), "handrail", None)
    for entry in ENTRIES:
        command = load(entry.name)
        yield f"## handrail {entry.name}\n\n{entry.summary}\n"
        nested = getattr(command, "commands", {})
        parent = _context(command, entry.name, root)
        for name, leaf in nested.items():
            yield f"### handrail {entry.name} {name}\n\n{_help(leaf, name, parent)}"
        if not nested:
            yield _help(command, entry.name, root)


def _context(command: Any, name: str, parent: Context | None) -> Context:
    return Context(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, help_option_names=["--help"]
    )


def _help(command: Any, name: str, parent: Context) -> str:
    """Return a command's help without the options that all share."""
    lines: list[str] = []
    shared = False
    for line in command.get_help(_context(command, name, parent)).splitlines():
        shared = bool(_SHARED.match(line)) or (shared and line.startswith("      "))
        if not shared:
            lines.append(line)
    text = "\n".join(lines).replace("Options:\n\n", "")
    return f"```text\n{text.rstrip()}\n```\n"


def main() -> int:
    """Write the page, or say whether it is the one that is there."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not TARGET.exists() or TARGET.read_text() != text)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
