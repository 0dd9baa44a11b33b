"""Fill ``{r1.0.effective_cost}`` from result cells: the only way a figure enters an answer.

A template names result, row and column. Whoever phrases it, the composer here or a model, never
types a figure; what is filled is remembered with the place it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from finops_assistant.agent import figures, untrusted
from finops_assistant.store.result import Cell, Result

_PLACEHOLDER = re.compile(r"(?<!\\)\{(r\d+)\.(\d+)\.([A-Za-z_]\w*)(?:\|(unsigned|signed|bare))?\}")


class UnknownCellError(LookupError):
    """A placeholder that names no cell."""


@dataclass(frozen=True)
class Bound:
    """A stretch of the text that shows a cell."""

    start: int
    end: int
    text: str
    value: Cell
    unit: str
    result: str
    row: int
    column: str

    @property
    def is_number(self) -> bool:
        """Whether the cell is a figure rather than a name or a day."""
        return not isinstance(self.value, str | bool | date | None)

    def to_json(self) -> dict[str, Any]:
        """The entry of ``numbers`` in an answer."""
        return {
            "text": self.text,
            "value": self.value,
            "unit": self.unit,
            "result": self.result,
            "row": self.row,
            "column": self.column,
        }


@dataclass(frozen=True)
class Filled:
    """A text whose every figure is bound to a cell."""

    text: str
    bound: tuple[Bound, ...]


def fill(template: str, results: Mapping[str, Result]) -> Filled:
    """Replace the placeholders. Raises ``UnknownCellError`` when one names no cell.

    ``|signed`` writes a plus before a rise, ``|unsigned`` drops the sign ("down $3"), ``|bare``
    leaves out "per …", which a table says in its heading.
    """
    parts: list[str] = []
    bound: list[Bound] = []
    length = position = 0
    for found in _PLACEHOLDER.finditer(template):
        literal = template[position : found.start()]
        shown = _show(found, results, length + len(literal))
        parts += [literal, shown.text]
        bound.append(shown)
        length = shown.end
        position = found.end()
    parts.append(template[position:])
    return Filled("".join(parts), tuple(bound))


def _show(found: re.Match[str], results: Mapping[str, Result], start: int) -> Bound:
    result_id, row, name, how = found[1], int(found[2]), found[3], found[4]
    try:
        result = results[result_id]
        position = result.index(name)
        value = result.rows[row][position]
    except (KeyError, ValueError, IndexError):
        raise UnknownCellError(f"{found.group()} names no cell") from None
    unit = result.columns[position].unit
    currency = row_currency(result, row)
    if isinstance(value, str):
        text = untrusted.markdown(value)
    else:
        plus = how == "signed" and not isinstance(value, date | None) and value > 0
        if how == "unsigned" and not isinstance(value, date | None):
            shown: Cell = -value if value < 0 else value
        else:
            shown = value
        grain = (result.query or {}).get("grain")
        shown_unit = unit.partition("/")[0] if how == "bare" else unit
        text = figures.cell(shown, shown_unit, grain=grain, currency=currency)
        text = f"+{text}" if plus else text
    return Bound(
        start=start,
        end=start + len(text),
        text=text,
        value=value,
        unit=unit.replace("currency", currency, 1) if unit.startswith("currency") else unit,
        result=result_id,
        row=row,
        column=name,
    )


def row_currency(result: Result, row: int) -> str:
    """The currency a row's amounts are in: its own where rows differ, else the result's."""
    names = [column.name for column in result.columns]
    if "currency" in names:
        return str(result.rows[row][names.index("currency")])
    return result.scope.currency
