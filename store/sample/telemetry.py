"""What the machines report: resource metrics by the hour, and the training runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from finops_assistant.store.sample.chance import (
    DAYS,
    Floats,
    Ints,
    day_start,
    number_of,
    uniform,
)
from finops_assistant.store.sample.company import Company, project
from finops_assistant.store.sample.gpus import (
    END,
    WORKSTATIONS,
    Endpoint,
    Run,
    endpoints,
    gpus_of,
    runs,
    workstation,
    workstation_hours,
)
from finops_assistant.store.sample.ledger import MONTHS
from finops_assistant.store.sample.monthly import next_month

METRICS_FROM = date(2026, 8, 1)
OFFICE_HOURS = range(8, 18)  # UTC, Monday to Friday
IDLE_RUN_PERCENT = 3  # what a run shows once it has stopped learning
Series = tuple[str, str, Ints, Floats]  # resource, metric, seconds since 1970, values

_GPU = {"p5.48xlarge": "H100", "p4d.24xlarge": "A100", "g6.12xlarge": "L4"}
# share of a day's calls in each hour, of 1000
_DAY = np.array([12, 8, 6, 5, 6, 10, 20, 34, 46, 54, 58, 60, 62, 60, 58, 57, 58, 62, 68, 70, 66,
                 56, 40, 24])  # fmt: skip


def _endpoint_series(company: Company, end: Endpoint) -> Iterator[Series]:
    first = max(number_of(METRICS_FROM), number_of(end.first))
    hours = np.arange(day_start(first), day_start(DAYS), 3600, dtype=np.int64)
    clock = (hours // 3600) % 24
    noise = 0.9 + 0.2 * uniform(hours.size, company.seed, "calls", end.label)
    load = _DAY[clock] * 24 / _DAY.sum() * noise
    calls = np.rint(end.calls_a_day / 24 * load)
    busy = np.rint(np.minimum(96, end.busy * (0.6 + 0.4 * load)) * 10) / 10
    if end.key == "idle_endpoint":
        idle = hours >= day_start(number_of(company.situation.idle_since))
        calls[idle], busy[idle] = 0, 0
    yield end.resource_id, "invocations", hours, calls
    yield end.resource_id, "gpu_utilization", hours, busy


def working_hours(hours: Ints) -> np.ndarray:
    """Which of some hours (seconds since 1970) lie in working time."""
    clock, weekday = (hours // 3600) % 24, (hours // 86_400 + 3) % 7  # 1970-01-01: a Thursday
    return (weekday < 5) & (clock >= OFFICE_HOURS.start) & (clock < OFFICE_HOURS.stop)


def _workstation_series(company: Company, number: int) -> Iterator[Series]:
    hours = workstation_hours()
    used = 35 + np.rint(400 * uniform(hours.size, company.seed, "desk", number)) / 10
    yield workstation(number)[1], "gpu_utilization", hours, np.where(working_hours(hours), used, 0)


def _run_series(company: Company, run: Run) -> Iterator[Series]:
    hours = int(run.start.timestamp()) + np.arange(run.hours, dtype=np.int64) * 3600
    for resource in run.resource_ids:
        used = 84 + np.rint(110 * uniform(hours.size, company.seed, "run", resource)) / 10
        used[run.last_metric_hours :] = IDLE_RUN_PERCENT
        yield resource, "gpu_utilization", hours, used


def write_resource_metrics(folder: Path, company: Company) -> None:
    """Write ``telemetry/resource_metrics.csv``, the endpoints, and ``telemetry/dcgm-YYYY-MM.json``,
    the machines with GPUs of their own."""
    import duckdb
    import pandas as pd

    series = [one for end in endpoints() for one in _endpoint_series(company, end)]
    frame = pd.DataFrame({
        "second": np.concatenate([hours for _, _, hours, _ in series]),
        "resource_id": np.repeat([name for name, *_ in series], [h.size for *_, h, _ in series]),
        "metric": np.repeat([metric for _, metric, *_ in series], [h.size for *_, h, _ in series]),
        "value": np.concatenate([values for *_, values in series]),
    })  # fmt: skip
    path = str(folder / "telemetry" / "resource_metrics.csv").replace("'", "''")
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("metrics", frame)
        con.execute(f"COPY ({_SELECT}) TO '{path}' (FORMAT csv, HEADER)")
    _write_range_queries(folder / "telemetry", company)


_SELECT = """
SELECT strftime(epoch_ms(second * 1000), '%Y-%m-%dT%H:%M:%SZ') AS timestamp,
  resource_id, metric, value::DECIMAL(18,1) AS value
FROM metrics ORDER BY second, resource_id, metric
"""


def _machines(company: Company) -> Iterator[tuple[Series, str, str]]:
    """Series of the machines, with their host's name and GPU model."""
    for number in range(1, WORKSTATIONS + 1):
        for one in _workstation_series(company, number):
            yield one, workstation(number)[0], "NVIDIA A10G"
    for run in runs(company):
        if run.stop.date() > METRICS_FROM:
            for one, label in zip(_run_series(company, run), run.labels, strict=True):
                yield one, label, f"NVIDIA {_GPU[run.sku]}"


def _write_range_queries(target: Path, company: Company) -> None:
    """Answers of Prometheus to a query of DCGM's GPU utilisation by machine, a month each."""
    machines = list(_machines(company))
    for month in MONTHS:
        first, end = (day_start(number_of(day)) for day in (month, next_month(month)))
        found = []
        for (identity, _, seconds, values), host, model in machines:
            here = (seconds >= first) & (seconds < end)
            samples = [
                [second, f"{value:g}"]
                for second, value in zip(seconds[here].tolist(), values[here].tolist(), strict=True)
            ]
            if samples:
                labels = {
                    "__name__": "DCGM_FI_DEV_GPU_UTIL",
                    "Hostname": host,
                    "instance_id": identity,
                    "modelName": model,
                    "job": "dcgm-exporter",
                }
                found.append({"metric": labels, "values": samples})  # fmt: skip
        if found:
            answer = {"status": "success", "data": {"resultType": "matrix", "result": found}}
            text = json.dumps(answer, separators=(",", ":")) + "\n"
            (target / f"dcgm-{month:%Y-%m}.json").write_text(text, encoding="utf-8")


def _stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def write_training_runs(folder: Path, company: Company) -> None:
    """Write ``telemetry/training_runs.csv``."""
    columns = ["run_id", "name", "model", "team", "project", "environment", "resource_ids",
               "gpu_type", "gpu_count", "started_at", "ended_at", "status", "iteration",
               "expected_hours", "last_checkpoint_at", "last_metric_at", "metric_name",
               "metric_value"]  # fmt: skip
    with (folder / "telemetry" / "training_runs.csv").open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(columns)
        for run in runs(company):
            last = run.start + timedelta(hours=run.last_metric_hours)
            checkpoint = run.start + timedelta(hours=run.last_metric_hours // 6 * 6)
            out.writerow([
                run.run_id, run.name, run.model, project(run.project).team, run.project, "dev",
                ";".join(run.resource_ids), _GPU[run.sku], run.machines * gpus_of("AWS", run.sku),
                _stamp(run.start), "" if run.status == "running" else _stamp(run.stop), run.status,
                run.iteration, run.expected_hours, _stamp(checkpoint),
                _stamp(min(last, END - timedelta(minutes=20))), "validation_ndcg", run.metric,
            ])  # fmt: skip
