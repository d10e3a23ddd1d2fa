"""From an empty directory to people who change their policy, with the command alone."""

from pathlib import Path

import pytest

from tests.standins.office import Office

pytestmark = pytest.mark.engine


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_init_makes_policy_v1_signed_by_all_its_people(office: Office) -> None:
    printed = office.begin()

    assert printed.code == 0
    lines = printed.out.splitlines()
    assert lines[0] == f"state         {office.state}"
    assert lines[1] == f"record        anchored at {office.root / 'anchor'}"
    assert lines[2].startswith("policy        version 1, ")
    assert lines[3:] == [
        "person alice  operations, policy",
        "person bob    review, policy",
        "next: handrail doctor, then handrail serve",
    ]
    assert office.state.stat().st_mode & 0o777 == 0o700
    assert office.type("audit", "verify").out.endswith("\nintact\n")


def test_with_one_person_init_says_that_the_policy_is_frozen(office: Office) -> None:
    printed = office.begin(alice="operations,policy")

    assert "One person alone: the policy is frozen until a second one is enrolled." in printed.out
    assert "only alice is enrolled" in office.type("doctor").out


@pytest.mark.parametrize(
    ("person", "line"),
    [
        ("alice", "--person; got alice, expected NAME=KEYFILE.pub or NAME=KEYFILE.pub,GROUP,..."),
        ("alice=/nowhere/key.pub", "key file /nowhere/key.pub: No such file or directory; next: "),
    ],
)
def test_init_refuses_what_is_no_person(office: Office, person: str, line: str) -> None:
    printed = office.type("init", "--person", person)

    assert printed.code == 2
    assert printed.err.startswith(f"handrail: {line}")
    assert not office.state.exists()


@pytest.mark.parametrize("groups", ["reveiw,policy", "review,plicy"])
def test_init_refuses_a_group_that_gives_nobody_anything(office: Office, groups: str) -> None:
    """A misspelt group would leave the person without the role, and be seen when it is needed."""
    printed = office.begin(alice="operations,policy", bob=groups)

    assert printed.code == 1
    assert printed.err.startswith("handrail: `bob`: got the group ")
    assert ", expected one of audit, domain, leadership, operations, policy, review, " in printed.err
    assert not office.state.exists()


def test_init_that_cannot_write_the_pin_leaves_no_policy_behind_and_may_be_repeated(office: Office) -> None:
    """A policy without its pin would be believed by nobody, and could not be begun again."""
    in_the_way = office.state / "policy.pin.new"
    in_the_way.mkdir(parents=True)
    failed = office.begin()
    in_the_way.rmdir()
    again = office.begin()

    assert failed.code == 1
    assert "policy.pin.new: Is a directory" in failed.err
    assert (again.code, again.err) == (0, "")
    assert office.type("audit", "verify").code == 0


def test_init_never_begins_twice(office: Office) -> None:
    office.begin()

    again = office.begin(mallory="operations,policy")

    assert again.code == 1
    assert "this installation has a policy" in again.err


def test_a_second_person_must_sign_before_a_third_one_counts(office: Office) -> None:
    """F25: two persons change the policy, no one alone."""
    office.begin()
    words = ("person", "add", "carol", "--key-file", f"{office.key('carol')}.pub", "--group", "security")
    with office.serving():
        proposed = office.agreed(*words, person="alice")
        change = office.ask("policy", "show")["pending"][0]["digest"]
        early = [one["name"] for one in office.ask("person", "list")["people"]]
        signed = office.agreed("policy", "sign", change[:12], person="bob")
        late = {one["name"]: one["roles"] for one in office.ask("person", "list")["people"]}

    assert proposed.out.startswith(f"change {change[:12]} waits: 1 more of 2 with the role policy; until ")
    assert early == ["alice", "bob"]
    assert signed.out == "policy version 2 is in force, signed by alice, bob\n"
    assert late["carol"] == ["security"]


def test_a_misspelt_group_is_refused_before_anything_is_shown(office: Office) -> None:
    office.begin()
    words = ("person", "add", "carol", "--key-file", f"{office.key('carol')}.pub", "--group", "reveiw")
    with office.serving():
        refused = office.type(*words, person="alice")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("handrail: `carol`: got the group reveiw, expected one of audit, domain, ")


def test_the_card_says_what_each_new_person_may_decide(office: Office) -> None:
    office.begin()
    keys = {name: ("--key-file", f"{office.key(name)}.pub") for name in ("carol", "dave")}
    with office.serving():
        carol = office.type("person", "add", "carol", *keys["carol"], "--group", "review", person="alice").out
        dave = office.type("person", "add", "dave", *keys["dave"], person="alice").out
        office.agreed("person", "add", "dave", *keys["dave"], "--role", "auditor", person="alice")
        change = office.ask("policy", "show")["pending"][0]["digest"]
        signing = office.type("policy", "sign", change, person="bob").out

    assert "\nperson carol  reviewer\n" in carol
    assert "\nperson dave  no role\n" in dave
    assert "\nperson dave  auditor\n" in signing


def test_the_first_person_is_told_before_signing_that_the_second_needs_the_policy_role(
    office: Office,
) -> None:
    """F25: with one person the only change is a second one who can change the policy."""
    office.begin(alice="operations,policy")
    words = ("person", "add", "bob", "--key-file", f"{office.key('bob')}.pub", "--group", "review")
    with office.serving():
        refused = office.type(*words, person="alice")
        added = office.agreed(*words, "--group", "policy", person="alice")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("handrail: the role policy for `bob`: without it the policy could never ch")
    assert added.out == "policy version 2 is in force, signed by alice\n"


def test_whoever_signs_a_change_has_seen_every_line_of_it(office: Office) -> None:
    office.begin()
    words = ("person", "add", "carol", "--key-file", f"{office.key('carol')}.pub", "--group", "security")
    with office.serving():
        shown = office.type(*words, person="alice").out
        text = office.ask("policy", "show")["text"]

    marked = [line[1:] for line in shown.splitlines() if line[:1] in {" ", "-"}]
    assert set(text.splitlines()) <= set(marked)
    assert "+  carol:" in shown


def test_a_revoked_key_counts_no_more_at_once_and_a_stranger_s_never_did(office: Office) -> None:
    office.begin()
    with office.serving():
        revoked = office.agreed("person", "revoke", "bob", "--reason", "lost", person="alice")
        frozen = office.type("freeze", "--all", "--reason", "x", person="bob")
        strange = office.type("freeze", "--all", "--reason", "x", person="mallory")
        states = {one["name"]: one["revoked"] for one in office.ask("person", "list")["people"]}

    assert revoked.out == "bob: 1 keys count no more\n"
    assert (frozen.code, strange.code) == (3, 1)
    assert "statement refused (revoked)" in frozen.err
    assert "is not enrolled" in strange.err
    assert states == {"alice": False, "bob": True}


def test_who_takes_the_last_signature_of_the_policy_away_is_told_before(office: Office) -> None:
    """F25: two persons change the policy; with one it could never change again."""
    office.begin()
    with office.serving():
        card = office.type("person", "revoke", "bob", "--reason", "lost", person="alice").out

    assert card.endswith(
        "1 left who may sign a change of the policy, of 2 that it takes: it could never change again.\n"
    )


def test_a_freeze_for_ever_so_many_hours_lasts_as_long_as_one_may(office: Office) -> None:
    office.begin()
    with office.serving():
        said = office.type("freeze", "--all", "--reason", "x", "--hours", str(10**15), person="bob")

    assert said.code == 0
    assert said.out.startswith("everything is frozen from the next action on, until ")


def test_a_freeze_is_set_listed_and_lifted_by_signature(office: Office) -> None:
    office.begin()
    with office.serving():
        office.ask("agent", "register", "bot", "--trait", "internal-docs", "--owner", "alice")
        set_ = office.type("freeze", "--agent", "bot", "--reason", "odd mails", "--hours", "2", person="bob")
        (stop,) = office.ask("unfreeze")["freezes"]
        silent = office.type("unfreeze", stop["id"], person="alice")
        lifted = office.type("unfreeze", stop["id"], "--reason", "checked", person="alice")
        left = office.type("unfreeze").out

    assert set_.out.startswith("agent bot is frozen from the next action on, until 20")
    assert (stop["target"], stop["owner"], stop["reason"]) == ("bot", "bob", "odd mails")
    assert (silent.code, lifted.code) == (2, 0)
    assert left == "nothing is frozen\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--agent", "bott"], "no agent bott"), (["--deployment", "0123456789ab"], "0 match, expected one")],
)
def test_a_freeze_of_what_is_not_there_is_refused(office: Office, words: list[str], told: str) -> None:
    """R-69: whoever mistypes a name must not believe that something stopped."""
    office.begin()
    with office.serving():
        printed = office.type("freeze", *words, "--reason", "x", person="bob")
        standing = office.ask("unfreeze")["freezes"]

    assert printed.code == 1
    assert told in printed.err
    assert standing == []


@pytest.mark.parametrize("words", [[], ["--all", "--agent", "bot"]])
def test_a_freeze_names_exactly_one_thing(office: Office, words: list[str]) -> None:
    printed = office.type("freeze", "--reason", "x", *words)

    assert printed.code == 2
    assert "expected one of --agent, --deployment, --all" in printed.err
