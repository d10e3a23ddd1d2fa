"""What stands between the characters of a text and says nothing, and characters that are read as others.

A veiled text is as long as the text: all that says nothing is joiners in it, and every place the same.
"""

import re
from typing import Final

import re2

from sandboxes.scrub.patterns import byte_options

# Default_Ignorable_Code_Point of the Unicode Character Database: what is not shown, so breaks up nothing.
_IGNORABLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE: Final = re.compile(f"[{_IGNORABLE}]")
# What is read as a character of ASCII: s, k or i in another letter case (CaseFolding.txt of the Unicode
# Character Database), hyphens and dashes, and what is as wide as a character of Chinese.
_AS_ASCII: Final = {
    "\u017f": "s",
    "\u212a": "k",
    "\u0130": "i",
    "\u0131": "i",
    "\u00a0": " ",
    "\u2212": "-",
    **dict.fromkeys(map(chr, range(0x2010, 0x2016)), "-"),
    **{chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}
_READ_AS_ASCII: Final = re.compile(f"[{''.join(_AS_ASCII)}]")  # ten times as fast as `translate`
JOINER: Final = "\u2060"
_CONTROL: Final = r"\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_MARKUP: Final = re2.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f*`]|~~|</?[A-Za-z!]|\\[!-/:-@\[-`{-~]|\\(?:033|e)\[|\^\[\["
    rb"|&[LNZlrsz][A-Za-z]+;|=[2-7][0-9A-Fa-f]|=\r?\n|-\r?\n|[^0-9A-Za-z_]_+[0-9A-Za-z]|[0-9A-Za-z]_+[^0-9A-Za-z_]",
    byte_options(),
)
# Markup that has letters or digits itself.
_WITH_LETTERS: Final = re2.compile(
    rb"<[/!]?[A-Za-z-]|\x1b|=[2-7][0-9A-Fa-f]|=\r?\n|&[LNZlrsz][A-Za-z]+;|\^\[\[|\\(?:033|e)\[",
    byte_options(),
)
_SIGNS: Final = bytes(code for code in range(256) if not chr(code).isalnum() or code > ord("z"))
# The first character alone is quickly found, so each branch begins behind it: sequences of a terminal
# (ECMA-48, section 5.4; as C and `cat -v` write them), tags and comments, emphasis, escaped signs, a line
# that is wrapped behind a hyphen, quoted-printable (RFC 2045, section 6.7), entities that are not shown.
_BETWEEN: Final = re.compile(
    rf"[*`~_<\\^&={_CONTROL}-](?:"
    r"(?<=\x1b)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])"
    r"|(?<=<)[/!]?[A-Za-z-][^<>]{0,1000}>"
    r"|(?<=[*`])[*`]*|(?<=~)~"
    r"|(?<=_)(?:(?<![0-9A-Za-z]_)_?(?=[0-9A-Za-z])|(?<=[0-9A-Za-z]_)_?(?![0-9A-Za-z_]))"
    r"|(?<=\\)(?:(?:033|e)\[[0-?]*[ -/]*[@-~]|(?=[!-/:-@\[-`{-~]))"
    r"|(?<=\^)\[\[[0-?]*[ -/]*[@-~]"
    r"|(?<=-)\r?\n[ \t]*"
    r"|(?<==)(?:(?P<code>[2-7][0-9A-Fa-f])|\r?\n)"
    r"|(?<=&)(?:shy|zwj|zwnj|lrm|rlm|NoBreak|ZeroWidthSpace);"
    rf"|(?<=[{_CONTROL}]))"
)
# What may go on into something that is left out, and what may go on into a character.
_HALF: Final = re.compile(
    r"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[ -/]*)|<(?:[/!]?(?:[A-Za-z-][^<>]{0,1000})?)"
    r"|\\(?:0|03|(?:033|e)\[?[0-?]*[ -/]*)?|\^\[?\[?[0-?]*[ -/]*|~|__?|-\r?\n?[ \t]*|=\r"
    r"|&[A-Za-z]{0,14})\Z"
)
_HALF_CHARACTER: Final = re.compile(r"=[2-7]?\Z")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*(?<!/)>")
_COLOUR: Final = re.compile(r"(?:\x1b|\\033|\\e|\^\[)\[[0-9;]*m")


def plain_of(text: str) -> str:
    """Return a text, as long, whose characters are those of ASCII that they are read as."""
    return text if text.isascii() else _READ_AS_ASCII.sub(_as_ascii, text)


def joined(text: str) -> str:
    """Return a text, as long, in which all that is not shown is joiners."""
    return text if text.isascii() else _INVISIBLE.sub(JOINER, text)


def veiled(text: str) -> str | None:
    """Return a text, as long, in which markup and the like are joiners, too; None if nothing is."""
    if not _MARKUP.search(text.encode("latin-1", "replace")):
        return None
    return _BETWEEN.sub(_veil, joined(text))


def letters_of(text: str) -> bytes | None:
    """Return the letters and digits of a text, which a veil leaves; None if some of them are markup."""
    data = text.encode("latin-1", "replace")
    return None if _WITH_LETTERS.search(data) else data.translate(None, _SIGNS)


def veiled_beginning(text: str) -> str | None:
    """Return the same of a text that goes on: what it ends with may go on into markup, so it is one."""
    half = _HALF.search(text)
    done = veiled(text[: half.start()] if half else text)
    if half is None:
        return done
    before = joined(text[: half.start()]) if done is None else done
    kept = "-" if half[0].startswith("-") else ""
    return before + kept + JOINER * (len(half[0]) - len(kept))


def half_character(text: str) -> int:
    """Return where at the end of a text something may go on into one character; its length if nowhere."""
    half = _HALF_CHARACTER.search(text)
    return half.start() if half else len(text)


def left_over(found: str) -> str:
    """Return what has to stay of the markup in a stretch that goes: what has its other half elsewhere."""
    emphasis = [mark for mark in ("**", "`", "~~") if found.count(mark) % 2]
    if found.replace("**", "").count("*") % 2:
        emphasis.append("*")
    tags: list[tuple[str, str]] = []
    for slash, name in _TAG.findall(found):
        if slash and tags and tags[-1] == ("", name):
            tags.pop()
        else:
            tags.append((slash, name))
    return "".join((*_COLOUR.findall(found), *emphasis, *(f"<{slash}{name}>" for slash, name in tags)))


def _as_ascii(match: re.Match[str]) -> str:
    return _AS_ASCII[match[0]]


def _veil(match: re.Match[str]) -> str:
    put = "-" if match[0].startswith("-") else chr(int(match["code"], 16)) if match["code"] else ""
    return put + JOINER * (len(match[0]) - len(put))
