"""The store as the rooms above see it: principals, values, facts, one way to run a query."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from finops_assistant.store import evidence
from finops_assistant.store.access import Principal, RowScope, resolve_principal, row_scope
from finops_assistant.store.catalogue import Catalogue, Facts, read_facts
from finops_assistant.store.compile import compile_query, scope_query
from finops_assistant.store.database import Database
from finops_assistant.store.metrics import (
    CURRENCY_COLUMN,
    PROVIDER_COLUMN,
    Semantics,
    load_semantics,
)
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import MAX_ROWS, Result
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.validate import Gate

if TYPE_CHECKING:
    import duckdb

Kept = TypeVar("Kept")


@dataclass
class Store:
    """One home's cost data, opened for reading. Threads may share it."""

    home: Home
    database: Database
    settings: Settings
    semantics: Semantics
    _version: str = ""
    _made: dict[tuple[object, ...], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, home: Home) -> Store:
        """Open the current version; raises StoreMissing, StoreNewer or UsageError."""
        return cls(home, Database.open(home), home.settings(), load_semantics())

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def principal(self, name: str | None) -> Principal:
        """The principal of that name, or the default one (see ``access.resolve_principal``)."""
        return resolve_principal(self.settings, name)

    def catalogue(self, principal: Principal) -> Catalogue:
        """The values that a principal may see; QueryRefused when it may see nothing."""

        def make() -> Catalogue:
            return Catalogue(self.database.cursor, principal, self.semantics, self.settings)

        return self._known("catalogue", principal, make)

    def facts(self, principal: Principal) -> Facts:
        """How far the rows reach that a principal may see; QueryRefused when there are none."""

        def make() -> Facts:
            with closing(self.database.cursor()) as cursor:
                return read_facts(cursor, principal)

        return self._known("facts", principal, make)

    def run(
        self,
        query: MetricQuery,
        principal: Principal,
        *,
        as_of: date | None = None,
        result_id: str = "r1",
    ) -> Result:
        """Answer one query: the function through which every governed query passes.

        ``as_of`` is the day that counts as today; rows that start on or after it are not looked
        at. A result without rows means that nothing matched. Raises QueryRefused with the reason
        when the query may not run or has no meaning here.
        """
        where = row_scope(principal)
        facts = self.facts(principal)
        today = as_of or facts.today
        catalogue = self.catalogue(principal)
        query = Gate(self.semantics, principal, catalogue, facts, today).admit(query)
        with closing(self.database.cursor()) as cursor:
            currencies, late = self._in_scope(cursor, query, where, facts, today)
            compiled = compile_query(
                query,
                self.semantics,
                where=where,
                as_of=today,
                currencies=currencies,
                loaded=(facts.first_day, facts.last_day + timedelta(days=1)),
            )
            rows = cursor.execute(compiled.sql).fetchmany(MAX_ROWS + 1)
            count = len(rows)
            if count > MAX_ROWS:
                counted = cursor.execute(f"SELECT count(*) FROM ({compiled.sql})").fetchone()  # noqa: S608
                count = int(counted[0]) if counted else count
        apart = any(column.name == "currency" for column in compiled.columns)
        if len(rows) == 1 and all(cell is None for cell in rows[0]):
            rows, count = [], 0  # a total over rows that carry no such figure
        return Result(
            id=result_id,
            title=evidence.title(query, self.semantics),
            columns=compiled.columns,
            rows=tuple(tuple(row) for row in rows[:MAX_ROWS]),
            row_count=count,
            truncated=count > MAX_ROWS,
            query=query.to_json(),
            sql=compiled.sql,
            scope=evidence.scope(query, self.semantics, where.filters, facts, today, currencies),
            notes=(
                *evidence.notes(query, facts, today, currencies if apart else (), late),
                *evidence.namesakes(query, self.semantics, catalogue),
            ),
        )

    def _in_scope(
        self,
        cursor: duckdb.DuckDBPyConnection,
        query: MetricQuery,
        where: RowScope,
        facts: Facts,
        today: date,
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The currencies of the rows that the query looks at, and the providers among them whose
        data ends before the period does. The rows are read only where the facts do not say it."""
        late = evidence.lagging(query, facts, today)

        def seen(column: str, since: date) -> set[str]:
            sql = scope_query(query, self.semantics, column, where=where, as_of=today, since=since)
            return {str(row[0]) for row in cursor.execute(sql).fetchall()}

        currencies = facts.currencies
        if len(currencies) > 1:
            found = seen(CURRENCY_COLUMN, query.time.start)
            currencies = tuple(code for code in currencies if code in found)
        if late and query.filters:
            providers = seen(PROVIDER_COLUMN, evidence.lag_window(query, facts))
            late = tuple(name for name in late if name in providers)
        return currencies, late

    def _known(self, kind: str, principal: Principal, make: Callable[[], Kept]) -> Kept:
        """Something made once per version of the store and rights of a principal."""
        version = self.database.version
        with self._lock:
            if version != self._version:
                self._version, self._made = version, {}
            made = self._made
        key = (kind, principal.key)
        if key not in made:
            made[key] = make()
        return cast("Kept", made[key])
