"""``finops export --format focus``: the store as one FOCUS dataset."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.access import Principal, scope_sql
from finops_assistant.store.database import connect_for_reading, current_version, dangling
from finops_assistant.store.delivery import full_disk
from finops_assistant.store.errors import LoadError, StoreError, UsageError
from finops_assistant.store.focus import ALL_COLUMNS, FocusColumn, literal
from finops_assistant.store.settings import Home

EXPORT_VERSIONS: Final = ("1.4", "1.2")
_FORMATS: Final[Mapping[str, str]] = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER true",
}
# Where a column of an older release comes from today.
_SUCCESSORS: Final[Mapping[str, str]] = {
    "ProviderName": "ServiceProviderName",
    "PublisherName": "x_PublisherName",
}


def export_focus(
    home: Home,
    path: str | Path,
    principal: Principal,
    version: str = "1.4",
    strict: bool = False,
) -> int:
    """Write what ``principal`` may see as Parquet or CSV, by the ending; return the rows.

    The columns are those of FOCUS ``version`` and, unless ``strict``, ours (``x_``). Raises
    UsageError for an unknown version, ending or folder, QueryRefused when nothing may be seen.
    """
    target = Path(path)
    if version not in EXPORT_VERSIONS:
        raise UsageError(
            f"FOCUS {version} cannot be written. Choose one of: {', '.join(EXPORT_VERSIONS)}."
        )
    if target.suffix.lower() not in _FORMATS:
        raise UsageError(f"{target.name} must end in .parquet or .csv: that chooses the format.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder. Name the file to write.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}. Create it, or write elsewhere.")
    where = scope_sql(principal)
    kind = target.suffix.lower()
    names = [
        f"{_value(column, kind)} AS {column.name}"
        for column in ALL_COLUMNS
        if column.in_version(version)
        and not (strict and column.extension)
        and principal.may_read((column.name, _SUCCESSORS.get(column.name, column.name)))
    ]
    statement = f"SELECT {', '.join(names)} FROM focus WHERE {where}"  # noqa: S608
    partial = target.with_name(f".{target.name}.{secrets.token_hex(3)}")
    try:
        rows = _write(home, statement, partial, _FORMATS[kind])
        partial.replace(target)
    except (duckdb.Error, OSError) as error:
        if full_disk(error):
            raise LoadError(f"The disk is full; {target} was not written.") from None
        raise StoreError(f"{target} cannot be written: {str(error).splitlines()[0]}") from None
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _value(column: FocusColumn, kind: str) -> str:
    name = _SUCCESSORS.get(column.name, column.name)
    if column.kind != "time":
        return name
    # FOCUS wants ISO 8601 with a zone; in Parquet the type says that it is UTC.
    return (
        f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
        if kind == ".csv"
        else f"make_timestamptz(epoch_us({name}))"
    )


def _write(home: Home, statement: str, target: Path, options: str) -> int:
    for _ in range(20):
        version = home.path / current_version(home)
        try:
            connect_for_reading(version).close()  # says in plain words what is wrong with it
            with closing(duckdb.connect()) as connection:
                # Readers may not write files: the store is attached to a connection that may.
                connection.execute("SET GLOBAL TimeZone = 'UTC'")
                connection.execute(f"ATTACH {literal(str(version))} AS store (READ_ONLY)")
                connection.execute("USE store")
                row = connection.execute(
                    f"COPY ({statement}) TO {literal(str(target))} ({options})"
                ).fetchone()
                return int(row[0]) if row else 0
        except FileNotFoundError:
            continue  # a load swapped in between
    raise dangling(home)
