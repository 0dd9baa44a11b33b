"""Rows into ``charges`` and tables like it: what is true of every source."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

import duckdb

from finops_assistant.store.focus import (
    BY_NAME,
    ESSENTIAL,
    MONEY_COLUMNS,
    WIDE_MONEY,
    create_view_sql,
    quote,
)
from finops_assistant.store.projection import Projection
from finops_assistant.store.tags import TagReader, keys_in, resolve_again

# DECIMAL(18,12) holds 999999.999999999999; what would round up to a million does not fit.
_NARROW_LIMIT: Final = Decimal("999999.9999999999995")


class Unusual(Exception):
    """The optimistic statement met something that needs the careful reading."""


def fitted(connection: duckdb.DuckDBPyConnection, blind: Projection, relation: str) -> Projection:
    """The projection with the tag keys, the tag shape and the provider names of a relation."""
    tags = f"(SELECT {blind.tags_text()} AS Tags FROM {relation})"  # noqa: S608
    plain = not blind.careful and blind.plain_in(connection, relation)
    provider = quote(blind.mapping["ServiceProviderName"])
    names = connection.execute(f"SELECT DISTINCT {provider} FROM {relation}").fetchall()  # noqa: S608
    return replace(
        blind,
        reader=TagReader.of(blind.reader.rules, keys_in(connection, tags)),
        plain_tags=plain,
        providers=renamed(name for (name,) in names),
    )


def check(
    connection: duckdb.DuckDBPyConnection,
    select: Projection,
    table: str,
    file_id: int,
    last_id: int | None = None,
) -> None:
    """Make sure that what the sample said holds for every row of a file, or of all those up to
    ``last_id``; raises Unusual where not."""
    own = f"BETWEEN {file_id} AND {file_id if last_id is None else last_id}"
    blank = " OR ".join(f"{column} IS NULL" for column in ESSENTIAL)
    endless = " OR ".join(f"NOT isfinite({c})" for c in ESSENTIAL if BY_NAME[c].kind == "time")
    bad = connection.execute(
        f"SELECT count(*) FROM {table} WHERE _file_id {own} AND ({blank} OR {endless})"  # noqa: S608
    ).fetchone()
    if bad != (0,):
        raise Unusual
    mine = f"{table} WHERE _file_id {own}"
    if select.plain_tags and connection.execute(
        f"SELECT count(*) FROM {mine} AND NOT starts_with(Tags, '{{')"  # noqa: S608
    ).fetchone() != (0,):
        raise Unusual
    rules = select.reader.rules
    if not select.reader.knows(keys_in(connection, mine)):
        resolve_again(connection, rules, rules, where=f"{table}._file_id {own}", table=table)
    names = connection.execute(f"SELECT DISTINCT ServiceProviderName FROM {mine}").fetchall()  # noqa: S608
    for written, provider in renamed(name for (name,) in names).items():
        connection.execute(
            f"UPDATE {table} SET ServiceProviderName = ? WHERE _file_id {own} "  # noqa: S608
            "AND ServiceProviderName = ?",
            [provider, written],
        )


@cache
def _provider_names() -> Mapping[str, str]:
    """The names that files use for a provider, in lower case, and the one that people use."""
    text = files("finops_assistant.store.sources").joinpath("providers.csv").read_text("utf-8")
    return {row["written"]: row["provider"] for row in csv.DictReader(text.splitlines())}


def renamed(written: Iterable[str | None]) -> dict[str, str]:
    """Those of the names that people spell otherwise, with that spelling."""
    known = _provider_names()
    pairs = {name: known.get(name.strip().lower(), name) for name in written if name}
    return {name: said for name, said in pairs.items() if name != said}


def money_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Money column -> its type in a table."""
    return {
        name: kind
        for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()
        if name in MONEY_COLUMNS
    }


def widen(
    connection: duckdb.DuckDBPyConnection, table: str, mapping: Mapping[str, str], relation: str
) -> None:
    """Give the money columns room for amounts of a million and more, once a file has them."""
    narrow = [
        column
        for column, kind in money_types(connection, table).items()
        if kind != WIDE_MONEY and column in mapping
    ]
    widened = False
    for column in narrow:
        largest = connection.execute(
            f"SELECT max(abs({quote(mapping[column])})) FROM {relation}"  # noqa: S608
        ).fetchone()
        if largest and largest[0] is not None and largest[0] >= _NARROW_LIMIT:
            connection.execute(f"ALTER TABLE {table} ALTER {column} TYPE {WIDE_MONEY}")
            widened = True
    if widened:
        connection.execute(create_view_sql(table))
