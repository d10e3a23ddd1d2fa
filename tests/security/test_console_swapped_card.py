"""A control plane that shows one thing and wants another signed gets no signature.

Whoever holds the control plane must not thereby hold the persons' words: the digest in a statement is
computed by the client over what it showed.
"""

import json
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from console.main import run
from runtime.gate.actions import digest_of
from runtime.people.sshkeys import PublicKey

CARD = {
    "card": "hold-1",
    "hold": "hold-1",
    "agent": "bot",
    "deployment": "d" * 64,
    "run": "run-1",
    "task": None,
    "kind": "tool",
    "tool": "read_folder",
    "args": {"folder": "INBOX"},
    "rationale": None,
    "effect": "read",
    "units": 1,
    "reasons": [],
    "clears": [],
    "needed": {"count": 1, "roles": ["reviewer"], "each_of": [], "groups": 1},
    "created_at": "2026-11-21T09:00:00.000000Z",
    "expires_at": "2026-11-21T09:15:00.000000Z",
    "operator": "olga",
    "owner": "mallory",
    "single_user": False,
    "action_digest": "a" * 64,
}
OTHER = CARD | {"args": {"folder": "Payroll"}}
VOTES = {"state": "waiting", "approved_by": [], "rejected_by": None, "missing": []}


class _Server(socketserver.ThreadingUnixStreamServer):
    """Answers what it was told to, and remembers what was posted."""

    daemon_threads = True
    answers: dict[str, Any]
    posted: list[bytes]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def do_GET(self) -> None:
        self._say(self.server.answers[self.path])

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._say({"hold": "hold-1", "person": "sue", "state": "approved", "missing": []})

    def _say(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "sue"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def liar(tmp_path: Path, key: Path) -> Iterator[_Server]:
    """A control plane of an attacker."""
    with _Server(str(tmp_path / "serve.sock"), _Handler) as server:
        public = PublicKey.from_line(key.with_suffix(".pub").read_text().strip())
        people = [{"name": "sue", "keys": [public.fingerprint]}]
        server.answers = {"/v1/people": {"installation": "handrail/log-x", "people": people}}
        server.posted = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _approve(liar: _Server, key: Path, digest: str) -> int:
    words = ["approvals", "approve", "hold-1", "--yes", "--digest", digest]
    return run([*words, "--socket", str(liar.server_address), "--key", str(key)])


def test_a_card_whose_digest_is_another_card_s_is_not_signed(
    liar: _Server, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    liar.answers["/v1/approvals/hold-1"] = {"card": CARD, "digest": digest_of(OTHER), **VOTES}

    code = _approve(liar, key, digest_of(OTHER))

    assert code == 5
    assert "the card is not what the control plane says it is" in capsys.readouterr().err
    assert liar.posted == []


def test_the_card_of_another_hold_is_not_signed(liar: _Server, key: Path) -> None:
    strange = CARD | {"hold": "hold-2"}
    liar.answers["/v1/approvals/hold-1"] = {"card": strange, "digest": digest_of(strange), **VOTES}

    assert _approve(liar, key, digest_of(strange)) == 5
    assert liar.posted == []


def test_a_card_that_changed_since_it_was_shown_is_not_signed(liar: _Server, key: Path) -> None:
    """Approve-then-edit voids."""
    liar.answers["/v1/approvals/hold-1"] = {"card": OTHER, "digest": digest_of(OTHER), **VOTES}

    assert _approve(liar, key, digest_of(CARD)) == 3
    assert liar.posted == []


def test_what_is_signed_names_the_digest_of_what_was_shown_and_no_other(liar: _Server, key: Path) -> None:
    liar.answers["/v1/approvals/hold-1"] = {"card": CARD, "digest": digest_of(CARD), **VOTES}

    assert _approve(liar, key, digest_of(CARD)) == 0
    said = json.loads(json.loads(liar.posted[0])["body"])
    assert (said["subject"], said["digest"], said["person"]) == ("hold-1", digest_of(CARD), "sue")
    assert said["installation"] == "handrail/log-x"


REACH: dict[str, Any] = {
    "effects": ["read"],
    "tools": {},
    "requests": {},
    "upstreams": {},
    "model": None,
    "collections": [],
    "recipients": ["bob@known.example"],
    "hosts": [],
    "hold_above_tier": [],
}
WIDER = REACH | {"recipients": ["*@everyone.example"]}


def _assess(liar: _Server, key: Path, digest: str) -> int:
    words = ["assess", "record", "bot", "blast-radius", "pass", "--reason", "small", "--yes"]
    return run([*words, "--digest", digest, "--socket", str(liar.server_address), "--key", str(key)])


def _assessment(reach: dict[str, Any], digest: str, agent: str = "bot") -> dict[str, Any]:
    shown = {"agent": agent, "deployment": "d" * 64, "capabilities": reach, "digest": digest}
    return shown | {"blast_radius": None, "judged": []}


def test_a_blast_radius_that_was_shown_smaller_is_not_signed(liar: _Server, key: Path) -> None:
    """R-28: the digest is computed over the list on the screen."""
    liar.answers["/v1/assessments/bot"] = _assessment(REACH, digest_of(WIDER))

    assert _assess(liar, key, digest_of(WIDER)) == 5
    assert liar.posted == []


def test_a_blast_radius_that_has_grown_since_it_was_read_is_not_signed(liar: _Server, key: Path) -> None:
    """R-28."""
    liar.answers["/v1/assessments/bot"] = _assessment(WIDER, digest_of(WIDER))

    assert _assess(liar, key, digest_of(REACH)) == 3
    assert liar.posted == []


def test_the_assessment_of_another_agent_is_not_signed(liar: _Server, key: Path) -> None:
    """F9."""
    liar.answers["/v1/assessments/bot"] = _assessment(REACH, digest_of(REACH), agent="other")

    assert _assess(liar, key, digest_of(REACH)) == 5
    assert liar.posted == []
