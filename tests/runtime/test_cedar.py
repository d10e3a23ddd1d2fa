"""The rules engine: what it permits, forbids and refuses, and that every doubt is an error (R-14, R-22)."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from profiles.compile import Compiled, CompiledAction, compile_profile
from profiles.effects import Effect
from profiles.load import parse_profile, shipped_policy, shipped_profile, shipped_profiles
from profiles.within import narrowest
from runtime.cedar import CedarEngine, CedarError, CedarOutcome, CedarRequest

EVERY = frozenset(Effect)
PROFILE = b"""\
profile: clerk
version: 1
purpose: Try every kind of rule on one small tool set.
image: handrail/agent:1
model: {alias: assistant, provider: openai, name: m}
requests: {resources: read}
upstreams:
  desk: {kind: stdio, image: handrail/desk:1, command: [desk]}
  shelf: {kind: stdio, image: handrail/shelf:1, command: [shelf]}
tools:
  look: {upstream: desk, effect: read, args: {folder: collection, note: {role: text, required: false}}}
  mail:
    upstream: desk
    effect: send
    args: {to: {role: recipient, many: true}, cc: {role: recipient, required: false}, text: body}
  pay:
    upstream: desk
    effect: update
    args: {sum: amount, fast: {role: option, type: boolean, required: false}}
  open: {upstream: shelf, effect: read, args: {path: path, link: {role: url, required: false}}}
  change:
    upstream: shelf
    effect: {argument: mode, values: {look: read, mend: update}}
    args: {mode: option}
never:
  - {id: never-hr, text: Never look at HR., tools: [look], when: [{argument: folder, like: [HR, "HR/*"]}]}
  - {id: never-away, text: Never write to others., tools: [mail],
     when: [{role: recipient, not_like: ["*@OWN.example"]}]}
  - {id: never-much, text: Never pay over a thousand., tools: [pay], when: [{argument: sum, above: 1000}]}
  - {id: never-back, text: Never pay less than nothing., tools: [pay], when: [{argument: sum, below: 0}]}
  - {id: never-fast, text: Never pay a lot at once., tools: [pay],
     when: [{argument: fast, one_of: [true]}, {argument: sum, above: 10.5}]}
  - {id: never-git, text: Never open the repository's inside., tools: [open],
     when: [{argument: path, like: [".git*", "*/.git*"]}]}
  - {id: never-out, text: Never open another site., tools: [open],
     when: [{argument: link, not_one_of: [Own.example]}]}
  - {id: never-critical, text: Never do what is critical., effects: [critical]}
  - {id: never-wipe, text: Never wipe the disk., tools: [wipe]}
limits: {max_amount: 5000}
"""


@pytest.fixture(scope="module")
def engine() -> CedarEngine:
    return CedarEngine.from_compiled(compile_profile(parse_profile(PROFILE, source="clerk").profile))


def _ask(
    action: str, args: Mapping[str, object], effect: Effect = Effect.READ, resource: str = "desk"
) -> CedarRequest:
    return CedarRequest("bot", action, resource, effect, EVERY, args)


MAIL = {"to": ["a@own.example"], "text": "hello"}
ASKED = [
    ("a read", _ask("look", {"folder": "INBOX"}), None),
    ("another case", _ask("look", {"folder": "hr/salaries"}), "never-hr"),
    ("the folder itself", _ask("look", {"folder": "HR"}), "never-hr"),
    ("a longer name", _ask("look", {"folder": "HRX"}), None),
    ("a name with a hidden letter", _ask("look", {"folder": "H\u200bR"}), "never-hr"),
    ("a name in full width", _ask("look", {"folder": "ＨＲ"}), "never-hr"),  # noqa: RUF001 - that is the point
    ("a list for a text", _ask("look", {"folder": ["INBOX"]}), "never-hr"),
    ("a missing argument", _ask("look", {}), None),
    ("an argument no rule tests",
     _ask("look", {"folder": "INBOX", "note": {"any": ["thing", 2**70]}}), None),
    ("an undeclared argument", _ask("look", {"folder": "INBOX", "HR": "HR"}), None),
    ("a mail inside", _ask("mail", MAIL, Effect.SEND), None),
    ("one outside among many",
     _ask("mail", {**MAIL, "to": ["a@own.example", "b@x.example"]}, Effect.SEND), "never-away"),
    ("the last of the longest list",
     _ask("mail", {**MAIL, "to": ["a@own.example"] * 31 + ["b@x.example"]}, Effect.SEND), "never-away"),
    ("a list that is too long",
     _ask("mail", {**MAIL, "to": ["a@own.example"] * 33}, Effect.SEND), "never-away"),
    ("two in one text",
     _ask("mail", {**MAIL, "to": ["b@x.example,a@own.example"]}, Effect.SEND), "never-away"),
    ("a copy outside", _ask("mail", {**MAIL, "cc": "b@x.example"}, Effect.SEND), "never-away"),
    ("a copy inside", _ask("mail", {**MAIL, "cc": "B@OWN.example"}, Effect.SEND), None),
    ("no recipient", _ask("mail", {"text": "hello"}, Effect.SEND), "never-away"),
    ("null as recipient", _ask("mail", {**MAIL, "to": None}, Effect.SEND), "never-away"),
    ("nobody", _ask("mail", {**MAIL, "to": []}, Effect.SEND), None),
    ("the bound itself", _ask("pay", {"sum": 1000}, Effect.UPDATE), None),
    ("just above the bound", _ask("pay", {"sum": 1000.0001}, Effect.UPDATE), "never-much"),
    ("the largest integer", _ask("pay", {"sum": 2**63 - 1}, Effect.UPDATE), "never-much"),
    ("beyond the largest integer", _ask("pay", {"sum": 2**63}, Effect.UPDATE), "never-much"),
    ("the smallest integer", _ask("pay", {"sum": -(2**63)}, Effect.UPDATE), "never-back"),
    ("just below nothing", _ask("pay", {"sum": -0.0001}, Effect.UPDATE), "never-back"),
    ("a sum as text", _ask("pay", {"sum": "1000.01"}, Effect.UPDATE), "never-much"),
    ("a sum that cannot be read", _ask("pay", {"sum": "1e3"}, Effect.UPDATE), "never-back never-much"),
    ("not a number", _ask("pay", {"sum": float("nan")}, Effect.UPDATE), "never-back never-much"),
    ("fast and small", _ask("pay", {"sum": 10.5, "fast": True}, Effect.UPDATE), None),
    ("fast and larger", _ask("pay", {"sum": 10.6, "fast": True}, Effect.UPDATE), "never-fast"),
    ("slow and larger", _ask("pay", {"sum": 10.6, "fast": False}, Effect.UPDATE), None),
    ("fast in words", _ask("pay", {"sum": 10.6, "fast": "yes"}, Effect.UPDATE), "never-fast"),
    ("a path", _ask("open", {"path": "src/a.py"}, resource="shelf"), None),
    ("a winding path", _ask("open", {"path": "src/../.git/config"}, resource="shelf"), "never-git"),
    ("a path with a backslash", _ask("open", {"path": "src\\a.py"}, resource="shelf"), "never-git"),
    ("a path with a NUL", _ask("open", {"path": "src\x00.git"}, resource="shelf"), "never-git"),
    ("our site", _ask("open", {"path": "a", "link": "https://Own.example/x"}, resource="shelf"), None),
    ("our site as a user name",
     _ask("open", {"path": "a", "link": "https://own.example@x.example"}, resource="shelf"),
     "never-out"),
    ("half a surrogate pair", _ask("open", {"path": "a\ud800"}, resource="shelf"), "never-git"),
    ("a mend", _ask("change", {"mode": "mend"}, Effect.UPDATE, "shelf"), None),
    ("an undetermined effect", _ask("change", {"mode": "x"}, Effect.CRITICAL, "shelf"), "never-critical"),
    ("a raised effect", _ask("look", {"folder": "INBOX"}, Effect.CRITICAL), "never-critical"),
    ("a tool outside the profile", _ask("wipe", {}, Effect.READ, "unknown"), "never-wipe"),
    ("the model", _ask("model:call", {"any": "thing"}, resource="assistant"), None),
    ("a resource", _ask("request:resources", {"uri": "x"}), None),
    ("a request to every upstream", _ask("request:resources", {}, resource="unknown"), None),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "rules"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_the_never_list_forbids_and_nothing_else_does(
    engine: CedarEngine, request_: CedarRequest, rules: str | None
) -> None:
    """R-14: with everything granted, exactly the never-list stands in the way."""
    answer = engine.decide(request_)

    assert answer.errors == ()
    assert answer.rule_ids == tuple((rules or "").split())
    assert answer.outcome is (CedarOutcome.FORBIDDEN if rules else CedarOutcome.PERMITTED)


NOT_GRANTED = [
    ("nothing is granted", replace(_ask("look", {"folder": "a"}), granted=frozenset())),
    ("only lower classes are",
     replace(_ask("mail", MAIL, Effect.SEND), granted=frozenset({Effect.READ, Effect.UPDATE}))),
    ("only a higher class is", replace(_ask("look", {"folder": "a"}), granted=frozenset({Effect.UPDATE}))),
    ("the effect is below the declared one", _ask("mail", MAIL, Effect.READ)),
    ("the effect is below the lowest possible", _ask("pay", {"sum": 5}, Effect.DRAFT)),
    ("the upstream is another", _ask("look", {"folder": "a"}, resource="shelf")),
    ("the model is another", _ask("model:call", {}, resource="other")),
]  # fmt: skip


@pytest.mark.parametrize("request_", [row[1] for row in NOT_GRANTED], ids=[row[0] for row in NOT_GRANTED])
def test_without_the_grant_for_its_very_class_an_action_is_not_permitted(
    engine: CedarEngine, request_: CedarRequest
) -> None:
    answer = engine.decide(request_)

    assert (answer.outcome, answer.rule_ids, answer.errors) == (CedarOutcome.NOT_GRANTED, (), ())


def test_a_never_rule_is_named_even_where_nothing_is_granted(engine: CedarEngine) -> None:
    """R-14: never is told apart from not granted."""
    asked = replace(_ask("look", {"folder": "HR"}), granted=frozenset())

    assert engine.decide(asked).outcome is CedarOutcome.FORBIDDEN


UNKNOWN = ["", "LOOK", "look ", "look\x00", "ｌook", "request:prompts", 'look" permit', "Action::look"]  # noqa: RUF001 - that is the point


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_action_is_an_error(engine: CedarEngine, name: str) -> None:
    answer = engine.decide(_ask(name, {"folder": "INBOX"}))

    assert answer.outcome is CedarOutcome.ERROR
    assert answer.errors


HOSTILE = [
    '"',
    "\\",
    '\\"',
    "a\nb",
    "a\x00b",
    '"] || true',
    "*",
    "\u202e",
    "\U0001d4b6",
    "x" * 100_000,
    "",
    "\\u{41}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_values_are_only_values(engine: CedarEngine, text: str) -> None:
    asked = replace(_ask("look", {"folder": "INBOX", "note": text}), agent=text)

    assert engine.decide(asked).outcome is CedarOutcome.PERMITTED
    assert engine.decide(replace(asked, resource=text)).outcome is CedarOutcome.NOT_GRANTED


def test_a_request_that_cannot_be_put_to_cedar_is_an_error(engine: CedarEngine) -> None:
    asked = replace(_ask("look", {"folder": "INBOX"}), agent="half \ud800 a pair")

    answer = engine.decide(asked)

    assert answer.outcome is CedarOutcome.ERROR
    assert answer.errors


CONTEXT = "effect: String, granted: Set<String>, count: Long, unclear: Set<String>, args: {}"


def _by_hand(policies: str, context: str = CONTEXT) -> Compiled:
    schema = (
        "entity Agent; entity Upstream; entity Model;\n"
        f'action "look" appliesTo {{ principal: [Agent], resource: [Upstream], context: {{ {context} }} }};'
    )
    return Compiled(schema, {"look": CompiledAction("look", "Upstream", policies, ())})


def test_a_forbid_that_errors_is_not_skipped() -> None:
    """Cedar skips an erroring forbid and would allow; here the error decides."""
    overflow = (
        "permit (principal, action, resource);\n"
        '@id("never-overflow") forbid (principal, action, resource)'
        " when { context.count + 9223372036854775807 > 5 };"
    )
    engine = CedarEngine.from_compiled(_by_hand(overflow))

    answer = engine.decide(_ask("look", {}))

    assert answer.outcome is CedarOutcome.ERROR
    assert "overflow" in answer.errors[0]


def test_a_context_that_lacks_what_the_schema_asks_is_an_error() -> None:
    """The schema is checked at decision time too, even for what no rule reads."""
    rules = "permit (principal, action, resource);"

    answer = CedarEngine.from_compiled(_by_hand(rules, f"{CONTEXT}, stage: String")).decide(_ask("look", {}))

    assert answer.outcome is CedarOutcome.ERROR


BAD_TEXT = [
    "permit (principal, action, resource) when { context.absent };",
    'permit (principal, action, resource) when { context.count like "a" };',
    "permit (principal, action, resource",
    'permit (principal, action == Action::"other", resource);',
]  # fmt: skip


@pytest.mark.parametrize("policies", BAD_TEXT)
def test_rules_that_do_not_fit_the_schema_never_load(policies: str) -> None:
    with pytest.raises(CedarError, match="cedar refuses"):
        CedarEngine.from_compiled(_by_hand(policies))


def test_a_schema_that_is_broken_never_loads() -> None:
    with pytest.raises(CedarError, match="cedar refuses"):
        CedarEngine.from_compiled(Compiled("entity", {}))


def test_an_engine_without_rules_permits_nothing() -> None:
    engine = CedarEngine.from_compiled(Compiled("entity Agent;", {}))

    assert engine.decide(_ask("look", {})).outcome is CedarOutcome.ERROR


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_compiles_to_rules_that_validate(name: str) -> None:
    profile = narrowest(shipped_policy().policy, shipped_profile(name).profile)
    compiled = compile_profile(profile)
    engine = CedarEngine.from_compiled(compiled)

    for action in compiled.actions:
        asked = CedarRequest("bot", action, "unknown", Effect.READ, frozenset(), {})
        assert engine.decide(asked).outcome in (CedarOutcome.NOT_GRANTED, CedarOutcome.FORBIDDEN)
