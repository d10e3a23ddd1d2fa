"""Reading one text by its role, the way the receiving program will, or saying that it cannot be read. Pure.

A never-list is only as good as the reading of the values it tests. `"x@evil.example, ap@example.com"` in a
recipient is two people, `https://example.com@evil.example/` is another host, `a/../.git/config` is another
path. Such values are either brought to one form or called unclear; an unclear value meets every condition.
Sources: RFC 5321 section 4.1.2 (mailboxes), RFC 3986 section 3.2 (authority), Unicode UAX #15 (NFKC).
"""

import posixpath
import re
import unicodedata

from profiles.tools import ArgumentRole

_RECIPIENT = re.compile(r"[A-Za-z0-9._+'/=:#&~^{}|$*?-]+(@[A-Za-z0-9.-]+)?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?(:[0-9]{1,5})?", re.ASCII)
_URL = re.compile(r"https?://([^/?#\\@\s]+)([/?#][^\\\s]*)?", re.ASCII | re.IGNORECASE)
_FREE_TEXT = frozenset({ArgumentRole.BODY, ArgumentRole.TEXT, ArgumentRole.QUERY})
LOWER_CASE_ROLES = frozenset({ArgumentRole.RECIPIENT, ArgumentRole.HOST, ArgumentRole.URL})
"""Roles whose readings are plain ASCII in lower case."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def read_text(role: ArgumentRole, text: str) -> str | None:
    """Bring one text to the form in which rules compare it.

    Args:
        role: What the text is declared to be.
        text: The text as the agent sent it.

    Returns:
        The recipient in lower case, the host of a URL, the normalised path, any other text as it is; None
        where the text has more than one reading.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return None
    if role in _FREE_TEXT:
        return text
    if unicodedata.normalize("NFKC", text) != text or _has_hidden(text):
        return None
    return _READERS[role](text) if role in _READERS else text


def fold(text: str) -> str:
    """Remove letter case and compatibility forms, so that a rule that forbids is not dodged by them."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _has_hidden(text: str) -> bool:
    return any(unicodedata.category(letter) in _HIDDEN for letter in text)


def _recipient(text: str) -> str | None:
    return text.lower() if _RECIPIENT.fullmatch(text) else None


def _url(text: str) -> str | None:
    found = _URL.fullmatch(text)
    return _host(found[1]) if found else None


def _host(text: str) -> str | None:
    if not _HOST.fullmatch(text) or ".." in text:
        return None
    name, colon, port = text.lower().partition(":")
    return name.removesuffix(".") + colon + port


def _path(text: str) -> str | None:
    if "\\" in text or not text:
        return None
    normal = posixpath.normpath(text)
    return normal[1:] if normal.startswith("//") else normal


_READERS = {
    ArgumentRole.RECIPIENT: _recipient,
    ArgumentRole.HOST: _host,
    ArgumentRole.URL: _url,
    ArgumentRole.PATH: _path,
}
