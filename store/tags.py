"""Tag dimensions: which tag keys speak of the team, the project, the environment and so on.

Keys are folded (case, ``-``, ``_``, spaces, a leading ``user:``), so ``Team``, ``team`` and
``TEAM`` are one. ``finops.toml`` adds keys, which are looked at first, and joins values::

    [tags.team]
    keys = ["squad"]
    [tags.team.values]
    srch = "search"

Values stay literal unless such a table joins them. A blank value is no value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import duckdb

from finops_assistant.store.errors import UsageError, suggest
from finops_assistant.store.focus import CHARGES, SPLIT_CHARGES, TAG_COLUMNS, literal, quote
from finops_assistant.store.owners import release_owners
from finops_assistant.store.settings import Settings

DEFAULT_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "team": ("team", "owner_team", "owning_team", "team_name", "squad"),
        "project": ("project", "project_name", "project_code"),
        "environment": ("environment", "env", "env_name", "deployment_environment", "stage"),
        "feature": ("feature", "feature_name", "product_feature"),
        "customer": ("customer", "customer_name", "customer_id", "client", "tenant"),
        "cost_centre": ("cost_centre", "cost_center", "costcentre_code", "costcenter_code"),
        "initiative": ("initiative", "initiative_name", "ai_initiative"),
    }
)
SETTING: Final = "tag_settings"  # the key in store_meta that says what the columns were made with


@dataclass(frozen=True)
class TagRule:
    """How one dimension is found: folded keys, first match wins, and values that are joined."""

    column: str
    keys: tuple[str, ...]
    values: Mapping[str, str]


def fold(key: str) -> str:
    """A tag key without case, ``-``, ``_`` and spaces.

    >>> fold("Owner-Team"), fold("user:cost_centre")
    ('ownerteam', 'costcentre')
    """
    return re.sub(r"[-_\s]", "", key.lower().removeprefix("user:"))


def tag_rules(settings: Settings) -> tuple[TagRule, ...]:
    """The rule of every tag dimension; raises UsageError for settings that make no sense."""
    for name in settings.tags:
        if name not in TAG_COLUMNS:
            near = suggest(name, TAG_COLUMNS)
            raise UsageError(
                f"finops.toml: [tags.{name}] is not a tag dimension. "
                + (f"Did you mean {near[0]}?" if near else f"Known: {', '.join(TAG_COLUMNS)}.")
            )
    return tuple(
        TagRule(column, *_rule(dimension, settings.tags.get(dimension, {})))
        for dimension, column in TAG_COLUMNS.items()
    )


def fingerprint(settings: Settings) -> str:
    """The rules as text: what is compared to find out whether the store must be resolved again."""
    return json.dumps([[r.column, r.keys, dict(r.values)] for r in tag_rules(settings)])


def _rule(dimension: str, entry: object) -> tuple[tuple[str, ...], Mapping[str, str]]:
    where = f"finops.toml: [tags.{dimension}]"
    if not isinstance(entry, Mapping) or set(entry) - {"keys", "values"}:
        raise UsageError(f"{where} takes keys = [...] and a table values, nothing else.")
    keys, values = entry.get("keys", []), entry.get("values", {})
    if not isinstance(keys, list) or not all(isinstance(k, str) for k in keys):
        raise UsageError(f"{where} keys must be a list of tag keys.")
    if not isinstance(values, Mapping) or not all(isinstance(v, str) for v in values.values()):
        raise UsageError(f"{where} values must map a tag value to the value it stands for.")
    folded = dict.fromkeys(map(fold, (*keys, *DEFAULT_KEYS[dimension])))
    return tuple(folded), dict(values)


@dataclass(frozen=True)
class TagReader:
    """The SQL that reads the tag dimensions out of a JSON text, for the key spellings in use."""

    spellings: tuple[str, ...]  # keys that some rule wants, as they are written in the data
    rules: tuple[TagRule, ...]

    @classmethod
    def of(cls, rules: tuple[TagRule, ...], seen: Iterable[str]) -> TagReader:
        """The reader for the keys ``seen`` in the data; other keys are left alone."""
        wanted = {key for rule in rules for key in rule.keys}
        return cls(tuple(sorted(key for key in seen if fold(key) in wanted)), rules)

    def knows(self, seen: Iterable[str]) -> bool:
        """Whether no key in ``seen`` would be read by a rule but is not by this reader."""
        return set(TagReader.of(self.rules, seen).spellings) <= set(self.spellings)

    def extract(self, json_sql: str) -> str:
        """All wanted values of a JSON text in one parse: a VARCHAR[] expression."""
        if not self.spellings:
            return "NULL::VARCHAR[]"
        # JSON pointers: a key may hold dots, quotes and brackets, which a JSON path would read.
        paths = ", ".join(
            literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in self.spellings
        )
        return f"json_extract_string({json_sql}, [{paths}])"

    def columns(self, values_sql: str) -> dict[str, str]:
        """Column -> expression over the list that ``extract`` made."""
        return {rule.column: self._column(rule, values_sql) for rule in self.rules}

    def _column(self, rule: TagRule, values_sql: str) -> str:
        places = [
            index
            for key in rule.keys
            for index, spelling in enumerate(self.spellings, start=1)
            if fold(spelling) == key
        ]
        if not places:
            return "NULL::VARCHAR"
        found = [
            f"CASE WHEN trim({values_sql}[{i}]) <> '' THEN {values_sql}[{i}] END" for i in places
        ]
        value = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        if not rule.values:
            return value
        joined = " ".join(
            f"WHEN {literal(alias)} THEN {literal(name)}" for alias, name in rule.values.items()
        )
        return f"CASE {value} {joined} ELSE {value} END"


def keys_in(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The distinct tag keys of a relation with a JSON text column ``Tags``."""
    rows = connection.execute(
        f"SELECT DISTINCT unnest(json_keys(Tags)) FROM (SELECT DISTINCT Tags FROM {relation})"  # noqa: S608
    ).fetchall()
    return sorted(key for (key,) in rows)


def resolve_again(
    connection: duckdb.DuckDBPyConnection,
    new: tuple[TagRule, ...],
    old: tuple[TagRule, ...],
    where: str = "TRUE",
    table: str = CHARGES,
) -> None:
    """Write the tag columns of the rows in ``where`` anew, under other rules or more spellings.

    A value that the old rules did not find in the tags came in a column of the file itself and is
    kept where the new rules find none either.
    """
    seen = keys_in(connection, f"{table} WHERE {where}")
    before, after = TagReader.of(old, seen), TagReader.of(new, seen)
    was, now = before.columns("was"), after.columns("now")
    columns = ", ".join(f"{was[c]} AS was_{c}, {now[c]} AS now_{c}" for c in now)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE retagged AS SELECT Tags, {columns} FROM "  # noqa: S608
        f"(SELECT Tags, {before.extract('Tags')} AS was, {after.extract('Tags')} AS now FROM "
        f"(SELECT DISTINCT Tags FROM {table} WHERE ({where}) AND Tags IS NOT NULL))"
    )
    connection.execute(
        f"UPDATE {table} SET "  # noqa: S608
        + ", ".join(
            f"{quote(c)} = coalesce(t.now_{c}, CASE WHEN t.was_{c} IS NULL THEN {table}.{c} END)"
            for c in now
        )
        + f" FROM retagged t WHERE {table}.Tags = t.Tags AND ({where})"
    )
    connection.execute("DROP TABLE retagged")


def resolve_all(connection: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Bring the tag columns of the whole store to ``settings``; False when they already are."""
    row = connection.execute("SELECT value FROM store_meta WHERE key = ?", [SETTING]).fetchone()
    wanted = fingerprint(settings)
    if row is None or row[0] == wanted:
        return False
    old = tuple(
        TagRule(column, tuple(keys), dict(values)) for column, keys, values in json.loads(row[0])
    )
    connection.execute("BEGIN")
    release_owners(connection)
    for table in (CHARGES, SPLIT_CHARGES):
        resolve_again(connection, tag_rules(settings), old, table=table)
    connection.execute("UPDATE store_meta SET value = ? WHERE key = ?", [wanted, SETTING])
    connection.execute("COMMIT")
    return True
