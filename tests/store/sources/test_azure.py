"""Azure Cost Management exports: sums of each file, the pair of a month, variants, bad files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home
from tests.store.sources.conftest import Load, Loaded

Row = dict[str, str]
_TWELVE = Decimal("1e-12")


_FIXTURES = Path(__file__).resolve().parent / "fixtures" / "azure"


@pytest.fixture
def azure() -> Path:
    return _FIXTURES


@pytest.fixture(scope="module")
def actual(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with the actual export of an Enterprise Agreement, only to be asked."""
    home = Home(tmp_path_factory.mktemp("azure") / "home")
    return Loaded(home, ingest(home, [_FIXTURES / "ea_actual.csv"]))


@pytest.fixture
def real(realdata: Path) -> Path:
    return realdata / "native"


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def cost_of(path: Path, column: str, keep: Callable[[Row], bool] = lambda row: True) -> Decimal:
    return sum((Decimal(row[column]) for row in rows_of(path) if keep(row)), Decimal(0))


def stored(path: Path, column: str) -> Decimal:
    """The sum as the store holds it: half-even at the 12th decimal in every row."""
    return sum((Decimal(row[column]).quantize(_TWELVE) for row in rows_of(path)), Decimal(0))


def write(path: Path, rows: Iterable[Row]) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def sums(loaded: Loaded) -> tuple[Any, ...]:
    (row,) = loaded.sql("SELECT sum(BilledCost), sum(EffectiveCost) FROM focus")
    return row


# --- one file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "column", "source"),
    [
        ("ea_actual.csv", "CostInBillingCurrency", "azure-actual"),
        ("mca_actual.csv", "costInBillingCurrency", "azure-actual"),
        ("older_pretax.csv", "PreTaxCost", "azure-actual"),
    ],
)
def test_actual_cost_is_billed_and_effective(
    load: Load, azure: Path, name: str, column: str, source: str
) -> None:
    loaded = load(azure / name)
    assert loaded.file.source == source
    assert loaded.file.loaded == len(rows_of(azure / name))
    total = cost_of(azure / name, column)
    assert sums(loaded) == (total, total)


@pytest.mark.parametrize("name", ["ea_amortised.csv", "mca_amortised.csv"])
def test_amortised_cost_is_effective_and_what_a_commitment_covers_is_not_billed(
    load: Load, azure: Path, name: str
) -> None:
    (column,) = (c for c in rows_of(azure / name)[0] if c.lower() == "costinbillingcurrency")
    loaded = load(azure / name)
    assert loaded.file.source == "azure-amortised"
    plain = cost_of(azure / name, column, lambda row: not row["benefitId"])
    assert sums(loaded) == (plain, cost_of(azure / name, column))


def test_rows_tell_actual_from_amortised_and_the_file_name_only_where_they_do_not(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    every = rows_of(azure / "ea_actual.csv")
    misleading = write(tmp_path / "amortised.csv", every)
    assert load(misleading).file.source == "azure-actual"
    plain = [dict(row, BillingAccountId="1") for row in every if not row["benefitId"]]
    assert load(write(tmp_path / "AmortizedCost_1.csv", plain)).file.source == "azure-amortised"
    plain = [dict(row, BillingAccountId="2") for row in every if not row["benefitId"]]
    assert load(write(tmp_path / "costs.csv", plain)).file.source == "azure-actual"
    plain = [dict(row, BillingAccountId="3") for row in every if not row["benefitId"]]
    chosen = load(write(tmp_path / "plain.csv", plain), source="azure-amortised")
    assert chosen.file.source == "azure-amortised"


def test_the_manifest_of_an_export_says_which_kind_its_parts_are(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    every = rows_of(azure / "ea_amortised.csv")
    parts = {
        "ActualCost": [row for row in rows_of(azure / "ea_actual.csv") if not row["benefitId"]],
        "AmortizedCost": [row for row in every if not row["benefitId"]],
    }
    paths = []
    for kind, rows in parts.items():
        folder = tmp_path / f"run of {kind[:2]}"
        folder.mkdir()
        paths.append(write(folder / "part_1_0001.csv", rows))
        (folder / "manifest.json").write_text(
            f'{{"exportConfig": {{"exportName": "x", "type": "{kind}"}}, '
            '"blobs": [{"blobName": "northwind/x/part_1_0001.csv"}]}'
        )
        rows[0]["Tags"] = f'"part": "{kind}"'  # two contents, lest the second file be a copy
        write(paths[-1], rows)
    loaded = load(*paths)
    assert [file.source for file in loaded.report.files] == ["azure-actual", "azure-amortised"]
    total = cost_of(paths[0], "CostInBillingCurrency")
    assert sums(loaded) == (total, total)


def test_parquet_is_read_like_csv(load: Load, azure: Path, tmp_path: Path) -> None:
    path = tmp_path / "part_0.parquet"
    duckdb.sql(
        f"COPY (SELECT * REPLACE (CAST(CostInBillingCurrency AS DOUBLE) AS CostInBillingCurrency, "
        "CAST(Quantity AS DECIMAL(24, 10)) AS Quantity, "
        "CAST(strptime(Date, '%m/%d/%Y') AS DATE) AS Date) "
        f"FROM read_csv('{azure / 'ea_actual.csv'}', all_varchar = true)) TO '{path}'"
    )
    total = cost_of(azure / "ea_actual.csv", "CostInBillingCurrency")
    loaded = load(path)
    assert sums(loaded) == (total, total)
    assert loaded.one("SELECT max(ChargePeriodStart)::DATE::VARCHAR FROM focus") == "2026-04-30"


def test_quantities_are_raw_units_whatever_the_block(actual: Loaded, azure: Path) -> None:
    tokens = sum(
        Decimal(row["Quantity"]) * {"1K": 1_000, "1M": 1_000_000}[row["UnitOfMeasure"]]
        for row in rows_of(azure / "ea_actual.csv")
        if row["UnitOfMeasure"] in ("1K", "1M")
    )
    assert tokens == 7_364_265
    one = "SELECT sum(ConsumedQuantity) FROM focus WHERE ConsumedUnit = 'Tokens'"
    assert actual.one(one) == tokens
    units = actual.sql("SELECT DISTINCT PricingUnit FROM focus WHERE ServiceName ILIKE '%openai%'")
    assert {unit for (unit,) in units} == {"1000 Tokens", "1000000 Tokens", "PTU-Hours"}
    assert actual.sql(
        "SELECT PricingUnit, PricingQuantity, ConsumedUnit, ConsumedQuantity FROM focus "
        "WHERE ServiceName = 'Azure Functions'"
    ) == [("10 Units", Decimal("12.5"), "Units", Decimal(125))]
    assert actual.sql(
        "SELECT DISTINCT PricingUnit FROM focus WHERE ServiceName = 'Storage Accounts'"
    ) == [("GB-Months",)]


def test_what_each_row_is(load: Load, azure: Path) -> None:
    loaded = load(azure / "ea_amortised.csv")
    found = loaded.sql(
        "SELECT ChargeCategory, coalesce(ChargeClass, ''), coalesce(PricingCategory, ''), "
        "coalesce(CommitmentDiscountStatus, ''), coalesce(CommitmentDiscountType, ''), count(*) "
        "FROM focus GROUP BY ALL ORDER BY ALL"
    )
    assert found == [
        ("Adjustment", "", "", "", "", 1),
        ("Purchase", "", "Standard", "", "", 1),
        ("Tax", "", "", "", "", 1),
        ("Usage", "", "Committed", "Unused", "Reservation", 3),
        ("Usage", "", "Committed", "Unused", "Savings Plan", 1),
        ("Usage", "", "Committed", "Used", "Reservation", 5),
        ("Usage", "", "Committed", "Used", "Savings Plan", 3),
        ("Usage", "", "Standard", "", "", 22),
        ("Usage", "Correction", "Standard", "", "", 1),
    ]
    assert loaded.sql(
        "SELECT DISTINCT SubAccountId, x_Team FROM focus WHERE x_Team IS NOT NULL ORDER BY x_Team"
    ) == [
        ("/subscriptions/11111111-aaaa-4bbb-8ccc-000000000002", "assist"),
        ("/subscriptions/11111111-aaaa-4bbb-8ccc-000000000001", "shop"),
    ]
    assert loaded.sql(
        "SELECT DISTINCT BillingPeriodStart::DATE::VARCHAR, BillingPeriodEnd::DATE::VARCHAR "
        "FROM focus"
    ) == [("2026-04-01", "2026-05-01")]


def test_list_and_contracted_cost_are_unit_prices_times_quantity(
    actual: Loaded, azure: Path
) -> None:
    rows = [
        row
        for row in rows_of(azure / "ea_actual.csv")
        if row["ChargeType"] == "Usage" and row["MeterCategory"] != "Functions"
    ]
    listed = sum(Decimal(row["PayGPrice"]) * Decimal(row["Quantity"]) for row in rows)
    agreed = sum(Decimal(row["UnitPrice"]) * Decimal(row["Quantity"]) for row in rows)
    assert actual.sql(
        "SELECT sum(ListCost), sum(ContractedCost) FROM focus WHERE ChargeCategory = 'Usage' "
        "AND ChargeClass IS NULL AND ServiceName <> 'Azure Functions'"
    ) == [(listed, agreed)]


def test_customer_agreement_prices_are_converted_and_dollars_kept(load: Load, azure: Path) -> None:
    path = azure / "mca_actual.csv"
    loaded = load(path)
    dollars = cost_of(path, "costInUsd")
    assert loaded.sql(
        "SELECT BillingCurrency, PricingCurrency, sum(x_BilledCostInUsd), "
        "sum(x_EffectiveCostInUsd) FROM focus GROUP BY ALL"
    ) == [("EUR", "USD", dollars, dollars)]
    usage = [row for row in rows_of(path) if row["chargeType"] == "Usage"]
    listed = sum(Decimal(row["paygCostInBillingCurrency"]) for row in usage)
    agreed = sum(
        Decimal(row["unitPrice"]) * Decimal(row["quantity"]) * Decimal("0.92") for row in usage
    )
    assert loaded.sql(
        "SELECT sum(ListCost), sum(ContractedCost) FROM focus "
        "WHERE ChargeCategory = 'Usage' AND ChargeClass IS NULL"
    ) == [(listed, agreed)]
    assert loaded.one("SELECT any_value(InvoiceId) FROM focus") == "G012345678"


@pytest.mark.parametrize("name", ["services", "families", "regions"])
def test_a_lookup_has_one_row_for_a_key_and_a_service_one_category(name: str) -> None:
    text = files("finops_assistant.store.sources").joinpath(f"azure_{name}.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    assert len({row[0].lower() for row in rows}) == len(rows)
    if name == "services":
        assert len({tuple(row[1:]) for row in rows}) == len({row[1] for row in rows})


# --- the pair of a month ------------------------------------------------------------------------


def pair(folder: Path, agreement: str) -> tuple[Path, Path, str]:
    column = "CostInBillingCurrency" if agreement == "ea" else "costInBillingCurrency"
    return folder / f"{agreement}_actual.csv", folder / f"{agreement}_amortised.csv", column


@pytest.mark.parametrize(
    ("agreement", "order"),
    [("ea", "together"), ("ea", "actual first"), ("mca", "amortised first")],
)
def test_a_pair_bills_as_actual_and_costs_as_amortised(
    load: Load, azure: Path, agreement: str, order: str
) -> None:
    actual, amortised, column = pair(azure, agreement)
    if order == "together":
        loaded = load(actual, amortised)
    else:
        first, second = (actual, amortised) if order == "actual first" else (amortised, actual)
        load(first)
        loaded = load(second)
    assert sums(loaded) == (cost_of(actual, column), cost_of(amortised, column))
    charge = "ChargeType" if agreement == "ea" else "chargeType"
    quantity = "Quantity" if agreement == "ea" else "quantity"
    used = cost_of(actual, quantity, lambda row: row[charge] in ("Usage", "Refund"))
    assert (
        loaded.one(
            "SELECT sum(PricingQuantity) FROM focus WHERE ChargeCategory = 'Usage' "
            "AND CommitmentDiscountStatus IS DISTINCT FROM 'Unused'"
        )
        == used
    )
    assert loaded.one("SELECT sum(rows) FROM catalogue WHERE dimension = 'provider'") == loaded.one(
        "SELECT count(*) FROM focus"
    )
    # every row of either file once: usage in both, purchases in one, the unused in the other
    both = len(rows_of(actual)) + sum("Unused" in row[charge] for row in rows_of(amortised))
    assert loaded.one("SELECT count(*) FROM focus") == both


def test_a_pair_stays_right_after_a_restatement_of_either(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    actual, amortised, column = pair(azure, "ea")
    load(actual, amortised)

    def dearer(path: Path, by: str) -> Path:
        """The vendor's next run: what was used on the 17th cost more; purchases as before."""
        return write(
            tmp_path / f"{path.stem}_{by}.csv",
            (
                {**row, column: str(Decimal(row[column]) * Decimal(by))}
                if row["Date"] == "4/17/2026"
                else row
                for row in rows_of(path)
            ),
        )

    newer = dearer(actual, "1.5"), dearer(amortised, "1.5")
    load(newer[0])
    loaded = load(newer[1])
    assert sums(loaded) == (cost_of(newer[0], column), cost_of(newer[1], column))
    again = dearer(amortised, "2"), dearer(actual, "2")
    load(again[0])
    loaded = load(again[1])
    assert sums(loaded) == (cost_of(again[1], column), cost_of(again[0], column))
    assert loaded.one("SELECT count(*) FROM focus") == len(rows_of(actual)) + 4
    assert load(*again).report.counts == {"unchanged": 2}
    assert sums(loaded) == (cost_of(again[1], column), cost_of(again[0], column))


def test_accounts_and_months_with_one_export_are_left_alone(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    actual, amortised, column = pair(azure, "ea")
    other = write(
        tmp_path / "other.csv", ({**r, "BillingAccountId": "8"} for r in rows_of(amortised))
    )
    loaded = load(actual, amortised, other)
    plain = cost_of(amortised, column, lambda row: not row["benefitId"])
    assert loaded.sql(
        "SELECT sum(BilledCost), sum(EffectiveCost) FROM focus WHERE BillingAccountId = '8'"
    ) == [(plain, cost_of(amortised, column))]


# --- files as they should not be ----------------------------------------------------------------


def test_rows_that_cannot_be_read_are_set_aside_and_named(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    bad = [
        ("Date", "17/4/2026", "date and time"),
        ("BillingCurrencyCode", "US Dollar", "currency code"),
        ("CostInBillingCurrency", "12,5", "number"),
        ("CostInBillingCurrency", "", "empty"),
        ("Quantity", "a few", "number"),
    ]
    rows = rows_of(azure / "ea_actual.csv")
    broken = [{**row, column: value} for row, (column, value, _) in zip(rows, bad, strict=False)]
    rest = rows[len(bad) :]
    loaded = load(write(tmp_path / "broken.csv", broken + rest), max_bad=0.5)
    total = sum(Decimal(row["CostInBillingCurrency"]) for row in rest)
    assert sums(loaded) == (total, total)
    found = loaded.sql('SELECT line, "column", reason FROM quarantine ORDER BY line')
    assert [(line, column) for line, column, _ in found] == [
        (number, column) for number, (column, *_) in enumerate(bad, start=2)
    ]
    assert all(says in reason for (*_, reason), (*_, says) in zip(found, bad, strict=True))


def changed(azure: Path, tmp_path: Path, **values: str) -> Path:
    """The actual export with one row changed."""
    rows = rows_of(azure / "ea_actual.csv")
    rows[3] = {**rows[3], **values}
    return write(tmp_path / "changed.csv", rows)


def test_thousands_separators_are_read_and_tags_that_are_no_json_kept(
    load: Load, azure: Path, tmp_path: Path
) -> None:
    path = changed(azure, tmp_path, CostInBillingCurrency="1,234,567.25", Tags='"team: "shop')
    total = cost_of(azure / "ea_actual.csv", "CostInBillingCurrency")
    left = Decimal(rows_of(azure / "ea_actual.csv")[3]["CostInBillingCurrency"])
    loaded = load(path)
    assert sums(loaded)[0] == total - left + Decimal("1234567.25")
    assert loaded.file.quarantined == 0
    assert loaded.one("SELECT Tags FROM focus WHERE BilledCost > 1000000") == '"\\"team: \\"shop"'


def test_a_file_with_the_day_first_is_refused(load: Load, azure: Path, tmp_path: Path) -> None:
    def day_first(row: Row) -> Row:
        month, day, year = row["Date"].split("/")
        return {**row, "Date": f"{int(day) + 12}/{month}/{year}"}

    path = write(tmp_path / "european.csv", map(day_first, rows_of(azure / "ea_actual.csv")))
    with pytest.raises(NothingLoaded, match="european"):
        load(path)


def test_a_renamed_column_is_named(load: Load, azure: Path, tmp_path: Path) -> None:
    rows = [
        {("UsageDay" if name == "Date" else name): value for name, value in row.items()}
        for row in rows_of(azure / "ea_actual.csv")
    ]
    with pytest.raises(NothingLoaded, match="mandatory column date"):
        load(write(tmp_path / "renamed.csv", rows))


# --- real files ---------------------------------------------------------------------------------


@pytest.mark.realdata
@pytest.mark.parametrize("order", [(0,), (1,), (0, 1), (1, 0)])
def test_the_sums_of_the_real_pair_survive(load: Load, real: Path, order: tuple[int, ...]) -> None:
    actual, amortised = paths = (
        real / "azure_EA_ActualCost_Small.csv",
        real / "azure_EA_AmortizedCost_Small.csv",
    )
    for place in order:
        loaded = load(paths[place])
        file = loaded.file
        assert file.source == ("azure-actual", "azure-amortised")[place]
        (total,) = file.totals
        exact = (total.billed_in_file or total.billed, total.effective_in_file or total.effective)
        assert exact[1] == cost_of(paths[place], "Cost")
    billed, effective = sums(loaded)
    if order == (1,):
        covered = cost_of(amortised, "Cost", lambda row: not row["benefitId"])
        assert abs(billed - covered) < Decimal("1e-11")
    else:
        assert billed == stored(actual, "Cost")
    assert effective == stored(amortised if 1 in order else actual, "Cost")
    if len(order) == 2:
        # of the actual export's rows only the purchase is not in the amortised one too, which has
        # one of them twice: the same free licence, hour by hour
        assert loaded.one("SELECT count(*) FROM focus") == 28
