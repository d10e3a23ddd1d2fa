"""Alembic's entry.

A new version is written so, against a scratch database at the version before:

    export HANDRAIL_DATABASE_URL=sqlite:////tmp/scratch.db
    alembic upgrade head
    alembic revision --autogenerate --rev-id 0002 -m "what changed"
    ruff format runtime/migrations/versions

Read what it wrote: it sees tables and columns, not meaning. `alembic check` tells whether one is missing.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, String
from sqlalchemy.types import TypeDecorator

from runtime.db import open_engine, writing
from runtime.settings import load_settings
from runtime.tables import metadata


def render_type(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """Write our and SQLModel's text types as plain SQLAlchemy: a migration must outlive the code's types."""
    plain = item.impl if isinstance(item, TypeDecorator) else None
    if kind != "type" or not isinstance(plain, String):
        return False
    return "sa.String()" if plain.length is None else f"sa.String(length={plain.length})"


def migrate(connection: Connection) -> None:
    """Run the asked versions on an open writing transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_type,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with writing(open_engine(load_settings().database)) as opened:
        migrate(opened)
