"""What is known while the entries are read, one after the other: the books, and a few things beside them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, ClassVar, Final, NamedTuple

from sqlalchemy import Connection

from runtime.record.events import EventKind
from runtime.record.findings import Findings
from runtime.record.held.book import Book, Kept
from runtime.record.payload_check import as_bytes

PRODUCTION: Final = "production"


class Told(NamedTuple):
    """One entry, as its leaf has it."""

    seq: int
    kind: str
    at: str
    actor: str | None
    agent: str | None
    deployment: str | None
    run: str | None
    subject: str | None
    data: Mapping[str, Any]

    def some(self, *names: str) -> dict[str, Any]:
        """Return these members of its data, those that it has: an older entry lacks some."""
        return {name: self.data[name] for name in names if name in self.data}


class Story:
    """The books of all tables while the entries are read.

    Attributes:
        books: by the table's name.
        last: the entry before, of those that somebody hears.
        at: the moment of the last entry, as text.
        size: how many entries were read.
        carried: by action that is under way, the hold that it uses.
        scanned: how far each job has read the record.
    """

    def __init__(
        self, all_kept: Iterable[Kept], scanned: Mapping[str, int] | None = None, *, only_keys: bool = False
    ) -> None:
        """Begin before the first entry."""
        self.books = {one.table.name: Book(one, only_keys=only_keys) for one in all_kept}
        self.last: Told | None = None
        self.at = ""
        self.size = 0
        self.carried: dict[str, str] = {}
        self.scanned = scanned or {}

    def __getitem__(self, table: str) -> Book:
        """Return the book of a table."""
        return self.books[table]


Hear = Callable[[Told], None]


class Chapter(ABC):
    """Some tables, and what entries say of them.

    Attributes:
        kept: the tables.
    """

    kept: ClassVar[tuple[Kept, ...]] = ()

    def __init__(self, story: Story) -> None:
        """Write into the story's books."""
        self.story = story

    @abstractmethod
    def heard(self) -> Mapping[EventKind, Hear]:
        """Return what is done with entries, by their kind."""

    def end(self) -> None:  # noqa: B027 - most chapters have nothing to add
        """Write what only all entries together say."""

    def check(self, connection: Connection, findings: Findings) -> None:  # noqa: B027 - as above
        """Look at rows that are not held one by one."""


def holder(name: str | None, data: Mapping[str, Any]) -> str:
    """Return under which name an agent or a deployment is kept in the setting that an entry names.

    As `runtime.gate.setting.holder` makes it.
    """
    setting = data.get("setting", PRODUCTION)
    return str(name) if setting == PRODUCTION else f"{name}/{setting}"


def sha256_hex(value: Any) -> str | None:
    """Return the SHA-256 of a column in hex; None for what is not there."""
    if value is None:
        return None
    return sha256(
        value.encode(errors="surrogatepass") if isinstance(value, str) else as_bytes(value)
    ).hexdigest()
