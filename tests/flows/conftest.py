"""Fixtures for whole flows: houses (see `tests.standins.house`), a real mail server, the demo's world."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from examples.demo.world import World, write_world
from profiles.load import shipped_profile
from tests.standins.boxes import box_images, runtime
from tests.standins.flow_profiles import CLOCK_SERVER, TICKER
from tests.standins.house import House, give_to_boxes
from tests.standins.office import founded, office

__all__ = ["box_images", "founded", "office", "runtime"]

NewHouse = Callable[..., House]


@contextmanager
def lived_in(directory: Path, **options: Any) -> Iterator[House]:
    """A house for the length of a block; afterwards nothing may be left over."""
    made = House(directory, **options)
    try:
        yield made
    finally:
        left = made.leave()
    assert not left, f"left over at the engine: {left}"


@pytest.fixture
def new_house(tmp_path: Path) -> Iterator[NewHouse]:
    """Found a house: `new_house(hold_wait_seconds=1)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(lived_in(tmp_path, **options))


@pytest.fixture
def house(new_house: NewHouse) -> House:
    """A house for one test."""
    return new_house()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for all tests of one module."""
    with lived_in(tmp_path_factory.mktemp("house")) as made:
        yield made


class Outbox(Message):
    """Keeps what a real SMTP server took for delivery."""

    def __init__(self) -> None:
        super().__init__()
        self.port = _free_port()
        self.delivered: list[str] = []

    def handle_message(self, message: object) -> None:
        self.delivered.append(str(message))


@pytest.fixture(scope="module")
def outbox() -> Iterator[Outbox]:
    """A real SMTP server on loopback."""
    kept = Outbox()
    server = Controller(kept, hostname="127.0.0.1", port=kept.port)
    server.start()
    yield kept
    server.stop()


@dataclass(frozen=True)
class Firm:
    """A house with a mailbox, a ledger and a mail server, and the shipped profile that works with them."""

    house: House
    outbox: Outbox
    world: World
    profile: str
    mail: Path

    @property
    def labels(self) -> str:
        """What is written in the mailbox by way of labels."""
        path = self.mail / "labels.json"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def firm(shared_house: House, outbox: Outbox) -> Firm:
    """The demo's world in a shared house; its profile is the shipped one, with this mail server's port."""
    world = furnish(shared_house)
    text = shipped_profile("action-executor").text
    profile = text.replace("127.0.0.1:2525", f"127.0.0.1:{outbox.port}")
    assert profile != text
    return Firm(shared_house, outbox, world, profile, shared_house.volume("mail"))


def furnish(house: House) -> World:
    """Fill the volumes of a house with the demo's mailbox and ledger."""
    mail, ledger = house.volume("mail"), house.volume("ledger")
    ledger.mkdir()
    world = write_world(mail, ledger, invoices=5, seed=7)
    give_to_boxes(mail)
    give_to_boxes(ledger)
    return world


def serve_clock(house: House, argument: str = "zone") -> None:
    """Put the clock's server into its volume; with another argument it offers another tool."""
    server = house.volume("clock") / "server.py"
    server.parent.mkdir(exist_ok=True)
    server.write_text(CLOCK_SERVER.format(argument=argument))
    give_to_boxes(server.parent)


def deploy_with_a_late_upstream(house: House, profile: str = TICKER) -> tuple[str, Path]:
    """Deploy what waits for its upstream as long as a file is there; return its digest and that file."""
    serve_clock(house)
    server, late = house.volume("clock") / "server.py", house.volume("clock") / "late"
    waits = f"import pathlib, time\nwhile pathlib.Path('/srv/clock/{late.name}').exists(): time.sleep(0.05)\n"
    server.write_text(waits + server.read_text())
    deployment = house.deploy(profile)
    late.touch()
    return deployment, late


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
