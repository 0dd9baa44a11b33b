"""What a shared service is split by: the targets' own cost, or a count of usage, by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import duckdb

from finops_assistant.store.allocation_rules import Rule
from finops_assistant.store.conditions import text
from finops_assistant.store.facts import has_usage
from finops_assistant.store.focus import CHARGES, literal, quote
from finops_assistant.store.metrics import UNTAGGED, load_semantics
from finops_assistant.store.scopes import parse_pairs, parse_scope
from finops_assistant.store.settings import Settings
from finops_assistant.store.tags import TagReader, fold, tag_rules

# What business_metrics has columns for; another target or condition is an extra column.
_BUSINESS: Final = ("product", "feature", "customer", "team", "project")


@dataclass(frozen=True)
class Measured:
    """Weights by month, currency ('' where there is none) and target; the days with any by month;
    what is counted."""

    weights: Mapping[tuple[date, str], Mapping[str, Decimal]]
    days: Mapping[date, int]
    counted: str

    def of(self, month: date, currency: str) -> Mapping[str, Decimal]:
        """The weights of a month."""
        return self.weights.get((month, currency)) or self.weights.get((month, "")) or {}

    def unit(self, currency: str) -> str:
        """What is counted, in words."""
        return self.counted.replace("{currency}", currency)

    def when(self, month: date) -> str:
        """Which part of the month was metered, where that matters."""
        if month not in self.days:
            return ""
        length = (date(month.year + month.month // 12, month.month % 12 + 1, 1) - month).days
        return f", metered on {self.days[month]} of {length} days"


def measured(
    connection: duckdb.DuckDBPyConnection, rule: Rule, claimed: str, settings: Settings
) -> Measured:
    """What a rule of method ``proportional`` or ``proxy`` goes by. ``claimed`` is the SQL that is
    NULL for charges which no rule of the dimension splits: the targets' own."""
    if rule.method == "proportional":
        rows = f"""
            SELECT ChargePeriodStart AS moment, BillingCurrency AS currency,
                   {rule.column} AS target, EffectiveCost AS value
            FROM {CHARGES} WHERE {claimed} IS NULL
        """  # noqa: S608
        return Measured(_weights(connection, rows), {}, "{currency} of direct cost")
    if rule.meter == "llm_usage":
        if not has_usage(connection):
            return Measured({}, {}, rule.metric)
        rows = _usage_sql(rule)
    elif rule.meter == "business_metrics":
        rows = _business_sql(connection, rule, settings)
    else:
        rows = _resource_sql(rule)
    return Measured(_weights(connection, rows), _days(connection, rows), rule.metric)


def _weights(
    connection: duckdb.DuckDBPyConnection, rows: str
) -> dict[tuple[date, str], dict[str, Decimal]]:
    found: dict[tuple[date, str], dict[str, Decimal]] = {}
    for month, currency, target, value in connection.execute(
        "SELECT CAST(date_trunc('month', moment) AS DATE), coalesce(currency, ''), "  # noqa: S608
        f"coalesce(target, {literal(UNTAGGED)}), sum(value) FROM ({rows}) "
        "WHERE value IS NOT NULL GROUP BY ALL"
    ).fetchall():
        found.setdefault((month, currency), {})[target] = Decimal(value)
    return found


def _days(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[date, int]:
    return dict(
        connection.execute(
            "SELECT CAST(date_trunc('month', moment) AS DATE), "  # noqa: S608
            "count(DISTINCT CAST(moment AS DATE)) "
            f"FROM ({rows}) WHERE value IS NOT NULL GROUP BY 1"
        ).fetchall()
    )


def _usage_sql(rule: Rule) -> str:
    scope = parse_scope(rule.where, "where")
    dimensions = load_semantics().dimensions
    detail = any(dimensions[name].detail for name in (rule.to, *scope.filters))
    chosen = (
        f"Layer = {literal(rule.layer)}" if rule.layer else "ChosenDetail" if detail else "Chosen"
    )
    value = "Requests" if rule.metric == "requests" else "Tokens"
    direction = {"input_tokens": "Input", "output_tokens": "Output"}.get(rule.metric)
    only = f" AND x_TokenDirection = {literal(direction)}" if direction else ""
    return (
        "SELECT ChargePeriodStart AS moment, NULL AS currency, "  # noqa: S608
        f"{dimensions[rule.to].on('usage').value} AS target, {value} AS value "
        f"FROM usage WHERE {chosen} AND {scope.over('usage')}{only}"
    )


def _business_sql(connection: duckdb.DuckDBPyConnection, rule: Rule, settings: Settings) -> str:
    seen = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT unnest(json_keys(tags)) FROM business_metrics WHERE metric = ?",
            [rule.metric],
        ).fetchall()
    ]
    if rule.to in _BUSINESS:
        target = quote(rule.to)
    else:
        reader = TagReader.of(tag_rules(settings), seen)
        target = reader.columns(f"({reader.extract('tags')})")[rule.column]
    conditions = [f"metric = {text(rule.metric)}"]
    for name, value in parse_pairs(rule.where, "where"):
        conditions.append(f"{_business_column(name, seen)} = {text(value)}")
    return (
        f"SELECT CAST(date AS TIMESTAMP) AS moment, NULL AS currency, {target} AS target, value "  # noqa: S608
        f"FROM business_metrics WHERE {' AND '.join(conditions)}"
    )


def _business_column(name: str, seen: list[str]) -> str:
    if name.lower() in _BUSINESS:
        return quote(name.lower())
    spellings = [key for key in seen if fold(key) == fold(name)]
    return f"coalesce({', '.join(map(_tag, spellings))})" if spellings else "NULL::VARCHAR"


def _tag(key: str) -> str:
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    return f"json_extract_string(tags, {literal(pointer)})"


def _resource_sql(rule: Rule) -> str:
    """Counted for the target that the bill names for the resource in that month: the one with the
    most cost, where there are several. The last part of a path or ARN is an id, too, if only one
    resource has it."""
    conditions = [f"metric = {text(rule.metric)}"]
    for name, value in parse_pairs(rule.where, "where"):
        column = "resource_id" if name.lower() == "resource_id" else _tag(name)
        conditions.append(f"{column} = {text(value)}")
    return f"""
        WITH costs AS (
            SELECT ResourceId AS resource, date_trunc('month', ChargePeriodStart) AS month,
                   {rule.column} AS target, sum(EffectiveCost) AS cost
            FROM {CHARGES} WHERE ResourceId IS NOT NULL AND {rule.column} IS NOT NULL GROUP BY ALL
        ), billed AS (
            SELECT resource, month, arg_max(target, cost) AS target FROM costs GROUP BY 1, 2
        ), ends AS (
            SELECT regexp_extract(resource, '[^/]+$') AS id, any_value(resource) AS resource
            FROM (SELECT DISTINCT resource FROM costs) GROUP BY 1 HAVING count(*) = 1
        ), named AS (
            SELECT resource AS id, month, target FROM billed
            UNION SELECT id, month, target FROM ends JOIN billed USING (resource)
        )
        SELECT m.timestamp AS moment, NULL AS currency, named.target, m.value
        FROM (SELECT * FROM resource_metrics WHERE {" AND ".join(conditions)}) m
        LEFT JOIN named ON named.id = m.resource_id
         AND named.month = date_trunc('month', m.timestamp)
    """  # noqa: S608
