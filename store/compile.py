"""From a typed query to SQL: pure, deterministic, in the portable subset of DuckDB's dialect.

The subset: no ROLLUP, no ordered aggregates, no engine's own series function (periods without rows
come from literal dates), grouping by position, every value a literal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from finops_assistant.store.access import RowScope
from finops_assistant.store.compile_coverage import coverage
from finops_assistant.store.compile_facts import half_of
from finops_assistant.store.compile_shape import Flag, Shape
from finops_assistant.store.compile_steps import Steps
from finops_assistant.store.compile_text import Select
from finops_assistant.store.metrics import Fact, Semantics
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Column


@dataclass(frozen=True)
class Compiled:
    """A statement, its output columns, and the query as it was understood (see ``normalise``)."""

    sql: str
    columns: tuple[Column, ...]
    query: MetricQuery


def compile_query(
    query: MetricQuery,
    semantics: Semantics,
    *,
    where: RowScope | None = None,
    as_of: date,
    currencies: Sequence[str] = (),
    loaded: tuple[date, date] | None = None,
    flag: Flag = "Chosen",
    dialect: str = "duckdb",
) -> Compiled:
    """The statement for a valid query.

    ``where`` is the principal's row scope; rows that start on or after ``as_of`` are left out;
    ``currencies`` are those of the rows in scope, and with several of them money gets a row each;
    ``loaded`` (half-open) lets a period inside it that has no rows appear with 0; ``flag`` picks
    the rows of ``usage`` that count.
    """
    shape = Shape(
        normalise(query, semantics),
        semantics,
        where or RowScope(),
        as_of,
        tuple(currencies),
        loaded,
        flag,
    )
    columns = output_columns(shape)
    sql = Steps(shape, [column.name for column in columns]).sql()
    if dialect != "duckdb":
        import sqlglot

        # PostgreSQL folds bare names to lower case; the specification's spelling needs quotes.
        (sql,) = sqlglot.transpile(
            sql, read="duckdb", write=dialect, pretty=True, identify=dialect == "postgres"
        )
    return Compiled(sql, columns, shape.query)


def compile_coverage(
    query: MetricQuery,
    semantics: Semantics,
    *,
    where: RowScope,
    as_of: date,
    currencies: Sequence[str],
    flag: Flag,
) -> tuple[str, tuple[str, ...]]:
    """The statement that says what part of the whole a query's figures are, and what its columns
    are; ('', ()) where that is all of it by nature."""
    named = normalise(query, semantics)
    return coverage(Shape(named, semantics, where, as_of, tuple(currencies), None, flag))


def scope_query(
    query: MetricQuery,
    semantics: Semantics,
    column: str,
    fact: Fact,
    *,
    where: RowScope,
    as_of: date,
    since: date,
    flag: Flag = "Chosen",
) -> str:
    """The distinct values of a column over the rows of a table that a query looks at, or would look
    at if its period began ``since``."""
    shape = Shape(normalise(query, semantics), semantics, where, as_of, (), None, flag)
    if fact == "usage":  # whatever the figure: that a provider has none is worth saying
        shape = replace(shape, half=fact)
    elif shape.crossed:
        shape = half_of(shape, fact)
    times = [query.time.model_copy(update={"start": min(since, query.time.start)})]
    if shape.baseline:
        times.append(shape.baseline)
    select = Select([(column, column)], fact, [*shape.within(*times), *shape.narrowed])
    select.distinct = True
    return select.sql()


def normalise(query: MetricQuery, semantics: Semantics) -> MetricQuery:
    """The same question with every name explicit: ``effective_cost`` under another basis becomes
    that basis's metric, and a comparison of values is broken down by its dimension."""
    effective = "effective_cost"

    def named(name: str) -> str:
        if not name.startswith(effective):
            return name
        return semantics.cost_metric(effective, query.basis) + name.removeprefix(effective)

    dimensions = query.dimensions
    if query.compare and query.compare.kind == "values":
        compared = [f.dimension for f in query.filters if f.op == "in"]
        dimensions = (*compared, *dimensions)
    return query.model_copy(
        update={
            "metrics": tuple(dict.fromkeys(map(named, query.metrics))),
            "dimensions": tuple(dict.fromkeys(dimensions)),
            "having": tuple(h.model_copy(update={"metric": named(h.metric)}) for h in query.having),
            "order": tuple(o.model_copy(update={"by": named(o.by)}) for o in query.order),
        }
    )


def output_columns(shape: Shape) -> tuple[Column, ...]:
    """The columns of the result, in the order that ``MetricQuery`` promises."""
    query = shape.query
    columns = [Column(key.name, key.unit) for key in shape.keys]
    if query.show == "count":
        return (*columns, *_beside(shape, "count", "count"))
    for metric in shape.shown:
        columns += _beside(shape, metric.name, shape.unit(metric))
    if query.show == "share":
        columns += _beside(shape, "share", "ratio")
    if query.show == "rank":
        columns.append(Column("rank", "count"))
    if query.show == "pareto":
        columns += [Column("share", "ratio"), Column("cumulative_share", "ratio")]
    return tuple(columns)


def _beside(shape: Shape, name: str, unit: str) -> list[Column]:
    if shape.baseline is None:
        return [Column(name, unit)]
    found = [Column(name, unit), Column(f"{name}_previous", unit), Column(f"{name}_change", unit)]
    # A share changes by percentage points; a ratio of ratios would only confuse.
    return found if name == "share" else [*found, Column(f"{name}_change_ratio", "ratio")]
