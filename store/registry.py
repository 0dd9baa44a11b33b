"""The registry of loaded files: what the store remembers of each, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from finops_assistant.store.discovery import BillFile, Shape
from finops_assistant.store.errors import LoadError
from finops_assistant.store.load_report import FileReport, Total
from finops_assistant.store.sources import Source
from finops_assistant.store.sources.focus import unknown_columns


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
    """Write the file into the registry, and say what was loaded."""
    rows = connection.execute(
        "SELECT BillingCurrency, sum(BilledCost), sum(EffectiveCost), count(*), "  # noqa: S608
        "min(ChargePeriodStart), max(ChargePeriodStart), "
        "list(DISTINCT strftime(BillingPeriodStart, '%Y-%m')) "
        f"FROM charges WHERE _file_id = {file_id} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    loaded, bad = sum(row[3] for row in rows), careful.bad if careful else 0
    if not loaded:
        raise LoadError(f"{entry.bill.label} holds no rows that can be loaded.")
    totals = tuple(_total(row[0], row[1], row[2], careful) for row in rows)
    extra = unknown_columns(entry.shape.columns)
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
            min(row[4] for row in rows).date(),
            max(row[5] for row in rows).date(),
            datetime.now(UTC).replace(tzinfo=None),
            entry.source.version(entry.shape.columns),
            extra,
        ],
    )
    connection.executemany(
        "INSERT INTO file_totals VALUES (?, ?, ?, ?, ?, ?)",
        [
            [
                file_id,
                total.currency,
                total.billed,
                total.effective,
                total.billed_in_file,
                total.effective_in_file,
            ]
            for total in totals
        ],
    )
    return FileReport(
        path=entry.bill.label,
        status="loaded",
        message=_message(entry, bad, extra, totals),
        source=entry.source.name,
        rows=loaded + bad,
        loaded=loaded,
        quarantined=bad,
        periods=tuple(sorted({period for row in rows for period in row[6]})),
        totals=totals,
    )


def _total(
    currency: str | None, billed: Decimal, effective: Decimal, careful: CarefulReading | None
) -> Total:
    exact = careful.sums.get(currency) if careful else None
    if exact is None or exact == (billed, effective):
        return Total(currency, billed, effective)
    return Total(currency, billed, effective, *exact)


def _message(entry: Loadable, bad: int, extra: list[str], totals: tuple[Total, ...]) -> str:
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
