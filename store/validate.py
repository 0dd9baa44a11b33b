"""May this query run, and does it mean something here? The one gate that both planners pass.

Metrics, dimensions, grains and their combinations, permissions, values and periods are checked in
that order. What is refused raises QueryRefused with a plan reason code, one plain sentence, and the
names that were probably meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NoReturn

from finops_assistant.store.access import Principal
from finops_assistant.store.catalogue import Catalogue, fold
from finops_assistant.store.compile import normalise
from finops_assistant.store.compile_shape import MAX_PERIODS, PLACED, period_starts
from finops_assistant.store.errors import QueryRefused, suggest
from finops_assistant.store.facts import Facts
from finops_assistant.store.metrics import Dimension, Fact, Semantics
from finops_assistant.store.query import Filter, FilterValue, MetricQuery, ReasonCode, TimeSpec

DERIVED = ("previous", "change", "change_ratio")
NO_USAGE = (
    "it comes from model usage, and model usage is not loaded. Load the usage report of OpenAI or "
    "Anthropic, or the logs of a gateway or of traces, with: finops ingest FILE"
)
_LARGEST = Decimal(10) ** 24


@dataclass(frozen=True)
class Gate:
    """What a query is held against: the vocabulary, the principal and what it may see, today."""

    semantics: Semantics
    principal: Principal
    catalogue: Catalogue
    facts: Facts
    as_of: date

    def admit(self, query: MetricQuery) -> MetricQuery:
        """The query with every name explicit and every value spelled as the store spells it."""
        self._names(query)
        query = normalise(query, self.semantics)
        self._permissions(query)
        self._sources(query)
        self._combination(query)
        self._columns(query)
        times = [(query.time, "")]
        if query.compare and query.compare.baseline:
            times.append((query.compare.baseline, "The period to compare with"))
        for time, subject in times:
            self._period(time, subject)
            if "usage" in self._facts(query):
                self._usage_period(time, subject)
        return query.model_copy(update={"filters": tuple(map(self._linked, query.filters))})

    # --- names, permissions, sources -------------------------------------------------------------

    def _names(self, query: MetricQuery) -> None:
        for name in query.metrics:
            if name not in self.semantics.metrics:
                near = suggest(name, self.semantics.metrics)
                refuse("UNKNOWN_METRIC", f"There is no metric {_shown(name)}.{_meant(near)}", near)
        for name in (*query.dimensions, *(f.dimension for f in query.filters)):
            if name not in self.semantics.dimensions:
                near = suggest(name, self.semantics.dimensions)
                refuse("OUT_OF_SCOPE", f"There is no dimension {_shown(name)}.{_meant(near)}", near)

    def _permissions(self, query: MetricQuery) -> None:
        for name in self._metrics(query):
            if not self.principal.may_read(self.semantics.columns(name, query.basis)):
                title = self.semantics.metrics[name].title
                refuse(
                    "NOT_PERMITTED",
                    f"You may not see {title.lower()}: it rests on a column "
                    "that is hidden from you.",
                )
        for name in (*query.dimensions, *(f.dimension for f in query.filters)):
            dimension = self.semantics.dimensions[name]
            if not self.principal.may_read(dimension.columns):
                refuse("NOT_PERMITTED", f"You may not see figures by {dimension.title.lower()}.")

    def _sources(self, query: MetricQuery) -> None:
        for name in self._metrics(query):
            metric = self.semantics.metrics[name]
            if not self.semantics.known(metric, self.facts.measured):
                name = metric.title[0].lower() + metric.title[1:]
                why = NO_USAGE
                if "Requests" in self.facts.measured:
                    why = "the model usage that is loaded does not count them"
                refuse("NO_DATA_SOURCE", f"There is no figure for {name}: {why}.")
        if query.grain == "hour":
            facts = self._facts(query)
            if "usage" in facts and not any(entry.hourly for entry in self.facts.usage):
                refuse("NO_DATA_SOURCE", "The loaded model usage gives no hours.")
            if "focus" in facts and not self.facts.hourly:
                refuse(
                    "NO_DATA_SOURCE", "The loaded bills give no hours: their finest step is a day."
                )

    def _facts(self, query: MetricQuery) -> set[Fact]:
        metrics = self.semantics.metrics
        found = {f for n in self._metrics(query) for f in self.semantics.facts(metrics[n])}
        return found or {"focus"}

    def _metrics(self, query: MetricQuery) -> list[str]:
        counted = query.show == "count"
        orders = () if counted else query.order
        asked = [*(h.metric for h in query.having), *(o.by for o in orders)]
        shown = () if counted else query.metrics
        return [*shown, *(name for name in asked if name in self.semantics.metrics)]

    # --- what goes together ----------------------------------------------------------------------

    def _combination(self, query: MetricQuery) -> None:
        metrics = self.semantics.metrics
        if query.show != "count" and not query.metrics:
            refuse("UNKNOWN_METRIC", "The question names no metric.")
        if query.show in ("share", "pareto") and metrics[query.metrics[0]].kind == "ratio":
            title = metrics[query.metrics[0]].title
            refuse(
                "OUT_OF_SCOPE", f"{title} is a ratio: its parts do not add up, so it has no shares."
            )
        if query.show in ("rank", "pareto") and not query.dimensions:
            refuse("OUT_OF_SCOPE", f"A {query.show} needs a dimension, such as provider or team.")
        if query.show == "share" and not query.dimensions and not query.filters:
            refuse("OUT_OF_SCOPE", "A share needs a part: a dimension or a value, such as a team.")
        if query.show == "count" and len(query.dimensions) != 1:
            refuse("OUT_OF_SCOPE", "Exactly one dimension can be counted at a time.")
        if query.time.axis == "billing" and query.grain in ("hour", "day", "week"):
            refuse("OUT_OF_SCOPE", "By billing period, the finest step is a month.")
        if query.compare:
            self._comparison(query)

    def _comparison(self, query: MetricQuery) -> None:
        compare = query.compare
        assert compare  # noqa: S101 - narrowed for mypy
        if compare.kind == "values":
            if sum(f.op == "in" for f in query.filters) != 1:
                refuse("OUT_OF_SCOPE", "Values can be compared within one dimension at a time.")
            if query.show == "count":
                refuse("OUT_OF_SCOPE", "A count is not compared between values.")
            return
        if compare.baseline is None:
            refuse("AMBIGUOUS_DATE", "The period to compare with is not known.")
        if compare.baseline.start < query.time.end and query.time.start < compare.baseline.end:
            refuse(
                "AMBIGUOUS_DATE",
                f"The period asked for, {_span(query.time)}, overlaps the one to compare with, "
                f"{_span(compare.baseline)}: a part would be held against itself.",
            )
        if query.show == "count" and query.having:
            refuse("OUT_OF_SCOPE", "A count under a condition is not compared between periods.")
        if query.show == "pareto":
            refuse("OUT_OF_SCOPE", "A pareto is shown for one period at a time.")
        if query.grain:
            if query.show in (*PLACED, "count"):
                refuse("OUT_OF_SCOPE", f"A {query.show} by {query.grain} is shown for one period.")
            steps = period_starts(query.grain, query.time.start, min(query.time.end, self.as_of))
            if len(steps) > MAX_PERIODS:
                refuse("OUT_OF_SCOPE", f"More than {MAX_PERIODS} steps cannot be compared.")

    def _columns(self, query: MetricQuery) -> None:
        """Orders and conditions name a metric or a column of the output."""
        compared = query.compare is not None and query.compare.kind != "values"
        figures = ["count"] if query.show == "count" else list(query.metrics)
        known = set(self.semantics.metrics) if query.show != "count" or not compared else set()
        if compared:
            known |= {*DERIVED, *(f"{name}_{part}" for name in figures for part in DERIVED)}
        if query.show in ("share", "pareto"):
            known.add("share")
            known |= {"share_previous", "share_change"} if compared else set()
        known |= {"rank"} if query.show == "rank" else set()
        known |= {"cumulative_share"} if query.show == "pareto" else set()
        known |= {"count"} if query.show == "count" and not query.having else set()
        for condition in query.having:
            if condition.metric not in known or condition.metric == "count":
                refuse(
                    "UNKNOWN_METRIC", f"{_shown(condition.metric)} is not a figure of this answer."
                )
            if abs(condition.value) >= _LARGEST:
                refuse("OUT_OF_SCOPE", "That amount is too large to compare with.")
        known |= {*query.dimensions, *(["period"] if query.grain else []), "currency"}
        for order in query.order:
            if order.by not in known:
                refuse("UNKNOWN_METRIC", f"{_shown(order.by)} is not a column of this answer.")

    # --- values and periods ----------------------------------------------------------------------

    def _linked(self, where: Filter) -> Filter:
        dimension = self.semantics.dimensions[where.dimension]
        if where.op in ("is_null", "not_null"):
            return where
        if not where.values:
            refuse("UNKNOWN_VALUE", f"The condition on {dimension.title.lower()} names no value.")
        if where.op not in ("in", "not_in"):
            return where
        values = tuple(self._value(dimension, value) for value in where.values)
        return where.model_copy(update={"values": values})

    def _value(self, dimension: Dimension, value: FilterValue) -> FilterValue:
        name = value.canonical
        if name == dimension.missing or self.catalogue.has(dimension.name, name):
            return value
        found = [v for d, v in self.catalogue.exact(fold(name)) if d == dimension.name]
        if len(found) == 1:
            return value.model_copy(update={"canonical": found[0], "method": "alias"})
        if name in self.principal.allow.get(dimension.name, ()):
            return value  # it may be seen, and there is nothing of it
        near = self.catalogue.near(dimension.name, name)
        if self.principal.limits(dimension):
            # The same words whether or not there is such a value outside the principal's scope.
            refuse(
                "NOT_PERMITTED",
                f"{_shown(name)} is not among the {dimension.plural} you may see.",
                near,
            )
        where = "the data you may see" if self.principal.restricted else "the loaded data"
        refuse(
            "UNKNOWN_VALUE",
            f"There is no {dimension.title.lower()} {_shown(name)} in {where}.{_meant(near)}",
            near,
        )

    def _period(self, time: TimeSpec, subject: str) -> None:
        facts, today = self.facts, self.as_of
        first, last = facts.first_day, min(facts.last_day, today - timedelta(days=1))
        data = "data you may see" if self.principal.restricted else "loaded data"
        if time.start >= time.end:
            refuse("OUT_OF_RANGE", f"The period from {time.start} to {time.end} holds no day.")
        span = _span(time)
        if last < first:
            refuse(
                "OUT_OF_RANGE", f"The {data} begins on {first}, so there is nothing before {today}."
            )
        if time.axis == "billing":
            first = first.replace(day=1)
        if time.start > last:
            refuse(
                "OUT_OF_RANGE",
                f"{subject or 'The period asked for'}, {span}, has no data yet: "
                f"the {data} runs from {first} to {last}.",
            )
        if time.end <= first:
            refuse(
                "OUT_OF_RANGE",
                f"{subject or 'The period asked for'}, {span}, lies before the {data}, "
                f"which runs from {first} to {last}.",
            )

    def _usage_period(self, time: TimeSpec, subject: str) -> None:
        """Before the first and after the last day of model usage there is nothing known, not 0."""
        first = min(entry.first_day for entry in self.facts.usage)
        last = max(entry.last_day for entry in self.facts.usage)
        if time.axis == "billing":
            first = first.replace(day=1)
        if time.start > last or time.end <= first:
            refuse(
                "OUT_OF_RANGE",
                f"{subject or 'The period asked for'}, {_span(time)}, has no model usage: what is "
                f"loaded of it runs from {first} to {last}.",
            )


def refuse(reason: ReasonCode, message: str, candidates: Iterable[str] = ()) -> NoReturn:
    """Raise QueryRefused with a reason code that the plan knows."""
    raise QueryRefused(reason, message, candidates)


def _span(time: TimeSpec) -> str:
    last = time.end - timedelta(days=1)
    return str(time.start) if last == time.start else f"{time.start} to {last}"


def _shown(name: str) -> str:
    """A name from outside, quoted on one line and of a readable length."""
    plain = " ".join(name.split())
    return f'"{plain if len(plain) <= 60 else plain[:59] + "…"}"'


def _meant(near: list[str]) -> str:
    return f" Did you mean {' or '.join(near)}?" if near else ""
