"""Which values exist: the tables that a load keeps up to date, and what a principal may see of
them.

``catalogue`` has one row per dimension and value (``rows`` are billed ones, 0 for a value that
only model usage has), ``provider_days`` one per provider, currency and charge day. Both are made
from the rows themselves, so a principal with a row scope gets the same statements over the rows it
may see.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.errors import suggest
from finops_assistant.store.facts import Relation, days_sql, has_usage
from finops_assistant.store.metrics import Dimension, Semantics, load_semantics

if TYPE_CHECKING:
    import duckdb

    from finops_assistant.store.settings import Settings

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
    days = days_sql("charges", where)
    if add:
        values += " UNION ALL SELECT * FROM catalogue WHERE rows > 0"
        days += " UNION ALL SELECT * FROM provider_days"
    if has_usage(con):
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


def _values_sql(dimension: Dimension, relation: Relation, where: str) -> str:
    dimension = dimension.on("usage" if relation == "usage" else "focus")
    label = f"max({dimension.label})" if dimension.label else "CAST(NULL AS VARCHAR)"
    return (
        f"SELECT {dimension.value} AS value, {label} AS label, count(*) AS rows, "  # noqa: S608
        "CAST(min(ChargePeriodStart) AS DATE) AS first_day, "
        "CAST(max(ChargePeriodStart) AS DATE) AS last_day "
        f"FROM {relation} WHERE ({where}) AND {dimension.value} IS NOT NULL GROUP BY 1"
    )


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
            return has_usage(cursor)
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
