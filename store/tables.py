"""The tables beside ``charges``: model usage, telemetry and business context.

``table_columns.csv`` beside this module names every column with its type, whether it is part of the
key (of two rows with one key the later stays) and whether a row without it makes no sense. Types:
``time`` a UTC TIMESTAMP, ``date`` DATE, ``count`` BIGINT, ``number`` and ``money`` DECIMAL(38,12),
``flag`` BOOLEAN, ``json`` and ``text`` VARCHAR.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from finops_assistant.store.focus import ESSENTIAL, FILE_ID, quote

_SQL_TYPES: Final = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "time": "TIMESTAMP",
    "date": "DATE",
    "count": "BIGINT",
    "number": "DECIMAL(38,12)",
    "money": "DECIMAL(38,12)",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True)
class TableColumn:
    """One column of a table."""

    name: str
    kind: str  # text | json | time | date | count | number | money | flag
    key: bool
    essential: bool
    meaning: str

    @property
    def sql_type(self) -> str:
        """Its DuckDB type."""
        return _SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table, its columns in order."""

    name: str
    columns: tuple[TableColumn, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell its rows apart."""
        return tuple(c.name for c in self.columns if c.key)

    @property
    def moment(self) -> str | None:
        """The column that places a row in time: the first time or date that no row lacks."""
        return next(
            (c.name for c in self.columns if c.kind in ("time", "date") and c.essential), None
        )

    def create_sql(self) -> str:
        """Its DDL, with the bookkeeping column."""
        lines = [f"    {quote(c.name)} {c.sql_type}" for c in self.columns]
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name} (\n"
            + ",\n".join([*lines, f"    {FILE_ID} INTEGER"])
            + "\n)"
        )


@cache
def _tables() -> Mapping[str, Table]:
    text = files("finops_assistant.store").joinpath("table_columns.csv").read_text("utf-8")
    found: dict[str, list[TableColumn]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["table"], []).append(
            TableColumn(
                row["column"],
                row["type"],
                row["key"] == "key",
                row["essential"] == "yes",
                row["meaning"],
            )
        )
    return MappingProxyType({name: Table(name, tuple(columns)) for name, columns in found.items()})


TABLES: Final = _tables()


def essential(table: str) -> tuple[str, ...]:
    """The columns without which a row makes no sense, be it a table of charges or one of these."""
    if table not in TABLES:
        return ESSENTIAL
    return tuple(column.name for column in TABLES[table].columns if column.essential)
