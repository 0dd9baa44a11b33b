"""What the compiler writes, kept as plain files: ``snapshots/NAME[.dialect].sql``.

After a change that is meant, ``SNAPSHOTS=write pytest tests/store/test_compile.py`` writes them
anew; read the difference before it is committed. What the statements return is in
``test_compile_run.py``.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assistant.store.access import RowScope
from finops_assistant.store.compile import compile_query, normalise
from finops_assistant.store.compile_shape import first_day_of, period_starts
from finops_assistant.store.conditions import text
from finops_assistant.store.facts import usage_flag
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.query import (
    Compare,
    Filter,
    Having,
    MetricQuery,
    Order,
    TimeSpec,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
SEMANTICS = load_semantics()
MARCH = TimeSpec(start=date(2026, 3, 1), end=date(2026, 4, 1))
FEBRUARY = TimeSpec(start=date(2026, 2, 1), end=date(2026, 3, 1))
QUARTER = TimeSpec(start=date(2026, 1, 1), end=date(2026, 4, 1))
PREVIOUS = Compare(kind="previous", baseline=FEBRUARY)
LOADED = (date(2026, 1, 15), date(2026, 4, 1))


def where(dimension: str, op: str, *values: str, include_null: bool = True) -> Filter:
    return Filter.model_validate(
        {
            "dimension": dimension,
            "op": op,
            "values": [{"raw": value, "canonical": value} for value in values],
            "include_null": include_null,
        }
    )


QUERIES = {
    "total": MetricQuery(time=MARCH),
    "total_billing_axis": MetricQuery(time=MARCH.model_copy(update={"axis": "billing"})),
    "table_filtered_top": MetricQuery(
        time=MARCH,
        dimensions=("service", "account"),
        filters=(
            where("provider", "in", "AWS", "Google Cloud"),
            where("team", "not_in", "search"),
            where("environment", "in", "(untagged)"),
            where("resource_id", "contains", "gpu"),
        ),
        having=(Having(metric="effective_cost", op="gt", value=Decimal("0.5")),),
        limit=5,
    ),
    "metrics_of_different_rows": MetricQuery(
        metrics=("effective_cost", "tokens", "input_tokens", "cost_per_1m_tokens"),
        dimensions=("model",),
        time=MARCH,
    ),
    "ratio_alone": MetricQuery(
        metrics=("cost_per_gpu_hour",), dimensions=("region",), time=MARCH, basis="list"
    ),
    "series": MetricQuery(time=QUARTER, grain="month", show="series"),
    "series_of_the_top": MetricQuery(
        time=QUARTER, grain="week", show="series", dimensions=("team",), limit=3
    ),
    "share_of_a_value": MetricQuery(
        time=MARCH,
        dimensions=("provider",),
        show="share",
        filters=(where("provider", "in", "AWS"),),
    ),
    "share_without_dimension": MetricQuery(
        time=MARCH, show="share", filters=(where("team", "is_null"),)
    ),
    "rank_each_month": MetricQuery(
        time=QUARTER, grain="month", dimensions=("team",), show="rank", limit=2
    ),
    "pareto": MetricQuery(time=MARCH, dimensions=("service",), show="pareto", limit=10),
    "count_under_condition": MetricQuery(
        time=MARCH,
        dimensions=("team",),
        show="count",
        having=(Having(metric="effective_cost", op="ge", value=Decimal(1000)),),
    ),
    "compare_previous": MetricQuery(
        time=MARCH,
        dimensions=("service",),
        compare=PREVIOUS,
        order=(Order(by="change"),),
        limit=5,
    ),
    "compare_year_ago_with_gap": MetricQuery(
        metrics=("savings", "cost_per_1m_tokens"),
        time=MARCH,
        compare=Compare(
            kind="year_ago", baseline=TimeSpec(start=date(2025, 3, 1), end=date(2025, 4, 1))
        ),
    ),
    "compare_week_by_week": MetricQuery(time=MARCH, grain="week", compare=PREVIOUS),
    "usage_by_detail": MetricQuery(
        metrics=("requests",),
        dimensions=("feature",),
        time=MARCH,
        filters=(where("provider", "in", "OpenAI"), where("technology", "in", "AI")),
    ),
    "two_facts_side_by_side": MetricQuery(
        metrics=("effective_cost", "requests"), dimensions=("team",), time=MARCH
    ),
    "two_facts_ratio": MetricQuery(
        metrics=("cost_per_request",), dimensions=("provider",), time=MARCH, limit=3
    ),
    "two_facts_total": MetricQuery(metrics=("effective_cost", "tokens"), time=MARCH),
    "two_facts_series_of_the_top": MetricQuery(
        metrics=("tokens", "effective_cost"),
        dimensions=("model",),
        time=QUARTER,
        grain="month",
        show="series",
        limit=2,
    ),
    "two_facts_compare": MetricQuery(
        metrics=("tokens", "cost_per_1m_tokens"),
        dimensions=("model",),
        time=MARCH,
        compare=PREVIOUS,
    ),
    "two_facts_compare_week_by_week": MetricQuery(
        metrics=("effective_cost", "tokens"), time=MARCH, grain="week", compare=PREVIOUS
    ),
    "two_facts_count": MetricQuery(
        time=MARCH,
        dimensions=("team",),
        show="count",
        having=(
            Having(metric="effective_cost", op="ge", value=Decimal(1000)),
            Having(metric="tokens", op="gt", value=Decimal(0)),
        ),
    ),
    "compare_values": MetricQuery(
        time=MARCH, filters=(where("team", "in", "search", "ads"),), compare=Compare(kind="values")
    ),
}
CURRENCIES = {
    "currencies_top": MetricQuery(time=MARCH, dimensions=("service",), limit=2),
    "currencies_share": MetricQuery(time=MARCH, dimensions=("service",), show="share", limit=2),
    "currencies_tokens_are_not_money": MetricQuery(time=MARCH, metrics=("tokens",)),
    "currencies_two_facts": MetricQuery(
        time=MARCH, metrics=("effective_cost", "cost_per_1m_tokens"), dimensions=("provider",)
    ),
}
CASES = [
    *((name, "duckdb", query, ("USD",)) for name, query in QUERIES.items()),
    *((name, "duckdb", query, ("USD", "EUR")) for name, query in CURRENCIES.items()),
    *(
        (name, dialect, QUERIES[name], ("USD",))
        for dialect in ("spark", "postgres")
        for name in (
            *("table_filtered_top", "series_of_the_top", "compare_week_by_week", "pareto"),
            *("two_facts_ratio", "two_facts_compare_week_by_week"),
        )
    ),
]


@pytest.mark.parametrize(
    ("name", "dialect", "query", "currencies"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_the_statement_is_the_one_on_file(
    name: str, dialect: str, query: MetricQuery, currencies: tuple[str, ...]
) -> None:
    scope = RowScope("x_Team IN ('search', 'ads')") if name == "total" else RowScope()
    made = compile_query(
        query,
        SEMANTICS,
        where=scope,
        as_of=date(2026, 4, 1),
        currencies=currencies,
        loaded=LOADED,
        flag=usage_flag(query.dimensions),
        dialect=dialect,
    )
    file = SNAPSHOTS / f"{name}{'' if dialect == 'duckdb' else f'.{dialect}'}.sql"
    if os.environ.get("SNAPSHOTS") == "write":
        file.write_text(made.sql + "\n", encoding="utf-8")
    assert made.sql + "\n" == file.read_text(encoding="utf-8")
    assert sqlglot.parse_one(made.sql, read=dialect)


def test_every_snapshot_belongs_to_a_case() -> None:
    cases = {f"{c[0]}{'' if c[1] == 'duckdb' else f'.{c[1]}'}.sql" for c in CASES}
    assert {file.name for file in SNAPSHOTS.glob("*.sql")} == cases


def test_compiling_is_pure() -> None:
    query = QUERIES["compare_previous"]
    one, two = (compile_query(query, SEMANTICS, as_of=date(2026, 4, 1)) for _ in range(2))
    assert one == two


def test_no_row_of_today_or_later_is_looked_at() -> None:
    made = compile_query(MetricQuery(time=MARCH), SEMANTICS, as_of=date(2026, 3, 10))
    assert "ChargePeriodStart < TIMESTAMP '2026-03-10'" in made.sql
    billing = QUERIES["total_billing_axis"]
    made = compile_query(billing, SEMANTICS, as_of=date(2026, 3, 10))
    assert "BillingPeriodStart < TIMESTAMP '2026-04-01'" in made.sql
    assert "ChargePeriodStart < TIMESTAMP '2026-03-10'" in made.sql


def test_the_basis_renames_the_metric_everywhere() -> None:
    query = MetricQuery(
        time=MARCH,
        basis="billed",
        compare=PREVIOUS,
        having=(Having(metric="effective_cost", op="gt", value=Decimal(1)),),
        order=(Order(by="effective_cost_change"),),
    )
    named = normalise(query, SEMANTICS)
    assert named.metrics == ("billed_cost",)
    assert named.having[0].metric == "billed_cost"
    assert named.order[0].by == "billed_cost_change"
    assert "EffectiveCost" not in compile_query(query, SEMANTICS, as_of=date(2026, 4, 1)).sql


@settings(deadline=None)
@given(st.text())
def test_any_text_is_one_value(value: str) -> None:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {text(value)}").fetchone()
    assert row == (value.encode("utf-8", "replace").decode(),)
    assert "\n" not in text(value)


@pytest.mark.parametrize(
    ("grain", "start", "end", "expected"),
    [
        ("day", date(2024, 2, 28), date(2024, 3, 1), ["2024-02-28", "2024-02-29"]),
        ("day", date(2026, 2, 28), date(2026, 3, 1), ["2026-02-28"]),
        ("week", date(2026, 12, 31), date(2027, 1, 5), ["2026-12-28", "2027-01-04"]),
        ("month", date(2025, 12, 31), date(2026, 2, 2), ["2025-12-01", "2026-01-01", "2026-02-01"]),
        (
            "quarter",
            date(2025, 11, 5),
            date(2026, 4, 2),
            ["2025-10-01", "2026-01-01", "2026-04-01"],
        ),
        ("year", date(2024, 2, 29), date(2025, 1, 2), ["2024-01-01", "2025-01-01"]),
    ],
)
def test_periods_that_meet_a_range(grain: str, start: date, end: date, expected: list[str]) -> None:
    query = MetricQuery.model_validate({"time": MARCH, "grain": grain})
    assert query.grain
    assert period_starts(query.grain, start, end) == tuple(f"DATE '{day}'" for day in expected)
    with duckdb.connect() as connection:
        row = connection.execute("SELECT CAST(date_trunc(?, ?) AS DATE)", [grain, start]).fetchone()
    assert row == (first_day_of(query.grain, start),)
