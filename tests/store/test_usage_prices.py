"""List prices of usage. The prices themselves are those of vendors' price pages, typed by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finops_assistant.store.settings import Settings
from finops_assistant.store.usage_prices import price_usage
from tests.store.usage_tables import add, memory


def priced(**usage: Any) -> tuple[Decimal | None, str | None]:
    """Cost and price list of one row of usage."""
    store = memory()
    row = {
        "source": "x", "layer": "vendor", "provider": "OpenAI", "started_at": "2026-09-01",
        "ended_at": "2026-09-02", "model_billed": "gpt-4o-mini-2024-07-18",
        "input_tokens": 1_000_000, "output_tokens": 0,
    }  # fmt: skip
    add(store, "llm_usage", **(row | usage))
    price_usage(store, Settings())
    found = store.execute("SELECT priced_cost, priced_by FROM llm_usage").fetchone()
    assert found is not None
    return found


SONNET = {"provider": "Anthropic", "model_billed": "claude-sonnet-4-5-20250929"}


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        # USD per million: GPT-4o mini 0.15 in, 0.075 cached, 0.60 out
        ({}, "0.15"),
        ({"cached_input_tokens": 400_000}, "0.12"),
        ({"output_tokens": 1_000_000}, "0.75"),
        ({"output_tokens": 1}, "0.1500006"),
        # half in batch, also before the list has it
        ({"batch": True, "output_tokens": 1_000_000}, "0.375"),
        ({"batch": True, "started_at": "2026-11-01", "ended_at": "2026-11-02"}, "0.075"),
        # Claude Sonnet 4.5: 3 in, 0.30 read, 3.75 written for 5 minutes, 6 for an hour, 15 out
        (SONNET | {"cached_input_tokens": 500_000, "cache_write_tokens": 200_000}, "1.8"),
        (SONNET | {"cache_write_tokens": 1_000_000, "cache_write_1h_tokens": 400_000}, "4.65"),
        # and twice that, 22.50 out, above 200,000 tokens of input
        (SONNET | {"context_window": "200k-1M", "output_tokens": 1_000_000}, "28.5"),
        # o3 was cut from 10 and 40 to 2 and 8 on 10 June 2025
        ({"model_billed": "o3", "started_at": "2025-05-01"}, "10"),
        ({"model_billed": "o3", "started_at": "2025-07-01"}, "2"),
        ({"model_billed": "text-embedding-3-small"}, "0.02"),
        # a month's tokens of a model with long-context prices are still many small requests
        (SONNET | {"input_tokens": 5_000_000_000}, "15000"),
    ],
)
def test_list_price(usage: dict[str, Any], dollars: str) -> None:
    cost, by = priced(**usage)
    assert cost == Decimal(dollars)
    assert str(by).startswith("genai-prices ")


@pytest.mark.parametrize(
    "usage",
    [
        {"model_billed": "my-deployment"},
        {"provider": "Somebody"},
        {"model_billed": None},
        {"media_tokens": 5},  # audio has prices of its own
        {"service_tier": "flex"},  # no price before October 2026
        {"batch": True, "provider": "AWS", "model_billed": "amazon.nova-pro-v1:0"},
        {"input_tokens": None},
        {"model_billed": "text-embedding-3-small", "output_tokens": 3},
    ],
)
def test_what_the_list_does_not_know_has_no_price(usage: dict[str, Any]) -> None:
    assert priced(**usage) == (None, None)


def test_each_row_has_the_price_of_its_day() -> None:
    store = memory()
    for day in ("2025-06-01", "2025-06-30"):
        add(
            store, "llm_usage", source="x", layer="vendor", provider="OpenAI", started_at=day,
            ended_at="2026-01-01", model_billed="o3", input_tokens=1_000_000, output_tokens=0,
        )  # fmt: skip
    for _ in range(2):
        price_usage(store, Settings())
        costs = store.execute("SELECT priced_cost FROM llm_usage ORDER BY started_at").fetchall()
        assert costs == [(Decimal(10),), (Decimal(2),)]


def test_prices_that_are_gone_leave_no_cost(store_with_price: duckdb.DuckDBPyConnection) -> None:
    store_with_price.execute("UPDATE llm_usage SET model_billed = 'unheard-of'")
    price_usage(store_with_price, Settings())
    assert store_with_price.execute("SELECT priced_cost FROM llm_usage").fetchone() == (None,)


@pytest.fixture
def store_with_price() -> duckdb.DuckDBPyConnection:
    store = memory()
    add(
        store, "llm_usage", source="x", layer="vendor", provider="OpenAI",
        started_at="2026-09-01", ended_at="2026-09-02", model_billed="gpt-5",
        input_tokens=10, output_tokens=1,
    )  # fmt: skip
    price_usage(store, Settings())
    assert store.execute("SELECT count(priced_cost) FROM llm_usage").fetchone() == (1,)
    return store
