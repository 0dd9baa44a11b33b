"""Spend logs of the LiteLLM gateway: one row per call, for the last days of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from finops_assistant.store.sample.calls import calls
from finops_assistant.store.sample.chance import DAYS, Ints, code, day_of
from finops_assistant.store.sample.company import Company
from finops_assistant.store.sample.workloads import CLASSES, Workload, model_prices

WINDOW_DAYS = 9
FAILED_EVERY = 70  # one failed call, without tokens, for every so many good ones


@dataclass(frozen=True)
class Habit:
    """How a workload prompts; shares are of 100 calls in order, hashes of 20."""

    low: int
    medium: int  # the rest is high
    prefix_tokens: int
    repeated_of_20: int
    prompts: int  # how many different texts the repeated ones have
    customers: str = ""  # in turn, separated by a bar


HABITS: Mapping[str, Habit] = {
    "triage": Habit(93, 7, 7200, 0, 1),
    "dispute-review": Habit(0, 12, 1200, 0, 1),
    "product-faq": Habit(20, 70, 6000, 7, 40, "Northgate Living|Casa Verde|Müller & Söhne"),
    "studio-drafts": Habit(10, 70, 2400, 0, 1),
    "code-helper": Habit(15, 75, 3000, 0, 1),
}


def window(company: Company) -> range:
    """The days that the gateway's logs cover."""
    return range(DAYS - max(3, round(WINDOW_DAYS * company.scale)), DAYS)


def gateway_team(team: str) -> str:
    """The gateway's own id of a team."""
    return f"team-{code('litellm', team, length=8)}"


def _rows(company: Company, work: Workload) -> dict[str, Ints]:
    rows = calls(company, work, window(company))
    failed = {name: values[::FAILED_EVERY].copy() for name, values in rows.items()}
    for kind in CLASSES:
        failed[kind][:] = 0
    failed["start_ms"] += 40
    rows["failed"] = np.zeros(rows["index"].size, dtype=np.int64)
    failed["failed"] = np.ones(failed["index"].size, dtype=np.int64)
    return {name: np.concatenate([rows[name], failed[name]]) for name in rows}


def write_gateway(folder: Path, company: Company, works: tuple[Workload, ...]) -> int:
    """Write ``usage/litellm``: a CSV, a Parquet and a JSON Lines part. Returns the rows."""
    import duckdb
    import pandas as pd

    target = folder / "usage" / "litellm"
    target.mkdir(parents=True, exist_ok=True)
    frames = []
    for work in works:
        if work.via != "litellm":
            continue
        habit = HABITS[work.name]
        row = model_prices(work.channel, work.model)[-1].row
        frame = pd.DataFrame(_rows(company, work))
        frame["workload"] = work.name
        frame["spend"] = sum(
            frame[kind] * int(Decimal(row[kind]) * 1_000_000) for kind in CLASSES if row[kind]
        )
        for name, value in {
            "model": row["billed"],
            "vendor": work.channel.split()[0].lower(),
            "api_key": code("hash", work.key, length=40),
            "team_id": gateway_team(work.dims["team"]),
            "prefix_hash": code("prefix", work.name),
            **work.dims,
            **vars(habit),
        }.items():
            frame[name] = value
        frames.append(frame)
    cut = day_of(DAYS - 1).isoformat(), day_of(DAYS - 2).isoformat()
    parts = {
        "spend-logs-1.csv": (f"startTime < TIMESTAMP '{cut[1]}'", "FORMAT csv, HEADER"),
        "spend-logs-2.parquet": (
            f"startTime >= TIMESTAMP '{cut[1]}' AND startTime < TIMESTAMP '{cut[0]}'",
            "FORMAT parquet, COMPRESSION zstd",
        ),
        "spend-logs-3.jsonl": (f"startTime >= TIMESTAMP '{cut[0]}'", "FORMAT json"),
    }
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("calls", pd.concat(frames, ignore_index=True))
        con.execute(f"CREATE TABLE log AS {_SELECT}")
        for name, (condition, options) in parts.items():
            path = str(target / name).replace("'", "''")
            select = f"SELECT * FROM log WHERE {condition} ORDER BY startTime, request_id"  # noqa: S608
            con.execute(f"COPY ({select}) TO '{path}' ({options})")
        return int(con.execute("SELECT count(*) FROM log").fetchall()[0][0])


_SELECT = """
SELECT
  'chatcmpl-' || left(md5(workload || start_ms || '-' || "index" || '-' || failed), 24)
    AS request_id,
  'acompletion' AS call_type,
  api_key,
  (spend::DECIMAL(19,0) * 0.000000000001)::DECIMAL(24,12) AS spend,
  "input" + cached + written + "output" AS total_tokens,
  "input" + cached + written AS prompt_tokens,
  "output" AS completion_tokens,
  epoch_ms(start_ms) AS startTime,
  epoch_ms(start_ms + latency_ms) AS endTime,
  epoch_ms(start_ms + latency_ms // 4) AS completionStartTime,
  latency_ms AS request_duration_ms,
  model,
  vendor || '/' || model AS model_group,
  vendor AS custom_llm_provider,
  team_id,
  CASE WHEN failed = 1 THEN 'failure' ELSE 'success' END AS status,
  'False' AS cache_hit,
  json_object(
    'team', team, 'project', project, 'environment', environment, 'feature', feature,
    'customer', nullif(split_part(customers, '|', "index" % 3 + 1), ''),
    'prompt_hash', CASE WHEN "index" % 20 < repeated_of_20
      THEN md5(workload || '-' || ("index" % prompts))
      ELSE md5(workload || '-' || start_ms || '-' || "index") END,
    'prefix_hash', prefix_hash, 'prefix_tokens', prefix_tokens,
    'complexity', CASE WHEN "index" % 100 < low THEN 'low'
      WHEN "index" % 100 < low + medium THEN 'medium' ELSE 'high' END,
    'additional_usage_values', json_object(
      'cache_read_input_tokens', cached, 'cache_creation_input_tokens', written)
  )::VARCHAR AS metadata
FROM calls
"""
