"""Phrase a plan and its results: the figure first, then the rows, then what it rests on.

The text is a template: figures stand in it as placeholders only, and names from data are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from finops_assistant.agent import figures
from finops_assistant.agent.plan import DescribePlan, Plan, QueryPlan
from finops_assistant.agent.untrusted import escaped, markdown
from finops_assistant.store.evidence import COVERAGE, is_part, share_sentence
from finops_assistant.store.metrics import Semantics
from finops_assistant.store.query import Filter, MetricQuery
from finops_assistant.store.result import Column, Result

TABLE_ROWS = 12
SERIES_ROWS = 31


def compose(plan: Plan, results: Sequence[Result], semantics: Semantics) -> str:
    """The answer as a template for ``placeholders.fill``."""
    step = plan.step
    if isinstance(step, QueryPlan):
        phrasing = _QueryPhrasing(step.query, results, semantics)
        parts = [phrasing.headline(), phrasing.table(), phrasing.basis()]
        notes = (*plan.disclosures, *results[0].notes)
    elif isinstance(step, DescribePlan):
        parts = [_described(step, results, semantics), _table(results[0], semantics, TABLE_ROWS)]
        notes = plan.disclosures
    else:
        raise TypeError(f"a {step.intent} plan has no results to phrase")
    parts += [escaped(note) for note in dict.fromkeys(notes)]
    for result in results:
        parts += _shares(result, semantics) if result.title == COVERAGE else []
    return "\n\n".join(part for part in parts if part)


def _shares(result: Result, semantics: Semantics) -> list[str]:
    """The sentences of a result on coverage, with its figures as placeholders."""
    told = zip(result.columns, result.rows[0], strict=True)
    return [
        share_sentence(column.name, f"{{{result.id}.0.{column.name}}}", semantics)
        for column, share in told
        if is_part(share)
    ]


class _QueryPhrasing:
    def __init__(self, query: MetricQuery, results: Sequence[Result], semantics: Semantics) -> None:
        self.query = query
        self.semantics = semantics
        self.main = results[0]
        beside = [result for result in results[1:] if result.title != COVERAGE]
        self.total = beside[0] if beside else None
        # The metric that ran: a basis may have put billed cost in the place of effective cost.
        asked = set(query.metrics)
        names = [column.name for column in self.main.columns]
        self.metrics = [n for n in names if n in asked] or [
            n for n in names if n in semantics.metrics
        ]
        # Named things side by side have a column of their own, asked for or not.
        self.dimensions = [n for n in names if n in semantics.dimensions]

    def headline(self) -> str:
        if not self.main.rows:
            return self._nothing()
        if self.query.show == "count":
            dimension = self.semantics.dimensions[self.query.dimensions[0]]
            return (
                f"**{self._cell(0, 'count')}** {dimension.plural}{self._about()}, {self._days()}."
            )
        if self.query.grain:
            return self._series()
        if self.dimensions:
            return self._leader()
        return self._total()

    def table(self) -> str:
        if len(self.main.rows) < 2:
            return ""  # the sentence has said it
        limit = SERIES_ROWS if self.query.grain else TABLE_ROWS
        return _table(self.main, self.semantics, limit)

    def basis(self) -> str:
        scope = self.main.scope
        title = " and ".join(self._title(metric) for metric in self.metrics)
        parts = [f"{title} in {scope.currency}" if scope.currency else title]
        parts.append(figures.days(scope.start, scope.end))
        parts += [filter_words(f, self.semantics) for f in self.query.filters]
        parts += [
            f"only {_shown(f)} (what you may see)"
            for f in scope.filters
            if f.get("by") == "principal"
        ]
        if scope.data_through:
            last = scope.data_through - timedelta(microseconds=1)
            parts.append(f"data through {figures.day(last.date())}")
        return "_" + " · ".join(part for part in parts if part) + "_"

    def _total(self) -> str:
        lines = []
        for row in range(len(self.main.rows)):
            for metric in self.metrics:
                lines.append(self._sentence(row, metric))
        return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)

    def _sentence(self, row: int, metric: str) -> str:
        figure = f"**{self._cell(row, metric)}**"
        name = self._name(metric)
        text = f"{figure} {name}{self._about()}, {self._days()}"
        if self.query.compare and self._has(f"{metric}_change"):
            text += self._change(row, metric)
        return text + "."

    def _change(self, row: int, metric: str) -> str:
        change = self.main.rows[row][self.main.index(f"{metric}_change")]
        baseline = self.query.compare and self.query.compare.baseline
        against = figures.days(baseline.start, baseline.end) if baseline else "before"
        if not isinstance(change, int | float | Decimal):
            return f"; there is no figure for {against} to compare it with"
        before = self._cell(row, f"{metric}_previous")
        if change == 0:
            return f", unchanged from {against}"
        word = "up" if change > 0 else "down"
        size = f"{{{self.main.id}.{row}.{metric}_change|unsigned}}"
        return f", {word} **{size}**{self._ratio(row, metric)} from {before} in {against}"

    def _leader(self) -> str:
        metric = self.metrics[0]
        name = self._name(metric)
        label = self._label(0)
        figure = f"**{self._cell(0, metric)}**"
        where = f"{self._about()}, {self._days()}"
        if self._has("share"):
            share = f"**{self._cell(0, 'share')}**"
            verb = "is" if len(self.main.rows) == 1 else "leads with"
            part = self.dimensions[:1]  # its own condition is what the share is of
            whole = f"{self._about(but=part)}, {self._days()}"
            return f"{label} {verb} {share} of {name}{whole}: {figure}."
        if self.query.compare and self.query.compare.kind == "values":
            sides = [
                f"{self._label(row)} **{self._cell(row, metric)}**"
                for row in range(len(self.main.rows))
            ]
            return f"{', '.join(sides)}: {name}, {self._days()}."
        if not self.query.order or self._has("currency"):
            title = self._title(metric)
            return f"{title} by {self._dimensions()}{where}{self._all_together()}."
        if self._has(f"{metric}_change"):
            return f"{label} {self._moved(0, metric)} to {figure} {name}{where}."
        place = "lowest" if self._ascending() else "highest"
        return f"{label} has the {place} {name}{where}: {figure}{self._all_together()}."

    def _moved(self, row: int, metric: str) -> str:
        """How a row of a comparison changed: ``rose by $3 (+5%)``."""
        change = self.main.rows[row][self.main.index(f"{metric}_change")]
        if not isinstance(change, int | float | Decimal) or change == 0:
            return "came"
        verb = "rose" if change > 0 else "fell"
        size = f"{{{self.main.id}.{row}.{metric}_change|unsigned}}"
        return f"{verb} by **{size}**{self._ratio(row, metric)}"

    def _ratio(self, row: int, metric: str) -> str:
        name = f"{metric}_change_ratio"
        if self.main.rows[row][self.main.index(name)] is None:
            return ""
        return f" ({{{self.main.id}.{row}.{name}|signed}})"

    def _all_together(self) -> str:
        if self.total is None or len(self.total.rows) != 1:
            return ""
        return f"; all together {{{self.total.id}.0.{self.metrics[0]}|bare}}"

    def _series(self) -> str:
        metric = self.metrics[0]
        column = self.main.index(metric)
        known = [
            (row[column], i) for i, row in enumerate(self.main.rows) if row[column] is not None
        ]
        name = self._title(metric)
        opening = f"{name} by {self.query.grain}{self._about()}, {self._days()}"
        if self.dimensions or not known or self._has("currency"):
            return opening + "."
        top = max(known, key=lambda pair: Decimal(str(pair[0])))[1]
        all_together = ""
        if self.total and len(self.total.rows) == 1:
            all_together = f"**{{{self.total.id}.0.{metric}|bare}}** in all, "
        last = len(self.main.rows) - 1
        on = "on" if self.query.grain == "day" else "in"
        return (
            f"{opening}: {all_together}highest {on} {self._cell(top, 'period')} "
            f"(**{self._cell(top, metric)}**), latest {self._cell(last, 'period')} "
            f"(**{self._cell(last, metric)}**)."
        )

    def _nothing(self) -> str:
        return f"Nothing matched: there are no charges{self._about()}, {self._days()}."

    def _about(self, but: Sequence[str] = ()) -> str:
        about = [f for f in self.query.filters if f.dimension not in but]
        words = [filter_words(f, self.semantics) for f in about]
        return f" for {', '.join(words)}" if words else ""

    def _days(self) -> str:
        return figures.days(self.query.time.start, self.query.time.end)

    def _dimensions(self) -> str:
        return " and ".join(
            self.semantics.dimensions[name].title.lower() for name in self.dimensions
        )

    def _label(self, row: int) -> str:
        cells = [self._cell(row, name) for name in self.dimensions]
        return "**" + "**, **".join(cells) + "**"

    def _ascending(self) -> bool:
        return bool(self.query.order) and not self.query.order[0].descending

    def _title(self, metric: str) -> str:
        return self.semantics.metrics[metric].title

    def _name(self, metric: str) -> str:
        """The title within a sentence: ``effective cost``, ``GPU hours``."""
        title = self._title(metric)
        return title if title[:2].isupper() else title[0].lower() + title[1:]

    def _has(self, column: str) -> bool:
        return any(c.name == column for c in self.main.columns)

    def _cell(self, row: int, column: str) -> str:
        # Bare: the name of a unit cost says "per …" already.
        return f"{{{self.main.id}.{row}.{column}|bare}}"


def filter_words(condition: Filter, semantics: Semantics) -> str:
    """A condition in words, its values escaped: ``provider AWS or Microsoft``."""
    title = semantics.dimensions[condition.dimension].title.lower()
    values = " or ".join(markdown(value.canonical) for value in condition.values)
    match condition.op:
        case "in":
            return f"{title} {values}"
        case "not_in":
            return f"{title} other than {values}"
        case "is_null":
            return f"no {title}"
        case "not_null":
            return f"any {title}"
        case "contains":
            return f"{title} containing {values}"
        case "gt":
            return f"{title} above {values}"
        case "lt":
            return f"{title} below {values}"


def _described(step: DescribePlan, results: Sequence[Result], semantics: Semantics) -> str:
    main = results[0]
    scope = main.scope
    if step.topic == "values" and step.dimension:
        plural = semantics.dimensions[step.dimension].plural
        through = figures.days(scope.start, scope.end)
        count = f"**{{{results[1].id}.0.count}}**"
        return f"{count} {plural} in the loaded data, {through}, dearest first."
    if step.topic == "metrics":
        return "These can be asked for, over any period, by any dimension, filtered and compared."
    last = figures.day(scope.end - timedelta(days=1))
    return f"The loaded data covers {figures.days(scope.start, scope.end)}; the last day is {last}."


def _table(result: Result, semantics: Semantics, limit: int) -> str:
    head = [_heading(column, semantics) for column in result.columns]
    align = ["---" if c.unit in {"text", "date"} else "---:" for c in result.columns]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(align)} |"]
    for row in range(min(len(result.rows), limit)):
        cells = [f"{{{result.id}.{row}.{column.name}|bare}}" for column in result.columns]
        lines.append(f"| {' | '.join(cells)} |")
    if result.row_count > limit:
        lines.append("")
        lines.append("More rows follow in the result.")
    return "\n".join(lines)


_ENDINGS = {
    "_change_ratio": "Change, %",
    "_change": "Change",
    "_previous": "Before",
}


def _heading(column: Column, semantics: Semantics) -> str:
    if column.name in semantics.metrics:
        return semantics.metrics[column.name].title
    if column.name in semantics.dimensions:
        return semantics.dimensions[column.name].title
    for ending, title in _ENDINGS.items():
        if column.name.endswith(ending):
            return title
    return column.name.replace("_", " ").capitalize()


def _shown(condition: dict[str, object]) -> str:
    values = condition.get("values") or ()
    shown = (
        " or ".join(markdown(str(value)) for value in values)
        if isinstance(values, list | tuple)
        else ""
    )
    return f"{condition.get('dimension')} {shown}"
