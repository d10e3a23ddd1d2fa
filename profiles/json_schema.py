"""The JSON Schema of profiles and policies, for editors and other checkers.

A key that may be left out is one that may not be `null`: the loader refuses every `null`, so the schema does.
Source: JSON Schema 2020-12, as pydantic writes it.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a profile or policy, in which nothing is `null`."""
    return model.model_json_schema(schema_generator=_WithoutNull)


class _WithoutNull(GenerateJsonSchema):
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
