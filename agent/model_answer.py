"""From what a chat model read to an answer: its sentence if that may stand, our tables always."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from finops_assistant.agent import outcome
from finops_assistant.agent.answer import Answer
from finops_assistant.agent.compose import compose
from finops_assistant.agent.model_reading import Call, NoReading, Reading
from finops_assistant.agent.numerals import UngroundedError
from finops_assistant.agent.phrasing import GLUE, acceptable
from finops_assistant.agent.placeholders import UnknownCellError
from finops_assistant.agent.plan import QueryPlan, SqlPlan
from finops_assistant.agent.planner.lexicon import lexicon_of
from finops_assistant.agent.planner.text import fold
from finops_assistant.agent.untrusted import escaped
from finops_assistant.store.metrics import Semantics
from finops_assistant.store.result import Result

TABLE_ROWS = 12
MOST_CALLS = 3  # shown; a question has few parts


def answer_from(
    reading: Reading, question: str, as_of: date, semantics: Semantics
) -> tuple[Answer, str, Call]:
    """The answer, its template, and the call that it rests on first.

    Raises ``NoReading`` when not even the composed text holds, which no figure ever decides.
    """
    calls = reading.answering[:MOST_CALLS]
    main = calls[0]
    results = [result for call in calls for result in call.results]
    for template in _templates(reading.text, calls, question, semantics):
        try:
            answer = outcome.answered(question, as_of, main.plan, template, results, semantics)
        except (UngroundedError, UnknownCellError):
            continue
        return replace(answer, route="model"), template, main
    raise NoReading("gave figures that no cell holds")


def _templates(
    text: str, calls: Sequence[Call], question: str, semantics: Semantics
) -> Iterator[str]:
    """The model's sentence over the composed tables, if it may stand; then the composed text."""
    composed = [_composed(call, semantics) for call in calls]
    results = [result for call in calls for result in call.results]
    names = list(_names(calls, semantics))
    if acceptable(text, results, names, vocabulary(question, semantics)):
        rest = [body.partition("\n\n")[2] for body in composed]
        yield "\n\n".join([text.strip(), *filter(None, rest)])
    yield "\n\n".join(composed)


def vocabulary(question: str, semantics: Semantics) -> frozenset[str]:
    """The words that a model's sentence may use: titles of metrics and dimensions, the plain words
    of the question, and glue. Names come from cells and from the query's own conditions."""
    metrics, dimensions = semantics.metrics.values(), semantics.dimensions.values()
    titles = [text for m in metrics for text in (m.name, m.title, m.plural)]
    titles += [text for d in dimensions for text in (d.name, d.title, d.plural)]
    trade = {word for title in titles for word in re.findall(r"[^\W\d_]+", title.casefold())}
    asked = set(re.findall(r"[^\W\d_]+", fold(question))) & lexicon_of(semantics).filler
    return GLUE | trade | asked


def _names(calls: Sequence[Call], semantics: Semantics) -> Iterator[str]:
    for metric in semantics.metrics.values():
        yield from (metric.title, metric.title.lower())
    for call in calls:
        if isinstance(call.plan.step, QueryPlan):
            for condition in call.plan.step.query.filters:
                yield from (escaped(v.canonical) for v in condition.values if v.canonical)


def _composed(call: Call, semantics: Semantics) -> str:
    if isinstance(call.plan.step, SqlPlan):
        return _of_sql(call.results[0], call.plan.disclosures)
    return compose(call.plan, call.results, semantics)


def _of_sql(result: Result, disclosures: Sequence[str]) -> str:
    """A result of SQL: one figure or a table, marked as what it is."""
    heads = [column.name.replace("_", " ") for column in result.columns]
    if not result.rows:
        parts = ["Nothing matched: the query found no rows."]
    elif len(result.rows) == 1:
        shown = [
            f"{head} **{{{result.id}.0.{column.name}}}**"
            for head, column in zip(heads, result.columns, strict=True)
        ]
        parts = [f"Found by SQL: {', '.join(shown)}."]
    else:
        lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
        for row in range(min(len(result.rows), TABLE_ROWS)):
            cells = [f"{{{result.id}.{row}.{column.name}|bare}}" for column in result.columns]
            lines.append(f"| {' | '.join(cells)} |")
        if result.row_count > TABLE_ROWS:
            lines += ["", "More rows follow in the result."]
        parts = ["Found by SQL that the language model wrote:", "\n".join(lines)]
    notes = (
        "The language model wrote this SQL because no metric fits the question.",
        *result.notes,
        *disclosures,
    )
    return "\n\n".join([*parts, *(escaped(note) for note in dict.fromkeys(notes))])
