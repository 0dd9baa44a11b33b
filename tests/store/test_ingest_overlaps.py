"""Two kinds of export of the same bill: the second is refused, because both would be counted."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import LoadReport, NothingLoaded
from finops_assistant.store.settings import Home

Bill = Callable[..., Path]
CUR = {
    "bill/BillingPeriodStartDate": "2024-09-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2024-10-01T00:00:00Z",
    "bill/PayerAccountId": "payer-1",
    "bill/BillType": "Anniversary",
    "bill/InvoiceId": "",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2024-09-01T00:00:00Z",
    "lineItem/UsageEndDate": "2024-09-02T00:00:00Z",
    "lineItem/UsageAccountId": "sub-1",
    "lineItem/ProductCode": "AmazonEC2",
    "lineItem/UsageType": "BoxUsage:m7i.large",
    "lineItem/UsageAmount": "24",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedCost": "2.5",
    "lineItem/LineItemDescription": "an hour",
    "product/ProductName": "Amazon Elastic Compute Cloud",
    "pricing/publicOnDemandCost": "2.5",
    "pricing/unit": "Hrs",
}


def cur(path: Path, **more: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(CUR))
        writer.writeheader()
        writer.writerow(CUR | {k.replace("__", "/"): v for k, v in more.items()})
    return path


def billed(home: Home) -> Decimal:
    with closing(Database.open(home).cursor()) as cursor:
        row = cursor.execute("SELECT sum(BilledCost) FROM focus").fetchone()
    assert row is not None
    return Decimal(row[0])


def refused(report: LoadReport) -> str:
    (message,) = [file.message for file in report.files if file.status == "refused"]
    return message


def test_a_second_kind_of_export_is_refused(home: Home, bill: Bill, tmp_path: Path) -> None:
    focus = bill("focus.csv", [{"BillingAccountId": "payer-1", "BilledCost": "2.5"}])
    ingest(home, [focus])
    with pytest.raises(NothingLoaded) as nothing:
        ingest(home, [cur(tmp_path / "cur.csv")])
    assert "would count twice: the AWS bill of 2024-09 is in the store" in str(nothing.value)
    assert billed(home) == Decimal("2.5")
    assert ingest(home, [focus]).counts == {"unchanged": 1}


def test_in_one_delivery_the_first_counts(home: Home, bill: Bill, tmp_path: Path) -> None:
    focus = bill("focus.csv", [{"BillingAccountId": "payer-1", "BilledCost": "7"}])
    report = ingest(home, [cur(tmp_path / "cur.csv"), focus])
    assert report.counts == {"loaded": 1, "refused": 1}
    assert "(aws-cur)" in refused(report)
    assert billed(home) == Decimal("2.5")


@pytest.mark.parametrize(
    "other",
    [
        {"BillingAccountId": "payer-2"},
        {"BillingAccountId": "payer-1", "ProviderName": "Oracle"},
        {"BillingAccountId": "payer-1", "day": "2024-09-07"},
    ],
)
def test_another_account_provider_or_day_is_another_bill(
    home: Home, bill: Bill, tmp_path: Path, other: dict[str, str]
) -> None:
    report = ingest(home, [bill("focus.csv", [other]), cur(tmp_path / "cur.csv")])
    assert report.counts == {"loaded": 2}


def test_the_kind_of_export_may_change_from_one_month_to_the_next(
    home: Home, bill: Bill, tmp_path: Path
) -> None:
    october = cur(
        tmp_path / "cur.csv",
        bill__BillingPeriodStartDate="2024-10-01T00:00:00Z",
        bill__BillingPeriodEndDate="2024-11-01T00:00:00Z",
        lineItem__UsageStartDate="2024-10-01T00:00:00Z",
        lineItem__UsageEndDate="2024-10-02T00:00:00Z",
    )
    report = ingest(home, [bill("focus.csv", [{"BillingAccountId": "payer-1"}]), october])
    assert report.counts == {"loaded": 2}


def test_a_page_beside_a_focus_export_of_its_account_is_refused(
    home: Home, bill: Bill, tmp_path: Path
) -> None:
    start = 1_725_148_800  # 2024-09-01
    result = {
        "object": "organization.costs.result",
        "amount": {"value": 9, "currency": "usd"},
        "line_item": "gpt-4o-2024-08-06, input",
        "project_id": "p",
    }
    bucket = {
        "object": "bucket",
        "start_time": start,
        "end_time": start + 86_400,
        "results": [result],
    }
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": True}))
    row = {"ProviderName": "OpenAI", "BillingAccountId": "openai", "BilledCost": "4"}
    report = ingest(home, [bill("focus.csv", [row]), page])
    assert report.counts == {"loaded": 1, "refused": 1}
    assert billed(home) == 4
