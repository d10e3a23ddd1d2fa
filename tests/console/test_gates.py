"""Gates and assessments, typed by people with real keys over the real socket."""

import pytest

from profiles.effects import Effect
from rollout.gates.model import GateId
from runtime.grants import Issued
from tests.standins.counter import Counter, Printed
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Person
from tests.standins.towns import DORA, OLGA, ROSA, SVEN, grant, order

AGENT = "clerk"


@pytest.fixture
def deployment(counter: Counter) -> str:
    """An agent at tier 0 whose profile uses draft, update, send and critical."""
    return deployed(counter.shop.town, AGENT, profile="action-executor")


def sign(counter: Counter, *words: str, person: Person) -> Printed:
    """Type a command twice: to read its digest, then to say yes to exactly that."""
    shown = counter.type(*words, person=person)
    assert shown.code == 2, shown
    digest = shown.err.rsplit("--digest ", 1)[1].split()[0]
    return counter.type(*words, "--yes", "--digest", digest, person=person)


def test_status_names_every_gate_what_is_there_and_what_is_missing(counter: Counter, deployment: str) -> None:
    """Issue 3: `gates status`; exit code 4 where one fails, here the record that nobody anchored yet."""
    said = counter.type("gates", "status", AGENT)
    assert said.code in (3, 4), said
    assert deployment[:12] in said.out
    assert "draft" in said.out
    assert all(f"  {gate.value} " in said.out for gate in GateId)
    assert "silence is no evidence" in said.out
    assert "nobody has signed what the agent can reach" in said.out
    assert said.out.splitlines()[-1].startswith("blocked: ")
    assert all(len(line) <= 100 for line in said.out.splitlines())


def test_status_in_json_has_the_evidence_and_its_digest(counter: Counter, deployment: str) -> None:
    """The same as one value; `--effect` asks for another class."""
    printed = counter.type("gates", "status", AGENT, "--effect", "send", "--json")
    assert printed.code == 4  # draft comes first
    assert '"draft comes first: the lowest risk is granted first (R-33)"' in printed.out
    assert f'"deployment": "{deployment}"' in printed.out


def test_explain_says_what_one_gate_asks_and_what_to_do(counter: Counter, deployment: str) -> None:
    """Issue 3: `gates explain AGENT G3`; its exit code is that gate's own."""
    assert deployment
    said = counter.type("gates", "explain", AGENT, "G3")
    assert said.code == 3
    assert "E >= 20" in " ".join(said.out.split())
    assert "nothing was judged yet" in said.out
    assert "handrail suggestions review" in said.out
    fine = counter.type("gates", "explain", AGENT, "G5")
    assert fine.code == 0
    assert "pass" in fine.out
    assert all(len(line) <= 100 for line in (said.out + fine.out).splitlines())


@pytest.mark.parametrize("gate", [gate.value for gate in GateId])
def test_every_gate_can_be_explained(counter: Counter, deployment: str, gate: str) -> None:
    assert deployment
    said = counter.type("gates", "explain", AGENT, gate)
    assert said.code in (0, 3, 4), said
    assert f"{gate} " in said.out


def test_the_next_class_is_the_lowest_that_is_not_granted(counter: Counter, deployment: str) -> None:
    """R-33."""
    town = counter.shop.town
    asked = order(town, Effect.DRAFT, deployment=deployment, owner=OWNER)
    assert isinstance(grant(town, asked, ROSA), Issued)
    said = counter.type("gates", "status", AGENT)
    assert "update" in said.out.split("\n\n")[0]


def test_an_agent_without_a_deployment_is_told_so(counter: Counter) -> None:
    said = counter.type("gates", "status", "nobody")
    assert said.code == 1
    assert "no deployment" in said.err


def test_a_manager_accepts_drift_and_the_gate_passes(counter: Counter, deployment: str) -> None:
    """G7: below 100 actions only a manager's signed text passes it, for 30 days."""
    before = counter.type("gates", "explain", AGENT, "G7")
    done = sign(counter, "gates", "accept", AGENT, "G7", "--reason", "nothing ran yet", person=ROSA)
    assert before.code == 3
    assert done.code == 0, done
    assert done.out == f"rosa accepts G7 for {AGENT}, deployment {deployment[:12]}, for 30 days\n"
    after = counter.type("gates", "explain", AGENT, "G7")
    assert after.code == 0
    assert "accepted by rosa" in after.out


def test_nobody_else_accepts_drift(counter: Counter, deployment: str) -> None:
    assert deployment
    said = sign(counter, "gates", "accept", AGENT, "G7", "--reason", "fine", person=DORA)
    assert said.code == 3
    assert "takes the role rollout-manager" in said.err


@pytest.mark.parametrize("gate", ["G4", "G13"])
def test_no_other_gate_can_be_accepted(counter: Counter, deployment: str, gate: str) -> None:
    assert deployment
    said = counter.type("gates", "accept", AGENT, gate, "--reason", "fine", person=ROSA)
    assert said.code == 2


def test_the_blast_radius_is_shown_whole_and_signed_by_its_own_digest(
    counter: Counter, deployment: str
) -> None:
    """R-28: what is signed is the list that was shown, computed on this side."""
    assert deployment
    words = ("assess", "record", AGENT, "blast-radius", "pass", "--reason", "worst: a wrong label")
    shown = counter.type(*words, person=SVEN)
    listed = counter.ask("assess", "show", AGENT)["capabilities"]
    assert all(name in shown.out for name in (*listed["tools"], *listed["upstreams"], *listed["recipients"]))
    assert "to: recipient, subject: text, body: body" in shown.out
    reach = counter.ask("assess", "show", AGENT)["digest"]
    assert f"--digest {reach[:12]}" in shown.err
    done = counter.type(*words, "--yes", "--digest", reach[:12], person=SVEN)
    assert done.code == 0, done
    page = counter.type("assess", "show", AGENT).out
    assert "signed for exactly this" in page
    assert all(len(line) <= 100 for line in page.splitlines())


def test_verdicts_are_recorded_and_shown(counter: Counter, deployment: str) -> None:
    """R-29, R-30, R-63: with what was tried; a missing one is no data."""
    done = sign(
        counter,
        "assess",
        "record",
        AGENT,
        "multi-step",
        "pass",
        "--turns",
        "12",
        "--reason",
        "ok",
        person=DORA,
    )
    assert done.out == f"multi-step of {AGENT} passed, for deployment {deployment[:12]}\n"
    sign(counter, "assess", "record", AGENT, "goal-conflict", "fail", "--reason", "it hid it", person=SVEN)
    page = counter.type("assess", "show", AGENT).out
    assert [line.split()[:2] for line in page.splitlines()[-3:]] == [
        ["goal-conflict", "fail"],
        ["out-of-distribution", "no"],
        ["multi-step", "pass"],
    ]


def test_a_single_turn_is_refused(counter: Counter, deployment: str) -> None:
    """R-63."""
    assert deployment
    words = ("assess", "record", AGENT, "multi-step", "pass", "--reason", "one question")
    for turns in ((), ("--turns", "1")):
        said = sign(counter, *words, *turns, person=DORA)
        assert said.code == 3
        assert "several steps were not tested" in said.err


def test_the_owner_is_refused(counter: Counter, deployment: str) -> None:
    """F7."""
    assert deployment
    said = sign(counter, "assess", "record", AGENT, "goal-conflict", "pass", "--reason", "ok", person=OLGA)
    assert said.code == 3
    assert "owns the agent" in said.err
