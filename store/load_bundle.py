"""Small files of one kind, read as one: a statement for a few hundred of them instead of one each.

A page of an API or an hour of an export holds a few rows, and planning a statement costs more than
running it. The rows stay attributed to their files: the source's SQL runs per file, in a LATERAL
join. Whatever is unusual in any of the files stops the whole bundle, which is then loaded in
halves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import duckdb

from finops_assistant.store.charges import Unusual, check, fitted, money_types
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import FILE_ID, literal, quote
from finops_assistant.store.load_records import header_of, insert_rows, mapping_of
from finops_assistant.store.projection import Projection
from finops_assistant.store.records import bundled, look_up, statement
from finops_assistant.store.registry import Loadable
from finops_assistant.store.sources.source import SqlSource
from finops_assistant.store.tables import TABLES, essential
from finops_assistant.store.tags import TagReader, TagRule
from finops_assistant.store.typed_records import typed

_SMALL: Final = 256 << 10  # bytes of a file that may be part of a bundle
_MOST: Final = 250  # files of a bundle

Placed = tuple[int, Loadable]  # an entry of a delivery with its position


def bundles(entries: Iterable[Placed]) -> Iterator[list[Placed]]:
    """The entries of a delivery in order, small neighbours of one shape together."""
    run: list[Placed] = []
    shape: object = None
    for placed in entries:
        mine = _shape(placed[1])
        if run and (mine is None or mine != shape or len(run) >= _MOST):
            yield run
            run = []
        run.append(placed)
        shape = mine
    if run:
        yield run


def _shape(entry: Loadable) -> object:
    """What two files must have in common to be read as one; None for a file that cannot be."""
    source, shape, bill = entry.source, entry.shape, entry.bill
    if not isinstance(source, SqlSource) or entry.stamp[0] > _SMALL:
        return None
    if shape.format == "json" and not shape.lines and shape.compression == "none":
        try:
            json.loads(bill.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
    columns = () if source.nested else tuple(shape.columns.items())
    # The source itself: two mapping files may bear one name.
    return (source, shape.format, shape.delimiter, shape.compression, shape.lines, columns)


def load_bundle(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Loadable],
    first_id: int,
    rules: tuple[TagRule, ...],
) -> None:
    """Add the rows of files that are alike, with ids from ``first_id``; raises Unusual or a DuckDB
    error at anything that needs a closer look. The caller holds a transaction."""
    source = entries[0].source
    assert isinstance(source, SqlSource)  # noqa: S101 - see _shape
    if any(entry.bill.stamp() != entry.stamp for entry in entries):
        raise Unusual
    look_up(connection, source)
    connection.execute("SET preserve_insertion_order = true")
    files = ", ".join(
        f"({literal(str(entry.bill.path))}, {first_id + place})"
        for place, entry in enumerate(entries)
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE bundle AS SELECT * FROM (VALUES {files}) f(file, id)"  # noqa: S608
    )
    records = bundled(connection, source, [e.bill.path for e in entries], entries[0].shape)
    each = statement(source, typed(source, records, careful=False))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE converted AS "  # noqa: S608
        f"SELECT bundle.id AS {FILE_ID}, each.* FROM bundle, LATERAL (\n{each}\n) AS each"
    )
    header = header_of(connection, "converted")
    _refuse_doubtful(connection, source, header)
    if source.table in TABLES:
        last_id = first_id + len(entries) - 1
        if insert_rows(connection, source.table, header, "converted", first_id, last_id):
            raise Unusual
    else:
        money = money_types(connection, source.table)
        blind = Projection(header, mapping_of(header), money, TagReader((), rules), careful=False)
        select = fitted(connection, blind, "converted")
        rows = select.select("converted", FILE_ID, source.name)
        connection.execute(f"INSERT INTO {source.table} BY NAME {rows}")
        check(connection, select, source.table, first_id, first_id + len(entries) - 1)
    connection.execute("DROP TABLE converted; DROP TABLE bundle")
    if any(entry.bill.stamp() != entry.stamp for entry in entries):
        raise LoadError("A file changed while it was being read.")


def _refuse_doubtful(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, header: dict[str, str]
) -> None:
    """Raise Unusual where a row has a problem or lacks an essential value, or a file has no row."""
    tests = [
        f"{quote(name)} IS NULL" if name in header else "TRUE" for name in essential(source.table)
    ]
    if "_problem" in header:
        tests.append("_problem IS NOT NULL")
    wrong = " OR ".join(tests)
    row = connection.execute(f"SELECT count(*) FROM converted WHERE {wrong}").fetchone()  # noqa: S608
    if row != (0,):
        raise Unusual
    if source.pages or not source.nested:
        empty = connection.execute(
            f"SELECT count(*) FROM bundle WHERE id NOT IN (SELECT {FILE_ID} FROM converted)"  # noqa: S608
        ).fetchone()
        if empty != (0,):
            raise Unusual
