"""Persons with real keys, and a town they live in: a real record, a real policy, one state directory."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select, text

from profiles.load import shipped_policy
from profiles.policy import Role
from runtime.clock import new_id, random_bytes
from runtime.people.chain import PolicyState
from runtime.people.changes import (
    Applied,
    Waiting,
    first_version,
    init_policy,
    next_version,
    sign_change,
    submit_change,
)
from runtime.people.edit import NewPerson, with_people
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.policies import PolicyBook
from runtime.people.roster import Refused
from runtime.people.sshsig import public_key_of, sign
from runtime.people.statement import Matter, SignedStatement, draft
from runtime.record.batch import Tx
from runtime.record.keys import create_keys, load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.trace import Entry
from runtime.settings import Settings
from tests.standins.databases import Database, lay_out
from tests.standins.patience import PATIENT

T = TypeVar("T")
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """Someone who can sign."""

    name: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)

    @property
    def line(self) -> str:
        return public_key_of(self.key).line

    @property
    def fingerprint(self) -> str:
        return public_key_of(self.key).fingerprint

    def says(
        self,
        matter: Matter,
        *,
        to: str,
        at: datetime,
        expires: datetime | None = None,
        nonce: bytes | None = None,
    ) -> SignedStatement:
        """Sign a statement for the installation `to`."""
        statement = draft(
            matter,
            installation=to,
            person=self.name,
            now=at,
            nonce=nonce or random_bytes(16),
            expires=expires,
        )
        body = statement.to_bytes()
        return SignedStatement(body, sign(self.key, body))

    def enrolled(
        self,
        *groups: str,
        roles: Iterable[Role] = (),
        identities: Iterable[str] = (),
        also: Iterable["Person"] = (),
    ) -> NewPerson:
        """What to enrol: this key, and those of `also` as further keys of the same person."""
        keys = (self.line, *(other.line for other in also))
        return NewPerson(self.name, keys, groups, tuple(roles), tuple(identities))


class Town:
    """One installation: its record, its policy and its time."""

    def __init__(self, directory: Path, *, database: Database | None = None, now: datetime = START) -> None:
        self.now = now
        self.database = database
        url = None if database is None else database.url
        self.settings = Settings(
            state_dir=directory / "state", anchor_dir=directory / "anchor", database_url=url
        )
        if database is None:
            lay_out(self.settings.state_dir / "handrail.db")
        _give_keys(self.settings.keys_dir)
        prepare_state(self.settings)
        self.installation = load_keys(self.settings.keys_dir).signer.verifier.name
        self.ledger: Ledger = open_ledger(self.settings, limits=PATIENT, clock=lambda: self.now)
        self.pin_path = self.settings.state_dir / PIN_NAME
        self._book: PolicyBook | None = None

    def close(self) -> None:
        self.ledger.close()
        self.ledger._engine.dispose()  # tests read on after they have closed the record

    def later(self, **span: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**span)
        return self.now

    def signed(self, person: Person, matter: Matter, *, expires: datetime | None = None) -> SignedStatement:
        return person.says(matter, to=self.installation, at=self.now, expires=expires)

    def write(self, unit: Callable[[Tx], T]) -> T:
        return self.ledger.write_sync(unit)

    def read(self, question: Callable[[Connection], T]) -> T:
        with self.ledger.read() as conn:
            return question(conn)

    def begin(self, policy: str, *signers: Person) -> None:
        """Put version 1 in force, signed by these persons."""
        matter = first_version(policy).matter
        self.begin_with(policy, [self.signed(person, matter) for person in signers])

    def begin_with(self, policy: str, signed: Sequence[SignedStatement]) -> None:
        """Put version 1 in force with these statements."""
        self.write(
            lambda tx: write_pin(
                self.pin_path, init_policy(tx, policy, signed, installation=self.installation)
            )
        )

    @property
    def book(self) -> PolicyBook:
        if self._book is None:
            self._book = PolicyBook(self.pin_path, self.installation)
        return self._book

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        self._book = None

    @property
    def state(self) -> PolicyState:
        return self.read(self.book.current)

    def change(self, policy: str, *signers: Person) -> Applied | Waiting | Refused:
        """Propose a policy and sign it, one person after the other; return the last answer."""
        version = next_version(self.state, policy)
        answer: Applied | Waiting | Refused | None = None
        for person in signers:
            signed = self.signed(person, version.matter)
            answer = self.write(lambda tx, signed=signed: self._hand_in(tx, version.digest, policy, signed))  # type: ignore[misc]
            self.read(self.book.remember)
        assert answer is not None
        return answer

    def _hand_in(
        self, tx: Tx, digest: str, policy: str, signed: SignedStatement
    ) -> Applied | Waiting | Refused:
        state = self.book.current(tx.conn)
        query = text("SELECT 1 FROM policy_change WHERE digest = :digest")
        known = tx.conn.execute(query, {"digest": digest}).first()
        if known:
            return sign_change(tx, state, digest, signed, now=self.now)
        return submit_change(tx, state, policy, signed, now=self.now)

    def count(self, table: str) -> int:
        query = select(func.count()).select_from(text(table))
        return int(self.read(lambda conn: conn.execute(query).scalar_one()))

    def kinds(self) -> list[str]:
        """The kinds of all entries of the record, oldest first."""
        query = "SELECT kind FROM log_entry ORDER BY seq"
        return [str(row[0]) for row in self.read(lambda conn: conn.exec_driver_sql(query).all())]

    def entry(self, kind: str, which: int) -> Entry:
        """One entry of a kind; `which` counts like a list's index."""
        query = text("SELECT seq FROM log_entry WHERE kind = :kind ORDER BY seq")
        found = self.read(lambda conn: conn.execute(query, {"kind": kind}).all())
        return self.ledger.entry(found[which][0])

    def tamper(self, sql: str, **values: object) -> None:
        """Change the database by hand, behind everyone's back, as someone with a database shell would."""
        if self.database is not None:
            self.database.tamper(sql, values)
            return
        with closing(sqlite3.connect(self.settings.state_dir / "handrail.db", timeout=5)) as shell, shell:
            assert shell.execute(sql, values).rowcount, "the attack changed nothing"


def _give_keys(directory: Path) -> None:
    """Give an installation the keys of all towns of this process; those that are there already stay."""
    if not directory.exists():
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700)
        for name, content in _keys():
            path = directory / name
            path.touch(mode=0o600)
            path.write_bytes(content)


@cache
def _keys() -> tuple[tuple[str, bytes], ...]:
    with TemporaryDirectory() as place:
        create_keys(Path(place), new_id=new_id, random=random_bytes)
        return tuple((path.name, path.read_bytes()) for path in Path(place).iterdir())


def policy_of(*people: NewPerson, version: int = 1) -> str:
    """Return the shipped policy with these persons enrolled."""
    return with_people(shipped_policy().text, people, version=version)
