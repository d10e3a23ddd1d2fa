"""The public MCP conformance suite gives the same result through the gateway as direct.

The suite and the Node it needs come from npm by `make conformance-tools`. `docs/conformance.md` lists what
is refused under a profile that names no request besides tools.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from profiles.schema import Profile
from tests.conformance.everything_server import TOOLS
from tests.standins.profiles import EVERYTHING, SERVER, http, make_profile, stdio
from tests.standins.served import served

TOOLBOX = Path("build/conformance/node_modules")
NODE = TOOLBOX / ".bin" / "node"
SUITE = TOOLBOX / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
Result = dict[str, list[tuple[str, str]]]

pytestmark = [
    pytest.mark.engine,
    pytest.mark.anyio,
    pytest.mark.skipif(not NODE.exists(), reason="no suite here; run `make conformance-tools`"),
]

REFUSED_BY_DEFAULT = {
    "completion-complete",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "logging-set-level",
    "prompts-get-embedded-resource",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-with-image",
    "prompts-list",
    "resources-list",
    "resources-read-binary",
    "resources-read-text",
    "resources-subscribe",
    "resources-templates-read",
    "resources-unsubscribe",
    "tools-call-elicitation",
    "tools-call-sampling",
    "tools-call-with-logging",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def judged(url: str, where: Path) -> Result:
    """Run every scenario of the suite; what it found, by scenario, without its own notes."""
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(SUITE), "server", "--url", url, "--suite", "all", "-o", str(where)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(240):
        await process.wait()
    return found_in(where)


def found_in(where: Path) -> Result:
    found: Result = {}
    for path in sorted(where.glob("*/checks.json")):
        name = re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT.*$", r"\1", path.parent.name)
        checks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        found[name] = [(check["id"], check["status"]) for check in checks if check["status"] != "INFO"]
    return found


async def through(profile: Profile, where: Path) -> Result:
    async with served(profile) as door:
        return await judged(door.url, where)


def passed(result: Result) -> set[str]:
    return {name for name, checks in result.items() if all(status != "FAILURE" for _, status in checks)}


async def test_the_suite_judges_us_as_it_judges_the_server_itself(tmp_path: Path) -> None:
    """Issue 1, the gateway: the same result through us as direct, scenario by scenario, check by check."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SERVER), "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        direct = await judged(f"http://127.0.0.1:{port}/mcp", tmp_path / "direct")
        over_http = make_profile({"every": http(port)}, list(TOOLS), requests=EVERYTHING)
        by_http = await through(over_http, tmp_path / "http")
    finally:
        process.terminate()
        await process.wait()
    over_stdio = make_profile({"every": stdio()}, list(TOOLS), requests=EVERYTHING)
    by_stdio = await through(over_stdio, tmp_path / "stdio")

    assert len(direct) >= 30
    assert passed(direct) == set(direct)
    assert by_http == direct
    assert by_stdio == direct


async def test_a_profile_that_names_only_tools_refuses_exactly_what_the_guide_lists(tmp_path: Path) -> None:
    result = await through(make_profile({"every": stdio()}, list(TOOLS)), tmp_path)
    assert set(result) - passed(result) == REFUSED_BY_DEFAULT


def test_the_guide_lists_what_is_refused() -> None:
    listed = Path("docs/conformance.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", listed, re.MULTILINE)) == REFUSED_BY_DEFAULT
