"""A file of a ``SqlSource`` into its table: records, the source's SQL, the table's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from finops_assistant.store.charges import Unusual, check, fitted, money_types, widen
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import BY_NAME, ESSENTIAL, FILE_ID, VIEWS, literal, quote
from finops_assistant.store.projection import Projection
from finops_assistant.store.quarantine import bearable, keep_aside
from finops_assistant.store.records import direct, look_up, staged, statement, typed
from finops_assistant.store.registry import CarefulReading, Loadable
from finops_assistant.store.sources.source import SqlSource
from finops_assistant.store.tables import TABLES
from finops_assistant.store.tags import TagReader, TagRule

_SAMPLE_ROWS: Final = 5000  # rows whose tag keys and provider names the first statement reads
_FINE: Final = "DECIMAL(38,24)"
# What a source's SQL may say of a row beside the columns of its table: why it makes no sense, which
# column is to blame, and the line it was on.
_REMARKS: Final = ("_problem", "_problem_column", "_line")


def optimistic(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
) -> None:
    """One statement from the file to the table. Whatever it cannot do exactly stops it."""
    source = _of(entry)
    look_up(connection, source)
    records = direct(connection, source, entry.bill, entry.shape)
    relation = f"({statement(source, typed(source, records, careful=False))})"
    header = header_of(connection, relation)
    if "_problem" in header:
        doubtful = connection.execute(
            f"SELECT count(*) FROM {relation} WHERE _problem IS NOT NULL"  # noqa: S608
        ).fetchone()
        if doubtful != (0,):
            raise Unusual
    connection.execute("SET preserve_insertion_order = true")
    if source.table in TABLES:
        blank = _insert(connection, source.table, header, relation, file_id)
        if blank:
            raise Unusual
        return
    money = money_types(connection, source.table)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS}"  # noqa: S608
    )
    blind = Projection(header, mapping_of(header), money, TagReader((), rules), careful=False)
    select = fitted(connection, blind, "sample")
    rows = select.select(relation, file_id, source.name)
    connection.execute(f"INSERT INTO {source.table} BY NAME {rows}")
    check(connection, select, source.table, file_id)


def carefully(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> CarefulReading:
    """Stage the records with bad ones set aside, run the SQL over the rest, then insert."""
    source = _of(entry)
    look_up(connection, source)
    records = staged(connection, source, entry.bill, entry.shape)
    missing = source.missing(records.header)
    if missing:
        raise LoadError(f"{entry.bill.label} lacks {', '.join(missing)}. Export it again.")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE typed AS {typed(source, records, careful=True)}"
    )
    connection.execute("DROP TABLE raw")
    connection.execute(
        "INSERT INTO set_aside SELECT _line, _problem[1], _problem[2], _raw FROM typed "
        "WHERE _problem IS NOT NULL"
    )
    record = "SELECT * EXCLUDE (_problem, _raw) FROM typed WHERE _problem IS NULL"
    header = header_of(connection, f"({statement(source, record)})")
    money = [c for c, _ in header.items() if c in BY_NAME and BY_NAME[c].kind == "money"]
    exact = ", ".join(f"CAST({c} AS {_FINE}) AS {c}" for c in money)
    replaced = f" REPLACE ({exact})" if exact and source.table in VIEWS else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE converted AS SELECT *{replaced} FROM "  # noqa: S608
        f"({statement(source, record)})"
    )
    header = header_of(connection, "converted")
    good, bad = _counts(connection, _reject(connection, source, header))
    bearable(connection, entry.bill.label, good, bad, max_bad)
    sums: dict[str | None, tuple[object, object]] = {}
    if source.table in TABLES:
        _insert(connection, source.table, header, "converted", file_id)
    else:
        mapping = mapping_of(header)
        widen(connection, source.table, mapping, "converted")
        types = money_types(connection, source.table)
        blind = Projection(header, mapping, types, TagReader((), rules), careful=True)
        select = fitted(connection, blind, "converted")
        rows = select.select("converted", file_id, source.name)
        connection.execute(f"INSERT INTO {source.table} BY NAME {rows}")
        sums = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                "SELECT BillingCurrency, sum(BilledCost), sum(EffectiveCost) FROM converted "
                "GROUP BY 1"
            ).fetchall()
        }
    keep_aside(connection, entry.bill.name, file_id)
    for name in ("typed", "converted"):
        connection.execute(f"DROP TABLE {name}")
    return CarefulReading(bad, sums)  # type: ignore[arg-type]  # DECIMAL sums


def _of(entry: Loadable) -> SqlSource:
    assert isinstance(entry.source, SqlSource)  # noqa: S101 - narrowed for mypy
    return entry.source


def header_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column -> type of a relation."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608
    return {row[0]: row[1] for row in rows}


def mapping_of(header: Mapping[str, str]) -> dict[str, str]:
    """The columns of a relation that ``charges`` has, each standing for itself."""
    return {name: name for name in header if name in BY_NAME}


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    header: Mapping[str, str],
    relation: str,
    file_id: int,
) -> bool:
    """The rows of a relation into a table beside ``charges``; whether an essential value is
    missing in any of them."""
    columns = [c for c in TABLES[table].columns if c.name in header]
    values = ", ".join(f"CAST({quote(c.name)} AS {c.sql_type}) AS {quote(c.name)}" for c in columns)
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT {values}, {file_id} AS {FILE_ID} FROM {relation}"  # noqa: S608
    )
    needed = [quote(c.name) for c in TABLES[table].columns if c.essential]
    if not needed:
        return False
    found = connection.execute(
        f"SELECT count(*) FROM {table} WHERE {FILE_ID} = {file_id} "  # noqa: S608
        f"AND ({' OR '.join(f'{name} IS NULL' for name in needed)})"
    ).fetchone()
    return found != (0,)


def _reject(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, header: Mapping[str, str]
) -> int:
    """Set aside the rows that the source's SQL objects to or that lack an essential value, and
    say how many."""
    needed = (
        [c.name for c in TABLES[source.table].columns if c.essential]
        if source.table in TABLES
        else list(ESSENTIAL)
    )
    tests = [f"WHEN {quote(c)} IS NULL THEN [{literal(c)}, 'is empty']" for c in needed]
    if "_problem" in header:
        column = "_problem_column" if "_problem_column" in header else "NULL::VARCHAR"
        tests.insert(0, f"WHEN _problem IS NOT NULL THEN [{column}, _problem]")
    found = f"CASE {' '.join(tests)} END" if tests else "NULL::VARCHAR[]"
    line = "_line" if "_line" in header else "NULL::BIGINT"
    connection.execute(
        f"INSERT INTO set_aside SELECT {line}, ({found})[1], ({found})[2], "  # noqa: S608
        f"CAST(to_json(converted) AS VARCHAR) FROM converted WHERE {found} IS NOT NULL"
    )
    row = connection.execute(f"DELETE FROM converted WHERE {found} IS NOT NULL").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _counts(connection: duckdb.DuckDBPyConnection, rejected: int) -> tuple[int, int]:
    """Records that can be loaded, and rows that cannot, ``rejected`` of them by the SQL."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM typed WHERE _problem IS NULL), "
        "(SELECT count(*) FROM set_aside)"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return max(int(row[0]) - rejected, 0), int(row[1])
