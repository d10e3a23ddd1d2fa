"""The profiles that come with Handrail: each valid, whole, and within the default policy (R-46 to R-50)."""

import asyncio
import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from mcp_server_git.server import create_server

from profiles.compile import compile_profile
from profiles.context import ContextRules, StatusKind, Treatment
from profiles.effects import Effect
from profiles.errors import ProfileError
from profiles.json_schema import json_schema
from profiles.load import find_profile, parse_profile, shipped_policy, shipped_profile, shipped_profiles
from profiles.memory_consistency import MEMORY_TOOLS, memory_of
from profiles.policy import Policy, Role
from profiles.schema import Profile, StdioUpstream
from profiles.within import check_within, narrowest

NAMES = ("action-executor", "code-maintainer", "customer-data", "doc-reader", "outreach")


def test_one_profile_is_shipped_for_each_row() -> None:
    """R-46 to R-50."""
    assert shipped_profiles() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_is_named_like_its_file_and_within_the_default_policy(name: str) -> None:
    loaded = shipped_profile(name)

    assert loaded.profile.profile == name
    assert check_within(shipped_policy().policy, loaded.profile) == ()
    assert narrowest(shipped_policy().policy, loaded.profile).tools == loaded.profile.tools


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_uses_only_the_effects_of_its_job(name: str) -> None:
    """R-22: minimum access; nothing shipped may do anything critical by declaration."""
    profile = shipped_profile(name).profile

    assert profile.never
    assert Effect.CRITICAL not in profile.effects
    assert Effect.READ in profile.effects


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_satisfies_the_json_schema(name: str) -> None:
    data = yaml.safe_load(shipped_profile(name).text)

    jsonschema.validate(data, json_schema(Profile))
    jsonschema.validate(yaml.safe_load(shipped_policy().text), json_schema(Policy))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "model": None}, json_schema(Profile))


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_survives_the_round_trip_through_json(name: str) -> None:
    """`[]` stays nothing and a missing key stays its safe default."""
    profile = shipped_profile(name).profile

    again = Profile.model_validate_json(profile.model_dump_json())

    assert again == profile
    assert compile_profile(again) == compile_profile(profile)


@pytest.mark.parametrize("name", NAMES)
def test_any_one_unknown_key_at_the_top_refuses_a_shipped_profile(name: str) -> None:
    text = shipped_profile(name).text + "\nallow_all: true\n"

    with pytest.raises(Exception, match="allow_all: unknown key"):
        parse_profile(text.encode(), source=name)


async def _git_tools() -> dict[str, dict[str, dict[str, object]]]:
    tools = await create_server(None).list_tools()
    return {tool.name: tool.input_schema for tool in tools}


def test_code_maintainer_declares_the_git_servers_tools_exactly() -> None:
    """R-49: names, arguments, which are required, and which are lists, of the unmodified server."""
    served = asyncio.run(_git_tools())
    declared = shipped_profile("code-maintainer").profile.tools

    assert set(declared) == set(served)
    for name, schema in served.items():
        properties = schema["properties"]
        assert set(declared[name].args) == set(properties), name
        required = {arg for arg, spec in declared[name].args.items() if spec.required}
        assert required == set(schema.get("required", [])), name
        lists = {arg for arg, spec in declared[name].args.items() if spec.many}
        assert lists == {arg for arg, kind in properties.items() if kind.get("type") == "array"}, name
        numbers = {arg for arg, spec in declared[name].args.items() if spec.type.value == "integer"}
        assert numbers == {arg for arg, kind in properties.items() if kind.get("type") == "integer"}, name


def test_the_default_policy_names_nobody_and_so_nobody_may_do_anything() -> None:
    """DESIGN section 5: no approver is a deny."""
    policy = shipped_policy().policy

    assert policy.people == {}
    assert all(policy.holders_of(role) == frozenset() for role in Role)


def test_the_default_policy_follows_the_tier_table() -> None:
    """REQUIREMENTS section 2: thresholds and approvers by tier."""
    policy = shipped_policy().policy
    asked = {
        effect.value: (t.agreement, t.observed_days, t.total_days) for effect, t in policy.thresholds.items()
    }

    assert asked == {
        "draft": (0.90, 14, 0), "update": (0.95, 7, 0), "send": (0.98, 7, 0), "critical": (0.98, 7, 28),
    }  # fmt: skip
    assert {effect.value: quorum.count for effect, quorum in policy.promotions.items()} == {
        "draft": 1, "update": 2, "send": 2, "critical": 2,
    }  # fmt: skip
    assert policy.promotions[Effect.CRITICAL].acknowledged_by is Role.LEADERSHIP
    assert policy.holds[Effect.CRITICAL].count == 2
    assert json.loads(policy.policy_change.model_dump_json())["count"] == 2


def test_a_profile_is_found_by_file_or_by_shipped_name(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(find_profile("doc-reader").text)

    assert find_profile(str(own)).digest == find_profile("doc-reader").digest
    with pytest.raises(
        ProfileError, match="no such file, expected one or the name of a shipped profile: act"
    ):
        find_profile("doc-raeder")


def test_code_maintainer_reads_files_as_they_are_and_is_told_commits_by_their_ids() -> None:
    """R-41: what a code agent reads it writes again, so nothing in it is replaced."""
    rules = shipped_profile("code-maintainer").profile.context

    assert rules == ContextRules(results=Treatment.FLAG, keep=(StatusKind.DEPLOYMENT,))


def test_doc_reader_keeps_notes_that_are_untrusted_and_written_as_drafts() -> None:
    """R-70, R-77."""
    profile = shipped_profile("doc-reader").profile
    effects = {tool.tool: tool.effects for tool in profile.tools.values() if tool.upstream == "notes"}

    assert memory_of(profile) is not None
    assert effects == {name: frozenset({least}) for name, least in MEMORY_TOOLS.items()}
    assert "notes" not in profile.sources.trusted


def test_action_executor_has_another_mail_server_in_evaluations() -> None:
    """R-43: what an evaluation sends does not leave by the way that production's mails go."""
    mailbox = shipped_profile("action-executor").profile.upstreams["mailbox"]

    assert isinstance(mailbox, StdioUpstream)
    assert mailbox.evaluation is not None
    assert set(mailbox.evaluation.tcp) == set(mailbox.tcp)
    assert mailbox.evaluation.tcp["smtp"] != mailbox.tcp["smtp"].to


def test_action_executor_does_not_read_what_suppliers_say_of_it() -> None:
    """R-60: no mail of a stranger tells it what is to become of it."""
    assert shipped_profile("action-executor").profile.context.results is Treatment.REPLACE
