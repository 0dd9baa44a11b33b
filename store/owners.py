"""Owners: bills of model APIs know projects, workspaces and keys; ``owners.csv`` says whose.

Where a row itself names no team, project, environment and so on, the owner of its key says it, else
the owner of its account. The column ``_owned`` of a table marks what was filled in (a bit for each
dimension), so that it can be taken back: when owners change, before tags are resolved anew, and
before a report of usage replaces an older one. Nothing else ever loses a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import duckdb

from finops_assistant.store.focus import CHARGES, FILE_ID, OWNED, SPLIT_CHARGES, TAG_COLUMNS
from finops_assistant.store.settings import Settings

LLM_USAGE: Final = "llm_usage"
_MARK: Final = "owners_applied"  # in store_meta: what the owners said, and up to which file

# Kind of owner -> the provider on a bill or usage report, and what its id is the id of.
_KINDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "openai_project": ("OpenAI", "account"),
        "openai_api_key": ("OpenAI", "key"),
        "anthropic_workspace": ("Anthropic", "account"),
        "anthropic_api_key": ("Anthropic", "key"),
        "aws_account": ("AWS", "account"),
        "azure_subscription": ("Microsoft", "account"),
        "gcp_project": ("Google Cloud", "account"),
        "litellm_team": ("litellm", "account"),
        "litellm_key": ("litellm", "key"),
    }
)


@dataclass(frozen=True)
class _Owned:
    """A table whose rows may have owners: SQL of provider, account and key; dimension -> column."""

    table: str
    provider: str
    account: str
    key: str
    columns: Mapping[str, str]

    @property
    def bits(self) -> Mapping[str, int]:
        return {dimension: 1 << place for place, dimension in enumerate(TAG_COLUMNS)}


_CHARGES: Final = tuple(
    _Owned(table, "ServiceProviderName", "SubAccountId", "x_ApiKeyId", TAG_COLUMNS)
    for table in (CHARGES, SPLIT_CHARGES)
)
# A gateway has teams and keys of its own, whatever vendor it called.
_USAGE: Final = _Owned(
    LLM_USAGE,
    "CASE WHEN source = 'litellm' THEN source ELSE provider END",
    "CASE WHEN source = 'litellm' THEN gateway_team ELSE account END",
    "api_key",
    {dimension: dimension for dimension in TAG_COLUMNS},
)


def apply_owners(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Fill in what owners know and rows do not say; cheap where nothing changed.

    Of charges, only rows of files that came since the last time are looked at, and all rows when
    owners changed. A step of ``derive``, after the roll-up of requests.
    """
    connection.execute(f"ALTER TABLE {LLM_USAGE} ADD COLUMN IF NOT EXISTS {OWNED} INTEGER")
    owners = _fingerprint(connection)
    row = connection.execute("SELECT value FROM store_meta WHERE key = ?", [_MARK]).fetchone()
    before, _, last = str(row[0]).partition("@") if row else ("", "", "0")
    if before != owners:
        release_owners(connection)
        last = "0"
    if owners:
        said = _index(connection)
        for owned in _CHARGES:
            _fill(connection, owned, said, f"{FILE_ID} > {int(last)}")
        _fill(connection, _USAGE, said, "TRUE")
        connection.execute("DROP TABLE owner_of")
    (newest,) = connection.execute("SELECT coalesce(max(file_id), 0) FROM files").fetchall()[0]
    connection.execute(
        "INSERT OR REPLACE INTO store_meta VALUES (?, ?)", [_MARK, f"{owners}@{newest}"]
    )


def release_owners(connection: duckdb.DuckDBPyConnection) -> None:
    """Take back everything that was filled in; the next ``apply_owners`` looks at every row."""
    for owned in _CHARGES:
        _release(connection, owned)
    release_usage(connection)
    connection.execute("DELETE FROM store_meta WHERE key = ?", [_MARK])


def release_usage(connection: duckdb.DuckDBPyConnection) -> None:
    """Take back what was filled into model usage: its dimensions are part of what makes two rows
    the same bucket, so this comes before a newer report replaces an older one."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE table_name = ? AND column_name = ?",
        [LLM_USAGE, OWNED],
    ).fetchone()
    if known != (0,):
        _release(connection, _USAGE)


def _release(connection: duckdb.DuckDBPyConnection, owned: _Owned) -> None:
    kept = ", ".join(
        f"{owned.columns[d]} = CASE WHEN {OWNED} & {bit} = 0 THEN {owned.columns[d]} END"
        for d, bit in owned.bits.items()
    )
    connection.execute(
        f"UPDATE {owned.table} SET {kept}, {OWNED} = NULL WHERE {OWNED} IS NOT NULL"  # noqa: S608
    )


def _index(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Make the temporary table ``owner_of``: provider, level, id as ``same_id`` writes it, and the
    dimensions. Returns those of which any owner says something."""
    cases = " ".join(
        f"WHEN '{kind}' THEN ['{provider}', '{level}']"
        for kind, (provider, level) in _KINDS.items()
    )
    said = ", ".join(f"any_value({d}) AS {d}" for d in TAG_COLUMNS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE owner_of AS "  # noqa: S608
        f"SELECT found[1] AS provider, found[2] AS level, {same_id('found[1]', 'id')} AS id, "
        f"{said} FROM (SELECT *, CASE kind {cases} END AS found FROM owners) "
        "WHERE found IS NOT NULL GROUP BY ALL"
    )
    counts = connection.execute(
        f"SELECT {', '.join(f'count({d})' for d in TAG_COLUMNS)} FROM owner_of"  # noqa: S608
    ).fetchall()[0]
    return tuple(d for d, count in zip(TAG_COLUMNS, counts, strict=True) if count)


def same_id(provider: str, account: str) -> str:
    """The SQL of an account's id as owners and bills are compared: Azure's subscriptions with or
    without their path, AWS accounts with the zeros that a spreadsheet drops, and a name for the
    workspace that Anthropic gives none."""
    return (
        f"CASE {provider} "
        f"WHEN 'Microsoft' THEN regexp_replace(lower({account}), '^/?subscriptions/', '') "
        f"WHEN 'AWS' THEN CASE WHEN regexp_full_match({account}, '[0-9]{{1,11}}') "
        f"THEN lpad({account}, 12, '0') ELSE {account} END "
        f"WHEN 'Anthropic' THEN coalesce({account}, 'default') "
        f"ELSE {account} END"
    )


def _fill(
    connection: duckdb.DuckDBPyConnection, owned: _Owned, said: tuple[str, ...], where: str
) -> None:
    """Fill the dimensions in ``said`` into the rows in ``where``, by way of their distinct accounts
    and keys."""
    if not said:
        return
    found = ", ".join(f"coalesce(key.{d}, account.{d}) AS {d}" for d in said)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE owned AS
        SELECT seen.*, {found}
        FROM (SELECT DISTINCT {owned.provider} AS provider_id, {owned.account} AS account_id,
                     {owned.key} AS key_id
              FROM {owned.table} WHERE {where}) AS seen
        LEFT JOIN owner_of AS key
          ON key.level = 'key' AND key.provider = seen.provider_id AND key.id = seen.key_id
        LEFT JOIN owner_of AS account
          ON account.level = 'account' AND account.provider = seen.provider_id
          AND account.id = {same_id("seen.provider_id", "seen.account_id")}
        WHERE key.id IS NOT NULL OR account.id IS NOT NULL
        """  # noqa: S608
    )
    silent = {d: f"t.{owned.columns[d]} IS NULL AND o.{d} IS NOT NULL" for d in said}
    filled = ", ".join(f"{owned.columns[d]} = coalesce(t.{owned.columns[d]}, o.{d})" for d in said)
    mask = " + ".join(f"CASE WHEN {silent[d]} THEN {owned.bits[d]} ELSE 0 END" for d in said)
    connection.execute(
        f"""
        UPDATE {owned.table} AS t SET {filled}, {OWNED} = coalesce(t.{OWNED}, 0) + {mask}
        FROM owned AS o
        WHERE {owned.provider} = o.provider_id
          AND {owned.account} IS NOT DISTINCT FROM o.account_id
          AND {owned.key} IS NOT DISTINCT FROM o.key_id
          AND {where} AND ({" OR ".join(f"({s})" for s in silent.values())})
        """  # noqa: S608
    )
    connection.execute("DROP TABLE owned")


def _fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """What all owners say, as a short text; '' where there are none."""
    said = ", ".join(f"coalesce({c}, '')" for c in ("kind", "id", *TAG_COLUMNS))
    row = connection.execute(
        f"SELECT md5(string_agg(md5(concat_ws(chr(31), {said})), '' ORDER BY kind, id)) FROM owners"  # noqa: S608
    ).fetchone()
    return str(row[0]) if row and row[0] else ""
