"""From a question to a plan: pure, quick, with no network and no model.

Order of work: read the text, link names, fold periods and vocabulary, read conditions and shape,
weigh what is left over in the ledger, and only then build the query.
"""

from __future__ import annotations

import re

from finops_assistant.agent.plan import ClarifyPlan, DescribePlan, Plan
from finops_assistant.agent.planner import (
    breakdown,
    comparison,
    dates,
    filters,
    followup,
    idioms,
    ledger,
    proportion,
    scope,
    series,
    settle,
    shape,
    time,
    values,
)
from finops_assistant.agent.planner.build import build
from finops_assistant.agent.planner.chart import Chart, pattern, rule
from finops_assistant.agent.planner.lexicon import lexicon_of
from finops_assistant.agent.planner.mend import mend
from finops_assistant.agent.planner.names import index_of
from finops_assistant.agent.planner.reading import Reading
from finops_assistant.agent.planner.text import clean, tokenise
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.agent.planner.when import extent


def parse(text: str, view: PlannerView) -> Plan:
    """The plan for one question in the light of the conversation so far."""
    cleaned = clean(text)
    step = scope.unreadable(cleaned)
    if step is not None:
        return Plan(step=step, confidence=1.0)
    chosen = followup.chosen_option(cleaned, view)
    if chosen is not None:
        cleaned = clean(chosen)
    index = index_of(view.catalogue, view.semantics)
    lexicon = lexicon_of(view.semantics)
    chart = Chart(cleaned, tokenise(cleaned, keep=lambda word: bool(index.exact(word))))
    return _read(Reading(chart, view, index, lexicon))


def _read(reading: Reading) -> Plan:
    """Run the rules in order; the first that declines ends the reading."""
    chart, view = reading.chart, reading.view
    if scope.claims(chart):
        reading.notes.append("What you may see is set by your principal, not by the question.")
    step = scope.declined(chart)
    if step is not None:
        return reading.done(step)
    follow = followup.opening(chart, view)
    if follow.step is not None:
        return reading.done(follow.step)
    reading.notes += idioms.everything(chart)
    idioms.occasion(chart, reading.index)
    values.link_exact(chart, reading.index, reading.lexicon)
    values.link_shy(chart, reading.index, reading.lexicon)
    mend(chart, reading.index, reading.lexicon)
    step = scope.declined(chart) or scope.later(chart) or scope.describes(chart)
    if step is not None:
        return reading.done(step)
    outline = shape.Shape()
    comparison.relative_periods(chart, outline)
    first, _ = extent(view)
    doubts = time.annotate(chart, dates.Clock(view.as_of, first))
    if doubts:
        return reading.done(_which_date(chart.text, doubts[0]), follow.base)
    idioms.polite(chart)
    reading.notes += idioms.annotate(chart)
    shape.fold_phrases(chart, reading.lexicon)
    open_links = settle.settle(chart)
    if open_links:
        sourceless = scope.sourceless(chart, view)
        return reading.done(sourceless or _which_value(reading, open_links[0]), follow.base)
    listed = _listed_values(chart)
    if listed is not None:
        return reading.done(listed)
    followup.cues(chart, follow)
    conditions = filters.read(chart)
    shape.emphasis(chart)
    proportion.pareto(chart, outline)
    series.grains(chart, outline)
    proportion.share(chart, outline, bool(conditions.absent))
    series.trend(chart, outline)
    comparison.comparison(chart, outline)
    breakdown.breakdown(chart, outline, reading.lexicon)
    shape.metrics(chart, outline)
    return build(reading, follow, conditions, outline)


def _which_date(text: str, doubt: dates.AmbiguousDate) -> ClarifyPlan:
    first, second = doubt.readings
    return ClarifyPlan(
        reason="AMBIGUOUS_DATE",
        question=f"“{doubt.text}” reads two ways: {first} or {second}. Which one is meant?",
        options=tuple(text.replace(doubt.text, reading) for reading in doubt.readings),
    )


def _which_value(reading: Reading, link: values.Link) -> ClarifyPlan:
    chart, semantics = reading.chart, reading.view.semantics
    item = next(i for i in chart.of("§v") if i.payload is link)
    named: dict[str, None] = {}
    for candidate in link.candidates:
        title = semantics.dimensions[candidate.dimension].title.lower()
        named.setdefault(f"{title} {candidate.canonical}", None)
    shown = list(named)[: ledger.OPTIONS]
    return ClarifyPlan(
        reason="AMBIGUOUS_VALUE",
        question=f"“{link.raw}” could be {' or '.join(shown)}. Which one is meant?",
        options=tuple(ledger.replaced(chart, item, name) for name in shown),
    )


def _listed_values(chart: Chart) -> DescribePlan | None:
    """ "Which teams do we have?": the values of a dimension, not a figure."""
    line = re.sub(r"(?:^| )[?!.,;:]+(?= |$)", "", chart.line).strip()
    asked = pattern(rule("list.values")).fullmatch(line)
    if asked is None:
        return None
    item = chart.of("§d")[0]
    item.role = "dimension"
    return DescribePlan(topic="values", dimension=item.payload)
