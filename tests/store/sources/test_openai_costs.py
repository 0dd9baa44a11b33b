"""OpenAI's costs API: sums as in the pages, quantities in raw tokens, and pages that go wrong."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home
from tests.store.sources.conftest import Load, Loaded

OCTOBER_1 = 1790812800
DAY = 86400
BLOCKS = {"tokens": 1, "1000_tokens": 1000}
FIXTURES = Path(__file__).resolve().parent / "fixtures"


def pages(folder: Path) -> list[dict[str, Any]]:
    """The fixture's pages, numbers as they are written."""
    return [
        json.loads(path.read_text(), parse_float=Decimal)
        for path in sorted((folder / "openai_costs").glob("*.json"))
    ]


def results(all_pages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [result for page in all_pages for bucket in page["data"] for result in bucket["results"]]


def a_page(*results: dict[str, Any], start: int = OCTOBER_1, **more: Any) -> dict[str, Any]:
    bucket = {
        "object": "bucket",
        "start_time": start,
        "end_time": start + DAY,
        "results": list(results),
    }
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None, **more}


def a_result(value: Any, **more: Any) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": "gpt-4o-2024-08-06, input",
        "project_id": "proj_a",
        **more,
    }


def written(path: Path, *documents: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(document) for document in documents))
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with the fixture, for the tests that only ask."""
    home = Home(tmp_path_factory.mktemp("openai_costs") / "home")
    return Loaded(home, ingest(home, [FIXTURES / "openai_costs"]))


def test_every_cost_of_the_pages_arrives(store: Loaded, fixtures: Path) -> None:
    expected: dict[tuple[str | None, str | None], Decimal] = defaultdict(Decimal)
    for result in results(pages(fixtures)):
        key = (result["project_id"], result["api_key_id"])
        expected[key] += Decimal(result["amount"]["value"])
    rows = store.sql(
        "SELECT SubAccountId, x_ApiKeyId, sum(BilledCost), sum(EffectiveCost), sum(ListCost), "
        "sum(ContractedCost) FROM focus GROUP BY ALL"
    )
    assert {(p, k): billed for p, k, billed, *_ in rows} == expected
    assert all(len(set(costs)) == 1 for _, _, *costs in rows)


def test_tokens_are_raw_whatever_block_is_priced(store: Loaded, fixtures: Path) -> None:
    expected = sum(
        Decimal(r["quantity"]) * BLOCKS[r["quantity_unit"]]
        for r in results(pages(fixtures))
        if r["quantity_unit"] in BLOCKS
    )
    assert store.one(
        "SELECT sum(ConsumedQuantity) FROM focus WHERE ConsumedUnit = 'Tokens'"
    ) == Decimal(expected)
    assert store.sql(
        "SELECT PricingQuantity, PricingUnit FROM focus WHERE SkuMeter LIKE '%mini%, input'"
    ) == [(Decimal("82304.52"), "1000 Tokens")]


def test_what_a_row_says(store: Loaded) -> None:
    assert store.sql(
        "SELECT DISTINCT ServiceProviderName, InvoiceIssuerName, ServiceName, ServiceCategory, "
        "ServiceSubcategory, BillingAccountId, BillingCurrency, "
        "CAST(CAST(BillingPeriodStart AS DATE) AS VARCHAR), "
        "CAST(CAST(BillingPeriodEnd AS DATE) AS VARCHAR), x_CostBasis FROM focus"
    ) == [
        (
            *("OpenAI", "OpenAI", "OpenAI API", "AI and Machine Learning", "Generative AI"),
            *("openai", "USD", "2026-10-01", "2026-11-01", "billed"),
        )
    ]
    assert store.sql("SELECT SkuMeter, BilledCost FROM focus WHERE ChargeCategory = 'Credit'") == [
        ("Service credit", Decimal("-2.5"))
    ]


def test_costs_without_groups_load(load: Load, tmp_path: Path) -> None:
    plain = {**a_result(0.06), "line_item": None, "project_id": None}
    store = load(written(tmp_path / "costs.json", a_page(plain, organization_id="org-1")))
    assert store.sql("SELECT BilledCost, SubAccountId, SkuMeter, BillingAccountId FROM focus") == [
        (Decimal("0.06"), None, None, "org-1")
    ]


def test_pages_in_lines_and_in_a_list(load: Load, tmp_path: Path) -> None:
    one, two = a_page(a_result(1.25)), a_page(a_result(2.5), start=OCTOBER_1 + DAY)
    whole = tmp_path / "list.json"
    whole.write_text(json.dumps([one, two]))
    assert load(whole).one("SELECT sum(BilledCost) FROM focus") == Decimal("3.75")
    lines = written(tmp_path / "lines.jsonl", one, two)
    assert load(lines).one("SELECT sum(BilledCost) FROM focus") == Decimal("3.75")


def test_a_page_twice_in_a_file_counts_once(load: Load, tmp_path: Path) -> None:
    page, newer = a_page(a_result(1.25), a_result(4, line_item="o3, output")), a_page(a_result(1.5))
    store = load(written(tmp_path / "costs.jsonl", page, page, newer))
    assert store.one("SELECT sum(BilledCost) FROM focus") == Decimal("5.5")


def test_amounts_of_many_decimals_keep_their_sum(load: Load, tmp_path: Path) -> None:
    texts = ["0.0653850000000000000000000000000000", "0.123456789012345", "-0.000000000000499"]
    page = a_page(*(a_result(text, api_key_id=f"key_{text}") for text in texts))
    store = load(written(tmp_path / "costs.json", page))
    exact = sum(map(Decimal, texts))
    (total,) = store.file.totals
    assert total.billed_in_file == exact
    assert total.billed == sum(round(Decimal(text), 12) for text in texts)


def test_the_export_of_the_usage_page(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    header = (
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,"
        "project_id,organization_id,organization_name"
    )
    lines = [
        f"{OCTOBER_1},{OCTOBER_1 + DAY},2026-10-01,2026-10-02,0.8958740000000000,usd,,,org-x,Acme",
        f"{OCTOBER_1 + DAY},{OCTOBER_1 + 2 * DAY},2026-10-02,2026-10-03,,,,,,",
        f"{OCTOBER_1 + 2 * DAY},{OCTOBER_1 + 3 * DAY},2026-10-03,2026-10-04,0.34,usd,,,org-x,Acme",
    ]
    path.write_text("\n".join([header, *lines]) + "\n")
    store = load(path)
    rows = csv.DictReader(path.read_text().splitlines())
    expected = sum(Decimal(row["amount_value"] or 0) for row in rows)
    assert store.one("SELECT sum(BilledCost) FROM focus") == expected
    assert store.sql("SELECT DISTINCT BillingAccountId, BillingAccountName FROM focus") == [
        ("org-x", "Acme")
    ]
    assert store.file.quarantined == 0  # a day without a cost is no bad row


def test_the_same_page_again_changes_nothing(load: Load, fixtures: Path) -> None:
    first = load(fixtures / "openai_costs").one("SELECT sum(BilledCost) FROM focus")
    again = load(fixtures / "openai_costs")
    assert {file.status for file in again.report.files} == {"unchanged"}
    assert again.one("SELECT sum(BilledCost) FROM focus") == first


def test_a_restated_month_replaces_the_days_it_covers(load: Load, tmp_path: Path) -> None:
    load(
        written(
            tmp_path / "first.json",
            a_page(a_result(1)),
        )
    )
    load(written(tmp_path / "other.json", a_page(a_result(5), start=OCTOBER_1 + DAY)))
    store = load(written(tmp_path / "restated.json", a_page(a_result(0.75))))
    assert store.one("SELECT sum(BilledCost) FROM focus") == Decimal("5.75")


def test_a_wrong_currency_and_a_missing_amount_are_set_aside(load: Load, tmp_path: Path) -> None:
    fine = [a_result(1, line_item=f"line {n}") for n in range(8)]
    odd = a_result(2, line_item="odd")
    odd["amount"]["currency"] = "usdollar"
    empty = {**a_result(3), "amount": None}
    store = load(written(tmp_path / "costs.json", a_page(*fine, odd, empty)), max_bad=0.5)
    assert store.one("SELECT sum(BilledCost) FROM focus") == 8
    reasons = [reason for (reason,) in store.sql("SELECT reason FROM quarantine")]
    assert len(reasons) == 2
    assert any("usdollar" in reason for reason in reasons)


def test_a_truncated_page_is_refused_alone(load: Load, tmp_path: Path) -> None:
    good = written(tmp_path / "good.json", a_page(a_result(1)))
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps(a_page(a_result(2), start=OCTOBER_1 + DAY), indent=1)[:-40])
    many = a_page(*(a_result(1, line_item=f"line {n}") for n in range(50)), start=OCTOBER_1 - DAY)
    lines = written(tmp_path / "lines.jsonl", many, a_page(a_result(1)))
    lines.write_text(lines.read_text()[:-40])
    store = load(good, cut, lines)
    status = {Path(file.path).name: file.status for file in store.report.files}
    assert status == {"good.json": "loaded", "cut.json": "refused", "lines.jsonl": "refused"}
    assert "cut off" in store.report.files[1].message
    assert store.one("SELECT sum(BilledCost) FROM focus") == 1


def test_a_renamed_amount_is_refused_with_a_sentence(load: Load, tmp_path: Path) -> None:
    result = a_result(1)
    result["cost"] = result.pop("amount")
    with pytest.raises(NothingLoaded, match="amount"):
        load(written(tmp_path / "costs.json", a_page(result)))


def test_thousands_separators_and_negative_quantities(load: Load, tmp_path: Path) -> None:
    page = a_page(
        a_result("1,234.50"),
        a_result(-0.5, line_item="refund", quantity=-2000, quantity_unit="tokens"),
    )
    store = load(written(tmp_path / "costs.json", page))
    assert store.one("SELECT sum(BilledCost) FROM focus") == Decimal("1234.00")
    assert store.one("SELECT ConsumedQuantity FROM focus WHERE BilledCost < 0") == -2000
