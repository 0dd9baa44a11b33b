"""What is derived from loaded rows, step by step, before a new version of the store is swapped in.

Every step is idempotent and looks itself for what there is to do, so that the same steps serve a
load, a change of ``finops.toml`` and a store of an earlier version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb

from finops_assistant.store.allocation import allocate
from finops_assistant.store.aws_savings_plans import net_savings_plans
from finops_assistant.store.azure_pairs import settle_pairs
from finops_assistant.store.owners import apply_owners
from finops_assistant.store.settings import Settings
from finops_assistant.store.skus import recognise
from finops_assistant.store.usage import roll_up
from finops_assistant.store.usage_layers import derive_usage
from finops_assistant.store.usage_prices import price_usage

Step = Callable[[duckdb.DuckDBPyConnection, Settings], None]

STEPS: Final[tuple[Step, ...]] = (
    settle_pairs,  # before anything reads the charges: it takes out what two exports both hold
    net_savings_plans,
    recognise,
    roll_up,
    apply_owners,
    price_usage,
    derive_usage,
    allocate,  # last: it meters by usage and splits by owner
)


def run(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Run every step in order."""
    for step in STEPS:
        step(connection, settings)
