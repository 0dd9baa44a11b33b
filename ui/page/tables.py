"""Tables on their way out: as CSV that no spreadsheet takes for a formula, and as display text."""

from __future__ import annotations

import csv
import io
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from finops_assistant.agent import figures
from finops_assistant.agent.placeholders import row_currency
from finops_assistant.agent.untrusted import masked
from finops_assistant.store.result import Cell, Column, Result

# What a spreadsheet reads as the start of a formula, the full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_SHELF_BYTES = 64_000_000


def csv_text(result: Result) -> str:
    """All rows of a result: a header with units, exact numbers, text made harmless."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([safe_cell(_csv_heading(column)) for column in result.columns])
    for row in result.rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Text for a CSV cell; an apostrophe before whatever a spreadsheet would compute.

    >>> safe_cell('=HYPERLINK("http://a.example")'), safe_cell("team-a")
    ('\\'=HYPERLINK("http://a.example")', 'team-a')
    """
    visible = "".join(c if c.isprintable() else " " for c in masked(text))
    return f"'{visible}" if text.lstrip(" ").startswith(_FORMULA) else visible


def _csv_cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    return safe_cell(value) if isinstance(value, str) else str(value)


def _csv_heading(column: Column) -> str:
    plain = column.unit in {"text", "date", "currency"}
    return column.name if plain else f"{column.name} ({column.unit})"


def words(name: str) -> str:
    """A column as a heading.

    >>> words("effective_cost"), words("effective_cost_change_ratio")
    ('Effective cost', 'Effective cost, change %')
    """
    for ending, said in (
        ("_change_ratio", "change %"),
        ("_change", "change"),
        ("_previous", "before"),
    ):
        if name.endswith(ending):
            return f"{words(name.removesuffix(ending))}, {said}"
    return name.replace("_", " ").capitalize()


def display(result: Result, row: int, column: int) -> str:
    """A cell as people read it."""
    grain = (result.query or {}).get("grain")
    return masked(
        figures.cell(
            result.rows[row][column],
            result.columns[column].unit,
            grain=grain,
            currency=row_currency(result, row),
        )
    )


def grid(result: Result) -> dict[str, Any]:
    """The value of a Gradio table: numbers that sort as numbers, shown as people read them."""
    columns = range(len(result.columns))
    rows = range(len(result.rows))
    shown = [[display(result, row, column) for column in columns] for row in rows]
    data = [
        [_sortable(result.rows[row][column], shown[row][column]) for column in columns]
        for row in rows
    ]
    styles = ["" if c.unit in {"text", "date"} else "text-align: right" for c in result.columns]
    return {
        "headers": [words(column.name) for column in result.columns],
        "data": data,
        "metadata": {"display_value": shown, "styling": [styles] * len(data)},
    }


def _sortable(value: Cell, shown: str) -> str | int | float | None:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return value.isoformat() if isinstance(value, date) else shown


@dataclass(frozen=True)
class Download:
    """A finished CSV file and what to call it."""

    name: str
    content: bytes


class Shelf:
    """Downloads kept in memory under names nobody guesses; the oldest make room."""

    def __init__(self, limit: int = _SHELF_BYTES) -> None:
        self._kept: OrderedDict[str, Download] = OrderedDict()
        self._bytes = 0
        self._limit = limit
        self._lock = threading.Lock()

    def put(self, result: Result) -> str:
        """Keep a result as CSV; returns its key."""
        scope = result.scope
        content = csv_text(result).encode("utf-8-sig")  # the mark tells Excel that it is UTF-8
        download = Download(f"costs_{scope.start}_{scope.end}.csv", content)
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._kept[key] = download
            self._bytes += len(content)
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1].content)
        return key

    def get(self, key: str) -> Download | None:
        """The download of that key, unless it had to make room."""
        with self._lock:
            return self._kept.get(key)
