"""Small stores written by hand: every row of a test stands in the test."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from finops_assistant.store import catalogue
from finops_assistant.store.database import Database
from finops_assistant.store.focus import COLUMNS, create_table_sql, create_view_sql
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.store import Store
from finops_assistant.store.usage_layers import create_usage_sql

Row = dict[str, Any]


@dataclass
class MemoryDatabase:
    """The part of ``Database`` that ``Store`` uses, over rows in memory."""

    connection: duckdb.DuckDBPyConnection
    version: str = "v1"
    cursors: int = field(default=0)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        self.cursors += 1
        return self.connection.cursor()

    def close(self) -> None:
        self.connection.close()


def make_charge(day: str, cost: str | Decimal, **columns: Any) -> Row:
    """One charge of a day in USD by AWS; all four costs equal unless named."""
    start = datetime.fromisoformat(day)
    month = start.replace(day=1, hour=0)
    defaults: Row = {
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "BillingPeriodStart": month,
        "BillingPeriodEnd": (month + timedelta(days=32)).replace(day=1),
        "BillingCurrency": "USD",
        "BillingAccountId": "payer-1",
        "ServiceProviderName": "AWS",
        "ServiceName": "Amazon EC2",
        "ChargeCategory": "Usage",
        "EffectiveCost": Decimal(cost),
        "BilledCost": Decimal(cost),
        "ListCost": Decimal(cost),
        "ContractedCost": Decimal(cost),
        "_file_id": 1,
    }
    return defaults | columns


def make_usage(day: str, tokens: str | int | None = None, **columns: Any) -> Row:
    """Tokens of one class, or ``Requests``, of a day of gpt-4o by OpenAI; counted everywhere."""
    start = datetime.fromisoformat(day)
    month = start.replace(day=1, hour=0)
    defaults: Row = {
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "BillingPeriodStart": month,
        "BillingPeriodEnd": (month + timedelta(days=32)).replace(day=1),
        "ServiceProviderName": "OpenAI",
        "ServiceCategory": "AI and Machine Learning",
        "x_ModelId": "gpt-4o",
        "Layer": "vendor",
        "Measure": "requests" if tokens is None else "tokens",
        "Tokens": None if tokens is None else Decimal(tokens),
        "Chosen": True,
        "ChosenDetail": True,
    }
    return defaults | columns


def insert_rows(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], table: str = "charges"
) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            list(row.values()),
        )


def _billed_usage_sql() -> str:
    names = ", ".join(c.name for c in COLUMNS if c.kind not in ("money", "quantity"))
    return (
        f"INSERT INTO usage ({names}, Layer, Measure, Tokens, Chosen, ChosenDetail) "
        f"SELECT {names}, 'bill', 'tokens', ConsumedQuantity, TRUE, TRUE FROM charges "
        "WHERE ConsumedUnit = 'Tokens' AND ConsumedQuantity IS NOT NULL"
    )


@pytest.fixture
def charge() -> Callable[..., Row]:
    """Makes one row: ``charge("2026-01-31", "12.50", x_Team="search")``."""
    return make_charge


@pytest.fixture
def used() -> Callable[..., Row]:
    """Makes one row of usage: ``used("2026-01-31", 1000, x_TokenDirection="Input")``."""
    return make_usage


@pytest.fixture
def insert() -> Callable[[duckdb.DuckDBPyConnection, Sequence[Row]], None]:
    return insert_rows


@pytest.fixture
def connect() -> Iterator[Callable[..., duckdb.DuckDBPyConnection]]:
    """Makes a database with the schema and some rows, its catalogue fresh. Without usage of its
    own, the tokens are those that the rows bill."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def make(rows: Sequence[Row], usage: Sequence[Row] | None = None) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        opened.append(connection)
        connection.execute(create_table_sql())
        connection.execute(create_view_sql())
        connection.execute(create_usage_sql())
        insert_rows(connection, rows)
        if usage is None:
            connection.execute(_billed_usage_sql())
        else:
            insert_rows(connection, usage, "usage")
        catalogue.refresh(connection, full=True)
        return connection

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def store_of(
    connect: Callable[..., duckdb.DuckDBPyConnection],
) -> Callable[..., Store]:
    """Makes a store over some rows: ``store_of(rows, usage, principals={...})``."""

    def make(
        rows: Sequence[Row],
        usage: Sequence[Row] | None = None,
        **settings: Mapping[str, Any] | str | None,
    ) -> Store:
        database = cast("Database", MemoryDatabase(connect(rows, usage)))
        made = Settings(**cast("dict[str, Any]", settings))
        return Store(Home.find("/nowhere"), database, made, load_semantics())

    return make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


@pytest.fixture
def bill(tmp_path: Path) -> Callable[..., Path]:
    """Writes a FOCUS 1.0 CSV: ``bill("a.csv", [{"BilledCost": "2.5"}], leave_out=["Tags"])``.

    Each row is a charge of 1 USD by AWS on 2024-09-01 but for what it names; a day can be given
    as ``day="2024-09-03"``. ``header`` names further columns.
    """

    def write(
        name: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        leave_out: Sequence[str] = (),
        header: Sequence[str] = (),
        **csv_options: Any,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = [c for c in (*BILL_ROW, *header) if c not in leave_out]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", **csv_options)
            writer.writeheader()
            for row in rows:
                day = {}
                if "day" in row:
                    after = date.fromisoformat(row["day"]) + timedelta(days=1)
                    day = {
                        "ChargePeriodStart": f"{row['day']} 00:00:00",
                        "ChargePeriodEnd": f"{after} 00:00:00",
                    }
                writer.writerow({**BILL_ROW, **day, **row})
        return path

    return write


@pytest.fixture
def ask(home: Home) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs SQL over the current version of the store in ``home``."""

    def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        database = Database.open(home)
        try:
            return database.cursor().execute(sql, list(parameters)).fetchall()
        finally:
            database.close()

    return rows


BILL_ROW: dict[str, str] = {
    "AvailabilityZone": "NULL",
    "BilledCost": "1",
    "BillingAccountId": "payer-1",
    "BillingAccountName": "Main",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2024-10-01 00:00:00",
    "BillingPeriodStart": "2024-09-01 00:00:00",
    "ChargeCategory": "Usage",
    "ChargeClass": "NULL",
    "ChargeDescription": "a charge",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2024-09-02 00:00:00",
    "ChargePeriodStart": "2024-09-01 00:00:00",
    "ConsumedQuantity": "2.5",
    "ConsumedUnit": "Hours",
    "ContractedCost": "1",
    "EffectiveCost": "1",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "ListCost": "1",
    "PricingQuantity": "2.5",
    "PricingUnit": "Hours",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "ResourceId": "i-1",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon EC2",
    "SubAccountId": "account-1",
    "Tags": "NULL",
}
