"""Write docs/requirements.md: each requirement's number and sentence, and the tests that name the number.

Run as `python -m scripts.requirements_index`; `--check` only compares, which is what the tests do.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = ROOT / "docs" / "requirements.tsv"
PAGE = ROOT / "docs" / "requirements.md"
_TEST = re.compile(r"^ *(?:async )?def (test_\w+)|\b(R-\d\d|F\d{1,2})\b", re.MULTILINE)


def shown_by(root: Path) -> dict[str, list[str]]:
    """Return for each R- or F-number the tests that name it in their body or docstring, as `file::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(root.glob("tests/**/test_*.py")):
        current = ""
        for match in _TEST.finditer(path.read_text()):
            name, number = match.groups()
            current = name or current
            if number and current:
                place = f"{path.relative_to(root)}::{current}"
                found[number] += [] if place in found[number] else [place]
    return found


def page(sentences: list[tuple[str, str]], tests: dict[str, list[str]]) -> str:
    """Return the page as Markdown."""
    lines = ["# Requirements and the tests that show them", ""]
    lines += [
        "Written by `python -m scripts.requirements_index`. A number without a test is not shown yet.",
        "",
    ]
    lines += ["| number | what the software must do | shown by |", "|---|---|---|"]
    for number, sentence in sentences:
        shown = "<br>".join(f"`{place}`" for place in tests.get(number, [])[:4]) or "-"
        lines.append(f"| {number} | {sentence} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or with `--check` say whether it is as it would be written."""
    rows = [line.split("\t", 1) for line in SENTENCES.read_text().splitlines() if line.strip()]
    text = page([(number, sentence) for number, sentence in rows], shown_by(ROOT))
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text() == text else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
