"""Threat: what names a run, its model or its place reaches the agent through a tool, in whatever clothes."""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from profiles.context import ContextRules, StatusKind, Treatment
from runtime.context.note import Taint
from runtime.context.results import as_seen
from runtime.context.scrubbing import RunScrubber
from runtime.gate.replies import Pending, Performed, Reply
from runtime.record.batch import Tx
from sandboxes.scrub.model import OwnValue
from tests.standins.workshop import Workshop, make_gate, make_workshop

NODE = "node-2qzv7j5m4kx3ahd6"
OWN = OwnValue("node", NODE, "ref-surrogate")
STATUS = "Answered by gpt-4o-2024-08-06, as always."


def bare(text: str) -> str:
    return text


HIDDEN = re.compile("[\u00ad\u200b\u200d\u2060\u2066\u3164\ufe0f\U000e0041]")


def broken_by(*hidden: str) -> Callable[[str], str]:
    """Put characters that nobody sees between all of a text's own."""
    return lambda text: "".join(f"{letter}{''.join(hidden)}" for letter in text)


CLOTHES = {
    "as it is": bare,
    "upper case": str.upper,
    "in an address": lambda text: f"https://{text}.internal:8443/x?y=1",
    "in a path": lambda text: f"/var/run/{text}/sock",
    "percent-encoded": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "partly percent-encoded": lambda text: quote(text, safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 among others": lambda text: base64.b64encode(f"host={text};port=1".encode()).decode(),
    "JSON in a text": lambda text: json.dumps({"host": {"name": text}}),
    "JSON in JSON": lambda text: json.dumps({"inner": json.dumps([text])}),
    "escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "markdown": lambda text: f"| host |\n|---|\n| **{text}** |",
    "zero-width spaces": broken_by("\u200b"),
    "joiners, marks and fillers": broken_by("\u200d", "\ufe0f", "\u3164", "\u2066", "\U000e0041"),
    "one soft hyphen": lambda text: f"{text[:9]}\u00ad{text[9:]}",
    "behind a letter and a filler": lambda text: f"x\u3164{text[:5]}\u200b{text[5:]}\u200bx",
    "base64, broken": lambda text: broken_by("\u2060")(base64.b64encode(text.encode()).decode()),
    "within Japanese": lambda text: f"\u7bc0\u70b9{text}\u3067\u3059",
    "behind an encoded slash": lambda text: f"%2Fhosts%2F{text}",
    "behind a colour": lambda text: f"\x1b[1;31m{text}\x1b[0m",
    "behind an escaped end of a line": lambda text: f"up\\n{text}",
    "behind a letter": lambda text: f"x{text}x",
    "a sign percent-encoded": lambda text: text.replace("-", "%2D"),
    "a sign escaped": lambda text: text.replace("-", "\\u002d"),
    "a letter as an entity": lambda text: f"&#{ord(text[0])};{text[1:]}",
    "a hyphen that does not break": lambda text: text.replace("-", "\u2011"),
    "as wide as Chinese": lambda text: "".join(chr(ord(letter) + 0xFEE0) for letter in text),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(f"up: {text}".encode())).decode(),
    "a name twice": lambda text: f'{{"a": "{text}", "a": 1}}',
    "among letters beyond ASCII": lambda text: f"Ünser Wört: {broken_by(chr(0x200B))(text)} ähnlich",
}


@pytest.mark.parametrize("clothes", CLOTHES.values(), ids=CLOTHES.keys())
@pytest.mark.parametrize("place", ["content", "structured", "name", "error", "definition"])
def test_no_own_value_passes_a_tool(clothes: Any, place: str) -> None:
    """R-20: in results, structure, names of members, errors and definitions; whatever the profile keeps."""
    run = RunScrubber([OWN], ContextRules(keep=tuple(StatusKind)))
    worn = clothes(NODE)
    values: dict[str, Any] = {
        "content": {"content": [{"type": "text", "text": f"it is {worn} there"}]},
        "structured": {"structuredContent": {"deep": [{"host": worn}]}},
        "name": {"structuredContent": {worn: 1}},
        "error": {"error": {"code": -1, "message": worn, "data": {"at": worn}}},
    }
    if place == "definition":
        shown = run.definitions(
            "tools", [{"name": "x", "description": worn, "inputSchema": {"enum": [worn]}}]
        )
    else:
        shown = run.result("tool:x", Taint.UNTRUSTED, values[place])
    text = json.dumps(shown.value)
    assert worn not in text
    assert json.dumps(worn) not in text
    assert NODE not in text.lower()
    assert NODE not in HIDDEN.sub("", json.dumps(shown.value, ensure_ascii=False))
    assert shown.note.replaced["own"] >= 1


def test_what_stands_for_a_model_is_no_key_to_its_name() -> None:
    """A word that every text may have is not put back, so no argument can be turned into the model's name."""
    run = RunScrubber([OwnValue("model", "gpt-secret-7", "the model")], ContextRules())
    assert run.arguments({"q": "the model"}) == {"q": "the model"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path)
    held = made.run.profile.model_copy(update={"context": ContextRules(results=Treatment.HOLD)})
    made.run = replace(made.run, profile=held)
    made.gate = make_gate(made.town, made.run, made.hands, hold_wait_seconds=0.05)
    yield made
    made.town.close()


async def read(shop: Workshop) -> Reply:
    action = shop.action("list_folders")

    async def perform() -> Performed:
        return as_seen(shop.run, action, Performed({"text": STATUS}))

    return await shop.gate.enforce(shop.run, action, perform)


def approve_by_hand(tx: Tx) -> None:
    tx.conn.exec_driver_sql("UPDATE hold SET state = 'approved'")


def test_a_row_set_by_hand_shows_no_result_that_was_kept_back(shop: Workshop) -> None:
    """R-20: signed words let it pass, not a row."""

    async def work() -> tuple[Reply, Reply]:
        first = await read(shop)
        shop.town.write(approve_by_hand)
        return first, await read(shop)

    first, second = asyncio.run(work())
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
