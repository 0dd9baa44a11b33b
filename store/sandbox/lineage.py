"""What the columns of a statement measure, as far as its parse tree tells.

A column keeps the unit of the stored column it was made from while it is only added up, averaged,
picked or rounded. Products and quotients have none that could be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from finops_assistant.store.sandbox.tree import lowered

Units = Mapping[str, str | None]  # column name in lower case -> unit, in the order of a star
Named = list[tuple[str | None, str | None]]  # name and unit of each output column

_SAME_NAMES = """
    abs any_value approx_quantile arg_max arg_min argmax argmin avg ceil ceiling first first_value
    floor greatest lag last last_value lead least list_avg list_max list_min list_sum mad max max_by
    mean median min min_by mode nth_value nullif quantile quantile_cont quantile_disc round
    round_even stddev stddev_pop stddev_samp sum trunc
"""
_COUNT_NAMES = """
    approx_count_distinct count count_if count_star countif dense_rank ntile rank rank_dense
    row_number
"""
_SAME: Final = frozenset(_SAME_NAMES.split())
_COUNTS: Final = frozenset(_COUNT_NAMES.split())
_WITHIN_GROUP: Final = frozenset(("mode", "quantile_cont", "quantile_disc"))
_ALL_ARGUMENTS: Final = frozenset(("greatest", "least", "+", "-"))


def units_of(
    tree: Mapping[str, Any], names: Sequence[str], relations: Mapping[str, Units]
) -> list[str | None]:
    """The unit of each output column, in order; None where it cannot be known.

    ``names`` are the output columns as they came; ``relations`` has the units of those read.
    """
    found = _query(tree["statements"][0]["node"], relations) or []
    same = len(found) == len(names) and all(
        name in (None, lowered(names[n])) for n, (name, _) in enumerate(found)
    )
    return [unit for _, unit in found] if same else [None] * len(names)


def _query(node: Mapping[str, Any], relations: Mapping[str, Units]) -> Named | None:
    """Output columns of a query; None where a star hides how many there are."""
    for entry in (node.get("cte_map") or {}).get("map", ()):
        query = entry["value"]
        columns = _renamed(_query(query["query_node"], relations), query["aliases"])
        relations = {**relations, lowered(entry["key"]): _by_name(columns)}
    match node["type"]:
        case "SELECT_NODE":
            source = _source(node["from_table"], relations)
            columns = []
            for item in node["select_list"]:
                if item["class"] != "STAR":
                    columns.append((_name(item), _unit(item, source)))
                elif _plain(item) and node["from_table"]["type"] in ("BASE_TABLE", "SUBQUERY"):
                    columns += source.items()
                else:
                    return None
            return columns
        case "SET_OPERATION_NODE" if node["setop_type"] != "UNION_BY_NAME":
            parts = [_query(part, relations) for part in node["children"]]
            first = parts[0] if parts else None
            if first is None or any(p is None or len(p) != len(first) for p in parts):
                return None
            return [
                (name, unit if all(p and p[i][1] == unit for p in parts) else None)
                for i, (name, unit) in enumerate(first)
            ]
        case "RECURSIVE_CTE_NODE":
            return _query(node["left"], relations)
    return None


def _source(ref: Mapping[str, Any], relations: Mapping[str, Units]) -> dict[str, str | None]:
    """Columns by name of what stands after FROM; a name with two meanings has no unit."""
    match ref["type"]:
        case "BASE_TABLE":
            units = dict(relations.get(lowered(ref["table_name"]), {}))
        case "SUBQUERY":
            units = dict(_by_name(_query(ref["subquery"]["node"], relations)))
        case "JOIN":
            sides = [_source(ref[side], relations) for side in ("left", "right")]
            return _by_name([pair for side in sides for pair in side.items()])
        case _:
            return {}
    return _by_name(_renamed(list(units.items()), ref["column_name_alias"]))


def _unit(node: Mapping[str, Any], source: Mapping[str, str | None]) -> str | None:
    match node["class"]:
        case "COLUMN_REF":
            return source.get(lowered(node["column_names"][-1]))
        case "CAST":
            return _unit(node["child"], source)
        case "CASE":
            branches = [check["then_expr"] for check in node["case_checks"]]
            return _agreed([*branches, node["else_expr"]], source)
        case "OPERATOR" if node["type"] == "OPERATOR_COALESCE":
            return _agreed(node["children"], source)
        case "FUNCTION" | "WINDOW":
            name = lowered(node["function_name"])
            arguments = [argument["expression"] for argument in node["arguments"]]
            if name in _COUNTS:
                return "count"
            if name in _ALL_ARGUMENTS:
                return _agreed(arguments, source)
            if name in _WITHIN_GROUP and node["class"] == "FUNCTION":
                orders = [order["expression"] for order in node["order_bys"]["orders"]]
                arguments = orders or arguments
            if name in _SAME and arguments:
                return _unit(arguments[0], source)
    return None


def _agreed(nodes: Iterable[Mapping[str, Any]], source: Mapping[str, str | None]) -> str | None:
    """The unit that all share; 0 and NULL go with any."""
    units = {_unit(node, source) for node in nodes if not _neutral(node)}
    return units.pop() if len(units) == 1 else None


def _neutral(node: Mapping[str, Any]) -> bool:
    literal = node.get("literal") or {}
    return literal.get("kind") == "NULL_LITERAL" or literal.get("text") in ("0", "0.0")


def _plain(star: Mapping[str, Any]) -> bool:
    lists = ("exclude_list", "replace_list", "rename_list", "qualified_exclude_list", "expr")
    return not star["columns"] and not any(star[name] for name in lists)


def _name(node: Mapping[str, Any]) -> str | None:
    if node["alias"]:
        return lowered(node["alias"])
    return lowered(node["column_names"][-1]) if node["class"] == "COLUMN_REF" else None


def _renamed(columns: Named | None, aliases: Sequence[str]) -> Named | None:
    if columns is None or not aliases:
        return columns
    rest = columns[len(aliases) :]
    return [
        (lowered(alias), unit) for alias, (_, unit) in zip(aliases, columns, strict=False)
    ] + rest


def _by_name(columns: Named | None) -> dict[str, str | None]:
    units: dict[str, str | None] = {}
    for name, unit in columns or ():
        if name is not None:
            units[name] = unit if units.get(name, unit) == unit else None
    return units
