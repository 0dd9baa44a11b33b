"""Plain request logs."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.store.sources.conftest import Load

FILE = "request_log/requests.csv"
HEADER = "timestamp,provider,model,input_tokens,output_tokens"


def test_tokens_and_times_survive(load: Load, fixtures: Path) -> None:
    with (fixtures / FILE).open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    store = load(fixtures / FILE)
    counts = "count(*), sum(input_tokens), sum(output_tokens)"
    assert store.sql(f"SELECT {counts} FROM llm_requests") == [
        (
            len(rows),
            sum(int(r["input_tokens"]) for r in rows),
            sum(int(r["output_tokens"]) for r in rows),
        )
    ]
    assert store.sql(
        "SELECT request_id, started_at::VARCHAR, provider, failed, tags FROM llm_requests "
        "WHERE request_id LIKE 'req-%' ORDER BY 1"
    ) == [
        ("req-1", "2026-10-12 07:01:10.2", "Cohere", False, '{"region":"eu"}'),
        ("req-2", "2026-10-12 07:08:44", "Cohere", False, None),
        ("req-3", "2026-10-12 07:30:00", "Google Cloud", True, None),
    ]


def test_without_ids_an_overlapping_export_repeats_nothing(load: Load, tmp_path: Path) -> None:
    one = "2026-10-12T07:00:00Z,OpenAI,gpt-5,10,1"
    two = "2026-10-12T07:00:01Z,OpenAI,gpt-5,20,2"
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("\n".join([HEADER, one, one, two]))  # two calls that look alike
    second.write_text("\n".join([HEADER, one, one, two, two.replace("01Z", "02Z")]))
    load(first)
    store = load(second)
    assert store.sql("SELECT count(*), sum(input_tokens) FROM llm_requests") == [(4, 60)]


def test_bad_rows_are_set_aside(load: Load, tmp_path: Path) -> None:
    good = [f"2026-10-12T07:00:{n:02d}Z,OpenAI,gpt-5,1000,1,0" for n in range(60)]
    good += [f"2026-10-12T07:01:{n:02d}Z,OpenAI,gpt-5,1000,1,0" for n in range(30)]
    good.append('2026-10-12T07:02:00Z,OpenAI,gpt-5,"1,000,000",1,0')
    bad = [
        "2026-10-12T08:00:00Z,OpenAI,gpt-5,-3,1,0",
        "2026-10-12T08:00:01Z,OpenAI,gpt-5,10,1,11",
        "2026-10-12T08:00:02Z,OpenAI,gpt-5,many,1,0",
        "2026-10-12T08:00:03Z,OpenAI,,10,1,0",
    ]
    path = tmp_path / "log.csv"
    path.write_text("\n".join([f"{HEADER},cached_input_tokens", *good, *bad]))
    store = load(path)
    assert store.one("SELECT sum(input_tokens) FROM llm_requests") == 1_090_000
    assert store.sql(
        "SELECT \"column\", split_part(reason, ':', 1) FROM quarantine ORDER BY 1, 2"
    ) == [
        ("cached_input_tokens", "is more than input_tokens, which includes it"),
        ("input_tokens", "cannot be read as a number"),
        ("input_tokens", "is no count of tokens"),
        ("model", "is empty"),
    ]


def test_a_gateway_may_say_so(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER},layer\n2026-10-12T07:00:00Z,OpenAI,gpt-5,10,1,gateway\n")
    assert load(path).one("SELECT layer FROM llm_usage") == "gateway"
