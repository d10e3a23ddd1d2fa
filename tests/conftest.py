"""Fixtures that every test may use."""

from tests.standins.databases import (
    blank_database,
    database,
    postgres,
    postgres_template,
    postgresql,
    sqlite,
)

__all__ = ["blank_database", "database", "postgres", "postgres_template", "postgresql", "sqlite"]
