"""Every table of the database: once this package is imported, `metadata` is complete.

The loop below imports each module here, so a new table module needs no registration and no migration can miss
it. Rows are not domain types: SQLModel validates nothing on `table=True` classes, so deciding code takes
frozen values and the module that queries a table converts.
"""

from importlib import import_module
from pkgutil import iter_modules

from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

metadata = SQLModel.metadata
