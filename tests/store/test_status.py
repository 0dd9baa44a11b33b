"""``status``: what is in the store, checked against the rows written by the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.errors import QueryRefused, StoreMissing
from finops_assistant.store.ingest import ingest
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
        "reconciliation",
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
