"""Langfuse observations: parts of usage that are separate, and parts that are inside others."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from tests.store.sources.conftest import Load


def test_costs_and_tokens_survive(load: Load, fixtures: Path) -> None:
    lines = (fixtures / "langfuse/observations.jsonl").read_text().splitlines()
    calls = [o for o in (json.loads(x, parse_float=Decimal) for x in lines) if o["type"] != "SPAN"]
    store = load(fixtures / "langfuse/observations.jsonl")
    assert store.one("SELECT count(*) FROM llm_requests") == len(calls)
    costs = [
        o.get("totalCost") or o.get("calculatedTotalCost") or o.get("costDetails", {}).get("total")
        for o in calls
    ]
    assert store.one("SELECT sum(reported_cost) FROM llm_requests") == sum(filter(None, costs))
    # `total`, where there is one, counts every part once.
    assert store.one(
        "SELECT sum(input_tokens + coalesce(output_tokens, 0)) FROM llm_requests "
        "WHERE request_id <> 'obs-3'"
    ) == sum(o["usageDetails"]["total"] for o in calls if o["id"] != "obs-3")


def test_cached_input_inside_or_beside_the_input(load: Load, fixtures: Path) -> None:
    store = load(fixtures / "langfuse")
    rows = store.sql(
        "SELECT request_id, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, "
        "reasoning_tokens FROM llm_requests ORDER BY 1"
    )
    assert rows == [
        ("obs-1", 1000, 400, None, 90, None),  # inside: total = input + output
        ("obs-2", 1000, 400, None, 90, 30),  # beside: total is the sum of all parts
        ("obs-3", 600, 100, None, 10, None),  # no total: parts are separate by convention
        ("obs-5", 64, None, None, None, None),
        ("obs-6", 175, 50, 25, 10, None),
    ]


def test_dimensions_in_both_spellings(load: Load, fixtures: Path) -> None:
    store = load(fixtures / "langfuse")
    rows = store.sql(
        "SELECT request_id, provider, team, feature, customer, environment, failed, "
        "latency_ms::INTEGER FROM llm_requests ORDER BY 1"
    )
    assert rows == [
        ("obs-1", "OpenAI", "data", "sql", None, "production", False, 1500),
        ("obs-2", "OpenAI", None, None, None, "production", False, 1500),
        ("obs-3", "OpenAI", None, None, None, "production", True, 1500),
        ("obs-5", "Mistral AI", None, None, None, "production", False, 1500),
        ("obs-6", "Anthropic", None, None, "Casa Verde", None, False, 2000),
    ]


def test_bad_observations_are_set_aside(load: Load, fixtures: Path, tmp_path: Path) -> None:
    first = json.loads((fixtures / "langfuse/observations.jsonl").read_text().splitlines()[0])
    usage: list[object] = [{"input": 7, "output": 1}] * 60
    usage[5:8] = [{"input": "many"}, {"input": 5.5}, {"input": 3, "output": -1}]
    lines = [json.dumps({**first, "id": f"o{n}", "usageDetails": u}) for n, u in enumerate(usage)]
    path = tmp_path / "observations.jsonl"
    path.write_text("\n".join(lines))
    store = load(path, max_bad=0.1)
    assert store.sql("SELECT count(*), sum(input_tokens) FROM llm_requests") == [(57, 57 * 7)]
    said = store.sql("SELECT \"column\", split_part(reason, ':', 1) FROM quarantine ORDER BY ALL")
    assert said == [
        ("input", "is no count of tokens"),
        ("output", "is no count of tokens"),
        ("usageDetails", "holds what is no number"),
    ]


def test_spans_and_free_text_do_no_harm(load: Load, fixtures: Path) -> None:
    store = load(fixtures / "langfuse")
    assert store.one("SELECT count(*) FROM llm_requests WHERE request_id = 'obs-4'") == 0
    assert store.one("SELECT count(*) FROM quarantine") == 0
