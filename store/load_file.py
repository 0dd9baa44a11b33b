"""One file into its table: the optimistic statement first, the careful reading where it stops."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import duckdb

from finops_assistant.store import load_focus, load_records
from finops_assistant.store.charges import Unusual
from finops_assistant.store.delivery import full_disk
from finops_assistant.store.discovery import truncated
from finops_assistant.store.errors import LoadError
from finops_assistant.store.load_bundle import load_bundle
from finops_assistant.store.load_report import FileReport
from finops_assistant.store.records import LONGEST_LINE
from finops_assistant.store.registry import CarefulReading, Loadable, register
from finops_assistant.store.sources.source import SqlSource
from finops_assistant.store.tags import TagRule


def load_file(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    delivery: int,
    *,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> FileReport:
    """Add the rows of one file; raises LoadError, with nothing added, when it is refused."""
    careful: CarefulReading | None = None
    way = load_records if isinstance(entry.source, SqlSource) else load_focus
    try:
        try:
            with _transaction(connection):
                way.optimistic(connection, entry, file_id, rules)
                _still(entry)
        except (duckdb.Error, Unusual) as error:
            if full_disk(error):
                raise
            with _transaction(connection):
                careful = way.carefully(connection, entry, file_id, rules, max_bad)
                _still(entry)
        with _transaction(connection):
            return register(connection, entry, file_id, delivery, careful)
    except duckdb.Error as error:
        crowded = isinstance(error, duckdb.OutOfMemoryException)
        if full_disk(error) or (crowded and entry.shape.format != "json"):
            raise
        if crowded or "maximum_object_size" in str(error):
            raise LoadError(_too_long(entry)) from error
        if "gzip" in str(error).lower():
            raise LoadError(truncated(entry.bill)) from None
        # The engine's reason is for those who write SQL.
        raise LoadError(
            f"{entry.bill.label} cannot be read: something in it is not as files of the kind "
            f"{entry.source.title!r} have it. Fetch it again, or leave it out."
        ) from error
    except FileNotFoundError:
        raise LoadError(f"{entry.bill.label} was there and is gone.") from None


def _too_long(entry: Loadable) -> str:
    """What is said of JSON whose documents are too long: each is read into memory as a whole."""
    if entry.shape.lines:
        return (
            f"{entry.bill.label} has a line of more than {LONGEST_LINE >> 20} MB, which is no "
            f"record of {entry.source.title}. Remove it and load the file again."
        )
    return (
        f"{entry.bill.label} is one JSON document, too long for the memory that a load may take. "
        "Fetch it in smaller pages, or allow more with memory in finops.toml."
    )


def load_files(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Loadable],
    first_id: int,
    delivery: int,
    *,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> list[FileReport]:
    """Add the rows of files that are alike; the report of each, in order. Ids go to those that
    were loaded, from ``first_id`` on; what one bundle cannot hold is loaded in halves."""
    if len(entries) > 1:
        try:
            with _transaction(connection):
                load_bundle(connection, entries, first_id, rules)
                return [
                    register(connection, entry, first_id + place, delivery, None)
                    for place, entry in enumerate(entries)
                ]
        except (duckdb.Error, Unusual, LoadError, FileNotFoundError) as error:
            if full_disk(error) or isinstance(error, duckdb.OutOfMemoryException):
                raise
        half = len(entries) // 2
        first = load_files(
            connection, entries[:half], first_id, delivery, rules=rules, max_bad=max_bad
        )
        next_id = first_id + sum(report.status == "loaded" for report in first)
        return first + load_files(
            connection, entries[half:], next_id, delivery, rules=rules, max_bad=max_bad
        )
    (entry,) = entries
    try:
        return [load_file(connection, entry, first_id, delivery, rules=rules, max_bad=max_bad)]
    except LoadError as error:
        label, source = entry.bill.label, entry.source.name
        return [FileReport(label, "refused", str(error), source=source)]


def _still(entry: Loadable) -> None:
    """Raise LoadError when the file is another one by now: its digest says nothing of the rows."""
    if entry.bill.stamp() != entry.stamp:
        raise LoadError(
            f"{entry.bill.label} changed while it was being read. Load it again once it is whole."
        )


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A failed commit has rolled back already, and a fatal error closed the database.
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
