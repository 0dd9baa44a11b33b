"""LiteLLM spend logs as CSV, Parquet and JSON Lines."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import duckdb

from tests.store.sources.conftest import Load

CSV = "litellm/spend-logs.csv"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_sums_survive_exactly(load: Load, fixtures: Path) -> None:
    rows = _rows(fixtures / CSV)
    store = load(fixtures / CSV)
    assert store.sql(
        "SELECT count(*), sum(output_tokens), sum(reported_cost) FROM llm_requests"
    ) == [
        (
            len(rows),
            sum(int(r["completion_tokens"]) for r in rows),
            sum(Decimal(r["spend"]) for r in rows),
        )
    ]
    # One call came in Anthropic's format: 1,253 tokens written to the cache beside 31 others.
    assert store.one("SELECT sum(input_tokens) FROM llm_requests") == 1253 + sum(
        int(r["prompt_tokens"]) for r in rows
    )


def test_what_the_metadata_carries(load: Load, fixtures: Path) -> None:
    store = load(fixtures / CSV)
    assert store.sql(
        "SELECT team, project, environment, feature, customer, complexity, prefix_hash, "
        "prefix_tokens, cached_input_tokens, latency_ms::INTEGER, gateway_team, conversation_id "
        "FROM llm_requests WHERE request_id = 'chatcmpl-1'"
    ) == [
        ("support-ai", "help", "prod", "faq", "Casa Verde", "low", "x1", 800, 800, 1500,
         "team-1", "s-1")
    ]  # fmt: skip
    assert store.sql(
        "SELECT cached_input_tokens, reasoning_tokens FROM llm_requests "
        "WHERE request_id = 'chatcmpl-2'"
    ) == [(800, 20)]
    assert store.sql(
        "SELECT team, feature, customer, cache_write_tokens, input_tokens FROM llm_requests "
        "WHERE request_id = 'chatcmpl-3'"
    ) == [("search", "<b>x</b>", "Müller & Söhne", 1253, 1284)]
    # What is no JSON says nothing, and the call still counts.
    assert store.sql(
        "SELECT team, input_tokens, started_at::VARCHAR FROM llm_requests "
        "WHERE request_id = 'chatcmpl-4'"
    ) == [(None, 700, "2026-10-12 10:00:00")]


def test_providers_by_the_names_people_use(load: Load, fixtures: Path) -> None:
    store = load(fixtures / CSV)
    assert store.sql("SELECT DISTINCT provider FROM llm_requests ORDER BY 1") == [
        ("AWS",), ("Anthropic",), ("Microsoft",), ("OpenAI",)
    ]  # fmt: skip
    assert store.sql("SELECT DISTINCT model FROM llm_usage ORDER BY 1") == [
        ("claude-sonnet-4-5",), ("emb-deployment",), ("gpt-4o-mini",)
    ]  # fmt: skip


def test_json_lines_and_parquet_say_the_same(load: Load, fixtures: Path, tmp_path: Path) -> None:
    parquet = tmp_path / "logs.parquet"
    duckdb.sql(
        f"COPY (SELECT * REPLACE (request_id || '-p' AS request_id) "
        f"FROM read_csv('{fixtures / CSV}')) TO '{parquet}' (FORMAT parquet)"
    )
    store = load(fixtures / CSV, fixtures / "litellm/spend-logs.jsonl", parquet)
    told = (
        "SELECT started_at, input_tokens, cached_input_tokens, reported_cost, team, feature, "
        "prompt_hash, prefix_tokens FROM llm_requests WHERE request_id LIKE 'chatcmpl-{}'"
    )
    for number in (1, 2):
        csv_row = store.sql(told.format(number))
        assert csv_row == store.sql(told.format(f"{number}-j"))
        assert csv_row == store.sql(told.format(f"{number}-p"))


def test_a_request_counts_once_and_the_later_log_wins(
    load: Load, fixtures: Path, tmp_path: Path
) -> None:
    rows = _rows(fixtures / CSV)
    rows[0]["completion_tokens"] = "111"
    later = tmp_path / "later.csv"
    with later.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows([rows[0], rows[0], rows[1]])
    load(fixtures / CSV)
    store = load(later)
    assert store.one("SELECT count(*) FROM llm_requests") == len(rows)
    assert store.one("SELECT sum(requests) FROM llm_usage") == len(rows)
    assert store.sql("SELECT output_tokens FROM llm_requests WHERE request_id = 'chatcmpl-1'") == [
        (111,)
    ]


def test_bad_lines_are_set_aside(load: Load, fixtures: Path, tmp_path: Path) -> None:
    line = json.loads((fixtures / "litellm/spend-logs.jsonl").read_text().splitlines()[0])
    lines = [json.dumps({**line, "request_id": f"r{n}"}) for n in range(40)]
    lines[3] = json.dumps({**line, "request_id": "r3", "prompt_tokens": -4})
    lines[-1] = lines[-1][:100]  # cut off while it was written
    path = tmp_path / "logs.jsonl"
    path.write_text("\n".join(lines))
    store = load(path)
    assert store.one("SELECT count(*) FROM llm_requests") == 38
    reasons = {reason for (reason,) in store.sql("SELECT reason FROM quarantine")}
    assert len(reasons) == 2
    assert any("count of tokens" in reason for reason in reasons)
