"""The sample's bills, read with plain DuckDB and held against the truth and hand arithmetic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.sample import SAMPLE_FIRST_DAY, SAMPLE_LAST_DAY, generate
from finops_assistant.store.sample.company import plant

CLOSED_LISTS: dict[str, set[str | None]] = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit"},
    "ChargeClass": {None, "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {None, "Standard", "Dynamic", "Committed"},
    "CommitmentDiscountStatus": {None, "Used", "Unused"},
    "CommitmentDiscountCategory": {None, "Spend", "Usage"},
}
MANDATORY = (  # FOCUS 1.4, Cost and Usage, nulls not allowed
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd", "ContractedCost", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ServiceCategory", "ServiceName", "Provider",
)  # fmt: skip
TEAM_KEYS = ("team", "Team", "TEAM", "owner_team")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("sample")
    generate(path, scale=0.05)
    return path


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection with table ``bill``: every file of every vendor, types cast by hand."""
    parts = []
    for vendor in sorted((folder / "bills").iterdir()):
        one = next(vendor.iterdir()).name
        if one.endswith(".parquet"):
            read = f"read_parquet('{vendor}/*.parquet', filename=true)"
            tags = {"aws": "to_json(Tags)::VARCHAR", "google-cloud":
                    "to_json(map_from_entries(Tags))::VARCHAR"}  # fmt: skip
            columns = f"* REPLACE ({tags.get(vendor.name, 'Tags')} AS Tags)"
        else:
            null = "NULL" if vendor.name == "snowflake" else ""
            read = (
                f"read_csv('{vendor}/*', all_varchar=true, header=true, nullstr='{null}', "
                "filename=true)"
            )
            columns = "*"
        parts.append(f"SELECT {columns} FROM {read}")
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE raw AS {' UNION ALL BY NAME '.join(parts)}")
    money = ", ".join(
        f'"{name}"::DECIMAL(38,12) AS "{name}"'
        for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice",
                     "ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity", "x_GpuHours",
                     "CommitmentDiscountQuantity")
    )  # fmt: skip
    moments = ", ".join(
        f"rtrim({name}::VARCHAR, 'Z')::TIMESTAMP AS {name}"
        for name in ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart",
                     "BillingPeriodEnd")
    )  # fmt: skip
    keys = ", ".join(f"json_extract_string(Tags, '$.\"{key}\"')" for key in TEAM_KEYS)
    connection.execute(
        f"CREATE TABLE bill AS SELECT * REPLACE ({money}, {moments}), "
        f"coalesce(ServiceProviderName, ProviderName) AS Provider, "
        f"coalesce({keys}, '(untagged)') AS team FROM raw"
    )
    yield connection
    connection.close()


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def one(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return rows(con, sql)[0][0]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path, scale=0.05)
    assert digests(tmp_path) == digests(folder)


def test_other_seeds_plant_elsewhere_within_the_data() -> None:
    plans = [plant(seed).situation for seed in range(1, 40)]
    for name in ("spike_start", "idle_since", "runaway_start", "retired_on"):
        days = {getattr(plan, name) for plan in plans}
        assert len(days) > 3
        assert SAMPLE_FIRST_DAY < min(days) <= max(days) < SAMPLE_LAST_DAY


def test_another_seed_writes_another_company(truth: dict[str, Any], tmp_path: Path) -> None:
    generate(tmp_path, seed=11, scale=0.01)
    other = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert other["planted"]["cost_spike"] != truth["planted"]["cost_spike"]
    assert set(other["planted"]) == set(truth["planted"])


def test_a_scale_outside_its_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale"):
        generate(tmp_path, scale=0)


def test_every_file_has_the_rows_that_the_truth_says(
    folder: Path, con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    counted = dict(rows(con, "SELECT filename, count(*) FROM bill GROUP BY 1"))
    assert {str(Path(k).relative_to(folder)): v for k, v in counted.items()} == truth["files"]
    assert sum(counted.values()) == truth["rows"]


@pytest.mark.parametrize(
    ("cost", "column"),
    [("effective", "EffectiveCost"), ("billed", "BilledCost"), ("list", "ListCost"),
     ("contracted", "ContractedCost")],
)  # fmt: skip
def test_sums_by_provider_and_month_are_the_truths(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any], cost: str, column: str
) -> None:
    found = rows(
        con,
        f"SELECT Provider, strftime(ChargePeriodStart, '%Y-%m'), sum({column}) FROM bill "
        "GROUP BY ALL",
    )
    expected = truth["provider"][cost]
    assert len(expected) == 8
    assert {(p, m): v for p, m, v in found} == {
        (provider, month): Decimal(amount)
        for provider, months in expected.items()
        for month, amount in months.items()
        if month != "total"
    }
    total = one(con, f"SELECT sum({column}) FROM bill")
    assert total == Decimal(truth["totals"][cost]["total"])


def test_invoices_add_up_by_billing_month(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    found = rows(
        con,
        "SELECT Provider, strftime(BillingPeriodStart, '%Y-%m'), sum(BilledCost) FROM bill "
        "GROUP BY ALL",
    )
    for provider, month, amount in found:
        assert amount == Decimal(truth["provider_by_billing_month"][provider][month])


def test_teams_add_up_over_all_their_tag_keys(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    found = dict(rows(con, "SELECT team, sum(EffectiveCost) FROM bill GROUP BY 1"))
    expected = {k: Decimal(v["total"]) for k, v in truth["effective_by"]["team"].items()}
    assert found == expected
    assert len(found) == 11  # ten teams and what has none


def test_tokens_and_gpu_hours_are_the_truths(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    tokens = rows(
        con,
        "SELECT x_ModelId, sum(ConsumedQuantity) FROM bill "
        "WHERE ConsumedUnit = 'Tokens' GROUP BY 1",
    )
    assert dict(tokens) == {k: Decimal(v["total"]) for k, v in truth["tokens_by_model"].items()}
    hours = one(con, "SELECT sum(x_GpuHours) FROM bill")
    assert hours == Decimal(truth["gpu_hours"]["all"]["total"])


def test_mandatory_columns_are_filled_and_closed_lists_kept(con: duckdb.DuckDBPyConnection) -> None:
    for column in MANDATORY:
        assert one(con, f'SELECT count(*) FROM bill WHERE "{column}" IS NULL') == 0, column
    for column, allowed in CLOSED_LISTS.items():
        assert {value for (value,) in rows(con, f"SELECT DISTINCT {column} FROM bill")} <= allowed


def test_costs_are_price_times_quantity_exactly(con: duckdb.DuckDBPyConnection) -> None:
    for price, cost in (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")):
        priced = f"FROM raw WHERE {price} IS NOT NULL"
        checked = con.execute(
            f"SELECT {price}::VARCHAR, PricingQuantity::VARCHAR, {cost}::VARCHAR {priced}"
        ).fetchall()
        assert len(checked) > 10_000
        assert all(Decimal(p) * Decimal(q) == Decimal(c) for p, q, c in checked)


def test_days_and_months_run_without_a_gap(con: duckdb.DuckDBPyConnection) -> None:
    days = rows(
        con,
        "SELECT Provider, min(ChargePeriodStart)::DATE, max(ChargePeriodStart)::DATE, "
        "count(DISTINCT ChargePeriodStart::DATE) FROM bill GROUP BY 1",
    )
    length = (SAMPLE_LAST_DAY - SAMPLE_FIRST_DAY).days + 1
    assert [row[1:] for row in days] == [(SAMPLE_FIRST_DAY, SAMPLE_LAST_DAY, length)] * 8
    assert one(con, "SELECT count(*) FROM bill WHERE ChargePeriodEnd <= ChargePeriodStart") == 0


def test_commitments_balance_and_are_used_as_planted(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    found = rows(
        con,
        "SELECT CommitmentDiscountId, "
        "sum(BilledCost) FILTER (ChargeCategory = 'Purchase'), sum(EffectiveCost), "
        "sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Unused' "
        "AND ChargePeriodStart >= DATE '2026-10-01') "
        "FROM bill WHERE CommitmentDiscountId IS NOT NULL GROUP BY 1",
    )
    assert len(found) == 3
    planted = {
        truth["planted"][name]["commitment_id"]: Decimal(
            truth["planted"][name]["unused_cost_2026_10"]
        )
        for name in ("savings_plan", "unused_commitment", "provisioned_throughput")
    }
    for identity, purchased, effective, unused in found:
        assert purchased == effective
        assert unused == planted[identity]


def test_messy_names_are_there(con: duckdb.DuckDBPyConnection) -> None:
    teams = {team for (team,) in rows(con, "SELECT DISTINCT team FROM bill")}
    assert {"search", "search-infra", "checkout"} <= teams
    tags = " ".join(str(text) for (text,) in rows(con, "SELECT DISTINCT Tags FROM bill"))
    for text in ("café-kampagne", "Müller & Söhne", "ignore previous instructions", "<img src=",
                 '"production"', '"prod"', '"CostCentre"', '"cost-center"'):  # fmt: skip
        assert text in tags, text
    assert '"project":"checkout"' in tags.replace(": ", ":")


def test_corrections_credits_and_taxes_are_their_own_rows(con: duckdb.DuckDBPyConnection) -> None:
    late = rows(
        con,
        "SELECT Provider, BilledCost FROM bill WHERE ChargeClass = 'Correction' "
        "AND BillingPeriodStart > ChargePeriodStart ORDER BY 1",
    )
    assert late == [("AWS", Decimal("86.40")), ("Microsoft", Decimal("-250.00")),
                    ("OpenAI", Decimal("-412.36"))]  # fmt: skip
    credits = "SELECT sum(EffectiveCost) FROM bill WHERE ChargeCategory = 'Credit'"
    assert one(con, credits) == Decimal("-8250.00")  # 4 x 1500 + 3 x 400 + 750 + 300
    taxes = "SELECT count(*) FROM bill WHERE ChargeCategory = 'Tax'"
    assert one(con, taxes) == 8 * 14


def test_planted_costs_are_on_the_bill(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    planted = truth["planted"]
    october = "ChargePeriodStart >= DATE '2026-10-01'"
    idle = planted["idle_endpoint"]
    assert Decimal(idle["cost_a_day"]) == Decimal("136.128")  # 24 h x 7.09 x 0.80
    cases = [
        (f"ResourceId = '{idle['resource_id']}' AND {october}", idle["cost_2026_10"]),
        (f"SubAccountId = 'wrenfield-sandbox' AND Tags IS NULL AND {october}",
         planted["untagged_slice"]["cost_2026_10"]),
        (f"Tags LIKE '%\"voice-concierge\"%' AND {october}",
         planted["retired_initiative"]["cost_2026_10"]),
        (f"ServiceName = 'Amazon SageMaker' AND ResourceType = 'endpoint' AND {october}",
         planted["gpu_rate_cut"]["cost_2026_10"]),
        (f"x_ModelId = 'gpt-5.6-sol' AND {october}", planted["model_price_cut"]["cost_2026_10"]),
        (f"Tags LIKE '%ticket-routing%' AND {october}",
         planted["premium_model_on_simple_work"]["cost_2026_10"]),
        (f"Tags LIKE '%dispute-briefs%' AND {october}",
         planted["wrong_to_downgrade"]["cost_2026_10"]),
        (f"Tags LIKE '%product-faq%' AND {october}",
         planted["cacheable_prompts"]["cost_2026_10"]),
        (f"ResourceName LIKE 'gpu-desk-%' AND {october}",
         planted["nights_and_weekends"]["cost_2026_10"]),
        ("x_ApiKeyId = '" + planted["cost_spike"]["api_key"] + "'", planted["cost_spike"]["cost"]),
    ]  # fmt: skip
    for condition, amount in cases:
        found = one(con, f"SELECT sum(EffectiveCost) FROM bill WHERE {condition}")
        assert found == Decimal(amount), condition


def test_the_spike_stands_out_in_its_project(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    spike = truth["planted"]["cost_spike"]
    assert Decimal(spike["cost"]) == Decimal(49 * (40 * Decimal("1.25") + 6 * 10))
    days = dict(
        rows(
            con,
            "SELECT ChargePeriodStart::DATE::VARCHAR, sum(EffectiveCost) FROM bill "
            "WHERE Provider = 'OpenAI' AND Tags LIKE '%copy-studio%' GROUP BY 1",
        )
    )
    usual = sorted(days.values())[len(days) // 2]
    assert sorted(days, key=lambda day: days[day])[-3:] == sorted(
        spike["cost_by_day"], key=lambda day: days[day]
    )
    assert all(days[day] > 5 * usual for day in spike["cost_by_day"])


def test_the_gpt_price_cut_shows_in_the_unit_price(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "SELECT ListUnitPrice, min(ChargePeriodStart)::DATE::VARCHAR FROM bill "
        "WHERE x_ModelId = 'gpt-5.6-sol' AND x_TokenDirection = 'Output' GROUP BY 1 ORDER BY 2",
    )
    assert found == [(Decimal(30), "2026-07-01"), (Decimal(20), "2026-08-21")]
