"""From the file of a ``SqlSource`` to the relation ``record`` that its SQL reads.

There are two ways, as for FOCUS files (see ``projection``): the *optimistic* one is a relation over
the file itself, whose casts stop at anything that cannot be read exactly; the *careful* one stages
the records in a table, sets the unreadable ones aside with line, column, reason and raw text, and
keeps 24 decimals of money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.discovery import BillFile, Shape
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import literal, quote
from finops_assistant.store.projection import exact_double, exact_text, proven_double, utc
from finops_assistant.store.quarantine import csv_relation, stage_texts
from finops_assistant.store.sources.source import KINDS, Field, Source, SqlSource, column_of

_FINE: Final = "DECIMAL(38,24)"
_WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
                 "UINTEGER", "UBIGINT")  # fmt: skip
_LEAST_OBJECT: Final = 16 << 20  # DuckDB sets aside twice the largest document
_LONGEST_MANIFEST: Final = 1 << 20
_EPOCH_MS: Final = 100_000_000_000  # seconds reach this in the year 5138


@dataclass(frozen=True)
class Records:
    """The columns of a relation: name as a file spells it -> how SQL refers to it, and its type."""

    relation: str
    columns: Mapping[str, tuple[str, str]]

    @property
    def header(self) -> Mapping[str, str]:
        """Column -> type."""
        return {name: kind for name, (_, kind) in self.columns.items()}


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


def typed(source: SqlSource, records: Records, *, careful: bool) -> str:
    """The SELECT that makes ``record`` of records; careful, with ``_line`` and ``_problem``."""
    header = records.header
    fields = source.fields_of(header)
    select, problems = [], []
    for one in fields:
        name = column_of(one, header)
        if name is None:
            select.append(f"NULL::{KINDS[one.kind]} AS {quote(one.name)}")
            if one.essential:
                problems.append((one.name, "TRUE", "'is empty'"))
            continue
        reference, kind = records.columns[name]
        value = _value(one, reference, kind, careful=careful)
        shown = value
        if one.essential and not careful:
            shown = f"coalesce({value}, error('{one.kind} is empty')::{KINDS[one.kind]})"
        select.append(f"{shown} AS {quote(one.name)}")
        text = f"CAST({reference} AS VARCHAR)"
        if one.kind != "text":
            said = f"{reference} IS NOT NULL AND trim({text}) NOT IN {_NOTHING}"
            unread = f"{said} AND ({value}) IS NULL"
            problems.append((name, unread, f"'cannot be read as {_NAMES[one.kind]}: ' || {text}"))
        if one.essential:
            problems.append((name, f"({value}) IS NULL", "'is empty'"))
    for name, prefix in source.gather.items():
        select.append(f"{_gathered(prefix, fields, records)} AS {quote(name)}")
    if not careful:
        return f"SELECT {', '.join([*select, 'NULL::BIGINT AS _line'])} FROM {records.relation}"  # noqa: S608
    cases = " ".join(
        f"WHEN {test} THEN [{literal(column)}, {reason}]" for column, test, reason in problems
    )
    found = f"CASE {cases} END" if cases else "NULL::VARCHAR[]"
    return (
        f"SELECT {', '.join(select)}, _line, {found} AS _problem, "  # noqa: S608
        f"CASE WHEN _problem IS NOT NULL THEN CAST(to_json(raw) AS VARCHAR) END AS _raw "
        f"FROM {records.relation}"
    )


# How a file says that there is no value: nothing, or what Python programs write of theirs.
_NOTHING: Final = "('', 'None')"
_NAMES: Final = {
    "money": "a number",
    "quantity": "a number",
    "time": "a date and time",
    "currency": "a currency code",
    "json": "JSON",
}


def statement(source: SqlSource, record: str) -> str:
    """The source's SQL over a SELECT that makes ``record``."""
    return f"WITH record AS ({record})\nSELECT * FROM (\n{source.sql}\n)"


def told(
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
    largest = _LEAST_OBJECT if shape.lines else largest_document([Path(path)], shape.compression)
    return (
        f"read_json_objects({literal(path)}, format = '{lines}', "
        f"compression = {literal(shape.compression)}, maximum_object_size = {largest}{more})"
    )


def largest_document(paths: Iterable[Path], compression: str) -> int:
    """A bound for the bytes of the largest JSON document in files of one document each."""
    packing = 1 if compression == "none" else 20
    return max(_LEAST_OBJECT, *(path.stat().st_size * packing for path in paths))


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


# --- types ---------------------------------------------------------------------------------------


def _value(one: Field, reference: str, kind: str, *, careful: bool) -> str:
    text = reference if kind == "VARCHAR" else f"CAST({reference} AS VARCHAR)"
    match one.kind:
        case "money":
            return _money(reference, kind, text, careful=careful)
        case "quantity":
            return _quantity(reference, kind, text, careful=careful)
        case "time":
            return _time(one, reference, kind, text, careful=careful)
        case "currency":
            code = f"upper(trim({text}))"
            known = f"list_contains({_currencies()}, {code})"
            return f"CASE WHEN {known} THEN {code} {_else(text, 'currency', careful)} END"
        case "json":
            if kind in ("VARCHAR", "JSON"):
                return text
            return f"CAST(to_json({reference}) AS VARCHAR)"
        case _:
            return text


def _else(text: str, what: str, careful: bool) -> str:
    """What becomes of an unreadable value: NULL where rows are set aside, else a stop."""
    if careful:
        return ""
    blank = f"trim({text}) = '' OR {text} IS NULL"
    return f"WHEN {blank} THEN NULL ELSE error('no {what}')::VARCHAR"


def _money(reference: str, kind: str, text: str, *, careful: bool) -> str:
    target = KINDS["money"]
    if careful:
        exact = reference if kind.startswith("DECIMAL") else _plain_number(text)
        return f"TRY_CAST({exact} AS {_FINE})"
    if kind.startswith("DECIMAL") and int(kind.rstrip(")").split(",")[1]) <= 12:
        return f"CAST({reference} AS {target})"
    if kind in _WHOLE:
        return f"CAST({reference} AS {target})"
    if kind in ("DOUBLE", "FLOAT"):
        return proven_double(reference, kind, target, exact_text(text, target))
    return exact_text(text, target)


def _quantity(reference: str, kind: str, text: str, *, careful: bool) -> str:
    target = KINDS["quantity"]
    if kind in ("DOUBLE", "FLOAT"):
        return exact_double(reference, target)
    if careful:
        exact = _plain_number(text) if kind in ("VARCHAR", "JSON") else reference
        return f"TRY_CAST({exact} AS {target})"
    return f"CAST({reference} AS {target})"


def _plain_number(text: str) -> str:
    """A number without thousands separators, where they cannot be decimal commas."""
    grouped = r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(grouped)}) "
        f"THEN replace({text}, ',', '') ELSE {text} END"
    )


def _time(one: Field, reference: str, kind: str, text: str, *, careful: bool) -> str:
    if kind.startswith(("TIMESTAMP", "DATE")):
        return utc(reference, kind)
    if kind in _WHOLE or kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return _instant(f"CAST({reference} AS DOUBLE)")
    cast = "TRY_CAST" if careful else "CAST"
    iso = f"make_timestamp(epoch_us({cast}({text} AS TIMESTAMPTZ)))"
    if one.formats:
        formats = ", ".join(map(literal, one.formats))
        strptime = "try_strptime" if careful else "strptime"
        return f"CAST({strptime}({text}, [{formats}]) AS TIMESTAMP)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN {number} IS NOT NULL THEN {_instant(number)} ELSE {iso} END"


def _instant(number: str) -> str:
    """Seconds, or milliseconds, since 1970."""
    seconds = f"CASE WHEN abs({number}) >= {_EPOCH_MS} THEN {number} / 1000 ELSE {number} END"
    return f"make_timestamp(CAST(round(({seconds}) * 1000000) AS BIGINT))"


def _as_written(name: str, names: Iterable[str]) -> str:
    """A column's name without the ``_1`` that the reader adds when only case tells two apart."""
    bare = re.sub(r"_[0-9]+$", "", name)
    twins = {other for other in names if other.lower() == bare.lower()}
    return bare if twins and bare not in twins else name


def _gathered(prefix: str, fields: Iterable[Field], records: Records) -> str:
    """The columns with a prefix (or all that no field reads) as a JSON object without NULLs."""
    if prefix == "*":
        read = {s.lower() for one in fields for s in one.spellings}
        chosen = {
            name: reference
            for name, (reference, kind) in records.columns.items()
            if name.strip().lower() not in read and "." not in name and name
        }
    else:
        chosen = {
            name[len(prefix) :]: reference
            for name, (reference, kind) in records.columns.items()
            if name.lower().startswith(prefix.lower()) and len(name) > len(prefix)
        }
    if not chosen:
        return "NULL::VARCHAR"
    chosen = {_as_written(name, chosen): reference for name, reference in chosen.items()}
    # json_merge_patch drops the members that are NULL.
    pairs = ", ".join(
        f"{literal(name)}, CAST({reference} AS VARCHAR)" for name, reference in chosen.items()
    )
    filled = f"json_merge_patch('{{}}', json_object({pairs}))"
    anything = f"coalesce({', '.join(f'CAST({r} AS VARCHAR)' for r in chosen.values())})"
    return f"CASE WHEN {anything} IS NOT NULL THEN CAST({filled} AS VARCHAR) END"


def _currencies() -> str:
    from finops_assistant.store.currencies import CODES

    return "[" + ", ".join(map(literal, CODES)) + "]"
