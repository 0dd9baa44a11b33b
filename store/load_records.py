"""A file of a ``SqlSource`` into its table: records, the source's SQL, the table's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from finops_assistant.store.charges import Unusual, check, fitted, money_types, widen
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import BY_NAME, FILE_ID, VIEWS, literal, quote
from finops_assistant.store.projection import Projection
from finops_assistant.store.quarantine import STAGED_MONEY, keep_aside, refuse_too_bad
from finops_assistant.store.records import direct, look_up, staged, statement
from finops_assistant.store.registry import CarefulReading, Loadable
from finops_assistant.store.sources.source import SqlSource
from finops_assistant.store.tables import TABLES, essential
from finops_assistant.store.tags import TagReader, TagRule
from finops_assistant.store.typed_records import typed

_SAMPLE_ROWS: Final = 5000  # rows whose tag keys and provider names the first statement reads


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
        senseless = insert_rows(connection, source.table, header, relation, file_id)
        if senseless or (source.pages and _none_of(connection, source.table, file_id)):
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
    if source.pages and _none_of(connection, source.table, file_id):
        raise Unusual


def _none_of(connection: duckdb.DuckDBPyConnection, table: str, file_id: int) -> bool:
    """Whether a table has no row of a file."""
    rows = f"SELECT 1 FROM {table} WHERE {FILE_ID} = {file_id} LIMIT 1"  # noqa: S608
    return connection.execute(rows).fetchone() is None


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
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE converted AS SELECT * FROM ({statement(source, record)})"  # noqa: S608
    )
    header = header_of(connection, "converted")
    good, bad = _counts(connection, _reject(connection, source, header))
    money = [c for c in header if c in BY_NAME and BY_NAME[c].kind == "money"]
    if money and source.table in VIEWS:
        exact = ", ".join(f"CAST({c} AS {STAGED_MONEY}) AS {c}" for c in money)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE converted AS SELECT * REPLACE ({exact}) FROM converted"  # noqa: S608
        )
        header = header_of(connection, "converted")
    refuse_too_bad(connection, entry.bill.label, good, bad, max_bad)
    sums: dict[str | None, tuple[object, object]] = {}
    if source.table in TABLES:
        insert_rows(connection, source.table, header, "converted", file_id)
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


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    header: Mapping[str, str],
    relation: str,
    file_id: int,
    last_id: int | None = None,
) -> bool:
    """The rows of a file, or of all those up to ``last_id``, whose id is then a column of the
    relation, into a table beside ``charges``. Returns whether one lacks an essential value or has
    an endless time."""
    columns = [c for c in TABLES[table].columns if c.name in header]
    values = ", ".join(f"CAST({quote(c.name)} AS {c.sql_type}) AS {quote(c.name)}" for c in columns)
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT {values}, "  # noqa: S608
        f"{file_id if last_id is None else FILE_ID} AS {FILE_ID} FROM {relation}"
    )
    endless = [quote(c.name) for c in columns if c.kind in ("time", "date")]
    doubts = [f"{quote(name)} IS NULL" for name in essential(table)]
    doubts += [f"NOT isfinite({name})" for name in endless]
    own = f"{FILE_ID} BETWEEN {file_id} AND {file_id if last_id is None else last_id}"
    found = connection.execute(
        f"SELECT count(*) FROM {table} WHERE {own} AND ({' OR '.join(doubts)})"  # noqa: S608
    ).fetchone()
    return found != (0,)


def _reject(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, header: Mapping[str, str]
) -> int:
    """Set aside the rows that the source's SQL objects to, that lack an essential value or have one
    that the table cannot hold, and say how many."""
    tests = [
        f"WHEN {quote(c)} IS NULL THEN [{literal(c)}, 'is empty']" for c in essential(source.table)
    ]
    tests += [
        f"WHEN {quote(name)} IS NOT NULL AND {unfit} "
        f"THEN [{literal(name)}, 'is out of range: ' || CAST({quote(name)} AS VARCHAR)]"
        for name, unfit in _unfit(source, header).items()
    ]
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


def _unfit(source: SqlSource, header: Mapping[str, str]) -> dict[str, str]:
    """Column -> condition under which its value, a number or a time, is none for the table."""
    found = {}
    if source.table in TABLES:
        kinds = {c.name: (c.kind, c.sql_type) for c in TABLES[source.table].columns}
    else:
        kinds = {name: (column.kind, STAGED_MONEY) for name, column in BY_NAME.items()}
    for name, (kind, sql_type) in kinds.items():
        value = quote(name)
        if name in header and kind in ("time", "date"):
            found[name] = f"NOT isfinite(CAST({value} AS TIMESTAMP))"
        elif name in header and kind in ("count", "number", "money"):
            found[name] = f"TRY_CAST({value} AS {sql_type}) IS NULL"
    return found


def _counts(connection: duckdb.DuckDBPyConnection, rejected: int) -> tuple[int, int]:
    """Records that can be loaded, and rows that cannot, ``rejected`` of them by the SQL."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM typed WHERE _problem IS NULL), "
        "(SELECT count(*) FROM set_aside)"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return max(int(row[0]) - rejected, 0), int(row[1])
