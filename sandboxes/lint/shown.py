"""What a profile and its upstreams would show an agent, and the task that an operator would give it. Pure.

The deployment's own values are errors wherever they stand, and so is an alias that names the real model.
General kinds are warnings: the profile says what is done with them, and a person reads the draft.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from profiles.schema import ContextRules, ModelSpec, Profile, StatusKind
from sandboxes.lint.finding import Finding, Weight, finding
from sandboxes.scrub.model import OwnValue, Place, Scrubbed
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook
from sandboxes.scrub.scrubber import Scrubber, suggest
from sandboxes.scrub.tree import JsonValue

_GENERAL_NAMES: Final = frozenset(
    {"agent", "ai", "assistant", "chat", "llm", "main", "mind", "model", "text"}
)
_LEAST_TELLING: Final = 3
TASK: Final = "task"
ARGUMENT: Final = "argument "
_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9]+")


def own_of(profile: Profile) -> tuple[OwnValue, ...]:
    """Return the values of a profile that its agent may not see: the real model's name."""
    model = profile.model
    return () if model is None else (OwnValue("model", model.name, model.alias),)


def lint_shown(
    profile: Profile, definitions: Mapping[str, JsonValue], rulebook: Rulebook = SHIPPED_RULES
) -> tuple[Finding, ...]:
    """Look through what a deployment would show.

    Args:
        profile: its command line, its model's alias, and its tools' names.
        definitions: what upstreams say of what they offer, by where it stands, such as `tool search`.
        rulebook: what general kinds are found by.

    Returns:
        What it would tell, errors first.

    Raises:
        sandboxes.errors.ScrubError: a text cannot be looked through; it may not be shown.
    """
    scrubber = Scrubber(own_of(profile), profile.context, rulebook.pack)
    found = [
        *_alias(profile.model),
        *_command(profile.command, scrubber),
        *_names(profile, scrubber),
        *_definitions(definitions, scrubber),
    ]
    return tuple(sorted(found, key=lambda one: one.weight is Weight.WARNING))


def lint_launch(
    task: str, command: Sequence[str], profile: Profile, rulebook: Rulebook = SHIPPED_RULES
) -> tuple[Finding, ...]:
    """Look through what an operator adds at a launch: a task, which is the agent's prompt, and arguments.

    Nothing of it refuses the launch: it is the operator's own word, and it is recorded with what it tells.

    Raises:
        sandboxes.errors.ScrubError: it cannot be looked through.
    """
    scrubber = Scrubber(own_of(profile), ContextRules(), rulebook.pack)
    fix = "write it in words that tell nothing"
    found = [*_each(TASK, scrubber.text(task, Place.SYSTEM), fix)]
    for at, word in enumerate(command):
        found += _each(f"{ARGUMENT}{at}", scrubber.text(word, Place.SYSTEM), fix)
    return tuple(replace(one, weight=Weight.WARNING) for one in found)


def suggested_task(task: str, profile: Profile, rulebook: Rulebook = SHIPPED_RULES) -> str:
    """Return a task as it could be written instead. Raises ScrubError: it cannot be looked through."""
    scrubber = Scrubber(own_of(profile), ContextRules(), rulebook.pack)
    return suggest(scrubber.text(task, Place.SYSTEM).value)


def _alias(model: ModelSpec | None) -> Iterator[Finding]:
    if model is None:
        return
    alias, name = (_NOT_A_LETTER.sub("", text.lower()) for text in (model.alias, model.name))
    family = Scrubber((), ContextRules()).text(model.alias, Place.RESULT).changes
    names = alias not in _GENERAL_NAMES and len(alias) >= _LEAST_TELLING and name.startswith(alias)
    if names or name in alias or any(change.kind is StatusKind.MODEL for change in family):
        fix = "give it a name of its task, such as `assistant`"
        yield finding("model.alias", model.alias, StatusKind.MODEL, "alias", fix=fix, weight=Weight.ERROR)


def _command(command: tuple[str, ...], scrubber: Scrubber) -> Iterator[Finding]:
    fix = "take it out of the profile's `command`"
    for at, word in enumerate(command):
        yield from _each(f"command[{at}]", scrubber.text(word, Place.DEFINITION), fix)


def _names(profile: Profile, scrubber: Scrubber) -> Iterator[Finding]:
    for name in profile.tools:
        told = scrubber.text(name.replace("_", " "), Place.DEFINITION)
        yield from _each(
            f"tools.{name}", told, "give it another name in the profile, with `tool:` for the old"
        )


def _definitions(definitions: Mapping[str, JsonValue], scrubber: Scrubber) -> Iterator[Finding]:
    fix = "have its author change it, or set `context: {definitions: replace}` in the profile"
    for where, definition in definitions.items():
        yield from _each(where, scrubber.json(definition, Place.DEFINITION), fix)


def _each(where: str, seen: Scrubbed[str] | Scrubbed[JsonValue], fix: str) -> Iterator[Finding]:
    """Yield one finding for each rule that found something, however often."""
    for change in {change.rule: change for change in reversed(seen.changes)}.values():
        weight = Weight.ERROR if change.kind is None else Weight.WARNING
        yield finding(where, change.found, change.kind, change.rule, fix=fix, weight=weight)
