"""Prometheus range queries: DCGM names to metrics, labels to resources, GPUs to one value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.errors import LoadError
from tests.store.sources.conftest import Load

START = 1_790_812_800  # 2026-10-01T00:00:00Z


def series(name: str | None, values: Sequence[object], **labels: str) -> dict[str, Any]:
    """One series of a range query, a value an hour."""
    metric = {**({"__name__": name} if name else {}), **labels}
    samples = [[START + 3600 * n, str(value)] for n, value in enumerate(values)]
    return {"metric": metric, "values": samples}


def answer(path: Path, *result: dict[str, Any]) -> Path:
    """A file with the API's answer."""
    data = {"resultType": "matrix", "result": list(result)}
    path.write_text(json.dumps({"status": "success", "data": data}))
    return path


def test_the_fixture_gives_what_its_samples_say(load: Load, fixtures: Path) -> None:
    path = fixtures / "prometheus" / "dcgm.json"
    loaded = load(path)
    document = json.loads(path.read_text())
    values: dict[tuple[str, str, str], dict[int, Decimal]] = {}
    for one in document["data"]["result"]:
        labels = one["metric"]
        host = labels.get("Hostname") or labels["instance"].split(":")[0]
        part = labels.get("gpu") or f"{labels['cpu']} {labels['mode']}"
        values[labels["__name__"], host, part] = {
            moment: Decimal(text) for moment, text in one["values"] if text != "NaN"
        }
    active, busy = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"
    first, second = START, START + 3600
    a = values[active, "i-0a1", "0"], values[active, "i-0a1", "1"]
    used, free = (values[f"DCGM_FI_DEV_FB_{w}", "i-0a1", "0"] for w in ("USED", "FREE"))
    idle = [values["node_cpu_seconds_total", "i-0c3", f"{cpu} idle"] for cpu in "01"]
    expected = {
        # engine activity is preferred, as a percentage, and averaged over the host's two GPUs
        ("gpu_utilization", "i-0a1", first): (a[0][first] + a[1][first]) / 2 * 100,
        # the second GPU has no activity in the second hour, so its utilisation stands in
        ("gpu_utilization", "i-0a1", second): (
            a[0][second] * 100 + values[busy, "i-0a1", "1"][second]
        )
        / 2,
        ("gpu_utilization", "i-0b2", first): values[busy, "i-0b2", "0"][first],
        ("gpu_utilization", "i-0b2", second): values[busy, "i-0b2", "0"][second],
    }
    for moment in (first, second):
        expected["gpu_memory_utilization", "i-0a1", moment] = (
            used[moment] / (used[moment] + free[moment]) * 100
        )
    for moment in (START + 3600, START + 7200):
        busy_share = [1 - (cpu[moment] - cpu[moment - 3600]) / 3600 for cpu in idle]
        expected["cpu_utilization", "i-0c3", moment] = sum(busy_share, Decimal(0)) / 2 * 100
    found = loaded.sql("SELECT metric, resource_id, timestamp, value FROM resource_metrics")
    assert {
        (metric, resource, int(moment.replace(tzinfo=UTC).timestamp())): value
        for metric, resource, moment, value in found
    } == expected
    assert loaded.file.quarantined == 0


def test_tags_say_how_many_gpus_and_what_was_read(load: Load, fixtures: Path) -> None:
    loaded = load(fixtures / "prometheus" / "dcgm.json")
    tags = loaded.one(
        "SELECT tags FROM resource_metrics WHERE resource_id = 'i-0a1' "
        "AND metric = 'gpu_utilization' AND timestamp = '2026-10-01'"
    )
    assert json.loads(tags) == {
        "read_from": "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
        "gpus": "2",
        "gpu_model": "NVIDIA A100-SXM4-80GB",
    }


def test_labels_name_the_resource_in_order(load: Load, tmp_path: Path) -> None:
    named = {
        "resource": {"resource_id": "resource", "instance_id": "i", "Hostname": "h"},
        "instance": {"instance_id": "instance", "Hostname": "h", "node": "n"},
        "host": {"Hostname": "host", "node": "n", "pod": "p"},
        "node": {"node": "node", "instance": "10.0.0.7:9400"},
        "10.0.0.7": {"instance": "10.0.0.7:9400", "pod": "p"},
        "pod": {"pod": "pod"},
    }
    result = [
        series("gpu_utilization", [number], **labels)
        for number, labels in enumerate(named.values())
    ]
    loaded = load(answer(tmp_path / "a.json", *result))
    found = loaded.sql("SELECT resource_id FROM resource_metrics ORDER BY value")
    assert [row[0] for row in found] == list(named)


def test_counts_of_one_resource_are_added_and_not_averaged(load: Load, tmp_path: Path) -> None:
    pods = [series("invocations", [n], resource_id="endpoint", pod=f"p{n}") for n in (3, 4)]
    loaded = load(answer(tmp_path / "a.json", *pods))
    assert loaded.one("SELECT value FROM resource_metrics") == 7


def test_what_cannot_be_used_is_named_once(load: Load, tmp_path: Path) -> None:
    loaded = load(
        answer(
            tmp_path / "a.json",
            series("gpu_utilization", [50] * 90, node="n"),
            series("DCGM_FI_DEV_FB_USED", [1, 2, 3], node="n", gpu="0"),
            series("go_goroutines", [7] * 20, node="n"),
            series("DCGM_FI_DEV_POWER_USAGE", [250] * 20, node="n"),
            series(None, [1, 2], node="n"),
            series("DCGM_FI_DEV_GPU_UTIL", [140], node="m"),
        ),
    )
    assert loaded.one("SELECT count(*) FROM resource_metrics") == 90
    assert sorted(loaded.sql('SELECT "column", reason FROM quarantine')) == [
        ("__name__", "DCGM_FI_DEV_FB_USED needs DCGM_FI_DEV_FB_FREE in the same file"),
        ("__name__", "has no name: give the query's result one with label_replace"),
        ("__name__", "is no metric that is known: go_goroutines"),
        ("value", "is outside 0 to 100 percent: 140.0"),
    ]


def test_a_sample_that_is_no_number_is_set_aside(load: Load, tmp_path: Path) -> None:
    loaded = load(
        answer(tmp_path / "a.json", series("gpu_utilization", [*range(60), "+Inf"], node="n")),
    )
    assert (loaded.one("SELECT count(*) FROM resource_metrics"), loaded.file.quarantined) == (60, 1)


def test_a_series_without_a_resource_is_set_aside(load: Load, tmp_path: Path) -> None:
    loaded = load(
        answer(
            tmp_path / "a.json",
            series("gpu_utilization", range(60), node="n"),
            series("gpu_utilization", [1], job="dcgm"),
        ),
    )
    assert loaded.sql('SELECT "column", reason FROM quarantine') == [("resource_id", "is empty")]


def test_an_instant_query_is_read_too(load: Load, tmp_path: Path) -> None:
    sample = {
        "metric": {"__name__": "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "node": "n"},
        "value": [START + 0.5, "0.4"],
    }
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": [sample]}})
    )
    loaded = load(path)
    assert loaded.sql("SELECT timestamp::VARCHAR, value FROM resource_metrics") == [
        ("2026-10-01 00:00:00.5", Decimal(40))
    ]


def test_a_counter_that_began_anew_gives_no_value(load: Load, tmp_path: Path) -> None:
    one = series("node_cpu_seconds_total", [1000, 1900, 5, 1805], node="n", cpu="0", mode="idle")
    loaded = load(answer(tmp_path / "a.json", one))
    assert loaded.sql("SELECT timestamp::VARCHAR, value FROM resource_metrics ORDER BY 1") == [
        ("2026-10-01 01:00:00", Decimal(75)),
        ("2026-10-01 03:00:00", Decimal(50)),
    ]


def test_two_overlapping_queries_count_once(load: Load, tmp_path: Path) -> None:
    load(answer(tmp_path / "a.json", series("gpu_utilization", [10, 20], node="n")))
    loaded = load(answer(tmp_path / "b.json", series("gpu_utilization", [10, 30, 40], node="n")))
    assert loaded.file.restated == 2
    assert loaded.sql("SELECT value FROM resource_metrics ORDER BY timestamp") == [
        (Decimal(10),),
        (Decimal(30),),
        (Decimal(40),),
    ]


def test_a_truncated_answer_is_refused(load: Load, fixtures: Path, tmp_path: Path) -> None:
    whole = (fixtures / "prometheus" / "dcgm.json").read_text()
    path = tmp_path / "cut.json"
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(LoadError):
        load(path)
