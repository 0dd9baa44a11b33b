"""The sample company in the store, after every adapter: column by column what the ledger says.

The ledger holds exact integers and knows nothing of the vendors' formats; the store was filled from
the files alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from finops_assistant.store.sample.company import plant
from finops_assistant.store.sample.ledger import build
from finops_assistant.store.sample.scratch import load_ledger

VENDORS = ("AWS", "Microsoft", "Google Cloud", "OpenAI", "Anthropic", "Mistral AI", "Cohere",
           "Snowflake")  # fmt: skip
# column -> vendors whose own format does not carry what the ledger knows
COLUMNS: dict[str, tuple[str, ...]] = {
    "ServiceName": (),
    "ServiceCategory": (),
    "ServiceSubcategory": ("Snowflake",),  # FOCUS 1.0 has none
    "InvoiceIssuerName": (),
    "BillingAccountId": (),
    "BillingAccountName": ("AWS", "Google Cloud"),  # the older CUR; no column in BigQuery
    "SubAccountId": (),
    "SubAccountName": ("AWS",),  # the older CUR names no account
    "RegionId": (),
    "RegionName": (),
    "AvailabilityZone": (),
    "ResourceId": (),
    "ResourceName": ("AWS",),
    "ChargeCategory": (),
    "ChargeClass": (),
    "ChargeFrequency": (),
    "PricingCategory": (),
    "CommitmentDiscountId": (),
    "CommitmentDiscountName": ("AWS",),
    "CommitmentDiscountType": (),
    "CommitmentDiscountCategory": (),
    "CommitmentDiscountStatus": (),
    "x_ApiKeyId": (),
    "x_ModelId": (),
    "x_ModelDeveloper": (),
    "x_ModelFamily": (),
    "x_TokenDirection": (),
    "x_TokenCacheAction": (),
    "x_WorkloadType": (),
}
DIMENSIONS = {
    "team": "x_Team", "project": "x_Project", "environment": "x_Environment",
    "cost_centre": "x_CostCentre", "feature": "x_Feature", "customer": "x_Customer",
    "initiative": "x_Initiative",
}  # fmt: skip
MEASURES = ("billed", "effective", "list", "contracted")


@pytest.fixture(scope="module")
def con(sample_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection with the ledger's ``charge`` and ``dims``, and the store as ``store``."""
    ledger = build(plant(7))
    connection = duckdb.connect()
    load_ledger(connection, ledger)
    frame = {"line": pd.Series(range(len(ledger.lines)), dtype="int64")}
    for dimension, column in DIMENSIONS.items():
        found = [line.dims.get(dimension) for line in ledger.lines]
        frame[column] = pd.Series(found, dtype=object)
    connection.register("dim_frame", pd.DataFrame(frame))
    texts = ", ".join(f"{name}::VARCHAR AS {name}" for name in DIMENSIONS.values())
    connection.execute(
        f"CREATE TABLE wanted AS SELECT charge.*, {texts}, entry.consumed_quantity AS thousandths, "
        "entry.gpu_hours FROM charge JOIN entry USING (line, start) JOIN dim_frame USING (line)"
    )
    store = sample_home / "costs.duckdb"
    connection.execute(f"ATTACH '{store}' AS store (READ_ONLY)")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def truth(sample_home: Path) -> dict[str, Any]:
    text = (sample_home / "sample" / "truth.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def differences(con: duckdb.DuckDBPyConnection, column: str, vendors: list[str]) -> list[Any]:
    """Sums by vendor, day and value that the ledger and the store do not have in common."""
    chosen = ", ".join(f"'{vendor}'" for vendor in vendors)
    wanted = ", ".join(f"sum({m}_cost) AS {m}" for m in MEASURES)
    found = ", ".join(f"sum({m.title()}Cost) AS {m}" for m in MEASURES)
    nothing = " OR ".join(f"{m} <> 0" for m in MEASURES)
    return con.execute(
        f"""
        WITH wanted_sums AS (
            SELECT vendor, starts::DATE AS day, "{column}" AS value, {wanted} FROM wanted
            WHERE vendor IN ({chosen}) GROUP BY ALL
        ), found_sums AS (
            SELECT ServiceProviderName AS vendor, ChargePeriodStart::DATE AS day,
                "{column}" AS value, {found} FROM store.charges
            WHERE ServiceProviderName IN ({chosen}) GROUP BY ALL
        )
        (SELECT 'wanted', * FROM (
            SELECT * FROM wanted_sums WHERE {nothing} EXCEPT SELECT * FROM found_sums))
        UNION ALL (SELECT 'found', * FROM (
            SELECT * FROM found_sums WHERE {nothing} EXCEPT SELECT * FROM wanted_sums))
        ORDER BY 2, 3, 4, 1 LIMIT 8
        """
    ).fetchall()


@pytest.mark.parametrize("column", [*COLUMNS, *DIMENSIONS.values()])
def test_a_column_has_the_ledger_s_costs_on_every_day(
    con: duckdb.DuckDBPyConnection, column: str
) -> None:
    without = COLUMNS.get(column, ())
    assert differences(con, column, [v for v in VENDORS if v not in without]) == []


def test_names_of_aws_accounts_are_known_since_cur_2(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "SELECT DISTINCT SubAccountName, BillingAccountName FROM store.charges "
        "WHERE ServiceProviderName = 'AWS' AND ChargePeriodStart >= DATE '2026-01-01'"
    ).fetchall()
    assert {name for name, _ in found} == {
        "Wrenfield Group", "wrenfield-prod", "wrenfield-staging", "wrenfield-dev", "wrenfield-ml",
        "wrenfield-data",
    }  # fmt: skip
    assert {name for _, name in found} == {"Wrenfield Group"}


def test_raw_tokens_are_those_of_the_ledger_but_for_anthropic(
    con: duckdb.DuckDBPyConnection,
) -> None:
    wanted = con.execute(
        "SELECT vendor, x_ModelId, sum(thousandths) / 1000 FROM wanted "
        "WHERE ConsumedUnit = 'Tokens' AND vendor <> 'Anthropic' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found = con.execute(
        "SELECT ServiceProviderName, x_ModelId, sum(ConsumedQuantity) FROM store.charges "
        "WHERE ConsumedUnit = 'Tokens' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [tuple(row[:2]) for row in found] == [tuple(row[:2]) for row in wanted]
    assert [int(row[2]) for row in found] == [int(row[2]) for row in wanted]


def test_anthropic_s_tokens_are_in_its_usage(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    found = con.execute(
        "SELECT model, sum(input_tokens + output_tokens) FROM store.llm_usage "
        "WHERE layer = 'vendor' AND provider = 'Anthropic' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert len(found) == 5
    claude = con.execute(
        "SELECT x_ModelId, sum(thousandths)::HUGEINT // 1000 FROM wanted "
        "WHERE ConsumedUnit = 'Tokens' AND vendor = 'Anthropic' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(name, int(count)) for name, count in found] == claude


def test_requests_and_tokens_of_vendors_reports_are_the_workloads(
    con: duckdb.DuckDBPyConnection,
) -> None:
    works = build(plant(7)).workloads
    found = con.execute(
        "SELECT provider, sum(requests), sum(input_tokens), sum(output_tokens) "
        "FROM store.llm_usage WHERE layer = 'vendor' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    wanted: list[tuple[str, int | None, int, int]] = []
    for provider in ("Anthropic", "OpenAI"):
        mine = [work for work in works if work.channel == provider]
        requests = sum(int(work.requests.sum()) for work in mine)
        outputs = sum(int(work.tokens["output"].sum()) for work in mine)
        every = sum(int(tokens.sum()) for work in mine for tokens in work.tokens.values())
        counted = requests if provider == "OpenAI" else None  # Anthropic's report has no requests
        wanted.append((provider, counted, every - outputs, outputs))
    assert found == wanted
    layers = con.execute("SELECT DISTINCT layer FROM store.llm_usage").fetchall()
    assert {name for (name,) in layers} == {"vendor", "gateway", "trace"}


def test_gpu_hours_are_those_of_the_ledger(con: duckdb.DuckDBPyConnection) -> None:
    wanted = con.execute(
        "SELECT vendor, ResourceId, sum(gpu_hours)::HUGEINT FROM wanted WHERE gpus > 0 "
        "GROUP BY ALL HAVING sum(gpu_hours) > 0 ORDER BY ALL"
    ).fetchall()
    found = con.execute(
        "SELECT ServiceProviderName, ResourceId, (sum(x_GpuHours) * 1000)::HUGEINT "
        "FROM store.charges WHERE x_GpuHours > 0 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert found == wanted


def test_totals_and_cuts_are_the_truths(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    for measure in MEASURES:
        found = con.execute(
            "SELECT ServiceProviderName, strftime(ChargePeriodStart, '%Y-%m'), "
            f"sum({measure.title()}Cost) FROM store.charges GROUP BY ALL"
        ).fetchall()
        wanted = truth["provider"][measure]
        assert {(vendor, month): amount for vendor, month, amount in found} == {
            (vendor, month): Decimal(amount)
            for vendor, months in wanted.items()
            for month, amount in months.items()
            if month != "total"
        }
    for name, column in DIMENSIONS.items():
        found = con.execute(
            f"SELECT coalesce({column}, '(untagged)'), sum(EffectiveCost) FROM store.charges "
            "GROUP BY 1"
        ).fetchall()
        cut = {key: Decimal(v["total"]) for key, v in truth["effective_by"][name].items()}
        assert dict(found) == cut, name


def test_nothing_was_set_aside(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("SELECT * FROM store.quarantine LIMIT 3").fetchall() == []


def test_the_full_cost_of_each_initiative_is_the_truth_s(
    con: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    october = "ChargePeriodStart >= DATE '2026-10-01' AND ChargePeriodStart < DATE '2026-11-01'"
    direct = dict(
        con.execute(
            f"SELECT x_Initiative, sum(EffectiveCost) FROM store.charges WHERE {october} GROUP BY 1"
        ).fetchall()
    )
    given = con.execute(
        f"SELECT Rule, Target, sum(EffectiveCost) FROM store.allocated WHERE {october} "
        "AND Dimension = 'initiative' GROUP BY ALL"
    ).fetchall()
    rules = {"vector-store": "vector database", "catalogue-pipeline": "catalogue pipeline",
             "llm-gateway": "llm gateway"}  # fmt: skip
    shared = {(rule, target): amount for rule, target, amount in given}
    for name, wanted in truth["planted"]["initiative_full_cost"].items():
        total = direct.get(name, Decimal(0))
        assert total == sum(map(Decimal, wanted["direct"].values()))
        for service, rule in rules.items():
            part = shared.get((rule, name), Decimal(0))
            assert part == Decimal(wanted["shared"].get(service, 0)), (name, service)
            total += part
        assert total == Decimal(wanted["total"])


def test_the_cluster_is_split_and_never_counted_twice(con: duckdb.DuckDBPyConnection) -> None:
    nodes = con.execute(
        "SELECT ResourceId, sum(EffectiveCost) FROM store.split_charges GROUP BY 1 ORDER BY 1"
    ).fetchall()
    billed = con.execute(
        "SELECT ResourceId, sum(EffectiveCost) FROM store.charges "
        "WHERE CommitmentDiscountStatus = 'Used' AND ServiceProviderName = 'AWS' "
        "AND ChargePeriodStart >= DATE '2026-10-01' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert nodes == billed
    assert len(nodes) == 20
    providers = con.execute("SELECT DISTINCT ServiceProviderName FROM store.charges").fetchall()
    assert {name for (name,) in providers} == set(VENDORS)
