"""Threat: an own value reaches the agent in a spelling that tools and mails have, whole or in a stream."""

import base64
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from profiles.context import ContextRules, StatusKind
from runtime.context.note import Taint
from runtime.context.scrubbing import RunScrubber
from sandboxes.scrub.model import OwnValue, Place
from sandboxes.scrub.scrubber import Scrubber

HOST, PUT = "prod-eu-7", "ref-abcdefgh"
OWN = OwnValue("host", HOST, PUT)
KEPT = ContextRules(keep=tuple(StatusKind))
SCRUBBER = Scrubber([OWN], KEPT)
LONG = f"{'an ordinary line, ' * 12}{HOST.upper()}{' and more words to come' * 9}"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def wrapped(text: str, width: int, end: str = "\n") -> str:
    return end.join(text[at : at + width] for at in range(0, len(text), width))


def reader(charset: str) -> Callable[[str], str]:
    return lambda seen: base64.b64decode(seen).decode(charset)


BETWEEN = {
    "tags": "prod-<b>eu</b>-7",
    "a tag with its attributes": 'prod-<span class="hit" title="a > b">eu</span>-7'.replace(" > ", " "),
    "a comment": "prod-<!-- -->eu-7",
    "half within tags": "<td>prod</td>-<i>eu-7</i>",
    "stars": "prod-**eu**-7",
    "stars around a half": "**prod**-eu-7",
    "underscores": "prod-_eu_-7",
    "escaped signs": "prod\\-eu\\-7",
    "a colour": "prod-\x1b[31meu\x1b[0m-7",
    "what grep marks": "prod-\x1b[01;31m\x1b[Keu\x1b[m\x1b[K-7",
    "a link of a terminal": "prod-\x1b]8;;http://x\x07eu\x1b]8;;\x07-7",
    "a colour as C writes it": "prod-\\033[31meu\\033[0m-7",
    "a colour as JSON writes it": "prod-\\u001b[31meu\\u001b[0m-7",
    "a colour as cat -v writes it": "prod-^[[31meu^[[0m-7",
    "a line wrapped behind a hyphen": "prod-\n    eu-7",
    "zeros": "\0".join(HOST),
    "an entity that is not shown": "prod-&shy;eu-7",
    "entities by name": "prod&hyphen;eu&#0045;7",
    "quoted-printable": "prod=2Deu=2D7",
    "all of it quoted-printable": "".join(f"={ord(letter):02X}" for letter in HOST),
    "lines of quoted-printable": "pr=\nod-e=\r\nu-7",
    "beside what stands for no character": "%ff%70rod-eu-7",
    "hex": HOST.encode().hex(),
}
PACKED: dict[str, tuple[str, Callable[[str], str]]] = {
    "after an equals sign": (
        f"KEY={b64(f'up: {HOST.upper()}'.encode())}",
        lambda seen: base64.b64decode(seen[4:]).decode(),
    ),
    "a data URL": (
        f"data:text/plain;base64,{b64(f'up: {HOST.upper()}'.encode())}",
        lambda seen: base64.b64decode(seen.partition(",")[2]).decode(),
    ),
    "MIME": (wrapped(b64(LONG.encode()), 76, "\r\n"), lambda seen: base64.b64decode(seen).decode()),
    "lines in YAML": (
        f"key: |\n    {wrapped(b64(LONG.encode()), 60, chr(10) + '    ')}\nx: y",
        lambda seen: base64.b64decode("".join(seen.split()[2:-2])).decode(),
    ),
    "PEM": (
        f"-----BEGIN CERTIFICATE-----\n{wrapped(b64(LONG.encode()), 64)}\n-----END CERTIFICATE-----",
        lambda seen: base64.b64decode("".join(seen.split("\n")[1:-1])).decode(),
    ),
    "lines in a string": (
        wrapped(b64(LONG.encode()), 76, "\\n"),
        lambda seen: base64.b64decode(seen.replace("\\n", "")).decode(),
    ),
    "gzip": (
        b64(gzip.compress(LONG.encode())),
        lambda seen: gzip.decompress(base64.b64decode(seen)).decode(),
    ),
    "zlib": (
        b64(zlib.compress(LONG.encode())),
        lambda seen: zlib.decompress(base64.b64decode(seen)).decode(),
    ),
    **{
        charset: (b64(LONG.encode(charset)), reader(charset))
        for charset in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    },
}


@pytest.mark.parametrize("text", BETWEEN.values(), ids=BETWEEN.keys())
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_stands_between_hides_no_own_value(text: str, size: int) -> None:
    """R-20: nor in a stream that only flags, however it was cut."""
    for around in (text, f"it is {text} there", f"x.{text}, y\n\nmore {text}\n"):
        seen = SCRUBBER.text(around, Place.RESULT)
        assert seen.replaced["own"] == around.count(text)
        assert text not in seen.value
        assert (PUT in seen.value) or PUT.encode().hex() in seen.value
        assert streamed(around, size) == seen.value


@pytest.mark.parametrize(("text", "read"), PACKED.values(), ids=PACKED.keys())
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_is_packed_hides_no_own_value(text: str, read: Callable[[str], str], size: int) -> None:
    """R-20: it goes in its own packing, so that what reads it still can; a surrogate comes back so."""
    seen = SCRUBBER.text(text, Place.RESULT).value
    assert read(seen) == read(text).replace(HOST.upper(), PUT)
    assert streamed(text, size) == seen
    assert read(str(SCRUBBER.restore(seen))) == read(text).replace(HOST.upper(), HOST)


def streamed(text: str, size: int) -> str:
    stream = SCRUBBER.stream(Place.RESULT)
    out = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*out, stream.end()])


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("**prod**-eu-7 is", f"**{PUT}** is"),
        ("<b>prod</b>-eu-7", f"<b>{PUT}</b>"),
        ("\x1b[31mprod\x1b[0m-eu-7", f"\x1b[31m{PUT}\x1b[0m"),
    ],
)
def test_what_stands_around_a_value_keeps_its_other_half(text: str, seen: str) -> None:
    assert SCRUBBER.text(text, Place.RESULT).value == seen


@pytest.mark.parametrize(
    "text",
    [
        "prod- eu-7",
        "prod-<b>east</b>-7",
        "x=2Deu=2D7",
        "a * b_c_d <b>x</b> \\- =3D",
        "reprod-**eu**-77",
        b64(b"prod-eu"),
    ],
)
def test_what_is_no_own_value_stays(text: str) -> None:
    assert SCRUBBER.text(text, Place.RESULT).value == text


@pytest.mark.parametrize(
    "text",
    [
        *(one * (1 << 20) for one in ("a", "=", "\\", "<", "\x1b", "*", "_", "\0", "&")),
        "=41" * (1 << 18),
        "prod**" * (1 << 17),
        f"prod{'*' * (1 << 20)}",
        f"{'Q' * 76}\n" * (1 << 13),
        f"{b64(gzip.compress(bytes(1 << 20)))} " * 200,
    ],
    ids=range(14),
)
def test_no_text_makes_the_search_more_work_than_its_length(text: str) -> None:
    """A quadratic search would not end within the time of a test."""
    assert SCRUBBER.text(text, Place.RESULT).value == text


@pytest.mark.parametrize("begun", ["prod", "\\", "%41", "prod-<b", "Q" * 76 + "\n"])
def test_a_stream_holds_back_only_so_much(begun: str) -> None:
    """Nor does what would be held for ever keep anything in."""
    stream = SCRUBBER.stream(Place.RESULT)
    text = begun + (begun if "\n" in begun or "%" in begun else "*") * 20_000
    out = "".join(stream.feed(text[at : at + 1000]) for at in range(0, len(text), 1000))
    assert len(text) - len(out) <= 5000
    assert out + stream.end() == text


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "image/png", None])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("where", ["contents", "embedded", "block"])
def test_no_own_value_passes_in_a_file(kind: str | None, charset: str, where: str) -> None:
    """R-20: a text is one in any Unicode and under any type; what is no text stays as it is."""
    text, png = b64(f"Up: {HOST}, Ünser".encode(charset)), b64(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    typed = {} if kind is None else {"mimeType": kind}

    def result(data: str) -> dict[str, Any]:
        file = {"uri": "f://x", **typed, "blob": data}
        blocks = {
            "embedded": {"type": "resource", "resource": file},
            "block": {"type": "image", **typed, "data": data},
        }
        return {"contents": [file]} if where == "contents" else {"content": [blocks[where]]}

    run = RunScrubber([OWN], KEPT)
    shown = run.result("tool:x", Taint.UNTRUSTED, result(text))
    assert shown.value == result(b64(f"Up: {PUT}, Ünser".encode(charset)))
    assert shown.note.replaced["own"] == 1
    assert run.result("tool:x", Taint.UNTRUSTED, result(png)).value == result(png)


def test_numbers_keep_their_digits_where_something_goes() -> None:
    """JSON in a text: no reader finds another number for what stood beside an own value."""
    numbers = '"a": 1.00000000000000000001, "b": 1e400, "c": [-0, 1.10, 1E+5, 12345678901234567890123]'
    seen = SCRUBBER.json({"x": f'{{{numbers}, "at": "{HOST}"}}'}, Place.RESULT).value
    assert seen == {"x": f'{{{numbers}, "at": "{PUT}"}}'}
