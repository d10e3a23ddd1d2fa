"""The policy in force, read from the database and believed only as far as the chain holds.

The whole chain is verified once; after that each read costs one small query, which notices any new row, and a
changed or deleted last one. What was verified stays in memory: editing an old row changes nothing.
"""

from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Dialect, func, select

from runtime.people.chain import PolicyState, walk
from runtime.people.errors import PolicyChainError
from runtime.people.pin import Pin, read_pin, write_pin
from runtime.people.statements import load_statements, read_ids
from runtime.people.versions import Revocation, Version
from runtime.record.events import EventKind
from runtime.record.statements import Prepared
from runtime.tables.log import LogEntryRow
from runtime.tables.people import KeyRevocationRow, PolicyVersionRow

_VERSIONS = PolicyVersionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEAD = KeyRevocationRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_NEWEST = _VERSIONS.c.id == select(func.max(_VERSIONS.c.id)).scalar_subquery()
_LAST = select(
    select(func.count()).select_from(_VERSIONS).scalar_subquery().label("versions"),
    select(_VERSIONS.c.digest).where(_NEWEST).scalar_subquery().label("last"),
    select(_VERSIONS.c.statements).where(_NEWEST).scalar_subquery().label("said"),
    select(func.count()).select_from(_DEAD).scalar_subquery().label("revocations"),
    select(func.max(_DEAD.c.revoked_at)).scalar_subquery().label("revoked"),
)
_ALL_VERSIONS = select(_VERSIONS).order_by(_VERSIONS.c.id)
_ALL_DEAD = select(_DEAD.c.fingerprint, _DEAD.c.statement)
_FIRST_POLICY = (
    select(_LOG.c.subject).where(_LOG.c.kind == EventKind.POLICY_CHANGED.value).order_by(_LOG.c.seq).limit(1)
)


class PolicyBook:
    """The policy in force for one installation. Safe to share between threads: it only caches."""

    def __init__(self, pin_path: Path, installation: str) -> None:
        """Open the book.

        Args:
            pin_path: the pin, `policy.pin` in the state directory.
            installation: the origin of the log.

        Raises:
            PolicyChainError: there is no pin, or it cannot be read.
        """
        self._path = pin_path
        self._pin = read_pin(pin_path)
        self._installation = installation
        self._cached: tuple[object, PolicyState] | None = None

    def current(self, conn: Connection) -> PolicyState:
        """Return the policy in force; read at every use.

        Raises:
            PolicyChainError: the database does not hold what is pinned; nobody can decide anything.
        """
        key: object = _last(conn.dialect).run(conn, {}).fetchone()
        cached = self._cached
        if cached is None or cached[0] != key:
            cached = (key, self._walk(conn))
            self._cached = cached
        return cached[1]

    def remember(self, conn: Connection) -> PolicyState:
        """Pin what is in force now; call it at start and after each committed change, never inside one.

        Raises:
            PolicyChainError: the database does not hold what is pinned, or the record names another root.
            OSError: the pin cannot be written.
        """
        state = self.current(conn)
        self._check_root(conn)
        pin = Pin(self._pin.root, state.head.version, state.head.digest, dict(state.dead))
        if pin != self._pin:
            write_pin(self._path, pin)
            self._pin = pin
        return state

    def _walk(self, conn: Connection) -> PolicyState:
        versions = _read_versions(conn)
        revocations = _read_revocations(conn)
        return walk(versions, revocations, pin=self._pin, installation=self._installation)

    def _check_root(self, conn: Connection) -> None:
        recorded = conn.execute(_FIRST_POLICY).scalar()
        if recorded != self._pin.root:
            raise PolicyChainError(
                f"the record's first policy is {str(recorded)[:16]} and the pin says {self._pin.root[:16]}: "
                "one of them was replaced; run `handrail audit verify`"
            )


@lru_cache(maxsize=8)
def _last(dialect: Dialect) -> Prepared:
    return Prepared(_LAST, dialect)


def _read_versions(conn: Connection) -> list[Version]:
    rows = conn.execute(_ALL_VERSIONS).all()
    said = load_statements(conn, (id_ for row in rows for id_ in read_ids(row.statements)))
    return [
        Version(
            row.version,
            row.previous,
            row.text,
            tuple(said[id_] for id_ in read_ids(row.statements) if id_ in said),
        )
        for row in rows
    ]


def _read_revocations(conn: Connection) -> list[Revocation]:
    rows = conn.execute(_ALL_DEAD).all()
    said = load_statements(conn, (row.statement for row in rows))
    return [Revocation(row.fingerprint, said.get(row.statement)) for row in rows]
