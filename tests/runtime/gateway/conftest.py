import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.standins.profiles import SERVER


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def everything_port() -> Iterator[int]:
    """The reference server over HTTP, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
