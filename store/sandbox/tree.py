"""The check of a statement: every node of DuckDB's parse tree must be one that is known here.

The tree is what ``json_serialize_sql`` gives, so the parser that is checked is the one that runs.
It is read by an allow-list all the way down: a node, a field that holds something, a function or a
type that is not named is refused. A newer DuckDB with a new kind of node is refused, not let by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finops_assistant.store.sandbox.nodes import (
    ANY,
    BETWEEN,
    EVERYWHERE,
    NAME_SHAPES,
    NODES,
    REFUSED_FIELDS,
    REFUSED_NODES,
    WALK,
    Rule,
)
from finops_assistant.store.sandbox.vocabulary import (
    BARE_REFUSED,
    FUNCTIONS,
    LENGTHS,
    LONGEST,
    TYPES,
)


class Unsafe(Exception):
    """The statement may not run. ``function`` is the one that is not listed, where that is why."""

    def __init__(self, message: str, function: str = "") -> None:
        super().__init__(message)
        self.function = function


@dataclass
class Check:
    """One pass over a statement that may read ``relations``. ``columns`` collects every name that
    is read as a column, and ``*`` where all are; ``read`` the relations themselves."""

    relations: frozenset[str]
    columns: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def statement(self, tree: Mapping[str, Any]) -> None:
        """Raise Unsafe unless the tree holds one statement that may run."""
        statements = tree["statements"]
        if len(statements) != 1:
            found = f"there are {len(statements)}" if statements else "there is none"
            raise Unsafe(f"Write exactly one SELECT statement; {found}.")
        try:
            self._walk(statements[0], frozenset())
        except RecursionError:
            raise Unsafe("The statement is nested too deeply.") from None

    def _walk(self, value: Any, ctes: frozenset[str]) -> None:
        if isinstance(value, list):
            for item in value:
                self._walk(item, ctes)
        elif isinstance(value, dict):
            if "type" in value:
                self._node(value, ctes)
            else:
                self._fields(value, BETWEEN, ctes)
        elif value not in (None, ""):
            raise Unsafe(_not_allowed("a bare value"))

    def _node(self, node: Mapping[str, Any], ctes: frozenset[str]) -> None:
        kind = node.get("class") or node["type"]
        rules = NODES.get(kind)
        if kind == "TABLE_FUNCTION":
            name = node.get("function", {}).get("function_name", "")
            raise Unsafe(
                f"The table function {name}() may not be used: {self._those}, "
                "and what the statement itself defines."
            )
        if rules is None:
            raise Unsafe(REFUSED_NODES.get(kind) or _not_allowed(_readable(kind)))
        ctes = self._with(node.get("cte_map") or {}, ctes)
        match kind:
            case "BASE_TABLE":
                self._table(node, ctes)
            case "FUNCTION" | "WINDOW":
                _function(node)
            case "TYPE":
                _type(node)
            case "COLUMN_REF":
                self._column(node["column_names"])
            case "STAR":
                self.columns.add("*")
            case "RECURSIVE_CTE_NODE":
                # The query's own name is known only after UNION.
                self._walk(node["left"], ctes)
                own = ctes | {lowered(node["cte_name"])}
                self._fields({**node, "left": None}, rules, own)
                return
        self._fields(node, rules, ctes)

    def _fields(
        self, node: Mapping[str, Any], rules: Mapping[str, Rule], ctes: frozenset[str]
    ) -> None:
        for name, value in node.items():
            rule = rules.get(name) or EVERYWHERE.get(name)
            if name == "cte_map":
                continue
            if rule is ANY:
                _names(value)
            elif rule is WALK:
                self._walk(value, ctes)
            elif isinstance(rule, frozenset):
                if value not in rule:
                    raise Unsafe(_not_allowed(_readable(f"{name} {value}")))
            elif value not in (None, "", False, [], {}):
                raise Unsafe(REFUSED_FIELDS.get(name) or _not_allowed(_readable(name)))

    def _with(self, cte_map: Mapping[str, Any], ctes: frozenset[str]) -> frozenset[str]:
        """Check the queries of a WITH, each knowing those before it; the names now known."""
        for entry in cte_map.get("map", ()):
            query = entry["value"]
            self._fields(query, {"aliases": ANY, "materialized": ANY, "query_node": WALK}, ctes)
            ctes |= {lowered(entry["key"])}
        return ctes

    def _column(self, names: list[str]) -> None:
        if len(names) == 1 and lowered(names[0]) in BARE_REFUSED:
            raise Unsafe(f"{names[0]} may not be read.")
        self.columns.update(names)

    def _table(self, node: Mapping[str, Any], ctes: frozenset[str]) -> None:
        path = node["qualified_name"]["path"]
        name = node["table_name"]
        if path != [name] or node["schema_name"] or node["catalog_name"]:
            name = ".".join(path)
        elif lowered(name) in ctes:
            return
        elif lowered(name) in self.relations:
            self.read.add(lowered(name))
            return
        if "/" in name or "." in node["table_name"]:
            raise Unsafe(f"Files may not be read: {self._those}.")
        raise Unsafe(
            f"There is no relation {name!r} here: {self._those}, "
            "and what the statement itself defines."
        )

    @property
    def _those(self) -> str:
        *others, last = sorted(self.relations)
        return f"there are {', '.join(others)} and {last}" if others else f"the only one is {last}"


def _names(value: Any) -> None:
    """Names and literals, in lists and in the shapes that they come in; nothing that can run."""
    if isinstance(value, list):
        for item in value:
            _names(item)
    elif isinstance(value, dict):
        if not value.keys() <= NAME_SHAPES:
            raise Unsafe(_not_allowed("an expression where a name belongs"))
        for item in value.values():
            _names(item)


def _function(node: Mapping[str, Any]) -> None:
    name = node["function_name"]
    plain = lowered(name)
    if node["schema"] or node["catalog"] or node["qualified_name"]["path"] != [name]:
        raise Unsafe(f"Write {name}(...) plainly, without a schema or a value before it.")
    if plain not in FUNCTIONS:
        raise Unsafe(
            f"The function {name}() may not be used: only listed functions run here.",
            plain,
        )
    if plain in LENGTHS:
        literal = node["arguments"][LENGTHS[plain] :][:1]
        size = literal[0]["expression"].get("literal", {}) if literal else {}
        text = str(size.get("text", ""))
        if size.get("kind") != "INTEGER" or len(text) > 9 or int(text) > LONGEST:
            raise Unsafe(f"The length in {name}() must be a number of at most {LONGEST}.")


def _type(node: Mapping[str, Any]) -> None:
    name = node["type_name"]
    if lowered(name) not in TYPES or node["qualified_name"]["path"] != [name]:
        raise Unsafe(f"The type {'.'.join(node['qualified_name']['path'])} may not be used.")


def lowered(name: str) -> str:
    r"""As DuckDB compares names: only ASCII letters lose their case.

    Python's own ``lower`` and ``casefold`` join more (U+017F and ``s``), and a query could then be
    named so that it lets a catalogue view by.

    >>> lowered("FOCUS"), lowered("\u017fqlite_master") == "sqlite_master"
    ('focus', False)
    """
    return "".join(c.lower() if c.isascii() else c for c in name)


def _readable(word: str) -> str:
    return word.replace("_", " ").lower()


def _not_allowed(what: str) -> str:
    return f"This form of SQL ({what}) may not be used: only a plain SELECT runs."
