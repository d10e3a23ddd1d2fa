"""The control API answers everything it cannot do with one form: error, got, expected, next, exit."""

import asyncio
import http.client
import json
from os import geteuid
from pathlib import Path
from pwd import getpwuid
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from console.api.app import Activity, LastWords
from console.client import UnixConnection
from tests.standins.counter import Counter


def _call(
    counter: Counter, method: str, target: str, body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    connection = UnixConnection(counter.socket, 20)
    try:
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "error"),
    [
        ("GET", "/v1/nothing", None, 404, "not found"),
        ("GET", "/docs", None, 404, "not found"),
        ("GET", "/openapi.json", None, 404, "not found"),
        ("DELETE", "/v1/agents", None, 405, "method not allowed"),
        ("POST", "/v1/agents", b"{", 422, "the request cannot be used"),
        ("POST", "/v1/agents", b"[1]", 422, "the request cannot be used"),
        (
            "POST",
            "/v1/agents",
            b'{"name": "a", "traits": [], "owner": "o", "tier": 4}',
            422,
            "the request cannot be used",
        ),
        (
            "POST",
            "/v1/agents",
            b'{"name": "A B", "traits": [], "owner": "rosa"}',
            400,
            "agent name 'A B': expected",
        ),
        ("GET", "/v1/agents/ghost", None, 400, "no agent ghost"),
        ("GET", "/v1/runs?limit=0", None, 422, "the request cannot be used"),
        ("GET", "/v1/runs/..%2f..%2fetc", None, 404, "not found"),
        ("POST", "/v1/approvals/h/votes", b'{"body": "{}", "signature": "x"}', 400, "no hold h"),
        (
            "POST",
            "/v1/freezes/lifts",
            b'{"body": "{}", "signature": "x"}',
            409,
            "statement refused (bad_signature)",
        ),
        ("POST", "/v1/people/revocations", b'{"body": "x", "signature": ""}', 409, "statement refused"),
    ],
)
def test_a_request_that_cannot_be_served_is_a_problem(
    counter: Counter, *, method: str, target: str, body: bytes | None, status: int, error: str
) -> None:
    got, problem = _call(counter, method, target, body)

    assert got == status
    assert set(problem) == {"error", "got", "expected", "next", "exit"}
    assert problem["error"].startswith(error)
    assert problem["exit"] in {1, 2, 3}


def test_health_says_who_serves_and_who_asks(counter: Counter) -> None:
    status, health = _call(counter, "GET", "/v1/health")

    assert status == 200
    assert health["installation"] == counter.shop.town.installation
    assert (health["single_user"], health["anchored"], health["live_runs"]) == (False, True, 1)


def test_the_record_says_who_registered_an_agent_and_not_whom_they_named(counter: Counter) -> None:
    body = b'{"name": "helper", "traits": ["internal-docs"], "owner": "rosa"}'
    status, _ = _call(counter, "POST", "/v1/agents", body)
    leaf = counter.shop.town.entry("agent.registered", -1).leaf

    assert status == 200
    assert (leaf.actor, leaf.data["owner"]) == (f"unix:{getpwuid(geteuid()).pw_name}", "rosa")


@pytest.mark.parametrize("owner", ["rosaa", "", "unix:nobody-known"])
def test_an_agent_is_owned_by_a_person_who_is_enrolled(counter: Counter, owner: str) -> None:
    """F7: the owner never approves; with a misspelt one the real owner could."""
    body = json.dumps({"name": "helper", "traits": ["internal-docs"], "owner": owner}).encode()

    status, problem = _call(counter, "POST", "/v1/agents", body)

    assert status == 400
    assert (problem["error"], problem["got"]) == ("--owner", owner)
    assert problem["expected"].startswith("a person who is enrolled: ")
    assert counter.type("agent", "show", "helper").err.startswith("handrail: no agent helper")


def test_half_a_request_holds_up_nobody(counter: Counter) -> None:
    half = UnixConnection(counter.socket, 20)
    half.connect()
    half.sock.sendall(b"POST /v1/agents HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")

    try:
        assert _call(counter, "GET", "/v1/agents")[0] == 200
    finally:
        half.close()


def test_bytes_that_are_no_http_are_refused_and_nothing_else_is_said(counter: Counter) -> None:
    raw = UnixConnection(counter.socket, 20)
    raw.connect()
    raw.sock.sendall(b"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n")
    answer = raw.sock.recv(65536)
    raw.close()

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_following_the_record_gives_new_entries_as_they_come(counter: Counter) -> None:
    connection = UnixConnection(counter.socket, 20)
    connection.request("GET", "/v1/audit/tail?lines=1&follow=true")
    response: http.client.HTTPResponse = connection.getresponse()
    json.loads(response.readline())

    counter.act("read_folder", folder="INBOX")
    kinds = []
    while "action.outcome" not in kinds:
        kinds.append(json.loads(response.readline())["kind"])
    connection.close()

    assert kinds[-2:] == ["action.intent", "action.outcome"]


def test_an_export_is_whole_and_verifies_without_us(counter: Counter) -> None:
    counter.act("read_folder", folder="INBOX")
    counter.shop.town.ledger.checkpoint()
    path = counter.keys / "record.jsonl"

    said = counter.type("audit", "export", "-o", str(path))
    again = counter.type("audit", "export", "-o", str(path))

    lines = path.read_text().splitlines()
    size = int(json.loads(lines[0])["checkpoint"].splitlines()[1])
    assert said.out == f"{path}: {len(lines):,} lines; the first is the signed checkpoint over the others\n"
    assert [json.loads(json.loads(line)["leaf"])["seq"] for line in lines[1:]] == list(range(size))
    assert path.stat().st_mode & 0o777 == 0o600
    assert again.code == 2
    assert again.err.startswith(f"handrail: {path} exists")
    assert path.read_text().splitlines() == lines


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_export_to_the_standard_output_is_the_same_and_makes_no_file(
    counter: Counter, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Agent text in it cannot reach the terminal as it is, and the values stay the same."""
    monkeypatch.chdir(counter.keys)
    counter.act("read_folder", folder="INBOX\u202e")
    counter.shop.town.ledger.checkpoint()
    counter.type("audit", "export", "--payloads", "-o", "record.jsonl")

    said = counter.type("audit", "export", "--payloads", "-o", "-", *more)

    lines = Path("record.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in said.out.splitlines()] == [json.loads(line) for line in lines]
    assert "\u202e" in "".join(lines)
    assert "\u202e" not in said.out
    assert not Path("-").exists()


def test_reconcile_lists_what_was_begun_and_whose_end_nobody_knows(counter: Counter) -> None:
    """R-10: unknown outcomes are listed, and the exit code says so."""
    clean = counter.type("audit", "reconcile")
    counter.shop.hands.error = RuntimeError("the line went dead")
    counter.act("read_folder", folder="INBOX")

    said = counter.type("audit", "reconcile")

    assert (clean.code, clean.out) == (0, "every action that was begun has a known end\n")
    assert said.code == 3
    assert "the outcome is recorded as unknown" in said.out


async def _until_cancelled(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


def test_a_request_that_the_end_of_serve_breaks_off_is_answered() -> None:
    """Whoever asked hears why, and no traceback is left in the output of serve."""

    async def ask() -> list[Message]:
        stop, said = asyncio.Event(), list[Message]()

        async def send(message: Message) -> None:
            said.append(message)

        asked = asyncio.create_task(LastWords(_until_cancelled, stop=stop)({"type": "http"}, send, send))
        await asyncio.sleep(0)
        stop.set()
        asked.cancel()
        await asked
        return said

    head, body = asyncio.run(ask())

    assert head["status"] == 503
    assert json.loads(body["body"])["error"] == "serve was told to end before this was done"


def test_activity_is_idle_only_while_nothing_is_under_way() -> None:
    """A private control plane ends when nobody has asked anything for a while."""
    now = [0.0]
    activity = Activity(clock=lambda: now[0])

    activity.begin()
    now[0] = 50.0
    busy = activity.idle_seconds
    activity.end()
    now[0] = 70.0

    assert (busy, activity.idle_seconds) == (0.0, 20.0)
