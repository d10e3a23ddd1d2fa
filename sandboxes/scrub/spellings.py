"""How a deployment's own value is spelled: by itself, escaped for an address, in other bases."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sandboxes.scrub.model import OwnValue

_SHORTEST_ENCODED = 6  # bytes; the inside of a shorter value is in too many tokens by chance
_UNMISTAKABLE = 12  # characters; so long a value with a digit in it is no part of a word by chance


@dataclass(frozen=True, slots=True)
class Form:
    """One spelling of a value.

    Attributes:
        value: the value.
        text: how it is spelled.
        put: what stands in its place, spelled alike.
        whole: it stands as a word of its own.
        sure: it is found within words, too.
    """

    value: OwnValue
    text: str
    put: str
    whole: bool
    sure: bool = False


def forms_of(value: OwnValue) -> Iterator[Form]:
    """Yield the forms of a value that is not empty."""
    sure = len(value.value) >= _UNMISTAKABLE and any(map(str.isdigit, value.value))
    yield Form(value, value.value, value.put, whole=True, sure=sure)
    data = value.value.encode(errors="replace")
    put = value.put.encode(errors="replace")
    escaped = quote(value.value, safe="")
    if escaped != value.value:
        yield Form(value, escaped, quote(value.put, safe=""), whole=True, sure=sure)
    if len(data) < _SHORTEST_ENCODED:
        return
    yield Form(value, _percent(data), _percent(put), whole=False)
    yield Form(value, _units(value.value), _units(value.put), whole=False)
    yield Form(value, data.hex(), put.hex(), whole=False)
    for shift in range(3):
        inside = _inside(data, shift)
        yield Form(value, inside, _same_length(put, len(inside)), whole=False)
        other = inside.replace("+", "-").replace("/", "_")
        if other != inside:
            yield Form(value, other, _same_length(put, len(inside)), whole=False)


def surrogates_of(value: OwnValue) -> Iterator[Form]:
    """Yield the forms of what stands for a value, which put the value back; no part that decodes has them."""
    if value.put:
        back = OwnValue(value.what, value.put, value.value)
        yield Form(back, value.put, value.value, whole=True)
        yield Form(
            back,
            value.put.encode(errors="replace").hex(),
            value.value.encode(errors="replace").hex(),
            whole=False,
        )


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
