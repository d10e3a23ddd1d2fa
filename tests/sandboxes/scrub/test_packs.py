"""Every rule of the shipped packs finds what it says, spares lookalikes, and puts words that tell nothing."""

from pathlib import Path

import pytest

from profiles.context import ContextRules, StatusKind, Treatment
from sandboxes.errors import PackError
from sandboxes.scrub.examples import wrong_examples
from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import Pack, load_packs, shipped_pack
from sandboxes.scrub.rules import FieldRule, TextRule, read_file
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.tree import JsonValue

PACK = shipped_pack()
SCRUBBER = Scrubber((), ContextRules())
REPLACING = Scrubber((), ContextRules(results=Treatment.REPLACE))
RULES: tuple[TextRule | FieldRule, ...] = (*PACK.texts, *PACK.fields)


WITH_EXAMPLES = [rule for rule in RULES if rule.examples]
WITH_LOOKALIKES = [rule for rule in RULES if rule.lookalikes]


def _named(rule: TextRule | FieldRule) -> str:
    return rule.id


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_every_example_is_found_alone_and_between_others_and_no_lookalike(rule: TextRule | FieldRule) -> None:
    assert list(wrong_examples(rule, PACK.ids_in)) == []


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=_named)
def test_what_is_put_is_not_found_again(rule: TextRule | FieldRule) -> None:
    place = Place.SYSTEM if Place.SYSTEM in rule.where else rule.where[0]
    once = {text: SCRUBBER.text(text, place).value for text in rule.examples}

    assert [text for text, scrubbed in once.items() if scrubbed == text] == []
    assert [text for text in once.values() if SCRUBBER.text(text, place).value != text] == []


@pytest.mark.parametrize("rule", WITH_LOOKALIKES, ids=_named)
def test_no_rule_at_all_touches_a_lookalike(rule: TextRule | FieldRule) -> None:
    changed = {text: REPLACING.text(text, Place.RESULT).changes for text in rule.lookalikes}

    assert {text: [change.rule for change in changes] for text, changes in changed.items() if changes} == {}


def test_every_kind_has_rules() -> None:
    """The pack knows all kinds of status."""
    assert PACK.kinds() == frozenset(StatusKind)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("rules: [{id: x, kind: weather, put: y, patterns: [a], examples: [a]}]", "rule 'x'"),
        ("rules: [{id: x, kind: model, put: y, patterns: ['('], examples: [a]}]", "rule 'x'"),
        ("rules: [{id: x, kind: model, put: y, patterns: [a], after: ['('], examples: [a]}]", "rule 'x'"),
        ("fields: [{id: x, kind: model, put: y, names: [a], value: '('}]", "rule 'x'"),
        ("fields: [{id: x, kind: model, put: y, names: [a], value: b, unless: ['(']}]", "rule 'x'"),
        ("fields: [{id: x, kind: model, put: y, names: [a], value: b, beside: ['(']}]", "rule 'x'"),
        (
            "rules: [{id: x, kind: model, put: y, patterns: ['@{no}'], examples: [a]}]",
            "unknown list of words",
        ),
        ("rules: [{id: x, kind: model, put: y, patterns: [a], examples: []}]", "examples"),
        ("rules: [{id: x, kind: model, put: y, patterns: [a], examples: [a], wrong: 1}]", "wrong"),
        (
            "words: {w: ['@{w}']}\nrules: [{id: x, kind: model, put: y, patterns: ['@{w}'], examples: [a]}]",
            "each other",
        ),
        ("rules: [{id: x, kind: model, put: y, patterns: [a], examples: [a], unless: ['(']}]", "rule 'x'"),
        ("rules: [", "cannot be read"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_or_rule(tmp_path: Path, written: str, told: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(written)
    with pytest.raises(PackError, match=told):
        Pack([read_file(path)])


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{id: model-name, kind: model, put: y, patterns: [a], examples: [a]}", "two rules"),
        ("{id: x, kind: model, put: y, patterns: ['a('], examples: [a]}", "rule 'x'"),
    ],
)
def test_a_wrong_rule_beside_the_shipped_ones_is_refused_at_once(
    tmp_path: Path, rule: str, told: str
) -> None:
    (tmp_path / "own.yaml").write_text(f"rules: [{rule}]")
    with pytest.raises(PackError, match=told):
        load_packs([tmp_path])


def test_every_pattern_that_is_shipped_can_be_compiled() -> None:
    """They are compiled when they are first asked, so that is tried here and not wherever Handrail starts."""
    for matcher in PACK.gate.matchers:
        matcher.check()


@pytest.mark.parametrize("name", ["ours", "gap"])
def test_a_list_of_words_that_another_file_has_is_refused(tmp_path: Path, name: str) -> None:
    """Else the later would change what the rules of the earlier find."""
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text("words: {ours: [lamp]}")
    files[1].write_text(f"words: {{{name}: [torch]}}")

    with pytest.raises(PackError, match=f"@{{{name}}}: there is one of this name"):
        Pack([read_file(file) for file in files])


def test_an_operator_adds_rules_without_python(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "fields: [{id: ward, kind: place, put: here, names: [ward], examples: ['ward: 7']}]\n"
        "rules: [{id: hall, kind: place, put: here, patterns: ['\\bhall \\d+'], examples: ['hall 9']}]\n"
    )
    scrubber = Scrubber((), ContextRules(), load_packs([tmp_path]))
    assert scrubber.text("ward: north, see Hall  12", Place.SYSTEM).value == "ward: here, see here"
    assert scrubber.json({"ward": "north"}, Place.SYSTEM).value == {"ward": "here"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The bot reads. A lamp is here.", "The bot reads. "),
        ("Mind the bot's lamp.", ""),
        ("The cat reads. A lamp is here.", "The cat reads. A lamp is here."),
        ("The bot reads.\n\nA lamp is here.", "The bot reads.\n\nA lamp is here."),
        ("A lamp is here. The bot reads.", "A lamp is here. The bot reads."),
        (f"The bot {'reads ' * 120}it. A lamp is here.", f"The bot {'reads ' * 120}it. A lamp is here."),
    ],
)
def test_a_rule_can_come_after_what_the_paragraph_speaks_of(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.yaml").write_text(
        "rules: [{id: lamp, kind: place, put: '', span: sentence, after: ['\\bbot\\b'],"
        " patterns: ['\\blamp\\b'],"
        " examples: ['The bot. A lamp']}]\n"
    )
    scrubber = Scrubber((), ContextRules(), Pack([read_file(tmp_path / "own.yaml")]))
    assert scrubber.text(text, Place.SYSTEM).value == told


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"about": "the bot", "lamp": "seven"}, {"about": "the bot", "lamp": "dark"}),
        ({"bot": {"room": {"lamp": "seven"}}}, {"bot": {"room": {"lamp": "dark"}}}),
        ({"bot_name": "x", "lamps": [{"lamp": "seven"}]}, {"bot_name": "x", "lamps": [{"lamp": "dark"}]}),
        ({"about": "the cat", "lamp": "seven"}, {"about": "the cat", "lamp": "seven"}),
        ({"rooms": [{"bot": "x"}, {"lamp": "seven"}]}, {"rooms": [{"bot": "x"}, {"lamp": "seven"}]}),
        (
            {"about": f"a bot {'and ' * 40}", "lamp": "seven"},
            {"about": f"a bot {'and ' * 40}", "lamp": "seven"},
        ),
        ("bot=x lamp=seven", "bot=x lamp=dark"),
        ("bot=x\nlamp=seven", "bot=x\nlamp=seven"),
    ],
)
def test_a_field_can_ask_what_stands_beside_it(tmp_path: Path, told: JsonValue, shown: JsonValue) -> None:
    (tmp_path / "own.yaml").write_text(
        "fields: [{id: lamp, kind: place, put: dark, names: [lamp], beside: ['\\bbot\\b'],"
        " examples: ['bot: x, lamp: 7']}]\n"
    )
    scrubber = Scrubber((), ContextRules(results=Treatment.REPLACE), Pack([read_file(tmp_path / "own.yaml")]))
    assert scrubber.json(told, Place.RESULT).value == shown
