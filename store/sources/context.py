"""Telemetry and business context: plain CSV or Parquet files, one for each table of the store.

The columns, their types and what a row needs are those of ``store/table_columns.csv``; the checks
beyond that stand here. A row that fails one is set aside with the reason (``_problem`` and
``_problem_column`` of its SELECT). Columns that a table does not know become its ``tags``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from finops_assistant.store.focus import literal, quote
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.sources.source import Field, Kind, SqlSource
from finops_assistant.store.tables import TABLES, Table

RESOURCE_METRICS: Final = (
    "gpu_utilization",
    "gpu_memory_utilization",
    "invocations",
    "cpu_utilization",
    "concurrency",
)
OWNER_KINDS: Final = (
    "openai_project",
    "openai_api_key",
    "anthropic_workspace",
    "anthropic_api_key",
    "litellm_team",
    "litellm_key",
    "aws_account",
    "azure_subscription",
    "gcp_project",
)

# Words that stand for one of a few things; files may write them in any case.
_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("resource_metrics", "metric"): RESOURCE_METRICS,
        ("training_runs", "status"): ("running", "finished", "failed", "cancelled"),
        ("initiatives", "stage"): ("idea", "experiment", "pilot", "production", "retired"),
        ("budgets", "period"): ("month", "quarter", "year"),
        ("budgets", "kind"): ("budget", "quota"),
        ("commitments", "kind"): (
            "savings_plan",
            "reserved_instance",
            "cud",
            "capacity_block",
            "provisioned_throughput",
            "spend_commit",
        ),
        ("owners", "kind"): OWNER_KINDS,
        ("events", "kind"): ("deploy", "incident", "launch", "price", "config", "other"),
    }
)
_CURRENCIES: Final = {("budgets", "currency"), ("rates", "from"), ("rates", "to")}
_QUOTA_UNITS: Final = ("USD", "tokens", "gpu_hours", "requests")

# Table -> what may not be: column, condition, reason (an SQL expression that goes on after the
# column's name).
_CHECKS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = MappingProxyType(
    {
        "resource_metrics": (
            (
                "value",
                "ends_with(lower(trim(metric)), 'utilization') AND value NOT BETWEEN 0 AND 100",
                "'is outside 0 to 100 percent: ' || value::DOUBLE",
            ),
            ("value", "value < 0", "'is below 0: ' || value::DOUBLE"),
        ),
        "training_runs": (
            ("ended_at", "ended_at < started_at", "'is before started_at'"),
            (
                "ended_at",
                "ended_at IS NOT NULL AND lower(trim(status)) = 'running'",
                "'is given although the run is still running'",
            ),
            ("gpu_count", "gpu_count < 0", "'is below 0: ' || gpu_count::DOUBLE"),
            ("expected_hours", "expected_hours <= 0", "'is not above 0'"),
        ),
        "initiatives": (
            ("production_at", "production_at < proposed_at", "'is before proposed_at'"),
        ),
        "budgets": (
            ("amount", "amount <= 0", "'is not above 0: ' || amount::DOUBLE"),
            (
                "currency",
                "currency IS NULL AND lower(trim(kind)) = 'budget'",
                "'is empty'",
            ),
            (
                "unit",
                "lower(trim(kind)) = 'quota' AND "
                f"NOT coalesce(list_contains({list(_QUOTA_UNITS)}, trim(unit)), false)",
                f"'of a quota is not one of {', '.join(_QUOTA_UNITS)}: ' || coalesce(unit, '')",
            ),
            (
                "alert_at",
                "len(list_filter(string_split(alert_at, ';'), lambda p: trim(p) <> '' AND "
                "NOT coalesce(TRY_CAST(rtrim(trim(p), ' %') AS DECIMAL(18,6)) > 0, false))) > 0",
                "'holds something that is no percentage above 0: ' || alert_at",
            ),
        ),
        "commitments": (
            ("end", '"end" < "start"', "'is before start'"),
            ("quantity", "quantity < 0", "'is below 0: ' || quantity::DOUBLE"),
            ("hourly_cost", "hourly_cost < 0", "'is below 0: ' || hourly_cost::DOUBLE"),
            ("upfront_cost", "upfront_cost < 0", "'is below 0: ' || upfront_cost::DOUBLE"),
        ),
        "rates": (
            ("rate", "rate <= 0", "'is not above 0: ' || rate::DOUBLE"),
            ("to", '"from" = "to" AND rate <> 1', "'is the currency that it converts from'"),
        ),
    }
)
_ALSO: Final = {"cost_centre": ("cost_center",)}
_SIGNATURES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {
        "resource_metrics": (("timestamp", "resource_id", "metric", "value"),),
        "training_runs": (("run_id", "started_at", "status"),),
        "business_metrics": (("date", "metric", "value"),),
        "initiatives": (("initiative", "stage"),),
        "budgets": (("budget", "period", "amount"),),
        "commitments": (("commitment_id", "provider", "kind"),),
        "rates": (("date", "from", "to", "rate"),),
        "owners": tuple(
            ("kind", "id", known)
            for known in ("team", "project", "environment", "cost_centre", "cost_center", "owner")
        ),
        "events": (("timestamp", "kind", "title"),),
    }
)
_TITLES: Final = {
    "resource_metrics": "resource metrics",
    "training_runs": "training runs",
    "business_metrics": "business metrics",
    "initiatives": "AI initiatives",
    "budgets": "budgets and quotas",
    "commitments": "commitments",
    "rates": "exchange rates",
    "owners": "owners of accounts, projects and keys",
    "events": "events",
}
_FIELD_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"time": "time", "date": "time", "count": "quantity", "number": "quantity", "money": "money"}
)


def _source(name: str) -> SqlSource:
    table = TABLES[name]
    tagged = any(c.name == "tags" for c in table.columns)
    return SqlSource(
        name=name.replace("_", "-"),
        title=_TITLES[name],
        signatures=_SIGNATURES[name],
        fields=tuple(
            Field(
                c.name,
                "currency" if (name, c.name) in _CURRENCIES else _FIELD_KINDS.get(c.kind, "text"),
                essential=c.essential,
                also=_ALSO.get(c.name, ()),
            )
            for c in table.columns
            if c.name != "tags"
        ),
        table=name,
        gather={"tags": "*"} if tagged else {},
        statement=_statement(table),
    )


def _statement(table: Table) -> str:
    """The SELECT of a table: its columns as they are, words in lower case, and what is wrong."""
    lines = []
    for column in table.columns:
        value = quote(column.name)
        if (table.name, column.name) in _WORDS:
            value = f"lower(trim({value}))"
        elif column.kind == "text" and column.name not in ("scope", "alert_at"):
            value = f"nullif(trim({value}), '')"
        lines.append(f"CAST({value} AS {column.sql_type}) AS {quote(column.name)}")
    checks = [*_word_checks(table), *_CHECKS.get(table.name, ())]
    if any(c.name == "scope" for c in table.columns):
        checks.append(_scope_check())
    problem = " ".join(f"WHEN {bad} THEN {reason}" for _, bad, reason in checks)
    culprit = " ".join(f"WHEN {bad} THEN {literal(column)}" for column, bad, _ in checks)
    if checks:
        lines += [f"CASE {problem} END AS _problem", f"CASE {culprit} END AS _problem_column"]
        lines.append("_line")
    return "SELECT\n    " + ",\n    ".join(lines) + "\nFROM record"


def _word_checks(table: Table) -> list[tuple[str, str, str]]:
    return [
        (
            column,
            f"lower(trim({quote(column)})) NOT IN ({', '.join(map(literal, words))})",
            f"{literal('is not one of ' + ', '.join(words) + ': ')} || {quote(column)}",
        )
        for (name, column), words in _WORDS.items()
        if name == table.name
    ]


def _scope_check() -> tuple[str, str, str]:
    """Every part of a scope is ``dimension=value``, with a dimension of metrics.yaml."""
    known = "[" + ", ".join(map(literal, load_semantics().dimensions)) + "]"
    wrong = (
        "list_filter(string_split(scope, ';'), lambda p: trim(p) <> '' AND NOT "
        f"(list_contains({known}, lower(trim(split_part(p, '=', 1)))) "
        "AND trim(substr(p, instr(p, '=') + 1)) <> '' AND contains(p, '=')))"
    )
    return (
        "scope",
        f"len({wrong}) > 0",
        f"'has a part that is no dimension=value: ' || {wrong}[1]",
    )


CONTEXT: Final = tuple(_source(name) for name in _SIGNATURES)
