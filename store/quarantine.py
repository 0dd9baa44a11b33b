"""The careful reading of a file: rows that cannot be read are set aside with line, column, reason
and raw text, and the rest is staged in a temporary table ``stage`` with exact types. Lines are
counted as records, the header being line 1: a value with a line break in it counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from finops_assistant.store.discovery import BillFile, Shape
from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import BY_NAME, ESSENTIAL, literal, quote

# DuckDB holds every error of a file in memory, about a kilobyte each, and a row of another width
# has one error per column: so much is set aside, and a file with more is refused.
MOST_ERRORS = 500_000
STAGED_MONEY = "DECIMAL(38,24)"  # what a file may carry; the store keeps 12 decimals
_STAGED = {"money": STAGED_MONEY, "quantity": "DECIMAL(38,15)", "time": "TIMESTAMPTZ"}


@dataclass(frozen=True)
class Staged:
    """What the careful reading gave. ``bad`` rows are those set aside, each once in the temporary
    table ``set_aside(line, column, reason, raw)``."""

    header: Mapping[str, str]
    good: int
    bad: int


def read_carefully(
    connection: duckdb.DuckDBPyConnection,
    bill: BillFile,
    shape: Shape,
    mapping: Mapping[str, str],
) -> Staged:
    """Fill ``stage`` and ``set_aside`` from one file; raises LoadError when it cannot be read."""
    connection.execute(
        'CREATE OR REPLACE TEMP TABLE set_aside (line BIGINT, "column" VARCHAR, '
        "reason VARCHAR, raw VARCHAR)"
    )
    if shape.format == "csv":
        _stage_csv(connection, bill, shape, mapping)
    else:
        _stage_parquet(connection, bill, shape, mapping)
    header = {row[0]: row[1] for row in connection.execute("DESCRIBE stage").fetchall()}
    for target in ESSENTIAL:
        if BY_NAME[target].kind == "time" and target in mapping:
            endless = f"NOT isfinite(CAST({quote(mapping[target])} AS TIMESTAMP))"
            connection.execute(
                f"INSERT INTO set_aside SELECT NULL, {literal(mapping[target])}, "  # noqa: S608
                "'cannot be read as a date and time', CAST(to_json(stage) AS VARCHAR) "
                f"FROM stage WHERE {endless}"
            )
            connection.execute(f"DELETE FROM stage WHERE {endless}")  # noqa: S608
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM stage), (SELECT count(*) FROM set_aside)"
    ).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    return Staged(header, *counts)


def stage_texts(connection: duckdb.DuckDBPyConnection, bill: BillFile, shape: Shape) -> None:
    """Fill ``stage`` with the lines of a CSV as texts, and ``set_aside`` with those that are none
    of its rows."""
    _stage_csv(connection, bill, shape, {})


def refuse_too_bad(
    connection: duckdb.DuckDBPyConnection, label: str, good: int, bad: int, max_bad: float
) -> None:
    """Raise LoadError when more than ``max_bad`` (0 to 1) of a file's rows were set aside."""
    share = bad / max(good + bad, 1)
    if share > max_bad:
        raise LoadError(
            f"{label}: {bad:,} of {good + bad:,} rows ({share:.1%}) cannot be read, more than the "
            f"{max_bad:.1%} allowed; the first is {first_reason(connection)}. Correct the file, "
            "or allow more with --max-bad."
        )


def keep_aside(connection: duckdb.DuckDBPyConnection, name: str, file_id: int) -> None:
    """Move what was set aside of a file to ``quarantine``."""
    connection.execute(
        'INSERT INTO quarantine SELECT ?, line, "column", reason, raw, ? FROM set_aside '
        "ORDER BY line",
        [name, file_id],
    )


def first_reason(connection: duckdb.DuckDBPyConnection) -> str:
    """The first row set aside, as a clause for a sentence."""
    row = connection.execute(
        'SELECT line, "column", reason FROM set_aside ORDER BY line LIMIT 1'
    ).fetchone()
    if row is None:
        return ""
    line, column, reason = row
    return f"line {line}: {column + ': ' if column else ''}{reason}"


def csv_relation(
    path: str | Sequence[str],
    shape: Shape,
    types: Mapping[str, str],
    more: str = "",
) -> str:
    """The ``read_csv`` call for a file, or for several that are alike, with these column types and
    ``more`` options."""
    files = literal(path) if isinstance(path, str) else f"[{', '.join(map(literal, path))}]"
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    return (
        f"read_csv({files}, columns = {{{columns}}}, header = true, auto_detect = false, "
        f"delim = {literal(shape.delimiter)}, quote = '\"', escape = '\"', "
        f"compression = {literal(shape.compression)}, nullstr = ['', 'NULL']{more})"
    )


def _stage_csv(
    connection: duckdb.DuckDBPyConnection, bill: BillFile, shape: Shape, mapping: Mapping[str, str]
) -> None:
    types = dict(shape.columns)
    for target, name in mapping.items():
        types[name] = _STAGED.get(BY_NAME[target].kind, "VARCHAR")
    essential = [mapping[c] for c in ESSENTIAL if c in mapping]
    typed = [name for name in essential if types[name] != "VARCHAR"]
    _read_csv(connection, bill, shape, types, typed)
    blank = [
        name
        for name in essential
        if types[name] == "VARCHAR"
        and connection.execute(f"SELECT count(*) FROM stage WHERE {quote(name)} IS NULL").fetchone()  # noqa: S608
        != (0,)
    ]
    if blank:
        # Read again with those columns as ENUMs of the values they do have: the reader then
        # rejects the blank ones itself and says at which line.
        for name in blank:
            values = connection.execute(
                f"SELECT DISTINCT {quote(name)} FROM stage WHERE {quote(name)} IS NOT NULL"  # noqa: S608
            ).fetchall()
            members = ", ".join(literal(value) for (value,) in values) or "''"
            types[name] = f"ENUM({members})"
        _read_csv(connection, bill, shape, types, [*typed, *blank])
    connection.execute(
        """
        INSERT INTO set_aside
        SELECT line, column_name,
               CASE WHEN error_type <> 'CAST' THEN lower(error_type)
                    WHEN error_message LIKE '%DECIMAL%' THEN 'cannot be read as a number'
                    WHEN error_message LIKE '%TIMESTAMP%' THEN 'cannot be read as a date and time'
                    ELSE 'is empty' END,
               csv_line
        FROM load_rejects
        QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx) = 1
        """
    )


def _read_csv(
    connection: duckdb.DuckDBPyConnection,
    bill: BillFile,
    shape: Shape,
    types: Mapping[str, str],
    never_null: list[str],
) -> None:
    connection.execute("DROP TABLE IF EXISTS load_rejects")
    connection.execute("DROP TABLE IF EXISTS load_scans")
    names = ", ".join(literal(name) for name in never_null)
    strict = f", force_not_null = [{names}]" if names else ""
    _bounded(connection, bill, shape, types, strict)
    keep = (
        ", store_rejects = true, rejects_limit = 0, rejects_table = 'load_rejects', "
        "rejects_scan = 'load_scans'"
    )
    relation = csv_relation(str(bill.path), shape, types, keep + strict)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE stage AS SELECT * FROM {relation}")  # noqa: S608
    runaway = connection.execute(
        "SELECT min(line) FROM load_rejects WHERE error_type IN "
        "('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM') AND csv_line LIKE '%' || chr(10) || '%'"
    ).fetchone()
    if runaway and runaway[0] is not None:
        raise LoadError(
            f"{bill.label} has a quotation mark at line {runaway[0]} that is never closed. "
            "Correct it and load the file again."
        )


def _bounded(
    connection: duckdb.DuckDBPyConnection,
    bill: BillFile,
    shape: Shape,
    types: Mapping[str, str],
    strict: str,
) -> None:
    """Raise LoadError when a file has more errors than can be set aside."""

    def readable(kinds: Mapping[str, str], more: str) -> int:
        relation = csv_relation(str(bill.path), shape, kinds, f", ignore_errors = true{more}")
        counts = ", ".join(f"count({quote(name)})" for name in kinds)  # makes it read every cell
        row = connection.execute(f"SELECT count(*), {counts} FROM {relation}").fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    texts = dict.fromkeys(types, "VARCHAR")
    rows = readable(texts, ", null_padding = true, strict_mode = false, parallel = false")
    whole, good = readable(texts, ""), readable(types, strict)
    typed = sum(kind != "VARCHAR" for kind in types.values())
    if (rows - whole) * len(types) + (whole - good) * typed > MOST_ERRORS:
        raise LoadError(
            f"{bill.label}: {rows - good:,} of {rows:,} rows cannot be read, too many to set "
            "aside. Correct the file, or export it again."
        )


def _stage_parquet(
    connection: duckdb.DuckDBPyConnection, bill: BillFile, shape: Shape, mapping: Mapping[str, str]
) -> None:
    targets = {name: target for target, name in mapping.items()}
    select, problems = [], []
    for name, kind in shape.columns.items():
        target = targets.get(name)
        wanted = _STAGED.get(BY_NAME[target].kind) if target else None
        column = quote(name)
        if wanted is None or (wanted == "TIMESTAMPTZ" and kind.startswith(("TIMESTAMP", "DATE"))):
            value = column
        else:
            text = f"CAST({column} AS VARCHAR)"
            source = column if kind.startswith("DECIMAL") else text
            value = f"TRY_CAST({source} AS {wanted})"
            problems.append(
                (name, f"{column} IS NOT NULL AND {value} IS NULL", "cannot be read: ", text)
            )
        if target in ESSENTIAL:
            problems.append((name, f"{column} IS NULL", "is empty", "''"))
        select.append(f"{value} AS {column}")
    cases = " ".join(
        f"WHEN {test} THEN [{literal(name)}, {literal(reason)} || {text}]"
        for name, test, reason, text in problems
    )
    path = literal(str(bill.path))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE stage AS SELECT {', '.join(select)}, "  # noqa: S608
        f"file_row_number + 1 AS _line, CASE {cases} END AS _problem "
        f"FROM read_parquet({path}, file_row_number = true)"
    )
    connection.execute(
        "INSERT INTO set_aside SELECT _line, _problem[1], _problem[2], "  # noqa: S608
        "CAST(to_json(row) AS VARCHAR) FROM stage JOIN "
        f"read_parquet({path}, file_row_number = true) AS row ON row.file_row_number + 1 = _line "
        "WHERE _problem IS NOT NULL"
    )
    connection.execute("DELETE FROM stage WHERE _problem IS NOT NULL")
