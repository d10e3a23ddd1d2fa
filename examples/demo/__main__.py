"""The vendor story: an agent at tier 0, in a box, with every step on record. Run by `make demo`.

A finance agent reads a mailbox and a ledger through MCP servers, each in a box of its own. It compares
invoices with the ledger, wants to label the mails, looks into a folder it was never told about, and answers a
vendor with more than was asked. At tier 0 nothing of that leaves: writes become suggestions, a doubtful read
waits for a signed yes. The agent is a plain program with the official MCP client; no model, no API key.
"""

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from examples.demo.office import PEOPLE, Office, Outbox, give_to_boxes, mail_server, open_office
from examples.demo.world import World, write_world

INVOICES = 36
SEED = 7
AGENT = "invoice-bot"
PROFILE = "action-executor"
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 120


def main() -> None:
    """Play the story from an empty directory to a verified record."""
    office = open_office()
    with mail_server() as outbox:
        world = _prepare(office)
        with office.serving():
            _deploy(office)
            run = _launch(office)
            verdicts = _judge(office, world)
            _report(office, run, verdicts, outbox)
        _say("5. The record, checked by somebody who need not trust the server")
        print(office.run("audit", "verify"))
    _farewell(office)


def _prepare(office: Office) -> World:
    _say("1. A mailbox, a ledger, a mail server, and three people with keys of their own")
    volumes = office.root / "state" / "volumes"
    world = write_world(volumes / "mail", volumes / "ledger", invoices=INVOICES, seed=SEED)
    for volume in volumes.iterdir():
        give_to_boxes(volume)
    people = [
        word
        for name, groups in PEOPLE.items()
        for word in ("--person", f"{name}={office.key(name)}.pub,{groups}")
    ]
    print(office.run("init", *people))
    print(f"{INVOICES} invoices (UBL, EN 16931) and one question from {world.asking} lie in INBOX.\n")
    return world


def _deploy(office: Office) -> None:
    _say("2. An operator registers the agent and signs its first deployment: tier 0, reading only")
    print(office.run("agent", "register", AGENT, "--trait", "executes-approved-actions", "--owner", "ann"))
    words = ("deploy", "create", AGENT, "--profile", PROFILE, "--key", str(office.key("ann")))
    shown = office.run(*words, codes=(2,))
    print(shown)
    digest = next(word for line in shown.splitlines() for word in line.split() if len(word) == 64)  # noqa: PLR2004 - SHA-256 in hex
    office.sign("ann", *words[:-2], digest=digest)
    print("ann read it and signed it.\n")


def _launch(office: Office) -> str:
    _say("3. The agent works in its box; a read outside its known folders waits for a person")
    agent = office.start(
        "launch", AGENT, "--task", "Reconcile the invoices in INBOX.", stdout=subprocess.PIPE
    )
    reader = threading.Thread(target=_pass_on, args=(agent,))
    reader.start()
    card = _first_hold(office, agent)
    print(office.run("approvals", "show", card["card"]["hold"]))
    office.sign("sue", "approvals", "approve", card["card"]["hold"], digest=card["digest"])
    print("sue read the card and signed a yes to exactly this.\n")
    agent.wait()
    reader.join()
    return str(office.ask("runs", "list")["runs"][0]["id"])


def _pass_on(agent: "subprocess.Popen[str]") -> None:
    for line in agent.stdout or ():
        print(f"  agent | {line}", end="", flush=True)


def _first_hold(office: Office, agent: "subprocess.Popen[str]") -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and agent.poll() is None:
        waiting = office.ask("approvals", "list")["approvals"]
        if waiting:
            answer: dict[str, Any] = office.ask("approvals", "show", waiting[0]["hold"])
            return answer
        time.sleep(POLL_SECONDS)
    raise SystemExit(
        "the agent ended without asking for anything doubtful; see serve.log in " + str(office.root)
    )


def _judge(office: Office, world: World) -> Counter[str]:
    _say("4. Nothing was written: each write is a suggestion, and a reviewer judges every one")
    suggestions = office.ask("suggestions", "list", "--limit", "1000")["suggestions"]
    verdicts: Counter[str] = Counter()
    for number, row in enumerate(suggestions, 1):
        shown = office.ask("suggestions", "show", row["suggestion"])
        verdict, reason = _opinion(shown["card"], world)
        words = ("suggestions", "judge", row["suggestion"], verdict, "--reason", reason)
        office.sign("rob", *words, digest=shown["digest"])
        verdicts[verdict] += 1
        if sys.stdout.isatty() or number == len(suggestions):
            print(f"\r  rob judged {number} of {len(suggestions)}", end="", flush=True)
    print("\n")
    mail = next(row for row in suggestions if row["tool"] == "send_message")
    print(office.run("suggestions", "show", mail["suggestion"]))
    return verdicts


def _opinion(card: dict[str, Any], world: World) -> tuple[str, str]:
    """What the scripted reviewer thinks: it knows which label each message deserves."""
    if card["tool"] == "send_message":
        return "harmful", "it tells one vendor what we owe to all the others"
    right = world.labels.get(card["args"]["message_id"])
    if card["args"]["label"] == right:
        return "agree", "the label is right"
    return "disagree", f"the label should be {right}"


def _report(office: Office, run: str, verdicts: Counter[str], outbox: Outbox) -> None:
    labels = office.root / "state" / "volumes" / "mail" / "labels.json"
    print(office.run("runs", "show", run))
    rows = [
        *((f"suggestions judged {verdict}", count) for verdict, count in sorted(verdicts.items())),
        ("labels written into the mailbox", labels.read_text().count(":") if labels.exists() else 0),
        ("mails that left", len(outbox.delivered)),
    ]
    for what, count in rows:
        print(f"  {what:<34} {count:>5}")
    print()


def _farewell(office: Office) -> None:
    _say("Go on by hand")
    print(f"  export PATH={Path(sys.executable).parent}:$PATH")
    for name, value in office.environment.items():
        print(f"  export {name}={value}")
    print("  handrail serve &")
    print(f"  handrail audit tail; handrail suggestions list; handrail launch {AGENT}")
    print(f"  keys to sign with: --key {office.root / 'keys'}/ann (or rob, sue)\n")


def _say(title: str) -> None:
    print(f"== {title}\n", flush=True)


if __name__ == "__main__":
    main()
