"""Anthropic's usage report: uncached, read and written input add up to input_tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.store.sources.conftest import Load


def _results(path: Path) -> list[dict[str, Any]]:
    return [r for bucket in json.loads(path.read_text())["data"] for r in bucket["results"]]


def _written(result: dict[str, Any]) -> int:
    parts: dict[str, int] = result["cache_creation"]
    return parts["ephemeral_5m_input_tokens"] + parts["ephemeral_1h_input_tokens"]


def test_every_token_survives(load: Load, fixtures: Path) -> None:
    path = fixtures / "anthropic_usage" / "messages.json"
    results = _results(path)
    read = sum(r["cache_read_input_tokens"] for r in results)
    written = sum(map(_written, results))
    store = load(path)
    assert store.sql(
        "SELECT sum(input_tokens), sum(cached_input_tokens), sum(cache_write_tokens), "
        "sum(cache_write_1h_tokens), sum(output_tokens) FROM llm_usage"
    ) == [
        (
            sum(r["uncached_input_tokens"] for r in results) + read + written,
            read,
            written,
            sum(r["cache_creation"]["ephemeral_1h_input_tokens"] for r in results),
            sum(r["output_tokens"] for r in results),
        )
    ]


def test_dimensions(load: Load, fixtures: Path) -> None:
    store = load(fixtures / "anthropic_usage")
    rows = store.sql(
        "SELECT model, account, api_key, batch, context_window, requests, quantity::INTEGER "
        "FROM llm_usage ORDER BY started_at, batch"
    )
    assert rows == [
        ("claude-sonnet-4-5", "wrkspc_support", "apikey_1", False, "0-200k", None, 4),
        ("claude-haiku-4-5", "wrkspc_data", "apikey_2", True, "0-200k", None, None),
        # the default workspace and the console have no id
        ("claude-sonnet-4-5", None, None, False, "200k-1M", None, None),
    ]


def test_overlapping_pages_count_once(load: Load, fixtures: Path, tmp_path: Path) -> None:
    page = json.loads((fixtures / "anthropic_usage" / "messages.json").read_text())
    later = tmp_path / "later.json"
    later.write_text(json.dumps({**page, "data": page["data"][1:]}))
    store = load(fixtures / "anthropic_usage" / "messages.json")
    before = store.one("SELECT sum(input_tokens) FROM llm_usage")
    assert load(later).one("SELECT sum(input_tokens) FROM llm_usage") == before


def test_a_renamed_count_is_not_read_as_zero(load: Load, fixtures: Path, tmp_path: Path) -> None:
    text = (fixtures / "anthropic_usage" / "messages.json").read_text()
    renamed = tmp_path / "renamed.json"
    renamed.write_text(text.replace('"output_tokens"', '"generated_tokens"'))
    store = load(fixtures / "anthropic_usage" / "messages.json", renamed)
    report = next(f for f in store.report.files if f.path.endswith("renamed.json"))
    assert report.status == "refused"
    assert "output_tokens" in report.message
