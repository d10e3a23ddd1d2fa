"""`--json`: whatever a command prints on its standard output is JSON, one value or one a line."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from profiles.effects import Effect
from runtime.grants import Issued
from tests.console.test_command_line import leaves
from tests.flows.test_cli_json import WITH_SERVE
from tests.standins.counter import Counter, Printed
from tests.standins.deployed import deployed
from tests.standins.persons import Person, policy_of
from tests.standins.remembering import Remembering
from tests.standins.reviewing import RUN, began
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, grant, order
from tests.standins.workshop import PROFILE

AGENT = "teller"
MAIL = {"to": ["a@known.example"], "subject": "Re: invoice", "body": "see below"}
ACTION = '{"type": "action", "tool": "read", "args": {}}\n'


@dataclass(frozen=True)
class Row:
    """A command line; `{name}` in it is something of the counter.

    Attributes:
        line: the words, `|` between them.
        person: who signs.
        code: the exit code; 2 where a card is shown that waits for a yes.
        has: a member of each value printed, or several with `|` between them, of which it has one; empty:
            nothing is printed, and the error stream says why.
        stdin: what is typed into it.
    """

    line: str
    has: str
    person: Person | None = None
    code: int = 0
    stdin: str = ""


def card(line: str, person: Person) -> Row:
    """A row of what asks for a yes: nobody is asked, and all that would be signed is printed."""
    return Row(line, "card", person, 2)


ROWS = (
    Row("profile|check|doc-reader", "digest"),
    Row("profile|compile|doc-reader", "cedar"),
    Row("profile|schema", "$defs"),
    Row("profile|shipped", "profiles"),
    Row("agent|register|other|--trait|internal-docs|--owner|olga", "agent"),
    Row("agent|show|teller", "agent"),
    Row("agent|list", "agents"),
    Row("deploy|show|{deployment}", "deployment"),
    Row("deploy|diff|{earlier}|{deployment}", "profile_diff"),
    card("deploy|rollback|teller|{earlier}|--reason|a test", ROSA),
    card("deploy|outdated|teller|--reason|a test", ROSA),
    Row("runs|list", "runs"),
    Row("runs|show|{ran}", "run"),
    Row("approvals|list", "approvals"),
    Row("approvals|show|{hold}", "card"),
    card("approvals|approve|{hold}", SVEN),
    card("approvals|reject|{hold}|--reason|a test", SVEN),
    Row("suggestions|list", "suggestions"),
    Row("suggestions|show|{suggestion}", "card"),
    card("suggestions|judge|{suggestion}|agree|--reason|a test", DORA),
    Row("suggestions|review", "left", DORA),
    Row("suggestions|next", "left", DORA),
    card("suggestions|expect|{suggestion}|--words|label it", DORA),
    Row("suggestions|judge|{suggestion}|agree|--reason|a test", "", DORA, 3),
    Row("memory|log|clerk", "versions"),
    Row("memory|diff|clerk", "lines"),
    card("memory|adopt|clerk|{version}|--reason|a test", DORA),
    card("memory|rollback|clerk|none|--reason|a test", DORA),
    Row("memory|quarantine|clerk|{version}|--reason|a test", "do", DORA),
    Row("review|list", "reviews"),
    Row("review|run", "printed"),
    Row("review|run|{review}", "packet"),
    Row("review|show|{review}", "packet"),
    Row("review|show|{review}|--format|html", "packet"),
    Row("review|show|{review}|--format|html|-o|{new}.html", "file"),
    Row("review|close|{review}", "packet", DORA, 2),
    card("review|close|{review}|--dispositions|{words}", DORA),
    Row("assess|show|teller", "capabilities"),
    card("assess|record|teller|goal-conflict|pass|--reason|a test", DORA),
    Row("gates|status|teller", "gates", code=3),
    Row("gates|explain|teller|G3", "gates", code=3),
    card("gates|accept|teller|G7|--reason|a test", ROSA),
    Row("promote|request|teller|draft|--draft", "evidence"),
    Row("promote|list", "promotions"),
    Row("promote|show|{promotion}", "frozen"),
    card("promote|approve|{promotion}", ROSA),
    card("promote|reject|{promotion}|--reason|a test", ROSA),
    card("promote|except|{promotion}|--gate|G1|--reason|a test", ROSA),
    Row("promote|apply|{promotion}", "state", code=3),
    Row("promote|withdraw|{promotion}|--reason|a test", "state", OLGA),
    Row("promote|request|teller|draft|--reason|a test", "frozen", OLGA),
    Row("demote|teller|--reason|a test", "agent", OLGA),
    Row("grants|list", "grants"),
    Row("alerts|list", "alerts"),
    Row("alerts|show|{alert}", "card"),
    card("alerts|close|{alert}|--as|explained|--reason|a test", DORA),
    Row("alerts|escalate|{alert}|--reason|a test", "escalated", DORA),
    Row("alerts|report|{ran}|--rule|contradiction|--reason|a test", "escalated", DORA),
    Row("incidents|list", "incidents"),
    Row("incidents|show|{incident}", "card"),
    card("incidents|ack|{incident}|--reason|a test", LENA),
    Row("resume", "suspensions"),
    Row("freeze|--agent|other|--reason|a test", "freeze", OLGA),
    Row("unfreeze", "freezes"),
    Row("person|list", "people"),
    card("person|add|zoe|--key-file|{zoe}.pub|--group|domain", ROSA),
    card("person|revoke|sven|--reason|a test", ROSA),
    Row("policy|show", "pending"),
    card("policy|propose|{policy}", ROSA),
    card("policy|sign|{change}", OLGA),
    Row("audit|trace|{run}", "kind"),
    Row("audit|context|{run}", "items"),
    Row("audit|tail|-n|5", "kind"),
    Row("audit|export|-o|{new}.jsonl", "lines"),
    Row("audit|export|-o|-", "leaf|checkpoint"),
    Row("audit|reconcile", "open"),
    Row("context|scrub|-", "text", stdin="You run on staging."),
    Row("context|scrub|-|--diff", "text", stdin="You run on staging."),
    Row("context|lint|-", "findings", code=4, stdin="You run on staging."),
    Row("simulate|--days|2", "days"),
    Row("decide|--profile|doc-reader|--tier|0", "outcome", stdin=ACTION),
)


def test_every_command_is_in_a_table() -> None:
    known = {tuple(row.line.split("|")) for row in ROWS} | {tuple(words) for words in WITH_SERVE}
    missing = [words for words in leaves() if not any(line[: len(words)] == tuple(words) for line in known)]
    assert missing == []


def test_every_command_prints_json_or_refuses_on_the_error_stream(
    counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-91: a script never has to read a page for people."""
    names = staffed(counter, tmp_path)
    said = [(row.line, wrong_with(row, counter, names, monkeypatch)) for row in ROWS]
    wrong = [f"{line}: {trouble}" for line, trouble in said if trouble]
    assert not wrong, "\n".join(wrong)


def wrong_with(
    row: Row, counter: Counter, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> str | None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row.stdin.encode())))
    words = [word.format_map(names) for word in row.line.split("|")]
    printed = counter.type(*words, "--json", person=row.person)
    if printed.code != row.code:
        return f"exit code {printed.code}: {printed.err}{printed.out[:200]}"
    if not row.has:
        return None if not printed.out and printed.err.startswith("handrail: ") else repr(printed)
    try:
        values = list(values_of(printed))
    except ValueError as error:
        return f"{error}: {printed.out[:200]!r}"
    lacking = [value for value in values if not any(name in value for name in row.has.split("|"))]
    return f"lacks {row.has}: {lacking or values}"[:300] if lacking or not values else None


def values_of(printed: Printed) -> Iterator[Any]:
    """One value, or one a line."""
    try:
        yield json.loads(printed.out)
    except ValueError:
        yield from map(json.loads, printed.out.splitlines())


def staffed(counter: Counter, directory: Path) -> dict[str, str]:
    """Let something of everything happen; return the names of what came of it."""
    counter.act("send_mail", **MAIL)
    counter.act("rm_")
    counter.begin(counter.shop.act("read_folder", {"folder": "secret"}))
    return {
        "new": str(directory / "new"),
        "zoe": str(counter.key(Person("zoe"))),
        "run": counter.shop.run.run,
        "ran": RUN,
        "hold": counter.waiting(),
        "suggestion": counter.ask("suggestions", "list")["suggestions"][0]["suggestion"],
        "alert": counter.ask("alerts", "list")["alerts"][0]["card"]["alert"],
        "incident": counter.ask("incidents", "list")["incidents"][0]["card"]["incident"],
        **under_review(counter, directory),
        "version": remembered(counter),
        **with_a_change(counter, directory),
    }


def remembered(counter: Counter) -> str:
    memory = Remembering(counter.shop.town)
    run = memory.begin(memory.deploy())
    memory.writes(run, "habits", "Pay on Fridays.")
    version = memory.ends(run)
    assert version is not None
    return version.id


def under_review(counter: Counter, directory: Path) -> dict[str, str]:
    """An agent that was deployed twice, may draft, owes a review and asks for more."""
    town = counter.shop.town
    town.tamper("UPDATE deployment SET profile_text = :profile", profile=PROFILE)
    earlier = deployed(town, AGENT, profile="action-executor")
    granted = order(town, Effect.DRAFT, deployment=earlier)
    assert isinstance(grant(town, granted, ROSA), Issued)
    town.later(seconds=1)
    deployment = deployed(town, AGENT, profile="action-executor", image="sha256:bb")
    began(town, AGENT, deployment)
    town.later(minutes=1)
    counter.ask("review", "run")
    rows = counter.ask("review", "list", "--agent", AGENT)["reviews"]
    review = next(
        row["review"] for row in rows if row["kind"] == "periodic" and row["deployment"] == deployment
    )
    packet = counter.ask("review", "run", review)["packet"]
    answers = ["no" for _ in packet["questions"]]
    said = [
        {"pattern": one["id"], "disposition": "explained", "text": "a test"} for one in packet["patterns"]
    ]
    words = directory / "words.json"
    words.write_text(json.dumps({"dispositions": said, "answers": answers}))
    asked = counter.type("promote", "request", AGENT, "draft", "--reason", "a test", person=OLGA)
    assert asked.code == 0, asked.err
    promotion = counter.ask("promote", "list")["promotions"][0]["promotion"]
    return {
        "earlier": earlier,
        "deployment": deployment,
        "review": review,
        "words": str(words),
        "promotion": promotion,
    }


def with_a_change(counter: Counter, directory: Path) -> dict[str, str]:
    """A policy that somebody proposed, and the file of another."""
    text = policy_of(*(person.enrolled("policy") for person in (OLGA, ROSA)), version=2)
    policy = directory / "policy.yaml"
    policy.write_text(text)
    words = ("policy", "propose", str(policy))
    digest = json.loads(counter.type(*words, "--json", person=ROSA).out)["digest"]
    assert counter.type(*words, "--yes", "--digest", digest, person=ROSA).code == 0
    return {"policy": str(policy), "change": digest}
