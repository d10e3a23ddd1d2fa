"""A deployment's own values, found in any letter case and under the common encodings, and put back."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import re2

from sandboxes.scrub.model import Change, OwnValue

_SHORTEST_ENCODED = 6  # bytes; the inside of a shorter value is in too many tokens by chance
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{32,128})", re.IGNORECASE)
_SHORTEST_DIGEST = 7  # as version control shortens them
_BEGINNING = 7  # characters; as many as the shortest digest
_LONGEST_DIGEST = 128
_HEX_AT_END = re.compile("[0-9A-Fa-f]+$")
# Default_Ignorable_Code_Point of the Unicode Character Database: what is not shown, so breaks up nothing.
_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# What is read as a character of ASCII: s, k or i in another letter case (CaseFolding.txt of the Unicode
# Character Database), hyphens and dashes, and what is as wide as a character of Chinese.
_AS_ASCII = str.maketrans(
    {
        "\u017f": "s",
        "\u212a": "k",
        "\u0130": "i",
        "\u0131": "i",
        "\u2212": "-",
        **dict.fromkeys(map(chr, range(0x2010, 0x2016)), "-"),
        **{chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    }
)
_INVISIBLE = re.compile(f"[{_IGNORABLE}]")
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
_UNMISTAKABLE = 12  # characters; so long a value with a digit in it is no part of a word by chance


@dataclass(frozen=True, slots=True)
class _Form:
    value: OwnValue
    text: str
    put: str
    whole: bool  # it stands as a word of its own
    sure: bool = False  # it is found within words, too


class OwnValues:
    """Finds own values; made once for each run."""

    def __init__(self, values: Sequence[OwnValue]) -> None:
        """Prepare the forms of the values; empty values are no values."""
        forms = [form for value in values if value.value for form in _forms(value)]
        forms.sort(key=lambda form: -len(form.text))
        self._forms = {_plain(form.text).lower(): form for form in reversed(forms)}
        self._digests = [(d[1].lower(), v) for v in values if (d := _DIGEST.fullmatch(v.value))]
        self._pattern = _pattern([*self._forms.values()], [d for d, _ in self._digests])
        self._is_ascii = all(text.isascii() for text in self._forms)
        self._broken: re.Pattern[str] | None = None
        self._beginnings = _beginnings([*self._forms, *(d for d, _ in self._digests)])
        self._starts = frozenset(t[:n] for t in self._forms for n in range(1, len(t) + 1))
        self._longest = max(map(len, self._forms), default=0)
        self._puts = {v.put.lower(): v.value for v in reversed(values) if v.put}
        self._back = _pattern([_Form(v, v.put, v.value, whole=True) for v in values if v.put], [])

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._pattern is not None

    def find(self, text: str) -> Iterator[Change]:
        """Yield the places of own values in a text, in order, none within another."""
        if self._pattern is None:
            return
        plain = _plain(text)
        if not text.isascii() and _INVISIBLE.search(text):
            matches = self._among_invisible(plain)
        else:
            matches = iter(()) if self._has_none(plain) else self._pattern.finditer(plain)
        for match in matches:
            yield from self._change(match, text)

    def _among_invisible(self, plain: str) -> Iterator[re.Match[str]]:
        """Yield where they are if characters that are not shown may stand in them, before and behind."""
        if self._has_none(_INVISIBLE.sub("", plain)):
            return
        if self._broken is None:
            self._broken = _pattern([*self._forms.values()], [d for d, _ in self._digests], _IGNORABLE)
        yield from self._broken.finditer(plain) if self._broken else ()

    def _change(self, match: re.Match[str], text: str) -> Iterator[Change]:
        bare = _INVISIBLE.sub("", match[0]).lower()
        found = text[match.start() : match.end()]
        form = self._forms.get(bare)
        if form is not None:
            yield Change(None, form.value.what, *match.span(), found, form.put)
        elif (owner := self._digest_owner(bare)) is not None:
            yield Change(None, owner.what, *match.span(), found, owner.put)

    def _has_none(self, plain: str) -> bool:
        """Whether no value begins anywhere, as in almost every text; RE2 knows a hundred times as fast.

        Beyond ASCII the two differ in what they call the same letter.
        """
        if self._beginnings is None or not (plain.isascii() or self._is_ascii):
            return False
        return self._beginnings.search(plain.encode("ascii", "replace")) is None

    def restored(self, text: str) -> str:
        """Return a text with the surrogates made own values again."""
        if self._back is None:
            return text
        return self._back.sub(lambda match: self._puts.get(match[0].lower(), match[0]), text)

    def held_back(self, text: str) -> int:
        """Return from where on a text may go on into an own value; its length if nowhere."""
        if not text.isascii() and _INVISIBLE.search(text):
            return self._held_among_invisible(text)
        tail = _plain(text[-self._longest - 1 :]).lower() if self._longest else ""
        first = 0
        if self._has_none(tail):  # then at most a beginning that is shorter than those it looks for
            first = max(len(tail) - _BEGINNING + 1, 0)
        begins = (n for n in range(first, len(tail)) if tail[n:] in self._starts)
        return min(len(text) - len(tail) + next(begins, len(tail)), self._digest_start(text))

    def _held_among_invisible(self, text: str) -> int:
        """Return the same where what is not shown may stand within; then anything begins a word."""
        begins, tail, most = len(text), "", max(self._longest, _LONGEST_DIGEST)
        for at in range(len(text) - 1, -1, -1):
            if _INVISIBLE.match(text[at]):
                continue
            tail = _plain(text[at]).lower() + tail
            if tail in self._starts or any(digest.startswith(tail) for digest, _ in self._digests):
                begins = at
            if len(tail) >= most:
                break
        return begins

    def _digest_start(self, text: str) -> int:
        if not self._digests:
            return len(text)
        run = _HEX_AT_END.search(_plain(text[-_LONGEST_DIGEST:]))
        tails = (run[0][at:].lower() for at in range(len(run[0]))) if run else ()
        longest = next((one for one in tails if any(d.startswith(one) for d, _ in self._digests)), "")
        return len(text) - len(longest)

    def _digest_owner(self, found: str) -> OwnValue | None:
        short = found.lower()
        return next((value for digest, value in self._digests if digest.startswith(short)), None)


def _pattern(forms: Sequence[_Form], digests: Sequence[str], hidden: str = "") -> re.Pattern[str] | None:
    """Return what finds forms and digests; `hidden` are characters that may stand between theirs."""
    between = f"[{hidden}]*" if hidden else ""
    parts = [_bounded(form, between) for form in forms if form.text]
    for digest in digests:
        begin = between.join(digest[:_SHORTEST_DIGEST])
        parts.append(f"{_before()}{begin}(?:{between}[0-9a-f]){{0,121}}{_after()}")
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _beginnings(texts: Sequence[str]) -> Any:
    """Return what finds where any of the texts may begin."""
    begins = sorted({re2.escape(text[:_BEGINNING].lower()) for text in texts if text})
    return re2.compile(f"(?i){'|'.join(begins)}") if begins else None


def _bounded(form: _Form, between: str) -> str:
    text = between.join(map(re.escape, _plain(form.text)))
    if not form.whole:
        return text
    first, last = form.text[0], form.text[-1]
    before = _before(_beside(form, first)) if first.isalnum() else ""
    return f"{before}{text}{_after(_beside(form, last)) if last.isalnum() else ''}"


def _beside(form: _Form, edge: str) -> str:
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


def _plain(text: str) -> str:
    """Return a text, as long, whose characters are those of ASCII that they are read as."""
    return text if text.isascii() else text.translate(_AS_ASCII)


def _forms(value: OwnValue) -> Iterator[_Form]:
    sure = len(value.value) >= _UNMISTAKABLE and any(map(str.isdigit, value.value))
    yield _Form(value, value.value, value.put, whole=True, sure=sure)
    data = value.value.encode(errors="replace")
    put = value.put.encode(errors="replace")
    escaped = quote(value.value, safe="")
    if escaped != value.value:
        yield _Form(value, escaped, quote(value.put, safe=""), whole=True, sure=sure)
    if len(data) < _SHORTEST_ENCODED:
        return
    yield _Form(value, _percent(data), _percent(put), whole=False)
    yield _Form(value, _units(value.value), _units(value.put), whole=False)
    for shift in range(3):
        inside = _inside(data, shift)
        yield _Form(value, inside, _same_length(put, len(inside)), whole=False)
        other = inside.replace("+", "-").replace("/", "_")
        if other != inside:
            yield _Form(value, other, _same_length(put, len(inside)), whole=False)


def _percent(data: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in data)


def _units(text: str) -> str:
    data = text.encode("utf-16-be", errors="replace")
    return "".join(f"\\u{data[i]:02x}{data[i + 1]:02x}" for i in range(0, len(data), 2))


def _inside(data: bytes, shift: int) -> str:
    """The base64 that is the same whatever stands around the data; it begins `shift` bytes into a group."""
    skip = (3 - shift) % 3
    end = skip + (len(data) - skip) // 3 * 3
    return base64.b64encode(data[skip:end]).decode()


def _same_length(put: bytes, length: int) -> str:
    """Base64 of the surrogate, over and over, so that what stands around it still decodes."""
    groups = put + b"." * (-len(put) % 3) or b"..."
    return (base64.b64encode(groups).decode() * (length // 4 + 1))[:length]
