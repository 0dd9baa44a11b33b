"""OpenCost allocations: split charges whose parts add up to totalCost and touch no bill."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
from tests.store.sources.conftest import Load, Loaded

NAME = "opencost/allocation-2026-10.json"
WINDOW = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-02T00:00:00Z"}
FIXTURES = Path(__file__).resolve().parent / "fixtures"


def allocations(fixtures: Path) -> list[dict[str, Any]]:
    """All allocations of the fixture, numbers as they are written."""
    answer = json.loads((fixtures / NAME).read_text(), parse_float=Decimal)
    return [allocation for one in answer["data"] for allocation in one.values()]


def an_allocation(name: str, total: Any, **more: Any) -> dict[str, Any]:
    cost = {"cpuCost": total, "gpuCost": 0, "ramCost": 0, "totalCost": total}
    return {"name": name, "window": WINDOW, "properties": {"cluster": "c1"}, **cost, **more}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with the fixture, for the tests that only ask."""
    home = Home(tmp_path_factory.mktemp("opencost") / "home")
    return Loaded(home, ingest(home, [FIXTURES / NAME]))


def test_the_parts_add_up_to_the_total_of_each_allocation(store: Loaded, fixtures: Path) -> None:
    expected = {
        (one["name"], one["window"]["start"][:10]): Decimal(one["totalCost"])
        for one in allocations(fixtures)
    }
    rows = store.sql(
        "SELECT AllocatedResourceName, strftime(ChargePeriodStart, '%Y-%m-%d'), sum(BilledCost), "
        "sum(EffectiveCost) FROM focus_split GROUP BY ALL"
    )
    assert {(name, day): cost for name, day, cost, _ in rows} == expected
    assert all(billed == effective for *_, billed, effective in rows)


def test_one_row_per_part_with_its_adjustment(store: Loaded, fixtures: Path) -> None:
    first = allocations(fixtures)[0]
    rows = dict(
        store.sql(
            "SELECT SkuMeter, BilledCost FROM focus_split "
            "WHERE AllocatedResourceId = 'prod-eu/search/search-api-7d9f-x2x1'"
        )
    )
    assert rows["cpu"] == first["cpuCost"] + first["cpuCostAdjustment"]
    assert rows["shared"] == first["sharedCost"]
    assert set(rows) == {"cpu", "ram", "pv", "network", "loadBalancer", "shared", "other"}
    # What the API's own rounding leaves over is a row that says so.
    assert abs(rows["other"]) < Decimal("0.0001")


def test_gpu_hours_are_those_of_the_file(store: Loaded, fixtures: Path) -> None:
    expected = sum(Decimal(one.get("gpuHours") or 0) for one in allocations(fixtures))
    assert store.one("SELECT sum(x_GpuHours) FROM focus_split") == expected
    assert store.sql("SELECT DISTINCT SkuMeter FROM focus_split WHERE x_GpuHours IS NOT NULL") == [
        ("gpu",)
    ]


def test_labels_give_the_team_and_the_node_its_charge(store: Loaded) -> None:
    assert store.sql(
        "SELECT DISTINCT AllocatedResourceId, ResourceId, HostProviderName, x_Team, x_Environment, "
        "AllocatedTags = Tags FROM focus_split WHERE SubAccountId IS NOT NULL ORDER BY 1"
    ) == [
        (
            "prod-eu/search/search-api-7d9f-x2x1",
            "i-0abc1234def567890",
            "AWS",
            "search",
            "prod",
            True,
        ),
        ("prod-eu/training/llm-finetune-0", "gke-gpu-3", "Google Cloud", "ml-platform", None, True),
    ]


def test_idle_and_unallocated_have_rows_of_their_own(store: Loaded) -> None:
    assert store.sql(
        "SELECT AllocatedResourceId, sum(BilledCost) FROM focus_split "
        "WHERE AllocatedResourceName LIKE '\\_\\_%' ESCAPE '\\' GROUP BY 1 ORDER BY 1"
    ) == [
        ("prod-eu/__idle__", Decimal("17.7999")),
        ("prod-eu/__unallocated__", Decimal("1.42")),
    ]


def test_an_allocation_is_no_bill(store: Loaded) -> None:
    assert store.one("SELECT count(*) FROM focus") == 0
    assert store.sql(
        "SELECT DISTINCT x_CostBasis, AllocatedMethodId, ServiceProviderName, BillingAccountId, "
        "BillingCurrency FROM focus_split"
    ) == [("allocated", "opencost", "Kubernetes", "prod-eu", "USD")]


def test_other_envelopes(load: Load, tmp_path: Path) -> None:
    shapes: dict[str, Any] = {
        "flat": lambda one, two: [one, two],
        "set": lambda one, two: {"a": one, "b": two},
        "object": lambda one, two: {"code": 200, "data": {"a": one, "b": two}},
        "sets": lambda one, two: {"data": {"sets": [{"allocations": {"a": one, "b": two}}]}},
        "euro": lambda one, two: {"currency": "EUR", "data": [None, {"a": one, "b": two}]},
    }
    for name, shape in shapes.items():
        one, two = (
            an_allocation(part, cost, properties={"cluster": name})
            for part, cost in (("a", 1.5), ("b", 2.25))
        )
        (tmp_path / f"{name}.json").write_text(json.dumps(shape(one, two)))
    rows = load(tmp_path).sql(
        "SELECT BillingAccountId, sum(BilledCost), any_value(BillingCurrency) FROM focus_split "
        "GROUP BY 1"
    )
    assert {name: (cost, currency) for name, cost, currency in rows} == {
        name: (Decimal("3.75"), "EUR" if name == "euro" else "USD") for name in shapes
    }


def test_a_second_export_of_a_window_replaces_the_first(load: Load, tmp_path: Path) -> None:
    for number, total in enumerate((4, 3)):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"data": [{"a": an_allocation("a", total)}]}))
        store = load(path)
    assert store.one("SELECT sum(BilledCost) FROM focus_split") == 3


def test_what_has_no_cost_or_window_is_set_aside(load: Load, tmp_path: Path) -> None:
    silent = {**an_allocation("silent", None), "gpuCost": None, "ramCost": None}
    timeless = {k: v for k, v in an_allocation("timeless", 1).items() if k != "window"}
    backward = an_allocation("backward", 1, window={"start": WINDOW["end"], "end": WINDOW["start"]})
    path = tmp_path / "allocation.json"
    path.write_text(json.dumps([an_allocation("fine", 7), silent, timeless, backward]))
    store = load(path, max_bad=0.9)
    assert store.one("SELECT sum(BilledCost) FROM focus_split") == 7
    assert sorted(store.sql('SELECT "column" FROM quarantine')) == [
        ("totalCost",),
        ("window",),
        ("window_start",),
    ]
