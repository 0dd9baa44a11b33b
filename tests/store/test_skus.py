"""AI dimensions out of SKU text: what is expected is written by hand from vendors' documents."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store import skus
from finops_assistant.store.focus import META_SQL, VIEWS, create_table_sql
from finops_assistant.store.settings import Settings
from finops_assistant.store.sku_tables import SkuTables, packaged
from finops_assistant.store.tables import TABLES

Row = dict[str, Any]


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


TEXTS = read(Path(__file__).parent / "sku_texts.csv")
MODELS = read(Path(skus.__file__).parent / "sample" / "models.csv")


USE: Row = {
    "ServiceProviderName": "AWS",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-09-01",
    "ChargePeriodEnd": "2026-09-02",
    "ConsumedQuantity": Decimal(24),
    "ConsumedUnit": "Hours",
    "BillingCurrency": "USD",
    "EffectiveCost": Decimal(1),
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty store in memory."""
    with duckdb.connect() as connection:
        for table in VIEWS:
            connection.execute(create_table_sql(table=table))
        connection.execute(META_SQL)
        for other in TABLES.values():
            connection.execute(other.create_sql())
        yield connection


def put(con: duckdb.DuckDBPyConnection, *rows: Row, table: str = "charges", file: int = 1) -> None:
    """Insert rows: charges like ``USE`` but for what they name."""
    for row in rows:
        full = USE | {"_file_id": file} | row
        names, marks = ", ".join(full), ", ".join("?" * len(full))
        con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(full.values()))


def recognise(con: duckdb.DuckDBPyConnection) -> None:
    skus.recognise(con, Settings())


def cells(con: duckdb.DuckDBPyConnection, columns: str, table: str = "charges") -> list[Any]:
    rows = con.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


def p5(**columns: Any) -> Row:
    return {"SkuMeter": "BoxUsage:p5.48xlarge"} | columns


def test_texts_mean_what_the_vendors_say(con: duckdb.DuckDBPyConnection) -> None:
    assert len(TEXTS) >= 120
    put(
        con,
        *(
            {
                "ServiceProviderName": text["provider"],
                "ServiceName": text["service"],
                "SkuMeter": text["sku"],
            }
            for text in TEXTS
        ),
    )
    recognise(con)
    found = cells(
        con,
        "SkuMeter, x_ModelId, x_ModelFamily, x_TokenDirection, x_TokenCacheAction, x_ServiceTier, "
        "x_WorkloadType, x_GpuHours",
    )
    names = ("sku", "model", "family", "direction", "cache", "tier", "workload")
    expected = [
        (
            *(text[n] or None for n in names),
            Decimal(text["gpu_hours"]) if text["gpu_hours"] else None,
        )
        for text in TEXTS
    ]
    assert found == expected
    missing = {(e["sku"], e["missing"]) for e in skus.unrecognised(con)}
    assert missing == {(text["sku"], text["missing"]) for text in TEXTS if text["missing"]}


def test_models_of_the_sample_company(con: duckdb.DuckDBPyConnection) -> None:
    """Every model of the sample, by the vendor's API name and by the text of a cloud's SKU."""
    shape = {
        "OpenAI": ("OpenAI API", "{}, input"),
        "Anthropic": ("Anthropic API", "{} uncached_input_tokens"),
        "Mistral AI": ("Mistral AI API", "{} input tokens"),
        "Cohere": ("Cohere API", "{} input tokens"),
        "AWS": ("Amazon Bedrock", "USE1-{}-input-tokens"),
        "Microsoft": (
            "Azure OpenAI Service",
            "Azure OpenAI / Azure OpenAI / {} Input global Tokens",
        ),
        "Google Cloud": ("Vertex AI", "{} Text Input - Predictions"),
    }
    for model in MODELS:
        service, words = shape[model["channel"]]
        named = model.get("sku") or model["billed"]
        place = {"ServiceProviderName": model["channel"], "ServiceName": service}
        put(
            con,
            place | {"SkuMeter": words.format(named)},
            place | {"x_ModelIdBilled": model["billed"]},
        )
    recognise(con)
    expected = [(m["model"], m["developer"], m["family"]) for m in MODELS for _ in range(2)]
    assert cells(con, "x_ModelId, x_ModelDeveloper, x_ModelFamily") == expected


def test_what_a_source_says_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    bedrock = {"ServiceName": "Amazon Bedrock", "SkuMeter": "USE1-NovaLite-input-tokens"}
    put(
        con,
        bedrock | {"x_ModelId": "house-model", "x_ServiceTier": "gold", "x_WorkloadType": "other"},
        bedrock | {"x_ModelIdBilled": "anthropic.claude-haiku-4-5-20251001-v1:0"},
        p5(x_GpuHours=Decimal("0.5")),
    )
    recognise(con)
    names = "x_ModelId, x_ModelIdBilled, x_ModelFamily, x_ServiceTier, x_WorkloadType"
    assert cells(con, names) == [
        ("house-model", "NovaLite", "Nova", "gold", "other"),
        ("claude-haiku-4-5", "anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku", "standard",
         "inference"),
        (None, None, None, None, None),
    ]  # fmt: skip
    assert cells(con, "x_GpuHours")[2] == Decimal("0.5")


def test_gpu_hours_count_what_ran(con: duckdb.DuckDBPyConnection) -> None:
    used = [
        (p5(ConsumedQuantity=Decimal("0.0116666667")), "0.0933333336"),
        (p5(ConsumedQuantity=Decimal("-2")), "-16"),
        (p5(ConsumedQuantity=Decimal(7200), ConsumedUnit="Seconds"), "16"),
        (p5(ConsumedQuantity=Decimal(7200), ConsumedUnit="Seconds", PricingUnit="Hours",
            PricingQuantity=Decimal("1.5")), "12"),
        (p5(ConsumedUnit=None, PricingUnit="10 Hours", PricingQuantity=Decimal("0.3")), "24"),
        (p5(ConsumedUnit="GB", PricingUnit="GB"), None),
        (p5(ChargeCategory="Purchase"), None),
        (p5(ChargeCategory="Tax"), None),
        (p5(CommitmentDiscountStatus="Unused"), None),
        (p5(CommitmentDiscountStatus="Used"), "192"),
    ]  # fmt: skip
    put(con, *(row for row, _ in used))
    recognise(con)
    expected = [None if hours is None else Decimal(hours) for _, hours in used]
    assert cells(con, "x_GpuHours") == expected


def test_machines_by_instance_type(con: duckdb.DuckDBPyConnection) -> None:
    """FOCUS exports name the machine in a column of its own or in SkuPriceDetails."""
    azure = {"ServiceProviderName": "Microsoft", "ServiceName": "Virtual Machines"}
    put(
        con,
        {"x_InstanceType": "p4d.24xlarge"},
        {"SkuPriceDetails": '{"InstanceType": "g5.12xlarge", "CoreCount": 48}'},
        {"SkuPriceDetails": "not JSON but InstanceType"},
        {"x_InstanceType": "p4d.24xlarge", "SkuMeter": "EBSOptimized:p4d.24xlarge"},
        azure | {"x_InstanceType": "Standard_NC48ads_A100_v4"},
        azure | {"x_InstanceType": "Standard_D4s_v5"},
        {"ServiceProviderName": "Google Cloud", "ServiceName": "Compute Engine",
         "SkuMeter": "A2 Instance Core running in Americas", "x_InstanceType": "a2-highgpu-1g"},
    )  # fmt: skip
    recognise(con)
    assert cells(con, "x_GpuHours") == [192, 96, None, None, 48, None, None]


def test_nothing_is_recognised_by_chance(con: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [
        {"SkuMeter": "BoxUsage:m7i.large", "Tags": '{"app": "Gemini 2.5 Pro", "name": "gpt-4o"}'},
        {"ServiceName": "Amazon Elastic Block Store", "SkuMeter": "EBS:VolumeUsage.titan"},
        {"ServiceName": "Amazon Simple Storage Service", "SkuMeter": "NovaLite-input-tokens"},
        {"ServiceProviderName": "Snowflake", "ServiceName": "Snowflake",
         "SkuMeter": "claude-sonnet-4-5"},
        {"ServiceProviderName": "Microsoft", "ServiceName": "Storage Accounts",
         "SkuMeter": "Storage / Blob / gpt 4o Input global Tokens"},
        {"ServiceName": None, "SkuMeter": None, "ServiceProviderName": None},
    ]  # fmt: skip
    put(con, *rows)
    recognise(con)
    assert cells(con, "_recognised") == [None] * len(rows)
    assert skus.unrecognised(con) == []


def test_gpu_machines_work_on_what_runs_and_tags_say(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "INSERT INTO training_runs (run_id, resource_ids, started_at, ended_at) VALUES "
        "('r', 'arn:aws:ec2:us-east-1:1:instance/i-0ab; i-0cd', '2026-09-01 12:00', '2026-09-03')"
    )
    later = {"ChargePeriodStart": "2026-09-03", "ChargePeriodEnd": "2026-09-04"}
    rows: list[tuple[Row, str | None]] = [
        (p5(ResourceId="i-0ab"), "training"),
        (
            p5(ResourceId="arn:aws:ec2:us-east-1:1:instance/i-0cd", x_Feature="workstation"),
            "training",
        ),
        (p5(ResourceId="i-0ab") | later, None),
        (p5(ResourceId="i-0xy", x_Feature="workstation"), "other"),
        (p5(Tags='{"workload": "Model Training"}', x_Feature="serving"), "training"),
        (p5(x_Feature="ranking"), None),
        (p5(ResourceId="i-0ab", x_WorkloadType="inference"), "inference"),
        ({"SkuMeter": "BoxUsage:m7i.large", "ResourceId": "i-0ab", "x_Feature": "training"}, None),
    ]
    put(con, *(row for row, _ in rows))
    recognise(con)
    assert cells(con, "x_WorkloadType") == [said for _, said in rows]
    con.execute("DELETE FROM training_runs")
    recognise(con)
    after = [None, "other", None, "other", "training", None, "inference", None]
    assert cells(con, "x_WorkloadType") == after


def test_azure_endpoints_infer(con: duckdb.DuckDBPyConnection) -> None:
    place = {
        "ServiceProviderName": "Microsoft",
        "ServiceName": "Azure Machine Learning",
        "SkuMeter": "Azure Machine Learning / NCads A100 v4 Series / NC24ads A100 v4",
    }
    space = "/subscriptions/s/providers/Microsoft.MachineLearningServices/workspaces/w"
    endpoint = {"ResourceId": f"{space}/onlineEndpoints/fraud"}
    put(con, place | endpoint, place | {"ResourceId": space})
    recognise(con)
    assert cells(con, "x_WorkloadType, x_GpuHours") == [("inference", 24), (None, 24)]


def test_dated_rows_hold_for_their_days(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(**model: str) -> dict[str, str]:
        return dict.fromkeys(("aliases", "since", "until", "source"), "") | model

    tables = packaged()
    models = (
        known(model="m-1", developer="D", family="M", aliases="m latest", until="2026-09-01"),
        known(model="m-2", developer="D", family="M", aliases="m latest", since="2026-09-02"),
    )
    meters = tuple(
        replace(m, since="2026-09-02") if (m.sets, m.value) == ("tier", "standard") else m
        for m in tables.meters
    )
    _install(monkeypatch, replace(tables, models=models, meters=meters))
    text = {"ServiceName": "Amazon Bedrock", "SkuMeter": "USE1-m latest-input-tokens"}
    days = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 9, 2), date(2026, 10, 9))
    put(con, *(text | {"ChargePeriodStart": f"{d} 23:00"} for d in days))
    recognise(con)
    assert cells(con, "x_ModelId, x_ServiceTier") == [
        ("m-1", None), ("m-1", None), ("m-2", "standard"), ("m-2", "standard"),
    ]  # fmt: skip


def _install(monkeypatch: pytest.MonkeyPatch, tables: SkuTables) -> None:
    monkeypatch.setattr(skus, "packaged", lambda: replace(tables, digest="another"))


def test_only_new_files_are_examined(con: duckdb.DuckDBPyConnection) -> None:
    put(con, p5())
    recognise(con)
    con.execute("UPDATE charges SET x_GpuHours = 7")
    put(con, p5(), file=2)
    recognise(con)
    recognise(con)
    assert cells(con, "x_GpuHours") == [7, 192]


def test_another_table_corrects_what_the_older_one_said(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {"ServiceName": "Amazon Bedrock", "SkuMeter": "USE1-NovaLite-input-tokens"}
    given = {"x_ModelFamily": "Nova", "x_ModelId": "nova-lite"}
    put(con, text, text | given, p5(x_Feature="training"))
    recognise(con)
    before = cells(con, ", ".join(skus.COLUMNS))
    tables = packaged()
    renamed = tuple(
        {**m, "family": "Nova 1"} if m["model"] == "nova-lite" else m for m in tables.models
    )
    gpus = tuple(g for g in tables.gpus if g["type"] != "p5.48xlarge")
    _install(monkeypatch, replace(tables, models=renamed, gpus=gpus))
    recognise(con)
    assert cells(con, "x_ModelFamily") == ["Nova 1", "Nova", None]
    assert cells(con, "x_GpuHours, x_WorkloadType")[2] == (None, None)
    assert [e["sku"] for e in skus.unrecognised(con)] == ["BoxUsage:p5.48xlarge"]
    monkeypatch.undo()
    recognise(con)
    assert cells(con, ", ".join(skus.COLUMNS)) == before


def test_split_charges_are_recognised_too(con: duckdb.DuckDBPyConnection) -> None:
    place = {
        "ServiceName": "Kubernetes",
        "ConsumedUnit": "GPU-Hours",
        "ConsumedQuantity": Decimal(3),
    }
    put(con, place | {"SkuMeter": "gpu"}, place | {"SkuMeter": "cpu"}, table="split_charges")
    recognise(con)
    assert cells(con, "x_GpuHours", "split_charges") == [3, None]


def test_unrecognised_adds_up_by_currency(con: duckdb.DuckDBPyConnection) -> None:
    dear = {"SkuMeter": "BoxUsage:p9.48xlarge", "EffectiveCost": Decimal("5.5")}
    odd = {"ServiceName": "Amazon Bedrock", "SkuMeter": "USE1-Nova9-input-tokens"}
    later = {"ChargePeriodStart": "2026-09-07", "BillingCurrency": "EUR"}
    put(con, odd, dear, dear, dear | later)
    recognise(con)
    days = {"first_day": date(2026, 9, 1), "last_day": date(2026, 9, 7)}
    assert skus.unrecognised(con) == [
        {"provider": "AWS", "service": "Amazon Elastic Compute Cloud",
         "sku": "BoxUsage:p9.48xlarge", "missing": "gpu", "rows": 3,
         "cost": {"EUR": Decimal("5.5"), "USD": 11}, **days},
        {"provider": "AWS", "service": "Amazon Bedrock", "sku": "USE1-Nova9-input-tokens",
         "missing": "model", "rows": 1, "cost": {"USD": 1}, **days, "last_day": date(2026, 9, 1)},
    ]  # fmt: skip
    assert [e["rows"] for e in skus.unrecognised(con, "BillingCurrency = 'EUR'")] == [1]


@pytest.mark.parametrize(
    ("columns", "ai"),
    [
        ({"ServiceCategory": "AI and Machine Learning"}, True),
        ({"ServiceCategory": "Compute"}, False),
        ({}, False),
        ({"x_ModelId": "gpt-4o"}, True),
        ({"x_GpuHours": Decimal(0)}, True),
        ({"x_WorkloadType": "training"}, True),
        ({"x_WorkloadType": "pipeline"}, False),
        ({"x_WorkloadType": "pipeline", "x_Initiative": "ranker"}, True),
    ],
)
def test_ai_spend(con: duckdb.DuckDBPyConnection, columns: Row, ai: bool) -> None:
    put(con, columns)
    assert cells(con, skus.AI_SPEND_SQL) == [ai]


def test_the_tables_are_sound() -> None:
    tables = packaged()
    allowed = {
        "direction": {"Input", "Output"},
        "cache": {"Uncached", "Read", "Write", ""},
        "tier": {"batch", "flex", "priority", "standard", "provisioned"},
        "workload": {"training", "inference", "pipeline", "other"},
        "expects": {"model", "gpu"},
    }
    for meter in tables.meters:
        assert meter.value in allowed.get(meter.sets, {meter.value}), meter
        if meter.sets in ("model", "model_name", "gpu"):
            assert meter.value.endswith(r"\1"), meter
    names: dict[str, str] = {}
    for name, model, *_ in tables.names:
        assert name is not None
        assert model is not None
        folded = "".join(c for c in name.lower() if c.isalnum())
        assert names.setdefault(folded, model) == model, name
    assert all(row["developer"] and row["family"] and row["source"] for row in tables.models)
    types = [(g["provider"], g["type"]) for g in tables.gpus]
    assert len(types) == len(set(types))
