"""``status``: what is in the store, checked against the rows written by the test."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.errors import QueryRefused, StoreMissing
from finops_assistant.store.ingest import ingest
from finops_assistant.store.reconcile import reconcile
from finops_assistant.store.settings import Home
from finops_assistant.store.status import status

Bill = Callable[..., Path]


@pytest.fixture
def loaded(home: Home, bill: Bill) -> Home:
    rows = [
        {"BilledCost": "3", "EffectiveCost": "3", "Tags": '{"team": "search"}'},
        {"BilledCost": "1", "EffectiveCost": "1", "day": "2024-09-04"},
        {"BilledCost": "8", "EffectiveCost": "8", "BillingCurrency": "EUR",
         "ProviderName": "OpenAI", "ServiceCategory": "Wizardry"},
        *({"BilledCost": "0", "EffectiveCost": "0"} for _ in range(36)),
        {"BilledCost": "secret"},
    ]  # fmt: skip
    ingest(home, [bill("a.csv", [{**r, "Mood": ""} for r in rows], header=["Mood"])])
    return home


def test_everything_is_shown_to_everyone(loaded: Home) -> None:
    report = status(loaded, EVERYONE)
    assert list(report) == [
        "sources", "periods", "currencies", "freshness", "coverage", "unrecognised", "quarantine",
        "reconciliation", "usage", "context", "attention",
    ]  # fmt: skip
    source = report["sources"][0]
    assert (source["source"], source["rows"], source["files"]) == ("focus", 39, 1)
    assert report["currencies"] == [
        {"currency": "USD", "rows": 38, "billed": Decimal(4), "effective": Decimal(4)},
        {"currency": "EUR", "rows": 1, "billed": Decimal(8), "effective": Decimal(8)},
    ]
    assert report["freshness"]["data_through"] == dt.datetime(2024, 9, 5, tzinfo=dt.UTC)
    assert [p["provider"] for p in report["freshness"]["providers"]] == ["AWS", "OpenAI"]
    shares = {(c["dimension"], c["currency"]): c["share"] for c in report["coverage"]}
    assert shares["team", "USD"] == 0.75
    assert shares["team", "EUR"] == 0
    assert report["unrecognised"]["columns"] == [{"column": "Mood", "files": 1}]
    assert report["unrecognised"]["values"] == [
        {"column": "ServiceCategory", "value": "Wizardry", "rows": 1}
    ]
    assert report["quarantine"]["rows"] == 1
    assert report["quarantine"]["examples"][0]["column"] == "BilledCost"
    assert "secret" in report["quarantine"]["examples"][0]["raw"]


def test_what_asks_for_attention_comes_in_sentences(loaded: Home) -> None:
    said = status(loaded, EVERYONE)["attention"]
    assert said[:5] == [
        "OpenAI ends on 2024-09-01, 3 days before the newest bill.",
        "1 row could not be read and is in quarantine.",
        "Bills are in USD, EUR and no rates are loaded: totals stay apart by currency.",
        "100% of the EUR cost names no team.",
        "25% of the USD cost names no team.",
    ]
    assert said[5].startswith("Not loaded yet: resource_metrics (idle endpoints, GPU utilisation);")


def test_a_provider_that_lags_is_named(home: Home, bill: Bill) -> None:
    rows = [
        {"day": "2024-09-03", "ProviderName": "Oracle"},
        {"day": "2024-09-20"},
    ]
    ingest(home, [bill("a.csv", rows)])
    said = status(home, EVERYONE)["attention"]
    assert "Oracle ends on 2024-09-03, 17 days before the newest bill." in said


def test_a_charge_for_a_whole_month_is_not_late(home: Home, bill: Bill) -> None:
    month = {"ProviderName": "Oracle", "day": "2024-09-01", "ChargePeriodEnd": "2024-10-01"}
    ingest(home, [bill("a.csv", [month, {"day": "2024-09-30"}])])
    report = status(home, EVERYONE)
    assert [p["last_day"] for p in report["freshness"]["providers"]] == [dt.date(2024, 9, 30)] * 2
    assert not [line for line in report["attention"] if "ends on" in line]


def test_hidden_costs_are_not_reconciled(loaded: Home) -> None:
    hidden = Principal("bob", hide=frozenset({"EffectiveCost"}))
    assert status(loaded, hidden)["reconciliation"] == []
    with pytest.raises(QueryRefused):
        reconcile(loaded, hidden)


def test_a_scope_by_technology_works_on_usage_too(loaded: Home) -> None:
    only_ai = Principal("ann", allow={"technology": ("AI",)})
    assert status(loaded, only_ai)["usage"] == []
    assert reconcile(loaded, only_ai) == ()


def test_a_bill_without_usage_and_usage_without_a_bill_are_named(
    home: Home, tmp_path: Path
) -> None:
    """Two days of August at the price list: one billed and not reported, one the reverse."""
    page = {
        "object": "page",
        "data": [
            _bucket(2, {"object": "organization.costs.result",
                        "amount": {"value": 2.5, "currency": "usd"},
                        "line_item": "gpt-4o-2024-08-06, input", "project_id": "p",
                        "quantity": 1_000_000, "quantity_unit": "tokens"}),
        ],
    }  # fmt: skip
    usage = {
        "object": "page",
        "data": [
            _bucket(31, {"object": "organization.usage.completions.result",
                         "input_tokens": 2_000_000, "output_tokens": 0, "num_model_requests": 7,
                         "model": "gpt-4o-2024-08-06", "project_id": "p"}),
        ],
    }  # fmt: skip
    for name, document in (("costs.json", page), ("usage.json", usage)):
        (tmp_path / name).write_text(json.dumps(document))
    ingest(home, [tmp_path / "costs.json", tmp_path / "usage.json"])
    # The bill ends on 2 August: a month is over when its last day has a bill.
    lines = reconcile(home, EVERYONE, dt.date(2025, 8, 1), dt.date(2025, 9, 1))
    (line,) = lines
    assert (line.billed, line.priced) == (Decimal("2.5"), Decimal(5))  # 2.50 per million
    assert line.parts["missing_usage"] == Decimal("2.5")
    assert line.parts["missing_bill"] == -5


def _bucket(day: int, result: dict[str, object]) -> dict[str, object]:
    start = int(dt.datetime(2025, 8, day, tzinfo=dt.UTC).timestamp())
    return {
        "object": "bucket",
        "start_time": start,
        "end_time": start + 86_400,
        "results": [result],
    }


def test_a_principal_sees_its_rows_and_no_file_or_raw_text(loaded: Home) -> None:
    report = status(loaded, Principal("ann", allow={"team": ("search",)}))
    assert [s["rows"] for s in report["sources"]] == [1]
    assert report["currencies"][0]["billed"] == 3
    assert len(report["currencies"]) == 1
    for hidden in ("OpenAI", "EUR", "Wizardry", "a.csv", "secret", "Mood"):
        assert hidden not in str(report)


def test_hidden_columns_are_not_summed(loaded: Home) -> None:
    report = status(loaded, Principal("bob", hide=frozenset({"EffectiveCost"})))
    assert "effective" not in report["currencies"][0]
    assert report["coverage"] == []
    assert report["quarantine"]["examples"] == []


def test_an_unknown_principal_is_refused(loaded: Home) -> None:
    with pytest.raises(QueryRefused):
        status(loaded, Principal("eve", unknown=True))


def test_an_empty_home_says_so(home: Home) -> None:
    with pytest.raises(StoreMissing):
        status(home, EVERYONE)
