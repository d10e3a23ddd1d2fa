"""Texts that were not scrubbed before: documentation installed beside this program, each part of it once."""

import ast
import gzip
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

_DOCUMENTS: Final = ("*.md", "*.rst", "METADATA", "README*", "*.txt.gz", "*.gz", "*.txt", "*.py")
_LEFT_OUT: Final = ("copyright", "changelog", "license", "licence", "test", "vendor", "idna")
_FILES: Final = 6000
_MOST_OF_ONE: Final = 16 * 1024  # characters, so that no author is most of a sample
_LEAST_OF_ONE: Final = 600


@cache
def paragraphs(most: int = _FILES) -> tuple[str, ...]:
    """Return pieces of documentation in an order by chance, the same at every call.

    Args:
        most: of so many files, which are taken by chance too.
    """
    files = sorted(path for folder in _folders() for pattern in _DOCUMENTS for path in folder.rglob(pattern))
    chance = Random(1)  # noqa: S311 - an order
    chance.shuffle(files)
    found: dict[str, None] = {}
    for path in files[:most]:
        text = _text_of(path)
        if len(text) >= _LEAST_OF_ONE:
            found |= dict.fromkeys(part for part in text[:_MOST_OF_ONE].split("\n\n") if part.strip())
    parts = [*found]
    chance.shuffle(parts)
    return tuple(parts)


def new_texts(characters: int, most: int = _FILES) -> Iterator[str]:
    """Yield texts of so many characters, none of which has a paragraph of another.

    Args:
        characters: of each text.
        most: how many files they are taken from.
    """
    parts: list[str] = []
    length = 0
    for part in paragraphs(most):
        parts.append(part)
        length += len(part) + 2
        if length >= characters:
            yield "\n\n".join(parts)[:characters]
            parts, length = [], 0


def _folders() -> list[Path]:
    told = [Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib")]
    return [folder for folder in (*told, Path("/usr/share/doc")) if folder.is_dir()]


def _text_of(path: Path) -> str:
    if any(word in str(path).lower() for word in _LEFT_OUT):
        return ""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = data.decode()
        return _docstrings(text) if path.suffix == ".py" else text
    except (OSError, EOFError, ValueError, SyntaxError):
        return ""  # not a text after all


def _docstrings(source: str) -> str:
    told = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, told)]
    return "\n\n".join(filter(None, map(ast.get_docstring, nodes)))
