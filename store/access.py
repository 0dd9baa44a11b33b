"""Who may see what: principals, and the one definition of their row scope.

Every read of the store goes through ``row_scope``: queries, the value catalogue, the status and
the export. A principal that may see nothing is refused there, before any statement exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from finops_assistant.store.conditions import member
from finops_assistant.store.errors import QueryRefused, UsageError, suggest
from finops_assistant.store.focus import BY_NAME, TAG_COLUMNS
from finops_assistant.store.metrics import NO_VALUE, Dimension, Fact, load_semantics
from finops_assistant.store.settings import Settings

ENTRIES = ("allow", "hide", "tools", "daily_questions", "daily_tokens")
# Columns that tell what others hold, being made of them or they of it: hidden with any of them.
_MADE_FROM: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Tags": frozenset(TAG_COLUMNS.values()),
        "AllocatedTags": frozenset(TAG_COLUMNS.values()),
        "SkuPriceDetails": frozenset(
            {
                "x_ModelDeveloper",
                "x_ModelFamily",
                "x_ModelId",
                "x_ModelIdBilled",
                "x_TokenDirection",
                "x_TokenCacheAction",
            }
        ),
        "Tokens": frozenset({"ConsumedQuantity"}),
        "ConsumedQuantity": frozenset({"Tokens"}),
        "PricedCost": frozenset({"EffectiveCost", "BilledCost", "ListCost"}),
    }
)


@dataclass(frozen=True)
class Principal:
    """Someone who asks. ``allow`` maps a dimension or a text column to the values that may be
    seen, all of which must match (empty: every row); ``hide`` names columns that may not be read,
    and comes to hold those that a hidden one can be read out of, such as ``Tags``; ``tools`` is
    None for all. ``unknown`` marks one that may see nothing, and ``name`` then says who was asked
    for."""

    name: str = ""
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hide: frozenset[str] = frozenset()
    tools: frozenset[str] | None = None
    unknown: bool = False

    def __post_init__(self) -> None:
        """Complete ``hide``."""
        tells = {text for text, made in _MADE_FROM.items() if made & self.hide}
        object.__setattr__(self, "hide", self.hide | tells)

    @property
    def key(self) -> tuple[object, ...]:
        """What two principals with the same rights share: for caches."""
        return (self.unknown, tuple(sorted(self.allow.items())), self.hide)

    @property
    def restricted(self) -> bool:
        """Whether there are rows that may not be seen."""
        return self.unknown or bool(self.allow)

    def limits(self, dimension: Dimension) -> bool:
        """Whether the values of ``dimension`` that may be seen are themselves limited."""
        return dimension.name in self.allow or any(c in self.allow for c in dimension.columns)

    def may_use(self, tool: str) -> bool:
        """Whether the principal may call a tool."""
        return not self.unknown and (self.tools is None or tool in self.tools)

    def may_read(self, columns: Iterable[str]) -> bool:
        """Whether none of the columns is hidden."""
        return not self.unknown and self.hide.isdisjoint(columns)


EVERYONE = Principal()


@dataclass(frozen=True)
class RowScope:
    """The rows that may be seen: an SQL predicate ('' for every row) over billed rows, the same
    over ``usage`` where it is another, and the filters that a result states in its scope."""

    predicate: str = ""
    filters: tuple[dict[str, Any], ...] = ()
    usage: str | None = None

    def on(self, fact: Fact) -> str:
        """The predicate over a table."""
        return self.predicate if fact == "focus" or self.usage is None else self.usage


def resolve_principal(settings: Settings, name: str | None) -> Principal:
    """The principal of that name, the default one for None; UsageError when its entry is wrong.

    Once any principal is defined, an unknown or empty name, or none without a
    ``default_principal``, gives a principal that may see nothing.
    """
    if not settings.principals and settings.default_principal is None:
        return EVERYONE
    chosen = settings.default_principal if name is None else name
    if not chosen or chosen not in settings.principals:
        return Principal(name=chosen or "", unknown=True)
    entry = settings.principals[chosen]
    where = f"finops.toml, principal {chosen!r}"
    if not isinstance(entry, Mapping):
        raise UsageError(f"{where}: expected a table such as [principals.{chosen}.allow].")
    for key in entry:
        if key not in ENTRIES:
            raise UsageError(f"{where}: unknown entry {key!r}.{_hint(key, ENTRIES)}")
    allow = entry.get("allow", {})
    if not isinstance(allow, Mapping):
        raise UsageError(f'{where}: allow must be a table of lists, such as team = ["search"].')
    tools = entry.get("tools")
    return Principal(
        name=chosen,
        allow=MappingProxyType(
            {_allowed_key(key, where): _words(values, where, key) for key, values in allow.items()}
        ),
        hide=frozenset(
            column
            for word in _words(entry.get("hide", []), where, "hide")
            for column in _hidden_columns(word, where)
        ),
        tools=None if tools is None else frozenset(_words(tools, where, "tools")),
    )


def row_scope(principal: Principal) -> RowScope:
    """The rows that ``principal`` may see; QueryRefused NOT_PERMITTED when there are none."""
    if principal.unknown:
        raise QueryRefused("NOT_PERMITTED", _no_access(principal.name))
    dimensions = load_semantics().dimensions
    billed, used, filters = [], [], []
    for key, values in principal.allow.items():
        dimension = dimensions.get(key)
        missing = dimension.missing if dimension else NO_VALUE
        billed.append(member(dimension.value if dimension else key, values, missing))
        used.append(member(dimension.on("usage").value if dimension else key, values, missing))
        filters.append({"dimension": key, "op": "in", "values": list(values), "by": "principal"})
    return RowScope(" AND ".join(billed), tuple(filters), " AND ".join(used))


def scope_sql(principal: Principal) -> str:
    """The same as a predicate for a WHERE clause: ``TRUE`` where every row may be seen."""
    return row_scope(principal).predicate or "TRUE"


def _no_access(name: str) -> str:
    if name:
        return (
            f"There is no principal named {name!r}, so nothing may be shown. "
            "Name one that finops.toml defines with --as."
        )
    return (
        "This store shows its data only to named principals. "
        "Name one with --as, or set default_principal in finops.toml."
    )


def _allowed_key(key: str, where: str) -> str:
    dimensions = load_semantics().dimensions
    if key in dimensions:
        return key
    column = BY_NAME.get(key)
    if column is None or column.kind != "text" or column.removed:
        known = [*dimensions, *(c.name for c in BY_NAME.values() if c.kind == "text")]
        raise UsageError(
            f"{where}: allow names {key!r}, which is neither a dimension nor a text column."
            f"{_hint(key, known)}"
        )
    return key


def _hidden_columns(word: str, where: str) -> tuple[str, ...]:
    """The columns that one entry of ``hide`` stands for: a column, or all that a dimension or a
    metric reads."""
    semantics = load_semantics()
    if word in semantics.dimensions:
        dimension = semantics.dimensions[word]
        return (*dimension.columns, *dimension.label_columns)
    if word in semantics.metrics:
        return tuple(semantics.columns(word, "effective"))
    columns = [column.name for column in BY_NAME.values() if not column.removed]
    column = next((name for name in columns if name.casefold() == word.casefold()), None)
    if column is None:
        known = [*columns, *semantics.dimensions, *semantics.metrics]
        raise UsageError(f"{where}: hide names {word!r}, which is no column.{_hint(word, known)}")
    return (column,)


def _words(values: Any, where: str, key: str) -> tuple[str, ...]:
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, list) or not all(isinstance(v, str | int) for v in listed):
        raise UsageError(f'{where}: {key} must be a list of texts, such as ["search"].')
    return tuple(str(value) for value in listed)


def _hint(name: str, known: Iterable[str]) -> str:
    near = suggest(name, known)
    return f" Did you mean {near[0]}?" if near else ""
