"""Which reviews were closed by somebody's signed word, whatever their rows say."""

from collections.abc import Collection
from functools import lru_cache

from sqlalchemy import Connection, select

from runtime.people.roster import Roster, authentic
from runtime.people.statement import SignedStatement, Statement, StatementType
from runtime.tables.people import StatementRow

_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def signed_for(conn: Connection, reviews: Collection[str], *, roster: Roster) -> frozenset[str]:
    """Return those of these reviews about which somebody enrolled, then or now, signed a closing word.

    Whether the person might was checked when the word was taken. Who has left since did not un-close it.

    Args:
        conn: a view of the database.
        reviews: ids of obligations.
        roster: whose keys there ever were.
    """
    query = select(_SAID.c.subject, _SAID.c.body, _SAID.c.signature).where(
        _SAID.c.subject.in_(sorted(reviews)), _SAID.c.type == StatementType.REVIEW.value
    )
    rows = conn.execute(query) if reviews else ()
    return frozenset(
        row.subject
        for row in rows
        if _is_about(row.subject, SignedStatement(row.body, row.signature), roster)
    )


@lru_cache(maxsize=65_536)
def _is_about(review: str, signed: SignedStatement, roster: Roster) -> bool:
    said = authentic(signed, roster)
    return isinstance(said, Statement) and said.type is StatementType.REVIEW and said.subject == review
