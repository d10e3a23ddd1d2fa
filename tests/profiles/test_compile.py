"""From a profile to Cedar text. What the text means is tried in tests/runtime/test_cedar.py."""

from collections.abc import Callable

import pytest

from profiles.compile import MODEL_ACTION, compile_profile, request_action
from profiles.errors import ProfileError
from profiles.load import LoadedProfile, parse_profile, shipped_profile
from profiles.never import literal_parts
from profiles.schema import RequestKind

Load = Callable[..., LoadedProfile]
Build = Callable[..., bytes]


def test_each_action_has_its_own_slice_of_the_rules(load: Load) -> None:
    actions = compile_profile(load().profile).actions

    assert set(actions) == {"search_mail", "send_mail", "start_payment"}
    assert "never-pay" not in actions["send_mail"].policies
    assert "permit" not in actions["start_payment"].policies
    assert '@id("never-pay")\nforbid' in actions["start_payment"].policies


def test_what_the_profile_does_not_open_has_no_slice(load: Load) -> None:
    """R-22: no model, no model action; no request, no request action."""
    actions = compile_profile(load().profile).actions

    assert MODEL_ACTION not in actions
    assert not any(request_action(kind) in actions for kind in RequestKind)


def test_model_and_requests_become_actions_no_tool_can_be_named_like(load: Load) -> None:
    more = "model: {alias: assistant, provider: openai, name: m}\nrequests: {resources: read}\n"
    actions = compile_profile(load(more=more).profile).actions

    assert actions["model:call"].resource_type == "Model"
    assert actions["request:resources"].resource_type == "Upstream"
    with pytest.raises(ProfileError, match="expected text that matches"):
        load(("  send_mail:", '  "model:call":'))


def test_equal_profiles_compile_to_equal_text() -> None:
    first, second = (compile_profile(shipped_profile("outreach").profile) for _ in range(2))

    assert first == second
    assert first.text == second.text
    assert first.schema in first.text


def test_only_arguments_that_a_rule_tests_are_in_the_schema() -> None:
    compiled = compile_profile(shipped_profile("action-executor").profile)

    assert [fact.argument for fact in compiled.actions["send_message"].facts] == ["to"]
    assert compiled.actions["read_message"].facts == ()


PATTERNS = [
    ("*@x.example", ["", "@x.example"]),
    ("a*b*", ["a", "b", ""]),
    (r"a\*b", ["a*b"]),
    (r"*\**", ["", "*", ""]),
    ("plain", ["plain"]),
]


@pytest.mark.parametrize(("pattern", "parts"), PATTERNS)
def test_a_pattern_splits_at_its_wildcards(pattern: str, parts: list[str]) -> None:
    assert literal_parts(pattern) == parts


RULES = [
    ("neither tools nor effects", "", "got neither tools nor effects"),
    (
        "an unknown argument",
        "tools: [send_mail], when: [{argument: cc, like: [x]}]",
        "never[1].when[0]: got 'cc', expected an argument declared by send_mail",
    ),
    (
        "a condition on a tool outside",
        "tools: [pay], when: [{argument: a, like: [x]}]",
        "expected an argument declared by pay",
    ),
    (
        "an argument of every tool",
        "effects: [send], when: [{argument: to, like: [x]}]",
        "got an argument without tools",
    ),
    ("a role nobody has", "effects: [send], when: [{role: url, like: [x]}]", "got role url"),
    (
        "a role that one tool lacks",
        "tools: [search_mail], when: [{role: body, like: [x]}]",
        "expected one that an argument of search_mail has",
    ),
    ("no operator", "tools: [send_mail], when: [{argument: to}]", "got no operator"),
    (
        "two operators",
        "tools: [send_mail], when: [{argument: to, like: [x], not_like: [y]}]",
        "got like, not_like, expected exactly one",
    ),
    (
        "argument and role",
        "tools: [send_mail], when: [{argument: to, role: body, like: [x]}]",
        "got both or neither",
    ),
    ("no pattern", "tools: [send_mail], when: [{argument: to, like: []}]", "a list of 0"),
    ("a bound for text", "tools: [send_mail], when: [{argument: to, above: 3}]", "got above for text"),
    (
        "a number for text",
        "tools: [send_mail], when: [{argument: to, one_of: [3]}]",
        "with a value of another type",
    ),
    (
        "a bound too fine",
        "tools: [send_mail], when: [{argument: to, above: 0.00001}]",
        "at most four decimals",
    ),
    (
        "a pattern that never matches",
        "tools: [send_mail], when: [{argument: to, like: ['Ann <*@x.example>']}]",
        "the form in which a recipient is compared",
    ),
    (
        "an id used twice",
        "tools: [x]}\n  - {id: n, text: Never do that., tools: [y]",
        "never[2].id: got 'n' twice",
    ),
]


@pytest.mark.parametrize(("rule", "said"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_a_rule_that_could_never_work_is_refused_at_load(profile_text: Build, rule: str, said: str) -> None:
    """R-14: a never-rule that silently does nothing would be worse than none."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(
            profile_text(more=f"  - {{id: n, text: Never do that., {rule}}}\n"), source="clerk.yaml"
        )

    assert said in str(caught.value)


URLS = [
    ("https://evil.example/*", False),
    ("*.evil.example", True),
    ("EVIL.example", True),
    ("evil.example/x", False),
]


@pytest.mark.parametrize(("pattern", "good"), URLS)
def test_a_url_is_compared_by_its_host(load: Load, pattern: str, good: bool) -> None:
    tool = "  open: {upstream: mailbox, effect: read, args: {link: url}}\nnever:"
    when = f'[{{argument: link, like: ["{pattern}"]}}]'
    rule = f"  - {{id: n, text: Never go there., tools: [open], when: {when}}}\n"
    if good:
        assert load(("never:", tool), more=rule).profile.never[1].id == "n"
    else:
        with pytest.raises(ProfileError, match="the form in which a host is compared"):
            load(("never:", tool), more=rule)
