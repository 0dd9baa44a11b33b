"""Bills as each vendor delivers them: FOCUS version, format, tag shape and null text differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from finops_assistant.store.sample.bill_columns import COLUMNS, TEXT_COLUMNS
from finops_assistant.store.sample.ledger import MONTHS, Ledger
from finops_assistant.store.sample.line import VENDORS

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Dialect:
    """How one vendor writes its export.

    ``version`` is the FOCUS version of its columns, ``tags`` one of json, map, list; ``clock`` is
    the strftime format of CSV timestamps.
    """

    folder: str
    version: str
    format: str  # csv | csv.gz | parquet
    tags: str
    clock: str = "%Y-%m-%dT%H:%M:%SZ"
    null: str = ""
    mark: bool = False  # byte order mark


DIALECTS = {
    "AWS": Dialect("aws", "1.2", "parquet", "map"),
    "Microsoft": Dialect("microsoft", "1.2", "csv.gz", "json"),
    "Google Cloud": Dialect("google-cloud", "1.2", "parquet", "list"),
    "OpenAI": Dialect("openai", "1.4", "csv", "json"),
    "Anthropic": Dialect("anthropic", "1.4", "csv.gz", "json"),
    "Mistral AI": Dialect("mistral", "1.4", "csv", "json", clock="%Y-%m-%d %H:%M:%S"),
    "Cohere": Dialect("cohere", "1.4", "parquet", "json"),
    "Snowflake": Dialect("snowflake", "1.0", "csv", "json", null="NULL", mark=True),
}


def _sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def load_ledger(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Put lines and rows into tables ``line`` and ``entry`` of a scratch database."""
    import pandas as pd

    columns: dict[str, list[object]] = {"line": list(range(len(ledger.lines)))}
    for name in TEXT_COLUMNS:
        columns[name] = [line.text.get(name) for line in ledger.lines]
    for name, field in (("InvoiceIssuerName", "issuer"), ("BillingAccountId", "account"),
                        ("BillingAccountName", "name")):  # fmt: skip
        columns[name] = [VENDORS[line.vendor][field] for line in ledger.lines]
    columns["vendor"] = [line.vendor for line in ledger.lines]
    columns["tags_json"] = [
        json.dumps(dict(line.tags), ensure_ascii=False) if line.tags else None
        for line in ledger.lines
    ]
    columns["unpriced"] = [line.unpriced for line in ledger.lines]
    columns["gpus"] = [line.gpus for line in ledger.lines]
    frame = pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in columns.items()})
    frame = frame.astype({"line": "int64", "unpriced": "bool", "gpus": "int64"})
    con.register("line_frame", frame)
    con.register("entry_frame", pd.DataFrame(ledger.rows))
    texts = ", ".join(
        f'"{name}"::VARCHAR AS "{name}"'
        for name in columns
        if name not in ("line", "unpriced", "gpus")
    )
    con.execute(f"CREATE TABLE line AS SELECT line, unpriced, gpus, {texts} FROM line_frame")  # noqa: S608
    con.execute("CREATE TABLE entry AS SELECT * FROM entry_frame")
    con.unregister("line_frame")
    con.unregister("entry_frame")


def select_bill(vendor: str) -> str:
    """The SELECT that gives one vendor's whole bill in its own dialect, ordered by time.

    The column ``billing_month`` (0 is the first) comes on top of the dialect's.
    """
    dialect = DIALECTS[vendor]
    parts = ["billing_month"]
    for column in COLUMNS:
        if not column.since <= dialect.version <= column.until:
            continue
        sql = column.sql
        if column.kind == "tags":
            sql = {
                "json": "tags_json",
                "map": "tags_json::JSON::MAP(VARCHAR, VARCHAR)",
                "list": "map_entries(tags_json::JSON::MAP(VARCHAR, VARCHAR))",
            }[dialect.tags]
        elif dialect.format != "parquet":
            if column.kind == "time":
                sql = f"strftime({sql}, {_sql_text(dialect.clock)})"
            elif column.kind == "number":
                sql = f"rtrim(rtrim(({sql})::VARCHAR, '0'), '.')"
        parts.append(f'{sql} AS "{column.name}"')
    return (
        f"SELECT {', '.join(parts)} FROM entry JOIN line USING (line) "  # noqa: S608
        f"WHERE vendor = {_sql_text(vendor)} ORDER BY start, line"
    )


def write_bills(folder: Path, ledger: Ledger, step: Callable[[str], None]) -> None:
    """Write ``bills/<vendor>/focus-YYYY-MM.<format>`` for every vendor and month."""
    import duckdb

    # one thread keeps the row groups of Parquet files, and so their bytes, the same
    with duckdb.connect(config={"threads": 1}) as con:
        load_ledger(con, ledger)
        for vendor, dialect in DIALECTS.items():
            target = folder / "bills" / dialect.folder
            target.mkdir(parents=True, exist_ok=True)
            con.execute(f"CREATE OR REPLACE TEMP TABLE bill AS {select_bill(vendor)}")
            for number, month in enumerate(MONTHS):
                path = target / f"focus-{month:%Y-%m}.{dialect.format}"
                select = "SELECT * EXCLUDE (billing_month) FROM bill WHERE billing_month = "
                _copy(con, f"{select}{number}", path, dialect)
            step(f"bills of {vendor}")


def _copy(con: duckdb.DuckDBPyConnection, select: str, path: Path, dialect: Dialect) -> None:
    if dialect.format == "parquet":
        options = "FORMAT parquet, COMPRESSION zstd"
    else:
        packed = ", COMPRESSION gzip" if dialect.format == "csv.gz" else ""
        options = f"FORMAT csv, HEADER, NULL {_sql_text(dialect.null)}{packed}"
    con.execute(f"COPY ({select}) TO {_sql_text(str(path))} ({options})")
    if dialect.mark:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
