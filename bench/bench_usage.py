"""Request logs: rolling up, pricing and choosing layers of 40,000 calls."""

from __future__ import annotations

import time

import duckdb

from bench.figures import Report
from finops_assistant.store.focus import META_SQL, create_table_sql
from finops_assistant.store.settings import Settings
from finops_assistant.store.tables import TABLES
from finops_assistant.store.usage import roll_up
from finops_assistant.store.usage_layers import derive_usage
from finops_assistant.store.usage_prices import price_usage

CALLS = 40_000

# Nine days of a gateway: five applications, three models, three in ten prompts seen before.
_CALLS_SQL = """
INSERT INTO llm_requests BY NAME
SELECT 'litellm' AS source, 'r' || i AS request_id, 'gateway' AS layer,
    TIMESTAMP '2026-10-01' + to_milliseconds(i * 19440) AS started_at,
    ['OpenAI', 'Anthropic', 'OpenAI'][i % 5 % 3 + 1] AS provider,
    ['gpt-5', 'claude-sonnet-4-5', 'gpt-4o-mini'][i % 5 % 3 + 1] AS model,
    'key-' || i % 5 AS api_key, 2000 + i % 997 AS input_tokens, 900 AS cached_input_tokens,
    100 + i % 89 AS output_tokens, i % 70 = 0 AS failed, 500 + i % 3001 AS latency_ms,
    0.001 AS reported_cost, 'team-' || i % 5 AS team, 'feature-' || i % 5 AS feature,
    'customer-' || i % 3 AS customer,
    CASE WHEN i % 10 < 3 THEN 'p' || i % 40 ELSE 'u' || i END AS prompt_hash,
    'x' || i % 5 AS prefix_hash, 900 AS prefix_tokens, 1 AS _file_id
FROM range(?) AS calls(i)
"""


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    report = Report("Model usage, 40,000 calls")
    con = duckdb.connect()
    con.execute(META_SQL)
    con.execute(create_table_sql())
    for table in TABLES.values():
        con.execute(table.create_sql())
    con.execute(_CALLS_SQL, [CALLS])
    started = time.perf_counter()
    roll_up(con, Settings())
    rolled = time.perf_counter()
    price_usage(con, Settings())
    priced = time.perf_counter()
    derive_usage(con, Settings())
    done = time.perf_counter()
    (rows,) = con.execute("SELECT count(*) FROM llm_usage").fetchone() or (0,)
    report.beside("rows by the hour", rows, "")
    report.at_most("rolling up", rolled - started, 2, "s")
    report.beside("pricing", priced - rolled, "s")
    report.beside("choosing layers", done - priced, "s")
    return int(report.missed)


if __name__ == "__main__":
    raise SystemExit(main())
