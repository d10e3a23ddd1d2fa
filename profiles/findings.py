"""One result of a check across the parts of a profile or policy: where, and what is wrong."""

from typing import NamedTuple

from profiles.base import Place


class Finding(NamedTuple):
    """Something that does not fit."""

    place: Place
    message: str
