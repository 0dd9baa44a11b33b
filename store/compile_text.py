"""SQL as text, laid out to be read: a SELECT with its clauses, and a statement of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass
class Select:
    """One SELECT. ``columns`` are (expression, alias) pairs; ``where`` and ``having`` are joined
    by AND. Clauses that are empty are left out."""

    columns: list[tuple[str, str]]
    source: str
    where: list[str] = field(default_factory=list)
    group: int = 0  # how many leading columns are grouped by
    having: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int | None = None
    distinct: bool = False

    def sql(self) -> str:
        """The statement over several lines."""
        shown = [
            expression if expression.split(".")[-1] == alias else f"{expression} AS {alias}"
            for expression, alias in self.columns
        ]
        head = "SELECT DISTINCT" if self.distinct else "SELECT"
        lines = [head, _indent(",\n".join(shown)), f"FROM {self.source}"]
        if self.where:
            lines.append("WHERE " + "\n  AND ".join(self.where))
        if self.group:
            lines.append("GROUP BY " + ", ".join(str(n + 1) for n in range(self.group)))
        if self.having:
            lines.append("HAVING " + "\n  AND ".join(self.having))
        if self.order:
            lines.append("ORDER BY " + ", ".join(self.order))
        if self.limit is not None:
            lines.append(f"LIMIT {self.limit}")
        return "\n".join(lines)


def statement(parts: Mapping[str, Select | str], final: Select) -> str:
    """The final SELECT behind the named ones it reads, in order."""
    if not parts:
        return final.sql()
    named = [
        f"{name} AS (\n{_indent(part if isinstance(part, str) else part.sql())}\n)"
        for name, part in parts.items()
    ]
    return "WITH " + ",\n".join(named) + "\n" + final.sql()


def rows(columns: Sequence[str], values: Sequence[Sequence[str]]) -> str:
    """Literal rows as a SELECT, in the form that every dialect has."""
    listed = ",\n".join(f"({', '.join(row)})" for row in values)
    block = _indent(_indent(listed))
    return f"SELECT * FROM (\n  VALUES\n{block}\n) AS listed({', '.join(columns)})"  # noqa: S608


def moment(day: date) -> str:
    """A timestamp literal.

    >>> moment(date(2026, 10, 1))
    "TIMESTAMP '2026-10-01'"
    """
    return f"TIMESTAMP '{day.isoformat()}'"


def number(value: Decimal) -> str:
    """A number literal without an exponent.

    >>> number(Decimal("1E+3"))
    '1000'
    """
    return format(value, "f")


def numbered(source: str, names: Sequence[str], per: Sequence[str], order: list[str]) -> Select:
    """Every row of a step with its ``place`` within each value of the keys ``per``."""
    within = f"PARTITION BY {', '.join(per)} ORDER BY {', '.join(order)}"
    columns = [*((name, name) for name in names), (f"row_number() OVER ({within})", "place")]
    return Select(columns, source)


def towards(expression: str, descending: bool) -> str:
    """An ORDER BY term; what has no value comes last in both directions."""
    return f"{expression} {'DESC ' if descending else ''}NULLS LAST"


def spaced(*parts: str) -> str:
    """The parts that are not empty, in a row."""
    return " ".join(part for part in parts if part)


def _indent(block: str) -> str:
    return "\n".join(f"  {line}" for line in block.split("\n"))
