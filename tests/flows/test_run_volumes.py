"""Volumes of upstreams in whole runs: made when missing, full, kept, shared, on record if without a limit."""

import pytest

from profiles.effects import Effect
from sandboxes.disk_image import MIB
from tests.flows.conftest import furnish
from tests.standins.flow_profiles import CLERK
from tests.standins.house import House

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

NOTES = """
profile: notes
version: 1
purpose: Keep notes on a volume with a limit, for tests of whole flows.
image: handrail/agent:1
upstreams:
  notes:
    kind: stdio
    image: handrail/agent:1
    command:
      - python3
      - -c
      - |
        import pathlib
        from mcp.server.mcpserver import MCPServer
        server = MCPServer("notes")
        @server.tool()
        def keep(name: str, mib: int) -> str:
            try:
                pathlib.Path("/data", name).write_bytes(b"n" * 1048576 * mib)
            except OSError as error:
                return error.strerror
            return "kept"
        @server.tool()
        def names() -> str:
            return " ".join(sorted(path.name for path in pathlib.Path("/data").iterdir()))
        server.run("stdio")
    volumes: [{source: notes, target: /data, read_only: false, size_mib: 16}]
tools:
  keep: {upstream: notes, effect: draft, args: {name: id, mib: {role: option, type: integer}}}
  names: {upstream: notes, effect: read}
never:
  - {id: never-pay, text: Never pay., tools: [start_payment]}
"""


def keep(name: str, mib: int) -> dict[str, object]:
    return {"call": "keep", "args": {"name": name, "mib": mib}}


def test_a_full_volume_is_the_upstreams_error_and_the_house_goes_on(house: House) -> None:
    """The image is made at the first use, kept over restarts, and never grows beyond its size."""
    deployment = house.deploy(NOTES)
    house.grant(deployment, Effect.DRAFT)
    small, large, names = house.launch(
        deployment, keep("small", 1), keep("large", 64), {"call": "names"}
    ).finished()
    assert [small["text"], large["text"]] == ["kept", "No space left on device"]
    assert names["text"] == "large small"
    image = house.volume("notes.img")
    assert image.stat().st_size == 16 * MIB
    house.shut()
    house.open()
    assert house.launch(deployment, {"call": "names"}).finished()[0]["text"] == "large small"
    assert house.rows("SELECT count(*) FROM log_entry WHERE kind = 'volume.unlimited'") == [(0,)]
    assert house.verified()


def test_two_runs_at_once_see_one_volume(house: House) -> None:
    deployment = house.deploy(NOTES)
    house.grant(deployment, Effect.DRAFT)
    reader = house.launch(deployment, {"call": "names"}, {"wait": "/tmp/on"}, {"call": "names"})
    assert reader.has_said(1)[0]["text"] == ""
    assert house.launch(deployment, keep("of-another-run", 1)).finished()[0]["text"] == "kept"
    reader.tell("/tmp/on")
    assert reader.finished()[-1]["text"] == "of-another-run"


def test_a_policy_that_became_stricter_keeps_a_larger_volume_from_being_used(house: House) -> None:
    with pytest.raises(Exception, match=r"volumes\[0\].size_mib: got 8192, expected at most 4096"):
        house.deploy(NOTES.replace("size_mib: 16", "size_mib: 8192"))
    deployment = house.deploy(NOTES)
    with house.volume("notes.img").open("r+b") as file:
        file.truncate(17 * MIB)
    with pytest.raises(Exception, match="holds 17 MiB, expected at most 16 by profile and policy"):
        house.launch(deployment, {"call": "names"})
    assert house.boxes() == []


def test_a_directory_that_is_written_to_is_on_record_as_without_a_limit(house: House) -> None:
    furnish(house)
    run = house.launch(house.deploy(CLERK), {"call": "list_invoices"})
    run.finished()
    query = "SELECT run FROM log_entry WHERE kind = 'volume.unlimited' ORDER BY seq"
    assert house.rows(query) == [(None,), (run.id,)], "once to read what it offers, once in the run"
