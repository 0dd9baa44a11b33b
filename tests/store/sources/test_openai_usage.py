"""OpenAI usage pages: every count survives, input includes what is cached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.store.sources.conftest import Load


def _results(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        for page in document if isinstance(document, list) else [document]:
            for bucket in page["data"]:
                found += [{**r, "start_time": bucket["start_time"]} for r in bucket["results"]]
    return found


def test_every_count_survives(load: Load, fixtures: Path) -> None:
    folder = fixtures / "openai_usage"
    results = _results(folder)
    store = load(folder)
    assert store.one("SELECT count(*) FROM llm_usage") == len(results)
    for column, key in (
        ("input_tokens", "input_tokens"),
        ("output_tokens", "output_tokens"),
        ("cached_input_tokens", "input_cached_tokens"),
        ("cache_write_tokens", "input_cache_write_tokens"),
    ):
        assert store.one(f"SELECT sum({column}) FROM llm_usage") == sum(
            r.get(key) or 0 for r in results
        )
    # Searches are done inside model requests, which completions count already.
    assert store.one("SELECT sum(requests) FROM llm_usage") == sum(
        r.get("num_model_requests") or 0 for r in results if "search" not in r["object"]
    )


def test_dimensions_and_units(load: Load, fixtures: Path) -> None:
    store = load(fixtures / "openai_usage")
    assert store.sql(
        "SELECT account, api_key, user_id, batch, service_tier, model, model_billed, layer "
        "FROM llm_usage WHERE user_id IS NOT NULL"
    ) == [("proj_support", "key_b", "user-7", False, "flex", "gpt-5", "gpt-5-2025-08-07", "vendor")]
    units = store.sql(
        "SELECT operation, quantity_unit, sum(quantity)::BIGINT FROM llm_usage "
        "WHERE quantity IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    assert units == [
        ("audio_speeches", "Characters", 45000),
        ("audio_transcriptions", "Seconds", 3600),
        ("code_interpreter_sessions", "Sessions", 14),
        ("file_search_calls", "Calls", 33),
        ("images", "Images", 15),
        ("vector_stores", "Bytes", 5368709120),
        ("web_search_calls", "Calls", 70),
    ]
    assert store.one("SELECT media_tokens FROM llm_usage WHERE model = 'gpt-realtime'") == 68000


def _page(path: Path, **result: object) -> Path:
    bucket = {
        "object": "bucket",
        "start_time": 1791763200,
        "end_time": 1791849600,
        "results": [
            {
                "object": "organization.usage.completions.result",
                "model": "gpt-5",
                "project_id": "proj_a",
                "input_tokens": 100,
                "output_tokens": 10,
                "num_model_requests": 1,
                **result,
            }
        ],
    }
    path.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False}))
    return path


def test_a_later_report_of_the_same_bucket_replaces_it(load: Load, tmp_path: Path) -> None:
    load(_page(tmp_path / "a.json"))
    store = load(_page(tmp_path / "b.json", input_tokens=250))
    assert store.sql("SELECT input_tokens, model FROM llm_usage") == [(250, "gpt-5")]
    again = load(tmp_path / "b.json")
    assert again.file.status == "unchanged"


def test_nonsense_is_set_aside_with_its_reason(load: Load, tmp_path: Path) -> None:
    negative = _page(tmp_path / "a.json", input_tokens=-5)
    cached = _page(tmp_path / "b.json", input_cached_tokens=101)
    store = load(_page(tmp_path / "c.json"), negative, cached, max_bad=1.0)
    assert store.one("SELECT count(*) FROM llm_usage") == 1
    assert sorted((f.path.rsplit("/", 1)[-1], f.status) for f in store.report.files) == [
        ("a.json", "refused"),
        ("b.json", "refused"),
        ("c.json", "loaded"),
    ]


def test_one_bad_result_among_good_ones(load: Load, tmp_path: Path) -> None:
    path = _page(tmp_path / "a.json")
    page = json.loads(path.read_text())
    good = page["data"][0]["results"][0]
    page["data"][0]["results"] = [
        {**good, "project_id": f"proj_{n}", **({"input_cached_tokens": 101} if n == 7 else {})}
        for n in range(30)
    ]
    path.write_text(json.dumps(page))
    store = load(path)
    assert store.one("SELECT sum(input_tokens) FROM llm_usage") == 2900
    assert store.sql('SELECT "column", reason FROM quarantine') == [
        ("input_cached_tokens", "is more than input_tokens, which includes it")
    ]


def test_a_page_that_is_cut_off_is_refused(load: Load, tmp_path: Path) -> None:
    whole = _page(tmp_path / "whole.json")
    cut = tmp_path / "cut.json"
    cut.write_text(_page(cut).read_text()[:-40])
    store = load(whole, cut)
    assert {f.path.rsplit("/", 1)[-1]: f.status for f in store.report.files} == {
        "whole.json": "loaded",
        "cut.json": "refused",
    }
