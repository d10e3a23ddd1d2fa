"""Whether rules find what they say: each example alone and between others, and no lookalike.

Tests hold the shipped rules to it. An operator's are held to it when they are loaded, since a rule that finds
nothing would let pass what it was written for.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sandboxes.errors import PackError
from sandboxes.scrub.rules import FieldRule, PackFile, TextRule

Found = Callable[[str], frozenset[str]]
"""Returns the ids of the rules that find anything in a text."""

_SHOWN = 80  # characters of an example in a message


def wrong_examples(rule: TextRule | FieldRule, found: Found) -> Iterator[str]:
    """Yield what is wrong with a rule's examples and lookalikes: which text, what was got, what expected."""
    for text in rule.examples:
        for form in (text, f"Dear all,\n\n{text}\n\nKind regards"):
            if rule.id not in (others := found(form)):
                yield f"example {_shown(form)}: got {_said(others)}, expected to be found by this rule"
    for text in rule.lookalikes:
        if rule.id in found(text):
            yield f"lookalike {_shown(text)}: got found by this rule, expected not"


def check_examples(files: Sequence[tuple[Path, PackFile]], found: Found) -> None:
    """Check the rules of an operator's files, where there are any.

    Args:
        files: each with what it holds.
        found: of all rules that are loaded together.

    Raises:
        PackError: a file holds nothing, none holds a rule, or a rule does not find what it says; the message
            names file and rule.
    """
    for path, file in files:
        if not (file.rules or file.fields or file.words):
            raise PackError(f"rule pack {path}: got an empty file, expected `rules`, `fields` or `words`")
        rules: tuple[TextRule | FieldRule, ...] = (*file.rules, *file.fields)
        for rule in rules:
            if wrong := next(wrong_examples(rule, found), None):
                raise PackError(f"rule pack {path}: rule {rule.id!r}: {wrong}; change the rule or the text")
    if files and not any(file.rules or file.fields for _, file in files):
        named = ", ".join(str(path) for path, _ in files)
        raise PackError(f"rule pack {named}: got no rule, expected at least one of `rules` or `fields`")


def _said(others: frozenset[str]) -> str:
    return f"found by {', '.join(sorted(others))} alone" if others else "found by no rule"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
