"""What a worker replies, as rows or as the sentence that says why there are none."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops_assistant.store.access import Principal
from finops_assistant.store.errors import FinopsError, QueryRefused, UsageError, suggest
from finops_assistant.store.result import MAX_ROWS, Cell
from finops_assistant.store.sandbox.cells import decode
from finops_assistant.store.sandbox.relations import Relation
from finops_assistant.store.sandbox.vocabulary import FUNCTIONS

UNSAFE: Final = "WRITE_ACTION"  # the reason code that an answer shows as "unsafe"


@dataclass(frozen=True)
class Limits:
    """What one statement may take. The worker stops itself; the parent kills it soon after."""

    seconds: float = 20
    grace: float = 5  # for starting a worker, waiting for a free one, and what cannot be stopped
    memory_mb: int = 1000  # of DuckDB
    address_space_mb: int = 2600  # of the whole process
    threads: int = 2
    rows: int = MAX_ROWS
    megabytes: float = 4  # of the rows as JSON
    workers: int = 2


@dataclass(frozen=True)
class SqlColumn:
    """An output column. ``unit`` is ``money``, ``hours``, ``tokens``, ``requests``, ``count``,
    ``date``, ``text`` or ``number``; ``type`` is DuckDB's."""

    name: str
    type: str
    unit: str


@dataclass(frozen=True)
class SqlResult:
    """The rows of one statement. ``reads`` are the columns that it names."""

    columns: tuple[SqlColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool
    elapsed_ms: int
    reads: frozenset[str] = frozenset()


def error_of(reply: dict[str, Any], principal: Principal, limits: Limits) -> FinopsError:
    """The error that says what a worker found wrong."""
    match reply["problem"]:
        case "unsafe":
            name = str(reply.get("unknown", ""))[:80]
            near = suggest(name, sorted(FUNCTIONS), limit=1) if name else []
            hint = f" Did you mean {near[0]}()?" if near else ""
            return QueryRefused(UNSAFE, _short(reply["message"]) + hint)
        case "wrong":
            hidden = {name.casefold() for name in principal.hide}
            for name in reply.get("columns", ()):
                if str(name).casefold() in hidden:
                    return QueryRefused("NOT_PERMITTED", f"You may not see {_short(name)}.")
            return UsageError(_short(reply["message"]))
        case "stopped":
            return QueryRefused(
                UNSAFE,
                f"The query was stopped: it may take {limits.seconds:g} seconds. Narrow it: filter "
                "on ChargePeriodStart, group, or join on equal columns.",
            )
        case "memory":
            return QueryRefused(
                UNSAFE,
                f"The query needs more than the {limits.memory_mb:,} MB of memory that it may "
                "use. Filter, group, or read fewer columns.",
            )
        case "large":
            return QueryRefused(
                UNSAFE, f"One row of the result is larger than {limits.megabytes:g} MB."
            )
    return QueryRefused(
        UNSAFE, "The query broke the process it ran in, and was stopped. Make it simpler."
    )


def result_of(
    reply: dict[str, Any], relations: Mapping[str, Relation], started: float
) -> SqlResult:
    """What a worker sent as rows; KeyError, TypeError, ValueError or ArithmeticError when it is
    not that. ``relations`` are those that could be read."""
    named = {str(name).lower() for name in reply["columns"]}
    read = [str(name) for name in reply["relations"]]
    everything = not named.isdisjoint(("*", *read))
    columns = [name for relation in read for name in relations[relation].units]
    return SqlResult(
        tuple(
            SqlColumn(str(name), str(kind), unit or _unit(str(kind)))
            for name, kind, unit in zip(reply["names"], reply["types"], reply["units"], strict=True)
        ),
        tuple(tuple(decode(cell) for cell in row) for row in reply["rows"]),
        bool(reply["truncated"]),
        round((time.monotonic() - started) * 1000),
        frozenset(name for name in columns if everything or name.lower() in named),
    )


def _unit(kind: str) -> str:
    if kind.startswith(("DATE", "TIMESTAMP")) and not kind.endswith("]"):
        return "date"
    numeric = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|DECIMAL\([\d,]+\)|DOUBLE|FLOAT"
    return "number" if re.fullmatch(numeric, kind) else "text"


def _short(text: Any) -> str:
    return " ".join(str(text).split())[:300]
