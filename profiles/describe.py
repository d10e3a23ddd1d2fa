"""The permission language as JSON Schema, for editors (`handrail profile schema`). Pure."""

from typing import Any

from profiles.policy import Policy
from profiles.schema import Profile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a profile; checks across its parts are beyond it."""
    return {"$schema": _DIALECT, **Profile.model_json_schema()}


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a policy; checks across its parts are beyond it."""
    return {"$schema": _DIALECT, **Policy.model_json_schema()}
