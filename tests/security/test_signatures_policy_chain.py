"""Threat: someone who can write to the database makes themself a person, or takes the policy back."""

import json

import pytest

from runtime.people.changes import Applied, Waiting, next_version
from runtime.people.edit import with_people
from runtime.people.errors import ChangeError, PolicyChainError
from runtime.people.pin import Pin, write_pin
from runtime.people.revocation import matter_to_revoke, revoke_keys
from runtime.people.statement import SignedStatement
from runtime.people.versions import Version
from tests.standins.persons import Person, Town, policy_of
from tests.standins.towns import DORA, EVERYONE, OLGA, ROSA, STAFF, staffed, town

__all__ = ["staffed", "town"]

MALLORY = Person("mallory")
EVERY_GROUP = ("operations", "rollout", "security", "domain", "leadership", "policy", "review")
WITH_MALLORY = with_people(STAFF, [MALLORY.enrolled(*EVERY_GROUP)], version=2)


def insert_version(town: Town, version: Version, *signed: SignedStatement) -> None:
    """Write a policy version and its statements straight into the database."""
    for one in signed:
        said = json.loads(one.body)
        town.tamper(
            "INSERT OR REPLACE INTO statement (id, nonce, type, person, subject, body, signature, made_at)"
            " VALUES (:id, :nonce, :type, :person, :subject, :body, :signature, :at)",
            id=one.id,
            body=one.body,
            signature=one.signature,
            **{key: said[key] for key in ("nonce", "type", "person", "subject", "at")},
        )
    town.tamper(
        "INSERT OR REPLACE INTO policy_version (version, previous, digest, text, statements, applied_at)"
        " VALUES (:version, :previous, :digest, :text, :statements, '2026-11-21T09:00:00.000000Z')",
        version=version.version,
        previous=version.previous,
        digest=version.digest,
        text=version.text,
        statements=json.dumps([one.id for one in signed]),
    )


@pytest.mark.parametrize("signers", [(), (OLGA,), (MALLORY,), (MALLORY, OLGA), (OLGA, DORA)])
def test_a_version_inserted_by_hand_changes_nothing_and_is_reported(
    staffed: Town, signers: tuple[Person, ...]
) -> None:
    version = next_version(staffed.state, WITH_MALLORY)
    insert_version(staffed, version, *(staffed.signed(person, version.matter) for person in signers))

    for _ in ("running", "restarted"):
        assert staffed.state.head.version == 1
        assert "mallory" not in staffed.state.roster.persons
        assert "ignored" in staffed.state.problems[0]
        staffed.restart()


def test_a_version_inserted_by_hand_does_not_block_the_real_one(staffed: Town) -> None:
    real = with_people(STAFF, [], version=2)
    insert_version(staffed, next_version(staffed.state, real))
    insert_version(staffed, next_version(staffed.state, WITH_MALLORY))

    assert isinstance(staffed.change(real, OLGA, ROSA), Applied)
    assert staffed.state.head.version == 2
    assert len(staffed.state.problems) == 1


def test_signatures_for_another_version_do_not_carry_this_one(staffed: Town) -> None:
    """F8: approve, then edit."""
    real = next_version(staffed.state, with_people(STAFF, [], version=2))
    fake = next_version(staffed.state, WITH_MALLORY)

    insert_version(staffed, fake, staffed.signed(OLGA, real.matter), staffed.signed(ROSA, real.matter))

    assert staffed.state.head.version == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE policy_version SET text = replace(text, 'olga', 'oleg') WHERE version = 1",
        "UPDATE policy_version SET text = text || ' ' WHERE version = 2",
        "UPDATE policy_version SET previous = NULL WHERE version = 2",
        "UPDATE policy_version SET version = 7 WHERE version = 2",
        "UPDATE policy_version SET statements = '[]' WHERE version = 1",
        "UPDATE policy_version SET statements = '[]' WHERE version = 2",
        "UPDATE policy_version SET statements = 'x' WHERE version = 2",
        "UPDATE statement SET signature = '' WHERE type = 'policy'",
        "UPDATE statement SET body = CAST(replace(CAST(body AS TEXT), 'olga', 'rosa') AS BLOB)",
        "DELETE FROM statement WHERE type = 'policy'",
        "DELETE FROM policy_version WHERE version = 2",
        "DELETE FROM policy_version",
    ],
)
def test_after_a_change_to_what_was_in_force_nobody_can_decide_anything(staffed: Town, sql: str) -> None:
    """A later version that is gone, as in a database restored from a backup, is noticed too (F22)."""
    staffed.change(with_people(STAFF, [], version=2), OLGA, ROSA)
    staffed.tamper(sql)
    staffed.restart()

    with pytest.raises(PolicyChainError):
        staffed.read(staffed.book.current)


def test_version_1_replaced_by_a_well_signed_other_one_is_noticed_by_the_pin(staffed: Town) -> None:
    root = Version(1, None, policy_of(MALLORY.enrolled(*EVERY_GROUP)))
    staffed.tamper("DELETE FROM policy_version")
    insert_version(staffed, root, staffed.signed(MALLORY, root.matter))
    staffed.restart()

    with pytest.raises(PolicyChainError, match="version 1"):
        staffed.read(staffed.book.current)


def test_version_1_and_the_pin_replaced_together_are_noticed_by_the_record(staffed: Town) -> None:
    root = Version(1, None, policy_of(MALLORY.enrolled(*EVERY_GROUP)))
    staffed.tamper("DELETE FROM policy_version")
    insert_version(staffed, root, staffed.signed(MALLORY, root.matter))
    write_pin(staffed.pin_path, Pin(root.digest, 1, root.digest, {}))
    staffed.restart()

    with pytest.raises(PolicyChainError, match="the record's first policy"):
        staffed.read(staffed.book.remember)


def test_a_revocation_deleted_by_hand_revives_no_key(staffed: Town) -> None:
    signed = staffed.signed(OLGA, matter_to_revoke(staffed.state, "rosa", reason="stolen"))
    staffed.write(lambda tx: revoke_keys(tx, staffed.book.current(tx.conn), signed, now=staffed.now))
    staffed.read(staffed.book.remember)

    staffed.tamper("DELETE FROM key_revocation")
    staffed.restart()

    assert "rosa" not in staffed.state.roster.persons


def test_a_dead_key_and_a_helper_make_no_version_by_hand(staffed: Town) -> None:
    """Also when the row of the revocation was deleted first."""
    signed = staffed.signed(OLGA, matter_to_revoke(staffed.state, "rosa", reason="stolen"))
    staffed.write(lambda tx: revoke_keys(tx, staffed.book.current(tx.conn), signed, now=staffed.now))
    staffed.read(staffed.book.remember)
    version = next_version_without_check(staffed, WITH_MALLORY)

    staffed.tamper("DELETE FROM key_revocation")
    insert_version(staffed, version, *(staffed.signed(person, version.matter) for person in (OLGA, ROSA)))
    staffed.restart()

    assert staffed.state.head.version == 1


def test_a_revocation_inserted_by_hand_stops_the_key_and_is_reported(staffed: Town) -> None:
    """A stop is believed without proof; a start never is."""
    staffed.tamper(
        "INSERT INTO key_revocation VALUES (:key, 'x', 'dora', '2026-11-21T09:00:00.000000Z')",
        key=DORA.fingerprint,
    )

    assert "dora" not in staffed.state.roster.persons
    assert DORA.fingerprint in staffed.state.problems[0]
    assert staffed.state.head.version == 1


BOOTSTRAP = policy_of(OLGA.enrolled("operations", "policy"))
WITH_ROSA = with_people(BOOTSTRAP, [ROSA.enrolled("policy")], version=2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_people(BOOTSTRAP, [], version=2), "add exactly one"),
        (with_people(BOOTSTRAP, [ROSA.enrolled("policy"), DORA.enrolled()], version=2), "add exactly one"),
        (with_people(BOOTSTRAP, [ROSA.enrolled("rollout")], version=2), "role policy"),
        (
            WITH_ROSA.replace("agreement: 0.98", "agreement: 0.95"),
            "touch nothing else",
        ),
        (
            WITH_ROSA.replace("model_calls: 500", "model_calls: 501"),
            "touch nothing else",
        ),
        (
            WITH_ROSA.replace("[operations, policy]", "[operations, policy, security]"),
            "touch nothing else",
        ),
        (
            WITH_ROSA.replace(OLGA.line, Person("x").line),
            "touch nothing else",
        ),
    ],
)
def test_the_first_person_alone_can_do_nothing_but_add_the_second(town: Town, change: str, said: str) -> None:
    assert change != WITH_ROSA, "the attack changes nothing"
    town.begin(BOOTSTRAP, OLGA)

    with pytest.raises(ChangeError, match=said):
        town.change(change, OLGA)

    version = next_version_without_check(town, change)
    insert_version(town, version, town.signed(OLGA, version.matter))
    town.restart()
    assert town.state.head.version == 1


def test_the_first_person_adds_the_second_and_it_is_recorded_as_bootstrap(town: Town) -> None:
    town.begin(BOOTSTRAP, OLGA)

    answer = town.change(with_people(BOOTSTRAP, [ROSA.enrolled("rollout", "policy")], version=2), OLGA)

    assert answer == Applied(2, town.state.head.digest, ("olga",), bootstrap=True)
    town.restart()
    assert town.state.head.bootstrap
    assert town.entry("policy.changed", -1).leaf.data["bootstrap"] is True


def test_there_is_no_second_bootstrap_once_the_other_person_is_gone(town: Town) -> None:
    """Otherwise one person could revoke the other and then add a puppet alone."""
    two = WITH_ROSA
    town.begin(BOOTSTRAP, OLGA)
    town.change(two, OLGA)
    signed = town.signed(OLGA, matter_to_revoke(town.state, "rosa", reason="no reason"))
    town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=town.now))
    puppet = with_people(two, [MALLORY.enrolled("policy")], version=3)

    assert isinstance(town.change(puppet, OLGA), Waiting)
    assert town.state.head.version == 2


def test_a_policy_signed_for_another_installation_starts_nothing_here(town: Town) -> None:
    matter = Version(1, None, STAFF).matter
    foreign = [person.says(matter, to="handrail/log-elsewhere", at=town.now) for person in EVERYONE]

    with pytest.raises(ChangeError, match="each of its keys"):
        town.begin_with(STAFF, foreign)


def next_version_without_check(town: Town, text: str) -> Version:
    """What someone at the database can write, without our refusals."""
    head = town.state.head
    return Version(head.version + 1, head.digest, text)
