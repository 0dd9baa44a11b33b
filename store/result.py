"""What a query returns: typed columns, rows, and everything that makes the figures checkable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

Cell = str | int | float | Decimal | date | datetime | bool | None

MAX_ROWS = 1000


@dataclass(frozen=True)
class Column:
    """One output column. ``unit`` is a currency code, ``tokens``, ``requests``, ``hours``,
    ``ratio``, ``count``, ``date``, ``text``, or ``<currency>/<unit>`` for a unit cost.
    A column whose rows have currencies of their own has the unit ``currency``."""

    name: str
    unit: str


@dataclass(frozen=True)
class Scope:
    """What the figures cover. ``end`` is exclusive; ``filters`` include those of the principal."""

    start: date
    end: date
    filters: tuple[dict[str, Any], ...] = ()
    currency: str = ""
    cost_metric: str = ""
    data_through: datetime | None = None


@dataclass(frozen=True)
class Result:
    """One table of figures with its evidence: the only source of numbers in an answer."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_count: int
    truncated: bool
    query: dict[str, Any] | None
    sql: str
    scope: Scope
    notes: tuple[str, ...] = field(default=())  # what a reader must know: lag, mixed currency, …

    def named(self, result_id: str) -> Result:
        """The same result under another id."""
        return replace(self, id=result_id)

    def index(self, column: str) -> int:
        """Position of a column by name."""
        return [c.name for c in self.columns].index(column)

    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame: Decimals kept, dates as zone-aware UTC timestamps."""
        import pandas as pd

        frame = pd.DataFrame(
            [list(row) for row in self.rows], columns=[c.name for c in self.columns], dtype=object
        )
        for column in self.columns:
            if column.unit == "date":
                frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
        return frame
