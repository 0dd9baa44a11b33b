"""The source that a mapping describes: its fields, and the SELECT that makes its table."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import duckdb

from finops_assistant.store.errors import suggest
from finops_assistant.store.focus import BY_NAME, COLUMNS, SPLIT_CHARGES, VIEWS, literal, quote
from finops_assistant.store.sources.mapping_expression import BadExpression, Columns, checked
from finops_assistant.store.sources.mapping_reading import NUMBER, moment_sql, number_sql
from finops_assistant.store.sources.source import KINDS, Field, SqlSource
from finops_assistant.store.tables import TABLES

_FILLED_HERE: Final = frozenset({"x_Source"})
_NUMBERS: Final = ("money", "quantity", "number", "count")
_MOMENTS: Final = ("time", "date")
_EXACT: Final = ("DECIMAL", "INTEGER", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT")
_TAGS: Final = "_tags"

# What a charge says of itself where the mapping does not, in terms of what it does say.
_STARTS: Final = {
    "day": ("date_trunc('day', {start})", "INTERVAL 1 DAY"),
    "month": ("date_trunc('month', {start})", "INTERVAL 1 MONTH"),
}


class Wrong(Exception):
    """Something in a mapping file is wrong; the text is the sentence that says what."""


@dataclass(frozen=True)
class Layout:
    """A mapping file, checked as far as it can be without its SQL. ``columns``: target column ->
    a column of the file, ``{"value": constant}`` or ``{"sql": expression}``; ``tags``: columns that
    become tags, ``*`` for all that nothing else reads."""

    name: str
    title: str | None
    table: str
    provider: str | None
    currency: str | None
    period: str | None
    decimal: str
    thousands: str | None
    dates: tuple[str, ...]
    skip: str | None
    tags: tuple[str, ...] | None
    columns: Mapping[str, Any]


def kinds_of(table: str) -> dict[str, str]:
    """Column -> kind of a table of the store, for the columns that a mapping may fill."""
    if table in VIEWS:
        return {c.name: c.kind for c in COLUMNS if c.name not in _FILLED_HERE}
    return {c.name: c.kind for c in TABLES[table].columns}


def source_of(layout: Layout) -> SqlSource:
    """The source of a layout; raises Wrong."""
    kinds, columns = kinds_of(layout.table), Columns()
    lines = {
        target: _value(target, kinds[target], what, columns)
        for target, what in layout.columns.items()
    }
    tagging = {k for k, v in kinds.items() if v == "json" and k in ("Tags", "tags")}
    if layout.tags and tagging:
        lines.setdefault(tagging.pop(), _tag_sql(layout.tags))
    skip = _expression("skip", layout.skip, columns) if layout.skip else None
    filled = _charges(layout, lines) if layout.table in VIEWS else _table(layout, lines)
    read = _lines(layout, columns, lines, skip)
    chosen = ",\n    ".join(f"{sql} AS {quote(name)}" for name, sql in filled.items())
    remarks = "_fault[2] AS _problem,\n    _fault[1] AS _problem_column,\n    _line"
    currency = layout.columns.get("BillingCurrency", layout.columns.get("currency"))
    source = SqlSource(
        name=layout.name,
        title=layout.title or layout.provider or layout.name,
        signatures=((),),  # whatever file it is given; its required columns are looked for then
        fields=(
            *(
                Field(name, "currency" if name == currency else "text", required=True)
                for name in columns.texts
            ),
            *(Field(t) for t in layout.tags or () if t != "*" and t not in columns.texts),
        ),
        table=layout.table,
        gather={_TAGS: "*"} if layout.tags == ("*",) else {},
        statement=f"{read}\nSELECT\n    {chosen},\n    {remarks}\nFROM line",
    )
    _try(source, f"{read}\nSELECT * FROM line", layout, kinds)
    return source


def _value(target: str, kind: str, what: Any, columns: Columns) -> str:
    if isinstance(what, str):
        if kind in _NUMBERS:
            return quote(columns.alias("number", what))
        if kind in _MOMENTS:
            return quote(columns.alias("moment", what))
        columns.texts.setdefault(what)
        if kind == "flag":
            word = f"lower(trim({quote(what)}))"
            return (
                f"CASE WHEN {word} IN ('true', 'yes', 'y', 't', '1') THEN TRUE "
                f"WHEN {word} IN ('false', 'no', 'n', 'f', '0') THEN FALSE END"
            )
        return quote(what)
    if "sql" in what:
        return _expression(target, str(what["sql"]), columns)
    return _constant(target, kind, what["value"])


def _expression(target: str, text: str, columns: Columns) -> str:
    try:
        return checked(text, columns)
    except BadExpression as error:
        raise Wrong(f"the expression of {target} may not be used: {error}.") from None


def _constant(target: str, kind: str, value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        raise Wrong(f"the value of {target} must be one text, number or date.")
    text = value.isoformat() if isinstance(value, date) else str(value)
    if kind in _NUMBERS:
        try:
            return f"CAST({literal(f'{Decimal(text):f}')} AS {NUMBER})"
        except (InvalidOperation, ValueError):
            raise Wrong(f"the value of {target} must be a number, not {text!r}.") from None
    if kind in _MOMENTS:
        return f"CAST({literal(text)} AS TIMESTAMP)"
    if kind == "flag":
        return f"CAST({literal(text)} AS BOOLEAN)"
    allowed = BY_NAME[target].allowed if target in BY_NAME else ()
    if allowed and text not in allowed:
        near = suggest(text, allowed, limit=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(allowed)}."
        raise Wrong(f"{target} cannot be {text!r}. {hint}")
    return literal(text)


def _tag_sql(tags: tuple[str, ...]) -> str:
    if tags == ("*",):
        return _TAGS
    pairs = ", ".join(f"{literal(name)}, {quote(name)}" for name in tags)
    return f"CAST(nullif(json_merge_patch('{{}}', json_object({pairs})), '{{}}') AS VARCHAR)"


def _charges(layout: Layout, lines: Mapping[str, str]) -> dict[str, str]:
    """Target -> SQL over what the mapping says, for a table of charges."""
    given = {name: quote(name) for name in lines}
    for name, key in (("ServiceProviderName", "provider"), ("BillingCurrency", "currency")):
        constant = getattr(layout, key)
        if constant and name in given:
            raise Wrong(f"{key} and the column {name} say the same thing; keep one of them.")
        if constant:
            given[name] = literal(constant)
        if name not in given:
            raise Wrong(f"{key} is missing: say it, or map the column {name}.")
    if "BilledCost" not in given:
        raise Wrong("BilledCost is missing: map it to the column that holds the amount.")
    start = given.get("ChargePeriodStart", given.get("BillingPeriodStart"))
    if start is None:
        raise Wrong("ChargePeriodStart is missing: map it to the column that holds the date.")
    if ("ChargePeriodEnd" in given) == (layout.period is not None):
        raise Wrong(
            "say how long a charge lasts: either period: month (or day), "
            "or map ChargePeriodEnd, whose day is not included."
        )
    if layout.period:
        trunc, length = _STARTS[layout.period]
        start = f"CAST({trunc.format(start=start)} AS TIMESTAMP)"
        given["ChargePeriodEnd"] = f"CAST({start} + {length} AS TIMESTAMP)"
    given["ChargePeriodStart"] = start
    billed, month = given["BilledCost"], f"date_trunc('month', {start})"
    defaults = {
        "EffectiveCost": billed,
        "ContractedCost": billed,
        "ListCost": billed,
        "PricingCurrency": given["BillingCurrency"],
        "BillingAccountId": given["ServiceProviderName"],
        "BillingPeriodStart": f"CAST({month} AS TIMESTAMP)",
        "BillingPeriodEnd": f"CAST({month} + INTERVAL 1 MONTH AS TIMESTAMP)",
        "InvoiceIssuerName": given["ServiceProviderName"],
        "ServiceName": given["ServiceProviderName"],
        "ServiceCategory": "'Other'",
        "ChargeCategory": f"CASE WHEN {billed} < 0 THEN 'Credit' ELSE 'Usage' END",
        "ChargeFrequency": "'Recurring'" if layout.period == "month" else "'Usage-Based'",
    }
    if layout.table == SPLIT_CHARGES:
        defaults["x_CostBasis"] = "'allocated'"
    return {**defaults, **given}


def _table(layout: Layout, lines: Mapping[str, str]) -> dict[str, str]:
    """Target -> SQL for a table beside the charges."""
    for key in ("provider", "currency", "period"):
        if getattr(layout, key):
            raise Wrong(f"{key} is for charges; map the columns of {layout.table} instead.")
    given = {name: quote(name) for name in lines}
    known = {c.name for c in TABLES[layout.table].columns}
    if "source" in known:
        given.setdefault("source", literal(layout.name))
    for column in TABLES[layout.table].columns:
        if column.essential and column.name not in given:
            raise Wrong(
                f"{column.name} is missing: a row of {layout.table} makes no sense without."
            )
    return given


def _lines(layout: Layout, columns: Columns, lines: Mapping[str, str], skip: str | None) -> str:
    """WITH: every line of the file as what the mapping says of it, and what is wrong with it."""
    readings, tests = [], []
    for (reader, column), alias in columns.read.items():
        text = quote(column)
        sql = (
            number_sql(text, layout.decimal, layout.thousands, layout.currency)
            if reader == "number"
            else moment_sql(text, layout.dates)
        )
        readings.append(f",\n        {sql} AS {quote(alias)}")
        what = "a number" if reader == "number" else "a date"
        reason = literal(f"cannot be read as {what}: ")
        tests.append(
            f"WHEN trim({text}) <> '' AND {quote(alias)} IS NULL "
            f"THEN [{literal(column)}, {reason} || {text}]"
        )
    problem = f"CASE {' '.join(tests)} END" if tests else "NULL::VARCHAR[]"
    said = "".join(f",\n        {sql} AS {quote(name)}" for name, sql in lines.items())
    where = f"\n    WHERE ({skip}) IS NOT TRUE" if skip else ""
    return (
        f"WITH reading AS (\n    SELECT *{''.join(readings)}\n    FROM record\n),\n"  # noqa: S608
        f"line AS (\n    SELECT\n        _line,\n        {problem} AS _fault{said}\n"
        f"    FROM reading{where}\n)"
    )


def _try(source: SqlSource, lines: str, layout: Layout, kinds: Mapping[str, str]) -> None:
    """Let DuckDB work out the types of the mapped columns, then of the statement, over an empty
    file; raises Wrong."""
    assert not callable(source.fields)  # noqa: S101 - narrowed for mypy
    columns = [f"NULL::{KINDS[f.kind]} AS {quote(f.name)}" for f in source.fields]
    columns += [f"NULL::VARCHAR AS {quote(name)}" for name in source.gather]
    record = f"SELECT {', '.join([*columns, 'NULL::BIGINT AS _line'])} LIMIT 0"
    with closing(duckdb.connect()) as connection:
        types = _types(connection, record, lines)
        for target in layout.columns:
            kind, found = kinds[target], types[target].split("(")[0]
            if kind in _NUMBERS and found not in _EXACT:
                raise Wrong(
                    f"{target} must be an exact number; read a column of your file with "
                    "number(...), and write 0.01 rather than 1e-2."
                )
            if kind in _MOMENTS and not found.startswith(("TIMESTAMP", "DATE")):
                raise Wrong(
                    f"{target} must be a date; read a column of your file with moment(...)."
                )
        _types(connection, record, source.sql)


def _types(connection: duckdb.DuckDBPyConnection, record: str, statement: str) -> dict[str, str]:
    try:
        rows = connection.execute(
            f"DESCRIBE WITH record AS ({record}) SELECT * FROM ({statement})"  # noqa: S608
        ).fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].removeprefix("Binder Error: ")
        raise Wrong(f"the columns do not fit together: {reason}.") from None
    return {row[0]: row[1] for row in rows}
