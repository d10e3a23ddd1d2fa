"""A statement speaks about one thing, in one installation, by one person, and has one spelling."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.load import parse_policy
from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, build_roster, verify
from runtime.people.sshsig import sign
from runtime.people.statement import (
    CLOCK_SKEW,
    LIFETIME,
    Matter,
    SignedStatement,
    Statement,
    StatementType,
    draft,
    parse,
)
from tests.standins.persons import START, Person, policy_of

HERE = "handrail/log-here"
ALICE, BOB = Person("alice"), Person("bob")
MATTER = Matter(StatementType.APPROVAL, "hold-1", "ab" * 32, {"clears": ["first_seen"], "count": 1})


def roster(*, revoked: tuple[str, ...] = ()) -> Roster:
    text = policy_of(ALICE.enrolled("policy", "review"), BOB.enrolled("policy"))
    policy = parse_policy(text.encode(), source="test").policy
    return build_roster(policy, installation=HERE, source="version", revoked=revoked)


def approval(person: Person = ALICE, **changed: Any) -> SignedStatement:
    return person.says(MATTER, **{"to": HERE, "at": START, **changed})


def test_the_word_of_an_enrolled_person_is_verified() -> None:
    said = verify(approval(), roster(), now=START)

    assert isinstance(said, Verified)
    assert (said.person, said.fingerprint) == ("alice", ALICE.fingerprint)
    assert about(said, MATTER) is None


def test_a_statement_reads_back_as_it_was_written() -> None:
    signed = approval(expires=START + timedelta(minutes=3))

    assert parse(signed.body).to_bytes() == signed.body


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        pytest.param(approval(to="handrail/log-there"), RefusalCode.OTHER_INSTALLATION, id="elsewhere"),
        pytest.param(approval(Person("mallory")), RefusalCode.UNKNOWN_PERSON, id="stranger"),
        pytest.param(approval(Person("alice")), RefusalCode.NOT_THEIR_KEY, id="own key, other name"),
        pytest.param(approval(Person("alice", BOB.key)), RefusalCode.NOT_THEIR_KEY, id="bob as alice"),
        pytest.param(approval(at=START + CLOCK_SKEW * 2), RefusalCode.NOT_YET, id="from the future"),
        pytest.param(approval(at=START - LIFETIME), RefusalCode.EXPIRED, id="too old"),
        pytest.param(approval(expires=START), RefusalCode.EXPIRED, id="expired"),
    ],
)
def test_anything_else_is_refused_with_its_reason(signed: SignedStatement, code: RefusalCode) -> None:
    answer = verify(signed, roster(), now=START)

    assert isinstance(answer, Refused)
    assert answer.code is code


def test_a_revoked_key_proves_nothing() -> None:
    answer = verify(approval(), roster(revoked=(ALICE.fingerprint,)), now=START)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.REVOKED


@pytest.mark.parametrize(
    "other",
    [
        Matter(StatementType.REJECTION, MATTER.subject, MATTER.digest, MATTER.body),
        Matter(MATTER.type, "hold-2", MATTER.digest, MATTER.body),
        Matter(MATTER.type, MATTER.subject, "cd" * 32, MATTER.body),
        Matter(MATTER.type, MATTER.subject, MATTER.digest, {}),
        Matter(MATTER.type, MATTER.subject, MATTER.digest, {**MATTER.body, "more": None}),
        Matter(MATTER.type, MATTER.subject, MATTER.digest, {**MATTER.body, "count": True}),
        Matter(MATTER.type, MATTER.subject, MATTER.digest, {**MATTER.body, "count": "1"}),
    ],
)
def test_a_statement_is_about_exactly_one_matter(other: Matter) -> None:
    """F9: replay for another agent, class or digest."""
    said = verify(approval(), roster(), now=START)
    assert isinstance(said, Verified)

    refused = about(said, other)

    assert refused is not None
    assert refused.code is RefusalCode.OTHER_MATTER


def fields() -> dict[str, Any]:
    statement = draft(MATTER, installation=HERE, person="alice", now=START, nonce=b"n" * 16)
    return statement.model_dump()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(canonical({**fields(), "more": 1}), id="a field more"),
        pytest.param(canonical({k: v for k, v in fields().items() if k != "nonce"}), id="a field less"),
        pytest.param(canonical({**fields(), "type": "wish"}), id="unknown type"),
        pytest.param(canonical({**fields(), "format": "handrail-statement-2"}), id="other format"),
        pytest.param(canonical({**fields(), "at": "2026-11-21T09:00:00Z"}), id="other form of time"),
        pytest.param(canonical({**fields(), "digest": "AB" * 32}), id="upper case"),
        pytest.param(canonical({**fields(), "person": "alice\nbob"}), id="line break in a name"),
        pytest.param(canonical(fields()) + b"\n", id="trailing byte"),
        pytest.param(canonical(fields()).replace(b",", b", ", 1), id="white space"),
        pytest.param(b'{"type":"freeze",' + canonical(fields())[1:], id="a key twice"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b" " * 70_000, id="too long"),
    ],
)
def test_bytes_that_are_not_the_one_spelling_of_a_statement_are_refused_though_signed(body: bytes) -> None:
    answer = verify(SignedStatement(body, sign(ALICE.key, body)), roster(), now=START)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_every_body_has_one_spelling(body: dict[str, Any]) -> None:
    matter = Matter(StatementType.JUDGEMENT, "s", "0" * 64, body)
    statement = draft(matter, installation=HERE, person="alice", now=START, nonce=b"n" * 16)
    try:
        written = statement.to_bytes()
    except CanonicalError:
        return  # no canonical form, so it cannot be signed at all

    assert parse(written).to_bytes() == written


def test_a_float_that_would_read_back_as_another_number_is_refused() -> None:
    body = canonical({**fields(), "body": {"amount": 2.0**53}})

    answer = verify(SignedStatement(body, sign(ALICE.key, body)), roster(), now=START)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.MALFORMED


def test_a_naive_time_cannot_enter_a_statement() -> None:
    with pytest.raises(ValueError, match="timezone"):
        Statement(**{**fields(), "at": START.replace(tzinfo=None)})
