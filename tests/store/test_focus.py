"""The schema: its size by FOCUS version, its DDL, and the view."""

from __future__ import annotations

import duckdb
import pytest

from finops_assistant.store.focus import (
    ALL_COLUMNS,
    BY_NAME,
    COLUMNS,
    ESSENTIAL,
    MANDATORY,
    create_table_sql,
    create_view_sql,
)


@pytest.mark.parametrize(
    ("version", "columns"), [("1.0", 43), ("1.1", 50), ("1.2", 57), ("1.3", 65), ("1.4", 65)]
)
def test_each_version_has_the_columns_of_its_specification(version: str, columns: int) -> None:
    in_version = [c for c in ALL_COLUMNS if not c.extension and c.in_version(version)]
    assert len(in_version) == columns


def test_the_view_shows_every_column_but_the_bookkeeping() -> None:
    connection = duckdb.connect()
    connection.execute(create_table_sql())
    connection.execute(create_view_sql())
    table = [row[0] for row in connection.execute("DESCRIBE charges").fetchall()]
    view = [row[0] for row in connection.execute("DESCRIBE focus").fetchall()]
    assert table == [*view, "_file_id", "_owned", "_recognised"]
    assert view == [c.name for c in COLUMNS]


def test_money_is_exact_and_can_be_wide() -> None:
    connection = duckdb.connect()
    connection.execute(create_table_sql(wide=["BilledCost"]))
    types = {row[0]: row[1] for row in connection.execute("DESCRIBE charges").fetchall()}
    assert types["BilledCost"] == "DECIMAL(38,12)"
    assert types["EffectiveCost"] == "DECIMAL(18,12)"
    assert types["ConsumedQuantity"] == "DECIMAL(38,15)"
    assert "DOUBLE" not in types.values()


def test_what_a_row_needs_is_mandatory_in_the_specification() -> None:
    assert set(ESSENTIAL) <= set(MANDATORY)
    assert "HostProviderName" not in MANDATORY
    assert BY_NAME["ProviderName"].removed == "1.4"
