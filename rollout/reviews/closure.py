"""Closing a review: what a person says about it, and what is signed. Pure.

One function builds what is signed, for who signs and for who checks. It binds the packet that was shown by
its digest, a word about every pattern in it, an answer to every question, and each grant's next end.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from rollout.errors import RolloutError
from rollout.reviews.packet.model import Packet
from rollout.reviews.renewal import renewable
from runtime.alerts.rules import Disposition
from runtime.canonical import JsonValue
from runtime.grant_chain import RENEWS, renewals_in
from runtime.people.statement import Matter, Statement, StatementType

MOST_WORDS: Final = 2000
_DISPOSITIONS: Final = "dispositions"
_ANSWERS: Final = "answers"


class ClosureError(RolloutError):
    """Words that do not have the shape of a closing."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person found a pattern to be, and why."""

    pattern: str
    disposition: Disposition
    text: str

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as it is signed."""
        return {"pattern": self.pattern, "disposition": self.disposition.value, "text": self.text}


@dataclass(frozen=True, slots=True)
class Closure:
    """What a person says to close a review.

    Attributes:
        words: one about each pattern of the packet.
        answers: one to each question of the packet, in its order.
        renews: ids of the grants that are renewed.
    """

    words: tuple[Word, ...]
    answers: tuple[str, ...]
    renews: tuple[str, ...] = ()

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The patterns that nobody can explain (R-54)."""
        return tuple(word.pattern for word in self.words if word.disposition is Disposition.UNEXPLAINED)

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as a file or an answer holds it; `read_closure` reads it back."""
        return {
            _DISPOSITIONS: [word.as_json() for word in self.words],
            _ANSWERS: list(self.answers),
            RENEWS: list(self.renews),
        }


def lacking(packet: Packet, closure: Closure) -> tuple[str, ...]:
    """Return what is missing, or too much, before the review can be closed (R-36, R-39); empty: nothing."""
    listed, said = [one.id for one in packet.patterns], [word.pattern for word in closure.words]
    offered = {renewal.grant for renewal in renewable(packet)}
    return (
        *(f"a disposition of {id_}" for id_ in listed if id_ not in said),
        *(f"{id_} is no pattern of this packet" for id_ in dict.fromkeys(said) if id_ not in listed),
        *(f"{id_} has more than one disposition" for id_ in dict.fromkeys(said) if said.count(id_) > 1),
        *(f"a text about {word.pattern}" for word in closure.words if not _is_text(word.text)),
        *_unanswered(packet, closure.answers),
        *(f"{grant} cannot be renewed by this review" for grant in closure.renews if grant not in offered),
    )


def matter_to_close(packet: Packet, closure: Closure) -> Matter:
    """Return what is signed to close the review of a packet."""
    body: dict[str, JsonValue] = {
        _DISPOSITIONS: [word.as_json() for word in closure.words],
        _ANSWERS: [
            {"question": question, "text": text}
            for question, text in zip(packet.questions, closure.answers, strict=False)
        ],
        RENEWS: [one.as_json() for one in renewable(packet) if one.grant in closure.renews],
    }
    return Matter(StatementType.REVIEW, packet.head.obligation, packet.digest, body)


def read_closure(value: object, *, offered: Collection[str]) -> Closure:
    """Read what a file says to close a review.

    Args:
        value: `dispositions` (each with pattern, disposition and text), `answers` (texts in the order of the
            questions), and `renews` (ids of grants).
        offered: the grants that are renewed if the file does not say which.

    Raises:
        ClosureError: it has another shape.
    """
    if not isinstance(value, Mapping):
        raise ClosureError("the words that close a review: expected an object")
    if strange := sorted(value.keys() - {_DISPOSITIONS, _ANSWERS, RENEWS}):
        raise ClosureError(f"{', '.join(strange)}: expected {_DISPOSITIONS}, {_ANSWERS} and {RENEWS}")
    try:
        return Closure(
            words=tuple(_word(one) for one in _list(value, _DISPOSITIONS)),
            answers=tuple(_plain(one, _ANSWERS) for one in _list(value, _ANSWERS)),
            renews=tuple(
                _plain(one, RENEWS) for one in (_list(value, RENEWS) if RENEWS in value else offered)
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ClosureError(f"the words that close a review: {error}") from error


def closure_of(statement: Statement) -> Closure | None:
    """Return what a statement says to close a review; None if it does not have that shape."""
    words, answers = statement.body.get(_DISPOSITIONS), statement.body.get(_ANSWERS)
    if not isinstance(words, list) or not isinstance(answers, list):
        return None
    try:
        return Closure(
            words=tuple(_word(one) for one in words),
            answers=tuple(_text(one, "text") for one in answers),
            renews=tuple(renewal.grant for renewal in renewals_in(statement)),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _word(value: object) -> Word:
    return Word(_text(value, "pattern"), Disposition(_text(value, "disposition")), _text(value, "text"))


def _list(value: Mapping[str, object], name: str) -> list[object]:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise TypeError(f"{name}: expected a list")
    return found


def _plain(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected texts")
    return value


def _text(value: object, name: str) -> str:
    text = value[name] if isinstance(value, Mapping) else None
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a text")
    return text


def _unanswered(packet: Packet, answers: Collection[str]) -> tuple[str, ...]:
    if len(answers) != len(packet.questions):
        return (f"answers to {len(packet.questions)} questions, got {len(answers)}",)
    pairs = zip(packet.questions, answers, strict=True)
    return tuple(f"an answer to: {question}" for question, text in pairs if not _is_text(text))


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MOST_WORDS
