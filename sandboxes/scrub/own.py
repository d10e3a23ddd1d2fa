"""A deployment's own values, found in any letter case and under the common encodings, and put back."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import re2

from sandboxes.scrub.changes import chosen
from sandboxes.scrub.model import Change, OwnValue
from sandboxes.scrub.patterns import PatternSet, any_of
from sandboxes.scrub.spellings import Form, forms_of, surrogates_of
from sandboxes.scrub.veil import (
    JOINER,
    half_character,
    joined,
    left_over,
    letters_of,
    plain_of,
    veiled,
    veiled_beginning,
)

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{32,128})", re.IGNORECASE)
_SHORTEST_DIGEST = 7  # as version control shortens them
_BEGINNING = 7  # characters; as many as the shortest digest
_LONGEST_DIGEST = 128
_HEX_AT_END = re.compile("[0-9A-Fa-f]+$")
# Letters that go on a word; other scripts write words, or parts of them, without a blank between.
_LETTER = r"0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# What ends in a letter and is none: an encoded character, an escaped one, a colour of a terminal (ECMA-48).
_NO_LETTERS = (
    "%[0-9a-f]{2}",
    r"\\[abfnrtv]",
    r"\\[ux][0-9a-f]{2}",
    r"\\u[0-9a-f]{4}",
    r"\[[mK]",
    r"[\[;][0-9][mK]",
    r"[\[;][0-9]{2}m",
)
LOOK_BACK = 7  # characters before a value that say whether it begins there


class OwnValues:
    """Finds own values; made once for each run."""

    def __init__(self, values: Sequence[OwnValue]) -> None:
        """Prepare the forms of the values; empty values are no values."""
        forms = [form for value in values if value.value for form in forms_of(value)]
        forms.sort(key=lambda form: -len(form.text))
        self._forms = {plain_of(form.text).lower(): form for form in reversed(forms)}
        self._digests = [(d[1].lower(), v) for v in values if (d := _DIGEST.fullmatch(v.value))]
        self._pattern = _pattern([*self._forms.values()], [d for d, _ in self._digests])
        self._is_ascii = all(text.isascii() for text in self._forms)
        self._broken = _Broken([*self._forms.values()], [d for d, _ in self._digests])
        texts = (*self._forms, *(digest for digest, _ in self._digests))
        self._beginnings = _beginnings(texts)
        begins = {(letters_of(text) or b"")[:_BEGINNING] for text in texts}
        self._letters = any_of(begin.decode() for begin in sorted(begins))
        self._starts = frozenset(t[:n] for t in self._forms for n in range(1, len(t) + 1))
        self._longest = max(map(len, self._forms), default=0)
        back = [form for value in values for form in surrogates_of(value)]
        self._puts = {form.text.lower(): form for form in reversed(back)}
        self._back = _pattern(back, [])

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._pattern is not None

    def find(self, text: str) -> list[Change]:
        """Return the places of own values in a text, in order, none within another."""
        if self._pattern is None:
            return []
        plain = plain_of(text)
        shown = joined(plain)
        if JOINER in shown:
            found = self._among_joiners(shown, text)
        else:
            found = [] if self._has_none(plain) else self._changes(self._pattern.finditer(plain), text)
        without = None if self._cannot_be_broken(plain) else veiled(plain)
        more = [] if without is None else self._among_joiners(without, text)
        return chosen([*found, *more], len(text)) if more else found

    def _among_joiners(self, veil: str, text: str) -> list[Change]:
        """Return where they are if joiners may stand in them, before and behind."""
        shown = veil.replace(JOINER, "")
        if self._has_none(shown):
            return []
        return chosen(self._changes(self._broken.finditer(veil, shown), text), len(text))

    def _changes(self, matches: Iterable[re.Match[str]], text: str) -> list[Change]:
        changes = []
        for match in matches:
            told = self._told(match[0].replace(JOINER, "").lower())
            if told is not None:
                start, end = match.start(), _end(match, text)
                found = text[start:end]
                changes.append(Change(None, told[0], start, end, found, f"{told[1]}{left_over(found)}"))
        return changes

    def _told(self, shown: str) -> tuple[str, str] | None:
        """What an own value is that is shown so, and what stands in its place."""
        form = self._forms.get(shown)
        if form is not None:
            return form.value.what, form.put
        owner = next((value for digest, value in self._digests if digest.startswith(shown)), None)
        return None if owner is None else (owner.what, owner.put)

    def _cannot_be_broken(self, plain: str) -> bool:
        """Whether no value begins among its letters alone: that is known in a tenth of the time."""
        letters = letters_of(plain) if plain.isascii() and self._is_ascii else None
        return letters is not None and self._letters.search(letters) is None

    def _has_none(self, plain: str) -> bool:
        """Whether no value begins anywhere, as in almost every text; RE2 knows a hundred times as fast.

        Beyond ASCII the two differ in what they call the same letter.
        """
        if self._beginnings is None or not (plain.isascii() or self._is_ascii):
            return False
        return self._beginnings.search(plain.encode("ascii", "replace")) is None

    def surrogates(self, text: str) -> list[Change]:
        """Return the places of what stands for own values in a text, with those to be put back."""
        found = self._back.finditer(text) if self._back else ()
        told = ((self._puts[match[0].lower()], match) for match in found)
        return [Change(None, form.value.what, *match.span(), match[0], form.put) for form, match in told]

    def held_back(self, text: str) -> int:
        """Return from where on a text may go on into an own value; its length if nowhere."""
        text = text[: half_character(text)]
        without = veiled_beginning(plain_of(text))
        held = self._held(text)
        return held if without is None else min(held, self._held_among_joiners(without))

    def _held(self, text: str) -> int:
        plain = joined(plain_of(text))
        if JOINER in plain:
            return self._held_among_joiners(plain)
        tail = plain_of(text[-self._longest - 1 :]).lower() if self._longest else ""
        first = 0
        if self._has_none(tail):  # then at most a beginning that is shorter than those it looks for
            first = max(len(tail) - _BEGINNING + 1, 0)
        begins = (n for n in range(first, len(tail)) if tail[n:] in self._starts)
        return min(len(text) - len(tail) + next(begins, len(tail)), self._digest_start(text))

    def _held_among_joiners(self, text: str) -> int:
        """Return the same where joiners may stand within; then anything begins a word."""
        begins, tail, most = len(text), "", max(self._longest, _LONGEST_DIGEST)
        for at in range(len(text) - 1, -1, -1):
            if text[at] == JOINER:
                continue
            tail = text[at].lower() + tail
            if tail in self._starts or any(digest.startswith(tail) for digest, _ in self._digests):
                begins = at
            if len(tail) >= most:
                break
        return begins

    def _digest_start(self, text: str) -> int:
        if not self._digests:
            return len(text)
        run = _HEX_AT_END.search(plain_of(text[-_LONGEST_DIGEST:]))
        tails = (run[0][at:].lower() for at in range(len(run[0]))) if run else ()
        longest = next((one for one in tails if any(d.startswith(one) for d, _ in self._digests)), "")
        return len(text) - len(longest)


class _Broken:
    """Finds forms and digests that joiners stand in. Few texts ask for any, so each is made when it is."""

    def __init__(self, forms: Sequence[Form], digests: Sequence[str]) -> None:
        begins = [_beginning(form.text) for form in forms] + [_beginning(digest) for digest in digests]
        self._forms, self._digests = forms, digests
        self._begins = begins
        self._asked: PatternSet | None = None
        self._patterns: dict[int, re.Pattern[str] | None] = {}

    def finditer(self, veil: str, shown: str) -> Iterator[re.Match[str]]:
        """Yield where they are in a veiled text; `shown` is the text without joiners."""
        if self._asked is None:
            self._asked = PatternSet(map(re2.escape, self._begins), case_sensitive=False)
        for index in self._asked.find(shown.encode(errors="replace").decode()):
            if index not in self._patterns:
                self._patterns[index] = self._made(index)
            pattern = self._patterns[index]
            yield from pattern.finditer(veil) if pattern else ()

    def _made(self, index: int) -> re.Pattern[str] | None:
        after = index - len(self._forms)
        digests = self._digests[after : after + 1] if after >= 0 else ()
        return _pattern(self._forms[index : index + 1], digests, JOINER)


def _pattern(forms: Sequence[Form], digests: Sequence[str], hidden: str = "") -> re.Pattern[str] | None:
    """Return what finds forms and digests; `hidden` is what may stand between their characters."""
    between = f"{hidden}*" if hidden else ""
    parts = [_bounded(form, between) for form in forms if form.text]
    for digest in digests:
        begin = between.join(digest[:_SHORTEST_DIGEST])
        parts.append(f"{_before()}{begin}(?:{between}[0-9a-f]){{0,121}}{_after()}")
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _beginnings(texts: Sequence[str]) -> Any:
    """Return what finds where any of the texts may begin."""
    begins = sorted({re2.escape(_beginning(text)) for text in texts if text})
    return re2.compile(f"(?i){'|'.join(begins)}") if begins else None


def _end(match: re.Match[str], text: str) -> int:
    """Return where in a text ends what was found in its veil: with all of its last character, if encoded."""
    last = match.end() - 1
    return match.end() if text[last] != "=" or match[0].endswith("=") else last + 3


def _beginning(text: str) -> str:
    return plain_of(text[:_BEGINNING]).lower()


def _bounded(form: Form, between: str) -> str:
    text = between.join(map(re.escape, plain_of(form.text)))
    if not form.whole:
        return text
    first, last = form.text[0], form.text[-1]
    before = _before(_beside(form, first)) if first.isalnum() else ""
    return f"{before}{text}{_after(_beside(form, last)) if last.isalnum() else ''}"


def _beside(form: Form, edge: str) -> str:
    """Return what must not go on beyond the edge of a value: of one that is unmistakable, a number."""
    if not form.sure:
        return _LETTER
    return "0-9" if edge.isdigit() else ""


def _before(letters: str = _LETTER) -> str:
    """Return what stands before a word: no letter, but for those of what is encoded and of colours."""
    ends = (f"(?<![{letters}])", *(f"(?<={one})" for one in _NO_LETTERS))
    return f"(?:{'|'.join(ends)})" if letters else ""


def _after(letters: str = _LETTER) -> str:
    return f"(?![{letters}])" if letters else ""
