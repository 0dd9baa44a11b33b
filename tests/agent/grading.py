"""Is an answer right: its cells against rows that plain SQL gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import duckdb

from finops_assistant.agent.answer import Answer
from finops_assistant.store.result import Result

Outcome = Literal["right", "wrong", "declined"]
DIGITS = Decimal("1e-12")
SET_ASIDE = {"currency", "rank"}


@dataclass(frozen=True)
class Line:
    """One row: what it is about, in whichever order of columns, and its figures."""

    keys: tuple[str, ...]
    figures: tuple[Decimal, ...]


@dataclass(frozen=True)
class Graded:
    """One question and what became of it; ``report`` says what was expected and what came."""

    id: str
    outcome: Outcome
    report: str


def grade(case: Mapping[str, Any], answer: Answer, con: duckdb.DuckDBPyConnection) -> Graded:
    """Judge one answer: a figure of no accepted reading is wrong, a question back is not."""
    if case["check"] == "status":
        accepted = [(case["status"], case["reason"])]
        accepted += [(other["status"], other["reason"]) for other in case.get("also", ())]
        outcome: Outcome = "right" if (answer.status, answer.reason) in accepted else "wrong"
        return Graded(case["id"], outcome, _report(case, str(accepted), answer))
    readings = [case["sql"], *(other["sql"] for other in case.get("also", ()))]
    golds = [[_line(row) for row in con.execute(sql).fetchall()] for sql in readings]
    if answer.status != "answered":
        outcome = "declined"
    elif any(_right(case, gold, answer) for gold in golds):
        outcome = "right"
    else:
        outcome = "wrong"
    return Graded(case["id"], outcome, _report(case, str(golds[0][:8]), answer))


def _right(case: Mapping[str, Any], gold: Sequence[Line], answer: Answer) -> bool:
    if not answer.results or not _compares_as_asked(answer.results[0], gold):
        return False
    lines = _lines(answer.results[0])  # the first result is the answer, the others stand beside it
    if case["check"] == "rows":
        return _same_table(case, gold, lines)
    (wanted,) = gold
    if case.get("among") and len(lines) > 1:
        lines = [line for line in lines if case["among"] in line.keys]
    elif case.get("key"):
        lines = [line for line in lines[:1] if line.keys == wanted.keys]
    named = any(_same(abs(wanted.figures[-1]), abs(cell)) for cell in _shown(answer))
    return len(lines) == 1 and _holds(wanted, lines[0]) and named


def _compares_as_asked(result: Result, gold: Sequence[Line]) -> bool:
    """Nobody who asks for one period wants another beside it."""
    compared = any(column.name.endswith("_previous") for column in result.columns)
    return not compared or any(len(line.figures) > 1 for line in gold)


def _same_table(case: Mapping[str, Any], gold: Sequence[Line], came: Sequence[Line]) -> bool:
    if not case.get("ordered"):
        gold, came = sorted(gold, key=_by_key), sorted(came, key=_by_key)
    return len(gold) == len(came) and all(
        wanted.keys == line.keys and _holds(wanted, line)
        for wanted, line in zip(gold, came, strict=True)
    )


def _by_key(line: Line) -> tuple[str, ...]:
    return line.keys


def _holds(wanted: Line, line: Line) -> bool:
    return all(any(_same(figure, cell) for cell in line.figures) for figure in wanted.figures)


def _same(wanted: Decimal, cell: Decimal) -> bool:
    return abs(wanted - cell) <= DIGITS * max(Decimal(1), abs(wanted))


def _lines(result: Result) -> list[Line]:
    """The rows that say something: one whose every figure is empty does not."""
    kept = [index for index, column in enumerate(result.columns) if column.name not in SET_ASIDE]
    lines = [_line([row[index] for index in kept]) for row in result.rows]
    return [line for line in lines if line.figures]


def _line(row: Sequence[Any]) -> Line:
    keys = tuple(sorted(_key(cell) for cell in row if isinstance(cell, str | date)))
    numbers = (cell for cell in row if isinstance(cell, int | float | Decimal))
    return Line(keys, tuple(Decimal(str(cell)) for cell in numbers))


def _key(cell: str | date) -> str:
    day = cell.date() if isinstance(cell, datetime) else cell
    return day.isoformat() if isinstance(day, date) else day


def _shown(answer: Answer) -> Iterator[Decimal]:
    """The cells that the answer's text names."""
    results = {result.id: result for result in answer.results}
    for number in answer.numbers:
        result = results[number["result"]]
        cell = result.rows[number["row"]][result.index(number["column"])]
        if isinstance(cell, int | float | Decimal):
            yield Decimal(str(cell))


def _report(case: Mapping[str, Any], expected: str, answer: Answer) -> str:
    came = [
        f"{[c.name for c in result.columns]} {[list(map(str, row)) for row in result.rows[:8]]}"
        f" of {result.row_count}; query {result.query}"
        for result in answer.results
    ]
    asked = f"; asked {answer.clarification}" if answer.clarification else ""
    return (
        f"{case['id']} {case['question']!r}\n    expected {expected}\n"
        f"    got {answer.status}/{answer.reason}: {answer.answer[:300]!r}{asked}\n"
        + "".join(f"    {line}\n" for line in came)
    )
