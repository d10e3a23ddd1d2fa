"""The assessment of a deployment: whose word counts, about what, and what is no result at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from profiles.load import parse_profile
from rollout.evidence.assessments import Finding, Subject, assessment_of, record
from rollout.evidence.capabilities import capabilities, capabilities_digest
from rollout.evidence.model import Assessment, AssessmentKind
from rollout.gates.evaluate import evaluate
from rollout.gates.model import GateId, GateResult, Outcome
from runtime.people.roster import Refused
from tests.standins.persons import Person
from tests.standins.proving import Proving, policy_with
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN
from tests.standins.workshop import PROFILE


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    ground = Proving(tmp_path)
    yield ground
    ground.close()


def known(ground: Proving) -> Assessment:
    made, roster = ground.deployment, ground.roster
    return ground.town.read(lambda conn: assessment_of(conn, made, roster=roster))


def g9(ground: Proving) -> GateResult:
    found = ground.evidence()
    results = evaluate(found, approvals=None, now=found.at)
    return next(one for one in results if one.gate is GateId.G9)


def refusal(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.detail


def test_all_four_passed_pass_the_gate(ground: Proving) -> None:
    """R-28, R-29, R-30, R-67: blast radius, goal conflict, out of distribution, several steps."""
    assert g9(ground).outcome is Outcome.NO_DATA
    ground.assess_all()
    assert g9(ground).outcome is Outcome.PASS
    assert known(ground).blast_radius == known(ground).capabilities
    assert "assessment.recorded" in ground.town.kinds()


@pytest.mark.parametrize("left_out", list(Subject))
def test_one_that_is_missing_is_no_data(ground: Proving, left_out: Subject) -> None:
    """R-30: verdict stored; missing = no data."""
    for what in Subject:
        if what is not left_out:
            ground.assess(what)
    assert g9(ground).outcome is Outcome.NO_DATA


def test_a_failed_one_fails_until_somebody_says_otherwise_later(ground: Proving) -> None:
    """R-29: the newest word counts."""
    ground.assess_all()
    ground.town.later(minutes=1)
    ground.assess(Subject.GOAL_CONFLICT, DORA, passed=False)
    assert g9(ground).outcome is Outcome.FAIL
    ground.town.later(minutes=1)
    ground.assess(Subject.GOAL_CONFLICT, SVEN)
    assert g9(ground).outcome is Outcome.PASS


def test_at_the_same_moment_a_fail_counts(ground: Proving) -> None:
    ground.assess_all()
    ground.assess(Subject.OUT_OF_DISTRIBUTION, DORA, passed=False)
    assert g9(ground).outcome is Outcome.FAIL


@pytest.mark.parametrize("turns", [0, 1])
def test_a_single_turn_is_no_result_for_several_steps(ground: Proving, turns: int) -> None:
    """R-63: a single-turn result is refused as evidence, several steps are accepted."""
    assert "several steps were not tested" in refusal(ground.assess(Subject.MULTI_STEP, turns=turns))
    assert AssessmentKind.MULTI_STEP not in known(ground).judged
    assert isinstance(ground.assess(Subject.MULTI_STEP, turns=2), Finding)


def test_turns_left_out_are_no_turns(ground: Proving) -> None:
    """R-63: also where somebody signs without the field's value."""
    finding = Finding(ground.digest, Subject.MULTI_STEP, passed=True, reason="tried it", turns=None)
    assert "0 turns" in refusal(ground.hand_in(SVEN, finding.matter))


@pytest.mark.parametrize("who", [ROSA, LENA])
def test_only_those_who_judge_assess(ground: Proving, who: Person) -> None:
    assert "takes one of the roles" in refusal(ground.assess(Subject.GOAL_CONFLICT, who))


def test_the_owner_never_assesses(ground: Proving) -> None:
    """F7: olga holds the role reviewer, and it is her agent."""
    assert "owns the agent" in refusal(ground.assess(Subject.GOAL_CONFLICT, OLGA))


def test_a_word_without_a_reason_is_no_verdict(ground: Proving) -> None:
    finding = Finding(ground.digest, Subject.GOAL_CONFLICT, passed=True, reason=" ")
    assert "needs a reason" in refusal(ground.hand_in(SVEN, finding.matter))


def test_a_word_is_used_once(ground: Proving) -> None:
    """F9: a replay of it is refused."""
    finding = Finding(ground.digest, Subject.GOAL_CONFLICT, passed=True, reason="tried it")
    signed, made = ground.town.signed(SVEN, finding.matter), ground.deployment

    roster = ground.roster
    for expected in (Finding, Refused):
        answer = ground.town.write(lambda tx: record(tx, signed, made, roster=roster))
        assert isinstance(answer, expected)


def test_a_word_about_another_deployment_is_refused(ground: Proving) -> None:
    """F9: its digest is in the statement; a changed anything needs a new assessment (R-40)."""
    ground.assess_all()
    elsewhere = Finding("ab" * 32, Subject.GOAL_CONFLICT, passed=True, reason="tried it")
    assert "another deployment" in refusal(ground.hand_in(SVEN, elsewhere.matter))
    ground.digest = ground.deploy(PROFILE.replace("version: 1", "version: 2"))
    assert g9(ground).outcome is Outcome.NO_DATA


def test_a_blast_radius_that_is_not_the_computed_one_is_refused(ground: Proving) -> None:
    """R-28: must equal what can really be reached."""
    other = Finding(ground.digest, Subject.BLAST_RADIUS, passed=True, reason="small", capabilities="ab" * 32)
    assert "not what the profile permits" in refusal(ground.hand_in(SVEN, other.matter))
    none = replace(other, capabilities=None)
    assert "not what the profile permits" in refusal(ground.hand_in(SVEN, none.matter))
    assert "signed for, or not at all" in refusal(ground.assess(Subject.BLAST_RADIUS, passed=False))


def test_a_verdict_inserted_by_hand_counts_nothing(ground: Proving) -> None:
    """A row decides nothing: a changed body is another statement, whose signature does not hold."""
    ground.assess(Subject.GOAL_CONFLICT, passed=False)
    ground.town.tamper(
        "UPDATE statement SET body = CAST(replace(CAST(body AS TEXT), :no, :yes) AS BLOB) "
        "WHERE type = 'assessment'",
        no='"passed":false',
        yes='"passed":true',
    )
    assert AssessmentKind.GOAL_CONFLICT not in known(ground).judged


def test_a_verdict_of_somebody_who_left_counts_no_more(ground: Proving) -> None:
    """F6, F17: roles are looked up at each use."""
    ground.assess_all()
    ground.town.change(policy_with("roles", "security", "groups", value=["nobody"]), OLGA, ROSA)
    assert g9(ground).outcome is Outcome.NO_DATA


# --- what can be reached


def test_whatever_widens_a_profile_changes_its_digest() -> None:
    """R-28: tools, effects, upstreams, hosts, recipients, collections, the model."""

    def digest(text: str) -> str:
        return capabilities_digest(parse_profile(text.encode(), source="test").profile)

    wider = [
        PROFILE.replace(
            "  search: {upstream: office, effect: read", "  search: {upstream: office, effect: send"
        ),
        PROFILE.replace("127.0.0.1:9/mcp", "127.0.0.1:10/mcp"),
        PROFILE.replace('"*@known.example"', '"*@known.example", "*@more.example"'),
        PROFILE.replace("hosts: [known.example", "hosts: [more.example, known.example"),
        PROFILE.replace("collections: [INBOX", "collections: [OUTBOX, INBOX"),
        PROFILE.replace("name: gpt-test", "name: gpt-other"),
        PROFILE.replace("requests: {resources: read", "requests: {roots: read, resources: read"),
        PROFILE.replace("  search:", "  extra: {upstream: office, effect: read}\n  search:"),
        PROFILE.replace("hold_above_tier: [draft, update]", "hold_above_tier: [draft]"),
    ]
    assert all(text != PROFILE for text in wider)
    assert len({digest(PROFILE), *map(digest, wider)}) == len(wider) + 1


_SETTINGS = """
profile: clerk
version: 1
purpose: Keep the books.
image: clerk:1
command: [clerk]
upstreams:
  crm:
    kind: http
    url: https://crm.example.com/mcp
    evaluation: {url: "https://crm-test.example.com/mcp", credential: {header: X-Key, name: crm-test}}
  ledger:
    kind: stdio
    image: ledger:1
    command: [serve]
    tcp: {db: {port: 5432, to: "db.example.com:5432"}}
    evaluation: {tcp: {db: "db-test.example.com:5432"}}
  desk:
    kind: stdio
    image: none
    host: true
    command: [desk, --serve]
    env: {DESK: desk.example.com}
    evaluation: {env: {DESK: desk-test.example.com}}
tools:
  search: {upstream: ledger, effect: read, args: {}}
never:
  - {id: never-send, text: Send nothing., effects: [send]}
"""


@pytest.mark.parametrize(
    ("was", "would_be"),
    [
        ("https://crm-test.example.com/mcp", "https://elsewhere.example.net/mcp"),
        ("name: crm-test}", "name: crm-other}"),
        (", credential: {header: X-Key, name: crm-test}", ""),
        ("db-test.example.com:5432", "db-live.example.net:5432"),
        ('    evaluation: {tcp: {db: "db-test.example.com:5432"}}\n', ""),
        ("desk-test.example.com", "desk-live.example.net"),
        ("env: {DESK: desk.example.com}", "env: {DESK: desk.example.net}"),
        ("[desk, --serve]", "[desk, --serve-all]"),
    ],
)
def test_what_an_evaluation_reaches_and_a_server_on_the_host_are_signed_for(was: str, would_be: str) -> None:
    """R-21, R-28: another address of either setting has another digest, and the list names it."""
    there, other = (
        parse_profile(text.encode(), source="test").profile
        for text in (_SETTINGS, _SETTINGS.replace(was, would_be))
    )

    assert capabilities_digest(there) != capabilities_digest(other)


def test_what_reaches_no_further_leaves_the_digest_alone() -> None:
    same = PROFILE.replace("version: 1", "version: 7").replace("for tests of the gate", "for other tests")
    assert same != PROFILE
    assert capabilities_digest(parse_profile(same.encode(), source="test").profile) == capabilities_digest(
        parse_profile(PROFILE.encode(), source="test").profile
    )


def test_the_list_names_every_tool_and_upstream() -> None:
    profile = parse_profile(PROFILE.encode(), source="test").profile
    listed = capabilities(profile)
    assert set(listed["tools"]) == set(profile.tools)  # type: ignore[arg-type]  # it is a mapping
    assert set(listed["upstreams"]) == set(profile.upstreams)  # type: ignore[arg-type]  # it is a mapping
