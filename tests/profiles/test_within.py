"""A profile may narrow the policy and never widen it."""

from collections.abc import Callable

import pytest

from profiles.effects import Effect
from profiles.load import LoadedPolicy, LoadedProfile, shipped_policy
from profiles.within import check_within, narrowest

Load = Callable[..., LoadedProfile]
With = Callable[..., LoadedPolicy]

NEVER_RULE = (
    "expiry:",
    "never:\n  - id: never-pay\n    text: Never pay anybody.\n    tools: [pay]\nexpiry:",
)
WIDER = [
    (
        "more actions",
        "limits: {actions_per_run: 1001}",
        (),
        "limits.actions_per_run: got 1001, expected at most 1000",
    ),
    ("more money", "limits: {max_amount: 10001}", (), "limits.max_amount: got 10001"),
    ("more time", "limits: {wall_seconds: 7201}", (), "limits.wall_seconds"),
    (
        "more mails",
        "limits: {per_effect: {send: 51}}",
        (),
        "limits.per_effect.send: got 51, expected at most 50",
    ),
    (
        "holds of a higher class",
        "hold_above_tier: [send]",
        (),
        "hold_above_tier: got send, expected only draft, update",
    ),
    (
        "a class that is closed",
        "",
        ("effects: [read, draft, update, send, critical]", "effects: [read, draft]"),
        "tools.send_mail.effect: got send",
    ),
    (
        "a request that is closed",
        "requests: {sampling: send}",
        ("update, send, critical]\n  hold", "update]\n  hold"),
        "requests.sampling: got send",
    ),
    (
        "a model that calls more",
        "model: {alias: a, provider: openai, name: m, max_calls: 501}",
        (),
        "model.max_calls",
    ),
    ("a rule's taken id", "", NEVER_RULE, "never[0].id: got 'never-pay'"),
]


@pytest.mark.parametrize(
    ("more", "change", "said"), [row[1:] for row in WIDER], ids=[row[0] for row in WIDER]
)
def test_a_profile_that_widens_is_told_where(
    load: Load, policy_with: With, more: str, change: tuple[str, str] | tuple[()], said: str
) -> None:
    policy = policy_with(*([change] if change else [])).policy

    problems = check_within(policy, load(more=more).profile)

    assert any(said in str(problem) for problem in problems), problems


def test_an_upstream_on_the_host_needs_the_policys_word(load: Load, policy_with: With) -> None:
    profile = load(("command: [mail]", "command: [mail]\n    host: true")).profile
    named = policy_with(("host_upstreams: []", "host_upstreams: [clerk/mailbox]")).policy
    other = policy_with(("host_upstreams: []", "host_upstreams: [other/mailbox]")).policy

    assert check_within(named, profile) == ()
    for policy in (shipped_policy().policy, other):
        assert [problem.key for problem in check_within(policy, profile)] == ["upstreams.mailbox.host"]
        assert narrowest(policy, profile).upstreams == {}
        assert narrowest(policy, profile).tools == {}


def test_a_large_box_of_an_upstream_is_seen_and_cut(load: Load) -> None:
    policy = shipped_policy().policy
    profile = load(("command: [mail]", "command: [mail]\n    memory_mib: 8192\n    pids: 1024")).profile

    assert [problem.key for problem in check_within(policy, profile)] == [
        "upstreams.mailbox.memory_mib",
        "upstreams.mailbox.pids",
    ]
    cut = narrowest(policy, profile).upstreams["mailbox"]
    assert (getattr(cut, "memory_mib", 0), getattr(cut, "pids", 0)) == (4096, 512)


def test_a_large_volume_of_an_upstream_is_seen_and_cut(load: Load, policy_with: With) -> None:
    """A volume without a size is left so: what then holds is the policy's own."""
    policy = policy_with(("volume_mib: 4096", "volume_mib: 64")).policy
    volumes = "[{source: a, target: /a, read_only: false, size_mib: 65}, {source: b, target: /b}]"
    profile = load(("command: [mail]", f"command: [mail]\n    volumes: {volumes}")).profile

    (problem,) = check_within(policy, profile)
    assert str(problem).endswith(
        "upstreams.mailbox.volumes[0].size_mib: got 65, expected at most 64 under this policy"
    )
    cut = narrowest(policy, profile)
    assert [volume.size_mib for volume in getattr(cut.upstreams["mailbox"], "volumes", ())] == [64, None]
    assert check_within(policy, cut) == ()


def test_the_narrowest_profile_takes_the_smaller_of_everything(load: Load, policy_with: With) -> None:
    """A policy that became stricter binds profiles that were deployed before."""
    policy = policy_with(
        ("effects: [read, draft, update, send, critical]", "effects: [read, draft, update]"),
        ("hold_above_tier: [draft, update]", "hold_above_tier: [draft]"),
        ("actions_per_run: 1000", "actions_per_run: 50"),
        ("per_effect: {update: 200, send: 50, critical: 10}", "per_effect: {update: 3, critical: 0}"),
        ("model_calls: 500", "model_calls: 0"),
    ).policy
    profile = load(
        ("never:\n", "  note: {upstream: mailbox, effect: draft}\nnever:\n"),
        more="hold_above_tier: [draft, update]\nlimits: {per_effect: {update: 9, draft: 4}}\n"
        "model: {alias: a, provider: openai, name: m}\nrequests: {sampling: send, resources: read}\n",
    ).profile

    cut = narrowest(policy, profile)

    assert set(cut.tools) == {"search_mail", "note"}
    assert {kind.value for kind in cut.requests} == {"resources"}
    assert cut.hold_above_tier == (Effect.DRAFT,)
    assert cut.limits.actions_per_run == 50
    assert cut.limits.per_effect == {Effect.UPDATE: 3, Effect.DRAFT: 4, Effect.CRITICAL: 0}
    assert cut.model is None
    assert check_within(policy, cut) == ()


def test_the_policys_never_list_joins_every_profile(load: Load, policy_with: With) -> None:
    policy = policy_with((NEVER_RULE[0], NEVER_RULE[1].replace("never-pay", "never-pay-anybody"))).policy

    rules = narrowest(policy, load().profile).never

    assert [rule.id for rule in rules] == ["never-pay-anybody", "never-pay"]


def test_a_policys_rule_that_does_not_fit_an_argument_is_reported(load: Load, policy_with: With) -> None:
    rule = "{id: n, text: Never that much., effects: [send], when: [{role: body, above: 3}]}"
    policy = policy_with(("expiry:", f"never: [{rule}]\nexpiry:")).policy

    assert [problem.key for problem in check_within(policy, load().profile)] == ["tools.send_mail.args.body"]
