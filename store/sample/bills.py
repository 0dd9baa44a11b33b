"""Bills as each vendor delivers them: its own columns, files, tag shape and words.

AWS changed from the older Cost and Usage Report to CUR 2.0 at the end of 2025; the OpenAI and
Anthropic pages are in ``bill_pages``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from finops_assistant.store.sample.bill_columns import select_focus
from finops_assistant.store.sample.bill_pages import write_anthropic_pages, write_openai_pages
from finops_assistant.store.sample.ledger import MONTHS, Ledger
from finops_assistant.store.sample.scratch import load_ledger, sql_text

if TYPE_CHECKING:
    import duckdb

MIGRATED = 4  # months that AWS still reports the older way
RESERVED = 7  # the month of the first reservation: since then amortised cost is exported, too


@dataclass(frozen=True)
class Part:
    """Some months of one kind of file; the SELECT is ``native/<sql>.sql``, or FOCUS columns."""

    vendor: str
    path: str
    sql: str = ""
    first: int = 0
    end: int = len(MONTHS)
    options: str = "FORMAT parquet, COMPRESSION zstd"
    mark: bool = False  # byte order mark
    variables: Mapping[str, str] = field(default_factory=dict)
    order: str = "start, line"

    def months(self) -> list[tuple[int, str]]:
        """Number of each month (0 is the first) and the path of its file."""
        return [
            (number, self.path.format(month=f"{MONTHS[number]:%Y-%m}"))
            for number in range(self.first, self.end)
        ]


_CSV = "FORMAT csv, HEADER"
_PACKED = "FORMAT csv, HEADER, COMPRESSION gzip"
PARTS = (
    Part("AWS", "aws/cur-{month}.csv.gz", "aws_cur", 0, MIGRATED, _PACKED,
         order="start, line, row_kind"),
    Part("AWS", "aws/cur2-{month}.parquet", "aws_cur2", MIGRATED, order="start, line, row_kind"),
    Part("Microsoft", "microsoft/actual-{month}.csv.gz", "azure_ea", options=_PACKED,
         variables={"amortised": "false"}),
    Part("Microsoft", "microsoft/amortized-{month}.csv.gz", "azure_ea", RESERVED, options=_PACKED,
         variables={"amortised": "true"}),
    Part("Google Cloud", "google-cloud/billing-{month}.jsonl", "gcp_detailed", 0, 2,
         "FORMAT json"),
    Part("Google Cloud", "google-cloud/billing-{month}.parquet", "gcp_detailed", 2),
    Part("Mistral AI", "mistral/invoice-{month}.csv", "invoice_lines", options=_CSV,
         variables={"vendors": "['Mistral AI']"}),
    Part("OpenAI and Anthropic", "invoices/model-vendors-{month}.csv", "invoice_lines",
         options=_CSV, variables={"vendors": "['OpenAI', 'Anthropic']"}),
    Part("Cohere", "cohere/focus-{month}.parquet"),
    Part("Snowflake", "snowflake/focus-{month}.csv", options=f"{_CSV}, NULL 'NULL'", mark=True),
)  # fmt: skip


def native(name: str) -> str:
    """The text of a file in ``native/``."""
    folder = files("finops_assistant.store.sample").joinpath("native")
    return folder.joinpath(name).read_text(encoding="utf-8")


def _copy(con: duckdb.DuckDBPyConnection, select: str, path: Path, part: Part) -> None:
    con.execute(f"COPY ({select}) TO {sql_text(str(path))} ({part.options})")
    if part.mark:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    if part.sql == "aws_cur":
        # DuckDB numbers column names that only case tells apart; AWS does not
        head, _, rest = gzip.decompress(path.read_bytes()).partition(b"\n")
        head = re.sub(rb"(resourceTags/[^,]*)_1\b", rb"\1", head)
        path.write_bytes(gzip.compress(head + b"\n" + rest, 6, mtime=0))


def _write(con: duckdb.DuckDBPyConnection, folder: Path, part: Part) -> None:
    for name, value in part.variables.items():
        con.execute(f"SET VARIABLE {name} = {value}")
    select = native(f"{part.sql}.sql") if part.sql else select_focus(part.vendor)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE bill AS SELECT * FROM ({select}) "  # noqa: S608
        f"WHERE billing_month >= {part.first} AND billing_month < {part.end} ORDER BY {part.order}"
    )
    # columns of the SELECT that only order it or pick its months
    hidden = [n for n in ("billing_month", "start", "line", "row_kind") if n in _columns(con)]
    for number, name in part.months():
        path = folder / "bills" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = (
            f"SELECT * EXCLUDE ({', '.join(hidden)}) FROM bill "  # noqa: S608
            f"WHERE billing_month = {number}"
        )
        _copy(con, chosen, path, part)


def _columns(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("DESCRIBE bill").fetchall()]


def _write_mappings(bills: Path) -> None:
    """Beside each kind of invoice lines, the mapping file that makes charges of them."""
    text = native("invoice_lines.mapping.yaml")
    for path, name, title in (
        ("mistral/invoice-*.csv", "mistral-invoice", "Mistral AI invoice lines"),
        ("invoices/model-vendors-*.csv", "model-vendor-invoice", "Invoice lines of model vendors"),
    ):
        folder, glob = path.split("/")
        (bills / folder / f"{name}.mapping.yaml").write_text(
            text.format(name=name, title=title, file=glob), encoding="utf-8"
        )


def write_bills(folder: Path, ledger: Ledger, step: Callable[[str], None]) -> None:
    """Write ``bills/<vendor>/`` for every vendor, a file or two a month."""
    import duckdb

    # one thread keeps the row groups of Parquet files, and so their bytes, the same
    with duckdb.connect(config={"threads": 1}) as con:
        load_ledger(con, ledger)
        con.execute(f"CREATE TEMP TABLE aws_line AS {native('aws_lines.sql')}")
        for part in PARTS:
            _write(con, folder, part)
            step(f"bills of {part.vendor}")
        _write_mappings(folder / "bills")
        write_openai_pages(folder, con)
        write_anthropic_pages(folder, con)
        step("bills of OpenAI and Anthropic")
