"""The store as the rooms above see it: principals, values, facts, one way to run a query."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from finops_assistant.store import evidence
from finops_assistant.store.access import Principal, RowScope, resolve_principal, row_scope
from finops_assistant.store.catalogue import Catalogue
from finops_assistant.store.compile import compile_coverage, compile_query, scope_query
from finops_assistant.store.compile_shape import Flag
from finops_assistant.store.database import Database
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.facts import Facts, read_facts, usage_flag
from finops_assistant.store.metrics import (
    CURRENCY_COLUMN,
    PROVIDER_COLUMN,
    Fact,
    Semantics,
    load_semantics,
)
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import MAX_ROWS, Column, Result, Scope
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.validate import Gate

if TYPE_CHECKING:
    import duckdb

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Asked:
    """One query that may run, and everything that decides its rows."""

    semantics: Semantics
    query: MetricQuery
    where: RowScope
    facts: Facts
    today: date
    flag: Flag

    @property
    def fact(self) -> Literal["focus", "usage", "both"]:
        """The tables that its figures rest on."""
        names = self.query.metrics if self.query.show != "count" else ()
        ordered = [o.by for o in self.query.order] if self.query.show != "count" else []
        known = self.semantics.metrics
        asked = [*names, *ordered, *(h.metric for h in self.query.having)]
        found = {f for n in asked if n in known for f in self.semantics.facts(known[n])}
        return "both" if len(found) > 1 else next(iter(found), "focus")

    @property
    def loaded(self) -> tuple[date, date]:
        """The half-open range of days in which a day without rows is a 0."""
        days = (self.facts.first_day, self.facts.last_day + timedelta(days=1))
        if self.fact != "usage":
            return days
        first = min(entry.first_day for entry in self.facts.usage)
        last = max(entry.last_day for entry in self.facts.usage) + timedelta(days=1)
        return max(days[0], first), min(days[1], last)

    def scope(self, currencies: tuple[str, ...]) -> Scope:
        """What the figures cover."""
        return evidence.scope(
            self.query, self.semantics, self.where.filters, self.facts, self.today, currencies
        )


@dataclass(frozen=True)
class Seen:
    """What the rows of a query hold: currencies, providers whose bills end early, and providers
    of its model usage (None: all)."""

    currencies: tuple[str, ...]
    late: tuple[str, ...]
    users: set[str] | None


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
        asked = self._admitted(query, principal, as_of)
        query, facts, today = asked.query, asked.facts, asked.today
        with closing(self.database.cursor()) as cursor:
            seen = self._in_scope(cursor, asked)
            compiled = compile_query(
                query,
                self.semantics,
                where=asked.where,
                as_of=today,
                currencies=seen.currencies,
                loaded=asked.loaded,
                flag=asked.flag,
            )
            rows = cursor.execute(compiled.sql).fetchmany(MAX_ROWS + 1)
            count = len(rows)
            if count > MAX_ROWS:
                counted = cursor.execute(f"SELECT count(*) FROM ({compiled.sql})").fetchone()  # noqa: S608
                count = int(counted[0]) if counted else count
        apart = any(column.name == "currency" for column in compiled.columns)
        if len(rows) == 1 and all(cell is None for cell in rows[0]):
            rows, count = [], 0  # a total over rows that carry no such figure
        if not rows and asked.fact != "focus":
            why = evidence.unheard(query, self.semantics, facts, seen.users)
            if why:
                raise QueryRefused("NO_DATA_SOURCE", why)
        billed = asked.fact != "usage"
        currencies = seen.currencies
        return Result(
            id=result_id,
            title=evidence.title(query, self.semantics),
            columns=compiled.columns,
            rows=tuple(tuple(row) for row in rows[:MAX_ROWS]),
            row_count=count,
            truncated=count > MAX_ROWS,
            query=query.to_json(),
            sql=compiled.sql,
            scope=asked.scope(currencies),
            notes=(
                *evidence.stated(query, self.semantics),
                *evidence.notes(
                    query, facts, today, currencies if apart else (), seen.late if billed else ()
                ),
                *evidence.usage_notes(query, self.semantics, facts, today, seen.users, asked.flag),
                *(() if rows else evidence.unmet(query, self.semantics)),
                *evidence.namesakes(query, self.semantics, self.catalogue(principal)),
            ),
        )

    def coverage(
        self,
        query: MetricQuery,
        principal: Principal,
        *,
        as_of: date | None = None,
        result_id: str = "r1",
    ) -> Result | None:
        """What part of the whole the figures of a query stand for, where that is not all of it by
        nature (see ``compile_coverage``). Raises QueryRefused like ``run``.

        A result of one row, a ratio per share.
        """
        asked = self._admitted(query, principal, as_of)
        if asked.fact == "focus":
            return None
        with closing(self.database.cursor()) as cursor:
            seen = self._in_scope(cursor, asked)
            sql, shares = compile_coverage(
                asked.query,
                self.semantics,
                where=asked.where,
                as_of=asked.today,
                currencies=seen.currencies,
                flag=asked.flag,
            )
            row = cursor.execute(sql).fetchone() if sql else None
        told = evidence.covered(shares, row or (), self.semantics)
        if not told:
            return None
        return Result(
            id=result_id,
            title=evidence.COVERAGE,
            columns=tuple(Column(share, "ratio") for share in shares),
            rows=(tuple(row or ()),),
            row_count=1,
            truncated=False,
            query=None,
            sql=sql,
            scope=asked.scope(seen.currencies),
            notes=told,
        )

    def _admitted(self, query: MetricQuery, principal: Principal, as_of: date | None) -> Asked:
        """The query as it may run, with everything that decides its rows."""
        where = row_scope(principal)
        facts = self.facts(principal)
        today = as_of or facts.today
        catalogue = self.catalogue(principal)
        query = Gate(self.semantics, principal, catalogue, facts, today).admit(query)
        names = (*query.dimensions, *(f.dimension for f in query.filters), *principal.allow)
        return Asked(self.semantics, query, where, facts, today, usage_flag(names))

    def _in_scope(self, cursor: duckdb.DuckDBPyConnection, asked: Asked) -> Seen:
        """The currencies of the rows that the query looks at, the providers among them whose data
        ends before the period does, and the providers of its model usage (None: not looked at).
        The rows are read only where the facts do not say it."""
        query, facts = asked.query, asked.facts
        late = evidence.lagging(query, facts, asked.today)

        def found(column: str, fact: Fact, since: date) -> set[str]:
            sql = scope_query(
                query,
                self.semantics,
                column,
                fact,
                where=asked.where,
                as_of=asked.today,
                since=since,
                flag=asked.flag,
            )
            return {str(row[0]) for row in cursor.execute(sql).fetchall()}

        currencies = facts.currencies
        if len(currencies) > 1 and asked.fact != "usage":
            codes = found(CURRENCY_COLUMN, "focus", query.time.start)
            currencies = tuple(code for code in currencies if code in codes)
        if late and query.filters and asked.fact != "usage":
            providers = found(PROVIDER_COLUMN, "focus", evidence.lag_window(query, facts))
            late = tuple(name for name in late if name in providers)
        users = None
        if query.filters and asked.fact != "focus" and facts.providers:
            users = found(PROVIDER_COLUMN, "usage", facts.first_day)
            if asked.fact == "both":
                users |= found(PROVIDER_COLUMN, "focus", query.time.start)
        return Seen(currencies, late, users)

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
