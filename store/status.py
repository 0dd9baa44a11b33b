"""``finops status``: what is in the store, as far as a principal may see it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC
from typing import Any, Final

import duckdb

from finops_assistant.store import health
from finops_assistant.store.access import Principal, scope_sql
from finops_assistant.store.database import Database
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.facts import read_facts
from finops_assistant.store.focus import BY_NAME, TAG_COLUMNS
from finops_assistant.store.metrics import PROVIDER_COLUMN
from finops_assistant.store.settings import Home
from finops_assistant.store.skus import unrecognised

_EXAMPLES: Final = 20


def status(home: Home, principal: Principal) -> dict[str, Any]:
    """The object that ``finops status --json`` prints; dates and Decimals stay as they are.

    File names, unknown columns and quarantined text cannot be told apart by row, so only a
    principal without restrictions sees them. Raises QueryRefused for one that sees nothing.
    """
    where = scope_sql(principal)
    everything = where == "TRUE" and not principal.hide
    database = Database.open(home)
    with closing(database.cursor()) as cursor:
        state: dict[str, Any] = {
            "sources": _sources(cursor, where, everything),
            "periods": _periods(cursor, where, principal),
            "currencies": _currencies(cursor, where, principal),
            "freshness": _freshness(cursor, principal),
            "coverage": _coverage(cursor, where, principal),
            "unrecognised": _unrecognised(cursor, where, everything, principal),
            "quarantine": _quarantine(cursor, everything),
            "reconciliation": [],
            "usage": health.usage(cursor, principal),
            "context": health.context(cursor) if everything else [],
        }
    database.close()
    last_day = state["freshness"]["last_day"]
    if last_day and not principal.hide:
        state["reconciliation"] = health.reconciliation(home, principal, last_day)
    return state | {"attention": health.attention(state)}


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = cursor.execute(sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _sources(
    cursor: duckdb.DuckDBPyConnection, where: str, everything: bool
) -> list[dict[str, Any]]:
    sources = _rows(
        cursor,
        "SELECT x_Source AS source, count(*) AS rows, "  # noqa: S608
        "CAST(min(ChargePeriodStart) AS DATE) AS first_day, "
        "CAST(max(ChargePeriodStart) AS DATE) AS last_day "
        f"FROM focus WHERE {where} GROUP BY 1 ORDER BY 1",
    )
    if not everything:
        return sources
    files = _rows(
        cursor,
        "SELECT source, count(*) AS files, max(loaded_at) AS last_load, "
        "sum(quarantined)::BIGINT AS quarantined, sum(loaded)::BIGINT AS loaded, "
        "min(first_day) AS first, max(last_day) AS last FROM files GROUP BY 1 ORDER BY 1",
    )
    known = {entry["source"]: entry for entry in sources}
    for entry in files:
        charged = known.setdefault(
            entry["source"],
            {
                "source": entry["source"],
                "rows": entry["loaded"],
                "first_day": entry["first"],
                "last_day": entry["last"],
            },
        )
        charged["files"] = entry["files"]
        charged["last_load"] = entry["last_load"].replace(tzinfo=UTC)
        charged["quarantined"] = entry["quarantined"]
    return [known[name] for name in sorted(known)]


def _periods(
    cursor: duckdb.DuckDBPyConnection, where: str, principal: Principal
) -> list[dict[str, Any]]:
    return _rows(
        cursor,
        f"SELECT strftime(BillingPeriodStart, '%Y-%m') AS period, {_provider(principal)} "  # noqa: S608
        "AS provider, count(*) AS rows, CAST(min(ChargePeriodStart) AS DATE) AS first_day, "
        "CAST(max(ChargePeriodStart) AS DATE) AS last_day "
        f"FROM focus WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",
    )


def _currencies(
    cursor: duckdb.DuckDBPyConnection, where: str, principal: Principal
) -> list[dict[str, Any]]:
    sums = "".join(
        f", sum({column}) AS {name}"
        for name, column in (("billed", "BilledCost"), ("effective", "EffectiveCost"))
        if principal.may_read((column,))
    )
    return _rows(
        cursor,
        f"SELECT BillingCurrency AS currency, count(*) AS rows{sums} "  # noqa: S608
        f"FROM focus WHERE {where} GROUP BY 1 ORDER BY rows DESC, 1",
    )


def _provider(principal: Principal) -> str:
    """The provider's name, or NULL for whom it is hidden."""
    return PROVIDER_COLUMN if principal.may_read((PROVIDER_COLUMN,)) else "NULL"


def _freshness(cursor: duckdb.DuckDBPyConnection, principal: Principal) -> dict[str, Any]:
    """The last day that rows cover, of each provider and in all. A charge for a whole month covers
    its days: it is not late because it is dated the first."""
    try:
        facts = read_facts(cursor, principal)
    except QueryRefused:  # nothing is billed yet
        return {"last_day": None, "data_through": None, "providers": []}
    providers = [{"provider": p, "last_day": day} for p, day in sorted(facts.providers.items())]
    return {
        "last_day": facts.last_day,
        "data_through": facts.data_through,
        "providers": providers,
    }


def _coverage(
    cursor: duckdb.DuckDBPyConnection, where: str, principal: Principal
) -> list[dict[str, Any]]:
    """Share of effective cost that carries a tag, by dimension and currency: 0 to 1, credits
    counted by their size; None where there is no cost."""
    if not principal.may_read(("EffectiveCost",)):
        return []
    seen = {name: c for name, c in TAG_COLUMNS.items() if principal.may_read((c,))}
    sums = "".join(
        f", sum(abs(EffectiveCost)) FILTER ({column} IS NOT NULL) AS {name}"
        for name, column in seen.items()
    )
    rows = _rows(
        cursor,
        f"SELECT BillingCurrency AS currency, sum(abs(EffectiveCost)) AS total{sums} "  # noqa: S608
        f"FROM focus WHERE {where} GROUP BY 1 ORDER BY 1",
    )
    return [
        {
            "dimension": name,
            "currency": row["currency"],
            "share": float((row[name] or 0) / row["total"]) if row["total"] else None,
        }
        for row in rows
        for name in seen
    ]


def _unrecognised(
    cursor: duckdb.DuckDBPyConnection, where: str, everything: bool, principal: Principal
) -> dict[str, Any]:
    """Columns that no schema knows, values outside the specification's lists, unreadable tags,
    and SKUs that look like a model or a GPU machine and are in no table."""
    values: list[dict[str, Any]] = []
    for name in ("ServiceCategory", "ServiceSubcategory", "ChargeCategory", "PricingCategory"):
        if not principal.may_read((name,)):
            continue
        found = cursor.execute(
            f"SELECT {name}, count(*) FROM focus WHERE ({where}) AND {name} IS NOT NULL "  # noqa: S608
            f"AND NOT list_contains(?, {name}) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_EXAMPLES}",
            [list(BY_NAME[name].allowed)],
        ).fetchall()
        values += [{"column": name, "value": value, "rows": count} for value, count in found]
    report: dict[str, Any] = {"values": values, "columns": [], "skus": []}
    if not principal.hide:
        report["skus"] = unrecognised(cursor, where)[:_EXAMPLES]
    if everything:
        report["columns"] = _rows(
            cursor,
            'SELECT unnest(extra_columns) AS "column", count(*) AS files FROM files '
            "GROUP BY 1 ORDER BY 1",
        )
    if principal.may_read(("Tags", *TAG_COLUMNS.values())):
        unread = cursor.execute(
            f"SELECT count(*) FROM focus WHERE ({where}) AND NOT starts_with(Tags, '{{')"  # noqa: S608
        ).fetchone()
        report["unreadable_tags"] = unread[0] if unread else 0
    return report


def _quarantine(cursor: duckdb.DuckDBPyConnection, everything: bool) -> dict[str, Any]:
    if not everything:
        return {"rows": None, "files": [], "examples": []}
    files = _rows(
        cursor, "SELECT file, count(*) AS rows FROM quarantine GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    examples = _rows(
        cursor,
        'SELECT file, line, "column", reason, raw FROM quarantine '  # noqa: S608
        f"ORDER BY file_id DESC, line LIMIT {_EXAMPLES}",
    )
    return {"rows": sum(f["rows"] for f in files), "files": files, "examples": examples}
