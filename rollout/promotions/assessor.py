"""What promotions need of evidence. Composed in the console, so that tests can bring their own."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from profiles.effects import Effect
from rollout.evidence.model import Evidence, Sample


class Assessor(Protocol):
    """Looks at one deployment and one class. Each look is one consistent view of the database."""

    def collect(self, conn: Connection, deployment: str, effect: Effect, *, now: datetime) -> Evidence:
        """Return everything that the review gates look at."""
        ...

    def sample(
        self, conn: Connection, deployment: str, effect: Effect, *, since: datetime, before: int
    ) -> Sample:
        """Return the judged items of the window as the record held them before its entry `before`."""
        ...
