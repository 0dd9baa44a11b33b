"""One file into ``charges``: the optimistic statement first, the careful reading where it stops."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

import duckdb

from finops_assistant.store.delivery import full_disk
from finops_assistant.store.discovery import truncated
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import (
    BY_NAME,
    ESSENTIAL,
    MONEY_COLUMNS,
    WIDE_MONEY,
    create_view_sql,
    literal,
    quote,
)
from finops_assistant.store.load_report import FileReport
from finops_assistant.store.projection import Projection
from finops_assistant.store.quarantine import csv_relation, first_reason, read_carefully
from finops_assistant.store.registry import CarefulReading, Loadable, register
from finops_assistant.store.tags import TagReader, TagRule, keys_in, resolve_again

_SAMPLE_ROWS: Final = 5000  # rows at the start whose tag keys the first statement reads
_CSV_TYPES: Final = {"quantity": "DECIMAL(38,15)", "time": "TIMESTAMP WITH TIME ZONE"}
# DECIMAL(18,12) holds 999999.999999999999; what would round up to a million does not fit.
_NARROW_LIMIT: Final = Decimal("999999.9999999999995")


class _Unusual(Exception):
    """The optimistic statement met something that needs the careful reading."""


def load_file(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    delivery: int,
    *,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> FileReport:
    """Add the rows of one file; raises LoadError, with nothing added, when it is refused."""
    careful: CarefulReading | None = None
    try:
        try:
            with _transaction(connection):
                _optimistic(connection, entry, file_id, rules)
                _still(entry)
        except (duckdb.Error, _Unusual) as error:
            if full_disk(error):
                raise
            with _transaction(connection):
                careful = _carefully(connection, entry, file_id, rules, max_bad)
                _still(entry)
        with _transaction(connection):
            return register(connection, entry, file_id, delivery, careful)
    except duckdb.Error as error:
        if full_disk(error):
            raise
        if "gzip" in str(error).lower():
            raise LoadError(truncated(entry.bill)) from None
        reason = str(error).splitlines()[0]
        raise LoadError(f"{entry.bill.label} cannot be read: {reason}") from None


def _still(entry: Loadable) -> None:
    """Raise LoadError when the file is another one by now: its digest says nothing of the rows."""
    if entry.bill.stamp() != entry.stamp:
        raise LoadError(
            f"{entry.bill.label} changed while it was being read. Load it again once it is whole."
        )


def _optimistic(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
) -> None:
    """One statement from the file to the table. Whatever it cannot do exactly stops it."""
    mapping = entry.source.columns(entry.shape.columns)
    if entry.shape.format == "parquet":
        header = entry.shape.columns
        relation = f"read_parquet({literal(str(entry.bill.path))})"
    else:
        # Money stays text here: its digits are looked at before they are read.
        header = dict(entry.shape.columns)
        for target, name in mapping.items():
            header[name] = _CSV_TYPES.get(BY_NAME[target].kind, "VARCHAR")
        relation = csv_relation(str(entry.bill.path), entry.shape, header)
    money = _money_types(connection)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS}"  # noqa: S608
    )
    blind = Projection(header, mapping, money, TagReader((), rules), careful=False)
    select = _fitted(connection, blind, "sample")
    # The order of rows means nothing, and a CSV is read a quarter faster without it. Parquet is
    # not, and keeps the order that its writer chose.
    connection.execute(f"SET preserve_insertion_order = {entry.shape.format != 'csv'}")
    connection.execute(f"INSERT INTO charges {select.select(relation, file_id, entry.source.name)}")
    _check(connection, select, file_id)


def _fitted(connection: duckdb.DuckDBPyConnection, blind: Projection, relation: str) -> Projection:
    """The projection with the tag keys, the tag shape and the provider names of a relation."""
    tags = f"(SELECT {blind.tags_text()} AS Tags FROM {relation})"  # noqa: S608
    plain = not blind.careful and blind.plain_in(connection, relation)
    provider = quote(blind.mapping["ServiceProviderName"])
    names = connection.execute(f"SELECT DISTINCT {provider} FROM {relation}").fetchall()  # noqa: S608
    return replace(
        blind,
        reader=TagReader.of(blind.reader.rules, keys_in(connection, tags)),
        plain_tags=plain,
        providers=_renamed(name for (name,) in names),
    )


def _check(connection: duckdb.DuckDBPyConnection, select: Projection, file_id: int) -> None:
    """Make sure that what the sample said holds for every row; raises _Unusual where not."""
    blank = " OR ".join(f"{column} IS NULL" for column in ESSENTIAL)
    endless = " OR ".join(f"NOT isfinite({c})" for c in ESSENTIAL if BY_NAME[c].kind == "time")
    bad = connection.execute(
        f"SELECT count(*) FROM charges WHERE _file_id = {file_id} AND ({blank} OR {endless})"  # noqa: S608
    ).fetchone()
    if bad != (0,):
        raise _Unusual
    mine = f"charges WHERE _file_id = {file_id}"
    if select.plain_tags and connection.execute(
        f"SELECT count(*) FROM {mine} AND NOT starts_with(Tags, '{{')"  # noqa: S608
    ).fetchone() != (0,):
        raise _Unusual
    rules = select.reader.rules
    if not select.reader.knows(keys_in(connection, mine)):
        resolve_again(connection, rules, rules, where=f"charges._file_id = {file_id}")
    names = connection.execute(f"SELECT DISTINCT ServiceProviderName FROM {mine}").fetchall()  # noqa: S608
    for written, provider in _renamed(name for (name,) in names).items():
        connection.execute(
            f"UPDATE charges SET ServiceProviderName = ? WHERE _file_id = {file_id} "  # noqa: S608
            "AND ServiceProviderName = ?",
            [provider, written],
        )


def _carefully(
    connection: duckdb.DuckDBPyConnection,
    entry: Loadable,
    file_id: int,
    rules: tuple[TagRule, ...],
    max_bad: float,
) -> CarefulReading:
    """Stage the file with bad rows set aside, widen the money columns if need be, then insert."""
    mapping = entry.source.columns(entry.shape.columns)
    staged = read_carefully(connection, entry.bill, entry.shape, mapping)
    if staged.share > max_bad:
        raise LoadError(
            f"{entry.bill.label}: {staged.bad:,} of {staged.good + staged.bad:,} rows "
            f"({staged.share:.1%}) cannot be read, more than the {max_bad:.1%} allowed; the first "
            f"is {first_reason(connection)}. Correct the file, or allow more with --max-bad."
        )
    _widen(connection, mapping)
    money = _money_types(connection)
    blind = Projection(staged.header, mapping, money, TagReader((), rules), careful=True)
    select = _fitted(connection, blind, "stage")
    connection.execute(f"INSERT INTO charges {select.select('stage', file_id, entry.source.name)}")
    connection.execute(
        'INSERT INTO quarantine SELECT ?, line, "column", reason, raw, ? FROM set_aside '
        "ORDER BY line",
        [entry.bill.name, file_id],
    )
    billed, effective, currency = (
        quote(mapping[c]) for c in ("BilledCost", "EffectiveCost", "BillingCurrency")
    )
    sums = connection.execute(
        f"SELECT {currency}, sum({billed}), sum({effective}) FROM stage GROUP BY 1"  # noqa: S608
    ).fetchall()
    connection.execute("DROP TABLE stage")
    return CarefulReading(staged.bad, {row[0]: (row[1], row[2]) for row in sums})


@cache
def _provider_names() -> Mapping[str, str]:
    """The names that files use for a provider, in lower case, and the one that people use."""
    text = files("finops_assistant.store.sources").joinpath("providers.csv").read_text("utf-8")
    return {row["written"]: row["provider"] for row in csv.DictReader(text.splitlines())}


def _renamed(written: Iterable[str | None]) -> dict[str, str]:
    """Those of the names that people spell otherwise, with that spelling."""
    known = _provider_names()
    pairs = {name: known.get(name.strip().lower(), name) for name in written if name}
    return {name: said for name, said in pairs.items() if name != said}


def _money_types(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return {
        name: kind
        for name, kind, *_ in connection.execute("DESCRIBE charges").fetchall()
        if name in MONEY_COLUMNS
    }


def _widen(connection: duckdb.DuckDBPyConnection, mapping: Mapping[str, str]) -> None:
    """Give the money columns room for amounts of a million and more, once a file has them."""
    narrow = [
        column
        for column, kind in _money_types(connection).items()
        if kind != WIDE_MONEY and column in mapping
    ]
    widened = False
    for column in narrow:
        largest = connection.execute(
            f"SELECT max(abs({quote(mapping[column])})) FROM stage"  # noqa: S608
        ).fetchone()
        if largest and largest[0] is not None and largest[0] >= _NARROW_LIMIT:
            connection.execute(f"ALTER TABLE charges ALTER {column} TYPE {WIDE_MONEY}")
            widened = True
    if widened:
        connection.execute(create_view_sql())


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A failed commit has rolled back already, and a fatal error closed the database.
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
