"""Loading speed: into a copy of a store that already holds rows, swap included, against a bare
``CREATE TABLE AS SELECT`` of the same file. Prints ratios of rows per second with the machine's
figures. Run: python -m bench.bench_load [--rows N] [--repeat N]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from bench.figures import Report, middle
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

TARGETS: Final = {"parquet, repeated tags": 0.5, "parquet, near-unique tags": 0.35, "csv": 0.4}
_REPEATED: Final = """
    '{"application": "app' || (i % 60) || '", "environment": "' || if(i % 3 = 0, 'dev', 'prod')
    || '", "team": "team' || (i % 13) || '"}'
"""
_UNIQUE: Final = (
    _REPEATED.strip().removesuffix("'\"}'") + """'", "Name": "node-' || hash(i) || '"}'"""
)


def bill_sql(rows: int, period: str, tags: str) -> str:
    """A FOCUS 1.0 bill of one month with 44 columns, hourly rows, as AWS exports look."""
    return f"""
    WITH n AS (SELECT i, TIMESTAMP '{period}' + INTERVAL (i * 720 // {rows}) HOUR AS hour,
        CAST((hash(i) % 10000000) / 1000000 AS DECIMAL(18,11)) AS cost,
        CAST((hash(i + 7) % 100000000) / 10000 AS DECIMAL(38,11)) AS quantity
        FROM range({rows}) AS numbers (i))
    SELECT NULL::VARCHAR AS AvailabilityZone, cost AS BilledCost,
        '123456789012' AS BillingAccountId, 'Main' AS BillingAccountName,
        'USD' AS BillingCurrency, TIMESTAMP '{period}' + INTERVAL 1 MONTH AS BillingPeriodEnd,
        TIMESTAMP '{period}' AS BillingPeriodStart, 'Usage' AS ChargeCategory,
        NULL::VARCHAR AS ChargeClass,
        '$0.' || (i % 97) || ' per million requests in zone ' || (i % 9) AS ChargeDescription,
        'Usage-Based' AS ChargeFrequency, hour + INTERVAL 1 HOUR AS ChargePeriodEnd,
        hour AS ChargePeriodStart, NULL::VARCHAR AS CommitmentDiscountCategory,
        NULL::VARCHAR AS CommitmentDiscountId, NULL::VARCHAR AS CommitmentDiscountName,
        NULL::VARCHAR AS CommitmentDiscountStatus, NULL::VARCHAR AS CommitmentDiscountType,
        quantity AS ConsumedQuantity, 'Requests' AS ConsumedUnit, cost AS ContractedCost,
        CAST(0.0000004 AS DECIMAL(18,10)) AS ContractedUnitPrice, cost AS EffectiveCost,
        'Amazon Web Services, Inc.' AS InvoiceIssuerName, cost AS ListCost,
        CAST(0.0000004 AS DECIMAL(18,10)) AS ListUnitPrice, 'Standard' AS PricingCategory,
        quantity AS PricingQuantity, 'Requests' AS PricingUnit, 'AWS' AS ProviderName,
        'Amazon Web Services, Inc.' AS PublisherName, 'us-west-' || (i % 4) AS RegionId,
        'US West ' || (i % 4) AS RegionName,
        'arn:aws:thing:us-west-2:347410479675:resource-' || (hash(i) % 20000) AS ResourceId,
        'resource-' || (hash(i) % 20000) AS ResourceName, 'Thing' AS ResourceType,
        'Compute' AS ServiceCategory, 'Amazon Elastic Compute Cloud' AS ServiceName,
        'Virtual Machines' AS ServiceSubcategory, 'SKU' || (i % 500) AS SkuId,
        'SKU' || (i % 500) || '.P' || (i % 3) AS SkuPriceId,
        CAST(51738928000 + (i % 40) AS VARCHAR) AS SubAccountId,
        'Account ' || (i % 40) AS SubAccountName, {tags} AS Tags
    FROM n ORDER BY i
    """


def main() -> int:
    """Make the files, time both ways in turn, print the medians; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    report = Report(f"Loading {options.rows:,} rows into a store that holds as many, swap included")
    with tempfile.TemporaryDirectory(prefix="finops-bench-") as name:
        folder = Path(name)
        files = write_files(folder, options.rows)
        home = Home(folder / "home")
        ingest(home, [folder / "before.parquet"])
        for label, path in files.items():
            pairs = [measure(folder, home, path) for _ in range(options.repeat)]
            wall, cpu = (middle([bare[k] / load[k] for bare, load in pairs]) for k in (0, 1))
            report.at_least(f"{label}: rows per second against bare", wall, TARGETS[label], "")
            report.beside("  the same by CPU seconds", cpu, "")
            report.beside("  bare CREATE TABLE AS SELECT", middle([b[0] for b, _ in pairs]), "s")
            report.beside("  ingest", middle([load[0] for _, load in pairs]), "s")
    return int(report.missed)


def measure(
    folder: Path, home: Home, path: Path
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both ways once, one after the other: the machine is as busy for one as for the other."""
    bare = timed(lambda: bare_load(folder / "bare.duckdb", path))
    copy = Home(folder / "copy")
    shutil.rmtree(copy.path, ignore_errors=True)
    shutil.copytree(home.path, copy.path, symlinks=True)
    return bare, timed(lambda: ingest(copy, [path]))


def write_files(folder: Path, rows: int) -> dict[str, Path]:
    """``before.parquet`` for the store that is there already, and the three files to load."""
    files = {label: folder / f"{n}.parquet" for n, label in enumerate(TARGETS)}
    files["csv"] = folder / "bill.csv"
    with duckdb.connect() as connection:
        for path, period, tags in (
            (folder / "before.parquet", "2024-08-01", _REPEATED),
            (files["parquet, repeated tags"], "2024-09-01", _REPEATED),
            (files["parquet, near-unique tags"], "2024-09-01", _UNIQUE),
            (files["csv"], "2024-09-01", _REPEATED),
        ):
            connection.execute(f"COPY ({bill_sql(rows, period, tags)}) TO '{path}'")
    return files


def bare_load(target: Path, path: Path) -> None:
    """The yardstick."""
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"CREATE TABLE bill AS SELECT * FROM '{path}'")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and CPU seconds."""
    before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_SELF)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
