"""The assessor that promotions ask: evidence under the policy in force, with what is known of the record."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from profiles.effects import Effect
from rollout.evidence.collect import collect
from rollout.evidence.model import AuditState, Evidence, Sample
from rollout.evidence.samples import collect_sample
from runtime.people.policies import PolicyBook


class Assessor:
    """Looks at one deployment and one class; each look is one consistent view of the database."""

    def __init__(
        self,
        book: PolicyBook,
        audit: Callable[[datetime], AuditState],
        *,
        engine: Callable[[], str | None] = lambda: None,
        code: str | None = None,
    ) -> None:
        """Take what does not come with a view.

        Args:
            book: the policy in force.
            audit: what is known of the record at a moment; it must not verify inside a unit.
            engine: what is known of the engine's version here; it must not ask the engine, either. None
                where there is no engine.
            code: digest of the code and the rules that a proof must be about; this process's code without.
        """
        self._book = book
        self._audit = audit
        self._engine = engine
        self._code = code

    def collect(self, conn: Connection, deployment: str, effect: Effect, *, now: datetime) -> Evidence:
        """Return everything that the review gates look at."""
        state = self._book.current(conn)
        audit, engine = self._audit(now), self._engine()
        here = {"engine": engine, "code": self._code}
        return collect(conn, deployment, effect, state=state, now=now, audit=audit, **here)

    def sample(
        self, conn: Connection, deployment: str, effect: Effect, *, since: datetime, before: int
    ) -> Sample:
        """Return the judged items of the window as the record held them before its entry `before`."""
        roster, entry = self._book.current(conn).roster, before
        return collect_sample(conn, deployment, effect, since=since, roster=roster, now=since, before=entry)
