"""A FOCUS file into ``charges``: its columns are those of the table, whatever their types."""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.charges import check, fitted, money_types, widen
from finops_assistant.store.focus import BY_NAME, CHARGES, literal, quote
from finops_assistant.store.projection import Projection
from finops_assistant.store.quarantine import (
    csv_relation,
    keep_aside,
    read_carefully,
    refuse_too_bad,
)
from finops_assistant.store.registry import CarefulReading, Loadable
from finops_assistant.store.sources.focus import FOCUS
from finops_assistant.store.tags import TagReader, TagRule

_SAMPLE_ROWS: Final = 5000  # rows at the start whose tag keys the first statement reads
_CSV_TYPES: Final = {"quantity": "DECIMAL(38,15)", "time": "TIMESTAMP WITH TIME ZONE"}


def optimistic(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
) -> None:
    """One statement from the file to the table. Whatever it cannot do exactly stops it."""
    mapping = FOCUS.columns(entry.shape.columns)
    if entry.shape.format == "parquet":
        header = entry.shape.columns
        relation = f"read_parquet({literal(str(entry.bill.path))})"
    else:
        # Money stays text here: its digits are looked at before they are read.
        header = dict(entry.shape.columns)
        for target, name in mapping.items():
            header[name] = _CSV_TYPES.get(BY_NAME[target].kind, "VARCHAR")
        relation = csv_relation(str(entry.bill.path), entry.shape, header)
    money = money_types(connection, CHARGES)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS}"  # noqa: S608
    )
    blind = Projection(header, mapping, money, TagReader((), rules), careful=False)
    select = fitted(connection, blind, "sample")
    # The order of rows means nothing, and a CSV is read a quarter faster without it. Parquet is
    # not, and keeps the order that its writer chose.
    connection.execute(f"SET preserve_insertion_order = {entry.shape.format != 'csv'}")
    rows = select.select(relation, file_id, FOCUS.name)
    connection.execute(f"INSERT INTO {CHARGES} BY NAME {rows}")
    check(connection, select, CHARGES, file_id)


def carefully(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> CarefulReading:
    """Stage the file with bad rows set aside, widen the money columns if need be, then insert."""
    mapping = FOCUS.columns(entry.shape.columns)
    staged = read_carefully(connection, entry.bill, entry.shape, mapping)
    refuse_too_bad(connection, entry.bill.label, staged.good, staged.bad, max_bad)
    widen(connection, CHARGES, mapping, "stage")
    money = money_types(connection, CHARGES)
    blind = Projection(staged.header, mapping, money, TagReader((), rules), careful=True)
    select = fitted(connection, blind, "stage")
    rows = select.select("stage", file_id, FOCUS.name)
    connection.execute(f"INSERT INTO {CHARGES} BY NAME {rows}")
    keep_aside(connection, entry.bill.name, file_id)
    billed, effective, currency = (
        quote(mapping[c]) for c in ("BilledCost", "EffectiveCost", "BillingCurrency")
    )
    sums = connection.execute(
        f"SELECT {currency}, sum({billed}), sum({effective}) FROM stage GROUP BY 1"  # noqa: S608
    ).fetchall()
    connection.execute("DROP TABLE stage")
    return CarefulReading(staged.bad, {row[0]: (row[1], row[2]) for row in sums})
