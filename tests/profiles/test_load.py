"""R-13: a profile that is missing, broken or loose is refused, and the message says where and what."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles.effects import Effect
from profiles.errors import ProfileError
from profiles.json_schema import json_schema
from profiles.load import LoadedProfile, load_profile, parse_profile, shipped_profile
from profiles.policy import Policy
from profiles.schema import ArgumentRole, ArgumentType, Profile
from profiles.yaml_source import MAX_BYTES

Build = Callable[..., bytes]
Load = Callable[..., LoadedProfile]


def test_a_small_profile_loads_with_safe_defaults(load: Load) -> None:
    profile = load().profile

    assert profile.tools["send_mail"].effect is Effect.SEND
    assert profile.tools["search_mail"].args["folder"].role is ArgumentRole.COLLECTION
    assert profile.tools["search_mail"].args["folder"].type is ArgumentType.TEXT
    assert profile.model is None
    assert profile.requests == {}
    assert profile.hold_above_tier == ()
    assert profile.limits.max_amount == 0
    assert profile.limits.actions_per_run == 200


BROKEN = [
    ("an unknown key", ("version: 1", "version: 1\ntool: {}"), 3, "tool: unknown key; did you mean `tools`?"),
    ("traits", ("version: 1", "version: 1\ntraits: []"), 3, "traits: unknown key; traits belong to `agent"),
    ("no purpose", ("purpose: Sort the mail of one small office.\n", ""), 1, "purpose: is missing"),
    ("an empty purpose", ("Sort the mail of one small office.", '""'), 3, 'purpose: got "", expected'),
    (
        "no never-list",
        ("never:\n", "never: []\nknown:\n  collections: []\nlimits: {}\nx:\n"),
        19,
        "never: got a list of 0, expected at least 1 item",
    ),
    ("a missing effect", ("    effect: send\n", ""), 15, "tools.send_mail.effect: is missing"),
    (
        "an unknown effect",
        ("effect: send", "effect: write"),
        17,
        'tools.send_mail.effect: got "write", expected',
    ),
    ("null for an effect", ("effect: send", "effect: null"), 17, "nothing stands for all"),
    (
        "null for a list",
        ("tools: [start_payment]", "tools: null"),
        22,
        "never[0].tools: got null, expected a list; nothing",
    ),
    (
        "a star for a list",
        ("tools: [start_payment]", 'tools: "*"'),
        22,
        'never[0].tools: got "*", expected a list; nothing',
    ),
    (
        "a star in a list",
        ("tools: [start_payment]", 'tools: ["*"]'),
        22,
        "nothing stands for all: name each one",
    ),
    (
        "a star as upstream",
        ("upstream: mailbox\n    effect: send", 'upstream: "*"\n    effect: send'),
        16,
        "nothing stands",
    ),
    ("a star as tool", ("  send_mail:", '  "*":'), 15, "expected text that matches"),
    ("a star as argument", ("{to: recipient,", '{"*": recipient,'), 18, "expected text that matches"),
    ("null for tools", ("tools:\n  search_mail:", "tools: null\nx:\n  search_mail:"), 10, "tools: got null"),
    ("a number as text", ("version: 1", 'version: "1"'), 2, 'version: got "1", expected a valid integer'),
    (
        "a truth value as number",
        ("version: 1", "version: true"),
        2,
        "version: got true, expected a valid integer",
    ),
    ("a number that is not whole", ("version: 1", "version: 1.5"), 2, "version: got 1.5"),
    ("a word for a truth value", ("query, required: false", "query, required: no"), 14, 'required: got "no"'),
    (
        "an unknown upstream",
        ("upstream: mailbox\n    effect: send", "upstream: post\n    effect: send"),
        16,
        "got 'post', expected one of: mailbox",
    ),
    (
        "an unknown role",
        ("to: recipient", "to: receiver"),
        18,
        'tools.send_mail.args.to: got "receiver", expected one of',
    ),
    (
        "each of nothing",
        ("subject: text, body: body}", "subject: text, body: body}\n    each: to"),
        15,
        "each: got 'to', expected one of this tool's arguments",
    ),
    (
        "a name in capitals",
        ("profile: clerk", "profile: Clerk"),
        1,
        'profile: got "Clerk", expected text that matches',
    ),
    ("a name with a line end", ("profile: clerk", 'profile: "clerk\\n"'), 1, "profile: got"),
    ("a wrong kind of upstream", ("kind: stdio", "kind: ssh"), 7, "expected one of 'stdio', 'http'"),
    ("no kind of upstream", ("    kind: stdio\n", ""), 6, "expected"),
    ("an unknown request", ("never:", "requests: {everything: read}\nnever:"), 19, "requests.everything"),
    (
        "read held above the tier",
        ("never:", "hold_above_tier: [read]\nnever:"),
        19,
        "hold_above_tier: got read",
    ),
    (
        "a limit below zero",
        ("never:", "limits: {fan_out: -1}\nnever:"),
        19,
        "limits.fan_out: got -1, expected greater",
    ),
    ("an endless limit", ("never:", "limits: {wall_seconds: .inf}\nnever:"), 19, "expected a finite number"),
    ("not a number", ("never:", "limits: {cpus: .nan}\nnever:"), 19, "expected a finite number"),
    ("a huge integer", ("version: 1", "version: 9223372036854775808"), 2, "up to 2^53-1"),
    ("a source nobody knows", ("never:", "sources: {trusted: [ledger]}\nnever:"), 19, "got 'ledger'"),
    (
        "a source of both kinds",
        ("never:", "sources: {trusted: [mailbox], untrusted: [mailbox]}\nnever:"),
        19,
        "trusted and untrusted",
    ),
    (
        "a wildcard collection",
        ("never:", 'known: {collections: ["*"]}\nnever:'),
        19,
        "nothing stands for all",
    ),
    ("everyone known", ("never:", 'known: {recipients: ["*"]}\nnever:'), 19, "nothing stands for all"),
    ("every host known", ("never:", 'known: {hosts: ["*"]}\nnever:'), 19, "nothing stands for all"),
    ("a key twice", ("version: 1", "version: 1\nversion: 2"), 3, "version: got this key twice"),
    (
        "a key that is no text",
        ("version: 1", "version: 1\n7: x"),
        3,
        "got the key `7`, expected text (quote it)",
    ),
    ("an anchor", ("purpose: Sort", "purpose: &a Sort"), 3, "got the anchor &a"),
    ("an alias", ("purpose: Sort the mail of one small office.", "purpose: *a"), 3, "got the alias *a"),
    ("a tag", ("version: 1", "version: !!int 1"), 2, "got the tag"),
    ("a Python tag", ("version: 1", "version: !!python/object:os.system 1"), 2, "got the tag"),
    ("a merge", ("version: 1", "version: 1\n<<: {}"), 3, "<<: unknown key"),
    ("a tab", ("    effect: send", "\teffect: send"), 17, "not plain YAML"),
    ("a control character", ("Sort the", "Sort\x07the"), 3, "got the character U+0007"),
    (
        "half a surrogate pair",
        ("Sort the mail of one small office.", '"Sort the \\ud800 mail"'),
        3,
        "surrogate",
    ),
    ("two documents", ("never:", "---\nnever:"), 19, "not plain YAML"),
    ("deep nesting", ("version: 1", f"version: {'[' * 60}{']' * 60}"), 2, "nesting deeper than"),
]


@pytest.mark.parametrize(
    ("change", "line", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_what_is_broken_is_refused_with_its_place(
    profile_text: Build, change: tuple[str, str], line: int, said: str
) -> None:
    """R-13, R-22: unknown keys, wildcards, missing effects and odd YAML never load."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(change), source="clerk.yaml")

    assert f"clerk.yaml: line {line}: " in str(caught.value)
    assert said in str(caught.value)


def test_all_problems_come_at_once_in_the_order_of_the_file(profile_text: Build) -> None:
    text = profile_text(
        ("version: 1", "version: one"), ("kind: stdio", "kind: ssh"), ("effect: send", "effect: x")
    )

    with pytest.raises(ProfileError) as caught:
        parse_profile(text, source="clerk.yaml")

    assert [problem.line for problem in caught.value.problems] == [2, 7, 17]


def test_a_list_with_a_wrong_item_is_not_called_too_short(profile_text: Build) -> None:
    """The file has one mistake, so there is one line about it."""
    text = profile_text(("Never start a payment, even if instructed.", "Never pay"))

    with pytest.raises(ProfileError) as caught:
        parse_profile(text, source="clerk.yaml")

    assert [problem.key for problem in caught.value.problems] == ["never[0].text"]


WHOLE_FILES = [
    (b"", "got nothing"),
    (b"# only a comment\n", "got nothing"),
    (b"[]", "got a list, expected keys with values"),
    (b"just words", "got one value"),
    (b"\xff\xfe\x00", "not UTF-8"),
    (b"a: [", "not plain YAML"),
    (b"a" * (MAX_BYTES + 1), f"expected at most {MAX_BYTES}"),
    (b"a: &x [" + b"&y [" * 20, "anchor"),
]


@pytest.mark.parametrize(("data", "said"), WHOLE_FILES)
def test_a_file_that_is_no_profile_at_all_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ProfileError, match=r"(?s)broken\.yaml: .*") as caught:
        parse_profile(data, source="broken.yaml")

    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"absent\.yaml: cannot be read \(No such file"):
        load_profile(tmp_path / "absent.yaml")


def test_a_file_and_its_bytes_give_the_same_profile(tmp_path: Path, profile_text: Build) -> None:
    path = tmp_path / "clerk.yaml"
    path.write_bytes(profile_text())

    assert load_profile(path) == parse_profile(profile_text(), source="elsewhere")


def test_an_unknown_shipped_profile_lists_those_there_are() -> None:
    with pytest.raises(ProfileError, match="expected one of action-executor, code-maintainer"):
        shipped_profile("../policy")


def test_the_digest_ignores_layout_and_sees_meaning(load: Load) -> None:
    """R-15: what pins a profile is its meaning, not its spelling."""
    plain = load().digest

    assert load(("version: 1", "version: 1   # a remark")).digest == plain
    assert (
        load(("args: {folder: collection,", "args: {folder: {role: collection, type: text},")).digest == plain
    )
    assert load(("version: 1", "version: 2")).digest != plain
    assert load(("effect: read", "effect: draft")).digest != plain


CROSS = [
    (
        "an upstream tool under two names",
        "  mail2: {upstream: mailbox, tool: send_mail, effect: read}\nnever:",
        "got the same tool of 'mailbox' as 'send_mail'",
    ),
    (
        "a tool named like an upstream",
        "  mailbox: {upstream: mailbox, effect: read}\nnever:",
        "got the name of an upstream",
    ),
    (
        "an amount without a limit",
        "  pay: {upstream: mailbox, effect: critical, args: {sum: amount}}\nnever:",
        "limits.max_amount: got 0 while pay",
    ),
    (
        "a number as recipient",
        "  x: {upstream: mailbox, effect: read, args: {to: {role: recipient, type: integer}}}\nnever:",
        "got integer",
    ),
    (
        "an amount as a truth value",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: amount, type: boolean}}}\nnever:",
        "got boolean",
    ),
    (
        "a text with a maximum",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: text, max: 3}}}\nnever:",
        "max: got one for text",
    ),
    (
        "a number with a length",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: id, type: number, max_length: 3}}}\nnever:",
        "max_length",
    ),
    (
        "values of another type",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: option, values: [1]}}}\nnever:",
        "only text",
    ),
    (
        "truth values as numbers",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: id, type: number, values: [true]}}}\nnever:",
        "only number",
    ),
    (
        "an effect by an unknown argument",
        "  x: {upstream: mailbox, effect: {argument: mode, values: {a: read}}}\nnever:",
        "got argument 'mode'",
    ),
    (
        "an effect by no value",
        "  x: {upstream: mailbox, effect: {argument: n, values: {}}, args: {n: option}}\nnever:",
        "expected",
    ),
    ("a fan-out beyond the run", "limits: {fan_out: 300}\nnever:", "got more than actions_per_run"),
    ("a class held twice", "hold_above_tier: [draft, draft]\nnever:", "got draft twice"),
    (
        "a star among the values that lower an effect",
        '  x: {upstream: mailbox, args: {n: option}, effect: {argument: n, values: {"*": read}}}\nnever:',
        'tools.x.effect.values.*: got "*", expected each value by its name; nothing stands for all',
    ),
    (
        "a star among the values of an argument",
        '  x: {upstream: mailbox, effect: read, args: {n: {role: option, values: [a, "*"]}}}\nnever:',
        'tools.x.args.n.values: got "*", expected each value by its name',
    ),
    ("no model as null", "model: null\nnever:", "model: got null, expected a value, or this key left out"),
    (
        "null for the values of an argument",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: option, values: null}}}\nnever:",
        "tools.x.args.n.values: got null",
    ),
    (
        "null for a bound",
        "  x: {upstream: mailbox, effect: read, args: {n: {role: text, max_length: null}}}\nnever:",
        "max_length: got null",
    ),
]


@pytest.mark.parametrize(("more", "said"), [row[1:] for row in CROSS], ids=[row[0] for row in CROSS])
def test_parts_that_contradict_each_other_are_refused(profile_text: Build, more: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(("never:", more)), source="clerk.yaml")

    assert said in str(caught.value)


BOXES = [
    ("env: {A: x}\n    credentials: {A: token}", "got it under env and credentials"),
    ("env: {A: null}", "upstreams.mailbox.env.A: got null"),
    ("env: {1A: x}", "expected text that matches"),
    ("volumes: [{source: /etc, target: /data}]", "volumes[0].source"),
    ("volumes: [{source: a, target: /x}, {source: b, target: /x}]", "got the target /x twice"),
    ("volumes: [{source: a, target: data}]", "volumes[0].target"),
    (
        "volumes: [{source: a, target: /x, size_mib: 64}]",
        "size_mib: got a size for a volume that is only read",
    ),
    ("volumes: [{source: a, target: /x, read_only: false, size_mib: 0}]", "volumes[0].size_mib"),
    ("volumes: [{source: a, target: /x, read_only: false, size_mib: 1e9}]", "volumes[0].size_mib"),
    ('tcp: {a: {port: 2525, to: "h:1"}, b: {port: 2525, to: "h:2"}}', "got port 2525 twice"),
    ('tcp: {a: {port: 25, to: "h:1"}}', "tcp.a.port"),
    ('tcp: {a: {port: 2525, to: "h:70000"}}', "expected a port from 1 to 65535"),
    ('host: "true"', 'host: got "true", expected a valid boolean'),
    ("command: []", "got this key twice"),
    *(
        (
            f"volumes: [{{source: a, target: {target}}}]",
            f"line 10: upstreams.mailbox.volumes[0].target: {said}",
        )
        for target, said in [
            ("/", 'got "/", expected a directory inside the box, such as /data'),
            ("/proc", "got '/proc', expected a directory outside of /proc, which belongs to the box"),
            ("/sys/fs/cgroup", "got '/sys/fs/cgroup', expected a directory outside of /sys"),
            ("/dev", "got '/dev', expected a directory outside of /dev"),
            ("/etc", "got '/etc', expected a directory outside of /etc"),
            ("/etc/ssl", "got '/etc/ssl', expected a directory outside of /etc"),
            ("/data/../x", "got '/data/../x', expected a path without `.`, `..`, `//`"),
            ("/data/./x", "got '/data/./x', expected a path without"),
            ("//proc", "got '//proc', expected a path without"),
            ("/data/", "got '/data/', expected a path without"),
        ]
    ),
]


@pytest.mark.parametrize(("more", "said"), BOXES)
def test_an_upstreams_box_is_described_soundly(profile_text: Build, more: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(("command: [mail]", f"command: [mail]\n    {more}")), source="clerk.yaml")

    assert said in str(caught.value)


@pytest.mark.parametrize("target", ["/data", "/srv/mail.d", "/procedures", "/home/etc"])
def test_a_volume_has_a_place_of_its_own_in_the_box(load: Load, target: str) -> None:
    more = f"command: [mail]\n    volumes: [{{source: a, target: {target}}}]"

    assert load(("command: [mail]", more)).profile.upstreams


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("command: [mail]", 'command: [""]'), "line 9: upstreams.mailbox.command[0]: got '', expected"),
        (("command: [mail]", 'command: [" ", x]'), "line 9: upstreams.mailbox.command[0]: got ' ', expected"),
        (("upstreams:", 'command: [""]\nupstreams:'), "line 5: command[0]: got '', expected the name of a"),
    ],
)
def test_a_command_names_a_program(profile_text: Build, change: tuple[str, str], said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(change), source="clerk.yaml")

    assert f"clerk.yaml: {said}" in str(caught.value)


def test_the_arguments_of_a_command_may_be_empty(load: Load) -> None:
    assert load(("command: [mail]", 'command: [mail, ""]')).profile.upstreams


@pytest.mark.parametrize(
    "host", ["*.com", "*.com:443", "*.localhost", "*.co.uk", "*.com.au:8443", "*.0.1", "*.10"]
)
def test_hosts_of_strangers_are_never_known_by_the_dozen(profile_text: Build, host: str) -> None:
    """R-06: `*.com` would make nearly every host one that was seen."""
    known = f'known: {{hosts: [api.example.com, "{host}"]}}\nnever:'
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(("never:", known)), source="clerk.yaml")

    said = f"clerk.yaml: line 19: known.hosts[1]: got '{host}', expected hosts under a domain that belongs"
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("host", ["*.example.com", "*.t.co", "*.bbc.co.uk", "*.cdn.example:443", "localhost"])
def test_the_hosts_of_one_domain_may_be_known(load: Load, host: str) -> None:
    known = f'known: {{hosts: ["{host}"]}}\nnever:'

    assert load(("never:", known)).profile.known.hosts == (host,)


SHAPES = [
    (
        "known: {recipients: [a b]}",
        'got "a b", expected one recipient, or *@DOMAIN for everyone of one domain',
    ),
    (
        "known: {hosts: [A.example]}",
        "expected one host in lower case, or *.DOMAIN for the hosts under one dom",
    ),
    ("known: {collections: [a*]}", "expected the whole name of one collection, without a star"),
]


@pytest.mark.parametrize(("known", "said"), SHAPES)
def test_what_a_text_must_look_like_is_said_in_words(profile_text: Build, known: str, said: str) -> None:
    """A pattern full of backslashes, which a terminal is shown doubled, helps nobody."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile_text(("never:", f"{known}\nnever:")), source="clerk.yaml")

    assert said in str(caught.value)
    assert "\\" not in str(caught.value)


def test_every_shape_with_a_backslash_has_words_for_it() -> None:
    def bare(schema: Any) -> Iterator[str]:
        if (
            isinstance(schema, dict)
            and "\\" in str(schema.get("pattern", ""))
            and "description" not in schema
        ):
            yield schema["pattern"]
        for part in schema.values() if isinstance(schema, dict) else schema:
            if isinstance(part, dict | list):
                yield from bare(part)

    assert [*bare(json_schema(Profile)), *bare(json_schema(Policy))] == []


HTTP = [
    ("https://crm.example.com/mcp", True),
    ("http://127.0.0.1:8080/mcp", True),
    ("http://crm.example.com/mcp", False),
    ("https://user:word@crm.example.com/", False),
    ("http://127.0.0.1.evil.example/", False),
    ("http://localhost@evil.example/", False),
    ("file:///etc/passwd", False),
    ("https://crm.example.com/a b", False),
]


@pytest.mark.parametrize(("url", "good"), HTTP)
def test_an_http_upstream_is_one_plain_address(load: Load, url: str, good: bool) -> None:
    change = ("kind: stdio\n    image: handrail/mail:1\n    command: [mail]", f'kind: http\n    url: "{url}"')
    if good:
        assert load(change).profile.upstreams["mailbox"].url == url
    else:
        with pytest.raises(ProfileError, match=r"upstreams\.mailbox\.url: got"):
            load(change)
