"""The monthly data keys, wrapped in the database and opened once each."""

from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select

from runtime.canonical import JsonValue
from runtime.record.keys import KEY_BYTES, KeyWrapper
from runtime.record.payload import DataKey
from runtime.tables.log import LogDataKeyRow

_COLUMNS = LogDataKeyRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


class KeyRing:
    """Finds and makes data keys; holds the opened ones in memory."""

    def __init__(self, wrapper: KeyWrapper) -> None:
        self._wrapper = wrapper
        self._opened: dict[str, DataKey] = {}

    def find(self, connection: Connection, key_id: str) -> DataKey | None:
        """Return the data key of a month, such as `2026-11`; None when there is none (any more).

        Raises:
            KeyFileError: it was wrapped by another key.
        """
        if key_id not in self._opened:
            query = select(_COLUMNS.wrapped).where(_COLUMNS.id == key_id)
            wrapped = connection.execute(query).scalar()
            if wrapped is None:
                return None
            self._opened[key_id] = DataKey(key_id, AESGCM(self._wrapper.unwrap(wrapped)))
        return self._opened[key_id]

    def open_newest(self, connection: Connection) -> None:
        """Open the newest data key, so that a wrong key file is told at once.

        Raises:
            KeyFileError: it was wrapped by another key.
        """
        newest = connection.execute(select(_COLUMNS.id).order_by(_COLUMNS.id.desc()).limit(1)).scalar()
        if newest is not None:
            self.find(connection, newest)

    def create(
        self, connection: Connection, key_id: str, random: Callable[[int], bytes]
    ) -> dict[str, JsonValue]:
        """Make the data key of a month in an open transaction; return what the log says of it."""
        wrapped = self._wrapper.wrap(random(KEY_BYTES))
        connection.execute(insert(LogDataKeyRow), {"id": key_id, "wrapped": wrapped})
        return {"id": key_id, "sha256": sha256(wrapped).hexdigest()}

    def forget(self) -> None:
        """Drop the opened keys: a transaction that made one was undone."""
        self._opened.clear()
