"""From the file of a ``SqlSource`` to its records: columns of texts, numbers and times as written.

There are two ways, as for FOCUS files (see ``projection``): the *optimistic* one is a relation over
the file itself; the *careful* one stages the records in a table, with what is no record set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.discovery import BillFile, Shape
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import literal, quote
from finops_assistant.store.quarantine import csv_relation, stage_texts
from finops_assistant.store.sources.source import Source, SqlSource, column_of
from finops_assistant.store.typed_records import Records, typed

LONGEST_LINE: Final = 16 << 20  # bytes; DuckDB sets aside twice the largest document
_LONGEST_MANIFEST: Final = 1 << 20


def direct(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, bill: BillFile, shape: Shape
) -> Records:
    """The records of a file, read as they are asked for."""
    path = str(bill.path)
    if shape.format == "json":
        records = _of_json(connection, source, shape, _documents(path, shape))
        return records if source.nested else _at_once(records)
    if shape.format == "parquet":
        return _of_table(f"read_parquet({literal(path)})", shape)
    texts = dict.fromkeys(shape.columns, "VARCHAR")
    return _of_table(csv_relation(path, shape, texts), shape)


def bundled(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, paths: Iterable[Path], shape: Shape
) -> Records:
    """The records of one file out of many that are alike, the file being ``bundle.file``; all of
    them are read into a temporary table ``bundled`` first."""
    files = [str(path) for path in paths]
    names = f"[{', '.join(map(literal, files))}]"
    mine = "filename = bundle.file"
    if shape.format == "json":
        lines = "newline_delimited" if shape.lines else "auto"
        read = (
            f"SELECT json, filename FROM read_json_objects({names}, format = '{lines}', "  # noqa: S608
            f"compression = {literal(shape.compression)}, filename = true)"
        )
    elif shape.format == "parquet":
        read = f"SELECT * FROM read_parquet({names}, filename = true)"  # noqa: S608
    else:
        texts = dict.fromkeys(shape.columns, "VARCHAR")
        read = f"SELECT * FROM {csv_relation(files, shape, texts, ', filename = true')}"  # noqa: S608
    connection.execute(f"CREATE OR REPLACE TEMP TABLE bundled AS {read}")
    if shape.format == "json":
        return _of_json(connection, source, shape, "bundled", mine)
    table = _of_table("bundled", shape)
    return Records(f"(SELECT * FROM bundled WHERE {mine})", table.columns)  # noqa: S608


def staged(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, bill: BillFile, shape: Shape
) -> Records:
    """The records of a file in a temporary table ``raw`` with their ``_line``; what is no record at
    all is in ``set_aside``. Raises LoadError for a file that cannot be read as a whole."""
    connection.execute("SET preserve_insertion_order = true")
    path = str(bill.path)
    connection.execute(
        'CREATE OR REPLACE TEMP TABLE set_aside (line BIGINT, "column" VARCHAR, '
        "reason VARCHAR, raw VARCHAR)"
    )
    if shape.format == "csv":
        stage_texts(connection, bill, shape)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE raw AS "
            "SELECT *, row_number() OVER () + 1 AS _line FROM stage"
        )
        connection.execute("DROP TABLE stage")
        return _of_table("raw", shape)
    if shape.format == "parquet":
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE raw AS SELECT * EXCLUDE (file_row_number), "  # noqa: S608
            f"file_row_number + 1 AS _line FROM read_parquet({literal(path)}, "
            "file_row_number = true)"
        )
        return _of_table("raw", shape)
    return _staged_json(connection, source, bill, shape)


def statement(source: SqlSource, record: str) -> str:
    """The source's SQL over a SELECT that makes ``record``."""
    return f"WITH record AS ({record})\nSELECT * FROM (\n{source.sql}\n)"


def rows_tell(
    connection: duckdb.DuckDBPyConnection, source: Source, bill: BillFile, shape: Shape
) -> bool:
    """Whether a file with columns that several sources know is of this one, as its rows tell."""
    if not isinstance(source, SqlSource) or not source.telling:
        return True
    texts = tuple(replace(one, kind="text") for one in source.fields_of(shape.header))
    asked = replace(source, fields=texts, gather={})
    record = typed(asked, direct(connection, asked, bill, shape), careful=False)
    hints = f"{literal(bill.label)} AS file, {literal(_manifest(bill.path))} AS manifest"
    named = f"SELECT *, {hints} FROM ({record})"  # noqa: S608
    try:
        row = connection.execute(f"SELECT {source.telling} FROM ({named})").fetchone()  # noqa: S608
    except duckdb.Error:  # what is wrong with the file is said when it is loaded
        return False
    return row == (True,)


def _manifest(path: Path) -> str:
    """What a vendor's export says of itself in the manifest beside its files, if it names them."""
    beside = path.with_name("manifest.json")
    try:
        with beside.open(encoding="utf-8-sig") as file:
            text = file.read(_LONGEST_MANIFEST)
    except (OSError, UnicodeDecodeError):
        return ""
    return text if path.name in text else ""


def look_up(connection: duckdb.DuckDBPyConnection, source: SqlSource) -> None:
    """Make the relations that a source's SQL joins, and ``currencies``."""
    from importlib.resources import as_file, files

    for name in source.lookups:
        stem = name.removesuffix(".csv")
        resource = files("finops_assistant.store.sources").joinpath(name)
        with as_file(resource) as path:
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {quote(stem)} AS SELECT * FROM "  # noqa: S608
                f"read_csv({literal(str(path))}, header = true, all_varchar = true, quote = '\"')"
            )


# --- the records of each format ------------------------------------------------------------------


def _of_table(relation: str, shape: Shape) -> Records:
    columns = {name: (quote(name), kind) for name, kind in shape.columns.items()}
    for path, kind in shape.members.items():
        columns[path] = (".".join(map(quote, path.split("."))), kind)
    # a Parquet column that is empty throughout may have no type, and DuckDB cannot read that one
    typed_ones = {name: column for name, column in columns.items() if column[1] != '"NULL"'}
    return Records(relation, typed_ones)


def _documents(path: str, shape: Shape, more: str = "") -> str:
    lines = "newline_delimited" if shape.lines else "auto"
    largest = LONGEST_LINE if shape.lines else largest_document([Path(path)], shape.compression)
    return (
        f"read_json_objects({literal(path)}, format = '{lines}', "
        f"compression = {literal(shape.compression)}, maximum_object_size = {largest}{more})"
    )


def largest_document(paths: Iterable[Path], compression: str) -> int:
    """A bound for the bytes of the largest JSON document in files of one document each."""
    packing = 1 if compression == "none" else 20
    return max(LONGEST_LINE, *(path.stat().st_size * packing for path in paths))


def _of_json(
    connection: duckdb.DuckDBPyConnection,
    source: SqlSource,
    shape: Shape,
    documents: str,
    where: str = "TRUE",
) -> Records:
    if not source.nested:
        relation = f"(SELECT json FROM {documents} WHERE {where})"  # noqa: S608
        return Records(relation, _paths(source, shape.columns))
    flat = f"\nSELECT * FROM (\n{source.records_sql}\n)"
    document = f"SELECT json FROM {documents}"  # noqa: S608
    described = connection.execute(f"DESCRIBE WITH document AS ({document}){flat}").fetchall()
    relation = f"(WITH document AS ({document} WHERE {where}){flat})"
    return Records(relation, {row[0]: (quote(row[0]), row[1]) for row in described})


def _paths(source: SqlSource, header: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Every field by its path in a JSON object."""
    found = {}
    for one in source.fields_of(header):
        for spelling in one.spellings:
            path = literal("$" + "".join(f'."{part}"' for part in spelling.split(".")))
            found[spelling] = (
                f"CAST(json->{path} AS VARCHAR)" if one.kind == "json" else f"(json->>{path})",
                "VARCHAR",
            )
    known = {name.lower() for name in header} | _deeper(source, header)
    return {name: value for name, value in found.items() if name.lower() in known} | {
        name: (f"(json->>{literal('$.' + quote(name))})", "VARCHAR")
        for name in header
        if "." not in name and name not in found and source.gather
    }


def _at_once(records: Records) -> Records:
    """The same records with their texts looked up in one pass over each document: a document that
    is read anew for every path takes many times as long."""
    start = "(json->>"
    texts = [ref for ref, _ in records.columns.values() if ref.startswith(start)]
    if not texts:
        return records
    paths = ", ".join(ref.removeprefix(start).removesuffix(")") for ref in texts)
    found = {ref: f"found[{place}]" for place, ref in enumerate(texts, start=1)}
    return Records(
        f"(SELECT *, json_extract_string(json, [{paths}]) AS found FROM {records.relation})",  # noqa: S608
        {name: (found.get(ref, ref), kind) for name, (ref, kind) in records.columns.items()},
    )


def _deeper(source: SqlSource, header: Mapping[str, str]) -> set[str]:
    """Paths into members that the first document leaves empty and later ones may fill."""
    return {
        spelling.lower()
        for one in source.fields_of(header)
        if not one.required and not one.essential and column_of(one, header) is None
        for spelling in one.spellings
        if "." in spelling
    }


def _staged_json(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, bill: BillFile, shape: Shape
) -> Records:
    path = str(bill.path)
    forgiving = ", ignore_errors = true" if shape.lines and not source.pages else ""
    try:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE documents AS "  # noqa: S608
            f"SELECT json, row_number() OVER () AS _line FROM {_documents(path, shape, forgiving)}"
        )
    except duckdb.Error as error:
        if "JSON" not in str(error):
            raise
        raise LoadError(
            f"{bill.label} is damaged or cut off: it is not whole JSON. Fetch it again."
        ) from None
    connection.execute(
        "INSERT INTO set_aside SELECT _line, NULL, 'is not valid JSON', NULL FROM documents "
        "WHERE json IS NULL"
    )
    connection.execute("DELETE FROM documents WHERE json IS NULL")
    if source.pages:
        _refuse_other_pages(connection, source, bill)
    records = _of_json(connection, source, shape, "documents")
    if source.nested:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE raw AS "  # noqa: S608
            f"SELECT *, row_number() OVER () AS _line FROM {records.relation}"
        )
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE raw AS FROM documents")
    connection.execute("DROP TABLE documents")
    return Records("raw", records.columns)


def _refuse_other_pages(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, bill: BillFile
) -> None:
    """Raise LoadError when no document has results where pages and buckets have them."""
    row = connection.execute(
        "SELECT count(*) FILTER (json_exists(json, '$.data') OR json_exists(json, '$.results')), "
        "count(*) FILTER (len(json_extract(json, '$.data[*].results')) > 0 "
        "OR json_exists(json, '$.results')) FROM documents"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    if 0 in row:
        missing = "data" if row[0] == 0 else "results"
        raise LoadError(
            f"{bill.label} ({source.title}) has no {missing!r} where the pages of this API have "
            f"it, so nothing in it can be read. Fetch it again."
        )
