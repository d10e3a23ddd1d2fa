"""Where an action reaches: recipients, hosts, collections and paths, read from arguments without guessing.

A place that cannot be read without doubt is still a place: it is never known and never seen.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from profiles.known import Known
from profiles.tools import ArgumentRole
from runtime.gate.lookalike import fold, printable, why_doubtful

_PLAIN_ADDRESS = re.compile(r"[^\s<>,;:@\"()\\]+@[A-Za-z0-9.-]+")
_NAMED_ADDRESS = re.compile(r"[^<>,;:@\"()\\\r\n]*<([^<>\s]+)>")
_BARE_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]|$)")
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEY_LENGTH = 200


@dataclass(frozen=True)
class Place:
    """One place an action reaches.

    Attributes:
        key: its stable identity, such as `recipient:a@b.example`.
        known: whether the profile declares it.
        doubt: why its name cannot be trusted, if so; a doubtful place stays new for ever.
    """

    key: str
    known: bool
    doubt: str | None = None


def places_of(role: ArgumentRole, value: str, known: Known) -> Iterator[Place]:
    """Yield every place that one argument value names; roles that name no place yield nothing."""
    match role:
        case ArgumentRole.RECIPIENT:
            yield from _recipients(value, known)
        case ArgumentRole.HOST:
            yield _host(value, known)
        case ArgumentRole.URL:
            yield _url(value, known)
        case ArgumentRole.COLLECTION:
            yield _place("collection", value, is_known=known.has_collection(value))
        case ArgumentRole.PATH:
            yield _path(value, known)
        case _:
            return


def resource_place(uri: str, known: Known) -> Place:
    """Return the collection that a resource URI lies in: listed whole, or under a listed prefix of it."""
    parts = [uri[: match.start()] for match in re.finditer(r"/", uri)]
    listed = any(known.has_collection(part) for part in (uri, *parts, *(f"{part}/" for part in parts)))
    tricky = "/../" in f"{uri}/" or "%2e" in uri.casefold() or "\\" in uri
    return _place("collection", uri, is_known=listed, doubt="it climbs out of its folder" if tricky else None)


def digest_of_key(deployment: str, key: str) -> str:
    """Return the form of a place's key that may stand in readable columns: it names no person."""
    return hashlib.sha256(f"{deployment}\n{key}".encode(errors="backslashreplace")).hexdigest()[:32]


def _place(kind: str, name: str, *, is_known: bool, doubt: str | None = None) -> Place:
    reason = doubt or why_doubtful(name)
    return Place(f"{kind}:{printable(name, _KEY_LENGTH)}", is_known and reason is None, reason)


def _recipients(value: str, known: Known) -> Iterator[Place]:
    if why_doubtful(value) or not value.strip():
        yield _place("recipient", value, is_known=False, doubt=why_doubtful(value) or "it is empty")
        return
    parts = [part.strip() for part in re.split(r"[,;]", value)] if "@" in value else [value]
    for part in parts:
        yield _recipient(part, known)


def _recipient(part: str, known: Known) -> Place:
    named = _NAMED_ADDRESS.fullmatch(part)
    address = named.group(1) if named else part
    folded = fold(address)
    if "@" in part and not _PLAIN_ADDRESS.fullmatch(address):
        return _place("recipient", folded, is_known=False, doubt="it is not one plain address")
    return _place("recipient", folded, is_known=known.has_recipient(folded))


def _host(value: str, known: Known) -> Place:
    name = value.casefold().removesuffix(".")
    if not _HOST.fullmatch(name):
        return _place("host", name, is_known=False, doubt="it is not a plain host name")
    return _place("host", name, is_known=known.has_host(name))


def _url(value: str, known: Known) -> Place:
    host = _host_of_url(value)
    if host is None:
        return _place("host", value, is_known=False, doubt="its host cannot be read without doubt")
    return _host(host, known)


def _host_of_url(value: str) -> str | None:
    # Characters on which parsers disagree about where the host ends make the host unreadable.
    if not value.isascii() or re.search(r"[\s\\\x00-\x1f\x7f]", value):
        return None
    full = f"http://{value}" if "://" not in value and _BARE_HOST.match(value) else value
    try:
        parts = urlsplit(full)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return name if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{name}:{port}"


def _path(value: str, known: Known) -> Place:
    clean = posixpath.normpath(value) if value else ""
    tricky = not clean or ".." in value.split("/") or "\\" in value or value.startswith("~") or "%" in value
    if tricky:
        return _place("path", value, is_known=False, doubt="it may leave its folder")
    if known.has_collection(clean) or known.has_collection(value):
        return _place("path", clean, is_known=True)
    root = posixpath.dirname(clean) or "."
    return _place("path", root, is_known=_under_known(clean, known), doubt=why_doubtful(clean))


def _under_known(clean: str, known: Known) -> bool:
    parts = clean.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts))}
    top = "/" if clean.startswith("/") else "."
    return any(known.has_collection(name) or known.has_collection(f"{name}/") for name in above if name) or (
        known.has_collection(top)
    )
