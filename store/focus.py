"""The one cost schema: FOCUS 1.4 Cost and Usage, plus our ``x_`` columns.

``focus_columns.csv`` beside this module names every column with its type, feature level,
nullability, allowed values and the FOCUS versions that brought and removed it (restated from the
FOCUS specification, CC BY 4.0). Types: ``money`` is DECIMAL(18,12) until a load needs more,
``quantity`` DECIMAL(38,15), ``time`` a UTC TIMESTAMP, ``json`` and ``text`` VARCHAR.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

VERSIONS: Final = ("0.5", "1.0", "1.1", "1.2", "1.3", "1.4")
FILE_ID: Final = "_file_id"
OWNED: Final = "_owned"  # a bit per tag dimension: what owners.csv filled in
RECOGNISED: Final = "_recognised"  # a bit per AI column: what the SKU tables filled in
BOOKKEEPING: Final = (FILE_ID, OWNED, RECOGNISED)

CHARGES: Final = "charges"
SPLIT_CHARGES: Final = "split_charges"  # allocated parts of charges that are in another bill
VIEWS: Final[Mapping[str, str]] = MappingProxyType({CHARGES: "focus", SPLIT_CHARGES: "focus_split"})

MONEY: Final = "DECIMAL(18,12)"
WIDE_MONEY: Final = "DECIMAL(38,12)"
_SQL_TYPES: Final = {
    "money": MONEY,
    "quantity": "DECIMAL(38,15)",
    "time": "TIMESTAMP",
    "text": "VARCHAR",
    "json": "VARCHAR",
}

# A row without one of these cannot be added up or placed in time, so it is quarantined.
ESSENTIAL: Final = (
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
    "BillingAccountId",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ServiceProviderName",
)

TAG_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "team": "x_Team",
        "project": "x_Project",
        "environment": "x_Environment",
        "feature": "x_Feature",
        "customer": "x_Customer",
        "cost_centre": "x_CostCentre",
        "initiative": "x_Initiative",
    }
)


@dataclass(frozen=True)
class FocusColumn:
    """One column of the schema. ``introduced`` and ``removed`` are FOCUS versions, '' for ours."""

    name: str
    kind: str  # money | quantity | time | text | json
    level: str  # Mandatory | Conditional | Recommended | Extension
    nullable: bool
    allowed: tuple[str, ...]
    introduced: str
    removed: str

    @property
    def extension(self) -> bool:
        """Whether the column is ours and not the specification's."""
        return self.level == "Extension"

    @property
    def sql_type(self) -> str:
        """The DuckDB type the column starts with."""
        return _SQL_TYPES[self.kind]

    def in_version(self, version: str) -> bool:
        """Whether FOCUS ``version`` has the column; our own are in every version."""
        if self.extension:
            return True
        at = VERSIONS.index(version)
        born = VERSIONS.index(self.introduced)
        return born <= at and not (self.removed and VERSIONS.index(self.removed) <= at)


@cache
def _schema() -> tuple[FocusColumn, ...]:
    text = files("finops_assistant.store").joinpath("focus_columns.csv").read_text("utf-8")
    return tuple(
        FocusColumn(
            row["column"],
            row["type"],
            row["level"],
            row["nullable"] == "yes",
            tuple(filter(None, row["allowed"].split("|"))),
            row["introduced"],
            row["removed"],
        )
        for row in csv.DictReader(text.splitlines())
    )


ALL_COLUMNS: Final = _schema()
COLUMNS: Final = tuple(c for c in ALL_COLUMNS if not c.removed)
BY_NAME: Final[Mapping[str, FocusColumn]] = MappingProxyType({c.name: c for c in ALL_COLUMNS})
MONEY_COLUMNS: Final = tuple(c.name for c in COLUMNS if c.kind == "money")
# What no release since 1.0 has allowed to be absent: a file without one of these is refused.
MANDATORY: Final = tuple(
    c.name
    for c in COLUMNS
    if c.level == "Mandatory" and not c.nullable and (c.in_version("1.0") or c.introduced == "1.3")
)


def quote(name: str) -> str:
    """An SQL identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def create_table_sql(wide: Iterable[str] = (), table: str = CHARGES) -> str:
    """DDL of a table of charges; the money columns in ``wide`` get DECIMAL(38,12)."""
    widened = set(wide)
    lines = [f"    {c.name} {WIDE_MONEY if c.name in widened else c.sql_type}" for c in COLUMNS]
    keeping = [f"    {name} INTEGER" for name in BOOKKEEPING]
    return f"CREATE TABLE {table} (\n" + ",\n".join([*lines, *keeping]) + "\n)"


def create_view_sql(table: str = CHARGES) -> str:
    """DDL of the view that people see of a table: every column but the bookkeeping."""
    names = ", ".join(c.name for c in COLUMNS)
    return f"CREATE OR REPLACE VIEW {VIEWS[table]} AS SELECT {names} FROM {table}"  # noqa: S608


META_SQL: Final = """
CREATE TABLE store_meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY,
    file VARCHAR NOT NULL,          -- base name only: a path says too much about a machine
    sha256 VARCHAR NOT NULL UNIQUE,
    source VARCHAR NOT NULL,
    delivery INTEGER NOT NULL,
    rows BIGINT NOT NULL,           -- in the file
    loaded BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    first_day DATE,
    last_day DATE,
    loaded_at TIMESTAMP NOT NULL,
    focus_version VARCHAR,
    extra_columns VARCHAR[] NOT NULL -- columns that the schema does not know
);
CREATE TABLE file_totals (
    file_id INTEGER NOT NULL,
    currency VARCHAR,
    billed DECIMAL(38,12),
    effective DECIMAL(38,12),
    billed_in_file DECIMAL(38,24),
    effective_in_file DECIMAL(38,24)
);
CREATE TABLE quarantine (
    file VARCHAR NOT NULL,
    line BIGINT,
    "column" VARCHAR,
    reason VARCHAR NOT NULL,
    raw VARCHAR,
    file_id INTEGER NOT NULL
);
"""
