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
    "business/business_metrics.csv": "date,metric,value,product,feature,customer,team,project,"
    "initiative",
    "business/initiatives.csv": "initiative,owner,team,project,stage,proposed_at,approved_at,"
    "first_spend_at,production_at,expected_monthly_value,expected_monthly_cost,kpi",
    "business/budgets.csv": "budget,scope,period,amount,currency,alert_at,owner,kind,unit",
    "business/commitments.csv": "commitment_id,provider,kind,scope,unit,quantity,hourly_cost,"
    "upfront_cost,start,end,payment_option",
    "business/owners.csv": "kind,id,team,project,environment,cost_centre,owner,feature,customer,"
    "initiative",
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


def results(folder: Path, pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Day and result of every page of an API."""
    found = []
    for path in sorted(folder.glob(pattern)):
        page = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        for bucket in page["data"]:
            start = bucket.get("starting_at") or bucket["start_time"]
            day = start[:10] if isinstance(start, str) else f"{moment(start):%Y-%m-%d}"
            found += [(day, result) for result in bucket["results"]]
    return found


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def claude_usage(folder: Path) -> Counter[tuple[str, ...]]:
    """Tokens of the messages usage report by day, workspace, model and token class."""
    usage: Counter[tuple[str, ...]] = Counter()
    for day, result in results(folder, "usage/anthropic/*.json"):
        base = (day, result["workspace_id"], result["model"])
        usage[*base, "uncached_input_tokens"] += result["uncached_input_tokens"]
        usage[*base, "cache_read_input_tokens"] += result["cache_read_input_tokens"]
        for kind, count in result["cache_creation"].items():
            usage[*base, f"cache_creation.{kind}"] += count
        usage[*base, "output_tokens"] += result["output_tokens"]
    return Counter({key: count for key, count in usage.items() if count})


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
    for day, result in results(folder, "usage/openai/*.json"):
        base = (day, result["project_id"], result["api_key_id"])
        cached = result.get("input_cached_tokens", 0)
        written = result.get("input_cache_write_tokens", 0)
        usage[*base, f"{result['model']}, input"] += result["input_tokens"] - cached - written
        usage[*base, f"{result['model']}, cached input"] += cached
        usage[*base, f"{result['model']}, cache write input"] += written
        usage[*base, f"{result['model']}, output"] += result.get("output_tokens", 0)
    billed: Counter[tuple[str, ...]] = Counter()
    for day, result in results(folder, "bills/openai/*.json"):
        key = (day, result["project_id"], result["api_key_id"], result["line_item"])
        billed[key] += result["quantity"]
    assert {k: v for k, v in usage.items() if v} == billed


def test_anthropic_bills_its_usage_at_list_price_less_five_percent(folder: Path) -> None:
    prices = {  # USD per million tokens: input, cache read, 5-minute cache write, output
        "claude-3-7-sonnet-20250219": ("3", "0.30", "3.75", "15"),
        "claude-sonnet-4-5-20250929": ("3", "0.30", "3.75", "15"),
        "claude-haiku-4-5-20251001": ("1", "0.10", "1.25", "5"),
        "claude-opus-4-1-20250805": ("15", "1.50", "18.75", "75"),
        "claude-opus-4-6": ("5", "0.50", "6.25", "25"),
    }
    classes = ("uncached_input_tokens", "cache_read_input_tokens",
               "cache_creation.ephemeral_5m_input_tokens", "output_tokens")  # fmt: skip
    expected = {
        key: count * Decimal(prices[key[2]][classes.index(key[3])]) * Decimal("0.95") / 10_000
        for key, count in claude_usage(folder).items()
    }
    billed: dict[tuple[str, ...], Decimal] = {}
    for day, result in results(folder, "bills/anthropic/*.json"):
        key = (day, result["workspace_id"], result["model"], result["token_type"])
        billed[key] = billed.get(key, Decimal(0)) + Decimal(result["amount"])  # cents
    assert billed == expected


def test_gateway_logs_equal_the_usage_of_their_models(folder: Path) -> None:
    found = duckdb.execute(
        "SELECT strftime(startTime, '%Y-%m-%d'), model, sum(prompt_tokens), "
        f"sum(completion_tokens), sum(spend::DECIMAL(18,12)) FROM ({logs(folder)}) "
        "WHERE model LIKE 'claude-opus%' GROUP BY ALL"
    ).fetchall()
    assert len(found) == 3  # every call to Opus goes through the gateway; three days are logged
    reported: Counter[tuple[str, str, bool]] = Counter()
    for (day, _, model, kind), tokens in claude_usage(folder).items():
        reported[day, model, kind == "output_tokens"] += tokens
    for day, model, prompt, completion, spend in found:
        assert prompt == reported[day, model, False]
        assert completion == reported[day, model, True]
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


def aws_costs(folder: Path, key: str, where: str = "true") -> dict[str, Decimal]:
    """Unblended cost of the newer reports by an expression; the older ones have no GPU machines
    but those of the first runs, which ``test_training_run_costs_are_on_the_bill`` adds."""
    found = duckdb.execute(
        f"SELECT {key}, sum(line_item_unblended_cost::DECIMAL(38,12)) "
        f"FROM '{folder}/bills/aws/cur2-*.parquet' WHERE {where} GROUP BY 1"
    ).fetchall()
    return {str(name): amount for name, amount in found}


def test_training_run_costs_are_on_the_bill(folder: Path, planted: dict[str, Any]) -> None:
    costs = Counter(aws_costs(folder, "line_item_resource_id"))
    older = duckdb.execute(
        'SELECT "lineItem/ResourceId", sum("lineItem/UnblendedCost"::DECIMAL(38,12)) '
        f"FROM read_csv('{folder}/bills/aws/cur-*.csv.gz', all_varchar=true) GROUP BY 1"
    ).fetchall()
    costs.update(dict(older))
    for row in table(folder, "telemetry/training_runs.csv"):
        total = sum((costs[name] for name in row["resource_ids"].split(";")), Decimal(0))
        assert total == Decimal(planted["training_run_costs"][row["run_id"]])


def samples(folder: Path, month: str) -> dict[str, list[tuple[int, Decimal]]]:
    """Samples of the GPU utilisation that Prometheus answers for a month, by instance."""
    text = (folder / "telemetry" / f"dcgm-{month}.json").read_text(encoding="utf-8")
    return {
        one["metric"]["instance_id"]: [(second, Decimal(value)) for second, value in one["values"]]
        for one in json.loads(text)["data"]["result"]
    }


def test_workstations_idle_outside_working_hours(folder: Path, planted: dict[str, Any]) -> None:
    plan = planted["nights_and_weekends"]
    found = samples(folder, "2026-10")
    values = [value for name in plan["resource_ids"] for _, value in found[name]]
    assert len(values) == 3 * 31 * 24
    assert values.count(Decimal(0)) == plan["off_hours_2026_10"] == 3 * (31 * 24 - 22 * 10)


def test_the_runaway_run_s_machines_do_nothing_after_its_last_metric(
    folder: Path, planted: dict[str, Any]
) -> None:
    run = planted["runaway_run"]
    for name in run["resource_ids"]:
        late = [value for _, value in samples(folder, "2026-10")[name]][run["last_metric_hours"] :]
        assert len(late) == run["hours"] - run["last_metric_hours"]
        assert set(late) == {Decimal(3)}


def test_the_breached_budget_is_below_the_actual(folder: Path, planted: dict[str, Any]) -> None:
    breach = planted["budget_breach"]
    budgets = {row["budget"]: row for row in table(folder, "business/budgets.csv")}
    assert Decimal(budgets[breach["budget"]]["amount"]) == breach["amount"]
    assert Decimal(breach["actual_2026_10"]) > breach["amount"]


def test_full_cost_of_an_initiative_adds_shared_services(
    folder: Path, planted: dict[str, Any]
) -> None:
    metered: dict[str, Counter[str]] = {"vector_queries": Counter(), "gateway_calls": Counter()}
    for row in table(folder, "business/business_metrics.csv"):
        if row["metric"] in metered and row["date"] >= "2026-10-01":
            metered[row["metric"]][row["initiative"]] += int(row["value"])
    pools = aws_costs(
        folder, "resource_tags['user_project']", "bill_billing_period_start_date = '2026-10-01'"
    )
    for name, found in planted["initiative_full_cost"].items():
        total = sum(Decimal(v) for v in found["direct"].values())
        for pool, metric in (("vector-store", "vector_queries"),
                             ("catalogue-pipeline", "vector_queries"),
                             ("llm-gateway", "gateway_calls")):  # fmt: skip
            share = Decimal(metered[metric][name]) / sum(metered[metric].values())
            given = pools[pool] * share
            assert abs(given - Decimal(found["shared"].get(pool, 0))) <= Decimal("1e-12")
            total += Decimal(found["shared"].get(pool, 0))
        assert Decimal(found["total"]) == total
    assert metered["gateway_calls"][""] > 0  # work without an initiative goes through it, too


def test_the_gateway_s_calls_are_those_of_its_workloads(folder: Path) -> None:
    logged = duckdb.execute(
        "SELECT count(*) FROM (" + logs(folder) + ") "
        "WHERE status = 'success' AND startTime >= '2026-10-31'"
    ).fetchall()[0][0]
    noted = sum(
        int(row["value"])
        for row in table(folder, "business/business_metrics.csv")
        if row["metric"] == "gateway_calls" and row["date"] == "2026-10-31"
    )
    assert logged == noted


def test_every_project_and_key_has_an_owner_but_the_nameless_ones(folder: Path) -> None:
    known = {(row["kind"], row["id"]) for row in table(folder, "business/owners.csv")}
    used = {
        (kind, result[column])
        for vendor, column, kind in (
            ("openai", "project_id", "openai_project"),
            ("openai", "api_key_id", "openai_api_key"),
            ("anthropic", "workspace_id", "anthropic_workspace"),
        )
        for _, result in results(folder, f"bills/{vendor}/*.json")
    }
    missing = used - known
    assert ("openai_project", "proj_default") in missing
    assert len(missing) == 2  # the default project, and its key
