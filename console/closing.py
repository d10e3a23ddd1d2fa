"""Reading and closing reviews: the half of `review` that knows packets, keys and statements.

What is shown and signed is built here from the packet that was fetched: its digest is computed on this side,
so the control plane cannot show one packet and have another signed.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import typer

from console.client import Client
from console.consent import Consent, forget_typed, nobody_to_ask, show_whole
from console.errors import BlockedError, IntegrityError, UsageError
from console.escape import escape, escape_json
from console.session import Session
from console.show.reviews import closure_page, packet_page
from console.show.text import STDOUT, note, say, say_json
from console.show.values import Json
from console.shown import check_digest
from console.signing import signer
from rollout.reviews.closure import Closure, ClosureError, Word, lacking, matter_to_close, read_closure
from rollout.reviews.packet.model import Packet, PacketError, read_packet
from rollout.reviews.packet.render import as_html, as_markdown, as_text
from rollout.reviews.renewal import renewable
from runtime.alerts.rules import Disposition


class Form(StrEnum):
    """How a packet is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


@dataclass(frozen=True)
class Asked:
    """What the command line said about closing.

    Attributes:
        file: holds the words; None: they are asked for.
        same_as: whose words to say again.
        renew: the only grants to renew; None: all that can be.
        no_renewal: renew none.
    """

    file: Path | None = None
    same_as: str | None = None
    renew: tuple[str, ...] | None = None
    no_renewal: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether the words are asked for, so that the packet is read before them."""
        return self.file is None and self.same_as is None


def deliver(session: Session, answer: Json, form: str, output: Path | None) -> None:
    """Print the packet of an answer, or write it to a new file; `-` as its name means to print it.

    Raises:
        UsageError: the form is unknown, or the file exists.
        BlockedError: nothing was printed for the review yet.
    """
    written, output = _form(form), None if output == STDOUT else output
    if session.json and output is None:
        say_json(answer)
        return
    packet = packet_of(answer)
    if output is not None:
        _write(output, _WRITTEN[written](packet))
        note(f"{output}: packet {packet.digest}")
        if session.json:
            say_json({"file": str(output), "digest": packet.digest})
    elif written is Form.TEXT:
        say(*packet_page(packet))
    else:
        sys.stdout.write(_WRITTEN[written](packet))


def packet_of(answer: Json) -> Packet:
    """Return the packet of an answer, its digest computed here.

    Raises:
        BlockedError: nothing was printed yet.
        IntegrityError: it is not what the control plane says it is.
    """
    review = str(answer["review"]["review"])
    if answer["packet"] is None:
        step = f"handrail review run {escape(review)}"
        raise BlockedError(f"review {escape(review)}: no packet was printed yet", next_step=step)
    try:
        packet = read_packet(answer["packet"])
    except PacketError as error:
        raise IntegrityError(f"review {escape(review)}: {error}", next_step="handrail --version") from error
    check_digest(str(answer["digest"]), packet.digest, "the packet")
    return packet


def close_review(session: Session, client: Client, review: str, asked: Asked, *, consent: Consent) -> Json:
    """Sign what closes a review, once the person agrees.

    Args:
        session: names the key.
        client: calls the control plane.
        review: the review's id.
        asked: what the command line said.
        consent: what it said about asking.

    Returns:
        The control plane's answer.
    """
    answer = client.get("reviews", review)
    packet = packet_of(answer)
    check_digest(packet.head.obligation, review, "the packet's review")
    by = signer(session, client)
    closure = _renewing(_words(session, packet, answer, asked, consent), asked)
    if lacks := lacking(packet, closure):
        raise BlockedError(f"review {escape(review)} lacks {escape('; '.join(lacks))}")
    renewed = [one for one in renewable(packet) if one.grant in closure.renews]
    read = [] if asked.by_hand else [*packet_page(packet), ""]
    page = [*read, *closure_page(packet, closure, renewed)]
    card = {"packet": packet.as_json(), "closure": closure.as_json()}
    question = f"Close this review with these words, as {by.person}?"
    consent.require(session, card, page, packet.digest, question)
    said = by.say(matter_to_close(packet, closure))
    return client.post("reviews", review, "closings", body=said)


def _words(session: Session, packet: Packet, answer: Json, asked: Asked, consent: Consent) -> Closure:
    offered = [one.grant for one in renewable(packet)]
    if asked.file is not None and asked.same_as is not None:
        raise UsageError("--dispositions and --same-as", got="both", expected="one of them")
    if asked.file is not None:
        return _from_file(asked.file, offered)
    if asked.same_as is not None:
        return _from_person(answer, asked.same_as)
    if consent.yes or nobody_to_ask(session):
        if session.json:
            say_json(answer)
        else:
            say(*packet_page(packet))
        step = "add: --dispositions FILE (see handrail review close --help)"
        raise UsageError("nobody can be asked here", got="no words", next_step=step)
    return _asked_for(packet, offered)


def _from_file(path: Path, offered: Sequence[str]) -> Closure:
    try:
        return read_closure(json.loads(path.read_text()), offered=offered)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, ClosureError) as error:
        raise UsageError(f"{path}: {escape(str(error))}", next_step="handrail review close --help") from error


def _from_person(answer: Json, person: str) -> Closure:
    said = answer["said"]
    if person not in said:
        signed = ", ".join(sorted(said)) or "nobody"
        raise UsageError(
            f"--same-as {person}", got=f"signed by {escape(signed)}", expected="one who has signed"
        )
    return read_closure(said[person], offered=())


def _asked_for(packet: Packet, offered: Sequence[str]) -> Closure:
    """Show the whole packet, then ask about each pattern and each question."""
    show_whole(packet_page(packet))
    words = tuple(
        Word(one.id, _disposition(f"{one.id}  {one.count}x  {one.text}"), _text("why"))
        for one in packet.patterns
    )
    answers = tuple(_text(question) for question in packet.questions)
    return Closure(words, answers, tuple(offered))


def _disposition(head: str) -> Disposition:
    say(escape(head))
    names = {one.value: one for one in Disposition}
    while True:
        forget_typed()
        typed = str(typer.prompt(f"  {' / '.join(names)}", prompt_suffix=": ")).strip()
        if typed in names:
            return names[typed]


def _text(question: str) -> str:
    while True:
        forget_typed()
        if text := str(typer.prompt(f"  {escape(question)}", prompt_suffix=" ")).strip():
            return text


def _renewing(closure: Closure, asked: Asked) -> Closure:
    if asked.no_renewal and asked.renew:
        raise UsageError("--renew and --no-renewal", got="both", expected="one of them")
    if asked.no_renewal:
        return replace(closure, renews=())
    return closure if asked.renew is None else replace(closure, renews=asked.renew)


def _form(name: str) -> Form:
    try:
        return Form(name)
    except ValueError as error:
        raise UsageError("--format", got=name, expected=", ".join(Form)) from error


def _write(path: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists", expected="a new file", next_step="-o another name") from error


_WRITTEN: dict[Form, Callable[[Packet], str]] = {
    Form.TEXT: as_text,
    Form.MARKDOWN: as_markdown,
    Form.HTML: as_html,
    Form.JSON: lambda packet: escape_json(packet.as_json(), indent=2) + "\n",
}
