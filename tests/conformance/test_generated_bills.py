"""A month of AWS, Azure and Google Cloud bills that koku-nise writes, against the files themselves.

The second way is Python's csv and Decimal over every row of the generated files, and the FOCUS 1.4
model that focus-data-toolkit took from the specification.
"""

from __future__ import annotations

import ast
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conformance.conftest import finops, generated, model

pytestmark = pytest.mark.conformance

_EXACT = Context(prec=60)
_STORED = Decimal("1e-12")
Row = Mapping[str, str]


def unblended(row: Row) -> Decimal:
    return Decimal(row["lineItem/UnblendedCost"])


def pretax(row: Row) -> Decimal:
    return Decimal(row["CostInBillingCurrency"])


def net_of_credits(row: Row) -> Decimal:
    credits = ast.literal_eval(row["credits"] or "[]")  # written by koku-nise as a Python literal
    if isinstance(credits, dict):
        credits = [credits] if credits.get("amount") is not None else []
    return sum((Decimal(str(one["amount"])) for one in credits), Decimal(row["cost"]))


COST: Mapping[str, Callable[[Row], Decimal]] = {
    "aws": unblended,
    "azure": pretax,
    "gcp": net_of_credits,
}
PROVIDER = {"aws": "AWS", "azure": "Microsoft", "gcp": "Google Cloud"}
MONTHS = (
    ("aws", ""),
    ("aws", "aws_savings_plan.yml"),
    ("azure", ""),
    ("gcp", ""),
    ("gcp", "gcp_credits.yml"),
)


@dataclass(frozen=True)
class Loaded:
    """Bills of a provider: what the command said and what the store holds."""

    bills: list[Path]
    report: Mapping[str, Any]
    home: Path

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement over ``focus`` gives."""
        store = str((self.home / "costs.duckdb").resolve())
        with closing(duckdb.connect(store, read_only=True)) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module", params=MONTHS, ids=lambda month: " ".join(month).strip())
def month(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A provider, and the plan of the generator or ''."""
    provider, plan = request.param
    return str(provider), str(plan)


@pytest.fixture(scope="module")
def provider(month: tuple[str, str]) -> str:
    return month[0]


@pytest.fixture(scope="module")
def loaded(
    generators: Path, month: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Loaded:
    bills = generated(generators, *month)
    home = tmp_path_factory.mktemp(month[0])
    said = finops("ingest", *bills, "--json", "--home", home)
    return Loaded(bills, json.loads(said, parse_float=Decimal), home)


def read(paths: list[Path]) -> Iterator[Row]:
    """The rows of the files, as they are written."""
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def test_every_row_is_loaded_and_every_amount_survives(loaded: Loaded, provider: str) -> None:
    count, stored, written = 0, Decimal(0), Decimal(0)
    for row in read(loaded.bills):
        amount = COST[provider](row)
        count += 1
        written = _EXACT.add(written, amount)
        stored = _EXACT.add(stored, amount.quantize(_STORED, ROUND_HALF_EVEN, _EXACT))
    assert count > 200
    files = loaded.report["files"]
    assert [file["status"] for file in files] == ["loaded"] * len(loaded.bills)
    assert sum(file["rows"] for file in files) == count
    assert sum(file["quarantined"] for file in files) == 0
    assert loaded.rows("SELECT count(*), sum(BilledCost) FROM focus") == [(count, stored)]
    # A load that rounds says so: what it says is in the files adds up to what is in the files.
    totals = [total for file in files for total in file["totals"]]
    said = sum((t.get("billed_in_file", t["billed"]) for t in totals), Decimal(0))
    assert abs(said - written) < Decimal("1e-18")


def test_no_mandatory_column_is_null(loaded: Loaded, generators: Path) -> None:
    columns = model(generators)["datasets"]["Cost and Usage"]["columns"]
    mandatory = [
        name
        for name, column in columns.items()
        if column["feature_level"] == "Mandatory" and not column["allows_nulls"]
    ]
    assert len(mandatory) > 10
    nulls = ", ".join(f"count(*) - count({name})" for name in mandatory)
    (row,) = loaded.rows(f"SELECT {nulls} FROM focus")
    assert dict(zip(mandatory, row, strict=True)) == dict.fromkeys(mandatory, 0)


def test_values_are_of_the_lists_and_subcategories_under_their_parents(
    loaded: Loaded, generators: Path
) -> None:
    focus = model(generators)
    columns = focus["datasets"]["Cost and Usage"]["columns"]
    listed = {name: c["allowed_values"] for name, c in columns.items() if c["allowed_values"]}
    assert {"ServiceCategory", "ChargeCategory", "PricingCategory"} <= set(listed)
    for name, allowed in listed.items():
        found = {value for (value,) in loaded.rows(f"SELECT DISTINCT {name} FROM focus")}
        assert found - {None} <= set(allowed), name
    no_object = "Tags IS NOT NULL AND json_type(Tags) <> 'OBJECT'"
    assert loaded.rows(f"SELECT Tags FROM focus WHERE {no_object} LIMIT 1") == []
    pairs = loaded.rows("SELECT DISTINCT ServiceSubcategory, ServiceCategory FROM focus")
    parents = focus["service_subcategory_parents"]
    assert [pair for pair in pairs if parents.get(pair[0]) != pair[1]] == []


def test_the_plans_hold_what_they_are_for(generators: Path) -> None:
    kinds = {row["lineItem/LineItemType"] for row in read(generated(generators, *MONTHS[1]))}
    assert kinds == {"SavingsPlanCoveredUsage", "SavingsPlanNegation"}
    bill = generated(generators, *MONTHS[4])
    assert all(net_of_credits(row) < Decimal(row["cost"]) for row in read(bill))


def test_rows_are_of_the_provider_and_the_month(loaded: Loaded, provider: str) -> None:
    assert loaded.rows(
        "SELECT DISTINCT ServiceProviderName, BillingCurrency, BillingPeriodStart::DATE::VARCHAR, "
        "BillingPeriodEnd::DATE::VARCHAR FROM focus"
    ) == [(PROVIDER[provider], "USD", "2026-10-01", "2026-11-01")]
    inside = "ChargePeriodStart >= BillingPeriodStart AND ChargePeriodEnd <= BillingPeriodEnd"
    assert loaded.rows(f"SELECT count(*) FROM focus WHERE NOT ({inside})") == [(0,)]
