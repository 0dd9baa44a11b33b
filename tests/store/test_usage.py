"""Requests rolled up by the hour, against sums made by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finops_assistant.store.settings import Settings
from finops_assistant.store.usage import roll_up
from tests.store.usage_tables import add, memory


@pytest.fixture
def store() -> duckdb.DuckDBPyConnection:
    return memory()


def call(store: duckdb.DuckDBPyConnection, number: int, at: str, **more: Any) -> None:
    """A call on 12 October 2026 (or a whole time), 100 tokens in and 10 out."""
    row = {
        "source": "litellm",
        "request_id": f"r{number}",
        "layer": "gateway",
        "started_at": at if "-" in at else f"2026-10-12 {at}",
        "provider": "OpenAI",
        "model": "gpt-4o-mini-2024-07-18",
        "input_tokens": 100,
        "output_tokens": 10,
        "latency_ms": 1000,
        "reported_cost": Decimal("0.000000000001"),
        "_file_id": 1,
    }
    add(store, "llm_requests", **(row | more))


def rows(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    roll_up(store, Settings())
    return store.execute(f"SELECT {columns} FROM llm_usage ORDER BY started_at, team").fetchall()


def test_an_hour_of_calls(store: duckdb.DuckDBPyConnection) -> None:
    call(store, 1, "08:00:00", team="a", cached_input_tokens=40, latency_ms=100)
    call(store, 2, "08:59:59.999", team="a", cached_input_tokens=None, latency_ms=300)
    call(store, 3, "08:30:00", team="a", failed=True, input_tokens=0, output_tokens=0, latency_ms=9)
    call(store, 4, "08:30:00", team="b")
    call(store, 5, "09:00:00", team="a")
    found = rows(
        store,
        "strftime(started_at, '%H:%M'), strftime(ended_at, '%H:%M'), team, requests, errors, "
        "input_tokens, cached_input_tokens, output_tokens, latency_ms_p50::INTEGER, "
        "latency_ms_p95::INTEGER, (reported_cost * 1e12)::INTEGER, model, model_billed, layer",
    )
    model = ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gateway")
    assert found == [
        ("08:00", "09:00", "a", 3, 1, 200, 40, 20, 200, 290, 3, *model),
        ("08:00", "09:00", "b", 1, 0, 100, None, 10, 1000, 1000, 1, *model),
        ("09:00", "10:00", "a", 1, 0, 100, None, 10, 1000, 1000, 1, *model),
    ]


def test_a_prompt_repeats_within_24_hours(store: duckdb.DuckDBPyConnection) -> None:
    call(store, 1, "2026-10-12 08:00:00", prompt_hash="p")
    call(store, 2, "2026-10-13 08:00:00", prompt_hash="p")  # 24 hours: repeats
    call(store, 3, "2026-10-14 08:00:01", prompt_hash="p")  # a second more: does not
    call(store, 4, "2026-10-14 09:00:00", prompt_hash="p", model="gpt-5")  # another model
    call(store, 5, "2026-10-14 10:00:00", prompt_hash="p", failed=True)  # left nothing
    call(store, 6, "2026-10-15 09:59:00", prompt_hash="p")  # not within 24 h of number 3
    call(store, 7, "2026-10-15 10:00:00")  # unknown
    assert rows(store, "requests, repeated_requests") == [
        (1, 0), (1, 1), (1, 0), (1, 0), (1, None), (1, 0), (1, None)
    ]  # fmt: skip


def test_a_prefix_repeats_while_the_cache_lives(store: duckdb.DuckDBPyConnection) -> None:
    call(store, 1, "08:00:00", prefix_hash="x", prefix_tokens=80)
    call(store, 2, "08:05:00", prefix_hash="x", prefix_tokens=80)  # five minutes: read
    call(store, 3, "08:10:01", prefix_hash="x", prefix_tokens=80)  # gone by a second
    call(store, 4, "08:10:02", prefix_hash="x", prefix_tokens=500)  # at most the input: 100
    call(store, 5, "08:10:03", prefix_hash="y", prefix_tokens=80)
    assert rows(store, "repeated_prefix_tokens, requests") == [(180, 5)]


def test_rows_follow_the_requests(store: duckdb.DuckDBPyConnection) -> None:
    call(store, 1, "08:00:00")
    add(
        store, "llm_usage", source="openai-usage", layer="vendor", provider="OpenAI",
        started_at="2026-10-12", ended_at="2026-10-13", model_billed="gpt-5-2025-08-07",
        requests=7, _file_id=2,
    )  # fmt: skip
    assert rows(store, "requests, model") == [(7, "gpt-5"), (1, "gpt-4o-mini")]
    assert rows(store, "requests, model") == [(7, "gpt-5"), (1, "gpt-4o-mini")]
    call(store, 2, "08:00:01")
    assert rows(store, "requests") == [(7,), (2,)]
    store.execute("DELETE FROM llm_requests WHERE request_id = 'r1'")
    assert rows(store, "requests") == [(7,), (1,)]


def test_the_same_calls_in_two_logs_do_not_repeat_each_other(
    store: duckdb.DuckDBPyConnection,
) -> None:
    call(store, 1, "08:00:00", prompt_hash="p", team="a")
    call(store, 1, "08:00:00", prompt_hash="p", team="b", source="langfuse", layer="trace")
    assert rows(store, "layer, requests, repeated_requests") == [
        ("gateway", 1, 0),
        ("trace", 1, 0),
    ]
