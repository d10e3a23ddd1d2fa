"""A real PostgreSQL of the test's own: a scratch directory, a Unix socket, no network, gone at the end.

The server refuses to run as root, so root starts it as `postgres`, else as `nobody`. It listens on nothing
but a socket that only its user and root can reach.
"""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

ADMIN = "postgres"
OWNER = "handrail"  # as at a customer: owner of its database, not a superuser
_DEBIAN = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
# The host of a test does not lose power: a commit need not wait for the disk here.
_FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "60"}
_NUMBERS = count(1)
_OTHERS_END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_FIRST_NUMBERS = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences"
)


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        directory: its socket, its data and its log.
        programs: where `initdb` and `pg_ctl` are.
    """

    directory: Path
    programs: Path

    def create(self) -> str:
        """Make a database that belongs to `OWNER`; return its name."""
        name = f"handrail_{next(_NUMBERS)}"
        made = sql.SQL("CREATE DATABASE {} OWNER {}")
        self._admin(made.format(sql.Identifier(name), sql.Identifier(OWNER)))
        return name

    def empty(self, name: str) -> None:
        """Take every row out of a database, and everyone who is still connected: quicker than a new one."""
        with self.shell(name) as shell:
            shell.execute(_OTHERS_END)
            shell.execute("SET session_replication_role = replica")
            tables = [row[0] for row in shell.execute(_TABLES)]
            shell.execute(sql.SQL("; ").join(map(_delete_all, tables)))
            shell.execute(_FIRST_NUMBERS)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str, user: str = OWNER) -> str:
        """Return what `HANDRAIL_DATABASE_URL` takes."""
        return f"postgresql://{user}@/{name}?host={quote(str(self.directory))}"

    def shell(self, name: str, user: str = ADMIN) -> "psycopg.Connection[Any]":
        """Open a connection as someone with a database shell; each statement commits."""
        return psycopg.connect(host=str(self.directory), dbname=name, user=user, autocommit=True)

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it, again."""
        socket = f"-c listen_addresses= -c unix_socket_directories={self.directory}"
        chosen = " ".join(f"-c {name}={value}" for name, value in _FAST.items())
        self._control("start", "-l", str(self.directory / "log"), "-o", f"{socket} {chosen}")

    def _control(self, *words: str) -> None:
        program = str(self.programs / "pg_ctl")
        _run([program, "--pgdata", str(self.directory / "data"), "--wait", *words])

    def _admin(self, statement: sql.Composed) -> None:
        with self.shell("postgres") as shell:
            shell.execute(statement)


def programs() -> Path | None:
    """Where the server's programs are: on the PATH, else the newest of Debian's; None if there are none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in _DEBIAN.glob("*/bin") if (path / "initdb").is_file()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def running(where: Path) -> Iterator[Postgres]:
    """Start a server with the programs in `where`, and stop it at the end."""
    # A socket's path has at most 107 bytes, which pytest's own directories can exceed.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if (user := _server_user()) is not None:
            shutil.chown(directory, user)
        server = Postgres(directory, where)
        _run(
            [
                *(str(where / "initdb"), "--pgdata", str(directory / "data"), "--username", ADMIN),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ]
        )
        server.start()
        try:
            with server.shell("postgres") as shell:
                shell.execute(f"CREATE ROLE {OWNER} LOGIN")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory)


def _delete_all(table: str) -> sql.Composed:
    return sql.SQL("DELETE FROM {}").format(sql.Identifier(table))


def _server_user() -> str | None:
    """The user that the server runs as; None: ours."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


def _run(words: list[str]) -> None:
    user = _server_user()
    plain = {"PATH": os.defpath, "LC_ALL": "C", "USER": user or getpass.getuser()}
    group = None if user is None else pwd.getpwnam(user).pw_gid
    extra: list[int] | None = None if user is None else []
    # Its output goes to a file: the server would keep a pipe open, and nobody would read it.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            words,
            env=plain,
            cwd="/",
            user=user,
            group=group,
            extra_groups=extra,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
        )
        said.seek(0)
        assert done.returncode == 0, f"{words[0]}: {said.read().decode()}"
