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
from finops_assistant.store.projection import exact_double, exact_text, utc
from finops_assistant.store.quarantine import csv_relation, stage_texts
from finops_assistant.store.sources.source import KINDS, Field, Source, SqlSource, column_of

_FINE: Final = "DECIMAL(38,24)"
_WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
                 "UINTEGER", "UBIGINT")  # fmt: skip
_LEAST_OBJECT: Final = 16 << 20  # DuckDB sets aside twice the largest document
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
        return _of_json(connection, source, shape, _documents(path, shape))
    if shape.format == "parquet":
        return _of_table(f"read_parquet({literal(path)})", shape)
    texts = dict.fromkeys(shape.columns, "VARCHAR")
    return _of_table(csv_relation(path, shape, texts), shape)


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
        select.append(f"{value} AS {quote(one.name)}")
        text = f"CAST({reference} AS VARCHAR)"
        if one.kind != "text":
            unread = f"{reference} IS NOT NULL AND trim({text}) <> '' AND ({value}) IS NULL"
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
    try:
        row = connection.execute(
            f"SELECT {source.telling} FROM (SELECT *, {literal(bill.label)} AS file FROM ({record}))"  # noqa: S608
        ).fetchone()
    except duckdb.Error:  # what is wrong with the file is said when it is loaded
        return False
    return row == (True,)


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
    return Records(relation, columns)


def _documents(path: str, shape: Shape, more: str = "") -> str:
    lines = "newline_delimited" if shape.lines else "auto"
    packing = 1 if shape.compression == "none" else 20
    largest = max(_LEAST_OBJECT, 0 if shape.lines else Path(path).stat().st_size * packing)
    return (
        f"read_json_objects({literal(path)}, format = '{lines}', "
        f"compression = {literal(shape.compression)}, maximum_object_size = {largest}{more})"
    )


def _of_json(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, shape: Shape, documents: str
) -> Records:
    if not source.nested:
        return Records(f"(SELECT json FROM {documents})", _paths(source, shape.columns))  # noqa: S608
    relation = (
        f"(WITH document AS (SELECT json FROM {documents})\n"  # noqa: S608
        f"SELECT * FROM (\n{source.records_sql}\n))"
    )
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608
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
    known = {name.lower() for name in header}
    return {name: value for name, value in found.items() if name.lower() in known} | {
        name: (f"(json->>{literal('$.' + quote(name))})", "VARCHAR")
        for name in header
        if "." not in name and name not in found and source.gather
    }


def _staged_json(
    connection: duckdb.DuckDBPyConnection, source: SqlSource, bill: BillFile, shape: Shape
) -> Records:
    path = str(bill.path)
    forgiving = ", ignore_errors = true" if shape.lines else ""
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
        nine = f"TRY_CAST({reference} AS DECIMAL(18,9))"
        return (
            f"CASE WHEN CAST({nine} AS {kind}) = {reference} "
            f"THEN CAST({nine} AS {target}) ELSE {exact_text(text, target)} END"
        )
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
