"""What a conversation carries on of a result: enough to refer to its rows, never all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finops_assistant.store.result import Column, Result, Scope

KEPT_ROWS = 20


def remember(result: Result) -> dict[str, Any]:
    """The first rows of a result as plain values that a checkpoint can hold."""
    return {
        "id": result.id,
        "title": result.title,
        "columns": [(column.name, column.unit) for column in result.columns],
        "rows": [list(row) for row in result.rows[:KEPT_ROWS]],
        "row_count": result.row_count,
        "query": result.query,
        "start": result.scope.start,
        "end": result.scope.end,
        "currency": result.scope.currency,
    }


def recall(kept: Mapping[str, Any]) -> Result:
    """The result again, without its SQL and without the rows that were left out."""
    return Result(
        id=kept["id"],
        title=kept["title"],
        columns=tuple(Column(name, unit) for name, unit in kept["columns"]),
        rows=tuple(tuple(row) for row in kept["rows"]),
        row_count=kept["row_count"],
        truncated=len(kept["rows"]) < kept["row_count"],
        query=kept["query"],
        sql="",
        scope=Scope(kept["start"], kept["end"], currency=kept["currency"]),
    )
