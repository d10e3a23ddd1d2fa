"""How entries of the record and cards name the setting of a run: only where it is not production.

The entry is the truth. Evidence is taken on production (R-43), so an entry that names any other setting, or
something that is none, counts as none of it.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, LargeBinary, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from profiles.setting import Setting
from runtime.canonical import JsonValue

FIELD: Final = "setting"
_NAMED: Final = f'"{FIELD}":"{Setting.EVALUATION.value}"'.encode()
"""As a leaf has it: canonical JSON has no blanks, and within a text each quote has a backslash before it."""


def noted(setting: Setting) -> dict[str, JsonValue]:
    """Return what an entry or a card says of a setting."""
    return {} if setting is Setting.PRODUCTION else {FIELD: setting.value}


def is_of(data: Mapping[str, JsonValue], setting: Setting) -> bool:
    """Whether an entry or a card is of a setting."""
    return data.get(FIELD, Setting.PRODUCTION.value) == setting.value


def holder(name: str, setting: Setting) -> str:
    """Return the name under which budgets and seen places are kept: each setting has its own (R-21).

    Args:
        name: of an agent or a deployment; no such name has a slash.
        setting: of the run.
    """
    return name if setting is Setting.PRODUCTION else f"{name}/{setting.value}"


class _Holds(FunctionElement[bool]):
    """Whether the first binary value holds the second."""

    type = Boolean()
    inherit_cache = True
    name = "holds"


@compiles(_Holds)
def _instr(element: _Holds, compiler: Any, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(_Holds, "postgresql")
def _position(element: _Holds, compiler: Any, **options: Any) -> str:
    whole, part = (compiler.process(one, **options) for one in element.clauses)
    return f"(position({part} in {whole}) > 0)"


def may_be_production(leaf: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Select entries that name no evaluation, and items whose entry is gone, without decoding.

    So a row hides nothing: neither that of a run, nor one that leads to another run. Whoever takes something
    for evidence asks `is_of` too.

    Args:
        leaf: the column of the entry's canonical bytes; NULL where there is no entry.
    """
    return or_(leaf.is_(None), ~_Holds(leaf, literal(_NAMED, LargeBinary)))
