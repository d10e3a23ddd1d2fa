"""docs/profiles.md says it explains every key, with an example that works."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from profiles.compile import compile_profile
from profiles.json_schema import json_schema
from profiles.load import parse_profile, shipped_policy
from profiles.policy import Policy
from profiles.schema import ArgumentRole, ArgumentType, Profile, RequestKind
from profiles.within import check_within

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    schema = json_schema(model)
    for definition in [schema, *schema["$defs"].values()]:
        for form in [definition, *definition.get("anyOf", ())]:
            yield from form.get("properties", ())


def test_the_example_loads_compiles_and_is_within_the_default_policy() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)

    assert example
    profile = parse_profile(example[1].encode(), source="docs/profiles.md").profile
    assert check_within(shipped_policy().policy, profile) == ()
    assert "never-credit-much" in compile_profile(profile).actions["credit"].policies


@pytest.mark.parametrize("model", [Profile, Policy])
def test_every_key_is_on_the_page(model: type[BaseModel]) -> None:
    words = set(re.findall(r"[a-z_]+", PAGE.read_text()))

    assert set(_keys(model)) - words == set()


def test_every_role_type_and_request_is_on_the_page() -> None:
    words = set(re.findall(r"[a-z_]+", PAGE.read_text()))

    assert {*ArgumentRole, *ArgumentType, *RequestKind} - words == set()
