"""The answer: what every surface shows and what ``finops ask --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from finops_assistant.agent.untrusted import masked
from finops_assistant.store.query import ReasonCode
from finops_assistant.store.result import Result

Status = Literal["answered", "clarify", "abstained", "refused"]
Reason = Literal[
    "no_rows", "not_loaded", "no_permission", "unpriced", "out_of_scope", "ambiguous", "unsafe"
]

# Which of the five kinds of no a plan's reason is.
OUTCOMES: Mapping[ReasonCode, tuple[Status, Reason]] = {
    "UNKNOWN_VALUE": ("clarify", "ambiguous"),
    "AMBIGUOUS_VALUE": ("clarify", "ambiguous"),
    "AMBIGUOUS_DATE": ("clarify", "ambiguous"),
    "NO_REFERENT": ("clarify", "ambiguous"),
    "OUT_OF_RANGE": ("abstained", "not_loaded"),
    "NO_DATA_SOURCE": ("abstained", "not_loaded"),
    "UNKNOWN_METRIC": ("abstained", "out_of_scope"),
    "OUT_OF_SCOPE": ("abstained", "out_of_scope"),
    "NOT_PERMITTED": ("refused", "no_permission"),
    "WRITE_ACTION": ("refused", "unsafe"),
}


@dataclass(frozen=True)
class Usage:
    """Tokens and money one answer took; the embedded planner takes none."""

    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0  # None: not in the price list


@dataclass(frozen=True)
class Answer:
    """One answer with its evidence. ``answer`` is Markdown that opens with the answer itself."""

    question: str
    as_of: date
    status: Status
    answer: str
    reason: Reason | None = None
    clarification: Mapping[str, Any] | None = None
    results: tuple[Result, ...] = ()
    numbers: tuple[Mapping[str, Any], ...] = ()
    citations: tuple[Mapping[str, Any], ...] = ()
    recommendations: tuple[Mapping[str, Any], ...] = ()
    chart: Mapping[str, Any] | None = None
    follow_ups: tuple[str, ...] = ()
    route: Literal["planner", "model"] = "planner"
    usage: Usage = field(default=Usage())
    elapsed_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """The JSON object of ``finops ask --json``; amounts stay Decimal, days become ISO text."""
        return {
            "question": self.question,
            "as_of": self.as_of.isoformat(),
            "status": self.status,
            "reason": self.reason,
            "answer": self.answer,
            "clarification": self.clarification,
            "results": [_result(result) for result in self.results],
            "numbers": [dict(number) for number in self.numbers],
            "citations": list(self.citations),
            "recommendations": list(self.recommendations),
            "chart": _plain(self.chart),
            "follow_ups": list(self.follow_ups),
            "route": self.route,
            "usage": vars(self.usage),
            "elapsed_ms": self.elapsed_ms,
        }


def _result(result: Result) -> dict[str, Any]:
    scope = result.scope
    return {
        "id": result.id,
        "title": result.title,
        "columns": [{"name": column.name, "unit": column.unit} for column in result.columns],
        "rows": [[_plain(cell) for cell in row] for row in result.rows],
        "row_count": result.row_count,
        "truncated": result.truncated,
        "query": result.query,
        "sql": result.sql,
        "scope": {
            "start": scope.start.isoformat(),
            "end": scope.end.isoformat(),
            "filters": [dict(condition) for condition in scope.filters],
            "currency": scope.currency,
            "cost_metric": scope.cost_metric,
            "data_through": scope.data_through.isoformat() if scope.data_through else None,
        },
    }


def _plain(value: Any) -> Any:
    """JSON values: days as ISO text, names with secrets masked; numbers as they are."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
