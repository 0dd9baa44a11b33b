"""Actual and amortised cost of the same Azure bill, put together so that nothing counts twice.

The two exports of a month repeat each other: usage without a commitment is in both; usage that a
reservation or savings plan covers is in the actual one at no cost and in the amortised one at its
share of the commitment; purchases of commitments are in the actual one only and what stays unused
in the amortised one only. Where a billing account and billing period has both, BilledCost comes
from the actual export and EffectiveCost from the amortised one.
"""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.settings import Settings
from finops_assistant.store.sources.azure import AZURE_ACTUAL, AZURE_AMORTISED

SETTLED_PAIR: Final = (AZURE_ACTUAL.name, AZURE_AMORTISED.name)
_ACTUAL: Final = f"x_Source = '{AZURE_ACTUAL.name}'"
_AMORTISED: Final = f"x_Source = '{AZURE_AMORTISED.name}'"

_BOTH: Final = f"""
CREATE OR REPLACE TEMP TABLE azure_both AS
SELECT BillingAccountId AS account, BillingPeriodStart AS period
FROM charges WHERE {_ACTUAL} OR {_AMORTISED}
GROUP BY ALL HAVING count(DISTINCT x_Source) = 2
"""  # noqa: S608 - our own names

_IN_BOTH: Final = """
EXISTS (FROM azure_both WHERE account = charges.BillingAccountId
        AND period = charges.BillingPeriodStart)
"""

# What tells charges of an account and period apart, as far as both exports agree on it. Tags and
# capitals differ between exports of different hours; quantities do, too.
_SAME: Final = """
one.BillingAccountId = other.BillingAccountId
AND one.BillingPeriodStart = other.BillingPeriodStart
AND one.ChargePeriodStart = other.ChargePeriodStart
AND one.ChargeCategory = other.ChargeCategory
AND one.SubAccountId IS NOT DISTINCT FROM other.SubAccountId
AND lower(one.ResourceId) IS NOT DISTINCT FROM lower(other.ResourceId)
AND one.SkuId IS NOT DISTINCT FROM other.SkuId
AND (one.CommitmentDiscountId IS NULL) = (other.CommitmentDiscountId IS NULL)
"""


def _repeated(these: str, those: str, which: str) -> str:
    """Delete rows of one export that the other export has as well."""
    return f"""
    DELETE FROM charges WHERE rowid IN (
        SELECT one.rowid FROM charges AS one
        SEMI JOIN (FROM charges WHERE {those}) AS other ON {_SAME}
        WHERE one.{these} AND {which}
    )"""  # noqa: S608


_STEPS: Final = (
    _repeated(_AMORTISED, _ACTUAL, "one.CommitmentDiscountId IS NULL"),
    # usage that the actual export does not know is not billed
    f"""
    UPDATE charges SET BilledCost = 0,
        x_BilledCostInUsd = CASE WHEN x_BilledCostInUsd IS NOT NULL THEN 0 END
    WHERE {_AMORTISED} AND BilledCost <> 0 AND {_IN_BOTH}
    """,  # noqa: S608
    _repeated(_ACTUAL, _AMORTISED, "one.CommitmentDiscountStatus = 'Used' AND one.BilledCost = 0"),
    # a commitment's cost is spread over the usage and the unused part in the amortised export
    f"""
    UPDATE charges SET EffectiveCost = 0,
        x_EffectiveCostInUsd = CASE WHEN x_EffectiveCostInUsd IS NOT NULL THEN 0 END
    WHERE {_ACTUAL} AND CommitmentDiscountId IS NOT NULL AND EffectiveCost <> 0 AND {_IN_BOTH}
    """,  # noqa: S608
)


def settle_pairs(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Settle every billing account and period that has both exports, in whatever order they came.

    Idempotent, and right again after a newer export of either kind has replaced the older one:
    what a new export brings is compared with what is left of the other.
    """
    connection.execute(_BOTH)
    if connection.execute("SELECT count(*) FROM azure_both").fetchone() != (0,):
        for step in _STEPS:
            connection.execute(step)
    connection.execute("DROP TABLE azure_both")
