"""Whether a model's query does justice to the question: nothing invented, nothing dropped.

A query that fits the schema is not yet a right one. Whatever it does must be asked for in the
question or come from the question before; what the question says must be in it. Where the embedded
planner is sure of its reading, that reading binds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from finops_assistant.agent.accord import contradictions, earlier, sure
from finops_assistant.agent.plan import DescribePlan, Plan, QueryPlan
from finops_assistant.agent.planner.lexicon import lexicon_of
from finops_assistant.agent.planner.names import index_of, plain
from finops_assistant.agent.planner.parse import parse
from finops_assistant.agent.planner.text import fold
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import Filter, MetricQuery, TimeSpec
from finops_assistant.tools.schema import Names

DEFAULT = "effective_cost"
_VAGUE = frozenset({"per", "unit", "rate", "price", "prices"})  # of many metrics
_ABSENT = re.compile(
    r"\b(?:un\w+ed|un\w+able|no|not|none|without|missing|lacks?|blank|empty|null)\b"
)
_NAMING = "for|on|from|by|to|at|in|of|excluding|except|without|called|named|pay|paid|use|using"
_SMALL = frozenset(
    re.findall(
        r"\w+",
        """about above across after against along among around before behind below beside between
        beyond down during inside into off onto out over per regarding through toward towards under
        until up upon via within whole entire individual single various respective""",
    )
)
# What a question must hold somewhere for a query to compare, to go by time, to cut, to sift.
_CUES = {
    "compare": re.compile(
        r"\b(?:compar\w*|vs|versus|than|chang\w+|gr[eo]w\w*|ris\w+|rose|f[ae]ll\w*|drop\w*|more|"
        r"less|increas\w+|decreas\w+|declin\w+|previous|prior|before|earlier|ago|year on year|yoy|"
        r"mom|qoq|delta|differ\w*|against|cheaper|dearer|up|down|moved?|evol\w+|trend\w*)\b"
    ),
    "grain": re.compile(
        r"\b(?:hour\w*|da(?:y|ys|ily)|week\w*|month\w*|quarter\w*|year\w*|annual\w*|trend\w*|"
        r"over time|develop\w*|evol\w+|history|timeline|series|curve|moved?)\b"
    ),
    "limit": re.compile(
        r"\b(?:\d{1,3}|top|bottom|lead\w*|most|least|few|\w{3,}est|two|three|four|five|six|seven|eight|"
        r"nine|ten|dozen)\b"
    ),
    "having": re.compile(
        r"\b(?:over|above|more|less|under|below|exceed\w*|least|greater|fewer|cross\w*|beyond)\b"
    ),
}


def objections(
    query: MetricQuery,
    question: str,
    draft: Plan,
    view: PlannerView,
    linked: Mapping[str, tuple[str, ...]],
) -> list[str]:
    """What is wrong with the query, each in a line that a model can act on; none if it is sound."""
    if sure(draft) and isinstance(draft.step, DescribePlan):
        return ["The question asks what there is: use describe_data."]
    wrong = _invented(query, question, view, linked, draft) + _dropped(query, draft, view)
    wrong += _unheeded(query, question, draft, view)
    if sure(draft) and isinstance(draft.step, QueryPlan):
        return wrong + contradictions(query, draft.step.query)
    return wrong + _unasked(query, question, draft, view) + _misread(query, draft, view)


def offered(
    names: Names,
    question: str,
    draft: Plan,
    view: PlannerView,
    values: Mapping[str, tuple[str, ...]],
) -> Names:
    """The names that the question gives any ground for, for a server that enforces them."""
    asked = _Asked(question, draft, view)
    bare = {f.op for f in asked.filters} & {"is_null", "not_null"}
    if _ABSENT.search(plain(fold(question))):
        bare.add("is_null")
    meant = draft.step.query.time if isinstance(draft.step, QueryPlan) else period(draft, view)
    return Names(
        metrics=tuple(n for n in names.metrics if asked.metric(n)),
        dimensions=tuple(n for n in names.dimensions if n in asked.dimensions),
        values=values,
        bare_ops=tuple(sorted(bare)),
        period=(str(meant.start), str(meant.end)) if meant is not None else None,
        without=frozenset(part for part in _CUES if not asked.part(part)),
    )


def sql_objections(sql: str, draft: Plan, view: PlannerView) -> list[str]:
    """What is wrong with free SQL: a metric would do, or a name of the question is left out."""
    if isinstance(draft.step, QueryPlan):
        return ["A metric answers this: use query_costs."]
    index = index_of(view.catalogue, view.semantics)
    text = fold(sql)
    wrong = []
    for span in draft.spans:
        meant = [fold(c.canonical) for c in index.exact(span.text.strip("\"'`“”"))]
        if span.role in ("value", "negated") and meant and not any(m in text for m in meant):
            wrong.append(f"The question names {span.text!r}, and the statement does not.")
    return wrong


def _invented(
    query: MetricQuery,
    question: str,
    view: PlannerView,
    linked: Mapping[str, tuple[str, ...]],
    draft: Plan,
) -> list[str]:
    known = _Asked(question, draft, view).filters
    words = plain(fold(question))
    wrong = []
    for where in query.filters:
        if where.op in ("is_null", "not_null"):
            stated = any((f.dimension, f.op) == (where.dimension, where.op) for f in known)
            if not (stated or (where.op == "is_null" and _ABSENT.search(words))):
                wrong.append(f"The question does not ask whether there is a {where.dimension}.")
            continue
        near = {fold(v) for v in linked.get(where.dimension, ())}
        for value in where.values:
            name = fold(value.canonical)
            if name not in near and not _said(plain(name), words):
                wrong.append(f"The question does not name {where.dimension} {value.canonical!r}.")
    return wrong


def _dropped(query: MetricQuery, draft: Plan, view: PlannerView) -> list[str]:
    """Names that the planner recognised, by their spans, whatever became of the rest."""
    index = index_of(view.catalogue, view.semantics)
    used = {(fold(v.canonical), f.op == "not_in") for f in query.filters for v in f.values}
    wrong = []
    for span in draft.spans:
        if span.role not in ("value", "negated"):
            continue
        meant = {fold(c.canonical) for c in index.exact(span.text.strip("\"'`“”"))}
        against = span.role == "negated"
        if meant and not any((name, against) in used for name in meant):
            how = "excludes" if against else "names"
            wrong.append(f"The question {how} {span.text!r}, and the query does not.")
    return wrong


def _unheeded(query: MetricQuery, question: str, draft: Plan, view: PlannerView) -> list[str]:
    """Words that look like names and that no value of the query accounts for."""
    values = [plain(fold(v.canonical)) for f in query.filters for v in f.values]
    dimensions = lexicon_of(view.semantics).dimensions
    return [
        f"The question names {word!r}, which is no known value, and the query leaves it out."
        for word in draft.unconsumed
        if fold(word) not in dimensions
        and _looks_like_a_name(word, question, dimensions)
        and not any(_alike(plain(fold(word)), value) for value in values)
    ]


class _Asked:
    """What the words of a question, its draft and the question before give ground for."""

    def __init__(self, question: str, draft: Plan, view: PlannerView) -> None:
        self._lexicon = lexicon_of(view.semantics)
        self._words = " ".join(re.findall(r"[^\W_]+", plain(fold(question))))
        own = draft.step.query if isinstance(draft.step, QueryPlan) else None
        self._before = [query for query in (own, earlier(draft, view)) if query is not None]

    @property
    def filters(self) -> list[Filter]:
        """The conditions of the draft and of the question before."""
        return [f for query in self._before for f in query.filters]

    @property
    def dimensions(self) -> set[str]:
        """The dimensions that are named, or were before."""
        named = self._lexicon.dimensions.items()
        said = {name for phrase, name in named if f" {phrase} " in f" {self._words} "}
        return said | {d for query in self._before for d in query.dimensions}

    def metric(self, name: str) -> bool:
        """Whether a word tells this metric from plain cost, which needs none."""
        if name == DEFAULT or any(name in query.metrics for query in self._before):
            return True
        phrases = self._lexicon.metrics.items()
        own = {w for phrase, metric in phrases if metric == name for w in phrase.split()}
        usual = {w for phrase, metric in phrases if metric == DEFAULT for w in phrase.split()}
        telling = {w for w in own - usual - _VAGUE - self._lexicon.filler if len(w) > 2}
        return not telling.isdisjoint(self._words.split())

    def part(self, name: str) -> bool:
        """Whether the question gives cause to compare, to go by time, to cut or to sift."""
        if any(getattr(query, name) for query in self._before):
            return True
        return _CUES[name].search(self._words) is not None


def _unasked(query: MetricQuery, question: str, draft: Plan, view: PlannerView) -> list[str]:
    """Parts of the query that no word of the question asks for."""
    asked = _Asked(question, draft, view)
    wrong = [f"The question does not ask for {n}." for n in query.metrics if not asked.metric(n)]
    known = asked.dimensions | {f.dimension for f in query.filters}
    unsaid = [name for name in query.dimensions if name not in known]
    # A word that the planner does not know may mean a breakdown, but not several.
    if len(unsaid) > (1 if draft.unconsumed else 0):
        wrong.append(f"The question asks for no breakdown by {' and '.join(unsaid)}.")
    wrong += [
        f"The question asks for no {part}."
        for part in _CUES
        if getattr(query, part) and not asked.part(part)
    ]
    return wrong


def _misread(query: MetricQuery, draft: Plan, view: PlannerView) -> list[str]:
    """Parts of the question that the planner did understand, and the query has otherwise."""
    lexicon = lexicon_of(view.semantics)
    used = {*query.dimensions, *(f.dimension for f in query.filters)}
    wrong = []
    for span in draft.spans:
        metric = lexicon.metrics.get(fold(span.text)) if span.role == "metric" else None
        if metric and metric != DEFAULT and metric not in query.metrics:
            wrong.append(f"The question asks for {metric}.")
        dimension = lexicon.dimensions.get(fold(span.text)) if span.role == "dimension" else None
        if dimension and dimension not in used:
            wrong.append(f"The question asks for {dimension}.")
    meant = period(draft, view)
    if meant is not None and (meant.start, meant.end) != (query.time.start, query.time.end):
        wrong.append(f"The period is {meant.start} to {meant.end}.")
    elif query.time.start.day == 1 and _last_of_month(query.time):
        wrong.append("`end` is the first day that is not included: the month is not whole.")
    return wrong


def period(draft: Plan, view: PlannerView) -> TimeSpec | None:
    """The one period that the draft's own words of time mean, if they do."""
    said = " ".join(span.text for span in draft.spans if span.role == "time")
    if not said:
        return None
    alone = parse(f"total cost {said}", replace(view, previous=None, previous_results=())).step
    if not isinstance(alone, QueryPlan) or alone.query.compare or alone.query.grain:
        return None
    return alone.query.time if alone.query.time.source == "stated" else None


def _last_of_month(time: TimeSpec) -> bool:
    return (time.end + timedelta(days=1)).day == 1 and time.end > time.start


def _said(name: str, words: str) -> bool:
    """Whether the question holds the name, or a word of four letters or more that begins like one
    of its words."""
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words):
        return True
    return any(_alike(word, name) for word in re.findall(r"[^\W_][\w.-]*", words))


def _alike(word: str, name: str) -> bool:
    from rapidfuzz import fuzz

    if fuzz.ratio(word, name) >= 80:
        return True
    return len(word) > 3 and any(
        part[:4] == word[:4] or fuzz.ratio(word, part) >= 80
        for part in re.findall(r"[^\W_]+", name)
        if len(part) > 3
    )


def _looks_like_a_name(word: str, question: str, dimensions: Mapping[str, str]) -> bool:
    if word.casefold() in _SMALL:
        return False
    if re.search(r"[\d_-]", word):
        return True
    at = question.find(word)
    if at > 0 and word[:1].isupper():
        return True
    before = question[:at].split()[-1:]
    after = re.findall(r"\w+", question[at + len(word) :])[:1]
    beside = any(fold(w) in dimensions for w in (*before, *after))
    placed = re.search(
        rf"\b(?:{_NAMING})(?: the| our)? {re.escape(word)}\b", question, re.IGNORECASE
    )
    return beside or placed is not None
