"""What stands beside a result's figures: title, scope and the notes a reader needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from finops_assistant.store.catalogue import Catalogue
from finops_assistant.store.compile_shape import Flag
from finops_assistant.store.facts import Facts
from finops_assistant.store.metrics import Metric, Semantics
from finops_assistant.store.query import Filter, MetricQuery, TimeSpec
from finops_assistant.store.result import Cell, Scope

# A provider that is silent for longer than this before a period has left; it does not lag.
LEFT_AFTER = timedelta(days=60)
_DAY = timedelta(days=1)
_ALMOST_ALL = 0.9995  # what is shown as less than all of it
COVERAGE = "Coverage"
MOST_NAMESAKES = 3
SHORTEST_NAMESAKE = 3


def title(query: MetricQuery, semantics: Semantics) -> str:
    """A heading such as ``Effective cost by team and month, 2026-10-01 to 2026-10-31``."""
    by = [semantics.dimensions[name].title.lower() for name in query.dimensions]
    if query.show == "count":
        counted = semantics.dimensions[query.dimensions[0]].plural
        head, by = f"Number of {counted}", []
    else:
        head = _and(semantics.metrics[name].title for name in query.metrics)
    by += [query.grain] if query.grain else []
    what = {"share": "Share of ", "rank": "Rank by ", "pareto": "Running share of "}
    if query.show in what:
        head = what[query.show] + head[0].lower() + head[1:]
    return f"{head}{f' by {_and(by)}' if by else ''}, {_days(query.time)}"


def scope(
    query: MetricQuery,
    semantics: Semantics,
    principal_filters: Iterable[dict[str, Any]],
    facts: Facts,
    today: date,
    currencies: Sequence[str],
) -> Scope:
    """What the figures cover; ``end`` is no later than today."""
    costs = dict.fromkeys(
        name for metric in query.metrics for name in _costs(semantics, metric, query)
    )
    counted = query.show == "count"
    midnight = datetime.combine(today, datetime.min.time(), UTC)
    return Scope(
        start=query.time.start,
        end=min(query.time.end, today),
        filters=(*principal_filters, *map(_filter, query.filters)),
        currency="" if counted or not costs else ", ".join(currencies),
        cost_metric="" if counted else ", ".join(costs),
        data_through=min(facts.data_through, midnight),
    )


def notes(
    query: MetricQuery, facts: Facts, today: date, currencies: Sequence[str], late: Sequence[str]
) -> tuple[str, ...]:
    """Sentences on what the figures leave out: a period that is not over, days before the first
    loaded one, providers (``late``) whose data ends early, currencies that stay apart."""
    found = []
    through = min(facts.last_day, today - _DAY)
    if query.time.end > through + _DAY:
        found.append(f"The period is not complete: figures run through {through}.")
    times = [query.time, query.compare.baseline if query.compare else None]
    for time, name in zip(times, ("The period", "The period compared with"), strict=True):
        if time and time.axis == "charge" and time.start < facts.first_day < time.end:
            found.append(f"{name} is only partly loaded: data begins on {facts.first_day}.")
    found += [f"{name}'s data ends on {facts.providers[name]}." for name in late]
    if len(currencies) > 1:
        found.append(f"Amounts in {_and(currencies)} are shown apart; they are never added.")
    return tuple(found)


def usage_notes(
    query: MetricQuery,
    semantics: Semantics,
    facts: Facts,
    today: date,
    seen: Collection[str] | None,
    flag: Flag,
) -> tuple[str, ...]:
    """Sentences on model usage, where a figure rests on it: days that it lacks, figures that a
    provider does not give, bills of tokens without usage. ``seen`` are the providers of the rows in
    question, None for all."""
    metrics = [semantics.metrics[name] for name in query.metrics]
    if query.show == "count" or not any("usage" in semantics.facts(m) for m in metrics):
        return ()
    found = []
    if flag == "ChosenDetail":
        named = [semantics.dimensions[f.dimension] for f in query.filters]
        named += [semantics.dimensions[name] for name in query.dimensions]
        what = _and(dict.fromkeys(d.title.lower() for d in named if d.detail) or ["that"])
        found.append(f"Usage by {what} counts only what the sources that know it have recorded.")
    entries = [e for e in facts.usage if seen is None or e.provider in seen]
    last = min(query.time.end, today, facts.last_day + _DAY) - _DAY
    for entry in entries:
        whose = f"Model usage of {entry.provider}" if entry.provider else "Model usage"
        if query.time.start <= entry.last_day < last:
            found.append(f"{whose} ends on {entry.last_day}.")
        began = facts.began.get(entry.provider, facts.first_day)
        if max(query.time.start, began) < entry.first_day < query.time.end:
            found.append(f"{whose} begins on {entry.first_day}.")
    for metric in metrics:
        below = semantics.metrics[metric.denominator] if metric.kind == "ratio" else metric
        lacking = unknown(below, facts, seen)
        if below.fact == "usage" and lacking:
            found.append(f"Of {_and(lacking)} no {below.plural} are known: none are counted.")
    silent = sorted(facts.token_bills - {e.provider for e in facts.usage})
    silent = [name for name in silent if seen is None or name in seen]
    if silent:
        verb = "bills" if len(silent) == 1 else "bill"
        found.append(f"{_and(silent)} {verb} tokens, and no usage that counts them is loaded.")
    return tuple(dict.fromkeys(found))


def unknown(metric: Metric, facts: Facts, seen: Collection[str] | None) -> list[str]:
    """The providers in question whose model usage does not tell a metric."""
    entries = [e for e in facts.usage if e.provider and (seen is None or e.provider in seen)]
    return [e.provider for e in entries if metric.value not in e.measures]


def unmet(query: MetricQuery, semantics: Semantics) -> tuple[str, ...]:
    """Why a ratio of cost to usage found nothing, although both are there."""
    metrics = [semantics.metrics[name] for name in query.metrics]
    return tuple(
        f"No cost and no {semantics.metrics[metric.denominator].plural} are of the same provider, "
        "account, model and day."
        for metric in metrics
        if metric.match
    )


def unheard(
    query: MetricQuery, semantics: Semantics, facts: Facts, seen: Collection[str] | None
) -> str:
    """Why a query over model usage found nothing, if that is because nobody in question tells it:
    a sentence, else ''."""
    for name in query.metrics:
        metric = semantics.metrics[name]
        below = semantics.metrics[metric.denominator] if metric.kind == "ratio" else metric
        if below.fact == "usage" and seen:
            lacking = unknown(below, facts, seen)
            if lacking and set(lacking) == {e.provider for e in facts.usage} & set(seen):
                return (
                    f"No {below.plural} are known for {_and(lacking)}: what is loaded counts its "
                    "tokens only. Its usage report, or a gateway's log, may tell them."
                )
    return ""


def covered(columns: Sequence[str], row: Sequence[Cell], semantics: Semantics) -> tuple[str, ...]:
    """Sentences on shares that are less than the whole; ``columns`` are those of
    ``compile_coverage``."""
    found = zip(columns, row, strict=False)
    return tuple(share_sentence(n, f"{v:.1%}", semantics) for n, v in found if is_part(v))


def is_part(share: Cell) -> bool:
    """Whether a share is told: it is there, and less than the whole."""
    return isinstance(share, float) and share <= _ALMOST_ALL


def share_sentence(column: str, shown: str, semantics: Semantics) -> str:
    """What a share says, with its figure as it is ``shown``."""
    name, _, how = column.rpartition("_")
    what = semantics.metrics[name].plural
    match how:
        case "known":
            return f"These sources cover {shown} of the {what}."
        case "billed":
            return f"Of the {what}, {shown} have a bill on their day: only they count."
        case _:
            return f"Of the cost in question, {shown} has usage on its day: only that counts."


def stated(query: MetricQuery, semantics: Semantics) -> tuple[str, ...]:
    """What a value in the question stands for, where its name does not say it."""
    found: dict[str, None] = {}
    for where in query.filters:
        meanings = semantics.dimensions[where.dimension].stated
        for value in where.values:
            if value.canonical in meanings:
                found[meanings[value.canonical]] = None
    for name in query.dimensions:
        found |= dict.fromkeys(semantics.dimensions[name].stated.values())
    return tuple(found)


def namesakes(query: MetricQuery, semantics: Semantics, catalogue: Catalogue) -> tuple[str, ...]:
    """Sentences on values that a reader may take for the one that was asked for: tags are literal,
    so ``production`` is not ``prod`` and ``search-infra`` is not ``search``."""
    found = []
    for where in query.filters:
        dimension = semantics.dimensions[where.dimension]
        if not dimension.tag or where.op not in ("in", "not_in"):
            continue
        asked = {value.canonical for value in where.values}
        near = [
            value
            for value in catalogue.values(where.dimension)
            if value not in asked and any(_begins(value, one) for one in asked)
        ]
        if near and len(near) <= MOST_NAMESAKES:
            part = "not part of" if where.op == "in" else "counted in"
            own, verb = ("a value of its own", "is") if len(near) == 1 else ("apart", "are")
            found.append(f"{dimension.title} {_and(near)}, {own}, {verb} {part} these figures.")
    return tuple(found)


def _begins(value: str, asked: str) -> bool:
    one, other = sorted((value.casefold(), asked.casefold()), key=len)
    return len(one) >= SHORTEST_NAMESAKE and other.startswith(one)


def lagging(query: MetricQuery, facts: Facts, today: date) -> tuple[str, ...]:
    """The providers whose data ends before the period does."""
    last = min(query.time.end, today, facts.last_day + _DAY) - _DAY
    since = lag_window(query, facts)
    return tuple(sorted(name for name, ends in facts.providers.items() if since <= ends < last))


def lag_window(query: MetricQuery, facts: Facts) -> date:
    """The first day on which a provider that lags in the period has rows."""
    return max(query.time.start, facts.first_day) - LEFT_AFTER


def _costs(semantics: Semantics, name: str, query: MetricQuery) -> list[str]:
    metric = semantics.metrics[name]
    if not metric.money:
        return []
    return [semantics.numerator(metric, query.basis).name if metric.kind == "ratio" else name]


def _filter(where: Filter) -> dict[str, Any]:
    values = [value.canonical for value in where.values]
    return {"dimension": where.dimension, "op": where.op, "values": values}


def _days(time: TimeSpec) -> str:
    last = time.end - _DAY
    return str(time.start) if last == time.start else f"{time.start} to {last}"


def _and(names: Iterable[str]) -> str:
    *first, last = list(names)
    return f"{', '.join(first)} and {last}" if first else last
