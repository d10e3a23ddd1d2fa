"""Text that may not be what it looks like: hidden and look-alike characters (Unicode UTS 39, UAX 15)."""

import unicodedata

_CATEGORIES = {
    "Cc": "a control character",
    "Cf": "an invisible formatting character",
    "Cs": "a lone surrogate",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_LONGEST_NAME = 4096
_ONE_WRITING_SYSTEM = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


def why_doubtful(text: str) -> str | None:
    """Say why a name cannot be trusted to be what it looks like; None for a plain name.

    A doubtful name is never known and never seen, whatever the profile or the history says.
    """
    if text.isascii() and text.isprintable():
        return None
    if len(text) > _LONGEST_NAME:
        return "it is too long for a name"
    for character in text:
        if reason := _CATEGORIES.get(unicodedata.category(character)):
            return f"it holds {reason} (U+{ord(character):04X})"
    if unicodedata.normalize("NFKC", text) != unicodedata.normalize("NFC", text):
        return "it holds characters that only look like others"
    if any(len(_scripts(word)) > 1 for word in _words(text)):
        return "it mixes writing systems in one word"
    return None


def fold(text: str) -> str:
    """Return the form in which names are compared: NFKC, without invisible characters, case-folded."""
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf") if not text.isascii() else text
    return unicodedata.normalize("NFKC", visible).casefold()


def printable(text: str, limit: int) -> str:
    """Return text for a row or a sentence: one line, no control characters, at most `limit` characters."""
    clipped = text if len(text) <= limit else text[: limit - 1] + "…"
    if clipped.isprintable():
        return clipped
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in clipped)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalpha() or unicodedata.combining(c) else " " for c in text).split()


def _scripts(word: str) -> frozenset[str]:
    # The first word of a letter's name is its script (UCD names), as far as telling scripts apart goes.
    names = (unicodedata.name(c, "UNNAMED").partition(" ")[0] for c in word if not unicodedata.combining(c))
    return frozenset("CJK" if name in _ONE_WRITING_SYSTEM else name for name in names)
