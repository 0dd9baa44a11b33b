"""The sample's usage, telemetry and business files: headers, agreement with the bills, plants."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.sample import generate

HEADERS = {
    "telemetry/resource_metrics.csv": "timestamp,resource_id,metric,value",
    "telemetry/training_runs.csv": "run_id,name,model,team,project,environment,resource_ids,"
    "gpu_type,gpu_count,started_at,ended_at,status,iteration,expected_hours,last_checkpoint_at,"
    "last_metric_at,metric_name,metric_value",
    "business/business_metrics.csv": "date,metric,value,product,feature,customer,team,project",
    "business/initiatives.csv": "initiative,owner,team,project,stage,proposed_at,approved_at,"
    "first_spend_at,production_at,expected_monthly_value,expected_monthly_cost,kpi",
    "business/budgets.csv": "budget,scope,period,amount,currency,alert_at,owner,kind,unit",
    "business/commitments.csv": "commitment_id,provider,kind,scope,unit,quantity,hourly_cost,"
    "upfront_cost,start,end,payment_option",
    "business/owners.csv": "kind,id,team,project,environment,cost_centre,owner",
    "business/events.csv": "timestamp,kind,title,scope,link",
    "business/rates.csv": "date,from,to,rate",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("context")
    generate(path, scale=0.05)
    return path


@pytest.fixture(scope="module")
def planted(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return found["planted"]  # type: ignore[no-any-return]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def billed_tokens(folder: Path, vendor: str) -> dict[tuple[str, ...], int]:
    """Tokens by day, account, billed model, direction and cache action."""
    found = duckdb.execute(
        "SELECT left(ChargePeriodStart, 10), SubAccountId, x_ModelIdBilled, x_TokenDirection, "
        "coalesce(x_TokenCacheAction, ''), sum(ConsumedQuantity::HUGEINT) "
        f"FROM read_csv('{folder}/bills/{vendor}/*', all_varchar=true) "
        "WHERE ConsumedUnit = 'Tokens' GROUP BY ALL"
    ).fetchall()
    return {row[:5]: int(row[5]) for row in found}


def logs(folder: Path) -> str:
    base = f"{folder}/usage/litellm/spend-logs"
    columns = (
        "request_id, spend, prompt_tokens, completion_tokens, startTime::TIMESTAMP AS startTime, "
        "model, team_id, status, metadata::VARCHAR AS metadata"
    )
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {read}('{base}-{part}')"
        for read, part in (("read_csv", "1.csv"), ("read_parquet", "2.parquet"),
                           ("read_json", "3.jsonl"))
    )  # fmt: skip


def test_headers_are_those_of_the_contract(folder: Path) -> None:
    for name, header in HEADERS.items():
        with (folder / name).open(encoding="utf-8") as handle:
            assert handle.readline().strip() == header, name
            assert handle.readline(), name


def test_openai_usage_equals_its_bill(folder: Path) -> None:
    usage: Counter[tuple[str, ...]] = Counter()
    for path in (folder / "usage" / "openai").glob("*.json"):
        for bucket in json.loads(path.read_text(encoding="utf-8"))["data"]:
            date = f"{datetime.fromtimestamp(bucket['start_time'], UTC):%Y-%m-%d}"
            for result in bucket["results"]:
                base = (date, result["project_id"], result["model"])
                cached = result.get("input_cached_tokens", 0)
                written = result.get("input_cache_write_tokens", 0)
                usage[*base, "Input", "Uncached"] += result["input_tokens"] - cached - written
                usage[*base, "Input", "Read"] += cached
                usage[*base, "Input", "Write"] += written
                usage[*base, "Output", ""] += result.get("output_tokens", 0)
    assert {k: v for k, v in usage.items() if v} == billed_tokens(folder, "openai")


def test_anthropic_usage_equals_its_bill(folder: Path) -> None:
    usage: Counter[tuple[str, ...]] = Counter()
    for path in (folder / "usage" / "anthropic").glob("*.json"):
        for bucket in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for result in bucket["results"]:
                base = (bucket["starting_at"][:10], result["workspace_id"], result["model"])
                usage[*base, "Input", "Uncached"] += result["uncached_input_tokens"]
                usage[*base, "Input", "Read"] += result["cache_read_input_tokens"]
                written = result["cache_creation"]["ephemeral_5m_input_tokens"]
                usage[*base, "Input", "Write"] += written
                usage[*base, "Output", ""] += result["output_tokens"]
    assert {k: v for k, v in usage.items() if v} == billed_tokens(folder, "anthropic")


def test_gateway_logs_equal_the_bill_of_their_models(folder: Path) -> None:
    found = duckdb.execute(
        "SELECT strftime(startTime, '%Y-%m-%d'), model, sum(prompt_tokens), "
        f"sum(completion_tokens), sum(spend::DECIMAL(18,12)) FROM ({logs(folder)}) "
        "WHERE model LIKE 'claude-opus%' GROUP BY ALL"
    ).fetchall()
    assert len(found) == 3  # every call to Opus goes through the gateway; three days are logged
    bill: Counter[tuple[str, str, str]] = Counter()
    for (day, _, model, direction, _), tokens in billed_tokens(folder, "anthropic").items():
        bill[day, model, direction] += tokens
    for day, model, prompt, completion, spend in found:
        assert prompt == bill[day, model, "Input"]
        assert completion == bill[day, model, "Output"]
        assert spend > 0


def test_request_ids_are_unique_and_some_calls_fail(folder: Path) -> None:
    total, distinct, failed = duckdb.execute(
        f"SELECT count(*), count(DISTINCT request_id), count(*) FILTER (status = 'failure') "
        f"FROM ({logs(folder)})"
    ).fetchall()[0]
    assert total == distinct
    assert 0 < failed < total / 50


def test_simple_work_and_hard_work_differ_in_the_logs(folder: Path) -> None:
    found = dict(
        duckdb.execute(
            "SELECT json_extract_string(metadata, '$.feature'), "
            "avg((json_extract_string(metadata, '$.complexity') = 'low')::INT) "
            f"FROM ({logs(folder)}) WHERE model = 'claude-opus-4-6' GROUP BY 1"
        ).fetchall()
    )
    assert found["ticket-routing"] > 0.9
    assert found["dispute-briefs"] == 0


def test_prompts_repeat_as_planted(folder: Path, planted: dict[str, Any]) -> None:
    faq = f"({logs(folder)}) WHERE metadata LIKE '%product-faq%' AND status = 'success'"
    total, prompts, prefixes = duckdb.execute(
        "SELECT count(*), count(DISTINCT json_extract_string(metadata, '$.prompt_hash')), "
        f"count(DISTINCT json_extract_string(metadata, '$.prefix_hash')) FROM {faq}"
    ).fetchall()[0]
    plan = planted["cacheable_prompts"]
    assert total == plan["requests_in_window"]
    assert total - prompts == plan["repeated_requests_in_window"]
    assert prefixes == 1


def test_the_idle_endpoint_gets_no_calls(folder: Path, planted: dict[str, Any]) -> None:
    idle = planted["idle_endpoint"]
    found = dict(
        duckdb.execute(
            "SELECT timestamp >= TIMESTAMP '" + idle["idle_since"] + "', sum(value) "
            f"FROM read_csv('{folder}/telemetry/resource_metrics.csv', "
            "types={'timestamp': 'TIMESTAMP'}, timestampformat='%Y-%m-%dT%H:%M:%SZ') "
            f"WHERE resource_id = '{idle['resource_id']}' AND metric = 'invocations' GROUP BY 1"
        ).fetchall()
    )
    assert found[True] == 0
    assert found[False] > 10_000


def test_one_run_ran_away_and_one_is_only_long(folder: Path, planted: dict[str, Any]) -> None:
    running = {
        row["run_id"]: row
        for row in table(folder, "telemetry/training_runs.csv")
        if row["status"] == "running"
    }
    away, healthy = planted["runaway_run"]["run_id"], planted["healthy_long_run"]["run_id"]
    assert set(running) == {away, healthy}
    assert running[healthy]["last_metric_at"] == "2026-10-31T23:40:00Z"
    assert running[away]["last_metric_at"] < "2026-10-27"
    assert running[away]["ended_at"] == ""


def test_training_run_costs_are_on_the_bill(folder: Path, planted: dict[str, Any]) -> None:
    costs = dict(
        duckdb.execute(
            f"SELECT ResourceId, sum(EffectiveCost) FROM read_parquet('{folder}/bills/aws/*') "
            "WHERE x_WorkloadType = 'training' GROUP BY 1"
        ).fetchall()
    )
    for row in table(folder, "telemetry/training_runs.csv"):
        total = sum((costs[name] for name in row["resource_ids"].split(";")), Decimal(0))
        assert total == Decimal(planted["training_run_costs"][row["run_id"]])


def test_workstations_idle_outside_working_hours(folder: Path, planted: dict[str, Any]) -> None:
    plan = planted["nights_and_weekends"]
    names = ", ".join(f"'{name}'" for name in plan["resource_ids"])
    idle, hours = duckdb.execute(
        "SELECT count(*) FILTER (value = 0), count(*) "
        f"FROM read_csv('{folder}/telemetry/resource_metrics.csv', all_varchar=false, "
        "types={'timestamp': 'VARCHAR'}) "
        f"WHERE resource_id IN ({names}) AND timestamp >= '2026-10-01'"
    ).fetchall()[0]
    assert hours == 3 * 31 * 24
    assert idle == plan["off_hours_2026_10"] == 3 * (31 * 24 - 22 * 10)


def test_the_breached_budget_is_below_the_actual(folder: Path, planted: dict[str, Any]) -> None:
    breach = planted["budget_breach"]
    budgets = {row["budget"]: row for row in table(folder, "business/budgets.csv")}
    assert Decimal(budgets[breach["budget"]]["amount"]) == breach["amount"]
    assert Decimal(breach["actual_2026_10"]) > breach["amount"]


def test_full_cost_of_an_initiative_adds_shared_services(
    folder: Path, planted: dict[str, Any]
) -> None:
    found = planted["initiative_full_cost"]["semantic-search"]
    direct = sum(Decimal(v) for v in found["direct"].values())
    queries: Counter[str] = Counter()
    for row in table(folder, "business/business_metrics.csv"):
        if row["metric"] == "vector_queries" and row["date"] >= "2026-10-01":
            queries[row["project"]] += int(row["value"])
    share = Decimal(queries["semantic-search"]) / sum(queries.values())
    store, pipeline = (
        duckdb.execute(
            f"SELECT sum(EffectiveCost) FROM read_parquet('{folder}/bills/aws/focus-2026-10*') "
            f"WHERE Tags['project'] = '{name}'"
        ).fetchall()[0][0]
        for name in ("vector-store", "catalogue-pipeline")
    )
    assert Decimal(found["total"]) == direct + share * (store + pipeline)


def test_every_vendor_project_of_openai_and_anthropic_has_an_owner_but_one(folder: Path) -> None:
    known = {row["id"] for row in table(folder, "business/owners.csv")}
    accounts = {
        key[1] for vendor in ("openai", "anthropic") for key in billed_tokens(folder, vendor)
    }
    assert accounts - known == {"proj_default"}
