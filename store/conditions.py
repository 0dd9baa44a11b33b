"""Conditions on dimensions as SQL text: the one place where a value becomes part of a statement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from finops_assistant.store.focus import literal
from finops_assistant.store.metrics import Dimension
from finops_assistant.store.query import Filter

_CONTROL = re.compile("([\x00-\x1f\x7f-\x9f\u2028\u2029])")


def text(value: str) -> str:
    """Any text as an SQL expression on one line: a quoted literal, with control characters as
    ``chr(n)``. Lone surrogates, which no stored text can hold, become ``?``.

    >>> text("it's")
    "'it''s'"
    >>> text("two\\nlines")
    "('two' || chr(10) || 'lines')"
    """
    pieces = _CONTROL.split(value.encode("utf-8", "replace").decode())
    parts = [
        f"chr({ord(piece)})" if n % 2 else literal(piece)
        for n, piece in enumerate(pieces)
        if n % 2 or piece or len(pieces) == 1
    ]
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def member(expression: str, values: Sequence[str], missing: str) -> str:
    """``expression`` is one of ``values``; the word for a missing value asks for NULL.

    >>> member("x_Team", ["search", "(untagged)"], "(untagged)")
    "(x_Team IN ('search') OR x_Team IS NULL)"
    """
    named = [value for value in values if value != missing]
    parts = [f"{expression} IN ({', '.join(map(text, named))})"] if named else []
    if len(named) < len(values):
        parts.append(f"{expression} IS NULL")
    if not parts:
        return "FALSE"
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


def not_member(expression: str, values: Sequence[str], missing: str, include_null: bool) -> str:
    """``expression`` is none of ``values``. Rows without a value stay unless ``include_null`` is
    off or the values name them: SQL's own ``NOT IN`` would drop them in silence.

    >>> not_member("x_Team", ["search"], "(untagged)", include_null=True)
    "(x_Team NOT IN ('search') OR x_Team IS NULL)"
    """
    named = [value for value in values if value != missing]
    keep = include_null and len(named) == len(values)
    if not named:
        return "TRUE" if keep else f"{expression} IS NOT NULL"
    listed = f"{expression} NOT IN ({', '.join(map(text, named))})"
    return f"({listed} OR {expression} IS NULL)" if keep else listed


def condition(where: Filter, dimension: Dimension) -> str:
    """One filter of a query as an SQL predicate over the rows of the fact table."""
    values = [value.canonical for value in where.values]
    column = dimension.value
    match where.op:
        case "in":
            return member(column, values, dimension.missing)
        case "not_in":
            return not_member(column, values, dimension.missing, where.include_null)
        case "is_null":
            return f"{column} IS NULL"
        case "not_null":
            return f"{column} IS NOT NULL"
        case "contains":
            found = [f"strpos(lower({column}), lower({text(value)})) > 0" for value in values]
            return found[0] if len(found) == 1 else f"({' OR '.join(found) or 'FALSE'})"
        case "gt":
            return " AND ".join(f"{column} > {text(value)}" for value in values) or "FALSE"
        case "lt":
            return " AND ".join(f"{column} < {text(value)}" for value in values) or "FALSE"


def shown_condition(where: Filter, dimension: Dimension) -> str:
    """The same filter over the finished output column, in which a word stands for NULL."""
    shown = f"nullif({dimension.name}, {text(dimension.missing)})"
    return condition(where, replace(dimension, value=shown))
