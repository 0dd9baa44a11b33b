"""Whole or nothing: a load that fails, is killed or runs out of disk leaves the store as it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.delivery import locked
from finops_assistant.store.errors import LoadError, StoreBusy
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

ROWS = int(os.environ.get("FINOPS_KILL_ROWS", "100000"))
LOAD = """
import resource, sys
from pathlib import Path
from finops_assistant.store.errors import FinopsError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
print("ready", flush=True)
try:
    ingest(Home(Path(sys.argv[1])), [sys.argv[2]])
except FinopsError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def write_large(path: Path, rows: int, day: str = "2024-09-01", unit: str = "1.5") -> Path:
    """A Parquet bill of one day, each row costing ``unit``, with text that does not compress."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT {unit}::DECIMAL(18,11) AS BilledCost, 'p' AS BillingAccountId,
            'USD' AS BillingCurrency, TIMESTAMP '2024-10-01' AS BillingPeriodEnd,
            TIMESTAMP '2024-09-01' AS BillingPeriodStart, 'Usage' AS ChargeCategory,
            md5(i::VARCHAR) AS ChargeDescription,
            TIMESTAMP '{day}' + INTERVAL 1 DAY AS ChargePeriodEnd,
            TIMESTAMP '{day}' AS ChargePeriodStart, BilledCost AS ContractedCost,
            BilledCost AS EffectiveCost, 'AWS' AS InvoiceIssuerName, BilledCost AS ListCost,
            'AWS' AS ProviderName, md5((i + 1)::VARCHAR) AS ResourceId,
            'Compute' AS ServiceCategory, 'Amazon EC2' AS ServiceName
            FROM range({rows}) AS n (i)) TO '{path}'"""
        )
    return path


def start_load(home: Home, path: Path, *limit: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LOAD, str(home.path), str(path), *limit],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def held(home: Home) -> tuple[int, int]:
    """Rows of the first day and of the second."""
    with closing(Database.open(home)) as database:
        row = database.cursor().execute(
            "SELECT count(*) FILTER (ChargePeriodStart = '2024-09-01'), "
            "count(*) FILTER (ChargePeriodStart = '2024-09-02') FROM focus"
        )
        first, second = row.fetchone() or (0, 0)
    return first, second


@pytest.mark.slow
def test_a_load_killed_at_any_moment_is_there_wholly_or_not_at_all(
    home: Home, tmp_path: Path
) -> None:
    ingest(home, [write_large(tmp_path / "first.parquet", 1000)])
    second = write_large(tmp_path / "second.parquet", ROWS, day="2024-09-02")
    chance = random.Random(2024)  # noqa: S311
    begun = time.monotonic()
    start_load(Home(tmp_path / "measure"), second).communicate()
    whole = time.monotonic() - begun
    for _ in range(10):
        process = start_load(home, second)
        time.sleep(chance.random() * whole)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        first, later = held(home)
        assert first == 1000
        assert later in (0, ROWS)
    ingest(home, [second])
    assert held(home) == (1000, ROWS)
    assert len(list(home.path.glob("costs-*"))) == 1


def test_a_full_disk_is_said_plainly_and_changes_nothing(home: Home, tmp_path: Path) -> None:
    ingest(home, [write_large(tmp_path / "first.parquet", 1000)])
    second = write_large(tmp_path / "second.parquet", 50_000, day="2024-09-02")
    version = home.pointer.readlink()
    process = start_load(home, second, str(3_000_000))
    _, errors = process.communicate()
    assert process.returncode == LoadError.exit_code, errors
    assert "full" in errors
    assert len(errors.strip().splitlines()) == 1
    assert home.pointer.readlink() == version
    assert held(home) == (1000, 0)
    assert len(list(home.path.glob("costs-*"))) == 1


def test_a_second_load_at_the_same_time_is_told_to_wait(
    home: Home, bill: Callable[..., Path]
) -> None:
    path = bill("a.csv", [{}])
    with locked(home), pytest.raises(StoreBusy, match="Another load"):
        ingest(home, [path])
    ingest(home, [path])


def test_what_a_crash_left_behind_is_cleared_by_the_next_load(
    home: Home, bill: Callable[..., Path], ask: Callable[..., list[Any]]
) -> None:
    ingest(home, [bill("a.csv", [{}])])
    (home.path / "costs-000009-abcdef.duckdb").write_bytes(b"half a version")
    (home.path / "costs-000009-abcdef.duckdb.wal").write_bytes(b"its log")
    ingest(home, [bill("b.csv", [{"day": "2024-09-02"}])])
    assert [p.name for p in home.path.glob("costs-*")] == [home.pointer.readlink().name]
    assert ask("SELECT count(*) FROM focus") == [(2,)]


def test_questions_during_a_load_see_all_of_it_or_nothing(home: Home, tmp_path: Path) -> None:
    ingest(home, [write_large(tmp_path / "first.parquet", 1000, unit="1")])
    second = write_large(tmp_path / "second.parquet", ROWS, day="2024-09-02", unit="2")
    database = Database.open(home)
    seen: list[tuple[int, Any]] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def question() -> None:
        while not done.wait(0.05):
            try:
                cursor = database.cursor()
                row = cursor.execute("SELECT count(*), sum(BilledCost) FROM focus").fetchone()
                assert row is not None
                seen.append((row[0], row[1]))
                cursor.close()
            except Exception as error:
                failures.append(error)

    asking = threading.Thread(target=question)
    asking.start()
    process = start_load(home, second)
    _, errors = process.communicate()
    after = database.cursor().execute("SELECT count(*), sum(BilledCost) FROM focus").fetchone()
    done.set()
    asking.join()
    database.close()
    assert process.returncode == 0, errors
    assert failures == []
    assert set(seen) <= {(1000, 1000), (1000 + ROWS, 1000 + 2 * ROWS)}
    assert seen
    assert after == (1000 + ROWS, 1000 + 2 * ROWS)
