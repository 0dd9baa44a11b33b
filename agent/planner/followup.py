"""Follow-ups: a patch on the query before, a correction, a choice among options, a reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from finops_assistant.agent.plan import ClarifyPlan, Step
from finops_assistant.agent.planner.chart import Chart, Hit, Item, rule
from finops_assistant.agent.planner.names import Candidate
from finops_assistant.agent.planner.reading import followed
from finops_assistant.agent.planner.text import fold
from finops_assistant.agent.planner.values import Link
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import MetricQuery

_ORDINALS = {
    "first": 1, "1st": 1, "top": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4,
    "4th": 4, "fifth": 5, "5th": 5, "last": -1, "bottom": -1,
}  # fmt: skip
_POLITE = ("the", "one", "option", "number", "please", "i", "meant", "mean", "sorry")
_POINTS = ("they", "their", "its", "it", "them", "that one", "this one")
ELLIPTIC = 9  # words; more are a question of their own


@dataclass
class Follow:
    """How the question stands to the one before."""

    base: MetricQuery | None = None  # what a patch would change
    op: Literal["new", "patch", "correct"] = "new"
    strong: bool = False  # it can only be a patch
    weak: bool = False  # it may be one
    points: bool = False  # "they", "it": the one row of the answer before, if it was one
    adds: bool = False  # "also", "as well": add to what is there
    step: Step | None = None


def chosen_option(text: str, view: PlannerView) -> str | None:
    """The whole question behind a click, an ordinal or a word that picks one option."""
    step = view.previous.step if view.previous else None
    if not isinstance(step, ClarifyPlan) or not step.options:
        return None
    options = step.options
    said = fold(text).strip(" .!?,")
    for option in options:
        if fold(option).strip(" .!?") == said:
            return option
    words = [w for w in said.split() if w not in _POLITE]
    if len(words) == 1:
        place = _ORDINALS.get(words[0], int(words[0]) if words[0].isdecimal() else 0)
        if 0 < abs(place) <= len(options):
            return options[place - 1 if place > 0 else place]
    if 0 < len(words) <= 4:
        found = [o for o in options if set(words) <= set(fold(o).replace(",", " ").split())]
        if len(found) == 1:
            return found[0]
    return None


def opening(chart: Chart, view: PlannerView) -> Follow:
    """Read what ties a question to the one before: a reset, a correction, a row of the answer."""
    follow = Follow(base=followed(view))
    reset = next((h for h in chart.find(rule("follow.reset")) if h.first == 0), None)
    if reset is not None:
        reset.mark("reset")
        follow.base = None
        if all(i.role == "reset" or i.kind == "punctuation" for i in chart.items):
            follow.step = ClarifyPlan(
                reason="NO_REFERENT", question="Starting afresh. What would you like to know?"
            )
        return follow
    correction = next((h for h in chart.find(rule("follow.correction")) if h.first == 0), None)
    if correction is not None and follow.base is not None:
        follow.op, follow.strong = "correct", True
        for item in correction.items:
            item.role = "follow_up"
    elif correction is not None and any(i.symbol in ("meant", "wrong") for i in correction.items):
        follow.step = nothing_before()
        return follow
    _rows(chart, view, follow)
    return follow


def _rows(chart: Chart, view: PlannerView, follow: Follow) -> None:
    for hit in chart.find(rule("follow.row")):
        link = _row(hit["o"], hit["n"], view)
        if link is not None:
            chart.collapse(hit.first, hit.last, "§v", link)
            follow.weak = True
        elif hit["o"] or hit[0].startswith("row"):
            follow.step = nothing_before()
        return


def _row(ordinal: str, number: str, view: PlannerView) -> Link | None:
    """The value that leads a row of the answer before, by its place."""
    place = _ORDINALS[ordinal] if ordinal else int(number)
    for result in view.previous_results:
        named = [i for i, c in enumerate(result.columns) if c.name in view.semantics.dimensions]
        if not named or not 0 < abs(place) <= len(result.rows):
            continue
        value = str(result.rows[place - 1 if place > 0 else place][named[0]])
        return Link(value, (Candidate(result.columns[named[0]].name, value, "context"),))
    return None


def winner(view: PlannerView, base: MetricQuery) -> Link | None:
    """The value that led a ranking of one: what "they" means after "who spent most"."""
    if base.limit != 1 or len(base.dimensions) != 1:
        return None
    return _row("first", "", view)


def nothing_before() -> ClarifyPlan:
    """A follow-up with nothing to follow."""
    return ClarifyPlan(
        reason="NO_REFERENT",
        question="That refers to an earlier answer, and there is none in this conversation. "
        "Could you ask the whole question?",
    )


def cues(chart: Chart, follow: Follow) -> None:
    """Mark the words of a patch and say how surely it is one."""
    same = [h for h in chart.find(rule("follow.same")) if h.first <= 2]
    for hit in (*chart.find(rule("follow.strong")), *same):
        hit.mark("follow_up")
        follow.strong = True
    named = [i for i in chart.of("§v") if i.payload is not None and i.payload.candidates[0].method
             != "context" and not follow.weak]  # fmt: skip
    for hit in chart.find(rule("expletive")):
        hit.items[0].role = "filler"
    fronted = chart.starts(rule("expletive.fronted"))
    for hit in chart.find(rule("follow.pointing")):
        if any(i.text == "IT" for i in hit.items):  # the department
            continue
        if _within(chart, hit, named) or (fronted and follow.base is None):
            hit.mark("filler")
            continue
        hit.mark("follow_up")
        follow.strong = True
        follow.points = follow.points or hit[0] in _POINTS
    if chart.starts(rule("follow.opener")):
        follow.weak = True
    for hit in chart.find(rule("follow.adds")):
        follow.adds = True
        hit.mark("follow_up")


def _within(chart: Chart, hit: Hit, named: list[Item]) -> bool:
    """Whether "it" or "which one" points at a name in the same sentence: "gpt-4o: what did it
    cost"."""
    listed = chart.of("§d") if hit[0] == "their" else []
    before = [i for i in (*named, *listed) if i.end <= hit.items[0].start]
    said = hit[0].startswith(("which one", "they", "it", "them", "those", "these", "their"))
    return said and bool(before)


def decide(chart: Chart, follow: Follow, *, metric: bool, dimension: bool, period: bool) -> None:
    """Settle whether the question is a patch: sets ``op``, and clears ``base`` for a new one."""
    asking = chart.starts(rule("follow.asking"))
    if follow.strong:
        if follow.base is None:
            follow.step = nothing_before()
        elif follow.op == "new":
            follow.op = "patch"
        return
    if follow.base is None:
        opens = chart.items[0].symbol in ("and", "also")
        if follow.weak and opens and not metric and not asking:
            follow.step = nothing_before()
        return
    words = sum(i.kind != "punctuation" for i in chart.items)
    whole = metric and (asking or period or dimension) and not (follow.weak and not asking)
    brief = not asking and words <= ELLIPTIC and not (dimension and period)
    if brief and not whole and (follow.weak or not metric or words <= 4):
        follow.op = "patch"
    else:
        follow.base = None
