"""What ``finops status`` says beyond counting: model usage, context, agreement with the bills, and
what asks for attention first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import duckdb

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.focus import quote
from finops_assistant.store.metrics import PROVIDER_COLUMN
from finops_assistant.store.reconcile import CENTS_READ, HUNDREDTH, Line, last_month, reconcile
from finops_assistant.store.settings import Home
from finops_assistant.store.tables import TABLES

_ZERO: Final = Decimal(0)
_BEHIND: Final = 2  # days that a provider may lag before it is said
_TAGGED: Final = 0.8  # share of cost with a team below which coverage is said
_EXPLAINED: Final = Decimal("0.01")  # share of a bill that may stay without usage, or the reverse
_USAGE_TABLES: Final = ("llm_requests", "llm_usage")

# What each table beside the bills makes possible, for those who have not loaded it.
ENABLES: Final[Mapping[str, str]] = {
    "resource_metrics": "idle endpoints, GPU utilisation",
    "training_runs": "cost per training run, runaway training",
    "business_metrics": "unit costs, AI value",
    "initiatives": "AI ROI, time to production",
    "budgets": "budget and quota status",
    "commitments": "commitments that no bill names",
    "rates": "your own SQL; totals stay apart by currency",
    "owners": "teams of API keys and projects",
    "events": "what may have caused a change",
}


def usage(cursor: duckdb.DuckDBPyConnection, principal: Principal) -> list[dict[str, Any]]:
    """Reported model usage by provider and layer: days, tokens, requests, whether totals rest on
    it, and the share of its tokens that has a list price (0 to 1)."""
    if not principal.may_read((PROVIDER_COLUMN,)):
        return []
    where = row_scope(principal).on("usage") or "TRUE"
    rows = cursor.execute(
        f"""
        SELECT {PROVIDER_COLUMN}, Layer, bool_or(Chosen),
               CAST(min(ChargePeriodStart) AS DATE), CAST(max(ChargePeriodStart) AS DATE),
               sum(Tokens), sum(Requests)::BIGINT,
               sum(Tokens) FILTER (PricedBy IS NOT NULL)
        FROM usage WHERE Layer <> 'bill' AND ({where}) GROUP BY 1, 2 ORDER BY 1, 2
        """  # noqa: S608
    ).fetchall()
    return [
        {
            "provider": provider,
            "layer": layer,
            "counts": chosen,
            "first_day": first,
            "last_day": last,
            "tokens": tokens,
            "requests": requests,
            "priced_share": float((priced or _ZERO) / tokens) if tokens else None,
        }
        for provider, layer, chosen, first, last, tokens, requests, priced in rows
    ]


def context(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The tables beside the bills: how many rows, of which days, and what each is good for."""
    found = []
    for table in TABLES.values():
        if table.name in _USAGE_TABLES:
            continue
        moment = quote(table.moment) if table.moment else "NULL::DATE"
        row = cursor.execute(
            f"SELECT count(*), CAST(min({moment}) AS DATE), CAST(max({moment}) AS DATE) "  # noqa: S608
            f"FROM {table.name}"
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has a row
        found.append(
            {
                "table": table.name,
                "rows": row[0],
                "first_day": row[1],
                "last_day": row[2],
                "enables": ENABLES[table.name],
            }
        )
    return found


def reconciliation(home: Home, principal: Principal, last_day: date) -> list[dict[str, Any]]:
    """Billed against priced for the last complete month, by provider: sums (money, in the bill's
    currency; ``priced`` in US dollars), parts of the difference, and the remark of the model that
    differs most."""
    start, end = last_month(last_day)
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in reconcile(home, principal, start, end):
        groups.setdefault((line.provider, line.currency), []).append(line)
    return [
        {
            "provider": provider,
            "currency": currency,
            "period": f"{start:%Y-%m}",
            "billed": sum((line.billed for line in lines), _ZERO),
            "priced": sum((line.priced for line in lines), _ZERO),
            "difference": None
            if lines[0].difference is None  # two currencies
            else sum((line.difference or _ZERO for line in lines), _ZERO),
            "parts": {
                name: sum((line.parts[name] for line in lines), _ZERO) for name in lines[0].parts
            },
            "remark": lines[0].remark,
        }
        for (provider, currency), lines in sorted(groups.items())
    ]


def attention(state: Mapping[str, Any]) -> list[str]:
    """What a reader should look at first, each in one sentence; nothing where all is well."""
    return [
        *_late(state),
        *_gaps(state),
        *_unread(state),
        *_bills(state),
        *_names(state),
        *_missing(state),
    ]


def _late(state: Mapping[str, Any]) -> Iterator[str]:
    last = state["freshness"]["last_day"]
    for entry in state["freshness"]["providers"]:
        behind = (last - entry["last_day"]).days if last else 0
        if behind > _BEHIND:
            who = entry["provider"] or "A provider"
            yield f"{who} ends on {entry['last_day']}, {behind} days before the newest bill."


def _gaps(state: Mapping[str, Any]) -> Iterator[str]:
    """Billing months between a provider's first and last that have no charge."""
    months: dict[str | None, set[str]] = {}
    for entry in state["periods"]:
        if entry["period"]:
            months.setdefault(entry["provider"], set()).add(entry["period"])
    for provider, billed in months.items():
        month, last = min(billed), max(billed)
        absent = []
        while month < last:
            if month not in billed:
                absent.append(month)
            year, number = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
            month = f"{year:04}-{number + 1:02}"
        if absent:
            some = f" and {len(absent) - 6} more" if len(absent) > 6 else ""
            yield f"{provider or 'A provider'} has no charges for {', '.join(absent[:6])}{some}."


def _unread(state: Mapping[str, Any]) -> Iterator[str]:
    rows = state["quarantine"]["rows"]
    if rows:
        yield (
            f"{_count(rows, 'row')} could not be read and "
            f"{'is' if rows == 1 else 'are'} in quarantine."
        )
    tags = state["unrecognised"].get("unreadable_tags")
    if tags:
        yield f"{_count(tags, 'row')} {'has' if tags == 1 else 'have'} tags that cannot be read."


def _bills(state: Mapping[str, Any]) -> Iterator[str]:
    metered = {entry["provider"] for entry in state["usage"] if entry["counts"]}
    for entry in state["reconciliation"]:
        if entry["provider"] not in metered:
            continue  # nothing but the bill counts its tokens
        base = max(abs(entry["billed"]), abs(entry["priced"])) * _EXPLAINED
        who, month, code = entry["provider"], entry["period"], entry["currency"]
        usage, bill = entry["parts"]["missing_usage"], entry["parts"]["missing_bill"]
        if abs(usage) > base:
            yield f"{who} billed {code} {usage:,.2f} in {month} for which no usage was reported."
        if abs(bill) > base:
            yield f"{who} reported usage worth USD {-bill:,.2f} in {month} that no bill covers."
        if entry["remark"] in (CENTS_READ, HUNDREDTH):
            yield f"{who}: {entry['remark']}"
    if len(state["currencies"]) > 1:
        codes = ", ".join(str(entry["currency"]) for entry in state["currencies"])
        rates = "this version does not use the rates" if _rows_of(state, "rates") else ""
        why = rates or "no rates are loaded"
        yield f"Bills are in {codes} and {why}: totals stay apart by currency."


def _names(state: Mapping[str, Any]) -> Iterator[str]:
    for entry in state["coverage"]:
        share = entry["share"]
        if entry["dimension"] == "team" and share is not None and share < _TAGGED:
            yield f"{1 - share:.0%} of the {entry['currency']} cost names no team."
    skus = state["unrecognised"]["skus"]
    if skus:
        yield (
            f"{_count(len(skus), 'AI SKU')} {'names' if len(skus) == 1 else 'name'} no model or "
            f"GPU that this version knows, the dearest of them {skus[0]['sku']}."
        )


def _missing(state: Mapping[str, Any]) -> Iterator[str]:
    absent = [
        entry for entry in state["context"] if not entry["rows"] and entry["table"] != "rates"
    ]
    named = [f"{entry['table']} ({entry['enables']})" for entry in absent]
    if state["context"] and not state["usage"]:
        named.append("model usage (tokens and requests as vendors and gateways report them)")
    if named:
        yield f"Not loaded yet: {'; '.join(named)}."


def _rows_of(state: Mapping[str, Any], table: str) -> int:
    return next((entry["rows"] for entry in state["context"] if entry["table"] == table), 0)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
