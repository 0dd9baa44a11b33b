"""Loading CUR 2.0 Parquet: rate against a bare DuckDB copy, peak memory, and growth with size.

Each load runs in a process of its own, whose peak memory the kernel reports. Prints the figures of
the smaller and the larger file. Run: python -m bench.bench_cur [--rows N] [--growth N] [--memory M]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.figures import Report

LEAST_RATIO: Final = 0.25  # of the rows a second of a bare copy of every column
MOST_MEMORY: Final = 4096.0  # MB
MOST_GROWTH: Final = 1.3  # CPU seconds a row of the larger file against the smaller

# Written by a process of its own, too: a child's peak counts what its parent held when it began.
_WRITE: Final = """
import sys, duckdb
from bench.bench_cur import cur_sql
select = cur_sql(int(sys.argv[2]))
duckdb.connect().execute(f"COPY ({select}) TO '{sys.argv[1]}' (COMPRESSION zstd)")
"""
_BARE: Final = """
import sys, duckdb
with duckdb.connect(sys.argv[2]) as connection:
    connection.execute(f"SET memory_limit = '{sys.argv[3]}'")
    connection.execute(f"CREATE TABLE bill AS SELECT * FROM '{sys.argv[1]}'")
"""
_INGEST: Final = """
import sys
from pathlib import Path
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
report = ingest(Home(Path(sys.argv[2])), [sys.argv[1]])
assert report.files[0].status == "loaded", report.files[0]
"""


def cur_sql(rows: int) -> str:
    """A CUR 2.0 month of hourly lines: usage, a savings plan with its negations and fees."""
    return f"""
    WITH n AS (
        SELECT i, hash(i) AS h, i % 100 AS lot,
            TIMESTAMP '2026-09-01' + INTERVAL (i * 720 // {rows}) HOUR AS hour,
            CAST(hash(i) % 10000000000 AS DOUBLE) / 1e10 AS cost
        FROM range({rows}) AS numbers (i)
    ), line AS (
        SELECT *, CASE WHEN lot < 88 THEN 'Usage' WHEN lot < 97 THEN 'SavingsPlanCoveredUsage'
            WHEN lot < 99 THEN 'SavingsPlanNegation' ELSE 'SavingsPlanRecurringFee' END AS type
        FROM n
    )
    SELECT
        'Anniversary' AS bill_bill_type, 'AWS' AS bill_billing_entity,
        TIMESTAMP '2026-10-01' AS bill_billing_period_end_date,
        TIMESTAMP '2026-09-01' AS bill_billing_period_start_date, '' AS bill_invoice_id,
        'Amazon Web Services, Inc.' AS bill_invoicing_entity,
        '123456789012' AS bill_payer_account_id, 'Main' AS bill_payer_account_name,
        MAP {{}}::MAP(VARCHAR, VARCHAR) AS cost_category,
        MAP {{}}::MAP(VARCHAR, DOUBLE) AS discount,
        hash(i + 1)::VARCHAR AS identity_line_item_id,
        strftime(hour, '%Y-%m-%dT%H:%M:%SZ') AS identity_time_interval,
        'us-west-' || (h % 4) || 'a' AS line_item_availability_zone, 0.0 AS line_item_blended_cost,
        'USD' AS line_item_currency_code, 'Amazon Web Services, Inc.' AS line_item_legal_entity,
        '$' || (i % 97) || ' per On Demand Linux instance hour' AS line_item_line_item_description,
        type AS line_item_line_item_type, 0.0 AS line_item_net_unblended_cost,
        'RunInstances' AS line_item_operation,
        CASE WHEN lot = 99 THEN 'ComputeSavingsPlans'
            ELSE ['AmazonEC2', 'AmazonS3', 'AmazonRDS', 'AWSLambda'][1 + i % 4] END
            AS line_item_product_code,
        'arn:aws:thing:us-west-2:1234:resource-' || (h % 20000) AS line_item_resource_id,
        CASE type WHEN 'SavingsPlanNegation' THEN -cost ELSE cost END AS line_item_unblended_cost,
        '0.0000004' AS line_item_unblended_rate, cost * 10 AS line_item_usage_amount,
        CAST(51738928000 + (i % 40) AS VARCHAR) AS line_item_usage_account_id,
        'Account ' || (i % 40) AS line_item_usage_account_name,
        hour + INTERVAL 1 HOUR AS line_item_usage_end_date, hour AS line_item_usage_start_date,
        'USW2-BoxUsage:m' || (h % 7) || '.large' AS line_item_usage_type,
        'USD' AS pricing_currency, CASE WHEN lot < 97 THEN cost ELSE 0 END
            AS pricing_public_on_demand_cost, '0.0000004' AS pricing_public_on_demand_rate,
        'SKU' || (i % 500) || '.P' || (i % 3) AS pricing_rate_code,
        (i % 1500)::VARCHAR AS pricing_rate_id, 'OnDemand' AS pricing_term, 'Hrs' AS pricing_unit,
        MAP {{'product_name': 'Product ' || (h % 4), 'region': 'us-west-' || (h % 4),
            'tenancy': 'Shared', 'operating_system': 'Linux', 'vcpu': '8'}} AS product,
        'm' || (h % 7) || '.large' AS product_instance_type,
        'Compute Instance' AS product_product_family, 'us-west-' || (h % 4) AS product_region_code,
        'AmazonEC2' AS product_servicecode, 'SKU' || (i % 500) AS product_sku,
        0.0 AS reservation_effective_cost, '' AS reservation_reservation_a_r_n,
        MAP {{'user_team': 'team' || (i % 13), 'user_application': 'app' || (i % 60),
            'user_environment': if(i % 3 = 0, 'dev', 'prod')}} AS resource_tags,
        CASE WHEN lot >= 88 THEN 'ComputeSavingsPlans' ELSE '' END AS savings_plan_offering_type,
        CASE WHEN lot >= 88 THEN 'arn:aws:savingsplans::1234:savingsplan/sp-1' ELSE '' END
            AS savings_plan_savings_plan_a_r_n,
        CASE type WHEN 'SavingsPlanCoveredUsage' THEN cost / 2 ELSE 0 END
            AS savings_plan_savings_plan_effective_cost,
        CASE lot WHEN 99 THEN 1.0 ELSE 0 END AS savings_plan_total_commitment_to_date,
        CASE lot WHEN 99 THEN 0.75 ELSE 0 END AS savings_plan_used_commitment
    FROM line
    """


def main() -> int:
    """Make both files, load each both ways, print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--growth", type=int, default=10, help="the larger file: so many times")
    parser.add_argument("--memory", default="2GB", help="DuckDB's memory limit for both ways")
    options = parser.parse_args()
    sizes = (options.rows, options.rows * options.growth)
    report = Report(f"Loading CUR 2.0 Parquet into an empty store, {options.memory} for DuckDB")
    seconds = []
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="finops-bench-") as name:
            folder = Path(name)
            path = folder / "cur.parquet"
            child(_WRITE, path, rows)
            bare, bare_cpu, _ = child(_BARE, path, folder / "bare.duckdb", options.memory)
            (folder / "bare.duckdb").unlink()
            (folder / "home").mkdir()
            (folder / "home" / "finops.toml").write_text(f'memory = "{options.memory}"\n')
            took, cpu, peak = child(_INGEST, path, folder / "home")
            seconds.append(cpu)
        label = f"{rows / 1e6:g}M rows"
        report.at_least(f"{label}: rows per second against bare", bare / took, LEAST_RATIO, "")
        report.beside("  the same by CPU seconds", bare_cpu / cpu, "")
        report.beside("  bare CREATE TABLE AS SELECT", bare, "s")
        report.beside("  ingest", took, "s")
        report.beside("  rows per second", rows / took, "")
        report.at_most(f"{label}: peak memory", peak, MOST_MEMORY, "MB")
    growth = seconds[1] / seconds[0] / options.growth
    report.at_most("CPU seconds per row, larger against smaller file", growth, MOST_GROWTH, "")
    return int(report.missed)


def child(program: str, *arguments: object) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak resident MB of a program in a process of its own."""
    started = time.perf_counter()
    command = [sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a load ended with {process.returncode}")
    wall = time.perf_counter() - started
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
