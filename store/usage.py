"""Single calls (``llm_requests``) rolled up to hours of ``llm_usage``.

One row is what one source reports of one hour, model, key and set of dimensions. Rolled-up rows
have no ``_file_id``: that tells them from the rows of a vendor's report. Conversations are left
out, since nearly every call would keep a row of its own.

A call *repeats* when its source, provider, model and prompt hash were seen within the 24 hours
before it; its prefix is *repeated* when source, provider, model and prefix hash were seen within
``CACHE_LIFE``, the five minutes for which vendors keep a cached prompt after its last use. A failed
call neither repeats nor is repeated: it left nothing to reuse. Without a hash both are unknown
(NULL). Percentiles of latency are those of the calls that did not fail; they cannot be added or
averaged.
"""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.focus import FILE_ID
from finops_assistant.store.model_names import name_models
from finops_assistant.store.settings import Settings

CACHE_LIFE: Final = "5 minutes"
REPEATED_WITHIN: Final = "24 hours"

_MARK: Final = "usage_rolled_up"  # key in store_meta: which requests the rows were made of
_RULES: Final = f"1; {CACHE_LIFE}; {REPEATED_WITHIN}"  # a change of these rolls up again

_SAME: Final = (
    "source",
    "layer",
    "provider",
    "model",
    "account",
    "api_key",
    "user_id",
    "batch",
    "service_tier",
    "operation",
    "team",
    "project",
    "environment",
    "feature",
    "customer",
    "endpoint",
    "complexity",
    "gateway_team",
    "cost_centre",
    "initiative",
)
_COUNTS: Final = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def roll_up(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Bring the rolled-up rows of ``llm_usage`` to the requests, if those have changed, and name
    the models of all its rows. A step of ``derive``."""
    # Rows only come with a file and only go one by one: the counts per file tell of any change.
    files = connection.execute(
        f"SELECT {FILE_ID}, count(*) FROM llm_requests GROUP BY 1 ORDER BY 1"  # noqa: S608
    ).fetchall()
    mark = f"{_RULES}; {files}"
    known = connection.execute("SELECT value FROM store_meta WHERE key = ?", [_MARK]).fetchone()
    if known != (mark,):
        connection.execute("BEGIN")
        connection.execute(f"DELETE FROM llm_usage WHERE {FILE_ID} IS NULL")  # noqa: S608
        connection.execute(_roll_up_sql())
        connection.execute("INSERT OR REPLACE INTO store_meta VALUES (?, ?)", [_MARK, mark])
        connection.execute("COMMIT")
    if connection.execute("SELECT count(*) FROM llm_usage").fetchone() == (0,):
        return
    name_models(connection)
    connection.execute(
        "UPDATE llm_usage AS u SET model = n.model FROM named_model AS n "
        "WHERE u.model_billed = n.model_billed AND u.model IS DISTINCT FROM n.model"
    )
    connection.execute("DROP TABLE named_model")


def _roll_up_sql() -> str:
    same = ", ".join("model_billed" if name == "model" else name for name in _SAME)
    sums = ",\n        ".join(f"sum({name}) AS {name}" for name in _COUNTS)
    return f"""
    INSERT INTO llm_usage BY NAME
    WITH calls AS (
        SELECT
            * EXCLUDE (model, provider, failed),
            model AS model_billed,
            coalesce(provider, 'Unknown') AS provider,
            coalesce(failed, FALSE) AS failed,
            date_trunc('hour', started_at) AS hour
        FROM llm_requests
    ),
    seen AS (
        SELECT
            *,
            CASE WHEN NOT failed AND prompt_hash IS NOT NULL THEN coalesce(
                started_at - lag(started_at) OVER prompts <= INTERVAL '{REPEATED_WITHIN}', FALSE
            ) END AS repeats,
            CASE WHEN NOT failed AND prefix_hash IS NOT NULL THEN coalesce(
                started_at - lag(started_at) OVER prefixes <= INTERVAL '{CACHE_LIFE}', FALSE
            ) END AS prefix_repeats
        FROM calls
        WINDOW
            prompts AS (
                PARTITION BY source, provider, model_billed, failed, prompt_hash
                ORDER BY started_at, request_id
            ),
            prefixes AS (
                PARTITION BY source, provider, model_billed, failed, prefix_hash
                ORDER BY started_at, request_id
            )
    )
    SELECT
        {same},
        hour AS started_at,
        hour + INTERVAL 1 HOUR AS ended_at,
        count(*) AS requests,
        count(*) FILTER (failed) AS errors,
        {sums},
        quantile_cont(CAST(latency_ms AS DOUBLE), 0.5) FILTER (NOT failed) AS latency_ms_p50,
        quantile_cont(CAST(latency_ms AS DOUBLE), 0.95) FILTER (NOT failed) AS latency_ms_p95,
        CASE WHEN count(prefix_repeats) > 0 THEN
            sum(CASE WHEN prefix_repeats
                THEN least(prefix_tokens, coalesce(input_tokens, prefix_tokens)) ELSE 0 END)
        END AS repeated_prefix_tokens,
        CASE WHEN count(repeats) > 0 THEN count(*) FILTER (repeats) END AS repeated_requests,
        sum(reported_cost) AS reported_cost
    FROM seen
    GROUP BY {same}, hour
    """  # noqa: S608
