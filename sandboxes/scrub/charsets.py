"""What bytes say in Unicode, told by their mark of byte order, by zeros, or by being UTF-8."""

from typing import Final

# UTF-32 before UTF-16: the mark of the one begins with that of the other (Unicode 15, section 23.8).
_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def charset_of(data: bytes) -> str:
    """Return what bytes are in, if they are a text; a mark of byte order is a character of it, U+FEFF."""
    marked = next((charset for mark, charset in _MARKS if data.startswith(mark)), None)
    if marked is not None or len(data) % 2 or b"\0" not in data[:2]:
        return marked or "utf-8"
    if not any(data[1::2]):  # no text in UTF-8 has a zero; in UTF-16 all of ASCII has
        return "utf-16-le"
    return "utf-8" if any(data[::2]) else "utf-16-be"


def text_in(data: bytes) -> tuple[str, str] | None:
    """Return what bytes say, and what they are in; None if they are no text."""
    charset = charset_of(data)
    try:
        return data.decode(charset), charset
    except UnicodeDecodeError:
        return None
