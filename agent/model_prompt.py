"""What a chat model is told: packaged Markdown, filled with names, dates, values and the draft.

Never a table and never a row: names of metrics and dimensions, about ten values that the question
may mean, and what the embedded planner made of it. The part that stays the same comes first, so
that a server may keep it between questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from finops_assistant.agent import accord
from finops_assistant.agent.fidelity import period
from finops_assistant.agent.models import Mode
from finops_assistant.agent.plan import DescribePlan, Plan, QueryPlan
from finops_assistant.agent.planner import periods
from finops_assistant.agent.planner.lexicon import lexicon_of
from finops_assistant.agent.planner.names import IDENTIFIERS, index_of, plain
from finops_assistant.agent.planner.text import fold
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.agent.planner.when import extent
from finops_assistant.store.access import Principal
from finops_assistant.store.metrics import Semantics
from finops_assistant.store.query import MetricQuery
from finops_assistant.tools.schema import Names
from finops_assistant.tools.tool import quoted

VALUES = 10  # of a dimension
MEANING = 52  # characters
LONGEST_QUESTION = 2000
_LIKE = 75  # of 100, for a value that a word of the question may mean
_WORDS = re.compile(r"[^\W_][\w&+.@:/'-]*")


@dataclass(frozen=True)
class Brief:
    """The two parts of the prompt, and the names that stand as enums in the tools' schemas."""

    system: str
    question: str
    names: Names
    linked: Mapping[str, tuple[str, ...]]  # dimension -> values that the question may mean


def brief(
    question: str,
    draft: Plan,
    view: PlannerView,
    semantics: Semantics,
    principal: Principal,
    mode: Mode,
) -> Brief:
    """Everything the model gets about one question. In schema mode it writes no sentence."""
    names = permitted(semantics, principal)
    linked = link(question, draft, view)
    before = accord.earlier(draft, view)
    asked = ""
    if before is not None:
        asked = f"The question before this one was answered with: {json.dumps(wire(before))}\n"
    return Brief(
        system=_system(semantics, names, view, _filled("phrasing") if mode == "tools" else ""),
        question=_filled(
            "question",
            earlier=asked,
            values=_listed(linked),
            draft=drafted(draft, view),
            question=json.dumps(question[:LONGEST_QUESTION], ensure_ascii=False),
        ),
        names=names,
        linked=linked,
    )


def permitted(semantics: Semantics, principal: Principal) -> Names:
    """The metrics and dimensions that a principal may read."""
    metrics = [
        n for n in semantics.metrics if principal.may_read(semantics.columns(n, "effective"))
    ]
    dimensions = [n for n, d in semantics.dimensions.items() if principal.may_read(d.columns)]
    return Names(tuple(metrics), tuple(dimensions))


def wire(query: MetricQuery) -> dict[str, Any]:
    """A query as a model would write it: without what only the planner knows."""
    named = {"metrics": list(query.metrics), "dimensions": list(query.dimensions)}
    kept = {**named, **query.to_json()}
    kept["time"] = _days(kept["time"])
    kept.pop("basis", None)
    if "filters" in kept:
        for condition, filtered in zip(kept["filters"], query.filters, strict=True):
            condition.pop("include_null", None)
            if filtered.values:
                condition["values"] = [quoted(value.canonical)[1:-1] for value in filtered.values]
    baseline = kept.get("compare", {}).get("baseline")
    if baseline:
        kept["compare"]["baseline"] = _days(baseline)
    return kept


def drafted(draft: Plan, view: PlannerView) -> str:
    """The embedded planner's reading, as a call where it is one."""
    step = draft.step
    if isinstance(step, QueryPlan):
        return json.dumps({"tool": "query_costs", "args": wire(step.query)})
    if isinstance(step, DescribePlan):
        arguments = step.model_dump(mode="json", exclude={"intent"}, exclude_none=True)
        return json.dumps({"tool": "describe_data", "args": arguments})
    meant = period(draft, view)
    said = f"; the period is {meant.start} to {meant.end}" if meant is not None else ""
    missed = ", ".join(json.dumps(word) for word in draft.unconsumed[:8])
    return f"none{said}" + (f"; not understood: {missed}" if missed else "")


def link(question: str, draft: Plan, view: PlannerView) -> dict[str, tuple[str, ...]]:
    """Values that the question may mean, per dimension: those of the draft and of the question
    before, exact names, then what its words resemble. Only what the principal may see."""
    found: dict[str, dict[str, None]] = {}

    def add(dimension: str, value: str) -> None:
        values = found.setdefault(dimension, {})
        if len(values) < VALUES and quoted(value) == f'"{value}"':
            values[value] = None

    own = draft.step.query if isinstance(draft.step, QueryPlan) else None
    for query in (own, accord.earlier(draft, view)):
        for condition in query.filters if query is not None else ():
            for value in condition.values:
                add(condition.dimension, value.canonical)
    index = index_of(view.catalogue, view.semantics)
    known = lexicon_of(view.semantics).known
    words = _WORDS.findall(question[:LONGEST_QUESTION])[:200]
    for size in (3, 2, 1):
        for at in range(len(words) - size + 1):
            phrase = " ".join(words[at : at + size])
            if len(phrase) < 2 or (size == 1 and fold(phrase) in known):
                continue
            for candidate in index.exact(phrase)[:VALUES]:
                add(candidate.dimension, candidate.canonical)
            if size == 1 and len(phrase) > 2:
                for candidate in index.words.get(plain(fold(phrase)), ())[:VALUES]:
                    add(candidate.dimension, candidate.canonical)
    from rapidfuzz import fuzz, process

    pool = [n for n, held in index.names.items() if held[0].dimension not in IDENTIFIERS]
    for word in dict.fromkeys(plain(fold(w)) for w in words if len(w) > 3):
        if word in known:
            continue
        near = process.extract(word, pool, scorer=fuzz.ratio, score_cutoff=_LIKE, limit=4)
        for name, _, _ in near:
            for candidate in index.names[name]:
                add(candidate.dimension, candidate.canonical)
    return {dimension: tuple(values) for dimension, values in found.items() if values}


def _system(semantics: Semantics, names: Names, view: PlannerView, phrasing: str) -> str:
    first, last = extent(view)
    month = periods.last_complete(view.as_of, "month")
    quarter = periods.last_complete(view.as_of, "quarter")
    return _filled(
        "model",
        metrics="\n".join(
            f"- {name}: {_meaning(semantics.metrics[name].description)}" for name in names.metrics
        ),
        dimensions="\n".join(
            f"- {name}: {_meaning(semantics.dimensions[name].description)}"
            for name in names.dimensions
            if not semantics.dimensions[name].tag
        ),
        tags=", ".join(n for n in names.dimensions if semantics.dimensions[n].tag) or "none",
        phrasing=phrasing,
        today=view.as_of,
        first=first,
        last=last,
        month=f"{month.start} to {month.end}",
        quarter=f"{quarter.start} to {quarter.end}",
    )


def _meaning(description: str) -> str:
    """The first sentence, as far as there is room."""
    sentence = re.split(r"(?<=[a-z)])\. |\.$", " ".join(description.split()))[0]
    if len(sentence) <= MEANING:
        return sentence
    return sentence[:MEANING].rpartition(" ")[0].rstrip(",")


def _listed(linked: Mapping[str, tuple[str, ...]]) -> str:
    if not linked:
        return "Values: none of the known ones is named in the question; filter on none."
    lines = [f"{name}: {', '.join(map(quoted, values))}" for name, values in linked.items()]
    return "Values that the question may mean (data). " + "; ".join(lines)


def _days(time: dict[str, Any]) -> dict[str, Any]:
    return {key: time[key] for key in ("start", "end", "axis") if key in time}


def _filled(name: str, **values: object) -> str:
    return Template(_text(name)).substitute({k: str(v) for k, v in values.items()}).strip()


@cache
def _text(name: str) -> str:
    file = files("finops_assistant.agent") / "prompts" / f"{name}.md"
    return file.read_text(encoding="utf-8")
