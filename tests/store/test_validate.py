"""What may not run says why, in one plain sentence with the names that were probably meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from finops_assistant.store.access import EVERYONE
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.store import Store

Row = dict[str, Any]
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}
FEBRUARY = {"start": "2026-02-01", "end": "2026-03-01"}
PREVIOUS = {"kind": "previous", "baseline": FEBRUARY}


@pytest.fixture
def store(store_of: Callable[..., Store], charge: Callable[..., Row]) -> Store:
    return store_of(
        [
            charge("2026-02-01", "1", x_Team="search"),
            charge("2026-03-20", "2", x_Team="search-infra", ServiceProviderName="Google Cloud"),
        ]
    )


def some(dimension: str, *values: str, op: str = "in") -> dict[str, Any]:
    listed = [{"raw": value, "canonical": value} for value in values]
    return {"dimension": dimension, "op": op, "values": listed}


REFUSED = [
    ({"metrics": ["effectiv_cost"]}, "UNKNOWN_METRIC", "effective_cost"),
    ({"metrics": []}, "UNKNOWN_METRIC", "names no metric"),
    ({"dimensions": ["teem"]}, "OUT_OF_SCOPE", "team"),
    ({"filters": [some("planet", "mars")]}, "OUT_OF_SCOPE", "planet"),
    ({"metrics": ["requests"]}, "NO_DATA_SOURCE", "model usage is not loaded"),
    ({"metrics": ["cost_per_request"]}, "NO_DATA_SOURCE", "model usage is not loaded"),
    ({"order": [{"by": "requests"}]}, "NO_DATA_SOURCE", "model usage is not loaded"),
    ({"grain": "hour"}, "NO_DATA_SOURCE", "finest step is a day"),
    ({"show": "share"}, "OUT_OF_SCOPE", "needs a part"),
    ({"show": "rank"}, "OUT_OF_SCOPE", "needs a dimension"),
    ({"show": "pareto"}, "OUT_OF_SCOPE", "needs a dimension"),
    ({"show": "count"}, "OUT_OF_SCOPE", "one dimension"),
    ({"show": "count", "dimensions": ["team", "service"]}, "OUT_OF_SCOPE", "one dimension"),
    (
        {"show": "share", "metrics": ["cost_per_gpu_hour"], "dimensions": ["team"]},
        "OUT_OF_SCOPE",
        "do not add up",
    ),
    ({"time": MARCH | {"axis": "billing"}, "grain": "day"}, "OUT_OF_SCOPE", "step is a month"),
    ({"compare": {"kind": "previous"}}, "AMBIGUOUS_DATE", "compare"),
    ({"compare": {"kind": "explicit", "baseline": MARCH}}, "AMBIGUOUS_DATE", "overlaps"),
    ({"compare": {"kind": "values"}}, "OUT_OF_SCOPE", "one dimension"),
    ({"compare": PREVIOUS, "show": "pareto", "dimensions": ["team"]}, "OUT_OF_SCOPE", "one period"),
    (
        {"compare": PREVIOUS, "show": "share", "dimensions": ["team"], "grain": "day"},
        "OUT_OF_SCOPE",
        "one period",
    ),
    ({"order": [{"by": "change"}]}, "UNKNOWN_METRIC", "change"),
    ({"order": [{"by": "period"}]}, "UNKNOWN_METRIC", "period"),
    ({"having": [{"metric": "share", "op": "gt", "value": 1}]}, "UNKNOWN_METRIC", "share"),
    (
        {"having": [{"metric": "effective_cost", "op": "gt", "value": "1e300"}]},
        "OUT_OF_SCOPE",
        "too large",
    ),
    ({"filters": [some("team")]}, "UNKNOWN_VALUE", "names no value"),
    ({"filters": [some("team", "serch")]}, "UNKNOWN_VALUE", "search"),
    ({"filters": [some("team", "quantum", op="not_in")]}, "UNKNOWN_VALUE", "quantum"),
    ({"filters": [some("team", "Bobby\n'; DROP TABLE x")]}, "UNKNOWN_VALUE", "Bobby '; DROP"),
    ({"filters": [some("team", "x" * 20000)]}, "UNKNOWN_VALUE", "xxx…"),
    (
        {"time": {"start": "2026-04-01", "end": "2026-05-01"}},
        "OUT_OF_RANGE",
        "no data yet: the loaded data runs from 2026-02-01 to 2026-03-20",
    ),
    (
        {"time": {"start": "2026-03-21", "end": "2026-03-22"}},
        "OUT_OF_RANGE",
        "asked for, 2026-03-21, has no data yet",
    ),
    (
        {"time": {"start": "2025-03-01", "end": "2025-04-01"}},
        "OUT_OF_RANGE",
        "lies before the loaded data, which runs from 2026-02-01 to 2026-03-20",
    ),
    ({"time": {"start": "2026-03-01", "end": "2026-03-01"}}, "OUT_OF_RANGE", "holds no day"),
    ({"time": {"start": "0001-01-01", "end": "0001-01-02"}}, "OUT_OF_RANGE", "lies before"),
    ({"time": {"start": "9999-12-30", "end": "9999-12-31"}}, "OUT_OF_RANGE", "no data yet"),
]


@pytest.mark.parametrize(
    ("parts", "reason", "says"), REFUSED, ids=[f"{r[1]}-{n}" for n, r in enumerate(REFUSED)]
)
def test_what_cannot_be_answered_says_why(
    store: Store, parts: dict[str, Any], reason: str, says: str
) -> None:
    with pytest.raises(QueryRefused) as refusal:
        store.run(MetricQuery.model_validate({"time": MARCH} | parts), EVERYONE)
    assert refusal.value.reason == reason
    assert says in f"{refusal.value} {' '.join(refusal.value.candidates)}"
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_a_value_written_otherwise_is_spelled_as_the_store_spells_it(store: Store) -> None:
    query = {"time": MARCH, "filters": [some("provider", "gcp"), some("team", "SEARCH-infra")]}
    result = store.run(MetricQuery.model_validate(query), EVERYONE)
    assert result.rows == ((Decimal(2),),)
    assert [f["values"] for f in result.scope.filters] == [["Google Cloud"], ["search-infra"]]


def test_a_prefix_is_another_value(store: Store) -> None:
    query = {"time": MARCH, "filters": [some("team", "search")]}
    assert store.run(MetricQuery.model_validate(query), EVERYONE).rows == ()


def test_before_the_first_day_there_is_nothing(store: Store) -> None:
    with pytest.raises(QueryRefused, match="nothing before 2026-01-01") as refusal:
        store.run(MetricQuery.model_validate({"time": MARCH}), EVERYONE, as_of=date(2026, 1, 1))
    assert refusal.value.reason == "OUT_OF_RANGE"


def test_as_of_moves_the_end_of_the_data(store: Store) -> None:
    with pytest.raises(QueryRefused, match="runs from 2026-02-01 to 2026-02-28"):
        store.run(MetricQuery.model_validate({"time": MARCH}), EVERYONE, as_of=date(2026, 3, 1))


def test_a_billing_month_counts_from_its_first_day(
    store_of: Callable[..., Store], charge: Callable[..., Row]
) -> None:
    store = store_of([charge("2026-03-20", "2")])
    query = {"time": {"start": "2026-03-01", "end": "2026-03-02", "axis": "billing"}}
    assert store.run(MetricQuery.model_validate(query), EVERYONE).rows == ((Decimal(2),),)
