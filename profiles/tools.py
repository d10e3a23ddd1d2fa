"""Tools: what each one does to the world, and what each of its arguments is.

An effect is declared, never guessed. Where it depends on an argument, every value that lowers it is listed;
a value that is not listed makes the action critical. An argument that is not declared is an unknown shape.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from profiles.base import ArgumentName, Name, Strict, UpstreamText
from profiles.effects import Effect


class ArgumentRole(StrEnum):
    """What an argument means to the outside world; checks act on the role, not on the name."""

    RECIPIENT = "recipient"
    HOST = "host"
    URL = "url"
    COLLECTION = "collection"
    PATH = "path"
    AMOUNT = "amount"
    BODY = "body"
    TEXT = "text"
    QUERY = "query"
    ID = "id"
    OPTION = "option"


class ArgumentType(StrEnum):
    """The JSON type of an argument's value (of each element, where it is a list)."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"


Scalar = str | Annotated[int, Field(ge=-(10**11), le=10**11)] | bool
"""A value that a profile can name."""


class ArgumentSpec(Strict):
    """One declared argument. The short form `name: role` stands for `name: {role: role}`.

    Attributes:
        role: What the argument means.
        type: The JSON type of the value, or of each element; number for an amount, else text by default.
        many: Whether the value is a list.
        required: Whether a call without it has an unknown shape.
        values: The only values that are a known shape.
        max: The largest number that is a known shape.
        max_length: The longest text, in characters, that is a known shape.
    """

    role: ArgumentRole
    type: ArgumentType
    many: bool = False
    required: bool = True
    # Not strict, so that a list makes a tuple: after the short form is filled in, pydantic sees no JSON.
    values: Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=200, strict=False)] | None = None
    max: Annotated[float, Field(ge=0, le=1e11)] | None = None
    max_length: Annotated[int, Field(ge=0, le=16_777_216)] | None = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe both forms; `type` follows from the role where it is left out."""
        long_form = handler.resolve_ref_schema(handler(core_schema))
        long_form["required"] = ["role"]
        return {"anyOf": [{"enum": [role.value for role in ArgumentRole]}, long_form]}

    @model_validator(mode="before")
    @classmethod
    def _fill_short_form(cls, data: Any) -> Any:
        given = {"role": data} if isinstance(data, str) else data
        if not isinstance(given, dict) or "type" in given:
            return given
        return {**given, "type": "number" if given.get("role") == "amount" else "text"}


class EffectByArgument(Strict):
    """An effect that one argument decides; a value that is not listed, or none, is critical."""

    argument: ArgumentName
    values: Annotated[Mapping[str, Effect], Field(min_length=1)]

    def of(self, value: object) -> Effect:
        """The class that goes with the value; anything but a listed text or boolean is critical."""
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
        return self.values.get(text, Effect.CRITICAL) if isinstance(text, str) else Effect.CRITICAL


def _effect_form(data: Any) -> str:
    return "by-argument" if isinstance(data, dict | EffectByArgument) else "class"


EffectSpec = Annotated[
    Annotated[Effect, Tag("class")] | Annotated[EffectByArgument, Tag("by-argument")],
    Discriminator(_effect_form),
]


class ToolSpec(Strict):
    """One tool that the agent may see."""

    upstream: Name
    effect: EffectSpec
    tool: UpstreamText | None = None
    args: Mapping[ArgumentName, ArgumentSpec] = {}
    each: ArgumentName | None = None

    @property
    def effects(self) -> frozenset[Effect]:
        """Every class that a well-formed call of this tool can have."""
        if isinstance(self.effect, EffectByArgument):
            return frozenset(self.effect.values.values())
        return frozenset({self.effect})

    def effect_of(self, args: Mapping[str, object]) -> Effect:
        """The class of one call.

        Args:
            args: The call's arguments as parsed JSON.

        Returns:
            The declared class, or critical where the arguments do not determine one.
        """
        if isinstance(self.effect, EffectByArgument):
            return self.effect.of(args.get(self.effect.argument))
        return self.effect

    def count_of(self, args: Mapping[str, object]) -> int:
        """How many actions one call is (R-23): the length of its `each` list, at least one."""
        value = args.get(self.each) if self.each else None
        return max(1, len(value)) if isinstance(value, list | tuple) else 1

    def with_role(self, role: ArgumentRole) -> tuple[str, ...]:
        """The names of the arguments that have this role."""
        return tuple(name for name, spec in self.args.items() if spec.role is role)

    @model_validator(mode="after")
    def _names_its_own_arguments(self) -> Self:
        if self.each is not None and not (self.each in self.args and self.args[self.each].many):
            raise ValueError(
                f"each: got {self.each!r}, expected one of this tool's arguments with many: true"
            )
        if isinstance(self.effect, EffectByArgument) and self.effect.argument not in self.args:
            raise ValueError(f"effect: got argument {self.effect.argument!r}, expected one under args")
        return self
