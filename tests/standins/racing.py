"""A control plane in a process of its own, for races: the real routes, record and gates; invented evidence.

    python -m tests.standins.racing STATE_DIR ANCHOR_DIR SOCKET [DATABASE_URL]

It says `serving` when it answers, and ends when its standard input does. It has no engine: nothing is run.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

from console.api.app import Activity, create_app
from console.api.listener import bind, serve_until
from console.ground import Ground
from console.kernel import Kernel
from runtime.clock import utc_now
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.record.keyring import KeyRing
from runtime.record.keys import load_keys
from runtime.record.setup import open_ledger
from runtime.settings import Settings
from tests.standins.patience import PATIENT
from tests.standins.promoting import Eyes


def main(state: str, anchor: str, path: str, url: str | None = None) -> None:
    settings = Settings(state_dir=Path(state), anchor_dir=Path(anchor), database_url=url)
    keys = load_keys(settings.keys_dir)
    installation = keys.signer.verifier.name
    book = PolicyBook(settings.state_dir / PIN_NAME, installation)
    ledger = open_ledger(settings, limits=PATIENT)
    nothing = cast("Any", None)  # nothing is launched, held or told here
    ground = Ground(settings, installation, "racing", utc_now, ledger, book, nothing, nothing)
    eyes = Eyes(book, utc_now())
    ring = KeyRing(keys.wrapper)
    kernel = Kernel(ground, False, nothing, nothing, ring, nothing, assess=lambda _book, _audit: eyes)  # noqa: FBT003 - single user
    try:
        asyncio.run(_serve(kernel, Path(path)))
    finally:
        ledger.close()


async def _serve(kernel: Kernel, path: Path) -> None:
    stop = asyncio.Event()
    app = create_app(kernel, own_uid=os.geteuid(), activity=Activity(), stop=stop)
    serving = asyncio.create_task(serve_until(app, bind(path), stop))
    print("serving", flush=True)  # noqa: T201 - what the test waits for
    await asyncio.to_thread(sys.stdin.read)
    stop.set()
    await serving


if __name__ == "__main__":
    main(*sys.argv[1:])
