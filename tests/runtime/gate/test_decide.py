"""The decision as a whole, on values alone: what passes, what waits, what is suggested, what is denied."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from profiles.effects import Effect, Tier
from runtime.gate.actions import ActionKind, ModelAsk
from runtime.gate.answers import Answer, Reason, ReasonCode
from runtime.gate.checks.novelty import seen_keys
from runtime.gate.decide import CHECKS, decide
from runtime.gate.facts import Facts, LeaseState, Spend, Standing, Usage
from runtime.gate.places import digest_of_key
from runtime.gate.reading import Reading
from tests.standins.decisions import NOON, action_of, codes_of, decided, facts_at, office

A, H, S, D = Answer.ALLOW, Answer.HOLD, Answer.SUGGEST, Answer.DENY
BOB = "bob@partner.example"
CARD = "4111 1111 1111 1111"
MAIL = {"to": ["a@known.example"], "subject": "Hi", "body": "Yes."}
KEY = "AKIA" + "Q3EGRVJ7KW2LXN5T"


def _message(message: str) -> dict[str, Any]:
    return {"folder": "INBOX", "message_id": message}


CASES: list[tuple[str, str, Mapping[str, Any], Answer, set[str]]] = [
    ("a tool without arguments", "list_folders", {}, A, set()),
    ("a read of a declared folder", "read_folder", {"folder": "INBOX"}, A, set()),
    ("any message of it", "read_folder", {"folder": "INBOX", "message_id": "m-77123"}, A, set()),
    ("an id written as a number", "read_folder", {"folder": "INBOX", "message_id": 7}, A, set()),
    ("an optional argument as null", "read_folder", {"folder": "INBOX", "message_id": None}, A, set()),
    ("a search in any words", "search", {"query": "password reset of last week"}, A, set()),
    ("a read of another folder", "read_folder", {"folder": "Private"}, H, {"first_seen"}),
    ("a declared host", "fetch", {"url": "https://known.example/a?b=c"}, A, set()),
    ("a host under a declared domain", "fetch", {"url": "https://x.trusted.example/"}, A, set()),
    ("another host", "fetch", {"url": "https://evil.example/?q=1"}, H, {"first_seen"}),
    ("a file under a declared root", "read_file", {"path": "docs/2026/plan.txt"}, A, set()),
    ("a file elsewhere", "read_file", {"path": "/etc/passwd"}, H, {"first_seen"}),
    ("a file by way of the root", "read_file", {"path": "docs/../secrets.txt"}, H, {"first_seen"}),
    ("a label", "set_label", {"message_id": "1", "label": "good"}, A, set()),
    ("a label nobody listed", "set_label", {"message_id": "1", "label": "urgent"}, S, {"unknown_shape"}),
    ("an undeclared argument of a read", "search", {"query": "a", "all": True}, H, {"unknown_shape"}),
    (
        "an undeclared argument of a write",
        "update_record",
        {"number": "1", "force": True},
        S,
        {"unknown_shape"},
    ),
    ("a page", "list_records", {"limit": 20}, A, set()),
    ("more than a page", "list_records", {"limit": 21}, H, {"unknown_shape"}),
    ("a page without an end", "list_records", {"limit": -1}, H, {"unknown_shape"}),
    ("a page of 2^63-1", "list_records", {"limit": 2**63 - 1}, H, {"unknown_shape"}),
    ("words in few letters", "list_records", {"limit": 1, "words": "x" * 40}, A, set()),
    ("words in too many", "list_records", {"limit": 1, "words": "x" * 41}, D, {"malformed"}),
    ("an id that is an option", "read_folder", _message("--output=/etc/x"), H, {"unknown_shape"}),
    ("an id of a dash and digits", "read_folder", _message("-100231"), A, set()),
    ("an id with an escape", "read_folder", _message("m\x1b[2K"), H, {"unknown_shape"}),
    ("an id with a NUL", "set_label", {"message_id": "1\0", "label": "good"}, S, {"unknown_shape"}),
    ("a mail to an empty list", "send_mail", {**MAIL, "to": []}, S, {"unknown_shape"}),
    ("labels for an empty list", "label_many", {"ids": []}, S, {"unknown_shape"}),
    ("a mail to a declared domain", "send_mail", MAIL, A, set()),
    ("a mail to a declared person", "send_mail", {**MAIL, "to": [BOB]}, A, set()),
    ("letter case does not count", "send_mail", {**MAIL, "to": ["Bob@Partner.Example"]}, A, set()),
    ("a mail to a stranger", "send_mail", {**MAIL, "to": ["eve@evil.example"]}, S, {"first_seen"}),
    ("a stranger among friends", "send_mail", {**MAIL, "to": [BOB, "eve@evil.example"]}, S, {"first_seen"}),
    ("card data to a friend", "send_mail", {**MAIL, "body": f"card {CARD}"}, H, {"sensitive"}),
    (
        "card data to a stranger",
        "send_mail",
        {**MAIL, "to": ["e@x.example"], "body": CARD},
        S,
        {"first_seen", "sensitive"},
    ),
    ("a key in a search", "search", {"query": f"who uses {KEY}"}, H, {"sensitive"}),
    (
        "a key as the name of an argument",
        "search",
        {"query": "x", KEY: "x"},
        H,
        {"unknown_shape", "sensitive"},
    ),
    ("card data in an internal note", "update_record", {"number": "1", "note": CARD}, A, set()),
    ("money below everything granted", "pay", {"to": BOB, "amount": 5}, S, {"above_tier"}),
    ("a tool outside the profile", "delete_all", {}, D, {"unknown_tool"}),
    ("a never-rule", "shred", {"number": "1"}, D, {"never", "above_tier"}),
    (
        "a never-rule by recipient",
        "send_mail",
        {**MAIL, "to": ["ceo@rival.example"]},
        D,
        {"never", "first_seen"},
    ),
    ("a missing argument", "send_mail", {"to": [BOB]}, D, {"malformed"}),
    ("text where a list belongs", "send_mail", {**MAIL, "to": BOB}, D, {"malformed"}),
    ("a number where text belongs", "send_mail", {**MAIL, "subject": 5}, D, {"malformed"}),
    ("text where a number belongs", "pay", {"to": BOB, "amount": "much"}, D, {"malformed"}),
    ("truth where a number belongs", "pay", {"to": BOB, "amount": True}, D, {"malformed"}),
    ("a draft publication", "publish", {"where": "draft"}, A, set()),
    ("a public publication", "publish", {"where": "public"}, A, set()),
    ("a publication nobody classified", "publish", {"where": "everywhere"}, S, {"above_tier"}),
    ("eleven labels at once", "label_many", {"ids": [str(i) for i in range(11)]}, S, {"fan_out"}),
    ("ten labels at once", "label_many", {"ids": [str(i) for i in range(10)]}, A, set()),
]


@pytest.mark.parametrize(
    ("tool", "args", "answer", "codes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_at_tier_3(tool: str, args: Mapping[str, Any], answer: Answer, codes: set[str]) -> None:
    found = decided(tool, args)

    assert (found.answer, codes_of(found)) == (answer, codes), found.decision.reasons


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_at_tier_0_no_write_is_done_or_held(
    case: tuple[str, str, Mapping[str, Any], Answer, set[str]],
) -> None:
    found = decided(case[1], case[2], tier=0)

    assert found.reading.is_read or found.answer in (S, D)


@pytest.mark.parametrize(
    ("args", "answer", "codes"),
    [
        ({"to": BOB, "amount": 999.99}, H, {"two_persons"}),
        ({"to": BOB, "amount": 1000}, H, {"two_persons"}),
        ({"to": BOB, "amount": 1000.01}, S, {"two_persons", "amount"}),
        ({"to": BOB, "amount": -1}, S, {"two_persons", "amount"}),
        ({"to": BOB, "amount": 2**63 - 1}, S, {"two_persons", "amount"}),
        ({"to": BOB, "amount": -(2**63)}, S, {"two_persons", "amount"}),
        ({"to": "DE89370400440532013000", "amount": 1}, S, {"two_persons", "first_seen"}),
    ],
)
def test_money_at_tier_4(args: Mapping[str, Any], answer: Answer, codes: set[str]) -> None:
    """R-83: a payment waits for two persons; one to a stranger, or too large, is not even held."""
    found = decided("pay", args, tier=4)

    assert (found.answer, codes_of(found)) == (answer, codes)


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing(attested=True, deployment_current=True), "run_not_live"),
        (Standing(live=True, deployment_current=True), "not_attested"),
        (Standing(live=True, attested=True), "deployment_changed"),
        (Standing(live=True, attested=True, deployment_current=True, frozen="looks wrong"), "frozen"),
    ],
)
def test_a_run_that_may_not_act_is_denied(standing: Standing, code: str) -> None:
    """R-38, R-69."""
    found = decided("list_folders", standing=standing)

    assert (found.answer, codes_of(found)) == (D, {code})


def test_standing_is_unfavourable_unless_said_otherwise() -> None:
    """DESIGN section 5: the zero value is never allow."""
    assert decided("list_folders", standing=Standing()).answer is D


def test_a_run_without_a_good_lease_is_denied() -> None:
    lease = LeaseState(Reason(ReasonCode.LEASE_EXPIRED, "over"))

    assert codes_of(decided("list_folders", lease=lease)) == {"lease_expired"}


@pytest.mark.parametrize(
    ("tool", "args", "usage", "answer"),
    [
        ("list_folders", {}, Usage(run=49), A),
        ("list_folders", {}, Usage(run=50), D),
        ("list_folders", {}, Usage(hour=79), A),
        ("list_folders", {}, Usage(hour=80), D),
        ("label_many", {"ids": ["1", "2", "3"]}, Usage(run=47), A),
        ("label_many", {"ids": ["1", "2", "3"]}, Usage(run=48), D),
        ("publish", {"where": "public"}, Usage(effects={Effect.SEND: 3}), A),
        ("publish", {"where": "public"}, Usage(effects={Effect.SEND: 4}), D),
        ("publish", {"where": "draft"}, Usage(effects={Effect.SEND: 4}), A),
    ],
)
def test_budgets_count_actions_not_calls(
    tool: str, args: Mapping[str, Any], usage: Usage, answer: Answer
) -> None:
    """R-23, R-62."""
    assert decided(tool, args, usage=usage).answer is answer


def test_model_calls_have_their_own_budget_too() -> None:
    kind = {"kind": ActionKind.MODEL, "model": ModelAsk(10, 0, "agent:a:production", "2026-11-21")}

    assert decided("mind", {"messages": []}, usage=Usage(model=4, spend=Spend()), **kind).answer is A
    assert decided("mind", {"messages": []}, usage=Usage(model=5, spend=Spend()), **kind).answer is D
    assert codes_of(decided("gpt-test", {}, **kind)) == {"unknown_tool"}


def test_a_model_call_is_not_bound_by_the_size_of_tool_arguments() -> None:
    asked = decided(
        "mind",
        {"messages": "x" * 100_000},
        kind=ActionKind.MODEL,
        model=ModelAsk(10, 0, "agent:a:production", "2026-11-21"),
        usage=Usage(spend=Spend()),
    )
    assert asked.answer is A
    assert codes_of(decided("search", {"query": "x" * 100_000})) == {"too_large"}


@pytest.mark.parametrize(
    ("kind", "tool", "args", "answer"),
    [
        (ActionKind.RESOURCE, "test://static/text", {}, A),
        (ActionKind.RESOURCE, "test://static", {}, A),
        (ActionKind.RESOURCE, "test://other/text", {}, H),
        (ActionKind.RESOURCE, "test://static/../other", {}, H),
        (ActionKind.RESOURCE, "test://static/%2e%2e/other", {}, H),
        (ActionKind.PROMPT, "greeting", {"name": "Ann"}, A),
        (ActionKind.PROMPT, "greeting", {KEY: "Ann"}, H),
        (ActionKind.PROMPT, KEY, {"name": "Ann"}, H),
        (ActionKind.REQUEST, "logging", {"level": "debug"}, A),
        (ActionKind.REQUEST, "sampling", {}, D),
        (ActionKind.REQUEST, "anything", {}, D),
        (ActionKind.COMPLETION, "prompt", {}, D),
    ],
)
def test_requests_beside_tools_pass_only_as_the_profile_says(
    kind: ActionKind, tool: str, args: Mapping[str, Any], answer: Answer
) -> None:
    """R-80."""
    assert decided(tool, args, kind=kind).answer is answer


def test_every_check_speaks_about_every_readable_action() -> None:
    """R-79: the three questions are asked of every action."""
    verdicts = decided("list_folders").decision.verdicts

    assert len(verdicts) == len(CHECKS)


def test_an_error_in_any_check_denies() -> None:
    """R-86: crash = deny."""

    def check_broken(_reading: Reading, _facts: Facts) -> Any:
        raise ZeroDivisionError("oops")

    found = decide(action_of("list_folders"), facts_at(Tier.CRITICAL, office()), (*CHECKS, check_broken))

    assert (found.answer, codes_of(found)) == (D, {"check_error"})


def test_no_checks_at_all_deny() -> None:
    """DESIGN section 5: no rule -> deny."""
    assert decide(action_of("list_folders"), facts_at(4, office()), ()).answer is D


def test_a_hold_that_nobody_may_answer_is_a_denial() -> None:
    """DESIGN section 5: no approver -> deny."""
    found = decided("read_folder", {"folder": "Private"}, approvable=frozenset({Effect.SEND}))

    assert (found.answer, codes_of(found)) == (D, {"first_seen", "no_grant"})


def test_what_was_seen_passes_and_a_read_makes_no_write_seen() -> None:
    """R-06."""
    first = decided("fetch", {"url": "https://new.example/"})
    seen = frozenset(seen_keys(first.reading, "d" * 64))
    assert decided("fetch", {"url": "https://new.example/other"}, seen=seen).answer is A
    assert decided("fetch", {"url": "https://newer.example/"}, seen=seen).answer is H
    args = {"to": ["eve@evil.example"], "subject": "s", "body": "b"}
    as_read = {digest_of_key("d" * 64, "read:recipient:eve@evil.example")}
    as_write = {digest_of_key("d" * 64, "write:recipient:eve@evil.example")}
    assert decided("send_mail", args, seen=as_read).answer is S
    assert decided("send_mail", args, seen=as_write).answer is A


def test_the_same_facts_give_the_same_decision() -> None:
    action, facts = action_of("read_folder", {"folder": "Private"}), facts_at(2, office())

    assert decide(action, facts) == decide(action, replace(facts, now=NOON))
