"""What a file writes where it has no value, and what it rounds where columns are left out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.store.sources.conftest import Load

LINE = {
    "bill/PayerAccountId": "111111111111",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
    "lineItem/LineItemType": "Usage",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UsageStartDate": "2026-10-01T00:00:00Z",
    "lineItem/UsageEndDate": "2026-10-01T01:00:00Z",
    "lineItem/UsageAmount": "1",
    "lineItem/ProductCode": "AmazonEC2",
    "lineItem/UnblendedCost": "0.25",
    "savingsPlan/SavingsPlanEffectiveCost": "",
}
Report = Callable[..., Path]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Writes an AWS Cost and Usage Report of lines that differ from LINE."""

    def write(*lines: Mapping[str, str]) -> Path:
        path = tmp_path / "report.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(LINE))
            writer.writeheader()
            writer.writerows({**LINE, **line} for line in lines)
        return path

    return write


def test_none_of_a_python_program_is_no_value(load: Load, report: Report) -> None:
    loaded = load(report({"savingsPlan/SavingsPlanEffectiveCost": "None"}))
    assert loaded.file.quarantined == 0
    assert loaded.sql("SELECT BilledCost, EffectiveCost FROM focus") == [
        (Decimal("0.25"), Decimal("0.25"))
    ]


def test_none_is_no_cost_either(load: Load, report: Report) -> None:
    loaded = load(report({}, {"lineItem/UnblendedCost": "None"}), max_bad=1)
    assert loaded.file.quarantined == 1
    assert loaded.sql('SELECT "column", reason FROM quarantine') == [
        ("lineItem/UnblendedCost", "is empty")
    ]


def test_rounding_is_told_where_columns_are_left_out(load: Load, report: Report) -> None:
    costs = ["0.0000000000014", "0.000000000000500000000001", "2"]
    loaded = load(report(*({"lineItem/UnblendedCost": cost} for cost in costs)))
    (total,) = loaded.file.totals
    assert total.billed_in_file == sum(map(Decimal, costs))
    assert total.billed == Decimal("2.000000000002")
    assert "rounded" in loaded.file.message
