"""Cells on their way from the worker: JSON, with a tag for what JSON has no type for."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from finops_assistant.store.result import Cell

_LONGEST_JSON_INTEGER = 10**40  # far beyond any DuckDB integer


def encode(value: Any) -> Any:
    """A value that DuckDB gave as JSON. Lists, structs, maps and the rest become their text.

    >>> encode(Decimal("1.50"))
    ['decimal', '1.50']
    """
    match value:
        case None | bool() | float() | str():
            return value
        case int() if abs(value) < _LONGEST_JSON_INTEGER:
            return value
        case Decimal():
            return ["decimal", str(value)]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case list() | dict() | tuple():
            return json.dumps(_plain(value), ensure_ascii=False)
        case bytes():
            return value.hex()
    return str(value)


def decode(value: Any) -> Cell:
    """The cell again; ValueError for anything that ``encode`` does not make.

    >>> decode(["decimal", "1.50"])
    Decimal('1.50')
    """
    match value:
        case None | bool() | float() | str() | int():
            return value
        case ["decimal", str(text)]:
            return Decimal(text)
        case ["datetime", str(text)]:
            return datetime.fromisoformat(text)
        case ["date", str(text)]:
            return date.fromisoformat(text)
    raise ValueError("not a cell")


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case date():
            return value.isoformat()
    return str(value)
