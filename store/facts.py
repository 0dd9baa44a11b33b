"""How far the data reaches: which days, providers, currencies and figures of model usage there are.

``provider_days`` (see ``catalogue``) answers for whom every row is visible; a principal with a row
scope gets the same statement over the rows it may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.compile_shape import Flag
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.metrics import PROVIDER_COLUMN, load_semantics

if TYPE_CHECKING:
    import duckdb

Relation = Literal["charges", "focus", "usage"]
_MEASURES = ("Tokens", "Requests", "Errors")


@dataclass(frozen=True)
class UsageFacts:
    """How far the model usage of one provider reaches, and what of it is known: the columns of
    ``usage`` that hold figures. Days are inclusive."""

    provider: str  # '' for whom providers are hidden
    first_day: date
    last_day: date
    measures: frozenset[str]
    hourly: bool  # whether it is counted by the hour or finer


@dataclass(frozen=True)
class Facts:
    """How far the rows reach that a principal may see. Days are inclusive UTC charge days."""

    first_day: date
    last_day: date
    today: date  # the day after the last day of the whole store: what relative dates count from
    data_through: datetime  # the instant up to which there are rows: the midnight after last_day
    # The last day that each provider's rows cover; empty for whom providers are hidden.
    providers: Mapping[str, date]
    currencies: tuple[str, ...]  # the one with the most rows first
    row_count: int
    hourly: bool  # whether any row is shorter than a day
    began: Mapping[str, date] = field(default_factory=dict)  # each provider's first charge day
    usage: tuple[UsageFacts, ...] = ()
    token_bills: frozenset[str] = frozenset()  # the providers that bill tokens

    @property
    def measured(self) -> frozenset[str]:
        """The columns of ``usage`` that hold figures of anyone."""
        return frozenset(name for entry in self.usage for name in entry.measures)


def read_facts(con: duckdb.DuckDBPyConnection, principal: Principal) -> Facts:
    """The facts of one principal; QueryRefused when there is no row that it may see."""
    scope = row_scope(principal).predicate
    days = f"({days_sql('focus', scope)})" if scope else "provider_days"
    rows = con.execute(
        f"""
        SELECT provider, currency, min(day), max(day), CAST(sum(rows) AS BIGINT),
               max(CASE WHEN short THEN day END), max(through), bool_or(hourly), bool_or(tokens)
        FROM {days} GROUP BY provider, currency ORDER BY 5 DESC, 2, 1
        """  # noqa: S608
    ).fetchall()
    if not rows:
        of_whom = "that you may see " if scope else ""
        raise QueryRefused(
            "NO_DATA_SOURCE",
            f"No cost data {of_whom}has been loaded yet. Load a bill with: finops ingest FILE.",
        )
    latest = con.execute("SELECT max(day) FROM provider_days").fetchone()
    last_day = max(row[3] for row in rows)
    today = (latest[0] if latest and latest[0] else last_day) + timedelta(days=1)
    providers: dict[str, date] = {}
    per_currency: dict[str, int] = {}
    began: dict[str, date] = {}
    for provider, currency, first, _, count, last_short, through, *_ in rows:
        began[provider] = min(first, began.get(provider, first))
        covered = min(last_short or through, last_day)
        providers[provider] = max(covered, providers.get(provider, covered))
        per_currency[currency] = per_currency.get(currency, 0) + count
    shown = principal.may_read((PROVIDER_COLUMN,))
    return Facts(
        first_day=min(row[2] for row in rows),
        last_day=last_day,
        today=today,
        data_through=datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC),
        providers=providers if shown else {},
        currencies=tuple(sorted(per_currency, key=lambda code: (-per_currency[code], code))),
        row_count=sum(row[4] for row in rows),
        hourly=any(row[7] for row in rows),
        began=began if shown else {},
        usage=_read_usage(con, principal, shown),
        token_bills=frozenset(row[0] for row in rows if row[8]) if shown else frozenset(),
    )


def _read_usage(
    con: duckdb.DuckDBPyConnection, principal: Principal, shown: bool
) -> tuple[UsageFacts, ...]:
    if not has_usage(con):
        return ()
    where = " AND ".join(
        filter(None, (usage_flag(principal.allow), row_scope(principal).on("usage")))
    )
    provider = PROVIDER_COLUMN if shown else "''"
    rows = con.execute(
        f"""
        SELECT {provider}, CAST(min(ChargePeriodStart) AS DATE),
               CAST(max(ChargePeriodEnd - INTERVAL 1 MICROSECOND) AS DATE),
               bool_or(ChargePeriodEnd <= ChargePeriodStart + INTERVAL 1 HOUR),
               {", ".join(f"count({name})" for name in _MEASURES)}
        FROM usage WHERE {where} GROUP BY 1 ORDER BY 1
        """  # noqa: S608
    ).fetchall()
    return tuple(
        UsageFacts(
            provider=name,
            first_day=first,
            last_day=last,
            measures=frozenset(n for n, count in zip(_MEASURES, counts, strict=True) if count),
            hourly=hourly,
        )
        for name, first, last, hourly, *counts in rows
    )


def usage_flag(names: Iterable[str]) -> Flag:
    """Which rows of ``usage`` count for a question about these dimensions or columns."""
    known = load_semantics().dimensions.values()
    detail = {name for d in known if d.detail for name in (d.name, *d.columns)}
    return "Chosen" if detail.isdisjoint(names) else "ChosenDetail"


def days_sql(relation: Relation, where: str) -> str:
    """Per day: whether there are rows of a day or less, of less than a day, of tokens, and the last
    day that a row of up to a month covers (a monthly bill is not late because it is dated the
    first)."""
    return (
        "SELECT ServiceProviderName AS provider, BillingCurrency AS currency, "  # noqa: S608
        "CAST(ChargePeriodStart AS DATE) AS day, count(*) AS rows, "
        "bool_or(ChargePeriodEnd <= ChargePeriodStart + INTERVAL 1 DAY) AS short, "
        "bool_or(ChargePeriodEnd < ChargePeriodStart + INTERVAL 1 DAY) AS hourly, "
        "bool_or(x_TokenDirection IS NOT NULL) AS tokens, "
        "CAST(max(CASE WHEN ChargePeriodEnd <= ChargePeriodStart + INTERVAL 31 DAY "
        "THEN ChargePeriodEnd - INTERVAL 1 MICROSECOND ELSE ChargePeriodStart END) AS DATE) "
        "AS through "
        f"FROM {relation} WHERE {where} GROUP BY 1, 2, 3"
    )


def has_usage(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is a table of model usage: an older store has none until it is levelled up."""
    found = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'usage'")
    return found.fetchone() == (1,)
