"""One layer of usage is chosen for each provider, account and day; cases made by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finops_assistant.store.settings import Settings
from finops_assistant.store.usage_layers import derive_usage
from finops_assistant.store.usage_prices import price_usage
from tests.store.usage_tables import add, memory

SOURCES = {"vendor": "openai-usage", "gateway": "litellm", "trace": "langfuse"}


@pytest.fixture
def store() -> duckdb.DuckDBPyConnection:
    return memory()


def used(store: duckdb.DuckDBPyConnection, layer: str, tokens: int, **more: Any) -> None:
    """Input tokens of 12 October 2026, one request for each."""
    row = {
        "source": SOURCES[layer], "layer": layer, "provider": "OpenAI",
        "started_at": "2026-10-12 00:00", "ended_at": "2026-10-13 00:00", "model": "gpt-5",
        "model_billed": "gpt-5-2025-08-07", "input_tokens": tokens, "requests": tokens,
        "_file_id": 1,
    }  # fmt: skip
    add(store, "llm_usage", **(row | more))


def billed(store: duckdb.DuckDBPyConnection, tokens: int, **more: Any) -> None:
    row = {
        "ServiceProviderName": "OpenAI", "ServiceName": "OpenAI API", "ConsumedUnit": "Tokens",
        "ConsumedQuantity": tokens, "BillingAccountId": "org", "BillingAccountName": "Org",
        "ChargePeriodStart": "2026-10-12", "ChargePeriodEnd": "2026-10-13",
        "BillingPeriodStart": "2026-10-01", "BillingPeriodEnd": "2026-11-01",
        "ChargeCategory": "Usage", "x_TokenDirection": "Input", "RegionId": "eu", "_file_id": 9,
    }  # fmt: skip
    add(store, "charges", **(row | more))


def sums(store: duckdb.DuckDBPyConnection, flag: str = "Chosen") -> dict[str, int]:
    """Layer -> tokens that count."""
    price_usage(store, Settings())
    derive_usage(store, Settings())
    rows = store.execute(
        f"SELECT Layer, sum(Tokens)::BIGINT FROM usage WHERE {flag} AND Tokens IS NOT NULL "
        "GROUP BY 1"
    ).fetchall()
    return dict(rows)


def test_vendor_before_gateway_before_trace_before_bill(store: duckdb.DuckDBPyConnection) -> None:
    billed(store, 8, SubAccountId="a")
    assert sums(store) == {"bill": 8}
    used(store, "trace", 4, account="a")
    assert sums(store) == {"trace": 4}
    used(store, "gateway", 2, account="a")
    assert sums(store) == {"gateway": 2}
    used(store, "vendor", 1, account="a")
    assert sums(store) == {"vendor": 1}


def test_accounts_days_and_providers_are_settled_apart(store: duckdb.DuckDBPyConnection) -> None:
    used(store, "vendor", 1, account="a")
    used(store, "gateway", 20, account="a")
    used(store, "gateway", 2, account="b")
    billed(store, 400, SubAccountId="a")
    billed(store, 4, SubAccountId="c")
    billed(store, 8, SubAccountId="a", ChargePeriodStart="2026-10-13")
    billed(store, 16, SubAccountId="a", ServiceProviderName="Cohere")
    assert sums(store) == {"vendor": 1, "gateway": 2, "bill": 4 + 8 + 16}


@pytest.mark.parametrize("provider", ["OpenAI", "Anthropic", "AWS", "Microsoft"])
def test_an_unknown_account_may_be_any(store: duckdb.DuckDBPyConnection, provider: str) -> None:
    used(store, "vendor", 1, provider=provider, account="a")
    used(store, "gateway", 20, provider=provider)  # may be calls of a
    billed(store, 400, ServiceProviderName=provider, SubAccountId="a")
    # What is not chosen stands in no one's way.
    billed(store, 4, ServiceProviderName=provider, SubAccountId="b")
    assert sums(store) == {"vendor": 1, "bill": 4}
    used(store, "vendor", 2, provider=provider)  # may be calls of b
    assert sums(store) == {"vendor": 3}


def test_a_log_of_an_unknown_account_that_saw_less_than_the_bill(
    store: duckdb.DuckDBPyConnection,
) -> None:
    used(store, "trace", 5)
    billed(store, 3, SubAccountId="a")
    assert sums(store) == {"trace": 5}
    billed(store, 3, SubAccountId="b")
    assert sums(store) == {"bill": 6}


def test_azure_subscriptions_are_the_same_in_both_spellings(
    store: duckdb.DuckDBPyConnection,
) -> None:
    used(store, "gateway", 1, provider="Microsoft", account="AAAA-1")
    billed(
        store, 2, ServiceProviderName="Microsoft", SubAccountId="/subscriptions/aaaa-1",
    )  # fmt: skip
    assert sums(store) == {"gateway": 1}


def test_features_come_from_the_layer_that_names_them(store: duckdb.DuckDBPyConnection) -> None:
    used(store, "vendor", 100, account="a")
    assert sums(store, "ChosenDetail") == {}
    used(store, "trace", 8, feature="faq")
    assert sums(store, "ChosenDetail") == {"trace": 8}
    used(store, "gateway", 2, feature="faq")
    used(store, "gateway", 3)  # without a feature, in a layer that has it
    assert sums(store, "ChosenDetail") == {"gateway": 5}
    billed(store, 50, SubAccountId="a", x_Customer="c")
    assert sums(store, "ChosenDetail") == {"bill": 50}
    assert sums(store) == {"vendor": 100}
    # A bill counts no requests: those by feature are the gateway's.
    assert store.execute(
        "SELECT Layer, sum(Requests) FROM usage WHERE ChosenDetail AND Measure = 'requests' "
        "GROUP BY 1"
    ).fetchall() == [("gateway", 5)]


def test_classes_of_tokens_add_up_to_the_row(store: duckdb.DuckDBPyConnection) -> None:
    used(
        store, "vendor", 1_000_000, account="a", cached_input_tokens=300_000,
        cache_write_tokens=200_000, output_tokens=50_000, reasoning_tokens=9, requests=7, errors=1,
        repeated_requests=2, team="search", feature="f", api_key="k", batch=False,
    )  # fmt: skip
    billed(store, 1, SubAccountId="a", SubAccountName="Account A")
    sums(store)
    rows = store.execute(
        "SELECT Measure, x_TokenDirection, x_TokenCacheAction, Tokens::BIGINT, Requests, Errors, "
        "RepeatedRequests, PricedCost FROM usage WHERE Layer = 'vendor' ORDER BY ALL"
    ).fetchall()
    # GPT-5: 1.25 in, 0.125 read, 10 out per million; writing costs what input costs
    assert rows == [
        ("requests", None, None, None, 7, 1, 2, None),
        ("tokens", "Input", "Read", 300_000, None, None, None, Decimal("0.0375")),
        ("tokens", "Input", "Uncached", 500_000, None, None, None, Decimal("0.625")),
        ("tokens", "Input", "Write", 200_000, None, None, None, Decimal("0.25")),
        ("tokens", "Output", None, 50_000, None, None, None, Decimal("0.5")),
    ]
    assert store.execute("SELECT priced_cost FROM llm_usage").fetchone() == (Decimal("1.4125"),)
    dimensions = store.execute(
        "SELECT DISTINCT ServiceProviderName, ServiceName, BillingAccountId, BillingAccountName, "
        "SubAccountId, SubAccountName, x_ModelId, x_ModelDeveloper, x_ModelFamily, x_Team, "
        "x_Feature, x_ApiKeyId, x_WorkloadType, x_CostBasis, BillingPeriodEnd::DATE::VARCHAR, "
        "RegionId, Batch FROM usage WHERE Layer = 'vendor'"
    ).fetchall()
    assert dimensions == [
        ("OpenAI", "OpenAI API", "org", "Org", "a", "Account A", "gpt-5", "OpenAI", "GPT-5",
         "search", "f", "k", "inference", "priced", "2026-11-01", None, False)
    ]  # fmt: skip
    assert store.execute(
        "SELECT RegionId, Tokens::BIGINT, Chosen FROM usage WHERE Layer = 'bill'"
    ).fetchall() == [("eu", 1, False)]


def test_input_of_an_unknown_cache_is_not_called_uncached(
    store: duckdb.DuckDBPyConnection,
) -> None:
    used(store, "trace", 10)
    sums(store)
    assert store.execute(
        "SELECT x_TokenDirection, x_TokenCacheAction FROM usage WHERE Tokens = 10"
    ).fetchall() == [("Input", None)]


def test_one_vendor_report_under_two_groupings_counts_once(
    store: duckdb.DuckDBPyConnection,
) -> None:
    used(store, "vendor", 60, account="a", api_key="k1")
    used(store, "vendor", 40, account="a", api_key="k2")
    used(store, "vendor", 100, account="a", user_id=None, _file_id=2)
    assert sums(store) == {"vendor": 100}
    assert store.execute(
        "SELECT count(*) FROM usage WHERE Chosen AND x_ApiKeyId IS NULL"
    ).fetchone() == (0,)
    # A report of another account is no copy.
    used(store, "vendor", 5, account="b", user_id="u", _file_id=3)
    assert sums(store) == {"vendor": 105}
    # And of two that differ, the one that counts more was fetched later.
    store.execute("UPDATE llm_usage SET input_tokens = 120 WHERE _file_id = 2")
    assert sums(store) == {"vendor": 125}


def test_hours_and_days_of_one_vendor_count_once(store: duckdb.DuckDBPyConnection) -> None:
    used(store, "vendor", 70, account="a")
    for hour in (3, 4):
        used(
            store, "vendor", 35, account="a", started_at=f"2026-10-12 0{hour}:00",
            ended_at=f"2026-10-12 0{hour + 1}:00", _file_id=2,
        )  # fmt: skip
    assert sums(store) == {"vendor": 70}
    assert store.execute(
        "SELECT count(*) FROM usage WHERE Chosen AND hour(ChargePeriodStart) = 0"
    ).fetchone() == (0,)
    used(store, "vendor", 20, account="a", model_billed="gpt-5-mini")
    assert sums(store) == {"vendor": 90}
    used(store, "vendor", 1, account="a", operation="embeddings", started_at="2026-10-12 05:00",
         ended_at="2026-10-12 06:00", _file_id=2)  # fmt: skip
    assert sums(store) == {"vendor": 91}
