"""Figures of what was billed and of what models did, in one answer; truths are added up by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Result
from finops_assistant.store.store import Store

Row = dict[str, Any]
Make = Callable[..., Row]
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}
FEBRUARY = {"start": "2026-02-01", "end": "2026-03-01"}
PREVIOUS = {"kind": "previous", "baseline": FEBRUARY}


def ask(store: Store, principal: Principal = EVERYONE, **parts: Any) -> Result:
    return store.run(MetricQuery.model_validate({"time": MARCH} | parts), principal)


def up(name: str) -> dict[str, Any]:
    return {"by": name, "descending": False}


def rows(store: Store, *metrics: str, **parts: Any) -> list[tuple[Any, ...]]:
    return [
        tuple(float(c) if isinstance(c, Decimal) else c for c in row)
        for row in ask(store, metrics=metrics or ("effective_cost",), **parts).rows
    ]


@pytest.fixture
def bills(charge: Make) -> list[Row]:
    """OpenAI bills tokens of two models and teams, AWS a machine and tokens without any usage."""
    ai: Row = {"ServiceProviderName": "OpenAI", "ServiceName": "OpenAI API"}
    in_, out = {"x_TokenDirection": "Input"}, {"x_TokenDirection": "Output"}
    search, ads = {"x_Team": "search"}, {"x_Team": "ads"}
    return [
        charge("2026-02-10", "2.00", x_ModelId="gpt-4o", **ai, **in_, **search),
        charge("2026-03-10", "4.00", x_ModelId="gpt-4o", **ai, **in_, **search),
        charge("2026-03-10", "6.00", x_ModelId="gpt-4o", **ai, **out, **search),
        charge("2026-03-11", "5.00", x_ModelId="gpt-4o", **ai, **in_, **ads),
        charge("2026-03-11", "9.00", x_ModelId="gpt-5", **ai, **in_, **ads),
        charge("2026-03-12", "1.50", x_ModelId=None, **ai),  # a fee, no tokens
        charge("2026-03-12", "100.00", x_Team="search"),
        charge("2026-03-13", "30.00", x_ModelId="claude-opus-4-6", **in_, **ads),
    ]


@pytest.fixture
def usage(used: Make) -> list[Row]:
    in_, out = {"x_TokenDirection": "Input"}, {"x_TokenDirection": "Output"}
    search, ads = {"x_Team": "search"}, {"x_Team": "ads"}
    logged = {"Layer": "gateway", "Chosen": False}
    return [
        used("2026-02-10", 1_000_000, **in_, **search),
        used("2026-02-10", Requests=10, **search),
        used("2026-03-10", 1_500_000, **in_, x_TokenCacheAction="Uncached", **search),
        used("2026-03-10", 500_000, **in_, x_TokenCacheAction="Read", **search),
        used("2026-03-10", 250_000, **out, **search),
        used("2026-03-10", Requests=40, Errors=3, **search),
        used("2026-03-11", 2_500_000, ChosenDetail=False, **in_, **ads),
        used("2026-03-11", Requests=50, ChosenDetail=False, **ads),
        # no bill: another day, and a model that was never billed
        used("2026-03-09", 250_000, ChosenDetail=False, **in_, **ads),
        used("2026-03-09", 1_000, x_ModelId="gpt-5-nano", ChosenDetail=False, **out, **ads),
        # what the gateway saw of the same calls
        used("2026-03-11", 1_250_000, **in_, **ads, **logged, x_Feature="chat"),
        used("2026-03-11", 999_999, **in_, Layer="trace", Chosen=False, ChosenDetail=False),
        used("2026-03-11", Requests=20, **ads, **logged, x_Feature="chat"),
    ]


@pytest.fixture
def store(store_of: Callable[..., Store], bills: list[Row], usage: list[Row]) -> Store:
    return store_of(bills, usage)


def test_layers_are_never_added(store: Store) -> None:
    assert rows(store, "tokens") == [(5_001_000,)]
    assert rows(store, "input_tokens", "output_tokens", "cached_input_tokens") == [
        (4_750_000, 251_000, 500_000)
    ]
    assert rows(store, "requests", "errors") == [(90, 3)]
    assert "Chosen" in ask(store, metrics=["tokens"]).sql


def test_a_ratio_counts_only_what_meets(store: Store) -> None:
    # 10 March: 10.00 for 2.25M; 11 March, gpt-4o: 5.00 for 2.5M. Neither the tokens of 9 March
    # nor gpt-5, Claude and the fee have a counterpart.
    assert rows(store, "cost_per_1m_tokens") == [(pytest.approx(15 / 4.75),)]
    assert rows(store, "cost_per_request") == [(pytest.approx(15 / 90),)]


def test_usage_of_one_account_does_not_divide_the_cost_of_two(
    store_of: Callable[..., Store], charge: Make, used: Make
) -> None:
    ai: Row = {"ServiceProviderName": "OpenAI", "x_ModelId": "gpt-4o", "x_TokenDirection": "Input"}
    bills = [
        charge("2026-03-10", "4", SubAccountId="one", **ai),
        charge("2026-03-10", "6", SubAccountId="two", **ai),
    ]
    store = store_of(bills, [used("2026-03-10", 1_000_000, SubAccountId="one")])
    assert rows(store, "cost_per_1m_tokens") == [(pytest.approx(4.0),)]
    unknown = store_of(bills, [used("2026-03-10", 1_000_000)])
    found = ask(unknown, metrics=["cost_per_1m_tokens"])
    assert found.rows == ()
    assert "No cost and no tokens are of the same provider, account, model and day." in found.notes


def test_what_a_ratio_leaves_out_is_said_in_shares(store: Store) -> None:
    query = MetricQuery.model_validate({"time": MARCH, "metrics": ["cost_per_1m_tokens"]})
    told = store.coverage(query, EVERYONE)
    assert told
    assert [c.name for c in told.columns] == ["tokens_billed", "effective_cost_used"]
    # 4.75M of 5.001M tokens; 15 of 54 of the cost of tokens
    assert told.rows == ((pytest.approx(4_750_000 / 5_001_000), pytest.approx(15 / 54)),)
    assert told.notes == (
        "Of the tokens, 95.0% have a bill on their day: only they count.",
        "Of the cost in question, 27.8% has usage on its day: only that counts.",
    )
    plain = MetricQuery.model_validate({"time": MARCH})
    assert store.coverage(plain, EVERYONE) is None


def test_no_ratio_where_a_side_is_missing(store: Store) -> None:
    assert rows(store, "cost_per_1m_tokens", dimensions=["model"], order=[up("model")]) == [
        ("claude-opus-4-6", None),
        ("gpt-4o", pytest.approx(15 / 4.75)),
        ("gpt-5", None),
        ("gpt-5-nano", None),
    ]
    assert rows(
        store, "cost_per_1m_tokens", dimensions=["token_direction"], order=[up("token_direction")]
    ) == [
        ("Input", pytest.approx(9 / 4.5)),
        ("Output", pytest.approx(6 / 0.25)),
    ]


def test_cost_and_usage_stand_side_by_side_without_fan_out(store: Store) -> None:
    metrics = ("effective_cost", "tokens", "requests")
    assert rows(store, *metrics, dimensions=["team"], order=[up("team")]) == [
        ("(untagged)", 1.5, None, None),
        ("ads", 44, 2_751_000, 50),
        ("search", 110, 2_250_000, 40),
    ]
    assert rows(store, *metrics) == [(155.5, 5_001_000, 90)]
    assert rows(store, *metrics, dimensions=["provider"], order=[up("provider")]) == [
        ("AWS", 130, None, None),
        ("OpenAI", 25.5, 5_001_000, 90),
    ]


def test_side_by_side_with_a_ratio_over_both_and_one_of_one_table(store: Store) -> None:
    found = rows(
        store, "requests", "cost_per_request", "effective_cost", "cost_per_gpu_hour",
        dimensions=["team"], order=[{"by": "requests"}],
    )  # fmt: skip
    assert found == [
        ("ads", 50, pytest.approx(5 / 50), 44, None),
        ("search", 40, pytest.approx(10 / 40), 110, None),
        ("(untagged)", None, None, 1.5, None),
    ]


def test_a_period_beside_another(store: Store) -> None:
    names = ("effective_cost", "tokens", "cost_per_1m_tokens")
    (row,) = rows(store, *names, compare=PREVIOUS)
    cost, cost_before, *_, ratio, ratio_before, change, _ = row
    assert (cost, cost_before) == (155.5, 2)
    assert (ratio, ratio_before) == (pytest.approx(15 / 4.75), pytest.approx(2.0))
    assert change == pytest.approx(15 / 4.75 - 2)
    found = rows(
        store, "tokens", "effective_cost", dimensions=["team"], compare=PREVIOUS,
        order=[up("team")],
    )  # fmt: skip
    assert [row[:3] for row in found] == [
        ("(untagged)", None, None),
        ("ads", 2_751_000, 0),
        ("search", 2_250_000, 1_000_000),
    ]
    assert [row[5:7] for row in found] == [(1.5, 0), (44, 0), (110, 2)]


def test_usage_alone_beside_the_period_before(store: Store) -> None:
    ((now, before, change, ratio),) = rows(store, "tokens", compare=PREVIOUS)
    assert (now, before, change, ratio) == (5_001_000, 1_000_000, 4_001_000, pytest.approx(4.001))


def test_a_series_over_both(store: Store) -> None:
    both = {"start": "2026-02-01", "end": "2026-04-01"}
    found = rows(
        store, "effective_cost", "tokens", "cost_per_1m_tokens", time=both, grain="month",
        show="series",
    )  # fmt: skip
    assert [row[1:] for row in found] == [
        (2, 1_000_000, pytest.approx(2.0)),
        (155.5, 5_001_000, pytest.approx(15 / 4.75)),
    ]
    found = rows(
        store, "tokens", "effective_cost", time=both, grain="month", show="series",
        dimensions=["team"], limit=1,
    )  # fmt: skip
    assert [row[1:] for row in found] == [("search", 1_000_000, 2), ("search", 2_250_000, 110)] or [
        row[1] for row in found
    ] == ["search", "search"]


def test_month_by_month_beside_another(store: Store) -> None:
    found = rows(store, "effective_cost", "tokens", grain="month", compare=PREVIOUS)
    assert [(r[1], r[2], r[5], r[6]) for r in found] == [(155.5, 2, 5_001_000, 1_000_000)]


def test_share_rank_and_top_over_usage(store: Store) -> None:
    assert rows(store, "tokens", dimensions=["team"], show="share") == [
        ("ads", 2_751_000, pytest.approx(2_751 / 5_001)),
        ("search", 2_250_000, pytest.approx(2_250 / 5_001)),
    ]
    assert rows(store, "requests", dimensions=["model"], show="rank", limit=1) == [
        ("gpt-4o", 90, 1)
    ]
    assert rows(store, "effective_cost", "tokens", dimensions=["model"], show="rank", limit=2) == [
        ("(none)", 101.5, None, 1),
        ("claude-opus-4-6", 30, None, 2),
    ]
    where = [{"dimension": "team", "op": "in", "values": ["ads"]}]
    assert rows(store, "tokens", show="share", filters=where) == [
        (2_751_000, pytest.approx(2_751 / 5_001))
    ]
    assert rows(store, "effective_cost", "tokens", show="share", filters=where) == [
        (44, 2_751_000, pytest.approx(44 / 155.5))
    ]


def test_conditions_on_the_other_table(store: Store) -> None:
    having = [{"metric": "tokens", "op": "gt", "value": 2_300_000}]
    assert rows(store, "effective_cost", dimensions=["team"], having=having) == [("ads", 44)]
    assert rows(store, show="count", dimensions=["team"], having=having) == [(1,)]
    both = [*having, {"metric": "effective_cost", "op": "gt", "value": 200}]
    assert rows(store, show="count", dimensions=["team"], having=both) == [(0,)]


def test_a_feature_is_what_the_logs_know(store: Store) -> None:
    found = ask(store, metrics=["tokens", "requests"], dimensions=["feature"])
    assert found.rows == (
        ("(untagged)", Decimal(2_250_000), 40),
        ("chat", Decimal(1_250_000), 20),
    )
    assert any("sources that know it" in note for note in found.notes)
    query = MetricQuery.model_validate(
        {"time": MARCH, "metrics": ["tokens"], "filters": [_in("feature", "chat")]}
    )
    told = store.coverage(query, EVERYONE)
    assert told
    assert told.rows == ((pytest.approx(3_500_000 / 5_001_000),),)
    assert told.notes == ("These sources cover 70.0% of the tokens.",)
    assert rows(store, "tokens", filters=[_in("feature", "chat")]) == [(1_250_000,)]


def _in(dimension: str, *values: str) -> dict[str, Any]:
    return {"dimension": dimension, "op": "in", "values": list(values)}


def test_notes_name_what_usage_lacks(store: Store) -> None:
    notes = ask(store, metrics=["tokens"]).notes
    assert "AWS bills tokens, and no usage that counts them is loaded." in notes
    notes = ask(store, metrics=["tokens"], filters=[_in("provider", "OpenAI")]).notes
    assert notes == ("The period is not complete: figures run through 2026-03-13.",) or all(
        "AWS" not in note for note in notes
    )


def test_a_provider_without_requests_is_named(
    store_of: Callable[..., Store], bills: list[Row], usage: list[Row], used: Make
) -> None:
    aws = used("2026-03-13", 7_000_000, ServiceProviderName="AWS", x_ModelId="claude-opus-4-6",
               Layer="bill", x_TokenDirection="Input", x_Team="ads")  # fmt: skip
    store = store_of(bills, [*usage, aws])
    found = ask(store, metrics=["cost_per_request"])
    assert "Of AWS no requests are known: none are counted." in found.notes
    assert found.rows == ((pytest.approx(15 / 90),),)
    assert rows(store, "tokens") == [(12_001_000,)]


def test_currencies_stay_apart_and_tokens_are_counted_once(
    store_of: Callable[..., Store], charge: Make, used: Make
) -> None:
    euro = {"BillingCurrency": "EUR", "x_TokenDirection": "Input"}
    dollar = {"BillingCurrency": "USD", "x_TokenDirection": "Input"}
    openai = {"ServiceProviderName": "OpenAI", "x_ModelId": "gpt-4o"}
    azure = {"ServiceProviderName": "Microsoft", "x_ModelId": "gpt-4o"}
    store = store_of(
        [
            charge("2026-03-10", "8", **dollar, **openai),
            charge("2026-03-10", "3", **euro, **azure),
            charge("2026-03-11", "4", **euro, **azure),
            charge("2026-03-11", "5", **dollar, **azure),
        ],
        [
            used("2026-03-10", 2_000_000),
            used("2026-03-10", 1_000_000, ServiceProviderName="Microsoft"),
            used("2026-03-11", 1_000_000, ServiceProviderName="Microsoft"),
        ],
    )
    # On 11 March Microsoft billed one model in two currencies: its tokens belong to neither.
    assert rows(store, "cost_per_1m_tokens") == [
        ("(none)", None),
        ("EUR", pytest.approx(3.0)),
        ("USD", pytest.approx(4.0)),
    ]
    side = rows(store, "effective_cost", "tokens", dimensions=["provider"])
    assert sorted(side, key=str) == [
        ("(none)", "Microsoft", None, 1_000_000),
        ("EUR", "Microsoft", 7, 1_000_000),
        ("USD", "Microsoft", 5, None),
        ("USD", "OpenAI", 8, 2_000_000),
    ]
    assert sum(row[3] or 0 for row in side) == 4_000_000
    assert rows(store, "effective_cost", "tokens") == [
        ("(none)", None, 1_000_000),
        ("EUR", 7, 1_000_000),
        ("USD", 13, 2_000_000),
    ]


def test_a_principal_sees_the_usage_of_its_rows(store: Store) -> None:
    ads = Principal(name="ann", allow={"team": ("ads",)})
    assert ask(store, ads, metrics=["tokens"]).rows == ((Decimal(2_751_000),),)
    assert "gpt-5-nano" in store.catalogue(ads).values("model")
    search = Principal(name="sue", allow={"team": ("search",)})
    assert "gpt-5-nano" not in store.catalogue(search).values("model")
    found = ask(store, search, metrics=["effective_cost", "tokens"], dimensions=["team"])
    assert found.rows == (("search", Decimal(110), Decimal(2_250_000)),)
    hidden = Principal(name="pat", hide=frozenset({"ConsumedQuantity"}))
    with pytest.raises(QueryRefused, match="may not see tokens"):
        ask(store, hidden, metrics=["tokens"])


def test_a_value_of_usage_alone_is_known(store: Store) -> None:
    seen = store.catalogue(EVERYONE)
    assert seen.values("model")[-1] == "gpt-5-nano"
    assert seen.values("technology") == ("AI", "Other")
    assert rows(store, "tokens", filters=[_in("model", "gpt-5-nano")]) == [(1_000,)]
    assert store.facts(EVERYONE).last_day == date(2026, 3, 13)


def test_before_the_first_usage_nothing_is_known(store: Store) -> None:
    query: dict[str, Any] = {
        "metrics": ["tokens"],
        "compare": {"kind": "previous", "baseline": MARCH},
    }
    early = {"start": "2026-01-01", "end": "2026-02-01"}
    with pytest.raises(QueryRefused, match="lies before"):
        ask(store, time=early, **query)


def test_bills_before_the_first_usage(
    store_of: Callable[..., Store], charge: Make, bills: list[Row], usage: list[Row]
) -> None:
    store = store_of([charge("2026-01-05", "1"), *bills], usage)
    early = {"start": "2026-01-01", "end": "2026-02-01"}
    with pytest.raises(
        QueryRefused, match="no model usage: what is loaded of it runs from 2026-02-10"
    ):
        ask(store, time=early, metrics=["tokens"])
    quarter = {"start": "2026-01-01", "end": "2026-04-01"}
    found = rows(store, "tokens", time=quarter, grain="month", show="series")
    assert [row[1] for row in found] == [1_000_000, 5_001_000]


@pytest.mark.parametrize("metric", ["tokens", "requests", "cost_per_1m_tokens", "cost_per_request"])
def test_without_usage_the_answer_says_what_to_load(
    store_of: Callable[..., Store], bills: list[Row], metric: str
) -> None:
    with pytest.raises(QueryRefused, match="finops ingest") as refusal:
        ask(store_of(bills), metrics=[metric])
    assert refusal.value.reason == "NO_DATA_SOURCE"


def test_ai_spend_is_one_definition_over_every_provider(
    store_of: Callable[..., Store], charge: Make
) -> None:
    store = store_of(
        [
            charge("2026-03-01", "1", ServiceCategory="AI and Machine Learning"),
            charge("2026-03-01", "2", x_GpuHours=Decimal(8), ServiceCategory="Compute"),
            charge("2026-03-01", "4", x_ModelId="gpt-4o", ServiceProviderName="OpenAI"),
            charge("2026-03-01", "8", x_WorkloadType="training"),
            charge("2026-03-01", "16", x_WorkloadType="pipeline", x_Initiative="help"),
            charge("2026-03-01", "32", x_WorkloadType="pipeline"),
            charge("2026-03-01", "64"),
        ]
    )
    assert rows(store, dimensions=["technology"]) == [("Other", 96), ("AI", 31)]
    found = ask(store, filters=[_in("technology", "AI")])
    assert found.rows == ((Decimal(31),),)
    assert found.notes[0].startswith("AI is what any provider bills for AI services")


def test_nobody_who_counts_them_is_no_zero(
    store_of: Callable[..., Store], bills: list[Row], usage: list[Row], used: Make
) -> None:
    aws = used("2026-03-13", 7_000_000, ServiceProviderName="AWS", x_ModelId="claude-opus-4-6",
               Layer="bill", x_TokenDirection="Input", x_Team="ads")  # fmt: skip
    store = store_of(bills, [*usage, aws])
    for metric in ("requests", "cost_per_request"):
        with pytest.raises(QueryRefused, match="No requests are known for AWS") as refusal:
            ask(store, metrics=[metric], filters=[_in("provider", "AWS")])
        assert refusal.value.reason == "NO_DATA_SOURCE"
    without = store_of(bills, [{**row, "Errors": None} for row in usage])
    with pytest.raises(QueryRefused, match="does not count them"):
        ask(without, metrics=["errors"])


def test_notes_say_where_usage_begins_and_ends(
    store_of: Callable[..., Store], charge: Make, bills: list[Row], usage: list[Row]
) -> None:
    early = charge("2026-02-01", "1", ServiceProviderName="OpenAI")
    late = charge("2026-03-30", "1", ServiceProviderName="OpenAI")
    store = store_of([early, *bills, late], usage)
    both = {"start": "2026-02-01", "end": "2026-04-01"}
    notes = ask(store, time=both, metrics=["tokens"]).notes
    assert "Model usage of OpenAI begins on 2026-02-10." in notes
    assert "Model usage of OpenAI ends on 2026-03-11." in notes
