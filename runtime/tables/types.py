"""Column types that both databases store alike."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from runtime.moments import utc_moment, utc_text


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment stored as sortable text; naive moments are refused."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a moment."""
        del dialect
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        del dialect
        return None if value is None else utc_moment(value)
