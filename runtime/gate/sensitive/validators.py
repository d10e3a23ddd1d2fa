"""Validators run on hits only: what looks like a card or an account number must also add up."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum

_CARD_LENGTHS = range(13, 20)
_IBAN_LENGTHS = range(15, 35)


class Validator(StrEnum):
    """The kinds of second look."""

    NONE = "none"
    LUHN = "luhn"
    IBAN = "iban"
    ENTROPY = "entropy"
    ENTROPY_LOW = "entropy-low"


def luhn(text: str) -> bool:
    """Whether the digits add up as a payment card's do (ISO/IEC 7812-1 annex B)."""
    digits = [int(c) for c in text if c in "0123456789"]
    if len(digits) not in _CARD_LENGTHS or len(set(digits)) == 1 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = (d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits)))  # noqa: PLR2004 the two digits of a double are summed
    return sum(doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether a prefix of the text is an account number that adds up (ISO 13616, ISO 7064 mod 97-10).

    The pattern may run on into the next words, so every shorter prefix is tried too.
    """
    compact = re.sub(r"\s", "", text).upper()
    return any(_mod_97(compact[:length]) for length in _IBAN_LENGTHS if length <= len(compact))


def entropy(text: str) -> float:
    """Shannon entropy of the last word of a text, in bits per character."""
    word = re.split(r"[\s\"'=:]+", text.strip("\"' "))[-1]
    counts = Counter(word)
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values()) if word else 0.0


def holds(validator: Validator, text: str) -> bool:
    """Whether a hit stands the second look."""
    return _VALIDATORS[validator](text)


def _mod_97(compact: str) -> bool:
    if not compact.isascii() or not compact.isalnum():
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _mixed(text: str) -> bool:
    # A password worth the name is no plain word: it has a digit or a sign beside letters.
    word = re.split(r"[\s\"'=:]+", text.strip("\"' "))[-1]
    return entropy(text) >= 2.5 and not word.isalpha()  # noqa: PLR2004 bits per character


_VALIDATORS: Mapping[Validator, Callable[[str], bool]] = {
    Validator.NONE: lambda _text: True,
    Validator.LUHN: luhn,
    Validator.IBAN: iban,
    Validator.ENTROPY: lambda text: entropy(text) >= 3.5,  # noqa: PLR2004 bits per character
    Validator.ENTROPY_LOW: _mixed,
}
