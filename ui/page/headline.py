"""The figures an answer opens with, for showing them large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from finops_assistant.agent import figures
from finops_assistant.agent.answer import Answer
from finops_assistant.agent.untrusted import plain
from finops_assistant.store.result import Result
from finops_assistant.ui.page.tables import words

MOST = 3


@dataclass(frozen=True)
class Change:
    """How the figure moved against the period before."""

    text: str
    direction: str  # up | down | level
    against: str


@dataclass(frozen=True)
class Figure:
    """One figure with what it is."""

    text: str
    caption: str
    change: Change | None = None


def headline(answer: Answer) -> list[Figure]:
    """The figures of the opening paragraph, the one that answers first; none for a "no"."""
    if answer.status != "answered" or not answer.results:
        return []
    opening = _opening(answer)
    shown: dict[tuple[str, int, str], Mapping[str, Any]] = {}
    for number in opening:
        column = str(number["column"])
        if not column.endswith(("_change", "_change_ratio", "_previous")):
            shown.setdefault((number["result"], number["row"], column), number)
    chosen = list(shown.values())[:MOST]
    return [_figure(number, opening, answer, first=chosen[0]) for number in chosen]


def _opening(answer: Answer) -> list[Mapping[str, Any]]:
    """The numbers that stand in the first block of the text, in their order."""
    block = answer.answer.split("\n\n", 1)[0]
    found, position = [], 0
    for number in answer.numbers:
        place = block.find(str(number["text"]), position)
        if place < 0:
            break
        found.append(number)
        position = place + len(str(number["text"]))
    return found


def _figure(
    number: Mapping[str, Any],
    opening: list[Mapping[str, Any]],
    answer: Answer,
    *,
    first: Mapping[str, Any],
) -> Figure:
    result = _result(answer, number)
    label = _row_label(result, int(number["row"]))
    if result is not answer.results[0] and not label:
        label = "All together"
    name = words(str(number["column"]))
    parts = [label, name, figures.days(result.scope.start, result.scope.end)]
    if number is not first and label and number["column"] == first["column"]:
        parts = [label]  # the rest stands over the first figure
    return Figure(_with_unit(number), " · ".join(p for p in parts if p), _change(number, opening))


def _result(answer: Answer, number: Mapping[str, Any]) -> Result:
    return next(result for result in answer.results if result.id == number["result"])


def _with_unit(number: Mapping[str, Any]) -> str:
    unit = str(number["unit"])
    return f"{number['text']} {unit}" if unit in {"hours", "tokens", "requests"} else number["text"]


def _row_label(result: Result, row: int) -> str:
    """What tells the row from the others: its names and its period."""
    parts = []
    for column, cell in zip(result.columns, result.rows[row], strict=True):
        if column.unit == "date" and isinstance(cell, date):
            parts.append(figures.period(cell, (result.query or {}).get("grain")))
        elif column.unit == "text" and isinstance(cell, str):
            parts.append(plain(cell))
    return ", ".join(parts)


def _change(number: Mapping[str, Any], opening: list[Mapping[str, Any]]) -> Change | None:
    def sibling(ending: str) -> Mapping[str, Any] | None:
        wanted = (number["result"], number["row"], f"{number['column']}{ending}")
        return next((n for n in opening if (n["result"], n["row"], n["column"]) == wanted), None)

    change, ratio, before = sibling("_change"), sibling("_change_ratio"), sibling("_previous")
    if change is None:
        return None
    value = change["value"]
    direction = "up" if value > 0 else "down" if value < 0 else "level"
    size = str(change["text"]).lstrip("+-")
    text = size + (f" ({ratio['text']})" if ratio else "")
    return Change(text, direction, f"from {before['text']}" if before else "")
