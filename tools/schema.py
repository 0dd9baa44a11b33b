"""What a chat model is told of a tool's arguments: the JSON schema, as small as it can be.

Generated from the pydantic class that validates the call. Titles, descriptions and defaults are
left out, references are put in place, and the names of metrics and dimensions stand as enums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_DROPPED = frozenset({"title", "description", "default", "$defs", "names"})


@dataclass(frozen=True)
class Names:
    """The names that may be used.

    ``values`` limits filters to these values of these dimensions, and ``bare_ops`` the conditions
    without a value; None leaves the filters open. ``period`` is the only one, as (start, end);
    ``without`` are arguments that are not offered.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]] | None = None
    bare_ops: tuple[str, ...] = ("is_null", "not_null")
    period: tuple[str, str] | None = None
    without: frozenset[str] = frozenset()


def compact_schema(arguments: type[BaseModel], names: Names) -> dict[str, Any]:
    """The schema of a call's arguments. An optional argument is one that is not ``required``."""
    full = arguments.model_json_schema()
    shrunk = _shrunk(full, full.get("$defs", {}), names)
    if not isinstance(shrunk, dict):
        raise TypeError(f"{arguments.__name__} has no object schema")
    return shrunk


def _shrunk(node: Any, definitions: Mapping[str, Any], names: Names) -> Any:
    if isinstance(node, list):
        return [_shrunk(item, definitions, names) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _shrunk(definitions[node["$ref"].rpartition("/")[2]], definitions, names)
    options = [o for o in node.get("anyOf", ()) if o.get("type") != "null"]
    if options:
        # Left out means none; a Decimal is offered as a number only.
        chosen = next((o for o in options if o.get("type") == "number"), options[0])
        return _shrunk(
            {**chosen, **{k: v for k, v in node.items() if k == "names"}}, definitions, names
        )
    match node.get("names"):
        case "metrics":
            return _one_of(names.metrics)
        case "dimensions":
            return _one_of(names.dimensions)
        case "value":
            return {"type": "string"}
        case "filter" if names.values is not None:
            return _filters(names)
    kept = {key: value for key, value in node.items() if key not in _DROPPED}
    if "properties" in kept:
        shrunk = {
            key: _shrunk(value, definitions, names)
            for key, value in kept["properties"].items()
            if key not in names.without
        }
        if names.period is not None and "time" in shrunk:
            start, end = (_one_of((day,)) for day in names.period)
            shrunk["time"] = _closed({"start": start, "end": end})
        kept["properties"] = {key: value for key, value in shrunk.items() if not _empty(value)}
        return kept
    return {key: _shrunk(value, definitions, names) for key, value in kept.items()}


def _filters(names: Names) -> dict[str, Any]:
    """A condition on a named value of its dimension, or on having one at all."""
    choices = [
        _condition(
            _one_of((dimension,)),
            ("in", "not_in"),
            {"type": "array", "items": _one_of(values), "minItems": 1},
        )
        for dimension, values in (names.values or {}).items()
    ]
    if names.bare_ops:
        choices.append(_condition(_one_of(names.dimensions), names.bare_ops))
    return {"anyOf": choices}


def _condition(
    dimension: dict[str, Any], ops: tuple[str, ...], values: dict[str, Any] | None = None
) -> dict[str, Any]:
    properties: dict[str, Any] = {"dimension": dimension, "op": _one_of(ops)}
    if values is not None:
        properties["values"] = values
    return _closed(properties)


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _empty(schema: dict[str, Any]) -> bool:
    """Whether no value at all could stand here."""
    inner = schema.get("items", schema)
    return [] in (inner.get("enum"), inner.get("anyOf"))


def _one_of(words: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}
