"""Which values exist and how far the data reaches: the tables that a load keeps up to date, and
what a principal may see of them.

``catalogue`` has one row per dimension and value (``rows`` are billed ones, 0 for a value that
only model usage has), ``provider_days`` one per provider, currency and charge day. Both are made
from the rows themselves, so a principal with a row scope gets the same statements over the rows it
may see.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.compile_shape import Flag
from finops_assistant.store.errors import QueryRefused, suggest
from finops_assistant.store.metrics import PROVIDER_COLUMN, Dimension, Semantics, load_semantics

if TYPE_CHECKING:
    import duckdb

    from finops_assistant.store.settings import Settings

Relation = Literal["charges", "focus", "usage"]
_MEASURES = ("Tokens", "Requests", "Errors")
Connect = Callable[[], "duckdb.DuckDBPyConnection"]


def refresh(
    con: duckdb.DuckDBPyConnection, full: bool, file_ids: Iterable[int] | None = None
) -> None:
    """Bring ``catalogue`` and ``provider_days`` up to date with ``charges`` and ``usage``.

    Every charge is read, unless ``full`` is off and ``file_ids`` says that only their rows were
    added since the last time.
    """
    known = con.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE (table_name, column_name) IN "
        "(('catalogue', 'value'), ('provider_days', 'tokens'))"
    ).fetchone()
    ids = [int(file_id) for file_id in file_ids or ()]
    add = not full and file_ids is not None and known == (2,)
    where = f"_file_id IN ({', '.join(map(str, ids)) or 'NULL'})" if add else "TRUE"
    values = " UNION ALL ".join(
        f"SELECT '{d.name}' AS dimension, * FROM ({_values_sql(d, 'charges', where)})"  # noqa: S608
        for d in load_semantics().dimensions.values()
    )
    days = _days_sql("charges", where)
    if add:
        values += " UNION ALL SELECT * FROM catalogue WHERE rows > 0"
        days += " UNION ALL SELECT * FROM provider_days"
    if _has_usage(con):
        used = " UNION ALL ".join(
            f"SELECT '{d.name}' AS dimension, * REPLACE (0 AS rows) "  # noqa: S608
            f"FROM ({_values_sql(d, 'usage', 'Chosen OR ChosenDetail')})"
            for d in load_semantics().dimensions.values()
        )
        values += f" UNION ALL {used}"
    con.execute(
        f"""
        CREATE OR REPLACE TABLE catalogue AS
        SELECT dimension, value, max(label) AS label, CAST(sum(rows) AS BIGINT) AS rows,
               min(first_day) AS first_day, max(last_day) AS last_day
        FROM ({values})
        GROUP BY dimension, value
        ORDER BY dimension, rows DESC, value
        """  # noqa: S608
    )
    con.execute(
        f"""
        CREATE OR REPLACE TABLE provider_days AS
        SELECT provider, currency, day, CAST(sum(rows) AS BIGINT) AS rows,
               bool_or(short) AS short, bool_or(hourly) AS hourly, bool_or(tokens) AS tokens,
               max(through) AS through
        FROM ({days})
        GROUP BY provider, currency, day
        ORDER BY provider, currency, day
        """  # noqa: S608
    )


def _has_usage(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is a table of model usage: an older store has none until it is levelled up."""
    found = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'usage'")
    return found.fetchone() == (1,)


def _values_sql(dimension: Dimension, relation: Relation, where: str) -> str:
    dimension = dimension.on("usage" if relation == "usage" else "focus")
    label = f"max({dimension.label})" if dimension.label else "CAST(NULL AS VARCHAR)"
    return (
        f"SELECT {dimension.value} AS value, {label} AS label, count(*) AS rows, "  # noqa: S608
        "CAST(min(ChargePeriodStart) AS DATE) AS first_day, "
        "CAST(max(ChargePeriodStart) AS DATE) AS last_day "
        f"FROM {relation} WHERE ({where}) AND {dimension.value} IS NOT NULL GROUP BY 1"
    )


def _days_sql(relation: Relation, where: str) -> str:
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
    days = f"({_days_sql('focus', scope)})" if scope else "provider_days"
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
    if not _has_usage(con):
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


def fold(text: str) -> str:
    """The form in which names are compared: NFKC, case folded, outer and double spaces gone.

    >>> fold("  Search  Team ")
    'search team'
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


class Catalogue:
    """The values a principal may see, per dimension, read when they are first asked for."""

    def __init__(
        self,
        connect: Connect,
        principal: Principal,
        semantics: Semantics,
        settings: Settings | None = None,
    ) -> None:
        self._connect = connect
        self._principal = principal
        self._semantics = semantics
        self._renamed = settings.tags if settings else {}
        self._entries: dict[str, dict[str, str | None]] = {}
        self._scope = row_scope(principal).predicate

    def values(self, dimension: str) -> tuple[str, ...]:
        """The values of a dimension, the one with the most rows first; none if it is hidden."""
        return tuple(self._read(dimension))

    def has(self, dimension: str, value: str) -> bool:
        """Whether the dimension has that value, spelled exactly so."""
        return value in self._read(dimension)

    def label(self, dimension: str, value: str) -> str | None:
        """The readable name beside an identifier, such as an account's."""
        return self._read(dimension).get(value)

    def exact(self, folded: str) -> tuple[tuple[str, str], ...]:
        """Every (dimension, value) whose value reads ``folded``; where there is none, every one
        with that label or alias."""
        return self._names.get(folded) or self.aliases.get(folded, ())

    def near(self, dimension: str, text: str) -> list[str]:
        """The values most like ``text``: for "did you mean"."""
        return suggest(text, self._read(dimension))

    @cached_property
    def aliases(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Folded other names -> (dimension, value): labels, the semantic layer's aliases of values
        that are loaded, and the tag values that ``finops.toml`` renames."""
        found: dict[str, dict[tuple[str, str], None]] = {}
        for dimension in self._semantics.dimensions.values():
            entries = self._read(dimension.name)
            for value, label in entries.items():
                if label is not None and label != value:
                    found.setdefault(fold(label), {})[dimension.name, value] = None
            by_name = {fold(value): value for value in entries if dimension.aliases}
            for group in dimension.aliases:
                names = [fold(name) for name in group]
                for value in (by_name[name] for name in names if name in by_name):
                    for name in names:
                        found.setdefault(name, {})[dimension.name, value] = None
            renamed = self._renamed.get(dimension.name, {}).get("values", {})
            for name, value in renamed.items():
                if value in entries:
                    found.setdefault(fold(name), {})[dimension.name, value] = None
        return {name: tuple(pairs) for name, pairs in found.items()}

    @cached_property
    def _with_usage(self) -> bool:
        cursor = self._connect()
        try:
            return _has_usage(cursor)
        finally:
            cursor.close()

    @cached_property
    def _names(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for dimension in self._semantics.dimensions:
            for value in self._read(dimension):
                name = fold(value)
                pair = (dimension, value)
                found[name] = (*found[name], pair) if name in found else (pair,)
        return found

    def _read(self, name: str) -> dict[str, str | None]:
        if name not in self._entries:
            self._entries[name] = self._load(self._semantics.dimensions[name])
        return self._entries[name]

    def _load(self, dimension: Dimension) -> dict[str, str | None]:
        if not self._principal.may_read(dimension.columns):
            return {}
        if self._scope:
            query = _values_sql(dimension, "focus", self._scope)
            if self._with_usage:
                usage = f"(Chosen OR ChosenDetail) AND {row_scope(self._principal).on('usage')}"
                query = (
                    "SELECT value, max(label) AS label, sum(rows) AS rows "  # noqa: S608
                    f"FROM ({query} UNION ALL SELECT * REPLACE (0 AS rows) "
                    f"FROM ({_values_sql(dimension, 'usage', usage)})) GROUP BY value"
                )
            query += " ORDER BY rows DESC, value"
            parameters = []
        else:
            query = (
                "SELECT value, label FROM catalogue WHERE dimension = ? ORDER BY rows DESC, value"
            )
            parameters = [dimension.name]
        cursor = self._connect()
        try:
            rows = cursor.execute(query, parameters).fetchall()
        finally:
            cursor.close()
        labelled = self._principal.may_read(dimension.label_columns)
        return {row[0]: row[1] if labelled else None for row in rows}
