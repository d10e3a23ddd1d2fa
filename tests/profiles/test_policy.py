"""The organisation's policy: floors nobody can go below, and who holds what."""

from collections.abc import Callable

import pytest

from profiles.errors import ProfileError
from profiles.load import LoadedPolicy
from profiles.policy import Role

With = Callable[..., LoadedPolicy]

ALICE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUqJzkw0FKzDkQ1F8M8tXwWxUNKeUr6MCcYJ4ZxBv0k alice@laptop"
BOB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8fV1ZQh0bS1lq0Q6kVb2x0Jw3v0n7cPq0s6fLx9mEo"
PEOPLE = f"""people:
  alice: {{keys: ["{ALICE}"], groups: [operations], identities: ["unix:alice"]}}
  bob: {{keys: ["{BOB}"], groups: [rollout, policy], identities: ["unix:bob"]}}
"""

CRITICAL_ALONE = "critical: {count: 1, roles: [security]}"
SEND = "send: {count: 2, roles: [rollout-manager, domain-reviewer, security], each_of: [security], groups: 2}"
UPDATE = "update: {agreement: 0.95, observed_days: 7}"
ARGUMENT_RULE = (
    "never: [{id: n, text: Never do that., effects: [send], when: [{argument: to, like: [x]}]}]\nexpiry:"
)
FLOORS = [
    ("no approvals", ("read: {count: 1,", "read: {count: 0,"), "holds.read.count: got 0, expected greater"),
    (
        "nobody eligible",
        ("draft: {count: 1, roles: [rollout-manager]}", "draft: {count: 1, roles: []}"),
        "roles: got",
    ),
    (
        "everybody eligible",
        ("draft: {count: 1, roles: [rollout-manager]}", 'draft: {count: 1, roles: "*"}'),
        "for all",
    ),
    (
        "null for a bound",
        ("  model_calls: 500\n", "  model_calls: 500\n  model_cost: null\n"),
        "model_cost: got null",
    ),
    ("null approvals", ("read: {count: 1,", "read: {count: null,"), "holds.read.count: got null"),
    (
        "one person for a policy",
        ("policy_change: {count: 2", "policy_change: {count: 1"),
        "expected 2 persons",
    ),
    (
        "one person for a critical act",
        ("critical: {count: 2, roles: [domain-reviewer, security, leadership], groups: 2}", CRITICAL_ALONE),
        "holds.critical.count: got 1",
    ),
    (
        "one person for external power",
        (SEND, "send: {count: 1, roles: [security]}"),
        "promotions.send.count: got 1",
    ),
    (
        "one group for external power",
        ("each_of: [security], groups: 2}", "each_of: [security]}"),
        "send.groups: got 1",
    ),
    (
        "no leadership",
        ("    acknowledged_by: leadership\n", ""),
        "got no acknowledged_by, expected leadership",
    ),
    (
        "a class without approvers",
        ("  update: {count: 1, roles: [reviewer, domain-reviewer, security]}\n", ""),
        "holds.update: is missing",
    ),
    (
        "a promotion to read",
        ("promotions:\n", "promotions:\n  read: {count: 1, roles: [operator]}\n"),
        "got read",
    ),
    ("a short first dwell", ("observed_days: 14", "observed_days: 13"), "got 13, expected 14 days or more"),
    ("a week that is shorter", (UPDATE, UPDATE.replace("7", "6")), "observed_days: got 6"),
    (
        "less agreement for more power",
        ("send: {agreement: 0.98", "send: {agreement: 0.9"),
        "expected at least 0.95",
    ),
    ("certain agreement", ("send: {agreement: 0.98", "send: {agreement: 1"), "agreement: got 1"),
    (
        "a decision before the evidence",
        ("observed_days: 14}", "observed_days: 14, decide_by_days: 10}"),
        "got a day",
    ),
    ("a token of an hour", ("token_seconds: 120", "token_seconds: 3600"), "token_seconds: got 3600"),
    ("an approval of a month", ("promotion_hours: 72", "promotion_hours: 720"), "promotion_hours: got 720"),
    ("more groups than persons", ("leadership], groups: 2}", "leadership], groups: 3}"), "groups: got 3"),
    (
        "a required role that cannot sign",
        ("each_of: [rollout-manager, domain-reviewer]", "each_of: [auditor]"),
        "each_of",
    ),
    ("a role nobody knows", ("  auditor: {groups: [audit]}", "  admin: {groups: [audit]}"), "roles.admin"),
    (
        "a role for a stranger",
        ("auditor: {groups: [audit]}", "auditor: {people: [eve]}"),
        "got 'eve', expected",
    ),
    (
        "a key that is cut off",
        ("people: {}", f'people: {{eve: {{keys: ["{ALICE[:76]}"]}}}}'),
        "expected the whole of",
    ),
    (
        "a key of another kind",
        ("people: {}", 'people: {eve: {keys: ["ssh-rsa AAAAB3NzaC1yc2E="]}}'),
        "keys[0]: got",
    ),
    (
        "a person without a key",
        ("people: {}", "people: {eve: {keys: []}}"),
        "people.eve.keys: got a list of 0",
    ),
    (
        "one key for two",
        ("people: {}", f'people: {{a: {{keys: ["{BOB}"]}}, b: {{keys: ["{BOB} again"]}}}}'),
        "already belongs to 'a'",
    ),
    (
        "one account for two",
        ("people: {}", PEOPLE.replace("unix:bob", "UNIX:alice").rstrip()),
        "belongs to 'alice'",
    ),
    ("a rule about an argument", ("expiry:", ARGUMENT_RULE), "expected a role instead"),
]


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in FLOORS], ids=[row[0] for row in FLOORS])
def test_a_policy_below_a_floor_never_loads(policy_with: With, change: tuple[str, str], said: str) -> None:
    """R-16, R-32, R-34, OpenBao's `approvals: 0`: each floor of DESIGN sections 2 and 5."""
    with pytest.raises(ProfileError) as caught:
        policy_with(change)

    assert said in str(caught.value)
    assert "policy.yaml: line " in str(caught.value)


def test_roles_come_from_people_and_groups(policy_with: With) -> None:
    policy = policy_with(
        ("people: {}\n", PEOPLE), ("auditor: {groups: [audit]}", "auditor: {people: [alice]}")
    ).policy

    assert policy.roles_of("alice") == {Role.OPERATOR, Role.REVIEWER, Role.AUDITOR}
    assert policy.roles_of("bob") == {Role.ROLLOUT_MANAGER, Role.POLICY}
    assert policy.holders_of(Role.POLICY) == {"bob"}
    assert policy.groups_of("bob") == {"rollout", "policy"}


def test_a_stranger_and_a_revoked_person_hold_nothing(policy_with: With) -> None:
    revoked = PEOPLE.replace("groups: [operations]", "groups: [operations], revoked: true")
    policy = policy_with(("people: {}\n", revoked)).policy

    for name in ("alice", "mallory"):
        assert policy.roles_of(name) == frozenset()
        assert policy.groups_of(name) == frozenset()
    assert policy.holders_of(Role.OPERATOR) == frozenset()


def test_a_policy_is_pinned_by_its_meaning(policy_with: With) -> None:
    assert policy_with().digest == policy_with(("version: 1", "version: 1 # first")).digest
    assert policy_with().digest != policy_with(("hold_seconds: 900", "hold_seconds: 901")).digest
