"""Validators run on hits only: what looks like a card or an account number must also add up."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

# Issuers' first digits and lengths (ISO/IEC 7812-1 and the networks' own tables).
_CARDS: Sequence[tuple[re.Pattern[str], frozenset[int]]] = (
    (re.compile(r"4"), frozenset({13, 16, 19})),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),
    (re.compile(r"3[47]"), frozenset({15})),
    (re.compile(r"6011|65|64[4-9]|35(2[89]|[3-8])"), frozenset({16})),
    (re.compile(r"30[0-5]|36|38"), frozenset({14})),
)
# Length by country (the IBAN registry of ISO 13616). Tried at every length, one text in five would pass.
_IBAN_LENGTHS: Mapping[str, int] = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
    }.items()
    for country in countries.split()
}


class Validator(StrEnum):
    """The kinds of second look."""

    NONE = "none"
    LUHN = "luhn"
    IBAN = "iban"
    ENTROPY = "entropy"
    ENTROPY_LOW = "entropy-low"


def card(text: str) -> bool:
    """Whether a payment card's number is in the text: from its first digit to the end of any group."""
    groups = re.findall(r"\d+", text)
    return any(_is_card("".join(groups[:count])) for count in range(1, len(groups) + 1))


def luhn(number: str) -> bool:
    """Whether the digits add up (ISO/IEC 7812-1 annex B)."""
    digits = [int(c) for c in reversed(number)]
    return sum(sum(divmod(2 * d, 10)) if place % 2 else d for place, d in enumerate(digits)) % 10 == 0


def iban(text: str) -> bool:
    """Whether the text begins with an account number that adds up (ISO 13616, ISO 7064 mod 97-10).

    The pattern may run on into the next words, so only as much is read as the country's numbers are long.
    """
    compact = re.sub(r"\s", "", text).upper()
    length = _IBAN_LENGTHS.get(compact[:2])
    return length is not None and length <= len(compact) and _mod_97(compact[:length])


def entropy(text: str) -> float:
    """Shannon entropy of the last word of a text, in bits per character."""
    word = re.split(r"[\s\"'=:]+", text.strip("\"' "))[-1]
    counts = Counter(word)
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values()) if word else 0.0


def holds(validator: Validator, text: str) -> bool:
    """Whether a hit stands the second look."""
    return _VALIDATORS[validator](text)


def _is_card(number: str) -> bool:
    issued = any(first.match(number) and len(number) in lengths for first, lengths in _CARDS)
    return issued and luhn(number)


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
    Validator.LUHN: card,
    Validator.IBAN: iban,
    Validator.ENTROPY: lambda text: entropy(text) >= 3.5,  # noqa: PLR2004 bits per character
    Validator.ENTROPY_LOW: _mixed,
}
