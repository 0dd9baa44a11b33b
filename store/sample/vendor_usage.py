"""Usage reports of the model vendors, as their APIs return them: one page a month."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finops_assistant.store.sample.chance import DAYS, day_of, day_start
from finops_assistant.store.sample.ledger import MONTHS
from finops_assistant.store.sample.monthly import next_month
from finops_assistant.store.sample.workloads import Workload, model_prices

Json = dict[str, Any]


def billed_name(work: Workload, day: int) -> str:
    """The model name that the vendor used on a day."""
    return [p for p in model_prices(work.channel, work.model) if p.first <= day][-1].row["billed"]


def openai_result(work: Workload, day: int) -> Json:
    """One result of the completions or embeddings usage API."""
    uncached, cached, written, output = (int(work.tokens[k][day]) for k in work.tokens)
    shared = {
        "input_tokens": uncached + cached + written,
        "num_model_requests": int(work.requests[day]),
        "project_id": work.sub_account[0],
        "user_id": None,
        "api_key_id": work.key,
        "model": billed_name(work, day),
    }
    if work.model.startswith("text-embedding"):
        return {"object": "organization.usage.embeddings.result", **shared}
    return {
        "object": "organization.usage.completions.result",
        **shared,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_uncached_tokens": uncached,
        "output_tokens": output,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "batch": False,
        "service_tier": "default",
    }


def anthropic_result(work: Workload, day: int) -> Json:
    """One result of the messages usage report; uncached input excludes the cache here."""
    uncached, cached, written, output = (int(work.tokens[k][day]) for k in work.tokens)
    return {
        "uncached_input_tokens": uncached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written,
            "ephemeral_1h_input_tokens": 0,
        },
        "cache_read_input_tokens": cached,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        "model": billed_name(work, day),
        "service_tier": "standard",
        "context_window": "0-200k",
        "workspace_id": work.sub_account[0],
        "api_key_id": work.key,
    }


def _days(works: Iterable[Workload], first: int, end: int) -> Iterator[tuple[int, list[Workload]]]:
    for day in range(first, end):
        used = [work for work in works if work.requests[day]]
        if used:
            yield day, used


def _iso(day: int) -> str:
    return datetime.fromtimestamp(day_start(day), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_vendor_usage(folder: Path, works: tuple[Workload, ...]) -> None:
    """Write ``usage/openai`` and ``usage/anthropic``, a page a month."""
    for name in ("openai", "anthropic"):
        (folder / "usage" / name).mkdir(parents=True, exist_ok=True)
    openai = [work for work in works if work.channel == "OpenAI"]
    kinds = {
        "embeddings": [work for work in openai if work.model.startswith("text-embedding")],
        "completions": [work for work in openai if not work.model.startswith("text-embedding")],
    }
    claude = [work for work in works if work.channel == "Anthropic"]
    for month in MONTHS:
        first = (month - day_of(0)).days
        end = min(DAYS, (next_month(month) - day_of(0)).days)
        for kind, some in kinds.items():
            buckets: list[Json] = [
                {
                    "object": "bucket",
                    "start_time": day_start(day),
                    "end_time": day_start(day + 1),
                    "results": [openai_result(work, day) for work in used],
                }
                for day, used in _days(some, first, end)
            ]
            _page(folder / "usage" / "openai" / f"{kind}-{month:%Y-%m}.json",
                  {"object": "page", "data": buckets})  # fmt: skip
        entries: list[Json] = [
            {
                "starting_at": _iso(day),
                "ending_at": _iso(day + 1),
                "results": [anthropic_result(work, day) for work in used],
            }
            for day, used in _days(claude, first, end)
        ]
        _page(folder / "usage" / "anthropic" / f"messages-{month:%Y-%m}.json", {"data": entries})


def _page(path: Path, page: Json) -> None:
    page = {**page, "has_more": False, "next_page": None}
    path.write_text(json.dumps(page, separators=(",", ":")) + "\n", encoding="utf-8")
