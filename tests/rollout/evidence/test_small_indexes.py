"""What evidence reads of the record comes through small indexes, however long the record is."""

from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, TextClause, select, text

from runtime.tables.log import ALERT, EVIDENCE, OBSERVED, POWER, REVOCATION, SUSPENSION, LogEntryRow
from tests.standins.persons import Town

_LOG = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table
_CASES: dict[str, tuple[TextClause | ColumnElement[bool], ...]] = {
    "ix_log_entry_power": (POWER, _LOG.deployment == "d"),
    "ix_log_entry_evidence": (EVIDENCE, _LOG.deployment == "d"),
    "ix_log_entry_observed": (_LOG.kind == OBSERVED, _LOG.at >= "2026"),
    "ix_log_entry_suspended": (_LOG.kind == SUSPENSION, _LOG.deployment == "d"),
    "ix_log_entry_alert": (_LOG.kind == ALERT, _LOG.agent == "a"),
    "ix_log_entry_revoked": (_LOG.kind == REVOCATION, _LOG.subject == "g"),
}


@pytest.mark.parametrize("index", _CASES)
def test_the_condition_uses_its_index(tmp_path: Path, index: str) -> None:
    """200 ms for `gates status` at 10^6 suggestions; SQLite tells its plan also of empty tables."""
    town, query = Town(tmp_path), select(_LOG.seq).where(*_CASES[index])

    with town.ledger.read() as conn:
        written = str(query.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
        plan = [row[3] for row in conn.execute(text(f"EXPLAIN QUERY PLAN {written}"))]
    town.close()

    assert any(index in step for step in plan), plan
