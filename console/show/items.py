"""Items on the terminal: one at a time, the whole card, or the reduced one that comes first (blind)."""

from console.escape import escape
from console.show.cards import suggestion_page
from console.show.text import Cell, Style, paint
from console.show.values import Json, plain

_KINDS = {"suggestion": "a suggestion, not executed", "executed": "a write that was carried out"}


def item_page(answer: Json) -> list[str]:
    """Lay out an item: its card, what the person said before, and what is to be said now."""
    said = answer["expectation"]
    before = [] if said is None else [f"you said you would: {paint(plain(said))}"]
    return [*suggestion_page(answer), *before, *_next_step(answer)]


def loop_head(answer: Json, number: int, total: int) -> str:
    """Return the line above an item in the review loop."""
    second = ", a second look: somebody calls it harmful" if _second(answer) else ""
    blind = ", blind first" if answer["phase"] == "expect" else ""
    text = f"item {number} of {total}: {_KINDS[answer['kind']]}{blind}{second}"
    return paint(Cell(f"-- {text} ", Style.HEAD)) + "-" * max(0, 96 - len(text))


def loop_page(answer: Json) -> list[str]:
    """Lay out an item in the review loop: what others judged is held back, so that each looks anew."""
    return item_page({**answer, "judgements": []})


def said_page(answer: Json) -> list[str]:
    """Say that an expectation was taken."""
    line = f"{escape(answer['item'])}: recorded what {escape(answer['person'])} would do"
    return [line, f"now the proposal: handrail suggestions show {escape(answer['item'])} --key FILE"]


def next_page(answer: Json) -> list[str]:
    """Lay out the answer of `suggestions next`."""
    item = answer["item"]
    if item is None:
        return ["nothing waits for you"]
    return [loop_head(item, 1, answer["left"]), *loop_page(item)]


def _second(answer: Json) -> bool:
    return any(one["verdict"] == "harmful" for one in answer["judgements"])


def _next_step(answer: Json) -> list[str]:
    if answer["phase"] != "expect":
        return []
    return ["held back: why, and the arguments under `withheld`; they come once you said what you would do"]
