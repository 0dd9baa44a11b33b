"""What this version does not do, said plainly: writes, intents to come, and what is off topic."""

from __future__ import annotations

import re
from typing import Any

from finops_assistant.agent.plan import AbstainPlan, DescribePlan, RefusePlan, Step
from finops_assistant.agent.planner.chart import Chart, pattern, rule
from finops_assistant.agent.planner.text import MAX_LENGTH, table
from finops_assistant.agent.planner.view import PlannerView

EXAMPLES = "“what did we spend last month”, “cost by team in September” or “top services on AWS”"


def unreadable(text: str) -> Step | None:
    """A question that is empty, holds no word, or is too long to be one."""
    if not text.strip():
        return _off(f"The question is empty. Ask, for example, {EXAMPLES}.")
    if len(text) > MAX_LENGTH:
        return _off(
            "That is too long for one question. Ask one question of at most two thousand "
            f"characters, for example {EXAMPLES}."
        )
    if not re.search(r"[^\W_]", text):
        return _off(f"I see no words in that. Ask, for example, {EXAMPLES}.")
    return None


def claims(chart: Chart) -> bool:
    """Mark role claims and orders to the program: they change nothing. True if there were any."""
    found = False
    for expression in table("intents")["claims"]:
        for hit in list(chart.find(expression)):
            found = True
            for item in hit.items:
                item.role = "claim"
    return found


def declined(chart: Chart) -> Step | None:
    """The answer to a write request or to an intent that is not built yet."""
    rules: dict[str, Any] = table("intents")
    line = " ".join(i.symbol.replace(" ", "_") for i in chart.items if i.role != "claim")
    line = re.sub(r" [?!.,;:]+(?= |$)", "", line).strip()
    clauses = [line, *(c.strip() for c in re.split(r" (?:[;.!?,]|and then|then) ", chart.line))]
    if any(pattern(p).fullmatch(c) for p in rules["write"] for c in clauses):
        return RefusePlan(
            reason="WRITE_ACTION",
            message="I only read cost data: I never change, buy, stop or delete anything.",
        )
    if any(pattern(p).fullmatch(line) for p in rules["secrets"]):
        return RefusePlan(
            reason="NOT_PERMITTED",
            message="I answer questions about cost data only, not about credentials or my setup.",
        )
    return None


def later(chart: Chart) -> Step | None:
    """An intent that a later version builds."""
    line = re.sub(r"(?:^| )[?!.,;:]+(?= |$)", "", chart.line).strip()
    priced = pattern(rule("later.priced")).fullmatch(line) is not None
    for name, intent in table("intents")["later"].items():
        if priced and name in ("what_if", "estimate"):
            continue  # "what would Q2 come to at list prices" is a measure of the past
        if any(pattern(p).fullmatch(line) for p in intent["patterns"]):
            return _off(
                f"I can't {intent['does']} yet: this version answers from the cost store only. "
                f"I can show you {intent['instead'].replace('§c', 'cost')}."
            )
    return None


def describes(chart: Chart) -> DescribePlan | None:
    """Questions about the store itself."""
    line = re.sub(r"(?:^| )[?!.,;:]+(?= |$)", "", chart.line).strip()
    for topic, patterns in table("intents")["describe"].items():
        if any(pattern(p).fullmatch(line) for p in patterns):
            return DescribePlan(topic=topic)
    return None


def sourceless(chart: Chart, view: PlannerView) -> Step | None:
    """A measure whose data is not loaded: said before any name is asked back."""
    asked = [view.semantics.metrics[i.payload] for i in chart.of("§m")]
    missing = [m for m in asked if not view.semantics.known(m, view.facts.measured)]
    if not missing or any(m not in missing for m in asked if m.name != "effective_cost"):
        return None
    title = missing[0].title
    return AbstainPlan(
        reason="NO_DATA_SOURCE",
        message=f"There is no figure for {title[0].lower()}{title[1:]}: it comes from model usage "
        "(the vendors' usage reports or a gateway's logs), which is not loaded.",
    )


def off_topic() -> Step:
    """A question that says nothing about cost."""
    return _off(f"I answer questions about the cost data in this store, such as {EXAMPLES}.")


def foreign(chart: Chart) -> Step | None:
    """A question in another language, told so in that language."""
    languages: dict[str, dict[str, Any]] = table("languages")
    words = [i.symbol for i in chart.items if i.kind == "word"]
    best, most = None, 0
    for entry in languages.values():
        script = entry.get("script")
        hits = sum(w in entry["words"] for w in words)
        if script and re.search(script, chart.text):
            hits = 99
        if hits > most:
            best, most = entry, hits
    if best is not None and (most >= 99 or (most >= 2 and most * 4 >= len(words))):
        return _off(str(best["message"]))
    return None


def _off(message: str) -> AbstainPlan:
    return AbstainPlan(reason="OUT_OF_SCOPE", message=message)
