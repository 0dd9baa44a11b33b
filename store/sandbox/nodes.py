"""The nodes of a DuckDB parse tree that free SQL may be made of, and what may stand in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops_assistant.store.sandbox.vocabulary import COLLATIONS

STORE: Final = "store"  # the attached file, which only the views over it name

ANY: Final = "any"  # names, places in the text, flags: nothing in it can run
WALK: Final = "walk"  # nodes, and lists of nodes
Rule = str | frozenset[str]


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


# Of each kind of node (the class of an expression, else the type), the fields that may hold
# something. A field that is not named must be empty.
NODES: Final[Mapping[str, Mapping[str, Rule]]] = {
    # queries
    "SELECT_NODE": {
        **dict.fromkeys(("aggregate_handling", "group_sets"), ANY),
        **dict.fromkeys(("modifiers", "select_list", "from_table", "where_clause"), WALK),
        **dict.fromkeys(("group_expressions", "having", "qualify"), WALK),
    },
    "SET_OPERATION_NODE": {
        "setop_type": _of("UNION", "UNION_BY_NAME", "EXCEPT", "INTERSECT"),
        "setop_all": ANY,
        **dict.fromkeys(("modifiers", "left", "right", "children"), WALK),
    },
    "RECURSIVE_CTE_NODE": {
        **dict.fromkeys(("cte_name", "union_all", "aliases"), ANY),
        **dict.fromkeys(("modifiers", "left", "right"), WALK),
    },
    "ORDER_MODIFIER": {"orders": WALK},
    "ORDER_DEFAULT": {"null_order": ANY, "expression": WALK},
    "ASCENDING": {"null_order": ANY, "expression": WALK},
    "DESCENDING": {"null_order": ANY, "expression": WALK},
    "LIMIT_MODIFIER": {"limit": WALK, "offset": WALK, "limit_type": ANY},
    "DISTINCT_MODIFIER": {"distinct_on_targets": WALK},
    # what stands after FROM
    "EMPTY": {},
    "BASE_TABLE": dict.fromkeys(("table_name", "column_name_alias", "qualified_name"), ANY),
    "JOIN": {
        **dict.fromkeys(("left", "right", "condition"), WALK),
        **dict.fromkeys(("using_columns", "is_implicit"), ANY),
        **dict.fromkeys(("nearest_count", "nearest_order_type"), ANY),  # of other ref_types
        "join_type": _of("INNER", "LEFT", "RIGHT", "FULL", "OUTER", "SEMI", "ANTI"),
        "ref_type": _of("REGULAR", "NATURAL", "CROSS", "ASOF", "POSITIONAL"),
    },
    "EXPRESSION_LIST": {"values": WALK, "expected_names": ANY},
    "SUBQUERY": {  # after FROM, and as an expression
        **dict.fromkeys(("column_name_alias", "subquery_type", "comparison_type"), ANY),
        **dict.fromkeys(("subquery", "child"), WALK),
    },
    # expressions
    "COLUMN_REF": {"column_names": ANY},
    "CONSTANT": {"literal": ANY},
    "POSITIONAL_REFERENCE": {"index": ANY},
    "FUNCTION": {
        **dict.fromkeys(("function_name", "qualified_name", "distinct", "is_operator"), ANY),
        **dict.fromkeys(("arguments", "filter", "order_bys"), WALK),
    },
    "WINDOW": {
        **dict.fromkeys(("function_name", "qualified_name", "distinct", "start", "end"), ANY),
        **dict.fromkeys(("ignore_nulls", "has_ignore_nulls", "exclude_clause"), ANY),
        **dict.fromkeys(("arguments", "partitions", "orders", "arg_orders"), WALK),
        **dict.fromkeys(("filter_expr", "start_expr", "end_expr"), WALK),
        **dict.fromkeys(("offset_expr", "default_expr"), WALK),
    },
    "CAST": {"child": WALK, "type_expr": WALK, "try_cast": ANY},
    "TYPE": {"type_name": ANY, "qualified_name": ANY, "children": WALK},
    "CASE": {"case_checks": WALK, "else_expr": WALK},
    "BETWEEN": dict.fromkeys(("input", "lower", "upper"), WALK),
    "COMPARISON": {"left": WALK, "right": WALK},
    "CONJUNCTION": {"children": WALK},
    "OPERATOR": {
        "type": _of(
            *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE"),
            *("OPERATOR_NULLIF", "OPERATOR_TRY", "OPERATOR_UNPACK", "GROUPING_FUNCTION"),
            *("COMPARE_IN", "COMPARE_NOT_IN", "ARRAY_EXTRACT", "ARRAY_SLICE", "STRUCT_EXTRACT"),
            "ARRAY_CONSTRUCTOR",
        ),
        "children": WALK,
    },
    "LAMBDA": {"lhs": WALK, "expr": WALK, "syntax_type": ANY},
    "STAR": {
        **dict.fromkeys(("relation_name", "exclude_list", "qualified_exclude_list"), ANY),
        **dict.fromkeys(("columns", "rename_list"), ANY),
        **dict.fromkeys(("replace_list", "expr"), WALK),
    },
    "COLLATE": {"child": WALK, "collation": COLLATIONS},
}
EVERYWHERE: Final = dict.fromkeys(
    ("class", "type", "alias", "query_location", "query_location_length"), ANY
)
# The keys of a literal, of a qualified name and of a renaming.
NAME_SHAPES: Final = _of(
    "kind", "text", "path", "catalog", "schema", "table", "column", "key", "value"
)
# What lies between nodes: an argument with its name, a branch of CASE, a statement, a pair.
BETWEEN: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("expression", "when_expr", "then_expr", "node", "value"), WALK),
    **dict.fromkeys(("name", "key"), ANY),
}

REFUSED_NODES: Final = {
    "PIVOT": "PIVOT and UNPIVOT may not be used; use sum(...) FILTER (WHERE ...), one per column.",
    "SHOW_REF": "DESCRIBE, SHOW and SUMMARIZE may not be used; select from focus instead.",
    "PARAMETER": "A statement may have no parameters ($1, ?); write the values into it.",
    "DEFAULT": "The word DEFAULT means nothing in a SELECT.",
    "INSERT_QUERY_NODE": "INSERT may not be used: this SQL only reads.",
    "UPDATE_QUERY_NODE": "UPDATE may not be used: this SQL only reads.",
    "DELETE_QUERY_NODE": "DELETE may not be used: this SQL only reads.",
    "MERGE_QUERY_NODE": "MERGE may not be used: this SQL only reads.",
    "COPY_QUERY_NODE": "COPY may not be used: this SQL only reads.",
}
REFUSED_FIELDS: Final = {
    "sample": "SAMPLE may not be used: its figures would differ each time.",
    "at_clause": "AT (VERSION or TIMESTAMP) may not be used.",
    "key_targets": "USING KEY may not be used in a recursive query.",
    "export_state": "EXPORT_STATE may not be used.",
    "named_param_map": REFUSED_NODES["PARAMETER"],
}
