"""Run one guarded SELECT where no metric fits; what comes back is marked as free SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import Field

from finops_assistant.store.access import row_scope
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.facts import Facts
from finops_assistant.store.focus import MONEY_COLUMNS
from finops_assistant.store.metrics import CURRENCY_COLUMN
from finops_assistant.store.query import Strict
from finops_assistant.store.result import Column, Result, Scope
from finops_assistant.store.sandbox.client import TOOL, shared
from finops_assistant.store.sandbox.replies import SqlResult
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool

NOTE = "This is free SQL, not a governed metric."


class RunSqlArguments(Strict):
    """The statement."""

    sql: str = Field(description="one SELECT")


def run_sql(context: ToolContext, arguments: RunSqlArguments) -> tuple[Result, ...]:
    """Run the statement over what the principal may see and the days before ``as_of``.

    Columns that are made of cost columns have the currency as unit; otherwise ``hours``,
    ``tokens``, ``requests``, ``count``, ``date``, ``text`` or ``number``. Raises QueryRefused, also
    for SQL that is wrong and for one that would add up several currencies.
    """
    sandbox = shared(context.store.home)
    try:
        found = sandbox.run(arguments.sql, context.principal, before=context.as_of)
    except UsageError as wrong:
        raise QueryRefused("OUT_OF_SCOPE", f"The SQL could not be run: {wrong}") from None
    facts = context.store.facts(context.principal)
    if mixes_currencies(found, facts.currencies):
        raise QueryRefused(
            "AMBIGUOUS_VALUE",
            f"Amounts are in {', '.join(facts.currencies)}, which are never added: "
            f"group by {CURRENCY_COLUMN}, or filter on one of them.",
            facts.currencies,
        )
    return (
        context.keep(
            Result(
                id=context.next_id(),
                title="Result of an SQL statement",
                columns=columns_of(found, facts.currencies),
                rows=found.rows,
                row_count=len(found.rows),
                truncated=found.truncated,
                query=None,
                sql=arguments.sql,
                scope=_scope(context, facts, found),
                notes=_notes(found),
            )
        ),
    )


def columns_of(found: SqlResult, currencies: Sequence[str]) -> tuple[Column, ...]:
    """The columns with their units; money has the currency's code, or ``currency`` for several."""
    code = currencies[0] if len(currencies) == 1 else "currency"
    return tuple(
        Column(column.name, code if column.unit == "money" else column.unit)
        for column in found.columns
    )


def mixes_currencies(found: SqlResult, currencies: Sequence[str]) -> bool:
    """Whether amounts of several currencies may have been added: none of them was asked for."""
    return (
        len(currencies) > 1
        and CURRENCY_COLUMN not in found.reads
        and not found.reads.isdisjoint(MONEY_COLUMNS)
    )


def _scope(context: ToolContext, facts: Facts, found: SqlResult) -> Scope:
    """All that may be seen: what the statement itself leaves out is in its text."""
    semantics = context.store.semantics
    costs = [
        name
        for name, metric in semantics.metrics.items()
        if metric.money and metric.kind != "ratio"
        for columns in [semantics.columns(name, "effective")]
        if len(columns) == 1 and columns <= found.reads
    ]
    midnight = datetime.combine(context.as_of, datetime.min.time(), UTC)
    return Scope(
        start=facts.first_day,
        end=min(facts.last_day + timedelta(days=1), context.as_of),
        filters=row_scope(context.principal).filters,
        currency=", ".join(facts.currencies) if costs else "",
        cost_metric=", ".join(costs),
        data_through=min(facts.data_through, midnight),
    )


def _notes(found: SqlResult) -> tuple[str, ...]:
    if not found.truncated:
        return (NOTE,)
    return (NOTE, f"Only the first {len(found.rows):,} rows are shown; there are more.")


RUN_SQL = Tool(TOOL, RunSqlArguments, run_sql)
