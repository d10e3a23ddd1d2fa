"""The engine goes away under a living `serve`, and comes back with the boxes it had."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.flows.conftest import NewHouse, serve_clock
from tests.standins.flow_profiles import TICKER
from tests.standins.house import House, patiently
from tests.standins.relay import Relay

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A way to the engine that can be cut. Its place has a short path: socket names are short."""
    with TemporaryDirectory() as place:
        made = Relay(Path(place) / "engine.sock")
        yield made
        made.cut()


@pytest.fixture
def house(relay: Relay, new_house: NewHouse) -> House:
    """A house that knows the engine by that way alone; it is left before the way is cut for good."""
    return new_house(docker_socket=relay.path)


@pytest.mark.filterwarnings(  # the SDK forgets to close a socket by which it could not connect
    "ignore:Exception ignored in. <socket.socket fd=.*, family=1, type=1, proto=0>:"
    "pytest.PytestUnraisableExceptionWarning"
)
def test_a_run_whose_engine_went_away_has_an_ending_and_leaves_no_box(house: House, relay: Relay) -> None:
    """Issue 1, item 4, "engine stop": upstreams included, at once, and without a restart of `serve`."""
    serve_clock(house)
    run = house.launch(house.deploy(TICKER, "ticker"), command=("sleep", "100"))
    assert len(house.boxes()) == 2

    relay.cut()
    ended = run.ended()

    assert ended.outcome == "lost"
    (entry,) = house.rows("SELECT leaf FROM log_entry WHERE run = :run AND kind = 'run.ended'", run=run.id)
    assert b"the container engine does not answer" in entry[0]
    relay.mend()
    patiently(lambda: house.boxes() == [])
    assert run.stop().outcome == "lost", "there is nothing left to stop, and that is no error"
