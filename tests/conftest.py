"""Fixtures that every test may use."""

from tests.standins.databases import (
    blank_database,
    database,
    postgres,
    postgres_name,
    postgresql,
    sqlite,
)

__all__ = ["blank_database", "database", "postgres", "postgres_name", "postgresql", "sqlite"]
