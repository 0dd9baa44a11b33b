"""What queries return, over rows written by hand; the truth is arithmetic on those rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from finops_assistant.store.access import EVERYONE
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.query import Compare, Filter, Having, MetricQuery, Order, TimeSpec
from finops_assistant.store.result import Cell, Result
from finops_assistant.store.store import Store

Row = dict[str, Any]
Make = Callable[..., Row]
StoreOf = Callable[..., Store]
D = Decimal


def days(start: str, end: str) -> TimeSpec:
    """``end`` exclusive."""
    return TimeSpec(start=date.fromisoformat(start), end=date.fromisoformat(end))


JANUARY, FEBRUARY = days("2026-01-01", "2026-02-01"), days("2026-02-01", "2026-03-01")
MARCH = days("2026-03-01", "2026-04-01")
ALL = days("2025-12-01", "2026-04-01")


def where(dimension: str, op: str, *values: str, include_null: bool = True) -> Filter:
    return Filter.model_validate(
        {
            "dimension": dimension,
            "op": op,
            "values": [{"raw": value, "canonical": value} for value in values],
            "include_null": include_null,
        }
    )


def previous(time: TimeSpec, kind: str = "previous") -> Compare:
    return Compare.model_validate({"kind": kind, "baseline": time})


@pytest.fixture
def ledger(charge: Make) -> list[Row]:
    """Five months of three teams and one untagged slice; March ends on the 31st."""
    return [
        charge("2025-12-31", "1", x_Team="search"),
        charge("2026-01-01", "10.000000000001", x_Team="search", x_Environment="prod"),
        charge("2026-01-31", "5", x_Team="ads", x_Environment="staging"),
        charge("2026-02-28", "20", x_Team="search", x_Environment="prod"),
        charge("2026-02-10", "7.5", x_Team="legacy"),
        charge("2026-02-10", "-2.5", ChargeCategory="Credit"),
        charge("2026-03-01", "30", x_Team="search", x_Environment="prod", BilledCost=D(0)),
        charge("2026-03-15", "12", x_Team="ads", x_Environment="staging", ListCost=D(16)),
        charge("2026-03-15", "9", x_Team="labs", ServiceProviderName="OpenAI", ListCost=None),
        charge("2026-03-31", "4", ServiceName="Support", BilledCost=D(5)),
    ]


@pytest.fixture
def store(store_of: StoreOf, ledger: list[Row]) -> Store:
    return store_of(ledger)


def run(store: Store, **parts: Any) -> Result:
    return store.run(MetricQuery.model_validate(parts), EVERYONE)


def rows(store: Store, **parts: Any) -> list[tuple[Cell, ...]]:
    return list(run(store, **parts).rows)


# --- sums, filters, NULLs ------------------------------------------------------------------------


def test_a_total_is_the_exact_sum(store: Store, ledger: list[Row]) -> None:
    result = run(store, time=ALL)
    assert result.rows == ((sum(row["EffectiveCost"] for row in ledger),),)
    assert [(c.name, c.unit) for c in result.columns] == [("effective_cost", "USD")]
    assert isinstance(result.rows[0][0], Decimal)
    assert rows(store, time=JANUARY) == [(D("15.000000000001"),)]


def test_untagged_is_a_group_of_its_own(store: Store) -> None:
    assert rows(store, time=MARCH, dimensions=("team",), show="table") == [
        ("search", D(30)),
        ("ads", D(12)),
        ("labs", D(9)),
        ("(untagged)", D(4)),
    ]


def test_ties_come_in_the_order_of_their_names(store_of: StoreOf, charge: Make) -> None:
    names = ["delta", "alpha", "charlie", "bravo"]
    store = store_of([charge("2026-03-01", "5", x_Team=name) for name in names])
    found = rows(store, time=MARCH, dimensions=("team",), limit=3)
    assert [row[0] for row in found] == ["alpha", "bravo", "charlie"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("team", "in", "search"), 30),
        (where("team", "in", "search", "(untagged)"), 34),
        (where("team", "not_in", "search"), 25),
        (where("team", "not_in", "search", include_null=False), 21),
        (where("team", "not_in", "search", "(untagged)"), 21),
        (where("team", "is_null"), 4),
        (where("team", "not_null"), 51),
        (where("service", "contains", "SUPP"), 4),
        (where("team", "gt", "b"), 39),
        (where("team", "lt", "b"), 12),
        (where("region", "in", "(none)"), 55),
        (where("account", "in", "payer-1"), 55),
    ],
    ids=lambda value: value.op if isinstance(value, Filter) else "",
)
def test_filters_on_values_and_on_no_value(store: Store, condition: Filter, expected: int) -> None:
    assert rows(store, time=MARCH, filters=(condition,)) == [(D(expected),)]


@pytest.mark.parametrize(
    "name",
    ["o'neil", "back\\slash", "'; DROP TABLE charges; --", "日本🚀", "two\nlines", "%", "_", '"'],
)
def test_any_name_is_only_a_name(store_of: StoreOf, charge: Make, name: str) -> None:
    store = store_of([charge("2026-03-01", "1", x_Team=name), charge("2026-03-02", "2")])
    only = where("team", "in", name)
    assert rows(store, time=MARCH, filters=(only,)) == [(D(1),)]
    assert rows(store, time=MARCH, filters=(where("team", "not_in", name),)) == [(D(2),)]
    assert rows(store, time=MARCH, filters=(where("team", "contains", name),)) == [(D(1),)]
    assert rows(store, time=MARCH, dimensions=("team",), filters=(only,), show="share") == [
        (name, D(1), pytest.approx(1 / 3, rel=1e-12))
    ]
    asked = Compare(kind="values")
    assert rows(store, time=MARCH, filters=(only,), compare=asked) == [(name, D(1))]
    assert rows(store, time=MARCH) == [(D(3),)]


def test_each_basis_has_its_own_column(store: Store) -> None:
    for basis, name, total in (
        ("effective", "effective_cost", 55),
        ("billed", "billed_cost", 26),
        ("contracted", "contracted_cost", 55),
    ):
        result = run(store, time=MARCH, basis=basis)
        assert [c.name for c in result.columns] == [name]
        assert result.rows == ((D(total),),)
        assert result.scope.cost_metric == name


def test_savings_count_only_rows_with_a_list_cost(store: Store) -> None:
    assert rows(store, time=MARCH, metrics=("savings",)) == [(D(4),)]
    labs = where("team", "in", "labs")
    assert run(store, time=MARCH, metrics=("savings",), filters=(labs,)).rows == ()


def test_nothing_matched_is_no_row(store: Store) -> None:
    legacy = where("team", "in", "legacy")
    for parts in ({}, {"dimensions": ("service",)}, {"grain": "day", "show": "series"}):
        result = run(store, time=MARCH, filters=(legacy,), **parts)
        assert (result.rows, result.row_count, result.truncated) == ((), 0, False)


# --- tokens, GPU hours, ratios -------------------------------------------------------------------


@pytest.fixture
def ai(store_of: StoreOf, charge: Make) -> Store:
    def tokens(day: str, cost: str, count: str, direction: str, **more: Any) -> Row:
        unit = {"ConsumedQuantity": D(count), "ConsumedUnit": "Tokens"}
        return charge(day, cost, x_TokenDirection=direction, x_ModelId="m1", **unit, **more)

    return store_of(
        [
            tokens("2026-03-01", "3", "1000000", "Input", BilledCost=D(6)),
            tokens("2026-03-02", "1", "2000000", "Input", x_TokenCacheAction="Read"),
            tokens("2026-03-03", "8", "500000", "Output"),
            tokens("2026-03-04", "0.5", "0", "Output", x_Team="empty"),
            charge("2026-03-04", "100", ConsumedQuantity=D(7), ConsumedUnit="Hours"),
            charge("2026-03-05", "40", x_GpuHours=D("16"), x_ModelId="m1"),
            charge("2026-03-06", "20", x_GpuHours=D("4")),
        ]
    )


def test_tokens_by_direction_and_cache(ai: Store) -> None:
    names = ("tokens", "input_tokens", "output_tokens", "cached_input_tokens", "gpu_hours")
    result = run(ai, time=MARCH, metrics=names)
    assert result.rows == ((D(3500000), D(3000000), D(500000), D(2000000), D(20)),)
    assert [c.unit for c in result.columns] == ["tokens"] * 4 + ["hours"]
    assert result.scope.cost_metric == ""


def test_unit_costs_are_ratios_of_sums_over_the_same_rows(ai: Store) -> None:
    result = run(ai, time=MARCH, metrics=("cost_per_1m_tokens", "cost_per_gpu_hour"))
    assert result.rows[0] == pytest.approx((12.5 / 3.5, 60 / 20), rel=1e-14)
    assert [c.unit for c in result.columns] == ["USD/1M tokens", "USD/hour"]
    billed = run(ai, time=MARCH, metrics=("cost_per_1m_tokens",), basis="billed")
    assert billed.rows[0][0] == pytest.approx(15.5 / 3.5, rel=1e-14)
    assert billed.scope.cost_metric == "billed_cost"


def test_a_zero_below_the_line_is_no_value(ai: Store) -> None:
    empty = where("team", "in", "empty")
    by_team = rows(ai, time=MARCH, metrics=("cost_per_1m_tokens", "tokens"), dimensions=("team",))
    assert by_team[1] == ("empty", None, D(0))
    assert run(ai, time=MARCH, metrics=("cost_per_1m_tokens",), filters=(empty,)).rows == ()


def test_a_metric_about_some_rows_shows_only_their_groups(ai: Store) -> None:
    assert rows(ai, time=MARCH, metrics=("tokens",), dimensions=("model",)) == [("m1", D(3500000))]
    both = rows(ai, time=MARCH, metrics=("effective_cost", "tokens"), dimensions=("model",))
    assert both == [("(none)", D(120), None), ("m1", D("52.5"), D(3500000))]


# --- periods -------------------------------------------------------------------------------------


def test_a_series_shows_loaded_periods_without_rows_as_zero(store: Store) -> None:
    legacy = where("team", "in", "legacy")
    found = rows(store, time=ALL, grain="month", filters=(legacy,), show="series")
    assert found == [
        (date(2025, 12, 1), D(0)),
        (date(2026, 1, 1), D(0)),
        (date(2026, 2, 1), D("7.5")),
        (date(2026, 3, 1), D(0)),
    ]
    wider = rows(store, time=days("2025-06-01", "2026-09-01"), grain="month", show="series")
    assert [row[0] for row in wider] == [row[0] for row in found]


def test_weeks_begin_on_monday_across_the_new_year(store: Store) -> None:
    found = rows(store, time=days("2025-12-29", "2026-01-12"), grain="week", show="series")
    # 2025-12-31 and 2026-01-01 are of one week. The data begins on the 31st.
    assert found == [(date(2025, 12, 29), D("11.000000000001")), (date(2026, 1, 5), D(0))]


def test_quarters_years_and_leap_days(store_of: StoreOf, charge: Make) -> None:
    store = store_of(
        [charge("2024-02-29", "3"), charge("2024-03-31", "4"), charge("2024-04-01", "5")]
    )
    span = days("2024-01-01", "2024-07-01")
    assert rows(store, time=span, grain="quarter") == [
        (date(2024, 1, 1), D(7)),
        (date(2024, 4, 1), D(5)),
    ]
    assert rows(store, time=span, grain="year") == [(date(2024, 1, 1), D(12))]
    assert rows(store, time=days("2024-02-29", "2024-03-01"), grain="day") == [
        (date(2024, 2, 29), D(3))
    ]


def test_a_series_of_the_top_keeps_whole_series(store: Store) -> None:
    found = rows(store, time=ALL, grain="month", dimensions=("team",), show="series", limit=2)
    assert len(found) == 4 * 2
    assert {row[1] for row in found} == {"search", "ads"}
    assert sum(row[2] for row in found if isinstance(row[2], Decimal)) == D("78.000000000001")


def test_hours_need_data_by_the_hour(store_of: StoreOf, store: Store, charge: Make) -> None:
    with pytest.raises(QueryRefused, match="finest step is a day"):
        run(store, time=MARCH, grain="hour")
    hourly = [
        charge(f"2026-03-01T{hour:02}:00:00", "1", ChargePeriodEnd=datetime(2026, 3, 1, hour + 1))  # noqa: DTZ001
        for hour in (0, 2)
    ]
    found = rows(
        store_of(hourly), time=days("2026-03-01", "2026-03-02"), grain="hour", show="series"
    )
    assert len(found) == 24
    assert [row[1] for row in found[:4]] == [D(1), D(0), D(1), D(0)]
    assert found[2][0] == datetime(2026, 3, 1, 2)  # noqa: DTZ001


def test_today_and_later_are_never_looked_at(store: Store) -> None:
    query = MetricQuery(time=MARCH)
    result = store.run(query, EVERYONE, as_of=date(2026, 3, 15))
    assert result.rows == ((D(30),),)
    assert result.scope.end == date(2026, 3, 15)
    assert result.scope.data_through == datetime(2026, 3, 15, tzinfo=UTC)
    assert result.notes == ("The period is not complete: figures run through 2026-03-14.",)


def test_billing_periods_are_another_axis(store_of: StoreOf, charge: Make) -> None:
    late = charge("2026-02-28", "8", BillingPeriodStart=datetime(2026, 3, 1))  # noqa: DTZ001
    store = store_of([late, charge("2026-03-05", "1")])
    billing = MARCH.model_copy(update={"axis": "billing"})
    assert rows(store, time=billing) == [(D(9),)]
    assert rows(store, time=MARCH) == [(D(1),)]
    assert rows(store, time=billing, grain="month") == [(date(2026, 3, 1), D(9))]


# --- comparisons ---------------------------------------------------------------------------------


def test_new_and_stopped_items_stand_beside_each_other(store: Store) -> None:
    result = run(store, time=MARCH, dimensions=("team",), compare=previous(FEBRUARY))
    assert [c.name for c in result.columns] == [
        "team",
        "effective_cost",
        "effective_cost_previous",
        "effective_cost_change",
        "effective_cost_change_ratio",
    ]
    assert result.rows == (
        ("search", D(30), D(20), D(10), 0.5),
        ("ads", D(12), D(0), D(12), None),
        ("labs", D(9), D(0), D(9), None),
        ("(untagged)", D(4), D("-2.5"), D("6.5"), pytest.approx(2.6)),
        ("legacy", D(0), D("7.5"), D("-7.5"), -1.0),
    )


def test_the_rows_between_two_periods_count_in_neither(store: Store) -> None:
    year_end = days("2025-12-01", "2026-01-01")
    found = rows(store, time=MARCH, dimensions=("team",), compare=previous(year_end, "explicit"))
    assert [row[0] for row in found] == ["search", "ads", "labs", "(untagged)"]
    assert found[0][1:4] == (D(30), D(1), D(29))
    assert rows(store, time=MARCH, compare=previous(year_end, "explicit"))[0][:2] == (D(55), D(1))


def test_periods_that_overlap_are_not_compared(store: Store) -> None:
    quarter = days("2026-01-01", "2026-04-01")
    with pytest.raises(QueryRefused, match="overlaps"):
        rows(store, time=MARCH, compare=previous(quarter, "explicit"))


def test_an_empty_previous_period_gives_no_ratio(store: Store) -> None:
    labs = where("team", "in", "labs")
    found = rows(store, time=MARCH, filters=(labs,), compare=previous(FEBRUARY))
    assert found == [(D(9), D(0), D(9), None)]


def test_a_previous_period_before_the_data_is_refused(store: Store) -> None:
    with pytest.raises(QueryRefused, match="period to compare with, 2025-03-01 to 2025-03-31"):
        run(store, time=MARCH, compare=previous(days("2025-03-01", "2025-04-01"), "year_ago"))


def test_an_unknown_cost_is_not_a_zero(store_of: StoreOf, charge: Make) -> None:
    store = store_of([charge("2026-02-01", "1", ListCost=None), charge("2026-03-01", "2")])
    found = rows(store, time=MARCH, metrics=("list_cost",), compare=previous(FEBRUARY))
    assert found == [(D(2), None, None, None)]


def test_order_limit_and_condition_on_a_change(store: Store) -> None:
    parts: Row = {"time": MARCH, "dimensions": ("team",), "compare": previous(FEBRUARY)}
    down = Order(by="change", descending=False)
    assert rows(store, **parts, order=(down,), limit=1)[0][0] == "legacy"
    grew = Having(metric="change_ratio", op="ge", value=D("0.5"))
    assert [row[0] for row in rows(store, **parts, having=(grew,))] == ["search", "(untagged)"]


def test_periods_step_by_step(store: Store) -> None:
    found = rows(store, time=MARCH, grain="week", compare=previous(FEBRUARY))
    # March 2026 touches six weeks, February five; the sixth has nothing beside it.
    assert [row[:3] for row in found] == [
        (date(2026, 2, 23), D(30), D(0)),
        (date(2026, 3, 2), D(0), D(0)),
        (date(2026, 3, 9), D(21), D(5)),
        (date(2026, 3, 16), D(0), D(0)),
        (date(2026, 3, 23), D(0), D(20)),
        (date(2026, 3, 30), D(4), None),
    ]


def test_values_compared_stand_there_even_without_rows(store: Store) -> None:
    asked = where("team", "in", "legacy", "search")
    found = rows(store, time=MARCH, filters=(asked,), compare=Compare(kind="values"))
    assert found == [("search", D(30)), ("legacy", D(0))]


# --- share, rank, pareto, count ------------------------------------------------------------------


def test_shares_are_of_the_whole_and_not_of_the_top(store: Store) -> None:
    parts: Row = {"time": MARCH, "dimensions": ("team",), "show": "share"}
    assert rows(store, **parts, limit=1) == [("search", D(30), pytest.approx(30 / 55))]
    only = where("team", "in", "ads", "labs")
    assert rows(store, **parts, filters=(only,)) == [
        ("ads", D(12), pytest.approx(12 / 55)),
        ("labs", D(9), pytest.approx(9 / 55)),
    ]
    # Another dimension's filter, and an exclusion, narrow the whole.
    aws = where("provider", "in", "AWS")
    assert rows(store, **parts, filters=(aws,))[0][2] == pytest.approx(30 / 46)
    without = where("team", "not_in", "search")
    assert rows(store, **parts, filters=(without,))[0] == ("ads", D(12), pytest.approx(12 / 25))


def test_a_share_without_a_dimension_is_of_everything(store: Store) -> None:
    untagged = where("team", "is_null")
    assert rows(store, time=MARCH, show="share", filters=(untagged,)) == [
        (D(4), pytest.approx(4 / 55))
    ]
    found = rows(store, time=MARCH, show="share", filters=(untagged,), compare=previous(FEBRUARY))
    assert found[0][:2] == (D(4), D("-2.5"))
    assert found[0][-3:] == pytest.approx((4 / 55, -2.5 / 25, 4 / 55 + 0.1))


def test_the_share_of_nothing_is_no_value(store_of: StoreOf, charge: Make) -> None:
    store = store_of([charge("2026-03-01", "5", x_Team="a"), charge("2026-03-02", "-5")])
    found = rows(store, time=MARCH, dimensions=("team",), show="share")
    assert found == [("a", D(5), None), ("(untagged)", D(-5), None)]


def test_rank_is_among_all(store: Store) -> None:
    parts: Row = {"time": MARCH, "dimensions": ("team",), "show": "rank"}
    labs = where("team", "in", "labs")
    assert rows(store, **parts, filters=(labs,)) == [("labs", D(9), 3)]
    two = where("team", "in", "labs", "ads")
    assert rows(store, **parts, filters=(two,)) == [("ads", D(12), 1), ("labs", D(9), 2)]


def test_pareto_runs_to_one_and_its_limit_cuts_rows_only(store: Store) -> None:
    found = rows(store, time=MARCH, dimensions=("team",), show="pareto")
    assert [row[3] for row in found] == pytest.approx([30 / 55, 42 / 55, 51 / 55, 1.0])
    assert rows(store, time=MARCH, dimensions=("team",), show="pareto", limit=2) == found[:2]


def test_counts_are_of_distinct_values_that_there_are(store: Store) -> None:
    parts: Row = {"dimensions": ("team",), "show": "count"}
    result = run(store, time=MARCH, **parts)
    assert result.rows == ((3,),)
    assert [(c.name, c.unit) for c in result.columns] == [("count", "count")]
    more = Having(metric="effective_cost", op="gt", value=D(10))
    assert rows(store, time=MARCH, **parts, having=(more,)) == [(2,)]
    none = where("service", "contains", "no such service")
    assert rows(store, time=MARCH, **parts, filters=(none,)) == [(0,)]
    assert rows(store, time=MARCH, **parts, compare=previous(FEBRUARY)) == [(3, 2, 1, 0.5)]


# --- currencies ----------------------------------------------------------------------------------


@pytest.fixture
def mixed(store_of: StoreOf, charge: Make) -> Store:
    def euro(day: str, cost: str, **more: Any) -> Row:
        return charge(day, cost, BillingCurrency="EUR", ServiceProviderName="Microsoft", **more)

    return store_of(
        [
            charge("2026-02-01", "5", x_Team="ads"),
            charge("2026-04-01", "9", x_Team="ads"),
            euro("2026-04-01", "9", x_Team="ads"),
            charge(
                "2026-03-01", "100", x_Team="search", ConsumedQuantity=D(5), ConsumedUnit="Tokens"
            ),
            charge("2026-03-01", "60", x_Team="ads"),
            charge("2026-03-01", "40", x_Team="labs"),
            euro("2026-03-01", "7", x_Team="search", ConsumedQuantity=D(3), ConsumedUnit="Tokens"),
            euro("2026-03-02", "2", x_Team="labs"),
            euro("2026-03-02", "1", x_Team="ads"),
        ]
    )


def test_money_of_two_currencies_is_never_added(mixed: Store) -> None:
    result = run(mixed, time=MARCH)
    assert result.rows == (("EUR", D(10)), ("USD", D(200)))
    assert [(c.name, c.unit) for c in result.columns] == [
        ("currency", "text"),
        ("effective_cost", "currency"),
    ]
    assert result.scope.currency == "USD, EUR"
    assert result.notes == ("Amounts in USD and EUR are shown apart; they are never added.",)


def test_shares_ranks_and_limits_are_within_a_currency(mixed: Store) -> None:
    found = rows(mixed, time=MARCH, dimensions=("team",), show="share", limit=2)
    assert found == [
        ("EUR", "search", D(7), pytest.approx(0.7)),
        ("EUR", "labs", D(2), pytest.approx(0.2)),
        ("USD", "search", D(100), pytest.approx(0.5)),
        ("USD", "ads", D(60), pytest.approx(0.3)),
    ]
    top = rows(mixed, time=MARCH, dimensions=("team",), limit=1)
    assert top == [("EUR", "search", D(7)), ("USD", "search", D(100))]
    changed = rows(mixed, time=MARCH, compare=previous(FEBRUARY))
    assert [row[:3] for row in changed] == [("EUR", D(10), D(0)), ("USD", D(200), D(5))]


def test_one_currency_in_scope_needs_no_column(mixed: Store) -> None:
    result = run(mixed, time=MARCH, filters=(where("provider", "in", "Microsoft"),))
    assert result.rows == ((D(10),),)
    assert result.columns[0].unit == result.scope.currency == "EUR"
    assert result.notes == ()
    assert rows(mixed, time=FEBRUARY) == [(D(5),)]


def test_tokens_add_up_across_currencies(mixed: Store) -> None:
    assert rows(mixed, time=MARCH, metrics=("tokens",)) == [(D(8),)]
    both = run(mixed, time=MARCH, metrics=("tokens", "effective_cost"))
    assert both.rows == (("EUR", D(3), D(10)), ("USD", D(5), D(200)))


def test_a_series_in_two_currencies(mixed: Store) -> None:
    found = rows(mixed, time=days("2026-02-01", "2026-04-01"), grain="month", show="series")
    assert found == [
        ("EUR", date(2026, 2, 1), D(0)),
        ("EUR", date(2026, 3, 1), D(10)),
        ("USD", date(2026, 2, 1), D(5)),
        ("USD", date(2026, 3, 1), D(200)),
    ]


# --- evidence ------------------------------------------------------------------------------------


def test_a_result_carries_its_evidence(store: Store) -> None:
    result = store.run(
        MetricQuery(time=MARCH, dimensions=("team",), filters=(where("provider", "in", "AWS"),)),
        EVERYONE,
        result_id="r7",
    )
    assert result.id == "r7"
    assert result.title == "Effective cost by team, 2026-03-01 to 2026-03-31"
    assert result.query == {
        "time": {"start": "2026-03-01", "end": "2026-04-01"},
        "dimensions": ["team"],
        "filters": [
            {
                "dimension": "provider",
                "op": "in",
                "values": [{"raw": "AWS", "canonical": "AWS"}],
            }
        ],
    }
    assert result.scope.filters == ({"dimension": "provider", "op": "in", "values": ["AWS"]},)
    assert (result.scope.start, result.scope.end) == (MARCH.start, MARCH.end)
    assert (result.scope.currency, result.scope.cost_metric) == ("USD", "effective_cost")
    assert result.scope.data_through == datetime(2026, 4, 1, tzinfo=UTC)


def test_the_shown_statement_is_the_one_that_ran(store: Store) -> None:
    for parts in ({}, {"dimensions": ("team",)}, {"compare": previous(FEBRUARY)}):
        result = run(store, time=MARCH, **parts)
        cursor = store.database.cursor()
        assert tuple(cursor.execute(result.sql).fetchall()) == result.rows


def test_more_than_a_thousand_rows_are_counted_and_cut(store_of: StoreOf, charge: Make) -> None:
    store = store_of([charge("2026-03-01", str(n), ResourceId=f"r{n}") for n in range(1, 1003)])
    result = run(store, time=MARCH, dimensions=("resource_id",))
    assert (len(result.rows), result.row_count, result.truncated) == (1000, 1002, True)
    assert result.rows[0] == ("r1002", D(1002))


def test_a_provider_that_ends_early_is_named(store_of: StoreOf, charge: Make) -> None:
    def vendor(day: str, name: str, **more: Any) -> Row:
        return charge(day, "1", ServiceProviderName=name, **more)

    month = {"ChargePeriodEnd": datetime(2026, 4, 1)}  # noqa: DTZ001
    store = store_of(
        [
            vendor("2026-03-31", "AWS"),
            vendor("2026-03-29", "OpenAI", x_Team="search"),
            vendor("2026-03-01", "Monthly SaaS", **month),
            vendor("2025-10-01", "Gone"),
        ]
    )
    assert run(store, time=MARCH).notes == ("OpenAI's data ends on 2026-03-29.",)
    assert run(store, time=days("2026-03-01", "2026-03-20")).notes == ()
    aws = where("provider", "in", "AWS")
    assert run(store, time=MARCH, filters=(aws,)).notes == ()
    search = where("team", "in", "search")
    assert run(store, time=MARCH, filters=(search,)).notes == ("OpenAI's data ends on 2026-03-29.",)


def test_all_of_time_is_a_period(store: Store, ledger: list[Row]) -> None:
    for grain in (None, "month", "year"):
        result = run(store, time=days("0001-01-01", "9999-12-31"), grain=grain)
        assert sum(D(str(row[-1])) for row in result.rows) == sum(
            row["EffectiveCost"] for row in ledger
        )


def test_days_before_the_data_are_said(store: Store) -> None:
    result = run(store, time=days("2025-11-01", "2026-04-01"))
    assert result.notes[0] == "The period is only partly loaded: data begins on 2025-12-31."
    compared = run(store, time=MARCH, compare=previous(days("2025-12-01", "2026-01-01")))
    assert "The period compared with is only partly loaded" in compared.notes[0]


# --- principals ----------------------------------------------------------------------------------


@pytest.fixture
def guarded(store_of: StoreOf, ledger: list[Row]) -> Store:
    return store_of(
        ledger,
        principals={
            "search": {"allow": {"team": ["search"]}, "hide": ["ListCost"]},
            "tagless": {"allow": {"team": ["(untagged)"]}},
            "ghostly": {"allow": {"team": ["no such team"]}},
            "boss": {},
        },
    )


def test_no_query_reaches_a_row_out_of_scope(guarded: Store) -> None:
    who = guarded.principal("search")
    result = guarded.run(MetricQuery(time=ALL), who)
    assert result.rows == ((D("61.000000000001"),),)
    assert result.scope.filters == (
        {"dimension": "team", "op": "in", "values": ["search"], "by": "principal"},
    )
    for show in ("table", "share", "rank", "pareto"):
        query = MetricQuery.model_validate({"time": MARCH, "dimensions": ("team",), "show": show})
        found = guarded.run(query, who)
        assert [row[0] for row in found.rows] == ["search"]
    share = guarded.run(
        MetricQuery(time=MARCH, show="share", filters=(where("environment", "in", "prod"),)), who
    )
    assert share.rows == ((D(30), 1.0),)
    untagged = guarded.run(MetricQuery(time=MARCH), guarded.principal("tagless"))
    assert untagged.rows == ((D(4),),)
    assert guarded.run(MetricQuery(time=MARCH), guarded.principal("boss")).rows == ((D(55),),)


def test_another_team_reads_the_same_as_none(guarded: Store) -> None:
    who = guarded.principal("search")
    said = []
    for name in ("ads", "no such team"):
        for op in ("in", "not_in"):
            with pytest.raises(QueryRefused) as refusal:
                guarded.run(MetricQuery(time=MARCH, filters=(where("team", op, name),)), who)
            assert refusal.value.reason == "NOT_PERMITTED"
            assert "ads" not in refusal.value.candidates
            said.append(str(refusal.value).replace(name, "NAME"))
    assert set(said) == {'"NAME" is not among the teams you may see.'}
    for name in ("OpenAI", "No Such Provider"):
        with pytest.raises(QueryRefused) as refusal:
            guarded.run(MetricQuery(time=MARCH, filters=(where("provider", "in", name),)), who)
        assert refusal.value.reason == "UNKNOWN_VALUE"
        assert refusal.value.candidates == ()


def test_metrics_on_hidden_columns_are_refused(guarded: Store) -> None:
    who = guarded.principal("search")
    for query in (
        MetricQuery(time=MARCH, metrics=("savings",)),
        MetricQuery(time=MARCH, basis="list"),
        MetricQuery(time=MARCH, order=(Order(by="list_cost"),), dimensions=("service",)),
        MetricQuery(time=MARCH, having=(Having(metric="savings", op="gt", value=D(0)),)),
    ):
        with pytest.raises(QueryRefused, match="hidden from you") as refusal:
            guarded.run(query, who)
        assert refusal.value.reason == "NOT_PERMITTED"


def test_who_may_see_nothing_is_told_so(guarded: Store) -> None:
    for name, reason in (
        ("ghost", "NOT_PERMITTED"),
        (None, "NOT_PERMITTED"),
        ("", "NOT_PERMITTED"),
        ("ghostly", "NO_DATA_SOURCE"),
    ):
        who = guarded.principal(name)
        reads: list[Callable[[], object]] = [
            partial(guarded.run, MetricQuery(time=MARCH), who),
            partial(guarded.facts, who),
        ]
        for read in reads:
            with pytest.raises(QueryRefused) as refusal:
                read()
            assert refusal.value.reason == reason


def test_rows_that_arrive_are_seen_after_the_swap(
    store: Store, charge: Make, insert: Callable[..., None]
) -> None:
    from finops_assistant.store import catalogue

    assert store.facts(EVERYONE).last_day == date(2026, 3, 31)
    cursor = store.database.cursor()
    insert(cursor, [charge("2026-04-01", "1", x_Team="fresh", _file_id=2)])
    catalogue.refresh(cursor, full=False, file_ids=[2])
    store.database.version = "v2"  # type: ignore[misc]  # the fixture's stand-in lets it be set
    assert store.facts(EVERYONE).last_day == date(2026, 4, 1)
    assert "fresh" in store.catalogue(EVERYONE).values("team")
    april = days("2026-04-01", "2026-04-02")
    assert rows(store, time=april, filters=(where("team", "in", "fresh"),)) == [(D(1),)]
    assert store.facts(EVERYONE).today - timedelta(days=1) == date(2026, 4, 1)


def test_a_name_that_begins_like_another_is_said_to_be_apart(
    store_of: StoreOf, charge: Make
) -> None:
    store = store_of(
        [
            charge("2026-01-05", "1", x_Environment="prod"),
            charge("2026-01-06", "2", x_Environment="production"),
            charge("2026-01-07", "4", x_Environment="dev"),
        ]
    )

    def notes(op: str) -> tuple[str, ...]:
        query = MetricQuery(time=JANUARY, filters=(where("environment", op, "prod"),))
        return store.run(query, EVERYONE, as_of=date(2026, 2, 1)).notes

    apart = "Environment production, a value of its own, is {} these figures."
    assert apart.format("not part of") in notes("in")
    assert apart.format("counted in") in notes("not_in")
