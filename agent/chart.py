"""A Plotly figure for a result, as plain JSON: a line over time, bars for a breakdown."""

from __future__ import annotations

from typing import Any

from finops_assistant.agent import figures, untrusted
from finops_assistant.agent.placeholders import row_currency
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Result

MOST_BARS = 20
_TRACE_LIMIT = 8


def chart(query: MetricQuery, result: Result) -> dict[str, Any] | None:
    """The figure, or nothing where a chart says no more than the sentence does."""
    if len(result.rows) < 2 or query.show in {"total", "count"} or not query.metrics:
        return None
    metric = query.metrics[0]
    names = [column.name for column in result.columns]
    if metric not in names:
        return None
    if len({row_currency(result, row) for row in range(len(result.rows))}) > 1:
        return None  # amounts of two currencies have no axis in common
    labels = [i for i, name in enumerate(names) if name in query.dimensions or name == "currency"]
    height = names.index(metric)
    traces: list[dict[str, Any]]
    if "period" in names:
        x = names.index("period")
        traces = []
        for label in _distinct(result, labels)[:_TRACE_LIMIT]:
            rows = [row for row in result.rows if tuple(row[i] for i in labels) == label]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": _label(label),
                    "x": [str(row[x]) for row in rows],
                    "y": [row[height] for row in rows],
                }
            )
    else:
        rows = list(result.rows[:MOST_BARS])
        traces = [
            {
                "type": "bar",
                "name": metric,
                "x": [_label(tuple(row[i] for i in labels)) for row in rows],
                "y": [row[height] for row in rows],
            }
        ]
    currency = row_currency(result, 0)
    title = figures.days(result.scope.start, result.scope.end)
    return {
        "data": traces,
        "layout": {
            "title": {"text": title},
            "yaxis": {"title": {"text": f"{metric.replace('_', ' ')} ({currency})"}},
            "showlegend": len(traces) > 1,
        },
    }


def _distinct(result: Result, labels: list[int]) -> list[tuple[object, ...]]:
    return list(dict.fromkeys(tuple(row[i] for i in labels) for row in result.rows))


def _label(parts: tuple[object, ...]) -> str:
    # Plotly reads a little HTML in labels, so angle brackets from data are taken out.
    text = " · ".join(untrusted.plain(str(part)) for part in parts) or "all"
    return text.replace("<", "‹").replace(">", "›")
