"""`doctor` on PostgreSQL: a server that is away, or that does not keep what it commits, is a failure."""

from pathlib import Path

from console.doctor.database import examine_database
from console.doctor.finding import Level
from runtime.settings import Settings
from tests.standins.databases import Database


def test_a_server_that_does_not_wait_for_its_disk_is_a_failure(postgresql: Database) -> None:
    """The tests' own server is such a one: it runs without fsync, to be quick."""
    (finding,) = examine_database(Settings(database_url=postgresql.url))

    assert (finding.check, finding.level) == ("database", Level.FAIL)
    assert "fsync and full_page_writes off" in finding.said
    assert "postgresql.conf" in finding.next_step


def test_a_server_that_is_away_is_a_failure_and_its_password_is_not_shown(tmp_path: Path) -> None:
    url = f"postgresql://me:secret@/none?host={tmp_path}"
    (finding,) = examine_database(Settings(database_url=url))

    assert finding.level is Level.FAIL
    assert "cannot be reached" in finding.said
    assert "secret" not in finding.said


def test_on_sqlite_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert examine_database(Settings(state_dir=tmp_path)) == []
