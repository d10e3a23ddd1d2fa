"""`--json` of commands that need a real serve and its engine; the others: `tests/console/test_json.py`."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.standins.boxes import BUSYBOX
from tests.standins.house import patiently
from tests.standins.office import Office

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

WITH_SERVE = (
    ("init",),
    ("doctor",),
    ("audit", "verify"),
    ("serve",),
    ("deploy", "create"),
    ("launch",),
    ("runs", "logs"),
    ("runs", "stop"),
    ("kill",),
    ("context", "verify"),
)
"""What is tested here; the last of them by `tests/engine/test_context_verify.py`."""

PROFILE = """
profile: hello
version: 1
purpose: Say a few words from inside a box.
image: {image}
command: [sh, -c, "echo hello; echo again; exec sleep 100"]
never:
  - {{id: nothing-critical, text: Never do anything critical., effects: [critical]}}
"""


def test_what_needs_boxes_prints_json_too(office: Office) -> None:
    """R-91."""
    profile = office.root / "hello.yaml"
    profile.write_text(PROFILE.format(image=BUSYBOX))
    create = ("deploy", "create", "hello", "--profile", str(profile))
    with office.serving():
        assert (
            office.type("agent", "register", "hello", "--trait", "internal-docs", "--owner", "bob").code == 0
        )
        asked = office.type(*create, "--json", person="alice")
        digest = json.loads(asked.out)["digest"]
        made = office.type(*create, "--json", "--yes", "--digest", digest, person="alice")
        begun = office.ask("launch", "hello", "--detach")["run"]["id"]
        said = lines(office, begun)
        stopped = office.ask("runs", "stop", begun)
        killed = office.type("kill", "hello", "--reason", "a test", "--json", person="alice")

    assert (asked.code, made.code, killed.code) == (2, 0, 0)
    assert json.loads(asked.out).keys() == {"question", "digest", "card"}
    assert "next: read the above, then add: --yes --digest" in asked.err
    assert json.loads(made.out)["deployment"]
    assert [json.loads(line)["line"] for line in said] == ["hello", "again"]
    assert stopped["run"]["outcome"] == "stopped"
    assert json.loads(killed.out)


def test_what_begins_and_looks_at_an_installation_prints_json_too(tmp_path: Path) -> None:
    """R-91."""
    office = Office(tmp_path / "new")
    begun = office.type("init", "--person", f"alice={office.key('alice')}.pub", "--json")
    with office.start("serve", "--json", stdout=subprocess.PIPE) as serve:
        assert serve.stdout is not None
        told = json.loads(serve.stdout.readline())
        serve.terminate()
        assert serve.stdout.read() == ""

    assert (told["pid"], serve.returncode) == (serve.pid, 0)
    assert json.loads(begun.out)["policy"]["version"] == 1
    assert office.ask("audit", "verify")["findings"] == []
    assert office.ask_anyway("doctor")["findings"]


def lines(office: Office, run: str) -> list[str]:
    """What a run has written, once it has written two lines."""
    return patiently(lambda: found if len(found := written(office, run)) >= 2 else [])


def written(office: Office, run: str) -> list[str]:
    return office.type("runs", "logs", run, "--json").out.splitlines()
