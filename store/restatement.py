"""What a delivery replaces: within a source, provider, billing account and billing period, the
charge days from its first to its last. Files of one delivery add up; days outside are kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from finops_assistant.store.azure_pairs import SETTLED_PAIR
from finops_assistant.store.focus import CHARGES, FILE_ID, literal, quote
from finops_assistant.store.sources import BILLS
from finops_assistant.store.tables import Table

_SAME = """
    c.x_Source = s.source
    AND c.ServiceProviderName IS NOT DISTINCT FROM s.provider
    AND c.BillingAccountId IS NOT DISTINCT FROM s.account
    AND c.BillingPeriodStart = s.period
"""
_INSIDE = "CAST(c.ChargePeriodStart AS DATE) BETWEEN s.first_day AND s.last_day"


@dataclass(frozen=True)
class Effect:
    """What a file's coming meant for other rows: how many older ones it replaced, how many of the
    same billing periods lie outside its days and were kept, and how many of its own a later row of
    the same delivery repeats."""

    replaced: int
    kept: int
    repeated: int = 0

    @property
    def sentence(self) -> str:
        """Both in words."""
        parts = []
        if self.replaced:
            rows = _rows(self.replaced)
            parts.append(f"{rows} of earlier deliveries for the same days were replaced.")
        if self.kept:
            parts.append(
                f"{_rows(self.kept)} of the same billing period on days outside this delivery "
                "were kept."
            )
        if self.repeated:
            one = self.repeated == 1
            parts.append(
                f"{_rows(self.repeated)} {'has' if one else 'have'} the same key as a later one of "
                "this delivery, which counts."
            )
        return " ".join(parts)


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def added_up(connection: duckdb.DuckDBPyConnection, own: Collection[int]) -> list[str]:
    """Names of the files of one delivery, given by their ids, that cover the same days of the same
    account. That is right for the parts of one export and wrong for two copies of it."""
    ids = ", ".join(str(int(i)) for i in own)
    rows = connection.execute(
        f"""
        WITH spans AS (
            SELECT _file_id, x_Source AS source, ServiceProviderName AS provider,
                   BillingAccountId AS account, BillingPeriodStart AS period,
                   CAST(min(ChargePeriodStart) AS DATE) AS first_day,
                   CAST(max(ChargePeriodStart) AS DATE) AS last_day
            FROM {CHARGES} WHERE {FILE_ID} IN ({ids}) GROUP BY ALL
        )
        SELECT file FROM files WHERE file_id IN (
            SELECT a._file_id FROM spans a JOIN spans b
            ON a.source = b.source AND a.provider IS NOT DISTINCT FROM b.provider
            AND a.account IS NOT DISTINCT FROM b.account AND a.period = b.period
            AND a.first_day <= b.last_day AND b.first_day <= a.last_day
            AND a._file_id <> b._file_id
        ) ORDER BY file_id
        """  # noqa: S608
    ).fetchall()
    return [row[0] for row in rows]


def told_twice(
    connection: duckdb.DuckDBPyConnection, loaded: Collection[int]
) -> dict[int, tuple[str, str, str]]:
    """The delivery's files whose days another kind of bill tells already: file id -> that source,
    the provider, the first billing month (YYYY-MM). Both would be counted."""
    new = ", ".join(str(int(i)) for i in loaded)
    kinds = ", ".join(literal(source.name) for source in BILLS)
    pair = ", ".join(literal(name) for name in SETTLED_PAIR)
    rows = connection.execute(
        f"""
        WITH spans AS (
            SELECT CASE WHEN {FILE_ID} IN ({new}) THEN {FILE_ID} ELSE 0 END AS file_id,
                   x_Source AS source, ServiceProviderName AS provider,
                   BillingAccountId AS account, BillingPeriodStart AS period,
                   CAST(min(ChargePeriodStart) AS DATE) AS first_day,
                   CAST(max(ChargePeriodStart) AS DATE) AS last_day
            FROM {CHARGES} WHERE x_Source IN ({kinds}) GROUP BY ALL
        )
        SELECT n.file_id, min(o.source), min(n.provider), strftime(min(n.period), '%Y-%m')
        FROM spans n JOIN spans o
          ON n.provider = o.provider AND n.account = o.account AND n.period = o.period
         AND n.source <> o.source AND n.file_id > o.file_id
         AND n.first_day <= o.last_day AND o.first_day <= n.last_day
        WHERE NOT (n.source IN ({pair}) AND o.source IN ({pair}))
        GROUP BY n.file_id
        """  # noqa: S608
    ).fetchall()
    return {file_id: (source, provider, month) for file_id, source, provider, month in rows}


def replace_older(
    connection: duckdb.DuckDBPyConnection,
    loaded: Collection[int],
    duplicates: Collection[int],
    table: str = CHARGES,
) -> dict[int, Effect]:
    """Delete the rows that the delivery's new files replace; file id -> effect, where any.

    ``loaded`` are the ids of its new files and ``duplicates`` of those that the store had
    already: they are part of the delivery, so their rows stay.
    """
    new = ", ".join(str(int(i)) for i in loaded)
    own = ", ".join(str(int(i)) for i in (*loaded, *duplicates))
    older = f"c._file_id NOT IN ({own})"
    connection.execute("BEGIN")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scopes AS
        SELECT x_Source AS source, ServiceProviderName AS provider, BillingAccountId AS account,
               BillingPeriodStart AS period, min(_file_id) AS first_file,
               CAST(min(ChargePeriodStart) AS DATE) AS first_day,
               CAST(max(ChargePeriodStart) AS DATE) AS last_day
        FROM {table} WHERE _file_id IN ({new})
        GROUP BY ALL
        """  # noqa: S608
    )
    rows = connection.execute(
        f"""
        SELECT s.first_file, count(*) FILTER ({_INSIDE}), count(*) FILTER (NOT {_INSIDE})
        FROM {table} c JOIN scopes s ON {_SAME} AND {older}
        GROUP BY s.first_file
        """  # noqa: S608
    ).fetchall()
    if any(inside for _, inside, _ in rows):
        connection.execute(
            f"DELETE FROM {table} AS c USING scopes AS s WHERE {_SAME} AND {_INSIDE} AND {older}"  # noqa: S608
        )
    connection.execute("DROP TABLE scopes")
    connection.execute("COMMIT")
    return {file_id: Effect(inside, outside) for file_id, inside, outside in rows}


def replace_keyed(
    connection: duckdb.DuckDBPyConnection, table: Table, loaded: Collection[int]
) -> dict[int, Effect]:
    """Of rows with the same key, keep the one that came last; file id -> effect, where any.

    ``loaded`` are the ids of the delivery's new files. Two rows with one key inside the delivery
    count as one, and it is said: a log repeats a request, a page overlaps the next.
    """
    new = ", ".join(str(int(i)) for i in loaded)
    key = ", ".join(map(quote, table.key))
    same = " AND ".join(f"o.{quote(c)} IS NOT DISTINCT FROM n.{quote(c)}" for c in table.key)
    connection.execute("BEGIN")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeats AS SELECT rowid AS id, {FILE_ID} AS file
        FROM {table.name} WHERE {FILE_ID} IN ({new})
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {FILE_ID} DESC, rowid DESC) > 1
        """  # noqa: S608
    )
    repeated = dict(connection.execute("SELECT file, count(*) FROM repeats GROUP BY 1").fetchall())
    if repeated:
        connection.execute(
            f"DELETE FROM {table.name} WHERE rowid IN (SELECT id FROM repeats)"  # noqa: S608
        )
    connection.execute("DROP TABLE repeats")
    keys = f"(SELECT {key}, min({FILE_ID}) AS file FROM {table.name} WHERE {FILE_ID} IN ({new}) GROUP BY ALL)"  # noqa: S608, E501
    older = f"o.{FILE_ID} NOT IN ({new})"
    rows = connection.execute(
        f"SELECT n.file, count(*) FROM {table.name} o JOIN {keys} n ON {same} AND {older} "  # noqa: S608
        "GROUP BY 1"
    ).fetchall()
    if rows:
        connection.execute(
            f"DELETE FROM {table.name} AS o USING {keys} AS n WHERE {same} AND {older}"  # noqa: S608
        )
    connection.execute("COMMIT")
    replaced = dict(rows)
    return {
        file_id: Effect(replaced.get(file_id, 0), 0, repeated.get(file_id, 0))
        for file_id in sorted({*replaced, *repeated})
    }
