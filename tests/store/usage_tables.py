"""Tables of usage in memory, filled by hand, for the steps that derive from them."""

from __future__ import annotations

from typing import Any

import duckdb

from finops_assistant.store.focus import META_SQL, create_table_sql
from finops_assistant.store.tables import TABLES


def memory() -> duckdb.DuckDBPyConnection:
    """A store without rows."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(META_SQL)
    connection.execute(create_table_sql())
    for table in TABLES.values():
        connection.execute(table.create_sql())
    return connection


def add(connection: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    """One row of a table; columns that are not named are NULL."""
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
