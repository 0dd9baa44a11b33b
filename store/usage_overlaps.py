"""Usage that a vendor reports twice: under different groupings, or in buckets of other widths.

A report grouped by project and one grouped by model have no key in common, and yet count the same
tokens. So do a report by the day and one by the hour. Of such reports one is kept:

- of a day in buckets of several widths, the width that counts most (a day that was fetched before
  it was over counts less), the narrower on a tie;
- of a bucket under several groupings, the grouping that counts most, the finer on a tie. The
  grouping of a file is which columns it fills at all.

Reports of different accounts (two organisations, say) are no copies of each other.
"""

from __future__ import annotations

import duckdb

from finops_assistant.store.focus import FILE_ID

_GROUPS = (
    "model_billed",
    "account",
    "api_key",
    "user_id",
    "batch",
    "service_tier",
    "context_window",
    "endpoint",
)


def find_doubled(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``doubled_usage``: the rowid in ``llm_usage``, as ``place``, of
    every row that repeats what another report says."""
    connection.execute(_doubled_sql())


def _doubled_sql() -> str:
    grouped = " || ".join(f"CASE WHEN count({c}) > 0 THEN '1' ELSE '0' END" for c in _GROUPS)
    file = f"source, provider, operation, {FILE_ID}"
    same_file = " AND ".join(f"g.{c} IS NOT DISTINCT FROM r.{c}" for c in file.split(", "))
    fineness = "length(replace(grouping, '0', ''))"
    return f"""
    CREATE OR REPLACE TEMP TABLE doubled_usage AS
    WITH reported AS (
        SELECT *, rowid AS place, date_trunc('day', started_at) AS day,
            ended_at - started_at AS width,
            coalesce(input_tokens, 0) + coalesce(output_tokens, 0) AS counted
        FROM llm_usage WHERE layer = 'vendor'
    ),
    groupings AS (
        SELECT {file}, {grouped} AS grouping FROM reported GROUP BY {file}
    ),
    sized AS (
        SELECT r.*, g.grouping FROM reported r JOIN groupings g ON {same_file}
    ),
    wide AS (
        {_doubled("sized", "day", "width", "min(width)")}
    ),
    grouped AS (
        {
        _doubled(
            "(SELECT * FROM sized ANTI JOIN wide USING (place))",
            "started_at, ended_at",
            "grouping",
            f"-min({fineness}), grouping",
        )
    }
    )
    SELECT place FROM wide UNION ALL SELECT place FROM grouped
    """  # noqa: S608


def _doubled(relation: str, span: str, way: str, finest: str) -> str:
    """The ``place`` of the rows of ``relation`` that repeat, within a ``span`` of time, what is
    counted in a better ``way``: the one that counts most, then ``finest`` first."""
    scope = f"source, provider, operation, {span}"
    same = " AND ".join(f"b.{c} IS NOT DISTINCT FROM r.{c}" for c in scope.split(", "))
    return f"""
        SELECT r.place FROM {relation} r JOIN (
            SELECT {scope}, {way}, list(DISTINCT account) AS accounts,
                bool_or(account IS NULL) AS unknown
            FROM {relation} GROUP BY {scope}, {way}
            QUALIFY count(*) OVER (PARTITION BY {scope}) > 1 AND row_number() OVER (
                PARTITION BY {scope} ORDER BY sum(counted) DESC, {finest}) = 1
        ) b ON {same}
        WHERE r.{way} <> b.{way}
            AND (b.unknown OR r.account IS NULL OR list_contains(b.accounts, r.account))
    """  # noqa: S608
