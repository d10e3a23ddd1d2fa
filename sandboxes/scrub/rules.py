"""The rules of a pack, as they are written in a file: strict, each with what it must find and must not.

A rule of text has patterns in RE2's syntax, in which letter case does not matter, a blank stands for any run
of blanks, and `@{name}` for one of a list of words of a file of the pack, or of the gap words
below. A rule of fields has names of members and the shape of their values; it finds `name: value` in text,
whatever the notation, and members in JSON.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from profiles.context import StatusKind
from sandboxes.errors import PackError
from sandboxes.scrub.model import Place

_WORD: Final = re.compile(r"@\{([a-z0-9-]+)\}")
_BLANK: Final = re.compile(r" ([+*?{])?")
_DEPTH: Final = 8
_MOST_CHARACTERS: Final = 200_000  # of all patterns together, so that a pack cannot eat the machine
GAPS: Final[Mapping[str, str]] = {
    # any words of the same sentence
    "gap": r"(?:[^.!?\n]|[.!?][^\s])*?",
    # a few of them
    "few": r"(?:[ ,]+(?:- )?[\w'/%\"()-]+){0,5}?[ ,]+",
    # one or two of them, or none
    "one": r"(?:[ ,]+[\w'/-]+){0,2}?[ ,]+",
}


class Span(StrEnum):
    """How much is replaced where a rule finds something."""

    MATCH = "match"  # what the pattern matched, or its group `tell`
    SENTENCE = "sentence"  # the whole sentence, or the line where there are no sentences


_CONFIG = ConfigDict(extra="forbid", strict=False)
_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=_CONFIG)
class TextRule:
    """What tells in running text."""

    id: _Text
    kind: StatusKind
    patterns: Annotated[tuple[_Text, ...], Field(min_length=1)]
    put: str
    examples: Annotated[tuple[_Text, ...], Field(min_length=1)]
    lookalikes: tuple[_Text, ...] = ()
    span: Span = Span.MATCH
    unless: tuple[_Text, ...] = ()
    case: bool = False
    where: tuple[Place, ...] = tuple(Place)
    first: bool = False  # what it takes out is enough where nothing that tells is left in the sentence
    after: tuple[_Text, ...] = ()  # one of them stands in what is found or before it in the same paragraph


@dataclass(frozen=True, config=_CONFIG)
class FieldRule:
    """What tells by the name of its field."""

    id: _Text
    kind: StatusKind
    names: Annotated[tuple[_Text, ...], Field(min_length=1)]
    put: str
    examples: Annotated[tuple[_Text, ...], Field(min_length=1)]
    lookalikes: tuple[_Text, ...] = ()
    value: str = r"[^\s\"',;}\]]+"
    unless: tuple[_Text, ...] = ()
    within: bool = False  # other words may stand before the name
    around: bool = False  # other words may stand before and after the name
    beside: tuple[_Text, ...] = ()  # one of them stands in the same line of text, or in the same record
    where: tuple[Place, ...] = tuple(Place)


@dataclass(frozen=True, config=_CONFIG)
class PackFile:
    """One file of a pack."""

    words: Mapping[str, tuple[_Text, ...]] = Field(default_factory=dict)
    rules: tuple[TextRule, ...] = ()
    fields: tuple[FieldRule, ...] = ()


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one is not built everywhere
_ADAPTER: Final = TypeAdapter(PackFile)


def files_of(path: Path) -> list[Path]:
    """Return the files of a pack: the `*.yaml` of a directory in the order of their names, or the one file.

    Raises:
        PackError: it is a directory without any.
    """
    if not path.is_dir():
        return [path]
    if not (found := sorted(path.glob("*.yaml"))):
        raise PackError(f"rule pack {path}: got a directory without *.yaml, expected files with rules")
    return found


def read_file(path: Path) -> PackFile:
    """Return the rules of a file.

    Raises:
        PackError: the file cannot be read, is not YAML, or holds something that is not known.
    """
    try:
        told = yaml.load(path.read_text(), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
        return _ADAPTER.validate_python(told or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PackError(f"rule pack {path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise PackError(f"rule pack {path}: {_where(path, first['loc'])}: {first['msg']}") from error


def _where(path: Path, place: tuple[int | str, ...]) -> str:
    told = yaml.safe_load(path.read_text())
    for key in place[:2]:
        try:
            told = told[key]
        except (KeyError, IndexError, TypeError):
            break
    name = f"rule {told['id']!r}, " if isinstance(told, dict) and isinstance(told.get("id"), str) else ""
    return f"{name}{'.'.join(map(str, place)) or 'top'}"


def words_of(files: Iterable[PackFile]) -> dict[str, str]:
    """Return what each list of words stands for in a pattern.

    Raises:
        PackError: two files have a list of one name, or one has the name of a gap.
    """
    words = dict(GAPS)
    for file in files:
        if twice := sorted(words.keys() & file.words.keys()):
            raise PackError(f"list of words @{{{twice[0]}}}: there is one of this name; give yours another")
        words |= {name: f"(?:{'|'.join(items)})" for name, items in file.words.items()}
    return words


def spelled_out(pattern: str, words: Mapping[str, str], rule: str) -> str:
    """Return a pattern with its words and blanks written out.

    Raises:
        PackError: it names a list of words that no file has, or lists that name each other.
    """
    for _ in range(_DEPTH):
        if not _WORD.search(pattern):
            return blanks_out(pattern)
        pattern = _WORD.sub(lambda match: _known(match[1], words, rule), pattern)
        if len(pattern) > _MOST_CHARACTERS:
            break
    raise PackError(f"rule {rule!r}: its lists of words name each other, or the pattern is too long")


def _known(name: str, words: Mapping[str, str], rule: str) -> str:
    if name not in words:
        raise PackError(
            f"rule {rule!r}: unknown list of words @{{{name}}}; known are {', '.join(sorted(words))}"
        )
    return words[name]


def named_words(pattern: str, put: Callable[[str], str]) -> str:
    """Return a pattern with something put for each list of words that it names."""
    return _WORD.sub(lambda match: put(match[1]), pattern)


def blanks_out(pattern: str) -> str:
    """Return a pattern with its blanks written out: each stands for any run of blanks."""
    parts = re.split(r"(\[(?:\\.|[^\]\\])+\])", pattern)
    return "".join(part if index % 2 else _BLANK.sub(_blank, part) for index, part in enumerate(parts))


def _blank(match: re.Match[str]) -> str:
    return "[ \\t]+" if match[1] is None else "[ \\t]" + match[1]
