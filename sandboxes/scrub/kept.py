"""What patterns need, kept beside the code as Python keeps what it compiled.

To find it out takes seconds, and it stays the same as long as the patterns and the code do. It is kept in the
directory of Python's byte code: who can write there can put other code there too, so it is trusted as much as
the code, and where nobody may write, nothing is kept.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from sandboxes.scrub.forms import SIGNS, WORDS
from sandboxes.scrub.index import LISTS, Needed

_FORMS: Final = {"words": WORDS, "signs": SIGNS}
_MADE_BY: Final = (
    "chars.py",
    "common.py",
    "common.txt",
    "forms.py",
    "index.py",
    "kept.py",
    "needed.py",
    "rules.py",
    "trees.py",
)

_Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Literals = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
_Lists = Annotated[list[tuple[Literal["words", "signs"], _Rate, _Literals]], Field(max_length=LISTS)]
_ADAPTER: Final = TypeAdapter(dict[str, dict[str, _Lists]])


class Kept:
    """What is looked for of each pattern, by the pattern written out."""

    def __init__(self, found: Mapping[str, tuple[Needed, ...]] | None = None) -> None:
        """Take what was found out before, by the digest of the pattern."""
        self._before = found or {}
        self._asked: dict[str, tuple[Needed, ...]] = {}

    def of(self, written: str, find_out: Callable[[], Sequence[Needed]]) -> tuple[Needed, ...]:
        """Return what is looked for of a pattern, as it was found out before or else is now."""
        key = hashlib.sha256(written.encode()).hexdigest()
        if key not in self._asked:
            known = self._before.get(key)
            self._asked[key] = tuple(find_out()) if known is None else known
        return self._asked[key]

    def keep(self, place: Path | None) -> None:
        """Write what was asked for to a file, unless that is what was read, or there is no place for it."""
        if place is None or self._asked.keys() == self._before.keys():
            return
        names = {form: name for name, form in _FORMS.items()}
        told = {
            key: [(names[one.form], one.rate, sorted(way.decode() for way in one.literals)) for one in lists]
            for key, lists in self._asked.items()
        }
        with suppress(OSError):  # it is found out anew next time
            _write(place, json.dumps({_made_by(): told}))


def read_kept(place: Path | None) -> Kept:
    """Return what a file says; nothing where it is not there, was made by other code, or is no such file."""
    if place is None:
        return Kept()
    try:
        told = _ADAPTER.validate_json(place.read_bytes(), strict=True).get(_made_by(), {})
    except (OSError, ValidationError):
        return Kept()
    return Kept({key: tuple(_needed(*one) for one in lists) for key, lists in told.items()})


def kept_place() -> Path | None:
    """Return where it is kept: in Python's directory of byte code, None where it has none."""
    try:
        return Path(cache_from_source(__file__)).with_suffix(".needs")
    # Python raises this where `sys.implementation.cache_tag` is None: it keeps no byte code; nor do we.
    except NotImplementedError:
        return None


def _needed(form: str, rate: float, literals: Sequence[str]) -> Needed:
    return Needed(_FORMS[form], frozenset(literal.encode() for literal in literals), rate)


def _made_by() -> str:
    """A digest of the code that finds it out, and of the Python whose parser it uses."""
    found = hashlib.sha256(sys.version.encode())
    for name in _MADE_BY:
        found.update(hashlib.sha256(Path(__file__).with_name(name).read_bytes()).digest())
    return found.hexdigest()


def _write(place: Path, text: str) -> None:
    """Put a whole file in the place of another, or none."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=place.parent, prefix=place.name, delete=False) as file:
        path = Path(file.name)
    try:
        path.write_text(text)
        path.chmod(0o644)
        path.replace(place)
    except OSError:
        path.unlink(missing_ok=True)
        raise
