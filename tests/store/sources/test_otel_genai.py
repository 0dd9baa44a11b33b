"""OpenTelemetry spans with the GenAI conventions, present and earlier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.store.sources.conftest import Load

FILE = "otel_genai/spans.jsonl"


def _batches(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tokens_of_calls_survive(load: Load, fixtures: Path) -> None:
    store = load(fixtures / FILE)
    tokens: dict[str, int] = {"output": 0, "input": 0}
    for batch in _batches(fixtures / FILE):
        for span in batch["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            said = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
            if said.get("gen_ai.operation.name") == "invoke_agent":
                continue  # repeats the tokens of the calls below it
            tokens["input"] += int(
                said.get("gen_ai.usage.input_tokens", said.get("gen_ai.usage.prompt_tokens", 0))
            )
            tokens["output"] += int(
                said.get(
                    "gen_ai.usage.output_tokens", said.get("gen_ai.usage.completion_tokens", 0)
                )
            )
    assert store.sql("SELECT count(*), sum(output_tokens) FROM llm_requests") == [
        (3, tokens["output"])
    ]
    # 500 tokens read from the cache beside 10 others: an earlier way of counting.
    assert store.one("SELECT sum(input_tokens) FROM llm_requests") == tokens["input"] + 500


def test_attributes_of_span_and_resource(load: Load, fixtures: Path) -> None:
    store = load(fixtures / FILE)
    rows = store.sql(
        "SELECT provider, model, team, environment, feature, failed, latency_ms::INTEGER, "
        "cached_input_tokens, conversation_id FROM llm_requests ORDER BY started_at"
    )
    assert rows == [
        ("OpenAI", "gpt-4o-mini-2024-07-18", "checkout", "staging", "basket-help", False, 800, 256,
         "c-1"),
        ("AWS", "anthropic.claude-sonnet-4-5-20250929-v1:0", None, None, None, True, 400, None,
         None),
        ("Anthropic", "claude-haiku-4-5", None, None, None, False, 400, 500, None),
    ]  # fmt: skip
    assert store.sql("SELECT DISTINCT layer FROM llm_usage") == [("trace",)]


def test_more_cached_than_input_is_set_aside(load: Load, fixtures: Path, tmp_path: Path) -> None:
    batch = _batches(fixtures / FILE)[0]
    spans = batch["resourceSpans"][0]["scopeSpans"][0]["spans"]
    first = spans[0]
    spans[:] = [json.loads(json.dumps({**first, "spanId": f"{n:016x}"})) for n in range(40)]
    cached = next(a for a in spans[5]["attributes"] if "cache_read" in a["key"])
    cached["value"] = {"intValue": "901"}
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps(batch) + "\n")
    store = load(path)
    assert store.one("SELECT count(*) FROM llm_requests") == 39
    assert store.sql('SELECT "column", reason FROM quarantine') == [
        (
            "gen_ai.usage.cache_read.input_tokens",
            "is more than gen_ai.usage.input_tokens, which includes it",
        )
    ]
