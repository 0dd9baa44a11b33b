"""From a finished turn to an answer: fill the template, check every numeral, name the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import cast

from finops_assistant.agent import numerals
from finops_assistant.agent.answer import OUTCOMES, Answer
from finops_assistant.agent.chart import chart
from finops_assistant.agent.follow_ups import follow_ups
from finops_assistant.agent.placeholders import fill
from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, Plan, QueryPlan, RefusePlan
from finops_assistant.agent.untrusted import escaped, markdown
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.metrics import Semantics
from finops_assistant.store.query import ReasonCode
from finops_assistant.store.result import Result


def answered(
    question: str,
    as_of: date,
    plan: Plan,
    template: str,
    results: Iterable[Result],
    semantics: Semantics,
) -> Answer:
    """The answer from its template. Raises ``UngroundedError`` for a numeral that no cell holds."""
    kept = tuple(results)
    filled = fill(template, {result.id: result for result in kept})
    numerals.check(filled, question, _names(plan, kept, semantics))
    step = plan.step
    main = kept[0]
    return Answer(
        question=question,
        as_of=as_of,
        status="answered",
        reason=None if main.row_count else "no_rows",
        answer=filled.text,
        results=kept,
        numbers=tuple(bound.to_json() for bound in filled.bound if bound.is_number),
        chart=chart(step.query, main) if isinstance(step, QueryPlan) else None,
        follow_ups=tuple(follow_ups(plan)),
    )


def declined(question: str, as_of: date, step: ClarifyPlan | AbstainPlan | RefusePlan) -> Answer:
    """A question back, an abstention or a refusal, in the plan's words."""
    if isinstance(step, ClarifyPlan):
        return _no(question, as_of, QueryRefused(step.reason, step.question, step.options))
    return _no(question, as_of, QueryRefused(step.reason, step.message))


def refused(question: str, as_of: date, no: QueryRefused) -> Answer:
    """The no of a tool or of the store, as the kind of no that it is."""
    return _no(question, as_of, no)


def _no(question: str, as_of: date, no: QueryRefused) -> Answer:
    status, reason = OUTCOMES[cast(ReasonCode, no.reason)]
    text = escaped(str(no))
    clarification = None
    if status == "clarify":
        clarification = {"question": str(no), "options": list(no.candidates)}
        text += "".join(f"\n\n{i}. {escaped(o)}" for i, o in enumerate(no.candidates, start=1))
    return Answer(
        question=question,
        as_of=as_of,
        status=status,
        reason=reason,
        answer=text,
        clarification=clarification,
        follow_ups=no.candidates if status == "clarify" else (),
    )


def _names(plan: Plan, results: tuple[Result, ...], semantics: Semantics) -> Iterator[str]:
    """Texts of the answer that may carry digits of their own."""
    for metric in semantics.metrics.values():
        yield metric.title
        yield metric.description
    if isinstance(plan.step, QueryPlan):
        for condition in plan.step.query.filters:
            for value in condition.values:
                yield from (escaped(value.raw), markdown(value.raw))
                yield from (escaped(value.canonical), markdown(value.canonical))
    for result in results:
        yield from map(escaped, result.notes)  # the store's own sentences, which name providers
        for stated in result.scope.filters:
            values = stated.get("values")
            if isinstance(values, list | tuple):
                yield from (escaped(str(value)) for value in values)
