"""What the answer must say about how the question was read."""

from __future__ import annotations

from finops_assistant.agent.planner.reading import Reading
from finops_assistant.store.query import Filter, MetricQuery


def of_links(reading: Reading) -> list[str]:
    """Names that were not said as the data spells them."""
    notes = []
    for item in reading.chart.of("§v"):
        if item.payload is not None and item.payload.assumed:
            named = ", ".join(dict.fromkeys(c.canonical for c in item.payload.candidates))
            notes.append(f"I read “{item.payload.raw}” as {named}.")
    return notes


def of_carried(base: MetricQuery, query: MetricQuery, reading: Reading) -> list[str]:
    """Conditions that a follow-up kept from the question before."""
    kept = [_words(f, reading.lexicon.titles[f.dimension].lower())
            for f in query.filters if f in base.filters]  # fmt: skip
    return [f"Still for {', '.join(kept)}, as in the question before."] if kept else []


def _words(where: Filter, title: str) -> str:
    named = ", ".join(v.canonical for v in where.values)
    return {
        "not_in": f"{title} without {named}", "is_null": f"no {title}", "not_null": f"any {title}",
    }.get(where.op, f"{title} {named}")  # fmt: skip
