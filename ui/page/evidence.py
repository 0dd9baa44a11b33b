"""Where an answer comes from: what was understood, what ran and over what, which cell says what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from finops_assistant.agent import figures
from finops_assistant.agent.answer import Answer
from finops_assistant.agent.untrusted import masked
from finops_assistant.store.result import Result
from finops_assistant.ui.page.tables import words

MOST_FIGURES = 200
_OPERATORS = {
    "in": "is",
    "not_in": "is not",
    "is_null": "is empty",
    "not_null": "is set",
    "contains": "contains",
    "gt": ">",
    "lt": "<",
}
_SOURCES = {
    "stated": "as asked",
    "inherited": "from the question before",
    "default": "the default, since none was named",
}
_COMPARISONS = {
    "previous": "the period before",
    "same_days_previous": "the same days of the period before",
    "year_ago": "the same period a year ago",
    "explicit": "another period",
    "values": "the named values beside each other",
}


@dataclass(frozen=True)
class Source:
    """One result as evidence."""

    id: str
    title: str
    understood: Sequence[tuple[str, str]]
    covers: Sequence[tuple[str, str]]
    query: str
    sql: str


@dataclass(frozen=True)
class Bound:
    """One figure of the text with the cell that holds it."""

    text: str
    value: str
    unit: str
    cell: str


@dataclass(frozen=True)
class Evidence:
    """Everything behind one answer."""

    sources: Sequence[Source]
    figures: Sequence[Bound]
    more_figures: int
    turn: Sequence[tuple[str, str]]


def evidence(answer: Answer) -> Evidence:
    """The evidence of an answer, as text: whoever shows it escapes it."""
    bound = [
        Bound(
            text=str(number["text"]),
            value=_exact(number["value"]),
            unit=str(number["unit"]),
            cell=f"{number['result']}, row {number['row'] + 1}, {number['column']}",
        )
        for number in answer.numbers[:MOST_FIGURES]
    ]
    return Evidence(
        sources=[_source(result) for result in answer.results],
        figures=bound,
        more_figures=max(0, len(answer.numbers) - MOST_FIGURES),
        turn=_turn(answer),
    )


def _turn(answer: Answer) -> list[tuple[str, str]]:
    usage = answer.usage
    if answer.route == "planner":
        read = "the built-in planner"
    else:
        tokens = f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens"
        cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
        read = masked(f"the model {usage.model or 'unknown'} ({tokens}, {cost})")
    return [
        ("Read by", read),
        ("Counts as today", figures.day(answer.as_of)),
        ("Took", f"{answer.elapsed_ms:,} ms"),
    ]


def _source(result: Result) -> Source:
    query = result.query or {}
    return Source(
        id=result.id,
        title=masked(result.title),
        understood=understood(query),
        covers=_covers(result),
        query=masked(json.dumps(query, indent=2, ensure_ascii=False, default=str)) if query else "",
        sql=masked(result.sql),
    )


def understood(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A typed query in words, part by part."""
    if not query:
        return []
    parts = [("Measure", ", ".join(words(m) for m in query.get("metrics", ("effective_cost",))))]
    if query.get("dimensions"):
        parts.append(("Split by", ", ".join(words(d) for d in query["dimensions"])))
    if query.get("grain"):
        parts.append(("For each", str(query["grain"])))
    if query.get("time"):
        parts.append(("Period", _period(query["time"])))
    parts += [("Only where", _condition(f)) for f in query.get("filters", ())]
    parts += [
        ("Only rows whose", f"{words(h['metric'])} {h['op']} {h['value']}")
        for h in query.get("having", ())
    ]
    if query.get("compare"):
        parts.append(("Compared with", _comparison(query["compare"])))
    if query.get("order"):
        parts.append(("In the order of", ", ".join(_order(o) for o in query["order"])))
    if query.get("limit"):
        parts.append(("At most", f"{query['limit']} rows"))
    return [(name, masked(text)) for name, text in parts]


def _period(time: Mapping[str, Any]) -> str:
    start, end = _date(time["start"]), _date(time["end"])
    source = _SOURCES.get(str(time.get("source", "stated")), "")
    partial = ", not over yet" if time.get("partial") else ""
    return f"{figures.days(start, end)} ({source}{partial})"


def _comparison(compare: Mapping[str, Any]) -> str:
    text = _COMPARISONS.get(str(compare["kind"]), str(compare["kind"]))
    baseline = compare.get("baseline")
    if not baseline:
        return text
    return f"{text}: {figures.days(_date(baseline['start']), _date(baseline['end']))}"


def _condition(condition: Mapping[str, Any]) -> str:
    values = condition.get("values") or ()
    shown = " or ".join(
        str(v.get("canonical", "") if isinstance(v, Mapping) else v) for v in values
    )
    op = str(condition.get("op", "in"))
    return f"{words(str(condition.get('dimension', '')))} {_OPERATORS.get(op, op)} {shown}".strip()


def _order(order: Mapping[str, Any]) -> str:
    direction = "highest first" if order.get("descending", True) else "lowest first"
    return f"{words(str(order['by']))}, {direction}"


def _covers(result: Result) -> list[tuple[str, str]]:
    scope = result.scope
    last = scope.end - timedelta(days=1)
    parts = [
        ("Days", f"{figures.days(scope.start, scope.end)} (to {last.isoformat()}, UTC)"),
        ("Rows", f"{result.row_count:,}" + (" (cut off)" if result.truncated else "")),
    ]
    if scope.currency:
        parts.append(("Currency", scope.currency))
    if scope.cost_metric:
        parts.append(("Cost column", scope.cost_metric))
    parts += [
        ("Filter (what you may see)" if f.get("source") == "principal" else "Filter", _condition(f))
        for f in scope.filters
    ]
    if scope.data_through:
        last_moment = scope.data_through - timedelta(microseconds=1)
        until = f"{scope.data_through:%Y-%m-%d %H:%M} UTC"
        parts.append(("Data through", f"{figures.day(last_moment.date())} (up to {until})"))
    parts += [("Note", note) for note in result.notes]
    return [(name, masked(text)) for name, text in parts]


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _exact(value: Any) -> str:
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)
