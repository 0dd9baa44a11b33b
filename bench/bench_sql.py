"""What the guard of free SQL costs: a warm worker against the same statement asked of DuckDB bare.

Both run alternating over a million rows; the bare one reads the same view, read-only.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Report, middle, resident
from bench.homes import million
from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.database import Database
from finops_assistant.store.sandbox.client import Sandbox

STATEMENTS = (
    "SELECT count(*), sum(EffectiveCost) FROM focus",
    "SELECT ServiceName, sum(EffectiveCost) AS cost FROM focus GROUP BY 1 ORDER BY 2 DESC",
    "SELECT x_Team, date_trunc('month', ChargePeriodStart) AS month, sum(EffectiveCost) AS cost "
    "FROM focus GROUP BY ALL ORDER BY ALL",
    "WITH m AS (SELECT x_Team AS t, month(ChargePeriodStart) AS m, sum(EffectiveCost) AS c FROM "
    "focus GROUP BY ALL) SELECT t, m, c - lag(c) OVER (PARTITION BY t ORDER BY m) AS d FROM m "
    "QUALIFY row_number() OVER (PARTITION BY m ORDER BY c DESC) <= 3 ORDER BY ALL",
    "SELECT ServiceName, x_Team, EffectiveCost, ChargePeriodStart FROM focus LIMIT 1000",
    "SELECT 1",
)
REPEATS = 7


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    report = Report("Guarded SQL, 1M rows")
    with tempfile.TemporaryDirectory() as scratch:
        home = million(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch))
        database = Database.open(home)
        sandbox = Sandbox(home)
        started = time.perf_counter()
        sandbox.run("SELECT 1")
        report.beside("the first statement (a worker starts)", _since(started), "ms")
        bare, guarded, extra = [], [], []
        for repeat in range(REPEATS):
            for statement in STATEMENTS:
                started = time.perf_counter()
                cursor = database.cursor()
                cursor.execute(statement).fetchall()
                cursor.close()
                alone = _since(started)
                started = time.perf_counter()
                sandbox.run(statement, EVERYONE)
                whole = _since(started)
                if repeat:  # the first round warms both
                    bare.append(alone)
                    guarded.append(whole)
                    extra.append(whole - alone)
        report.beside("bare statement, p50", middle(bare), "ms")
        report.beside("guarded statement, p50", middle(guarded), "ms")
        report.at_most("guard over the bare statement, p50", middle(extra), 150, "ms")
        report.beside("the same, p95", statistics.quantiles(extra, n=20)[-1], "ms")
        refused = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            try:
                sandbox.run("SELECT * FROM read_csv('/etc/passwd')", Principal())
            except Exception:
                refused.append(_since(started))
        report.beside("a refusal, p50", middle(refused), "ms")
        (pid,) = sandbox.pids()
        report.beside("memory of a warm worker", _memory(pid), "MB")
        report.beside("memory of this process", resident()[0], "MB")
        sandbox.close()
        database.close()
    return int(report.missed)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    raise SystemExit(main())
