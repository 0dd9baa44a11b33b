"""Anthropic's cost report: cents become dollars exactly, token classes are told apart."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home
from tests.store.sources.conftest import Load, Loaded

CENT = Decimal("0.01")
FIXTURES = Path(__file__).resolve().parent / "fixtures"


def results(folder: Path) -> list[dict[str, Any]]:
    """All results of the fixture's pages."""
    return [
        result
        for path in sorted((folder / "anthropic_costs").glob("*.json"))
        for bucket in json.loads(path.read_text())["data"]
        for result in bucket["results"]
    ]


def a_page(*results: dict[str, Any], day: str = "2026-10-01", zone: str = "Z") -> dict[str, Any]:
    bucket = {
        "starting_at": f"{day}T00:00:00{zone}",
        "ending_at": f"{day}T23:59:59{zone}",
        "results": list(results),
    }
    return {"data": [bucket], "has_more": False, "next_page": None}


def a_result(amount: Any, **more: Any) -> dict[str, Any]:
    return {
        "currency": "USD",
        "amount": amount,
        "workspace_id": "wrkspc_a",
        "description": "Claude Sonnet 4.6 Usage - Input Tokens",
        "cost_type": "tokens",
        "context_window": "0-200k",
        "model": "claude-sonnet-4-6",
        "service_tier": "standard",
        "token_type": "uncached_input_tokens",
        "inference_geo": "global",
        **more,
    }


def written(path: Path, *documents: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(document) for document in documents))
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with the fixture, for the tests that only ask."""
    home = Home(tmp_path_factory.mktemp("anthropic_costs") / "home")
    return Loaded(home, ingest(home, [FIXTURES / "anthropic_costs"]))


def test_cents_become_dollars_exactly(store: Loaded, fixtures: Path) -> None:
    expected: dict[tuple[str | None, str | None], Decimal] = defaultdict(Decimal)
    for result in results(fixtures):
        expected[result["workspace_id"], result["model"]] += Decimal(result["amount"]) * CENT
    rows = store.sql(
        "SELECT SubAccountId, x_ModelIdBilled, sum(BilledCost), sum(EffectiveCost), "
        "sum(ContractedCost), sum(ListCost) FROM focus GROUP BY ALL"
    )
    assert {(w, m): billed for w, m, billed, *_ in rows} == expected
    assert all(len(set(costs)) == 1 for _, _, *costs in rows)


def test_the_sum_goes_beyond_the_twelfth_decimal_only_by_rounding(
    load: Load, tmp_path: Path
) -> None:
    texts = ["0.123456789012", "123.78912", "0.000000000049"]
    page = a_page(*(a_result(text, description=text) for text in texts))
    (total,) = load(written(tmp_path / "report.json", page)).file.totals
    assert total.billed_in_file == sum(Decimal(text) * CENT for text in texts)
    assert total.billed == sum(round(Decimal(text) * CENT, 12) for text in texts)


def test_model_direction_and_cache_are_those_of_the_report(store: Loaded) -> None:
    assert store.sql(
        "SELECT x_ModelIdBilled, SkuMeter, x_ModelId, x_TokenDirection, x_TokenCacheAction, "
        "x_ServiceTier FROM focus WHERE strftime(ChargePeriodStart, '%Y-%m-%d') = '2026-10-01' "
        "AND x_ModelIdBilled IS NOT NULL ORDER BY ALL"
    ) == [
        (model, f"{model} / {token_type}", name, *what)
        for model, token_type, name, *what in (
            (
                *("claude-haiku-4-5-20251001", "cache_creation.ephemeral_5m_input_tokens"),
                *("claude-haiku-4-5", "Input", "Write", "standard"),
            ),
            (
                *("claude-haiku-4-5-20251001", "cache_read_input_tokens"),
                *("claude-haiku-4-5", "Input", "Read", "batch"),
            ),
            (
                *("claude-opus-4-6", "output_tokens"),
                *("claude-opus-4-6", "Output", None, "standard"),
            ),
            (
                *("claude-opus-4-6", "uncached_input_tokens"),
                *("claude-opus-4-6", "Input", "Uncached", "standard"),
            ),
        )
    ]


def test_no_quantity_is_made_up(store: Loaded) -> None:
    assert store.sql(
        "SELECT DISTINCT ConsumedQuantity, ConsumedUnit, PricingQuantity, PricingUnit, "
        "ServiceProviderName, ServiceName, ServiceSubcategory, BillingAccountId FROM focus"
    ) == [(None, None, None, None, "Anthropic", "Anthropic API", "Generative AI", "anthropic")]


def test_a_report_without_groups_loads(load: Load, tmp_path: Path) -> None:
    nothing = dict.fromkeys(a_result(""), None)
    page = a_page({**nothing, "amount": "250", "currency": "USD"})
    store = load(written(tmp_path / "report.json", page))
    assert store.sql("SELECT BilledCost, SubAccountId, SkuMeter, ChargeCategory FROM focus") == [
        (Decimal("2.5"), None, None, "Usage")
    ]


def test_a_page_twice_in_a_file_counts_once(load: Load, tmp_path: Path) -> None:
    page = a_page(a_result("100"), a_result("7", model="claude-opus-4-6"))
    store = load(written(tmp_path / "report.jsonl", page, page))
    assert store.one("SELECT sum(BilledCost) FROM focus") == Decimal("1.07")


def test_times_of_other_zones_are_utc(load: Load, tmp_path: Path) -> None:
    page = a_page(a_result("100"), day="2026-11-01", zone="+02:00")
    store = load(written(tmp_path / "report.json", page))
    assert store.sql(
        "SELECT CAST(ChargePeriodStart AS VARCHAR), CAST(BillingPeriodStart AS VARCHAR) FROM focus"
    ) == [("2026-10-31 22:00:00", "2026-10-01 00:00:00")]


def test_what_cannot_be_read_is_set_aside(load: Load, tmp_path: Path) -> None:
    fine = [a_result("100", description=str(n)) for n in range(8)]
    odd = [a_result("12,5", description="odd"), a_result("1", currency="cents")]
    store = load(written(tmp_path / "report.json", a_page(*fine, *odd)), max_bad=0.5)
    assert store.one("SELECT sum(BilledCost) FROM focus") == 8
    assert sorted(store.sql('SELECT "column" FROM quarantine')) == [("amount",), ("currency",)]


def test_a_truncated_page_is_refused_alone(load: Load, tmp_path: Path) -> None:
    good = written(tmp_path / "good.json", a_page(a_result("100")))
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps(a_page(a_result("100"), day="2026-10-02"))[:-30])
    store = load(good, cut)
    status = {Path(file.path).name: file.status for file in store.report.files}
    assert status == {"good.json": "loaded", "cut.json": "refused"}


def test_a_renamed_column_is_refused_with_a_sentence(load: Load, tmp_path: Path) -> None:
    page = a_page({"price" if k == "amount" else k: v for k, v in a_result("1").items()})
    page["data"][0]["amount"] = None  # still known as a cost report
    with pytest.raises(NothingLoaded, match="amount"):
        load(written(tmp_path / "report.json", page))
