"""A counter where persons with real keys meet a real gate, through the command and the real socket."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.api.app import Activity, create_app
from console.api.listener import bind, serve_until
from console.ground import Ground
from console.kernel import Kernel
from console.main import run
from profiles.effects import Effect
from profiles.load import parse_profile
from runtime.clock import utc_now
from runtime.notices.sender import Sender
from runtime.record.keyring import KeyRing
from runtime.record.keys import load_keys
from runtime.runs.lifecycle import Runs
from sandboxes.driver import SandboxDriver
from tests.standins.persons import START, Person, Town
from tests.standins.towns import EVERYONE, STAFF
from tests.standins.workshop import PROFILE, Hands, Workshop, make_context, make_gate, write_rows

T = TypeVar("T")
PATIENCE_SECONDS = 20.0


@dataclass
class Printed:
    """What one command did."""

    code: int
    out: str
    err: str


@dataclass
class Counter:
    """One side: an agent whose actions pass the gate. The other: people at the command line."""

    shop: Workshop
    loop: asyncio.AbstractEventLoop
    socket: Path
    keys: Path
    capture: pytest.CaptureFixture[str]
    under_way: "list[Future[Any]]" = field(default_factory=list)

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let the agent's side do something, and go on."""
        begun = asyncio.run_coroutine_threadsafe(work, self.loop)
        self.under_way.append(begun)
        return begun

    def act(self, tool: str, **args: Any) -> Any:
        """Let the agent do one thing, and wait for its answer."""
        return self.begin(self.shop.act(tool, args)).result(PATIENCE_SECONDS)

    def type(self, *words: str, person: Person | None = None) -> Printed:
        """Type a command."""
        signing = ["--key", str(self.key(person))] if person else []
        code = run([*words, "--socket", str(self.socket), *signing])
        printed = self.capture.readouterr()
        return Printed(code, printed.out, printed.err)

    def ask(self, *words: str) -> Any:
        """Type a command with `--json` and return its answer."""
        printed = self.type(*words, "--json")
        assert printed.code == 0, printed.err
        return json.loads(printed.out)

    def waiting(self) -> str:
        """Return the id of the one action that waits, once one does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := self.ask("approvals", "list")["approvals"]:
                return str(found[0]["hold"])
            time.sleep(0.02)
        raise AssertionError("nothing waits")

    def key(self, person: Person) -> Path:
        """Write a person's key as `ssh-keygen` would."""
        path = self.keys / person.name
        if not path.exists():
            pem = person.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            path.touch(mode=0o600)
            path.write_bytes(pem)
            path.with_name(person.name + ".pub").write_text(person.line + "\n")
        return path


@contextmanager
def open_counter(directory: Path, capture: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    """Open a counter for an agent at tier 0."""
    shop = _workshop(directory)
    kernel = _kernel(shop)
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    path = directory / "serve.sock"

    async def serve() -> None:
        app = create_app(kernel, own_uid=os.geteuid(), activity=Activity(), stop=stop)
        bound = bind(path)
        ready.set()
        await serve_until(app, bound, stop)
        await shop.gate.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)
    keys = directory / "keys"
    keys.mkdir()
    opened = Counter(shop, loop, path, keys, capture)
    try:
        yield opened
    finally:
        for begun in opened.under_way:
            begun.cancel()
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        shop.town.close()


def _workshop(directory: Path) -> Workshop:
    """A workshop in the present: `ssh-keygen` signs for now, not for a moment of the test."""
    town = Town(directory)
    town.now = max(START, utc_now())
    town.begin(STAFF, *EVERYONE)
    context = make_context(town, parse_profile(PROFILE.encode(), source="test").profile)
    write_rows(town, context)
    hands = Hands()
    shop = Workshop(town, context, make_gate(town, context, hands), hands)
    shop.grant(Effect.READ)
    return shop


def _kernel(shop: Workshop) -> Kernel:
    town = shop.town
    ground = Ground(
        settings=town.settings,
        installation=town.installation,
        node="counter",
        clock=lambda: town.now,
        ledger=town.ledger,
        policies=town.book,
        driver=cast("SandboxDriver", None),  # nothing is launched at this counter
        models=cast("Any", None),
    )
    ring = KeyRing(load_keys(town.settings.keys_dir).wrapper)
    notifier = Sender({}, ground.ledger, ground.clock)
    runs = cast("Runs", None)
    return Kernel(ground, single_user=False, gate=shop.gate, runs=runs, keyring=ring, notifier=notifier)
