"""Any query that can be written is either refused with a reason or returns what it promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from finops_assistant.store.access import EVERYONE
from finops_assistant.store.compile import normalise
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.query import MetricQuery, ReasonCode
from finops_assistant.store.result import Cell
from finops_assistant.store.store import Store

Row = dict[str, Any]
METRICS = ["effective_cost", "billed_cost", "savings", "tokens", "cost_per_1m_tokens", "gpu_hours"]
DIMENSIONS = ["team", "provider", "account", "model"]
VALUES = {
    "team": ["search", "o'neil", "(untagged)"],
    "provider": ["AWS", "Microsoft"],
    "account": ["payer-1"],
    "model": ["m1", "(none)"],
}
BASES = ["effective", "billed", "list", "contracted"]
AS_OF = date(2026, 3, 20)
PERIODS = st.sampled_from(
    [
        {"start": "2026-03-01", "end": "2026-04-01"},
        {"start": "2026-01-15", "end": "2026-03-10"},
        {"start": "2026-02-01", "end": "2026-03-01"},
        {"start": "2025-11-01", "end": "2026-02-15"},
        {"start": "2026-01-01", "end": "2026-03-05", "axis": "billing"},
    ]
)


@st.composite
def filters(draw: st.DrawFn) -> Row:
    dimension = draw(st.sampled_from(DIMENSIONS))
    op = draw(st.sampled_from(["in", "not_in", "is_null", "not_null", "contains", "gt", "lt"]))
    named = draw(st.lists(st.sampled_from(VALUES[dimension]), min_size=1, unique=True))
    values = [] if op in ("is_null", "not_null") else named
    return {
        "dimension": dimension,
        "op": op,
        "values": [{"raw": value, "canonical": value} for value in values],
        "include_null": draw(st.booleans()),
    }


@st.composite
def queries(draw: st.DrawFn) -> MetricQuery:
    kinds = st.sampled_from(["previous", "year_ago", "explicit"])
    compare = draw(
        st.none()
        | st.just({"kind": "values"})
        | st.fixed_dictionaries({"kind": kinds, "baseline": PERIODS})
    )
    named = st.sampled_from([*METRICS, "change", "share", "rank", "effective_cost_change"])
    return MetricQuery.model_validate(
        {
            "metrics": draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=3)),
            "dimensions": draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2)),
            "time": draw(PERIODS),
            "grain": draw(st.none() | st.sampled_from(["day", "week", "month", "quarter", "year"])),
            "filters": draw(st.lists(filters(), max_size=2)),
            "having": draw(
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "metric": named,
                            "op": st.sampled_from(["gt", "ge", "lt", "le"]),
                            "value": st.sampled_from(["0", "-3.5", "10"]),
                        }
                    ),
                    max_size=1,
                )
            ),
            "order": draw(
                st.lists(
                    st.fixed_dictionaries({"by": named, "descending": st.booleans()}), max_size=1
                )
            ),
            "limit": draw(st.none() | st.integers(1, 3)),
            "compare": compare,
            "show": draw(
                st.sampled_from(["total", "table", "series", "share", "rank", "pareto", "count"])
            ),
            "basis": draw(st.sampled_from(BASES)),
        }
    )


@pytest.fixture
def store(store_of: Callable[..., Store], charge: Callable[..., Row]) -> Store:
    def tokens(count: int) -> Row:
        return {"ConsumedQuantity": Decimal(count), "ConsumedUnit": "Tokens", "x_ModelId": "m1"}

    euro = {"BillingCurrency": "EUR", "ServiceProviderName": "Microsoft"}
    return store_of(
        [
            charge("2026-01-10", "3", x_Team="search"),
            charge("2026-01-20", "4", x_Team="o'neil", BilledCost=Decimal(0), **tokens(1000)),
            charge("2026-02-01", "5", **euro),
            charge("2026-02-03", "7", x_Team="search", ListCost=None, x_GpuHours=Decimal(2)),
            charge("2026-03-01", "11", x_Team="search", **tokens(0)),
            charge("2026-03-02", "-13", ChargeCategory="Credit"),
            charge("2026-03-19", "17", x_Team="o'neil", **euro, **tokens(500)),
            charge("2026-03-25", "1000", x_Team="search"),
        ]
    )


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries())
def test_a_query_is_refused_or_keeps_its_promise(store: Store, query: MetricQuery) -> None:
    refusal = None
    try:
        result = store.run(query, EVERYONE, as_of=AS_OF)
    except QueryRefused as error:
        refusal = error.reason
    if refusal is not None:
        assert refusal in get_args(ReasonCode)
        return
    names = [column.name for column in result.columns]
    assert len(names) == len(set(names))
    cursor = store.database.cursor()
    cursor.execute(result.sql)
    assert [column[0] for column in cursor.description or []] == names
    shown = normalise(query, store.semantics)
    lead = [n for n in names if n in ("currency", "period", *shown.dimensions)]
    assert names[: len(lead)] == lead
    identities = [row[: len(lead)] for row in result.rows]
    assert len(identities) == len(set(identities))
    assert all(not isinstance(cell, float) or cell == cell for row in result.rows for cell in row)
    if query.limit and shown.show in ("total", "table") and "currency" not in names:
        assert result.row_count <= query.limit


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    picked=st.lists(filters(), max_size=2),
    time=PERIODS,
    dimension=st.sampled_from(DIMENSIONS),
    grain=st.sampled_from(["day", "week", "month", None]),
    basis=st.sampled_from(BASES),
)
def test_the_parts_add_up_to_the_total(
    store: Store, picked: list[Row], time: Row, dimension: str, grain: str | None, basis: str
) -> None:
    parts = {"time": time, "filters": picked, "basis": basis}
    try:
        total = store.run(MetricQuery.model_validate(parts), EVERYONE, as_of=AS_OF)
        table = store.run(
            MetricQuery.model_validate(
                parts | {"dimensions": [dimension], "grain": grain, "show": "series"}
            ),
            EVERYONE,
            as_of=AS_OF,
        )
    except QueryRefused:
        return
    whole: dict[object, Decimal] = {}
    for row in table.rows:
        code = row[0] if table.columns[0].name == "currency" else ""
        assert row[-1] is None or isinstance(row[-1], Decimal)
        whole[code] = whole.get(code, Decimal(0)) + (row[-1] or 0)
    expected = {
        row[0] if total.columns[0].name == "currency" else "": row[-1] or 0 for row in total.rows
    }
    assert whole == expected or (not any(whole.values()) and not expected)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,  # two periods at random often overlap
    ],
)
@given(
    picked=st.lists(filters(), max_size=1),
    time=PERIODS.filter(lambda time: "axis" not in time),
    baseline=PERIODS.filter(lambda time: "axis" not in time),
    metric=st.sampled_from(METRICS),
    dimension=st.sampled_from(DIMENSIONS),
)
def test_a_comparison_shows_what_each_period_shows_alone(
    store: Store, picked: list[Row], time: Row, baseline: Row, metric: str, dimension: str
) -> None:
    assume(time["end"] <= baseline["start"] or baseline["end"] <= time["start"])
    parts = {"metrics": [metric], "dimensions": [dimension], "filters": picked}

    def figures(query: Row) -> dict[tuple[Cell, ...], tuple[Cell, ...]]:
        result = store.run(MetricQuery.model_validate(parts | query), EVERYONE, as_of=AS_OF)
        names = [column.name for column in result.columns]
        at = names.index(metric)
        # One period may hold one currency and the other two; a quantity has none.
        prefix = () if names[0] == "currency" else (result.scope.currency,)
        return {(*prefix, *row[:at]): row[at:] for row in result.rows}

    compare = {"kind": "explicit", "baseline": baseline}
    beside = figures({"time": time, "compare": compare})
    now, before = figures({"time": time}), figures({"time": baseline})
    for key, (current, previous, *_) in beside.items():
        for shown, alone in ((current, now), (previous, before)):
            found = [
                row[0]
                for name, row in alone.items()
                if name[-1] == key[-1] and name[0] in (key[0], "")
            ]
            assert (shown or 0) == ((found[0] if found else 0) or 0)
    assert {key[-1] for key in now} | {key[-1] for key in before} == {key[-1] for key in beside}
