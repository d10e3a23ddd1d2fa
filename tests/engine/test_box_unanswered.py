"""An engine that makes a box and cannot say so any more: nobody knows the box, and it does not stay."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runtime.clock import utc_now
from sandboxes.docker_driver import DockerDriver
from sandboxes.errors import EngineUnavailableError
from tests.standins.boxes import Boxes, small_spec
from tests.standins.house import patiently
from tests.standins.relay import Relay

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]


@pytest.fixture
def deaf() -> Iterator[DockerDriver]:
    """A driver that never hears of a box that was made."""
    with TemporaryDirectory() as place:
        relay = Relay(Path(place) / "engine.sock", mute=b"/containers/create")
        driver = DockerDriver(f"unix://{relay.path}")
        yield driver
        driver.close()
        relay.cut()


def test_a_box_whose_making_was_not_answered_is_found_and_removed(
    boxes: Boxes, deaf: DockerDriver, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 1, item 4, "engine stop": nothing is left over, and no other box is taken for it."""
    other = boxes.created(small_spec())

    with pytest.raises(EngineUnavailableError, match="create box"):
        deaf.create(small_spec(), owner=boxes.owner, now=utc_now())

    patiently(lambda: "was made, although the engine did not say so" in caplog.text)
    patiently(lambda: boxes.driver.list_boxes(boxes.owner) == (other,))
