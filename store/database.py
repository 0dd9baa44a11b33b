"""Reading the store: a connection that follows the current version.

Every load writes a new file, ``costs-000012-5f3a9c.duckdb``, and moves the link ``costs.duckdb``
to it (see ``delivery``). A reader resolves the link each time it takes a cursor, so a question
that is running keeps the version it began with, and the next one sees the new version.
"""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from finops_assistant.store.errors import StoreError, StoreMissing, StoreNewer
from finops_assistant.store.settings import Home

SCHEMA_VERSION: Final = 2

# Nothing that reads the store may touch files or the network.
_READER: Final[dict[str, Any]] = {"enable_external_access": "false"}


def current_version(home: Home) -> str:
    """File name of the current version; raises StoreMissing when nothing was loaded."""
    try:
        return Path(home.pointer).readlink().name
    except FileNotFoundError:
        raise StoreMissing(
            f"Nothing has been loaded into {home.path} yet. "
            "Load a bill with: finops ingest FILE, or try: finops demo."
        ) from None
    except OSError as error:
        raise StoreError(
            f"{home.pointer} is not a link to a version of the store ({error.strerror}). "
            "Move that file away and load the bills again."
        ) from None


@dataclass
class Database:
    """The store of one home, opened for reading. Threads may share it."""

    home: Home
    _version: str = ""
    _connection: duckdb.DuckDBPyConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, home: Home) -> Database:
        """Open the current version; raises StoreMissing, StoreNewer or StoreError.

        Settings that changed since the last load are applied first.
        """
        from finops_assistant.store.delivery import apply_settings
        from finops_assistant.store.made_with import is_current

        database = cls(home)
        with closing(database.cursor()) as cursor:
            current = is_current(cursor, home.settings())
        if not current:
            apply_settings(home)
        return database

    @property
    def version(self) -> str:
        """Name of the version that the next cursor reads; it changes with every load."""
        return current_version(self.home)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A fresh read-only cursor on the current version; the caller closes it."""
        with self._lock:
            for _ in range(20):
                version = current_version(self.home)
                if self._connection is None or version != self._version:
                    try:
                        self._switch(version)
                    except FileNotFoundError:
                        continue  # a load swapped between reading the link and opening
                assert self._connection is not None  # noqa: S101 - narrowed for mypy
                return self._connection.cursor()
        raise dangling(self.home)

    def close(self) -> None:
        """Close the connection and every cursor taken from it."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _switch(self, version: str) -> None:
        # The old connection is let go, not closed: closing it would close its cursors too, and
        # a question may still be reading. The last cursor's end releases the old file.
        self._connection, self._version = connect_for_reading(self.home.path / version), version


def connect_for_reading(path: Path) -> duckdb.DuckDBPyConnection:
    """A locked-down read-only connection to one version of the store."""
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        connection = duckdb.connect(str(path), read_only=True, config=dict(_READER))
    except duckdb.Error as error:
        if not path.exists():
            raise FileNotFoundError(path) from None
        if "newer" in str(error).lower():
            raise StoreNewer(_newer(path.parent)) from None
        raise _damaged(path.parent, error) from None
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    check_schema(connection, path.parent)
    return connection


def dangling(home: Home) -> StoreError:
    """The error about a link whose version is not there."""
    return StoreError(
        f"The store in {home.path} has a link to a version that is not there. "
        "Remove costs.duckdb and load the bills again."
    )


def check_schema(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Raise StoreNewer or StoreError unless the store has a schema that this program knows."""
    try:
        row = connection.execute(
            "SELECT value FROM store_meta WHERE key = 'schema_version'"
        ).fetchone()
        version = int(row[0]) if row else 0
    except (duckdb.CatalogException, ValueError):
        version = 0
    except duckdb.Error as error:
        connection.close()
        raise _damaged(folder, error) from None
    if version > SCHEMA_VERSION:
        connection.close()
        raise StoreNewer(_newer(folder))
    if version < 1:
        connection.close()
        raise StoreError(
            f"{folder / 'costs.duckdb'} is not a store of this program. "
            "Choose another folder with FINOPS_HOME, or move that file away."
        )


def _damaged(folder: Path, error: duckdb.Error) -> StoreError:
    what = str(error).splitlines()[0].rstrip(" .!")
    return StoreError(
        f"The store in {folder} cannot be opened: {what}. "
        "If the file is damaged, remove costs.duckdb and load the bills again."
    )


def _newer(folder: Path) -> str:
    return (
        f"The store in {folder} was written by a newer version of finops-assistant. "
        "Upgrade the program, or choose another folder with FINOPS_HOME."
    )
