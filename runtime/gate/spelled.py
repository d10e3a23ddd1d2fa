"""Entries that hold words of others: what has no canonical form is spelled out, so that it is kept too.

JSON of others may hold half a pair of surrogates, which no coding can hold, or a number beyond all numbers;
clients read both.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from runtime.errors import CanonicalError
from runtime.record.batch import Tx
from runtime.record.events import Event


def append(tx: Tx, event: Event) -> int:
    """Append an entry and return its number; of a payload that no record can take only that is said."""
    try:
        return tx.append(event)
    except CanonicalError:
        pass  # spelled out it may fit
    try:
        return tx.append(_spelled_out(event))
    except (CanonicalError, RecursionError):
        return tx.append(replace(event, payload={"reason": "it is not JSON, so it was not kept"}))


def _spelled_out(event: Event) -> Event:
    return event if event.payload is None else replace(event, payload=_spelled(event.payload))


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_spelled(name): _spelled(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
