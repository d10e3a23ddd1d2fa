"""Making and reading the probe: one program as the arguments of the box's own Python, and its answer."""

import base64
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

from sandboxes.errors import ParityError
from sandboxes.parity.inside.facts import BEGIN, END

T = TypeVar("T")
PACKAGE = "sandboxes.parity.inside"
LOADER = (
    "import base64,os,sys\n"
    "p='/tmp/probe'\n"
    "open(p,'wb').write(base64.b64decode(sys.argv[1]))\n"
    "sys.path.insert(0,p)\n"
    "from inside.main import main\n"
    "os.unlink(p)\n"
    "main()\n"
)
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that an agent can find out.

    Attributes:
        family: what sort of thing it is, such as `environment`, `proc`, `mcp`.
        name: what was looked at.
        digest: of the whole answer.
        text: how the answer begins, for people. It may hold what a tool or a model said.
        masked: it is empty because something was put over it.
    """

    family: str
    name: str
    digest: str
    text: str
    masked: bool = False

    @property
    def key(self) -> str:
        """Family and name."""
        return f"{self.family}:{self.name}"


Facts = Mapping[str, Fact]


def probe_command(plan: Mapping[str, object] | None = None) -> tuple[str, ...]:
    """Return the command that a box runs to look at itself.

    Args:
        plan: what to call, the same in every box: `calls`, a list of a tool's name and its arguments;
            `model`, the alias to ask for.
    """
    return ("python3", "-c", LOADER, _packed(), json.dumps(plan or {}, sort_keys=True))


def read_facts(output: bytes) -> Facts:
    """Read what the probe found.

    Raises:
        ParityError: it did not get to its end, or wrote something else.
    """
    return _read(output, _fact)


def read_times(output: bytes) -> dict[str, tuple[float, ...]]:
    """Read what the probe measured: the milliseconds of each call by door; raises as `read_facts` does."""
    return _read(output, lambda _door, row: tuple(float(str(value)) for value in row))


def as_facts(rows: Mapping[str, Sequence[object]]) -> Facts:
    """Return what was noted under the probe's names, inside or by the host."""
    return {key: _fact(key, row) for key, row in rows.items()}


def _read(output: bytes, read: Callable[[str, Sequence[object]], T]) -> dict[str, T]:
    text = output.decode(errors="replace")
    _, begun, rest = text.rpartition(BEGIN)
    code, ended, _ = rest.partition(END)
    if not begun or not ended:
        last = " ".join(text.split()[-30:]) or "nothing"
        raise ParityError(f"the probe did not reach its end; the box wrote: {last}")
    try:
        return {str(key): read(str(key), row) for key, row in _unpacked(code).items()}
    except (ValueError, zlib.error, TypeError, AttributeError) as cause:
        raise ParityError(f"what the probe wrote cannot be read: {cause}") from cause


def _unpacked(code: str) -> Mapping[str, Sequence[object]]:
    rows: Mapping[str, Sequence[object]] = json.loads(
        zlib.decompress(base64.b64decode("".join(code.split())))
    )
    return rows


def _fact(key: str, row: Sequence[object]) -> Fact:
    digest, masked, text = row
    family, _, name = key.partition(":")
    return Fact(family, name, str(digest), str(text), bool(masked))


@cache
def _packed() -> str:
    """Return the probe's modules as a zip file in base64, the same bytes each time."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in sorted(resources.files(PACKAGE).iterdir(), key=lambda item: item.name):
            if item.name.endswith(".py"):
                entry = zipfile.ZipInfo(f"inside/{item.name}", EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, item.read_bytes())
    return base64.b64encode(data.getvalue()).decode()
