"""Idempotence, restatement, and files that add up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]
DAYS = "SELECT day(ChargePeriodStart), sum(BilledCost)::INT FROM focus GROUP BY 1 ORDER BY 1"


def month(cost: str, days: range, **columns: str) -> list[dict[str, str]]:
    return [{"day": f"2024-09-{d:02d}", "BilledCost": cost, **columns} for d in days]


def test_a_later_delivery_replaces_its_days_and_keeps_the_others(
    home: Home, bill: Bill, ask: Ask
) -> None:
    ingest(home, [bill("a.csv", month("1", range(1, 6)))])
    report = ingest(home, [bill("b.csv", month("5", range(3, 5)))])
    file = report.files[0]
    assert file.restated == 2
    assert "3 rows of the same billing period on days outside this delivery were kept" in (
        file.message
    )
    assert ask(DAYS) == [(1, 1), (2, 1), (3, 5), (4, 5), (5, 1)]


def test_days_between_the_first_and_the_last_are_replaced_even_without_rows(
    home: Home, bill: Bill, ask: Ask
) -> None:
    ingest(home, [bill("a.csv", month("1", range(1, 6)))])
    ingest(home, [bill("b.csv", [*month("5", range(2, 3)), *month("5", range(4, 5))])])
    assert ask(DAYS) == [(1, 1), (2, 5), (4, 5), (5, 1)]


def test_other_providers_accounts_and_periods_are_never_touched(
    home: Home, bill: Bill, ask: Ask
) -> None:
    ingest(
        home,
        [
            bill("google.csv", month("1", range(1, 3), ProviderName="Google Cloud")),
            bill("account.csv", month("1", range(1, 3), BillingAccountId="payer-2")),
            bill(
                "period.csv",
                month("1", range(1, 3), BillingPeriodStart="2024-08-01 00:00:00"),
            ),
            bill("same.csv", month("1", range(1, 3))),
        ],
    )
    report = ingest(home, [bill("new.csv", month("10", range(1, 3)))])
    assert report.files[0].restated == 2
    assert ask(DAYS) == [(1, 13), (2, 13)]


def test_files_of_one_delivery_add_up(home: Home, bill: Bill, ask: Ask) -> None:
    files = [bill("a.csv", month("1", range(1, 3))), bill("b.csv", month("2", range(1, 3)))]
    report = ingest(home, files)
    assert [f.restated for f in report.files] == [0, 0]
    assert ask(DAYS) == [(1, 3), (2, 3)]


def test_two_files_for_one_period_in_two_deliveries_do_not_add_up(
    home: Home, bill: Bill, ask: Ask
) -> None:
    ingest(home, [bill("a.csv", month("1", range(1, 3)))])
    ingest(home, [bill("b.csv", month("2", range(1, 3)))])
    assert ask(DAYS) == [(1, 2), (2, 2)]


def test_a_known_file_in_a_delivery_adds_up_with_the_new_one(
    home: Home, bill: Bill, ask: Ask
) -> None:
    first, second = bill("f1.csv", month("1", range(1, 3))), bill("f2.csv", month("2", range(1, 3)))
    third = bill("f3.csv", month("4", range(1, 3)))
    ingest(home, [first, second])
    report = ingest(home, [first, third])
    assert [f.status for f in report.files] == ["unchanged", "loaded"]
    assert report.files[1].restated == 2
    assert ask(DAYS) == [(1, 5), (2, 5)]


def test_a_replaced_file_does_not_come_back(home: Home, bill: Bill, ask: Ask) -> None:
    old = bill("old.csv", month("1", range(1, 3)))
    ingest(home, [old])
    ingest(home, [bill("new.csv", month("2", range(1, 3)))])
    version = home.pointer.readlink()
    report = ingest(home, [old])
    assert report.files[0].status == "unchanged"
    assert "replaced by a newer delivery" in report.files[0].message
    assert ask(DAYS) == [(1, 2), (2, 2)]
    assert home.pointer.readlink() == version


def test_the_same_content_under_two_names_counts_once(home: Home, bill: Bill, ask: Ask) -> None:
    files = [bill("a.csv", month("1", range(1, 3))), bill("b.csv", month("1", range(1, 3)))]
    report = ingest(home, files)
    assert [f.status for f in report.files] == ["loaded", "unchanged"]
    assert "same content" in report.files[1].message
    assert ask(DAYS) == [(1, 1), (2, 1)]


def test_corrections_are_kept_as_they_are(home: Home, bill: Bill, ask: Ask) -> None:
    rows = [{}, {"ChargeClass": "Correction", "BilledCost": "-0.25", "EffectiveCost": "-0.25"}]
    ingest(home, [bill("a.csv", rows)])
    assert ask("SELECT ChargeClass, BilledCost FROM focus ORDER BY BilledCost") == [
        ("Correction", Decimal("-0.25")),
        (None, Decimal("1")),
    ]


def test_the_report_says_what_was_loaded(home: Home, bill: Bill) -> None:
    rows = [{"BilledCost": "1.5"}, {"BilledCost": "2", "BillingCurrency": "EUR"}]
    plain = ingest(home, [bill("a.csv", rows)]).to_json()["files"][0]
    assert plain["periods"] == ["2024-09"]
    assert plain["totals"] == [
        {"currency": "EUR", "billed": Decimal(2), "effective": Decimal(1)},
        {"currency": "USD", "billed": Decimal("1.5"), "effective": Decimal(1)},
    ]
    assert set(plain) == {
        "path", "source", "rows", "loaded", "restated", "quarantined", "duplicate", "periods",
        "totals", "status", "message",
    }  # fmt: skip


def test_the_catalogue_follows_what_was_replaced(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", [{"ServiceName": "Old"}])])
    ingest(home, [bill("b.csv", [{"ServiceName": "New"}])])
    assert ask("SELECT value FROM catalogue WHERE dimension = 'service'") == [("New",)]
