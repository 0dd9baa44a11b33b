"""What is derived from loaded rows, step by step, before a new version of the store is swapped in.

Every step is idempotent and looks itself for what there is to do, so that the same steps serve a
load, a change of ``finops.toml`` and a store of an earlier version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb

from finops_assistant.store.database import SCHEMA_VERSION
from finops_assistant.store.settings import Settings
from finops_assistant.store.tags import SETTING, fingerprint

Step = Callable[[duckdb.DuckDBPyConnection, Settings], None]

STEPS: Final[tuple[Step, ...]] = ()


def run(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Run every step in order."""
    for step in STEPS:
        step(connection, settings)


def made_with(connection: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether a store was made by this version of the program with these settings."""
    rows = connection.execute("SELECT key, value FROM store_meta").fetchall()
    known = dict(rows)
    return known.get("schema_version") == str(SCHEMA_VERSION) and known.get(SETTING) == fingerprint(
        settings
    )
