"""``export``: a FOCUS dataset that can be loaded again, and nothing that may not be seen."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.export import export_focus
from finops_assistant.store.focus import COLUMNS
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
from tests.store.conftest import BILL_ROW

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def loaded(home: Home, bill: Bill) -> Home:
    rows = [
        {"BilledCost": "1.000000000001", "Tags": '{"team": "search"}', "PublisherName": "Acme"},
        {"BilledCost": "2", "Tags": '{"team": "ads"}', "day": "2024-09-02"},
    ]
    ingest(home, [bill("a.csv", rows)])
    return home


def columns(path: Path) -> list[str]:
    return [name for name, *_ in duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]


# What an export writes where the store holds NULL, since FOCUS demands it.
COMPLETED = {
    "BillingAccountType",
    "PricingCurrency",
    "PricingCurrencyEffectiveCost",
    "RegionName",
    "ResourceType",
    "ServiceSubcategory",
    "SubAccountType",
    "x_PublisherName",
}


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_what_is_exported_loads_as_it_was(
    loaded: Home, tmp_path: Path, ask: Ask, name: str
) -> None:
    path = tmp_path / name
    assert export_focus(loaded, path, EVERYONE) == 2
    kept = ", ".join(c.name for c in COLUMNS if c.name not in COMPLETED)
    everything = f"SELECT {kept} FROM focus ORDER BY ALL"
    before = ask(everything)
    other = Home(tmp_path / "other")
    ingest(other, [path])
    connection = duckdb.connect(str(other.pointer.resolve()), read_only=True)
    assert connection.execute(everything).fetchall() == before
    connection.close()
    assert not list(tmp_path.glob(".out*"))
    again = tmp_path / f"again-{name}"
    export_focus(other, again, EVERYONE)
    written = [duckdb.execute(f"FROM '{one}' ORDER BY ALL").fetchall() for one in (path, again)]
    assert written[0] == written[1]


def test_strict_and_older_versions_have_the_columns_of_the_specification(
    loaded: Home, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    export_focus(loaded, path, EVERYONE, strict=True)
    assert len(columns(path)) == 65
    export_focus(loaded, path, EVERYONE, version="1.2", strict=True)
    assert len(columns(path)) == 57
    assert "ServiceProviderName" not in columns(path)
    rows = duckdb.execute(
        f"SELECT ProviderName, PublisherName FROM '{path}' ORDER BY BilledCost"
    ).fetchall()
    assert rows == [("AWS", "Acme"), ("AWS", "AWS")]


@pytest.fixture
def sparse(home: Home, bill: Bill) -> Home:
    """A charge whose bill says little, one of a pricing currency of its own, and a tax."""
    little = {
        "PublisherName": "",
        "BillingAccountType": "",
        "SubAccountType": "",
        "SubAccountId": "s-1",
        "ServiceCategory": "Compute",
        "ServiceSubcategory": "",
        "PricingCurrency": "",
        "EffectiveCost": "3",
        "PricingQuantity": "",
        "PricingUnit": "Hours",
        "SkuId": "sku",
        "SkuPriceId": "price",
        "RegionId": "eu-1",
        "RegionName": "",
        "ResourceId": "r-1",
        "ResourceType": "",
        "SkuPriceDetails": '{"ModelId": "m \\"TokenDirection\\": 1", "GpuCount": 8, "x_Own": [1]}',
    }
    virtual = {**little, "PricingCurrency": "Credits", "SkuPriceId": "", "SubAccountId": ""}
    tax = {**little, "ChargeCategory": "Tax"}
    ingest(
        home,
        [bill("a.csv", [little, virtual, tax], header=[c for c in little if c not in BILL_ROW])],
    )
    return home


COMPLETIONS = (
    "BillingAccountType, SubAccountType, ServiceSubcategory, PricingCurrency, "
    "PricingCurrencyEffectiveCost, PricingUnit, SkuId, SkuPriceDetails, RegionName, ResourceType"
)


def test_an_export_completes_what_focus_demands_and_the_row_says(
    sparse: Home, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    export_focus(sparse, path, EVERYONE)
    named, other = ("Billing Account", "Sub Account", "Other (Compute)"), "Other (Compute)"
    place = ("eu-1", "Resource")
    details = '{"x_ModelId":"m \\"TokenDirection\\": 1","GpuCount":8,"x_Own":[1]}'
    assert duckdb.execute(
        f"SELECT {COMPLETIONS} FROM '{path}' ORDER BY ChargeCategory DESC, PricingCurrency DESC"
    ).fetchall() == [
        (*named, "USD", 3, None, "sku", details, *place),
        ("Billing Account", None, other, "Credits", None, None, "sku", None, *place),
        (*named, "USD", 3, None, None, None, *place),
    ]


def test_a_hidden_column_completes_no_other(sparse: Home, tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    hidden = frozenset({"EffectiveCost", "ServiceCategory", "ServiceProviderName"})
    export_focus(sparse, path, Principal("b", hide=hidden), "1.2")
    assert hidden.isdisjoint(columns(path))
    told = "PricingCurrencyEffectiveCost, ServiceSubcategory, PublisherName"
    assert duckdb.execute(f"SELECT DISTINCT {told} FROM '{path}'").fetchall() == [
        (None, None, None)
    ]


def test_times_in_csv_are_iso_8601_with_a_zone(loaded: Home, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export_focus(loaded, path, EVERYONE)
    with path.open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["BillingPeriodStart"] == "2024-09-01T00:00:00Z"
    assert row["BilledCost"] in ("1.000000000001", "2.000000000000")


def test_a_principal_exports_its_rows_and_no_hidden_column(loaded: Home, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    ann = Principal("ann", allow={"team": ("search",)}, hide=frozenset({"ListCost", "x_Project"}))
    assert export_focus(loaded, path, ann) == 1
    assert "ads" not in path.read_text()
    hidden = {"ListCost", "x_Project", "Tags"}  # the tags would tell the project
    assert hidden.isdisjoint(columns(path))


def test_a_hidden_provider_is_hidden_under_its_old_name_too(loaded: Home, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export_focus(loaded, path, Principal("b", hide=frozenset({"ServiceProviderName"})), "1.2")
    assert "ProviderName" not in columns(path)


def test_wrong_names_are_usage_errors(loaded: Home, tmp_path: Path) -> None:
    for name, version, said in (
        ("out.xlsx", "1.4", "must end in"),
        ("nowhere/out.csv", "1.4", "no folder"),
        ("out.csv", "1.1", "cannot be written"),
    ):
        with pytest.raises(UsageError, match=said):
            export_focus(loaded, tmp_path / name, EVERYONE, version=version)
    with pytest.raises(QueryRefused):
        export_focus(loaded, tmp_path / "out.csv", Principal("eve", unknown=True))
    assert not (tmp_path / "out.csv").exists()
