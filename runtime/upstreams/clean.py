"""Upstream text made fit to be shown: what steers a terminal or cannot be seen is taken out.

Definitions of tools, resources and prompts are third-party text that a model reads and a reviewer must be
able to see (tool poisoning). Hashes are taken before cleaning, so nothing that is taken out goes unnoticed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1: terminal escapes begin here
    "\u00ad\u061c\u180e\u200b-\u200f"  # soft hyphen, zero width, direction marks
    "\u2028-\u202e\u2060-\u206f\ufeff"  # separators and overrides of direction, invisible operators
    "\ufe00-\ufe0f\ufff9-\ufffb\ud800-\udfff"  # variation selectors, annotations, lone surrogates
    "\U000e0000-\U000e0fff"  # tags: invisible letters (Unicode Technical Standard 51, tag sequences)
    "]"
)


def clean_text(text: str) -> str:
    """Return `text` without control characters and without characters that cannot be seen."""
    return _UNSEEN.sub("", text)


def clean(value: Any) -> Any:
    """Return a JSON value with every text in it cleaned, names of members included."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(key): clean(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [clean(item) for item in value]
    return value
