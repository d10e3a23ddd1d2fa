"""`handrail context verify` in a real installation: proven on both runtimes; what tells is found."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from console.parity import look, verify
from console.parity.cases import Cases, prepare
from console.parity.standins import tool_server
from console.parity.town import open_town
from sandboxes.parity.compare import Comparison, Status, Why
from sandboxes.spec import Runtime
from tests.standins.boxes import needs
from tests.standins.office import Office

pytestmark = pytest.mark.engine
PATIENCE_S = 500
STATUSES = {status.value for status in Status}
FAMILIES = {"environment", "proc", "sys", "mounts", "network", "dns", "clocks", "users", "limits", "devices"}
DOORS = {"mcp", "tools", "models", "headers", "refusals", "tokens"}


@pytest.mark.parametrize("runtime", ["runc", pytest.param("runsc", marks=pytest.mark.gvisor)])
def test_no_fact_tells_the_status_and_the_record_says_so(runtime: str, office: Office) -> None:
    """R-05, R-19, R-20, R-43, figures of issue 4: nothing that status explains, on runc and on gVisor."""
    needs(Runtime(runtime))
    with office.serving():
        found = _verified(office, runtime)

        assert found["differing"] == []
        assert found["ok"]
        assert found["facts"] > 150
        assert set(found["statuses"]) == STATUSES
        families = {row["family"]: row for row in found["families"]}
        assert set(families) >= FAMILIES | DOORS
        assert len(found["masked"]) == sum(row["masked"] for row in found["families"])
        assert found["shown"]
        assert _proven(office)["runtime"] == runtime


def _verified(office: Office, runtime: str) -> dict[str, Any]:
    """Type the command and return its answer; it takes longer than others."""
    line = ("context", "verify", "--runtime", runtime, "--json")
    with office.start(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    found: dict[str, Any] = json.loads(out) if out.startswith("{") else {}
    assert process.returncode == 0, f"{found.get('differing')} {err}"
    return found


def _proven(office: Office) -> dict[str, Any]:
    """Return what the record holds of the newest proof."""
    lines = office.type("audit", "tail", "--json").out.splitlines()
    entries = [json.loads(line) for line in lines]
    newest: dict[str, Any] = [one for one in entries if one["kind"] == "context.proven"][-1]["data"]
    return newest


def test_an_image_that_is_not_there_is_an_error_with_its_name(office: Office) -> None:
    with office.serving():
        answer = office.type("context", "verify", "--image", "no-such-image:9")

    assert answer.code == 1
    assert "no-such-image:9" in answer.err
    assert "Traceback" not in answer.err


async def _telling_tools(scope: Scope, receive: Receive, send: Send) -> None:
    """A tool server of evaluations that answers every call otherwise than that of production."""

    async def changed(message: Any) -> None:
        if message.get("body"):
            message = message | {"body": message["body"].replace(b"meet at noon", b"meet in the test!")}
        await send(message)

    await tool_server(scope, receive, changed)


async def _look(cases: set[Status | None]) -> Comparison:
    async def quiet(_done: int, _total: int) -> None:
        """Say nothing."""

    async with open_town(Path("/var/run/docker.sock"), _telling_tools) as town:
        prepared = await prepare(town, verify.DEFAULT_IMAGE)
        chosen = tuple(case for case in prepared.all if case.status in cases)
        return await look.look(town, Cases(chosen, prepared.names), Runtime.RUNC, quiet)


def test_a_server_that_answers_evaluations_otherwise_is_found_and_named() -> None:
    """R-43: what is visible in an evaluation is the same; here it is not."""
    found = asyncio.run(_look({None, Status.SETTING}))

    assert not found.ok
    assert {(item.why, item.status, item.family) for item in found.differences} == {
        (Why.STATUS, Status.SETTING, "tools")
    }
