"""``finops reconcile``: what vendors bill for models against what the reported usage would cost."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from finops_assistant.agent.untrusted import markdown
from finops_assistant.store.errors import UsageError
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.status import limited
from finops_assistant.ui.table import table
from finops_assistant.ui.terminal import show_json, show_markdown

if TYPE_CHECKING:
    from finops_assistant.store.reconcile import Line

_NAMES = {
    "discount": "discount",
    "quantity": "tokens not reported",
    "missing_usage": "days without usage",
    "missing_bill": "days without a bill",
    "unpriced": "no known price",
}


def run(args: Namespace) -> int:
    """Print the comparison of a month (default: the last complete one); exit code 0."""
    home = reading_home(args.home)
    from finops_assistant.store.access import row_scope
    from finops_assistant.store.reconcile import last_month, reconcile
    from finops_assistant.store.store import Store

    store = Store.open(home)
    principal = store.principal(args.principal)
    today = store.facts(principal).today
    store.close()
    start, end = month(args.period) if args.period else last_month(today - timedelta(days=1))
    lines = reconcile(home, principal, start, end)
    if args.json:
        show_json(
            {
                "as_of": today,
                "period": {"start": start, "end": end},
                "reconciliation": [line.to_json() for line in lines],
            }
        )
    else:
        show_markdown(limited(row_scope(principal).filters) + in_words(lines, start, end))
    return 0


def month(text: str) -> tuple[date, date]:
    """First day and exclusive end of a month written YYYY-MM; raises UsageError.

    >>> month("2026-12")
    (datetime.date(2026, 12, 1), datetime.date(2027, 1, 1))
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise UsageError(f"--period takes a month such as 2026-10, not {text!r}.")
    start = date.fromisoformat(f"{text}-01")
    return start, (start + timedelta(days=31)).replace(day=1)


def in_words(lines: Sequence[Line], start: date, end: date) -> str:
    """The comparison as Markdown: a row a model, with the parts of what differs; then the
    providers of which nothing but a bill is known."""
    span = f"{start} to {end - timedelta(days=1)}"
    if not lines:
        return f"Neither a bill nor reported usage of a model from {span}."
    metered = {line.provider for line in lines if line.layer}
    head = ("provider", "model", "billed", "priced", "difference", "why")
    rows = [
        (
            line.provider,
            line.model,
            _money(line.billed, line.currency),
            _money(line.priced, "USD"),
            None if line.difference is None else _money(line.difference, line.currency),
            _why(line),
        )
        for line in lines
        if line.provider in metered
    ]
    parts = [
        f"**Billed against priced**, {span}. Billed is the effective cost on the vendors' bills, "
        "priced the reported usage at the dated price list: an estimate that never adds to a bill.",
        table(head, rows),
        _billed_only([line for line in lines if line.provider not in metered]),
    ]
    return "\n\n".join(part for part in parts if part)


def _billed_only(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    sums: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        who = (line.provider, line.currency)
        sums[who] = sums.get(who, Decimal()) + line.billed
    named = ", ".join(
        f"{markdown(provider)} ({_money(billed, currency)})"
        for (provider, currency), billed in sums.items()
    )
    return f"Nothing to compare with, as no usage report that counts is loaded: {named}."


def _why(line: Line) -> str:
    parts = [
        f"{_NAMES[name]} {_money(amount, line.currency)}"
        for name, amount in line.parts.items()
        if abs(amount) >= Decimal("0.005")
    ]
    return f"{line.remark} ({', '.join(parts)})" if len(parts) > 1 else line.remark


def _money(amount: Decimal, currency: str) -> str:
    return f"{currency} {amount:,.2f}"
