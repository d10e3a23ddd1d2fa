"""Entries of the record as memories read them. A leaf never changes, so it is decoded once."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Select

from runtime.record.leaf import Leaf, decode_leaf

GONE: Final = "gone"
"""Member of a writing's data: digest of the entry that it removed or took the place of."""


def leaves(conn: Connection, query: Select[Any]) -> Iterator[Leaf]:
    """Yield the entries that a query finds.

    Args:
        conn: a fresh view of the database.
        query: of leaves alone, in the order wanted.

    Raises:
        CanonicalError: one is no leaf.
    """
    for leaf in conn.execute(query).scalars():
        yield _decoded(leaf)


def after(held: Mapping[str, str], writings: Iterable[Leaf]) -> dict[str, str]:
    """Return what writings leave of the entries that were held. Pure.

    Args:
        held: digests of entries, each with the action that wrote it.
        writings: entries of the record about one draft, in order.
    """
    left = dict(held)
    for leaf in writings:
        left.pop(str(leaf.data.get(GONE)), None)
        if (entry := leaf.data.get("entry")) is not None:
            left[str(entry)] = str(leaf.subject)
    return left


@lru_cache(maxsize=16_384)
def _decoded(leaf: bytes) -> Leaf:
    return decode_leaf(leaf)
