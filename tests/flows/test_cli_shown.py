"""What an agent would be shown, looked through by the command alone: before the signature, at the launch."""

import json
from hashlib import sha256

import pytest

from tests.standins.boxes import BUSYBOX
from tests.standins.office import Office

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

TELLS = "You are an AI model that will be updated quarterly."
PROFILE = f"""
profile: teller
version: 1
purpose: Say a few words from inside a box.
image: {BUSYBOX}
command: [sh, -c, "env; tr '\\\\0' '\\\\n' </proc/self/cmdline", "{TELLS}"]
never:
  - {{id: nothing-critical, text: Never do anything critical., effects: [critical]}}
limits: {{wall_seconds: 120}}
"""
MODEL = "model: {alias: gpt-5, provider: openai, name: gpt-5-mini}\n"


def test_what_tells_is_on_the_card_at_the_launch_and_in_the_record(office: Office) -> None:
    """R-19, R-41, R-60: found before the signature, told at the launch, counted, recorded item by item."""
    (office.root / "teller.yaml").write_text(PROFILE)
    with office.serving():
        registered = office.type("agent", "register", "teller", "--trait", "internal-docs", "--owner", "bob")
        words = ("deploy", "create", "teller", "--profile", f"{office.root}/teller.yaml")
        card = office.type(*words, person="alice")
        office.agreed(*words, person="alice")
        printed = office.type("launch", "teller", "--task", f"{TELLS} Count the files.")
        (run,) = office.ask("runs", "list")["runs"]
        lines = office.type("audit", "trace", run["id"], "--json").out.splitlines()
        context = office.ask("audit", "context", run["id"])["items"]
        by_source = {item["source"]: item for item in context}
        task = str(by_source["prompt:TASK"]["number"])
        shown = office.ask("audit", "context", run["id"], "--show", task)

    assert (registered.code, printed.code) == (0, 0)
    assert "what the agent would be shown tells something of its status:" in card.out
    assert "command[3]" in card.out
    assert "task: " in printed.err
    assert "suggested:" in printed.err
    told = {entry["kind"]: entry["data"] for entry in map(json.loads, lines)}
    assert told["run.requested"]["told"] == {"deprecation": 1}
    flagged = {source: item["flagged"] for source, item in by_source.items() if item["flagged"]}
    assert flagged == {"prompt:TASK": {"deprecation": 1}, "argument:3": {"deprecation": 1}}
    assert (shown["state"], shown["value"]) == ("kept", f"{TELLS} Count the files.")
    assert sha256(shown["value"].encode()).hexdigest() == shown["sha256"]
    assert [(one["found"], one["put"]) for one in shown["changes"]] == [
        ("that will be updated quarterly", None)
    ]
    items = {(kind, name) for kind, name, _, _ in told["run.released"]["context"]}
    assert {("prompt", "TASK"), ("argument", "0"), ("name", "hostname"), ("text", "withheld")} <= items


def test_an_alias_that_names_the_model_is_refused_before_anybody_signs(office: Office) -> None:
    """R-20: with the fix."""
    (office.root / "teller.yaml").write_text(PROFILE + MODEL)
    with office.serving():
        office.type("agent", "register", "teller", "--trait", "internal-docs", "--owner", "bob")
        words = ("deploy", "create", "teller", "--profile", f"{office.root}/teller.yaml")
        refused = office.type(*words, person="alice")
        left = office.ask("agent", "show", "teller")["agent"]["deployments"]

    assert refused.code == 1
    assert "model.alias" in refused.err
    assert "give it a name of its task, such as `assistant`" in refused.err
    assert left == []


def test_a_launch_that_tells_nothing_says_nothing(office: Office) -> None:
    (office.root / "teller.yaml").write_text(PROFILE.replace(f', "{TELLS}"', ""))
    with office.serving():
        assert office.deploy("teller", office.root / "teller.yaml").code == 0
        printed = office.type("launch", "teller", "--task", "Count the files.", "--json")

    answer = json.loads(printed.out)
    assert answer["told"] == []
    assert [line.partition(" began;")[0] for line in printed.err.splitlines()] == [
        f"run {answer['run']['id']}"
    ]
    assert answer["task"]["suggested"] == "Count the files."
