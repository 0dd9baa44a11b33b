"""``finops sql``: one guarded, read-only statement."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.result import Cell
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import clean, note, say, show_json

NO_ANSWER = 3
_WIDEST = 60


def run(args: Namespace) -> int:
    """Run the statement and print its rows; 3 when it may not run."""
    home = reading_home(args.home)
    from finops_assistant.store.sandbox.client import shared
    from finops_assistant.store.store import Store
    from finops_assistant.tools.run_sql import columns_of, mixes_currencies

    store = Store.open(home)
    principal = store.principal(args.principal)
    try:
        found = shared(home).run(args.sql, principal)
    except QueryRefused as no:
        if not args.json:
            raise
        reason = "no_permission" if no.reason == "NOT_PERMITTED" else "unsafe"
        show_json({"status": "refused", "reason": reason, "message": str(no)})
        return NO_ANSWER
    try:
        currencies = store.facts(principal).currencies
    except QueryRefused:
        currencies = ()  # there are no rows
    columns = columns_of(found, currencies)
    if args.json:
        show_json(
            {
                "columns": [{"name": c.name, "unit": c.unit} for c in columns],
                "rows": found.rows,
                "row_count": len(found.rows),
                "truncated": found.truncated,
                "elapsed_ms": found.elapsed_ms,
            }
        )
    else:
        for line in table([c.name for c in columns], found.rows):
            say(line)
        more = "; there are more" if found.truncated else ""
        note(f"{len(found.rows):,} row{'' if len(found.rows) == 1 else 's'}{more}.")
    if mixes_currencies(found, currencies):
        note(
            f"Amounts are in {', '.join(currencies)}: this may have added them together. "
            "Group by BillingCurrency."
        )
    return 0


def table(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Lines of text: a header, a rule, and the rows, numbers to the right."""
    texts = [[_cut(name) for name in names], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [
        any(isinstance(row[n], int | float | Decimal) for row in rows) for n in range(len(names))
    ]
    lines = [
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in texts
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            exact = format(cell, "f")
            return exact.rstrip("0").rstrip(".") if "." in exact else exact
        case datetime():
            return cell.isoformat(" ")
    return _cut(str(cell))


def _cut(text: str) -> str:
    line = " ".join(clean(text).split())
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
