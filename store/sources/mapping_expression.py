"""Expressions in a mapping file: one value made of the columns of a line, and nothing else.

The text is parsed by DuckDB (``json_serialize_sql``), the tree is read by an allow-list all the way
down, and what runs is SQL made from the tree that was read: only columns, literals, arithmetic,
comparisons, CASE and the functions named here. A column is its text; ``number(column)`` and
``moment(column)`` read it as the mapping file says numbers and dates are written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from finops_assistant.store.sandbox.nodes import ANY, BETWEEN, EVERYWHERE, NODES, WALK
from finops_assistant.store.sandbox.vocabulary import BARE_REFUSED

READERS: Final = ("number", "moment")
_KINDS: Final = (
    *("COLUMN_REF", "CONSTANT", "FUNCTION", "CAST", "CASE", "BETWEEN", "COMPARISON"),
    *("CONJUNCTION", "OPERATOR"),
)
_OPERATORS: Final = frozenset(
    (
        *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE"),
        *("COMPARE_IN", "COMPARE_NOT_IN"),
    )
)
FUNCTIONS: Final = frozenset(
    (
        *("+", "-", "*", "||", "~~", "!~~", "~~*", "!~~*"),
        *("abs", "greatest", "least", "round", "if", "nullif", "coalesce"),
        *("concat", "concat_ws", "contains", "ends_with", "left", "length", "lower", "ltrim"),
        *("regexp_extract", "regexp_matches", "regexp_replace", "replace", "right", "rtrim"),
        *("split_part", "starts_with", "substr", "substring", "trim", "upper"),
        *("date_trunc", "last_day", "to_days", "to_months", "to_weeks", "to_years", "trunc"),
    )
)
_INTERVAL_CASTS: Final = frozenset(("DOUBLE", "INTEGER", "BIGINT"))
_GENERATED: Final = (
    1 << 64
) - 1  # the place of a node that the parser added, as for INTERVAL 1 DAY


class BadExpression(Exception):
    """The expression may not be used; the text is a clause that says why."""


@dataclass
class Columns:
    """The columns that expressions read: as text, and through the readers."""

    texts: dict[str, None] = field(default_factory=dict)
    read: dict[tuple[str, str], str] = field(default_factory=dict)  # (reader, column) -> alias

    def alias(self, reader: str, column: str) -> str:
        """The name under which a reading of a column is found."""
        self.texts.setdefault(column)
        return self.read.setdefault((reader, column), f"_{reader}_{len(self.read) + 1}")


def checked(text: str, columns: Columns) -> str:
    """The expression as SQL over ``columns``; raises BadExpression."""
    with closing(duckdb.connect()) as connection:
        row = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {text}"]).fetchone()
        tree = json.loads(row[0]) if row else {}
        if tree.get("error"):
            raise BadExpression(f"it is not SQL ({tree.get('error_message', '')})")
        node = _only_value(tree)
        try:
            node["select_list"] = [_walked(node["select_list"][0], columns)]
        except RecursionError:
            raise BadExpression("it is nested too deeply") from None
        row = connection.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchone()
    statement = str(row[0]) if row else ""
    return f"({statement.removeprefix('SELECT ')})"


def _only_value(tree: Mapping[str, Any]) -> dict[str, Any]:
    statements = tree["statements"]
    node: dict[str, Any] = statements[0]["node"] if len(statements) == 1 else {}
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node["select_list"][0].get("alias")
        and node["from_table"]["type"] == "EMPTY"
        and not node["cte_map"]["map"]
        and not any(
            node[part]
            for part in ("modifiers", "where_clause", "group_expressions", "having", "qualify")
        )
        and not node["sample"]
    )
    if not plain:
        raise BadExpression("it must be one value made of columns, not a query")
    return node


def _walked(value: Any, columns: Columns) -> Any:
    """The same tree with readings in place of reader calls; raises at whatever is not listed."""
    if isinstance(value, list):
        return [_walked(item, columns) for item in value]
    if not isinstance(value, dict):
        if value not in (None, ""):
            raise BadExpression("it holds a bare value")
        return value
    if "type" not in value:
        return _fields(value, BETWEEN, columns)
    kind = value.get("class") or value["type"]
    if kind == "ORDER_MODIFIER" and not value.get("orders"):
        return value
    check = _CHECKS.get(kind)
    if kind not in _KINDS:
        raise BadExpression(f"{kind.lower().replace('_', ' ')} has no place in it")
    if check is not None:
        check(value)
    if kind == "COLUMN_REF":
        columns.texts.setdefault(value["column_names"][0])
        return value
    if kind == "FUNCTION" and value["function_name"] in READERS:
        return _reading(value, columns)
    return _fields(value, NODES[kind], columns)


def _fields(node: Mapping[str, Any], rules: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    found = {}
    for name, value in node.items():
        rule = rules.get(name) or EVERYWHERE.get(name)
        if name == "type_expr" or rule is ANY or isinstance(rule, frozenset):
            found[name] = value
        elif rule is WALK:
            found[name] = _walked(value, columns)
        elif value in (None, "", False, [], {}):
            found[name] = value
        else:
            raise BadExpression(f"{name.replace('_', ' ')} has no place in it")
    return found


def _reading(node: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    reader, arguments = node["function_name"], node["arguments"]
    inner = arguments[0]["expression"] if len(arguments) == 1 else {}
    if inner.get("class") != "COLUMN_REF":
        raise BadExpression(f'{reader}() reads one column, as in {reader}("Amount")')
    _column(inner)
    return {**inner, "column_names": [columns.alias(reader, inner["column_names"][0])]}


def _column(node: Mapping[str, Any]) -> None:
    names = node["column_names"]
    if len(names) != 1:
        whole = ".".join(names)
        raise BadExpression(f'a column with a point in its name is written "{whole}"')
    if names[0].lower() in BARE_REFUSED:
        raise BadExpression(f"{names[0]} is no column")


def _function(node: Mapping[str, Any]) -> None:
    name = node["function_name"]
    if name == "/":
        raise BadExpression("a division is not exact; multiply instead, by 0.01 for cents, say")
    if name not in (*FUNCTIONS, *READERS) or node["qualified_name"]["path"] != [name]:
        raise BadExpression(f"the function {name}() may not be used")
    if node.get("distinct") or node.get("filter"):
        raise BadExpression("DISTINCT and FILTER have no place in it")


def _cast(node: Mapping[str, Any]) -> None:
    name = node["type_expr"].get("type_name", "")
    if name == "VARCHAR" and not node["type_expr"].get("children"):
        return
    if node["query_location"] != _GENERATED or name not in _INTERVAL_CASTS:
        raise BadExpression("write number(column) or moment(column) in place of a cast")


def _operator(node: Mapping[str, Any]) -> None:
    if node["type"] not in _OPERATORS:
        raise BadExpression(f"{node['type'].lower().replace('_', ' ')} has no place in it")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "COLUMN_REF": _column,
    "FUNCTION": _function,
    "CAST": _cast,
    "OPERATOR": _operator,
}
