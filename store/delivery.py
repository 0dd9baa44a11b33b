"""One delivery: the next version of the store is built beside the current one and swapped in once.

The versions are files of their own name (``costs-000012-5f3a9c.duckdb``) because a process that
re-connects to a path it still has open gets the old content; ``costs.duckdb`` is a link to the
current one. Whoever holds the lock may write a version and remove those that nothing points to.
A kill, a crash or a full disk before the link moves leaves the store as it was.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store import focus, tags
from finops_assistant.store.database import SCHEMA_VERSION, check_schema, current_version
from finops_assistant.store.errors import LoadError, StoreBusy, StoreError, StoreMissing
from finops_assistant.store.settings import Home
from finops_assistant.store.tables import TABLES

_LOCK: Final = "costs.lock"
_VERSIONS: Final = "costs-[0-9]*"


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the one writer's lock of a home; raises StoreBusy when another process has it.

    The kernel drops the lock with the process, so a killed load never leaves it behind.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"Another load is writing to {home.path}. Wait until it is done and try again."
            ) from None
        yield


def deliver(home: Home, build: Callable[[duckdb.DuckDBPyConnection], bool]) -> bool:
    """Run ``build`` on a copy of the store and swap the copy in when it returns True.

    ``build`` gets a read-write connection outside a transaction. When it returns False, or
    raises, nothing changes. The caller holds ``locked``.
    """
    _remove_stale(home)
    with readable_errors(home):
        building = _copy_current(home)
        try:
            connection = duckdb.connect(str(building))
            try:
                connection.execute("SET GLOBAL TimeZone = 'UTC'")
                connection.execute(f"SET memory_limit = '{home.settings().memory}'")
                prepare(connection, home)
                changed = build(connection)
                if changed:
                    connection.execute("CHECKPOINT")
            finally:
                connection.close()
            if changed:
                _swap(home, building)
            return changed
        finally:
            _remove_stale(home)


def prepare(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Create the schema in a new store; check it in an old one."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [focus.CHARGES]
    ).fetchone()
    if known != (0,):
        check_schema(connection, home.path)
        _level_up(connection)
        return
    connection.execute("BEGIN")
    for table in focus.VIEWS:
        connection.execute(focus.create_table_sql(table=table))
        connection.execute(focus.create_view_sql(table))
    connection.execute(focus.META_SQL)
    for other in TABLES.values():
        connection.execute(other.create_sql())
    connection.execute(
        "INSERT INTO store_meta VALUES ('schema_version', ?), ('tag_settings', ?)",
        [str(SCHEMA_VERSION), tags.fingerprint(home.settings())],
    )
    connection.execute("COMMIT")


def _level_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a store of an earlier version the tables and columns that it lacks."""
    row = connection.execute("SELECT value FROM store_meta WHERE key = 'schema_version'").fetchone()
    if row == (str(SCHEMA_VERSION),):
        return
    for table in focus.VIEWS:
        create = focus.create_table_sql(table=table)
        connection.execute(create.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
        for column in focus.COLUMNS:
            connection.execute(
                f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column.name} {column.sql_type}"
            )
        for name in focus.BOOKKEEPING:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} INTEGER")
        connection.execute(focus.create_view_sql(table))
    for other in TABLES.values():
        connection.execute(other.create_sql())
    connection.execute(
        "UPDATE store_meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)]
    )


def apply_settings(home: Home) -> bool:
    """Derive again what rests on ``finops.toml``, and level up a store of an earlier version.

    Returns whether a new version was swapped in. While another load is running nothing is done
    and the current version stays as it is; the next opening tries again.
    """
    try:
        with readable_errors(home), locked(home):
            return deliver(home, lambda connection: _derive_again(connection, home))
    except StoreBusy:
        return False


def _derive_again(connection: duckdb.DuckDBPyConnection, home: Home) -> bool:
    from finops_assistant.store import catalogue, derive

    settings = home.settings()
    tags.resolve_all(connection, settings)
    derive.run(connection, settings)
    catalogue.refresh(connection, full=True)
    return True


def _copy_current(home: Home) -> Path:
    """A copy of the current version (or nothing yet) under the name of the next one."""
    current = _current_or_none(home)
    number = int(current.split("-")[1]) + 1 if current else 1
    # The random part keeps a name unique even after someone removed the link and began anew.
    building = home.path / f"costs-{number:06d}-{secrets.token_hex(3)}.duckdb"
    if current:
        shutil.copyfile(home.path / current, building)
    return building


def _current_or_none(home: Home) -> str | None:
    try:
        return current_version(home)
    except StoreMissing:
        return None


def _swap(home: Home, building: Path) -> None:
    with building.open("rb+") as file:
        os.fsync(file.fileno())
    link = home.path / "costs.link"
    link.unlink(missing_ok=True)
    link.symlink_to(building.name)
    link.replace(home.pointer)
    folder = os.open(home.path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_stale(home: Home) -> None:
    """Remove versions and working files that the link does not name."""
    current = _current_or_none(home)
    for path in home.path.glob(_VERSIONS):
        if path.name != current:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def readable_errors(home: Home) -> Iterator[None]:
    """Say a full disk, and whatever else stops the writing of a version, in one sentence."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if full_disk(error):
            raise LoadError(
                f"The disk that holds {home.path} is full; the store is as it was. "
                "Free some space and load again."
            ) from error
        if _not_ours(home, error):
            raise StoreError(
                f"{home.path} may not be written to. Choose another folder with FINOPS_HOME."
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise LoadError(f"The store is as it was. {too_little_memory(home)}") from error
        raise LoadError(
            f"The load stopped and the store is as it was: {str(error).splitlines()[0]}"
        ) from error


def too_little_memory(home: Home) -> str:
    """The sentence about a load that does not fit into its allowance."""
    return (
        f"The load needs more than the {home.settings().memory} of memory that it may take. "
        'Allow more with memory = "8GB" in finops.toml.'
    )


def _not_ours(home: Home, error: BaseException) -> bool:
    """Whether an error says that the home folder, or a file in it, may not be written."""
    if not isinstance(error, OSError) or error.errno not in (
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
    ):
        return False
    where = Path(os.fsdecode(error.filename)) if error.filename else home.path
    return where in home.path.parents or where.is_relative_to(home.path)


def full_disk(error: BaseException) -> bool:
    """Whether an error of the system or of DuckDB says that nothing more fits on the disk."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return True
    signs = ("no space left", "file too large", "disk quota", "out of disk", "could not write")
    return any(sign in str(error).lower() for sign in signs)
