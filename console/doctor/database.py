"""PostgreSQL: whether it answers, and whether it keeps what it has committed. SQLite has nothing to set."""

from sqlalchemy import text

from console.doctor.finding import Finding, Level, good
from runtime.db import database_file, open_existing, parse_url, reading, shown
from runtime.errors import KernelError
from runtime.settings import Settings

_CHECK = "database"
_DURABLE = ("fsync", "full_page_writes")
_ENCODING = "UTF8"


def examine_database(settings: Settings) -> list[Finding]:
    """Look at the server, where there is one."""
    try:
        if database_file(parse_url(settings.database)) is not None:
            return []
        found = _settings_of(settings.database)
    except KernelError as error:
        return [Finding(_CHECK, Level.FAIL, str(error), "start PostgreSQL, or correct HANDRAIL_DATABASE_URL")]
    return [_judge(found, shown(settings.database))]


def _settings_of(url: str) -> dict[str, str]:
    engine = open_existing(url)
    try:
        with reading(engine) as connection:
            names = (*_DURABLE, "server_encoding", "server_version")
            return {name: str(connection.execute(text(f"SHOW {name}")).scalar()) for name in names}
    finally:
        engine.dispose()


def _judge(found: dict[str, str], where: str) -> Finding:
    off = [name for name in _DURABLE if found[name] != "on"]
    if off:
        said = f"{' and '.join(off)} off at {where}: a power cut takes entries that were said to be written"
        return Finding(_CHECK, Level.FAIL, said, "set them to on in postgresql.conf and restart the server")
    if found["server_encoding"] != _ENCODING:
        said = f"the encoding of {where} is {found['server_encoding']}, expected {_ENCODING}"
        return Finding(_CHECK, Level.FAIL, said, "create the database with ENCODING 'UTF8'")
    return good(_CHECK, f"PostgreSQL {found['server_version']} at {where}")
