"""AWS Cost and Usage Reports: every kind of line, both generations, all three file formats."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home
from finops_assistant.store.sources.aws_cur import AWS_CUR
from tests.store.sources.conftest import Load, Loaded

D = Decimal
Line = dict[str, str]
EC2 = "Amazon Elastic Compute Cloud"
RDS = "Amazon Relational Database Service"
PLANS = "Savings Plans for AWS Compute usage"
REAL = Path(os.environ.get("FINOPS_REALDATA", "")) / "native/aws_cur_anonymous_focus_converters.csv"


FOLDER = Path(__file__).resolve().parent / "fixtures" / "aws_cur"
LEGACY = (FOLDER / "legacy-2026-09-00001.csv", FOLDER / "legacy-2026-09-00002.csv")
SECOND = FOLDER / "cur2-2026-09.csv"
FOCUS = FOLDER / "focus-1.2-aws.csv"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with both files of the legacy report, for tests that only ask."""
    home = Home(tmp_path_factory.mktemp("legacy"))
    return Loaded(home, ingest(home, LEGACY))


def lines_of(*paths: Path) -> list[Line]:
    return [line for path in paths for line in csv.DictReader(path.read_text().splitlines())]


def number(text: str) -> Decimal:
    return D(text) if text else D(0)


def amortised(line: Line) -> Decimal:
    """AWS's own formula for the amortised cost of a legacy line."""
    kind = line["lineItem/LineItemType"]
    match kind:
        case "SavingsPlanCoveredUsage":
            return number(line["savingsPlan/SavingsPlanEffectiveCost"])
        case "SavingsPlanRecurringFee":
            return number(line["savingsPlan/TotalCommitmentToDate"]) - number(
                line["savingsPlan/UsedCommitment"]
            )
        case "SavingsPlanNegation" | "SavingsPlanUpfrontFee":
            return D(0)
        case "DiscountedUsage":
            return number(line["reservation/EffectiveCost"])
        case "RIFee":
            return number(line["reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"]) + number(
                line["reservation/UnusedRecurringFee"]
            )
        case "Fee" if line["reservation/ReservationARN"]:
            return D(0)
    return number(line["lineItem/UnblendedCost"])


SUMS = "SELECT sum(BilledCost), sum(EffectiveCost) FROM focus"
COSTS = """SELECT ChargeCategory, ServiceName, SkuMeter, CommitmentDiscountStatus,
    BilledCost, EffectiveCost, ListCost, ContractedCost FROM focus"""

# Worked out by hand from the two legacy files. The savings plan's three covered hours cost nothing
# on the invoice; -0.0000000001 is what AWS's rounding leaves; -0.0504 negates usage of some other
# file.
EXPECTED = [
    ("Usage", EC2, "BoxUsage:m7i.large", None, "0.1008", "0.1008", "0.1008", "0.1008"),
    ("Usage", EC2, "BoxUsage:m7i.xlarge", "Used", "0", "0.14112", "0.2016", "0.2016"),
    ("Usage", EC2, "BoxUsage:m7i.xlarge", "Used", "0", "0.14112", "0.2016", "0.2016"),
    ("Usage", EC2, "BoxUsage:m7i.xlarge", "Used", "0", "0.14112", "0.2016", "0.2016"),
    ("Adjustment", EC2, "BoxUsage:m7i.xlarge", None, "-0.0000000001", "0", "0", "0"),
    ("Adjustment", EC2, "BoxUsage:m7i.xlarge", None, "0", "0", "0", "0"),
    ("Adjustment", EC2, "BoxUsage:c7i.large", None, "-0.0504", "0", "0", "0"),
    ("Purchase", PLANS, "ComputeSP:1yrNoUpfront", None, "0.3", "0", "0.3", "0.3"),
    ("Usage", PLANS, "ComputeSP:1yrNoUpfront", "Unused", "0", "0.01776", "0", "0"),
    ("Purchase", PLANS, "ComputeSP:1yrPartialUpfront", None, "1000", "0", "1000", "1000"),
    ("Usage", RDS, "InstanceUsage:db.r6g.xlarge", "Used", "0", "0.1500000001", "0.45", "0.45"),
    ("Purchase", RDS, "HeavyUsage:db.r6g.xlarge", None, "72", "0", "72", "72"),
    ("Usage", RDS, "HeavyUsage:db.r6g.xlarge", "Unused", "0", "3.75", "0", "0"),
    ("Purchase", RDS, "HeavyUsage:db.r6g.xlarge", None, "500", "0", "500", "500"),
    ("Purchase", "Example Scanner", "SoftwareContract", None, "25", "25", "25", "25"),
    ("Adjustment", EC2, "BoxUsage:m7i.large", None, "-3.5", "-3.5", "0", "-3.5"),
    ("Adjustment", "Amazon Simple Storage Service", "TimedStorage-ByteHrs", None,
     "-0.75", "-0.75", "0", "-0.75"),
    ("Adjustment", "AWS WAF", "WebACLV2", None, "-0.1", "-0.1", "0", "-0.1"),
    ("Credit", EC2, "BoxUsage:m7i.large", None, "-20", "-20", "0", "0"),
    ("Adjustment", "Amazon Simple Storage Service", "TimedStorage-ByteHrs", None,
     "-5.25", "-5.25", "-5.25", "-5.25"),
    ("Tax", EC2, None, None, "12.34", "12.34", "12.34", "12.34"),
    ("Tax", "Invoice items", None, None, "1.11", "1.11", "1.11", "1.11"),
    ("Usage", EC2, "BoxUsage:m7i.2xlarge", None, "86.4", "86.4", "86.4", "86.4"),
    ("Usage", "Amazon Bedrock", "USE1-NovaLite-input-tokens", None,
     "0.74074068", "0.74074068", "0.74074068", "0.74074068"),
    ("Usage", "Amazon Bedrock", "MP:USE1_InputTokenCount-Units", None, "2.5", "2.5", "2.5", "2.5"),
    ("Usage", "Amazon SageMaker", "USE1-Host:ml.g5.xlarge", None,
     "1.2575", "1.2575", "1.2575", "1.2575"),
    ("Usage", EC2, "SpotUsage:m7i.large", None, "0.0302", "0.0302", "0.1008", "0.0302"),
    ("Usage", "Amazon Elastic Block Store", "EBS:VolumeUsage.gp3", None, "8", "8", "8", "8"),
    ("Usage", "Amazon Virtual Private Cloud", "NatGateway-Hours", None,
     "0.045", "0.045", "0.045", "0.045"),
    ("Purchase", "AWS Support (Business)", "Dollar", None, "100", "100", "100", "100"),
    ("Usage", "Amazon Simple Notification Service", "Requests-Tier1", None,
     "0", "0", "0.0000015", "0"),
    ("Usage", EC2, "BoxUsage:m7i.large", None, "-0.2016", "-0.2016", "-0.2016", "-0.2016"),
    ("Usage", "Amazon New Thing", "Things", None, "3", "3", "3", "3"),
]  # fmt: skip


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    plain = [(*row[:4], *(D(value) for value in row[4:])) for row in rows]
    return sorted(plain, key=lambda row: tuple(map(str, row[:4])) + row[4:])


def test_each_line_type_has_the_four_costs_worked_out_by_hand(month: Loaded) -> None:
    assert ordered(month.sql(COSTS)) == ordered(EXPECTED)


def test_sums_are_those_of_unblended_and_of_amortised_cost(month: Loaded) -> None:
    lines = lines_of(*LEGACY)
    unblended = sum(number(line["lineItem/UnblendedCost"]) for line in lines)
    assert month.sql(SUMS) == [(unblended, sum(map(amortised, lines)))]
    assert [report.status for report in month.report.files] == ["loaded", "loaded"]
    assert all(report.source == "aws-cur" for report in month.report.files)


def test_a_plan_whose_negation_is_missing_stays_as_billed(load: Load) -> None:
    first, _ = LEGACY
    loaded = load(first)
    unblended = sum(number(line["lineItem/UnblendedCost"]) for line in lines_of(first))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == unblended
    covered = """SELECT BilledCost FROM focus WHERE CommitmentDiscountStatus = 'Used'
        AND CommitmentDiscountCategory = 'Spend' ORDER BY ChargePeriodStart, ResourceId"""
    assert loaded.sql(covered) == [(D(0),), (D(0),), (D("0.2016"),)]


def test_reserved_usage_of_an_unnamed_reservation_is_no_plan(load: Load, tmp_path: Path) -> None:
    def unnamed(lines: list[Line]) -> None:
        for line in lines:
            line["reservation/ReservationARN"] = ""

    loaded = load(rewritten(LEGACY[0], tmp_path / "cur.csv", unnamed))
    reserved = "SELECT BilledCost, EffectiveCost FROM focus WHERE SkuMeter LIKE 'InstanceUsage%'"
    assert loaded.sql(reserved) == [(D(0), D("0.1500000001"))]
    unblended = sum(number(line["lineItem/UnblendedCost"]) for line in lines_of(LEGACY[0]))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == unblended


def test_loading_the_same_report_again_changes_nothing(load: Load) -> None:
    before = load(*LEGACY).sql(COSTS + " ORDER BY ALL")
    again = load(*LEGACY)
    assert not again.report.changed
    assert again.sql(COSTS + " ORDER BY ALL") == before


def test_a_restated_month_replaces_the_month(load: Load, tmp_path: Path) -> None:
    load(*LEGACY)
    later = tmp_path / "legacy-2026-09-00003.csv"
    text = LEGACY[0].read_text().replace("0.1008,0.1008,OnDemand", "0.1108,0.1108,OnDemand")
    later.write_text(text)
    loaded = load(later, LEGACY[1])
    unblended = sum(number(line["lineItem/UnblendedCost"]) for line in lines_of(later, LEGACY[1]))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == unblended


def athena(connection: duckdb.DuckDBPyConnection, source: Path, target: Path) -> None:
    """A legacy CSV as AWS writes it as Parquet: snake case, doubles, timestamps, '' for blank."""
    fields = {spelling: field for field in AWS_CUR.fields_of({}) for spelling in field.also}
    columns = []
    header = next(csv.reader(source.read_text().splitlines()))
    for name in header:
        column = f'"{name}"'
        if name in fields:
            kind = {"money": "DOUBLE", "time": "TIMESTAMP"}.get(fields[name].kind)
            if fields[name].name == "line_item_usage_amount":
                kind = "DOUBLE"
            value = f"CAST({column} AS {kind})" if kind else f"coalesce({column}, '')"
            columns.append(f'{value} AS "{fields[name].name}"')
        elif name.startswith(("resourceTags/", "costCategory/")):
            plain = name.replace("resourceTags/", "resource_tags_")
            plain = plain.replace("costCategory/", "cost_category_").replace(":", "_").lower()
            columns.append(f'{column} AS "{plain}"')
    connection.execute(
        f"COPY (SELECT {', '.join(columns)} FROM read_csv('{source}', all_varchar = true)) "
        f"TO '{target}' (FORMAT parquet)"
    )


def test_the_parquet_of_a_legacy_report_gives_the_same_rows(load: Load, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        for path in LEGACY:
            athena(connection, path, tmp_path / f"{path.stem}.parquet")
    loaded = load(*tmp_path.glob("*.parquet"))
    assert ordered(loaded.sql(COSTS)) == ordered(EXPECTED)
    tags = loaded.one("SELECT Tags FROM focus WHERE ResourceId = 'i-0aaa'")
    assert json.loads(tags) == {
        "team": "search", "environment": "prod", "cost_category:segment": "Shop",
    }  # fmt: skip


def as_maps(source: Path, target: Path) -> None:
    """A CUR 2.0 CSV as Data Exports writes it as Parquet: maps, doubles and timestamps."""
    text = "MAP(VARCHAR, VARCHAR)"
    kinds = {"product": text, "resource_tags": text, "cost_category": text}
    kinds["discount"] = "MAP(VARCHAR, DOUBLE)"
    fields = {field.name: field.kind for field in AWS_CUR.fields_of({})}
    replaced = []
    for name in next(csv.reader(source.read_text().splitlines())):
        if name in kinds:
            replaced.append(f"CAST(CAST({name} AS JSON) AS {kinds[name]}) AS {name}")
        elif fields.get(name) in ("money", "time"):
            kind = "DOUBLE" if fields[name] == "money" else "TIMESTAMP"
            replaced.append(f"CAST({name} AS {kind}) AS {name}")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE ({', '.join(replaced)}) "
            f"FROM read_csv('{source}', all_varchar = true)) TO '{target}' (FORMAT parquet)"
        )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_discounts_inside_the_rows_make_net_costs(load: Load, tmp_path: Path, form: str) -> None:
    path = SECOND
    if form == "parquet":
        path = tmp_path / "cur2.parquet"
        as_maps(SECOND, path)
    loaded = load(path)
    lines = lines_of(SECOND)
    net = sum(number(line["line_item_net_unblended_cost"]) for line in lines)
    # By hand, in the order of the file: usage, covered usage, unused plan, reserved usage, unused
    # reservation (upfront and recurring), tokens twice, credit, refund, tax, support, the rest.
    parts = ["0.093744", "0.1312416", "0.01776", "0.1395", "1.1625", "2.325", "0.6888888324", "2.5",
             "-20", "-5.25", "12.34", "100", "3"]  # fmt: skip
    effective = sum(map(D, parts))
    assert loaded.sql(SUMS) == [(net, effective)]
    usage = """SELECT ListCost, ContractedCost, BilledCost, SubAccountName,
        CapacityReservationStatus, x_Team, x_Environment, Tags, SkuPriceDetails FROM focus
        WHERE ResourceId = 'i-0aaa'"""
    *plain, tags, details = loaded.sql(usage)[0]
    assert plain == [D("0.1008"), D("0.093744"), D("0.093744"), "search", "Used", "search", "prod"]
    assert json.loads(tags) == {
        "team": "search", "Environment": "prod", "cost_category:Segment": "Shop",
    }  # fmt: skip
    assert json.loads(details)["OperatingSystem"] == "Linux"
    covered = "SELECT BilledCost FROM focus WHERE CommitmentDiscountStatus = 'Used' ORDER BY ALL"
    assert loaded.sql(covered) == [(D(0),), (D(0),)]


def test_a_split_line_counts_no_usage_twice(load: Load) -> None:
    loaded = load(SECOND)
    pod = "FROM focus WHERE ServiceName = 'Amazon Elastic Kubernetes Service'"
    assert loaded.sql(f"SELECT BilledCost, ConsumedQuantity, PricingQuantity {pod}") == [
        (D(0), None, None)
    ]


def test_tokens_are_raw_tokens_whatever_block_is_sold(month: Loaded) -> None:
    bedrock = """SELECT SkuMeter, ConsumedQuantity, ConsumedUnit, PricingQuantity, PricingUnit,
        x_PublisherName, ServiceProviderName, HostProviderName
        FROM focus WHERE ServiceName = 'Amazon Bedrock' ORDER BY 1"""
    assert month.sql(bedrock) == [
        ("MP:USE1_InputTokenCount-Units", D(2_500_000), "Tokens", D("2.5"), "Units",
         "Anthropic, PBC", "AWS", None),
        ("USE1-NovaLite-input-tokens", D(12_345_678), "Tokens", D("12345.678"), "1000 Tokens",
         "Amazon Web Services, Inc.", "AWS", "AWS"),
    ]  # fmt: skip


def test_who_where_and_what_of_a_line(month: Loaded) -> None:
    row = """SELECT BillingAccountId, SubAccountId, InvoiceId, InvoiceIssuerName, RegionId,
        RegionName, AvailabilityZone, SkuId, SkuPriceId, x_InstanceType, PricingCategory,
        ChargeFrequency, CAST(ChargePeriodStart AS VARCHAR), CAST(ChargePeriodEnd AS VARCHAR),
        CAST(BillingPeriodEnd AS VARCHAR), ResourceType, x_Team, x_Environment
        FROM focus WHERE ResourceId = 'i-0aaa'"""
    assert month.sql(row) == [
        ("210000000001", "111111111111", "2026090001", "Amazon Web Services, Inc.", "us-east-1",
         "US East (N. Virginia)", "us-east-1b", "SKUM7IL", "SKUM7IL.JRT.6YS", "m7i.large",
         "Standard", "Usage-Based", "2026-09-01 01:00:00", "2026-09-01 02:00:00",
         "2026-10-01 00:00:00", "instance", "search", "prod")
    ]  # fmt: skip


def test_commitments_say_what_is_used_and_what_is_not(month: Loaded) -> None:
    commitments = """SELECT CommitmentDiscountType, CommitmentDiscountCategory,
        CommitmentDiscountStatus, sum(CommitmentDiscountQuantity), CommitmentDiscountUnit,
        sum(EffectiveCost) FROM focus WHERE CommitmentDiscountStatus IS NOT NULL
        GROUP BY ALL ORDER BY 1, 3 DESC"""
    assert month.sql(commitments) == [
        ("Compute Savings Plan", "Spend", "Used", D("0.42336"), "USD", D("0.42336")),
        ("Compute Savings Plan", "Spend", "Unused", D("0.01776"), "USD", D("0.01776")),
        ("Reserved Instance", "Usage", "Used", D(1), "Hours", D("0.1500000001")),
        ("Reserved Instance", "Usage", "Unused", D(10), "Hours", D("3.75")),
    ]


def test_corrections_and_months_that_end_a_second_early(month: Loaded) -> None:
    corrections = """SELECT ChargeCategory, BilledCost FROM focus
        WHERE ChargeClass = 'Correction' ORDER BY 2"""
    assert month.sql(corrections) == [("Adjustment", D("-5.25")), ("Usage", D("86.4"))]
    ends = """SELECT DISTINCT CAST(ChargePeriodEnd AS VARCHAR) FROM focus
        WHERE ChargeCategory = 'Tax'"""
    assert month.sql(ends) == [("2026-10-01 00:00:00",)]


def test_a_folder_with_its_manifest_loads_the_bills_alone(load: Load, tmp_path: Path) -> None:
    folder = tmp_path / "cur"
    folder.mkdir()
    for file in FOLDER.glob("legacy*"):
        shutil.copy(file, folder)
    reports = {Path(report.path).name: report for report in load(folder).report.files}
    assert reports["legacy-Manifest.json"].status == "skipped"
    assert reports["legacy-2026-09-00001.csv"].status == "loaded"
    assert reports["legacy-2026-09-00002.csv"].status == "loaded"


# --- bad input -----------------------------------------------------------------------------------


def rewritten(source: Path, target: Path, change: Callable[[list[Line]], None]) -> Path:
    """A copy of a report whose lines were changed."""
    lines = lines_of(source)
    change(lines)
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return target


SPOILED = {  # line of the file, from 0 -> what is written into it
    0: ("lineItem/CurrencyCode", "USX"),
    18: ("lineItem/UnblendedCost", "a lot"),
    21: ("lineItem/UnblendedCost", ""),
    23: ("lineItem/UsageStartDate", "yesterday"),
    24: ("bill/PayerAccountId", ""),
    26: ("lineItem/UsageAmount", "1.5 hours"),
    1: ("savingsPlan/SavingsPlanEffectiveCost", ""),  # what it cost is not guessed
}


def test_lines_that_make_no_sense_are_set_aside(load: Load, tmp_path: Path) -> None:
    def spoil(lines: list[Line]) -> None:
        for place, (column, value) in SPOILED.items():
            lines[place][column] = value

    loaded = load(rewritten(LEGACY[0], tmp_path / "cur.csv", spoil), LEGACY[1], max_bad=0.5)
    fine = [line for place, line in enumerate(lines_of(LEGACY[0])) if place not in SPOILED]
    rest = sum(number(line["lineItem/UnblendedCost"]) for line in fine + lines_of(LEGACY[1]))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == rest
    aside = {
        line - 2: column for line, column in loaded.sql('SELECT line, "column" FROM quarantine')
    }
    assert aside == {
        place: "EffectiveCost" if place == 1 else column for place, (column, _) in SPOILED.items()
    }


def test_a_renamed_column_refuses_the_file(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "cur.csv"
    path.write_text(LEGACY[0].read_text().replace("lineItem/CurrencyCode", "lineItem/Currency"))
    with pytest.raises(NothingLoaded, match="line_item_currency_code"):
        load(path)


def test_thousands_separators_and_zones_are_read(load: Load, tmp_path: Path) -> None:
    def change(lines: list[Line]) -> None:
        lines[6]["lineItem/UnblendedCost"] = "1,000.00"  # the upfront fee
        lines[0]["lineItem/UsageStartDate"] = "2026-09-01T03:00:00+02:00"

    loaded = load(rewritten(LEGACY[0], tmp_path / "cur.csv", change), LEGACY[1])
    unblended = sum(number(line["lineItem/UnblendedCost"]) for line in lines_of(*LEGACY))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == unblended
    starts = "SELECT CAST(ChargePeriodStart AS VARCHAR) FROM focus WHERE ResourceId = 'i-0aaa'"
    assert loaded.one(starts) == "2026-09-01 01:00:00"


# --- names, and files of others ------------------------------------------------------------------


def test_services_and_units_are_listed_once_and_in_allowed_categories() -> None:
    from importlib.resources import files

    from finops_assistant.store.focus import BY_NAME

    beside = files("finops_assistant.store.sources")
    services = list(csv.DictReader(beside.joinpath("aws_services.csv").read_text().splitlines()))
    keys = [(row["code"], row["family"]) for row in services]
    assert len(keys) == len(set(keys))
    assert {row["category"] for row in services} <= set(BY_NAME["ServiceCategory"].allowed)
    assert {row["subcategory"] for row in services} <= set(BY_NAME["ServiceSubcategory"].allowed)
    categories = {(row["service"], row["category"], row["subcategory"]) for row in services}
    assert len(categories) == len({row["service"] for row in services})
    for name, key in (("aws_units.csv", "unit"), ("aws_regions.csv", "region")):
        rows = list(csv.DictReader(beside.joinpath(name).read_text().splitlines()))
        assert len(rows) == len({row[key] for row in rows})


def test_the_services_of_the_sample_company_have_its_names_and_categories() -> None:
    from importlib.resources import files

    def table(package: str, name: str) -> list[Line]:
        return list(csv.DictReader(files(package).joinpath(name).read_text().splitlines()))

    known = {
        (row["service"], row["category"], row["subcategory"])
        for row in table("finops_assistant.store.sources", "aws_services.csv")
    }
    sold = {
        (row["service"], row["category"], row["subcategory"])
        for row in table("finops_assistant.store.sample", "skus.csv")
        if row["vendor"] == "AWS"
    }
    assert sold <= known


NOT_IN_1_0 = {
    "BillingAccountType", "SubAccountType", "InvoiceId", "PricingCurrency", "SkuMeter",
    "SkuPriceDetails", "CommitmentDiscountQuantity", "CommitmentDiscountUnit", "ServiceSubcategory",
}  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "1.2"])
def test_the_focus_export_of_aws_loads_as_focus(load: Load, tmp_path: Path, version: str) -> None:
    def level(lines: list[Line]) -> None:
        for line in lines:
            for column in NOT_IN_1_0 if version == "1.0" else ():
                del line[column]

    loaded = load(rewritten(FOCUS, tmp_path / "focus.csv", level))
    assert loaded.file.source == "focus"
    assert loaded.sql("SELECT focus_version FROM files") == [(version,)]
    billed, effective = (
        sum(D(line[cost]) for line in lines_of(FOCUS)) for cost in ("BilledCost", "EffectiveCost")
    )
    assert loaded.sql(SUMS) == [(billed, effective)]
    names = "SELECT DISTINCT ServiceProviderName, x_Source, x_Team FROM focus ORDER BY 3"
    assert loaded.sql(names) == [("AWS", "focus", "ml-research"), ("AWS", "focus", "search")]
    extra = loaded.one("SELECT extra_columns FROM files")
    assert {"x_CostCategories", "x_Discounts", "x_Operation", "x_ServiceCode"} <= set(extra)


def test_the_focus_parquet_of_aws_has_its_tags_in_a_map(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "focus.parquet"
    text = "MAP(VARCHAR, VARCHAR)"
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT * REPLACE (
                CAST(CAST(Tags AS JSON) AS {text}) AS Tags,
                CAST(CAST(x_Discounts AS JSON) AS {text}) AS x_Discounts,
                CAST(BilledCost AS DOUBLE) AS BilledCost,
                CAST(EffectiveCost AS DOUBLE) AS EffectiveCost,
                CAST(ListCost AS DOUBLE) AS ListCost,
                CAST(ContractedCost AS DOUBLE) AS ContractedCost)
            FROM read_csv('{FOCUS}', all_varchar = true)) TO '{path}' (FORMAT parquet)"""
        )
    loaded = load(path)
    billed = sum(D(line["BilledCost"]) for line in lines_of(FOCUS))
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == billed
    assert loaded.sql("SELECT x_Team FROM focus ORDER BY 1") == [
        ("ml-research",), ("search",), ("search",),
    ]  # fmt: skip


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_file(), reason="real billing files are not on this machine")
def test_a_real_report_loads_to_the_last_digit(load: Load) -> None:
    loaded = load(REAL)
    lines = lines_of(REAL)
    assert (len(lines), loaded.file.loaded, loaded.file.quarantined) == (1281, 1281, 0)
    assert loaded.sql(SUMS) == [(D("1.68230869740"), D("1.68230869740"))]
    assert sum(number(line["lineItem/UnblendedCost"]) for line in lines) == D("1.68230869740")
    others = """SELECT count(*) FROM focus WHERE ListCost IS NULL OR ContractedCost IS NULL
        OR ServiceCategory = 'Other' OR InvoiceIssuerName IS NULL"""
    assert loaded.one(others) == 0
