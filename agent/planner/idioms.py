"""Idioms of the trade that mean more, or less, than their words.

``input vs output tokens`` are two measures, ``output token cost`` is a condition, ``cloud spend``
is all of it, and ``where does the money go`` asks for the services.
"""

from __future__ import annotations

from finops_assistant.agent.planner.chart import Chart, rule
from finops_assistant.agent.planner.names import Candidate, NameIndex
from finops_assistant.agent.planner.text import table
from finops_assistant.agent.planner.values import Link
from finops_assistant.store.query import Filter, FilterValue

_ALL = {
    "idiom.all_tech": "every charge in the data",
    "idiom.all_sources": "everything in the data, whoever bills it",
}
_LEFT = ("top", "biggest", "main", "largest", "they", "it")  # other rules read these
_MODELS = ("llm", "llms", "ai", "model", "models", "language", "api", "apis")


def annotate(chart: Chart) -> list[str]:
    """Fold the idioms; runs before the lexicon. Returns what the answer must state."""
    _directions(chart)
    while hit := chart.first(rule("idiom.discounts")):
        chart.collapse(hit.first, hit.last, "§m", "savings")
    return [*_cloud(chart), *_services(chart), *_models(chart)]


def everything(chart: Chart) -> list[str]:
    """``cloud and AI costs`` is all of it, and so is ``cloud and API together``. Runs before names
    are linked, which would make the second word a condition."""
    notes = []
    for name, meaning in _ALL.items():
        for hit in chart.find(rule(name)):
            hit.mark("idiom")
            words = chart.text[hit.items[0].start : hit.items[-1].end].lstrip(", ")
            notes.append(f"“{words}” is taken as {meaning}.")
    return notes


def occasion(chart: Chart, index: NameIndex) -> None:
    """``for the board pack`` says what a figure is for, unless a value bears one of its names."""
    grammar = frozenset(table("words")["function_words"])
    for hit in chart.find(rule("occasion")):
        if not any(i.symbol not in grammar and index.exact(i.text) for i in hit.items):
            hit.mark("filler")


def polite(chart: Chart) -> None:
    """Phrases that carry no condition: "everything included", "as far as you have data"."""
    for hit in chart.find(rule("polite")):
        free = all((i.role in (None, "filler") and not i.symbol.startswith("§")) or i.symbol == "§v"
                   for i in hit.items)  # fmt: skip
        if free:
            hit.mark("filler")


def _cloud(chart: Chart) -> list[str]:
    while hit := chart.first(rule("idiom.clouds")):
        chart.collapse(hit.last - 1, hit.last, "§d", "provider")
    found = chart.find(rule("idiom.cloud"))
    for hit in found:
        hit.mark("idiom")
    return ["“Cloud” is taken as every provider in the data."] if found else []


def _services(chart: Chart) -> list[str]:
    if chart.of("§d"):
        return []
    hit = chart.first(rule("idiom.services"))
    if hit is None:
        return []
    for item in hit.items:
        plain = item.kind != "number" and not item.symbol.startswith("§")
        if item.role is None and plain and item.symbol not in _LEFT:
            item.role = "idiom"
    chart.insert(hit.last, "§d", "service")
    chart.items[hit.last].text = "services"
    return ["That is taken as a question about services."]


def _models(chart: Chart) -> list[str]:
    """``Model API spend`` is what models cost, not a breakdown; ``LLM spend`` is AI spend."""
    for hit in chart.find(rule("idiom.models")):
        if hit.group("b", "b2"):
            continue
        said = [i for i in hit.items if i.symbol in _MODELS]
        first, last = chart.position(said[0]), chart.position(said[-1]) + 1
        if said[0].symbol in ("llm", "llms"):
            value = FilterValue(raw=said[0].text, canonical="AI", method="context")
            named = Filter(dimension="technology", op="in", values=(value,))
            chart.collapse(first, last, "§f", named, "filter")
            return [f"“{value.raw}” spend is taken as AI spend."]
        named = Filter(dimension="model", op="not_null")
        chart.collapse(first, last, "§f", named, "filter")
        return ["That is taken as the charges that name a model."]
    return []


def _directions(chart: Chart) -> None:
    while hit := chart.first(rule("idiom.directions")):
        chart.collapse(hit.first, hit.last, "§d", "token_direction").text = "token directions"
        # The cost word was part of the phrase: it stays the measure.
        chart.insert(hit.first, "§m", "effective_cost")
    if chart.has(rule("idiom.directions_apart")) and chart.has(rule("idiom.money")):
        while hit := chart.first(rule("idiom.one_direction")):
            chart.collapse(hit.first, hit.last, "§v", _direction(hit["w"]))
    while hit := chart.first(rule("idiom.direction")):
        chart.collapse(hit.first, hit.last, "§v", _direction(hit.group("w", "x")))
        chart.insert(hit.first, "§m", "effective_cost")
    while hit := chart.first(rule("idiom.direction_price")):
        chart.collapse(hit.first, hit.last, "§m", "cost_per_1m_tokens")
        chart.insert(hit.first + 1, "§v", _direction(hit["w"]))
    while hit := chart.first(rule("idiom.both_directions")):
        chart.collapse(hit.first, hit.last, "§m", "input_tokens")
        chart.insert(hit.first + 1, "§m", "output_tokens")


def _direction(word: str) -> Link:
    value = "Input" if word in ("input", "prompt") else "Output"
    return Link(f"{word} tokens", (Candidate("token_direction", value, "context"),))
