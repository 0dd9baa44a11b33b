"""Markdown tables: the one way in which commands print rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from finops_assistant.agent.untrusted import markdown


class Marked(str):
    """A cell that is Markdown as it stands; any other text is shown literally."""


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""The rows under their names; '' where there are none.

    >>> print(table(("team", "cost"), [("a|b", Decimal("1234.5"))]))
    | team | cost |
    | --- | --- |
    | a\|b | 1,234.50 |
    """
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if not lines:
        return ""
    head = " | ".join(map(markdown, names))
    return "\n".join([f"| {head} |", "|" + " --- |" * len(names), *lines])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Marked):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return markdown(str(value))
