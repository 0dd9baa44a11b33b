"""The registry of loaded files: what the store remembers of each, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from finops_assistant.store.discovery import BillFile, Shape
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import FILE_ID, VIEWS, quote
from finops_assistant.store.load_report import FileReport, Total
from finops_assistant.store.quarantine import first_reason
from finops_assistant.store.sources import Source
from finops_assistant.store.sources.focus import FOCUS, unknown_columns
from finops_assistant.store.tables import TABLES, Table


@dataclass(frozen=True)
class Loadable:
    """A file that is recognised and not in the store yet. ``stamp`` says what it was like when
    the digest was made of it."""

    bill: BillFile
    shape: Shape
    source: Source
    sha256: str
    stamp: tuple[int, int]


@dataclass(frozen=True)
class CarefulReading:
    """What the careful reading knows beyond the rows: rows set aside, and the file's own sums of
    billed and effective cost by currency, before any rounding."""

    bad: int
    sums: Mapping[str | None, tuple[Decimal, Decimal]]


def register(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    delivery: int,
    careful: CarefulReading | None,
) -> FileReport:
    """Write the file into the registry, and say what was loaded.

    Raises LoadError for a file without rows, except of nested JSON: a page of an API or a batch of
    spans may well be empty.
    """
    table, bad = entry.source.table, careful.bad if careful else 0
    of_charges = table in VIEWS
    sql = _charges_sql(table, file_id) if of_charges else _table_sql(TABLES[table], file_id)
    rows = connection.execute(sql).fetchall()
    loaded = sum(row[3] for row in rows)
    if not loaded and (bad or not getattr(entry.source, "nested", False)):
        why = f"; the first that cannot is {first_reason(connection)}" if bad else ""
        raise LoadError(f"{entry.bill.label} holds no rows that can be loaded{why}.")
    totals = tuple(_total(row[0], row[1], row[2], careful) for row in rows) if of_charges else ()
    extra = unknown_columns(entry.shape.columns) if entry.source is FOCUS else []
    first, last = ([row[n] for row in rows if row[n] is not None] for n in (4, 5))
    connection.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            file_id,
            entry.bill.name,
            entry.sha256,
            entry.source.name,
            delivery,
            loaded + bad,
            loaded,
            bad,
            min(first, default=None),
            max(last, default=None),
            datetime.now(UTC).replace(tzinfo=None),
            entry.source.version(entry.shape.header),
            extra,
        ],
    )
    for total in totals:
        connection.execute(
            "INSERT INTO file_totals VALUES (?, ?, ?, ?, ?, ?)",
            [
                file_id,
                total.currency,
                total.billed,
                total.effective,
                total.billed_in_file,
                total.effective_in_file,
            ],
        )
    return FileReport(
        path=entry.bill.label,
        status="loaded",
        message=_message(bad, extra, totals)
        if loaded
        else f"It holds no record where files of the kind {entry.source.title!r} have them.",
        source=entry.source.name,
        rows=loaded + bad,
        loaded=loaded,
        quarantined=bad,
        periods=tuple(sorted({period for row in rows for period in row[6]})),
        totals=totals,
    )


def _charges_sql(table: str, file_id: int) -> str:
    return (
        "SELECT BillingCurrency, sum(BilledCost), sum(EffectiveCost), count(*), "  # noqa: S608
        "CAST(min(ChargePeriodStart) AS DATE), CAST(max(ChargePeriodStart) AS DATE), "
        "list(DISTINCT strftime(BillingPeriodStart, '%Y-%m')) "
        f"FROM {table} WHERE {FILE_ID} = {file_id} GROUP BY 1 ORDER BY 1"
    )


def _table_sql(table: Table, file_id: int) -> str:
    """The same columns for a table without money."""
    moment = quote(table.moment) if table.moment else "NULL::DATE"
    return (
        f"SELECT NULL, NULL, NULL, count(*), CAST(min({moment}) AS DATE), "  # noqa: S608
        f"CAST(max({moment}) AS DATE), coalesce(list(DISTINCT strftime({moment}, '%Y-%m')) "
        f"FILTER ({moment} IS NOT NULL), []) FROM {table.name} WHERE {FILE_ID} = {file_id}"
    )


def _total(
    currency: str | None, billed: Decimal, effective: Decimal, careful: CarefulReading | None
) -> Total:
    exact = careful.sums.get(currency) if careful else None
    if exact is None or exact == (billed, effective):
        return Total(currency, billed, effective)
    return Total(currency, billed, effective, *exact)


def _message(bad: int, extra: list[str], totals: tuple[Total, ...]) -> str:
    parts = []
    if bad:
        rows = "1 row" if bad == 1 else f"{bad:,} rows"
        parts.append(f"{rows} could not be read; finops status shows them.")
    if extra:
        named = ", ".join(extra[:8]) + (f" and {len(extra) - 8} more" if len(extra) > 8 else "")
        parts.append(f"Columns the schema does not know were left out: {named}.")
    for total in totals:
        if total.billed_in_file is not None:
            parts.append(
                f"Digits beyond the 12th decimal were rounded: billed {total.billed_in_file:f} "
                f"{total.currency} in the file, {total.billed:f} stored, "
                f"difference {total.billed - total.billed_in_file:f}."
            )
    return " ".join(parts)
