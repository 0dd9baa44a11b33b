"""Whether a store was made by this version of the program with the settings of now."""

from __future__ import annotations

import duckdb

from finops_assistant.store import allocation_rules, tags
from finops_assistant.store.database import SCHEMA_VERSION
from finops_assistant.store.settings import Settings


def is_current(connection: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether nothing would have to be derived again. Raises UsageError for wrong settings."""
    known = dict(connection.execute("SELECT key, value FROM store_meta").fetchall())
    wanted = {
        "schema_version": str(SCHEMA_VERSION),
        tags.SETTING: tags.fingerprint(settings),
        allocation_rules.SETTING: allocation_rules.fingerprint(settings),
    }
    return all(known.get(key) == value for key, value in wanted.items())
