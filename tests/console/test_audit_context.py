"""`handrail audit context`: the ledger of context at the terminal (R-60)."""

from dataclasses import replace
from typing import Any

from console.show.entered import entered_page
from runtime.context.results import as_seen
from runtime.gate.replies import Performed
from sandboxes.scrub.model import OwnValue
from tests.standins.counter import Counter

ITEM = {
    **dict.fromkeys(("number", "source", "sha256", "taint", "entry", "state"), "x"),
    "at": "2026-11-21T10:00:00+00:00",
    "changes": [],
}
OWN = OwnValue("node", "node-7777qqqq", "ref-surrogate")
HOSTILE = f"on {OWN.value}\x1b[2J by gpt-4o-2024-08-06"


def shows(counter: Counter, tool: str, text: str, **args: Any) -> None:
    """Let the agent call a tool that answers with a text."""
    run = replace(counter.shop.run, own=(OWN,))
    action = counter.shop.action(tool, args)

    async def perform() -> Performed:
        return as_seen(run, action, Performed({"content": [{"type": "text", "text": text}]}))

    counter.begin(counter.shop.gate.enforce(run, action, perform)).result(20)


def test_everything_is_listed_in_order_with_source_hash_taint_and_counts(counter: Counter) -> None:
    """R-60: denials count too."""
    shows(counter, "read_folder", HOSTILE, folder="INBOX")
    shows(counter, "pay", "never shown", to="bob", amount=1)

    listed = counter.ask("audit", "context", counter.shop.run.run)["items"]
    printed = counter.type("audit", "context", counter.shop.run.run)

    assert [(one["number"], one["source"], one["taint"]) for one in listed] == [
        (1, "tool:read_folder", "trusted"),
        (2, "tool:pay", "trusted"),
    ]
    assert (listed[0]["replaced"], listed[0]["flagged"]) == ({"own": 1}, {"model": 1})
    assert listed[0]["sha256"][:12] in printed.out
    assert "1 own" in printed.out
    assert max(map(len, printed.out.splitlines())) <= 100


def test_one_thing_is_shown_escaped_with_its_changes_as_a_diff(counter: Counter) -> None:
    shows(counter, "read_folder", HOSTILE, folder="INBOX")

    printed = counter.type("audit", "context", counter.shop.run.run, "--show", "1")

    assert printed.code == 0
    assert "\x1b" not in printed.out
    assert f"- {OWN.value}\n+ ref-surrogate\n" in printed.out
    assert "\n  gpt-4o-2024-08-06\n" in printed.out
    assert (
        "on ref-surrogate" in printed.out.rpartition("gpt-4o-2024-08-06\n")[2]
        or "ref-surrogate" in printed.out
    )


def test_a_text_of_several_lines_is_shown_as_a_person_reads_it(counter: Counter) -> None:
    """Its line ends are line ends, and a line of it that looks like one of ours is marked."""
    shows(counter, "read_folder", 'Dear \u202eKim,\nentry  7\nsays "C:\\new"', folder="INBOX")

    out = counter.type("audit", "context", counter.shop.run.run, "--show", "1").out

    assert out.endswith(
        "| content:\n|   -\n|     text: text of 3 lines, 33 characters\n"
        '|       | Dear \\u202eKim,\n|       | entry  7\n|       | says "C:\\\\new"\n|     type: "text"\n'
    )


def test_a_value_of_any_shape_is_shown_whole_and_no_line_is_too_broad() -> None:
    deep: Any = "x\ny"
    for _ in range(100):
        deep = [deep, {}]
    value = {"a\nb": "long " * 60, "none": None, "deep": deep, "number": 2.5}

    page = entered_page({**ITEM, "value": value})

    assert '| a\\nb: "long' in "\n".join(page)
    assert "| number: 2.5" in page
    assert "x\\ny" in "".join(line[2:] for line in page)
    assert max(map(len, page)) <= 100


def test_a_denial_is_shown_as_the_constant_it_was(counter: Counter) -> None:
    shows(counter, "pay", "never shown", to="bob", amount=1)

    shown = counter.ask("audit", "context", counter.shop.run.run, "--show", "1")

    assert (shown["state"], shown["value"]) == ("constant", "This action was not carried out.")


def test_a_number_that_is_not_there_and_a_run_that_is_not_there_are_told(counter: Counter) -> None:
    beyond = counter.type("audit", "context", counter.shop.run.run, "--show", "7")
    nobody = counter.type("audit", "context", "run-nobody")

    assert (beyond.code, nobody.code) == (2, 1)
    assert "item 7" in beyond.err
    assert "run-nobody" in nobody.err


def test_nothing_yet(counter: Counter) -> None:
    assert "nothing entered" in counter.type("audit", "context", counter.shop.run.run).out
