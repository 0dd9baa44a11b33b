"""The steps of a statement. One SELECT where that is enough; otherwise named steps, each of which
can be run and read by itself:

``grouped``    sums per key (``baseline``: the same for the second period)
``members``    for a count with conditions on metrics: the values that meet them
``largest``    the largest items over the whole period, for a series of the top few
``complete``   periods and asked-for values without rows put in
``measured``   changes, shares and ranks
``placed``     the position within a currency, where a limit counts per currency

Metrics of two tables, what was billed and what models did, are summed apart first (see
``compile_facts``) and meet in ``grouped``.
"""

from __future__ import annotations

from collections.abc import Sequence

from finops_assistant.store.compile_facts import Meeting
from finops_assistant.store.compile_shape import PLACED, Key, Shape
from finops_assistant.store.compile_spine import Spine
from finops_assistant.store.compile_text import Select, number, numbered, spaced, statement, towards
from finops_assistant.store.conditions import shown_condition
from finops_assistant.store.query import TimeSpec

_OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_DERIVED = ("previous", "change", "change_ratio")


class Steps:
    """Builds the statement of one shape for the output columns ``names``."""

    def __init__(self, shape: Shape, names: Sequence[str]) -> None:
        self.shape = shape
        self.query = shape.query
        self.names = names
        self.spine = Spine.of(shape)
        self.parts: dict[str, Select | str] = {}
        self.keys = [key.name for key in shape.keys]
        self.first = shape.measures[0]
        self.computed: dict[str, str] = {}

    def sql(self) -> str:
        """The whole statement."""
        query, shape = self.query, self.shape
        steps = shape.baseline or self.spine.periods or self.spine.values or query.show in PLACED
        steps = steps or shape.crossed
        if query.show == "count" and query.having:
            return statement(*self._count())
        if not steps and not self._top_series and not self._limit_within:
            return self._single().sql()
        self.parts["grouped"] = self._grouped(query.time)
        source = self._complete()
        self._measure()
        return statement(self.parts, self._final(source))

    # --- steps ---------------------------------------------------------------------------------

    def _single(self) -> Select:
        """Everything in one SELECT."""
        shape, query = self.shape, self.query
        select = self._grouped(query.time)
        hidden = {name: sql for sql, name in select.columns if name not in self.names}
        select.columns = [(sql, name) for sql, name in select.columns if name in self.names]
        select.having += [
            f"{shape.measure(h.metric)} {_OPERATORS[h.op]} {number(h.value)}" for h in query.having
        ]
        select.order = self._order(hidden)
        select.limit = query.limit
        return select

    def _count(self) -> tuple[dict[str, Select | str], Select]:
        """The number of values of a dimension whose metrics meet the conditions."""
        shape, query = self.shape, self.query
        member = shape.dimension_key(query.dimensions[0])
        value = shape.dimension(member.name).value
        if shape.crossed:
            return self._count_over_both(member)
        members = Select(
            [*((key.sql, key.name) for key in shape.keys), (value, "member")],
            shape.fact,
            where=[*shape.within(query.time), *shape.narrowed, f"{value} IS NOT NULL"],
            group=len(shape.keys) + 1,
            having=[
                f"{shape.measure(h.metric)} {_OPERATORS[h.op]} {number(h.value)}"
                for h in query.having
            ],
        )
        return {"members": members}, self._counted()

    def _count_over_both(self, member: Key) -> tuple[dict[str, Select | str], Select]:
        """The same for metrics of two tables."""
        shape, query = self.shape, self.query
        parts, joined = self._meeting(query.time, keys=(*shape.keys, member), named=True).steps()
        parts["grouped"] = joined
        chosen = [f"{h.metric} {_OPERATORS[h.op]} {number(h.value)}" for h in query.having]
        names = [*self.keys, member.name]
        parts["members"] = Select([(name, name) for name in names], "grouped", chosen)
        return parts, self._counted()

    def _counted(self) -> Select:
        return Select(
            [*((name, name) for name in self.keys), ("count(*)", "count")],
            "members",
            group=len(self.keys),
            order=self.keys,
        )

    def _meeting(
        self, time: TimeSpec, keys: Sequence[Key], suffix: str = "", named: bool = False
    ) -> Meeting:
        """The figures of two tables, where it takes two."""
        beside = self.shape.baseline if not self.query.grain else None
        return Meeting(self.shape, tuple(keys), time, beside, named, suffix)

    def _grouped(self, time: TimeSpec, suffix: str = "") -> Select:
        """The measures per key; without a grain those of the second period stand beside them."""
        shape = self.shape
        if shape.crossed:
            parts, joined = self._meeting(time, shape.keys, suffix).steps()
            self.parts.update(parts)
            return joined
        columns = [(key.sql, key.name) for key in shape.keys]
        beside = shape.baseline if not self.query.grain else None
        if beside is None:
            columns += [(shape.measure(n, zero=bool(shape.part)), n) for n in shape.measures]
            inside = shape.within(time)
        else:
            now, before = shape.between(time), shape.between(beside)
            for name in shape.measures:
                columns.append((shape.measure(name, now, zero=True), name))
                columns.append((shape.measure(name, before, zero=True), f"{name}_previous"))
            inside = shape.within(time, beside)
        # A sum over no rows is a row with NULL; a question that nothing matches gets no row.
        some = [] if shape.keys or self.query.show == "count" else ["count(*) > 0"]
        where = [*inside, *shape.narrowed]
        return Select(columns, shape.fact, where, group=len(shape.keys), having=some)

    def _complete(self) -> str:
        """Put in the periods and values without rows; gives the name of the step to read."""
        spine, shape = self.spine, self.shape
        framed = bool(spine.periods or spine.values)
        if not framed and not self._top_series:
            return "grouped"
        given = spine.keys(shape)
        rest = [key for key in self.keys if key not in given]
        sources = ["grouped"]
        if shape.baseline and spine.periods:
            self.parts["baseline"] = self._grouped(shape.baseline, "_before")
            sources.append("baseline")
        if framed:
            self.parts[spine.name] = spine.sql(shape)
        where: list[str] = []
        if rest:
            items = self._leading(rest) if self._top_series else self._items(rest, sources)
            self.parts["items"] = items
        else:
            found = [f"EXISTS (SELECT 1 FROM {source})" for source in sources]  # noqa: S608
            where = [found[0] if len(found) == 1 else f"({' OR '.join(found)})"]
        frame = " CROSS JOIN ".join([spine.name] * framed + ["items"] * bool(rest))
        origin = dict.fromkeys(rest, "items") | dict.fromkeys(given, spine.name)
        for source in sources:
            matches = [f"{source}.{key} = {origin[key]}.{key}" for key in self.keys]
            if source == "baseline":
                matches = [
                    m.replace(".period = periods.period", ".period = periods.period_previous")
                    for m in matches
                ]
            join = "LEFT JOIN" if framed else "JOIN"
            frame += f"\n{join} {source}\n  ON " + "\n  AND ".join(matches)
        columns = [(f"{origin[key]}.{key}", key) for key in self.keys]
        for name in shape.measures:
            columns.append((self._filled("grouped", name, ""), name))
            if shape.baseline:
                gap = "periods.period_previous IS NOT NULL AND "
                columns.append((self._filled("baseline", name, gap), f"{name}_previous"))
        self.parts["complete"] = Select(columns, frame, where)
        return "complete"

    def _filled(self, source: str, name: str, known: str) -> str:
        """A measure of a step that may have no row: then 0 where it adds up."""
        value = f"{source}.{name}"
        if not self.shape.additive(name) or not (self.spine.periods or self.spine.values):
            return value
        return f"CASE WHEN {known}{source}.{self.keys[-1]} IS NULL THEN 0 ELSE {value} END"

    def _items(self, rest: list[str], sources: list[str]) -> str:
        """Every combination of the keys that the spine does not give."""
        picks = [Select([(k, k) for k in rest], s, distinct=True).sql() for s in sources]
        return "\nUNION\n".join(picks)

    def _leading(self, rest: list[str]) -> Select:
        """The combinations that are largest over the whole period, per currency."""
        shape, query = self.shape, self.query
        keys = [key for key in shape.keys if key.name in rest]
        totals = self._totals(keys)
        ties = [self._down(self.first), *(k for k in rest if k != "currency")]
        if not shape.split:
            totals.order, totals.limit = ties, query.limit
            self.parts["largest"] = totals
            return Select([(k, k) for k in rest], "largest")
        self.parts["totals"] = totals
        self.parts["largest"] = numbered("totals", rest, ["currency"], ties)
        return Select([(k, k) for k in rest], "largest", where=[f"place <= {query.limit}"])

    def _totals(self, keys: Sequence[Key]) -> Select:
        """The first measure over the whole period."""
        shape, query = self.shape, self.query
        if shape.crossed:
            parts, joined = self._meeting(query.time, keys, "_over").steps()
            self.parts.update(parts)
            joined.columns = [c for c in joined.columns if c[1] in (*self.keys, self.first)]
            return joined
        columns = [(key.sql, key.name) for key in keys]
        columns.append((shape.measure(self.first), self.first))
        where = [*shape.within(query.time), *shape.narrowed]
        return Select(columns, shape.fact, where, group=len(keys))

    def _measure(self) -> None:
        """Changes, shares and ranks, as expressions over the step before."""
        shape, query = self.shape, self.query
        if shape.baseline:
            for name in shape.measures:
                before = f"{name}_previous"
                self.computed[f"{name}_change"] = f"{name} - {before}"
                self.computed[f"{name}_change_ratio"] = (
                    f"CAST({name} - {before} AS DOUBLE) / nullif(abs(CAST({before} AS DOUBLE)), 0)"
                )
        within = [key for key in self.keys if key in ("currency", "period")]
        per = f"PARTITION BY {', '.join(within)}" if within else ""
        if query.show in ("share", "pareto"):
            self.computed["share"] = self._share(per, "")
            if shape.baseline:
                self.computed["share_previous"] = self._share(per, "_previous")
                self.computed["share_change"] = (
                    f"{self.computed['share']} - {self.computed['share_previous']}"
                )
        if query.show == "rank":
            down = self._down(self.first)
            self.computed["rank"] = f"rank() OVER ({spaced(per, f'ORDER BY {down}')})"
        if query.show == "pareto":
            order = ", ".join([self._down(self.first), *query.dimensions])
            running = spaced(per, f"ORDER BY {order}", "ROWS UNBOUNDED PRECEDING")
            self.computed["cumulative_share"] = (
                f"CAST(sum({self.first}) OVER ({running}) AS DOUBLE)"
                f" / nullif(CAST(sum({self.first}) OVER ({per}) AS DOUBLE), 0)"
            )

    def _share(self, per: str, side: str) -> str:
        part = f"{self.first}{side}"
        whole = f"whole{side}" if self.shape.part else f"sum({part}) OVER ({per})"
        return f"CAST({part} AS DOUBLE) / nullif(CAST({whole} AS DOUBLE), 0)"

    def _final(self, source: str) -> Select:
        """Choose, order and limit."""
        shape, query = self.shape, self.query
        chosen = [
            f"{self._alias(h.metric)} {_OPERATORS[h.op]} {number(h.value)}" for h in query.having
        ]
        chosen += [shown_condition(f, shape.semantics.dimensions[f.dimension]) for f in shape.late]
        if (chosen or self._limit_within) and self.computed:
            every = [*self.keys, *self._sides()]
            columns = [(name, name) for name in every] + [(s, n) for n, s in self.computed.items()]
            self.parts["measured"] = Select(columns, source)
            self.computed, source = {}, "measured"
        columns = [(self.computed.get(name, name), name) for name in self.names]
        if not self._limit_within:
            limit = None if self._top_series else query.limit
            return Select(columns, source, chosen, order=self._order({}), limit=limit)
        everything = [*self.names, *(n for n in self._sides() if n not in self.names)]
        placed = numbered(source, everything, self._limit_within, self._order({}))
        placed.where = chosen
        self.parts["placed"] = placed
        return Select(columns, "placed", [f"place <= {query.limit}"], order=self._order({}))

    # --- order and limit -----------------------------------------------------------------------

    @property
    def _top_series(self) -> bool:
        """Whether the limit counts items over the whole period, not rows."""
        query = self.query
        return bool(
            query.show == "series" and query.grain and query.dimensions and query.limit
        ) and not (self.shape.baseline and self.spine.values)

    @property
    def _limit_within(self) -> list[str]:
        """The keys within each of whose values the limit counts anew."""
        if self.query.limit is None or self._top_series or self.query.show == "count":
            return []
        per_period = self.query.show in PLACED and self.query.grain
        return ["currency"] * self.shape.split + ["period"] * bool(per_period)

    def _order(self, hidden: dict[str, str]) -> list[str]:
        """Every ORDER BY ends in the keys, so that equal figures come in the same order."""
        query = self.query
        if not self.keys:
            return []
        terms: dict[str, str] = {}
        if self.shape.split:
            terms["currency"] = "currency"
        if "period" in self.keys and (not query.order or query.show in PLACED):
            terms["period"] = "period"
        for order in query.order:
            name = self._alias(order.by)
            if query.show == "count" and name not in self.names:
                continue  # one number per period has no order by a metric
            terms.setdefault(name, towards(hidden.get(name, name), order.descending))
        if not query.order and query.show != "count":
            terms[self.first] = self._down(self.first)
        for key in self.keys:
            terms.setdefault(key, key)
        return list(terms.values())

    def _down(self, name: str) -> str:
        """Largest first, unless the query orders the ranked figure the other way."""
        first = next((o for o in self.query.order if self._alias(o.by) == name), None)
        return towards(name, first.descending if first else True)

    def _alias(self, name: str) -> str:
        """The output column that a name in an order or a condition stands for."""
        return f"{self.first}_{name}" if name in _DERIVED else name

    def _sides(self) -> list[str]:
        sides = ["", "_previous"] if self.shape.baseline else [""]
        return [f"{name}{side}" for name in self.shape.measures for side in sides]
