"""Google Cloud billing export: net of credits in every format, commitments, tax, bad files."""

from __future__ import annotations

import ast
import csv
import json
from collections.abc import Iterable
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

_COLUMNS = ("BilledCost", "EffectiveCost", "ContractedCost", "x_CreditAmount")


_FIXTURES = Path(__file__).resolve().parent / "fixtures" / "gcp_billing"


@pytest.fixture
def gcp() -> Path:
    return _FIXTURES


@pytest.fixture(scope="module")
def detailed(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A store with the JSON Lines export, only to be asked."""
    home = Home(tmp_path_factory.mktemp("gcp") / "home")
    return Loaded(home, ingest(home, [_FIXTURES / "detailed.jsonl"]))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines export, numbers as they are written."""
    return [
        json.loads(line, parse_float=Decimal)
        for line in path.read_text("utf-8").splitlines()
    ]  # fmt: skip


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    text = "\n".join(json.dumps(record, default=float) for record in records)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def credits_of(row: dict[str, str]) -> list[Decimal]:
    """What comes off a row of a CSV, whichever way its list is written."""
    if '{"' in row["credits"] and row["credits"].startswith('[{"name": "'):
        return [c["amount"] for c in json.loads(row["credits"], parse_float=Decimal)]
    return [Decimal(repr(c["amount"])) for c in ast.literal_eval(row["credits"])]


def totals(loaded: Loaded) -> tuple[Any, ...]:
    (row,) = loaded.sql(f"SELECT {', '.join(f'sum({c})' for c in _COLUMNS)} FROM focus")
    return row


def unused(record: dict[str, Any]) -> bool:
    """Whether it is the fee of a commitment, less what was used of it."""
    return any(c["type"] == "FEE_UTILIZATION_OFFSET" for c in record["credits"])


def expected(records: list[dict[str, Any]]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    cost = sum((Decimal(r["cost"]) for r in records), Decimal(0))
    off = sum((Decimal(c["amount"]) for r in records for c in r["credits"]), Decimal(0))
    default = "cost_at_effective_price_default"
    before = sum((Decimal(r[default] or r["cost"]) for r in records if not unused(r)), Decimal(0))
    return cost + off, cost + off, before, off


# --- the formats ---------------------------------------------------------------------------------


def test_json_lines_are_billed_net_of_credits(detailed: Loaded, gcp: Path) -> None:
    records = lines_of(gcp / "detailed.jsonl")
    assert detailed.file.source == "gcp-billing"
    assert detailed.file.loaded == len(records)
    assert totals(detailed) == expected(records)


@pytest.mark.parametrize("name", ["standard_json.csv", "standard_literal.csv"])
def test_csv_with_dotted_headers_reads_lists_of_either_spelling(
    load: Load, gcp: Path, name: str
) -> None:
    loaded = load(gcp / name)
    rows = rows_of(gcp / name)
    cost = sum(Decimal(row["cost"]) for row in rows)
    off = sum(sum(credits_of(row)) for row in rows)
    assert off == Decimal("-29.72")
    fee = sum(Decimal(row["cost"]) for row in rows if "FEE_UTILIZATION" in row["credits"])
    assert totals(loaded) == (cost + off, cost + off, cost - fee, off)
    assert loaded.one(
        "SELECT Tags FROM focus WHERE x_CreditTypes LIKE 'PROMOTION,%' LIMIT 1"
    ) == '{"env":"prod","team":"shop","tier":"gold"}'  # fmt: skip
    assert loaded.one("SELECT DISTINCT x_InstanceType FROM focus WHERE x_InstanceType <> ''") == (
        "n2-standard-8"
    )


@pytest.mark.parametrize("shape", ["lists", "list elements"])
def test_parquet_of_bigquery_is_read_in_both_shapes_of_lists(
    load: Load, gcp: Path, tmp_path: Path, shape: str
) -> None:
    path = tmp_path / "export.parquet"

    def nested(column: str) -> str:
        if shape == "lists":
            return f"{column} AS {column}"
        elements = f"list_transform({column}, lambda e: {{'element': e}})"
        return f"{{'list': {elements}}} AS {column}"

    # the zone, NULL in every row, becomes a member without a type
    duckdb.sql(
        f"COPY (SELECT * REPLACE ({nested('credits')}, {nested('labels')}, "
        f"{nested('system_labels')}, CAST(usage_start_time AS TIMESTAMPTZ) AS usage_start_time) "
        f"FROM read_json('{gcp / 'detailed.jsonl'}', format = 'newline_delimited')) TO '{path}'"
    )
    loaded = load(path)
    assert totals(loaded) == expected(lines_of(gcp / "detailed.jsonl"))
    assert loaded.sql("SELECT DISTINCT x_Team FROM focus WHERE x_Team IS NOT NULL ORDER BY 1") == [
        ("assist",),
        ("shop",),
    ]


# --- what the rows mean --------------------------------------------------------------------------


def test_list_cost_is_the_list_price_where_the_export_has_it(detailed: Loaded, gcp: Path) -> None:
    listed = sum(
        Decimal(r["cost_at_list"] or r["cost_at_effective_price_default"] or r["cost"])
        for r in lines_of(gcp / "detailed.jsonl")
        if r["sku"]["description"] != "Goodwill credit" and not unused(r)
    )
    assert detailed.one("SELECT sum(ListCost) FROM focus") == listed


def test_what_each_row_is(detailed: Loaded) -> None:
    found = detailed.sql(
        "SELECT ChargeCategory, coalesce(ChargeClass, ''), coalesce(PricingCategory, ''), "
        "coalesce(CommitmentDiscountStatus, ''), coalesce(CommitmentDiscountId, ''), "
        "sum(BilledCost), count(*) FROM focus GROUP BY ALL ORDER BY ALL"
    )
    assert [row for row in found if row[:4] != ("Usage", "", "Standard", "")] == [
        ("Adjustment", "", "", "", "", Decimal("-0.003"), 1),
        ("Credit", "", "", "", "", Decimal(-25), 1),
        ("Purchase", "", "Standard", "",
         "//compute.googleapis.com/projects/4711/regions/europe-west1/commitments/a2-cpus",
         Decimal("2.1"), 1),
        ("Tax", "", "", "", "", Decimal("2.17"), 1),
        ("Usage", "", "Committed", "Unused", "sub-1234", Decimal("0.8"), 1),
        ("Usage", "", "Committed", "Used", "Committed Usage Discount: A2 CPU", Decimal(0), 1),
        ("Usage", "", "Committed", "Used", "sub-1234", Decimal("1.2"), 1),
        ("Usage", "", "Dynamic", "", "", Decimal("0.02"), 1),
        ("Usage", "Correction", "Standard", "", "", Decimal("-1.5"), 1),
    ]  # fmt: skip
    assert detailed.sql(
        "SELECT ServiceName, SubAccountId FROM focus WHERE ChargeCategory = 'Tax'"
    ) == [("Invoice items", None)]


def test_the_billing_period_is_the_invoice_month(detailed: Loaded) -> None:
    assert detailed.sql(
        "SELECT ChargePeriodStart::VARCHAR, BillingPeriodStart::DATE::VARCHAR, "
        "BillingPeriodEnd::DATE::VARCHAR FROM focus WHERE PricingCategory = 'Dynamic'"
    ) == [("2026-04-30 22:00:00", "2026-05-01", "2026-06-01")]


def test_quantities_are_raw_tokens_and_seconds(detailed: Loaded) -> None:
    assert detailed.sql(
        "SELECT SkuMeter, PricingUnit, sum(PricingQuantity), ConsumedUnit, sum(ConsumedQuantity) "
        "FROM focus WHERE ServiceName = 'Vertex AI' GROUP BY ALL ORDER BY ALL"
    ) == [
        ("Gemini 1.0 Pro Text Input Characters", "1000 Characters", 192, "Characters", 192_000),
        ("Gemini 2.5 Flash Text Input - Predictions", "Tokens", 2_000_000, "Tokens", 2_000_000),
        ("Gemini 2.5 Flash Text Output - Predictions", "1000000 Tokens", Decimal("0.4"),
         "Tokens", 400_000),
    ]  # fmt: skip
    assert detailed.sql(
        "SELECT PricingUnit, ConsumedUnit, ConsumedQuantity, ResourceType, RegionName FROM focus "
        "WHERE x_InstanceType = 'n2-standard-8' LIMIT 1"
    ) == [("Hours", "Seconds", 28_800, "instance", "Belgium")]


def test_labels_win_over_project_labels(detailed: Loaded, gcp: Path) -> None:
    teams = detailed.sql(
        "SELECT x_Team, count(*) FROM focus WHERE SubAccountId = 'fabrikam-shop' "
        "GROUP BY 1 ORDER BY 1"
    )
    records = [r for r in lines_of(gcp / "detailed.jsonl") if r["project"]]
    named = [
        {**{e["key"]: e["value"] for e in r["project"]["labels"]},
         **{e["key"]: e["value"] for e in r["labels"]}}.get("team")
        for r in records
        if r["project"]["id"] == "fabrikam-shop"
    ]  # fmt: skip
    assert teams == [(team, named.count(team)) for team in ("assist", "shop")]
    assert detailed.one("SELECT DISTINCT x_CostCentre FROM focus WHERE x_CostCentre <> ''") == "K-7"


@pytest.mark.parametrize("name", ["services", "units", "regions"])
def test_a_lookup_has_one_row_for_a_key_and_a_service_one_category(name: str) -> None:
    text = files("finops_assistant.store.sources").joinpath(f"gcp_{name}.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    assert len({row[0].lower() for row in rows}) == len(rows)
    if name == "services":
        assert len({tuple(row[1:]) for row in rows}) == len({row[1] for row in rows})


# --- files as they should not be ----------------------------------------------------------------


def with_row(gcp: Path, tmp_path: Path, **values: Any) -> Path:
    records = lines_of(gcp / "detailed.jsonl")
    records[2] = {**records[2], **values}
    return write_lines(tmp_path / "changed.jsonl", records)


def test_rows_that_cannot_be_read_are_set_aside_and_named(
    load: Load, gcp: Path, tmp_path: Path
) -> None:
    bad: list[tuple[dict[str, Any], str, str]] = [
        ({"cost": "a lot"}, "cost", "number"),
        ({"currency": "EURO"}, "currency", "currency code"),
        ({"usage_start_time": "yesterday"}, "usage_start_time", "date and time"),
        ({"invoice": {"month": "202613"}}, "invoice.month", "not a month"),
        ({"credits": [{"type": "PROMOTION", "amount": "some"}]}, "credits", "not a number"),
        ({"billing_account_id": None}, "billing_account_id", "empty"),
    ]
    records = lines_of(gcp / "detailed.jsonl")
    broken = [{**record, **values} for record, (values, _, _) in zip(records, bad, strict=False)]
    path = write_lines(tmp_path / "broken.jsonl", broken + records[len(bad) :])
    loaded = load(path, max_bad=0.5)
    assert totals(loaded) == expected(records[len(bad) :])
    found = loaded.sql('SELECT line, "column", reason FROM quarantine ORDER BY line')
    assert [(line, column) for line, column, _ in found] == [
        (number, column) for number, (_, column, _) in enumerate(bad, start=1)
    ]
    assert all(says in reason for (*_, reason), (_, _, says) in zip(found, bad, strict=True))


def test_text_in_a_literal_list_is_text(load: Load, gcp: Path, tmp_path: Path) -> None:
    """An amount inside a name is no amount, and nothing in a list is evaluated."""
    rows = rows_of(gcp / "standard_literal.csv")
    name = "x', 'amount': -999, 'y': __import__('os').getcwd() \\ \"q\""
    amounts = [{"name": name, "amount": -0.25, "type": "PROMOTION", "full_name": None}]
    rows[1]["credits"] = repr(amounts)
    rows[2]["credits"] = "[{'name': 'cut off"
    path = tmp_path / "literal.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    loaded = load(path)
    assert loaded.sql("SELECT x_CreditAmount FROM focus WHERE x_CreditTypes = 'PROMOTION'") == [
        (Decimal("-0.25"),),
        (Decimal(-25),),
    ]
    ((line, column, reason),) = loaded.sql('SELECT line, "column", reason FROM quarantine')
    assert (line, column) == (4, "credits")
    assert "list of credits" in reason


def test_digits_beyond_the_twelfth_are_rounded_and_said(
    load: Load, gcp: Path, tmp_path: Path
) -> None:
    off = [{"name": "d", "amount": -1e-13, "type": "DISCOUNT"}]
    loaded = load(with_row(gcp, tmp_path, cost=0.1234567890123456, credits=off))
    (total,) = loaded.file.totals
    records = lines_of(gcp / "detailed.jsonl")
    rest = expected(records[:2] + records[3:])[0]
    assert total.billed_in_file == rest + Decimal("0.1234567890123456") - Decimal("1e-13")
    assert total.billed == rest + Decimal("0.123456789012")


def test_a_newer_export_of_a_month_replaces_the_older_and_the_same_file_changes_nothing(
    load: Load, gcp: Path, tmp_path: Path
) -> None:
    load(gcp / "detailed.jsonl")
    newer = with_row(gcp, tmp_path, cost=Decimal(5))
    loaded = load(newer)
    assert totals(loaded) == expected(lines_of(newer))
    assert load(newer).report.counts == {"unchanged": 1}
    assert totals(loaded) == expected(lines_of(newer))


def test_truncated_json_lines_and_a_renamed_column(load: Load, gcp: Path, tmp_path: Path) -> None:
    text = (gcp / "detailed.jsonl").read_text("utf-8")
    cut = tmp_path / "cut.jsonl"
    cut.write_text(text[:-300], encoding="utf-8")
    loaded = load(cut)
    assert loaded.file.quarantined == 1
    assert totals(loaded) == expected(lines_of(gcp / "detailed.jsonl")[:-1])
    renamed = tmp_path / "renamed.csv"
    header, rest = (gcp / "standard_json.csv").read_text("utf-8").split("\n", 1)
    renamed.write_text(header.replace(",cost,", ",amount,") + "\n" + rest, encoding="utf-8")
    with pytest.raises(NothingLoaded, match="mandatory column cost"):
        load(renamed)


# --- a real file --------------------------------------------------------------------------------


@pytest.mark.realdata
def test_the_real_file_loads_net_of_credits(load: Load, realdata: Path) -> None:
    path = realdata / "native" / "koku_gcp_202011.csv"
    rows = rows_of(path)
    cost = sum(Decimal(row["cost"]) for row in rows)
    off = sum(sum(credits_of(row)) for row in rows)
    loaded = load(path)
    assert loaded.file.loaded == len(rows) == 25
    assert totals(loaded) == (cost + off, cost + off, cost, off)
    assert cost > 0 > off
