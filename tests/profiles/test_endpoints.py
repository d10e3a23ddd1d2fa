"""Endpoints of upstreams by setting: each has its own, or a run of that setting is refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from profiles.endpoints import NoEndpointError, endpoint_findings, gaps, in_setting
from profiles.setting import Setting
from profiles.upstreams import Upstream

STDIO = {"kind": "stdio", "image": "books:1", "command": ["books"]}
TCP = {"db": {"port": 5432, "to": "db.internal:5432"}}
HTTP = {"kind": "http", "url": "https://crm.internal/mcp", "credential": {"header": "x-key", "name": "crm"}}
READ: TypeAdapter[Upstream] = TypeAdapter(Upstream)


def upstream(base: dict[str, Any], **more: Any) -> Upstream:
    return READ.validate_python(
        {**base, **more} | ({"command": tuple(base["command"])} if "command" in base else {})
    )


def test_an_evaluation_has_the_addresses_and_values_named_for_it() -> None:
    """R-21: what an evaluation's entry names replaces production's; ports and other variables stay."""
    other = {"env": {"MODE": "b"}, "tcp": {"db": "db.eval:6432"}}
    books = upstream(STDIO, env={"MODE": "a", "LANG": "C"}, tcp=TCP, evaluation=other)
    crm = upstream(HTTP, evaluation={"url": "https://crm.eval/mcp"})

    changed = in_setting("books", books, Setting.EVALUATION).model_dump()
    assert (changed["env"], changed["tcp"]) == (
        {"MODE": "b", "LANG": "C"},
        {"db": {"port": 5432, "to": "db.eval:6432"}},
    )
    elsewhere = in_setting("crm", crm, Setting.EVALUATION).model_dump()
    assert (elsewhere["url"], elsewhere["credential"]) == ("https://crm.eval/mcp", None)
    assert in_setting("books", books, Setting.PRODUCTION) is books
    assert in_setting("crm", crm, Setting.PRODUCTION) is crm


@pytest.mark.parametrize(
    ("base", "more", "told"),
    [
        (HTTP, {}, "no `evaluation.url`"),
        (STDIO, {"tcp": TCP}, "no `evaluation.tcp` for db"),
        (STDIO, {"tcp": TCP, "evaluation": {"env": {}}}, "no `evaluation.tcp` for db"),
        (STDIO, {"host": True}, "runs on the host and has no `evaluation`"),
    ],
)
def test_an_address_of_production_never_stands_in(
    base: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    """R-21: an upstream without endpoints for evaluations has none there, and says which is missing."""
    given = upstream(base, **more)
    assert gaps({"one": given}, Setting.PRODUCTION) == ()
    (gap,) = gaps({"one": given}, Setting.EVALUATION)
    assert gap.startswith("upstream one: ")
    assert told in gap
    with pytest.raises(NoEndpointError, match="upstream one"):
        in_setting("one", given, Setting.EVALUATION)


@pytest.mark.parametrize("base", [STDIO, {"kind": "memory"}])
def test_what_reaches_nothing_outside_needs_no_entry(base: dict[str, Any]) -> None:
    assert gaps({"one": upstream(base)}, Setting.EVALUATION) == ()


@pytest.mark.parametrize(
    ("upstreams", "key"),
    [
        ({"a": (HTTP, {"evaluation": {"url": "https://CRM.internal:443/mcp/"}})}, "url"),
        (
            {
                "a": (HTTP, {}),
                "b": (
                    HTTP | {"url": "https://b.internal/"},
                    {"evaluation": {"url": "https://crm.internal/mcp"}},
                ),
            },
            "url",
        ),
        (
            {
                "a": (
                    HTTP | {"url": "http://localhost:8001/mcp"},
                    {"evaluation": {"url": "http://127.0.0.1:8001/mcp"}},
                )
            },
            "url",
        ),
        ({"a": (STDIO, {"tcp": TCP, "evaluation": {"tcp": {"db": "DB.internal.:05432"}}})}, "tcp"),
    ],
)
def test_an_address_of_production_under_evaluation_is_refused(upstreams: dict[str, Any], key: str) -> None:
    """R-21: however it is spelled, and whichever upstream uses it in production."""
    given = {name: upstream(base, **more) for name, (base, more) in upstreams.items()}
    (finding,) = endpoint_findings(given)
    assert finding.place[2:4] == ("evaluation", key)
    assert "which production uses" in finding.message


@pytest.mark.parametrize(
    ("production", "evaluation"),
    [
        ("https://crm.internal/mcp", "https://crm.internal/%6dcp"),
        ("https://crm.internal/mcp", "https://crm.internal/x/../mcp"),
        ("https://crm.internal/mcp", "https://crm.internal/.//mcp"),
        ("https://crm.internal/mcp", "https://crm.internal//mcp"),
        ("https://10.0.0.1/mcp", "https://167772161/mcp"),
        ("https://10.0.0.1/mcp", "https://10.1/mcp"),
        ("http://localhost:8001/mcp", "https://0x7f000001:8001/mcp"),
    ],
)
def test_no_other_spelling_makes_another_address(production: str, evaluation: str) -> None:
    """R-21: a server and a resolver read all of these as the same."""
    given = upstream(HTTP | {"url": production}, evaluation={"url": evaluation})

    assert len(list(endpoint_findings({"a": given}))) == 1


@pytest.mark.parametrize("address", ["[::1]:5432", "[::ffff:a00:1]:5432", "10.1:5432", "0.0.0.0:5432"])
def test_no_other_spelling_makes_another_service(address: str) -> None:
    tcp = {"db": {"port": 5432, "to": "10.0.0.1:5432"}, "local": {"port": 5433, "to": "localhost:5432"}}
    other = {"db": address, "local": "db.eval:1"}

    (finding,) = endpoint_findings({"a": upstream(STDIO, tcp=tcp, evaluation={"tcp": other})})

    assert finding.place[-2:] == ("tcp", "db")


@pytest.mark.parametrize(
    "evaluation",
    ["https://crm.internal/test/mcp", "https://crm.test.internal/mcp", "https://crm.internal:444/mcp"],
)
def test_another_address_is_another_address(evaluation: str) -> None:
    given = upstream(HTTP | {"url": "https://crm.internal/mcp"}, evaluation={"url": evaluation})

    assert list(endpoint_findings({"a": given})) == []


def test_names_that_production_does_not_have_are_refused() -> None:
    other = {"env": {"NEW": "1"}, "tcp": {"cache": "cache.eval:6379", "db": "db.eval:99999"}}
    found = list(endpoint_findings({"a": upstream(STDIO, tcp=TCP, evaluation=other)}))
    assert [(finding.place[2:], finding.message.partition(",")[0]) for finding in found] == [
        (("evaluation", "env", "NEW"), "got a name that `env` of the upstream does not have"),
        (("evaluation", "tcp", "cache"), "got a name that `tcp` of the upstream does not have"),
        (("evaluation", "tcp", "db"), "got 'db.eval:99999'"),
    ]
